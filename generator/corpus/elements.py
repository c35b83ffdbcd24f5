"""A claim cut into its elements, and any text cut into passages. No word is lost, none stands twice.

Source of the forms: 37 CFR 1.75(i) (elements set apart), MPEP 608.01(m), MPEP 2111.03 (transitional phrases).
"""

import re
from collections.abc import Iterable, Iterator

from generator.base.words import content, words

LEAST = 3  # different content stems of an element; one with fewer joins the element before it
LONG = 60  # words of an element that is cut at further commas
PASSAGE = 120  # most words of a passage; smaller neighbours are packed together up to it

# Besides words.COMMON, what the transition itself is made of.
_EMPTY_TEXT = "act characterised characterized composed consist consisting essentially following step"
_EMPTY = frozenset(_EMPTY_TEXT.split())
_MAIN = r"compris(?:ing|es|e|ed of)|consist(?:ing|s)(?: essentially)? of|characteri[sz]ed (?:in that|by|in)|composed of"
_STEPS = r"(?:(?: at least)?(?: the)?(?: following)?(?: steps?| acts?| operations?)(?: of)?)?"
_TRANSITION = re.compile(rf"\b(?:{_MAIN})\b,?{_STEPS}\s?:?", re.IGNORECASE)
_WEAK = re.compile(rf"\b(?:including|includes|having|has|containing|contains|wherein|in which)\b{_STEPS}\s?:?", re.I)
_LABEL = r"\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})\)"
_CUT = re.compile(
    r"(?<=;)\s+(?=\S)"  # after a semicolon
    rf"|(?<=[,:;])\s+(?=(?:(?:and|or)\s)?{_LABEL}\s)"  # before a labelled step
    r"|(?<=,)\s+(?=(?:and\s+)?(?:wherein|whereby|in which)\b)"
    r"|(?<=,)\s+(?=and\s)"
    r"|\n+",
    re.IGNORECASE,
)
_COMMA = re.compile(r"(?<=,)\s+(?=(?:an?|at least|one or more|said|the|means|which|each|\w+ing)\s)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.;:!?])\s+(?=[\"'(\[]?[A-Z0-9(])|\n+")


def elements(claim: str) -> tuple[str, ...]:
    """The preamble with its transition, then each limitation. Never empty for a text with a word."""
    transition = _TRANSITION.search(claim) or _WEAK.search(claim)
    start = transition.end() if transition else 0
    pieces = [claim[:start], *clauses(claim[start:])]
    cut = [part for piece in pieces for part in (_COMMA.split(piece) if len(piece.split()) > LONG else [piece])]
    return tuple(_merged(part.strip() for part in cut if words(part)))


def clauses(text: str) -> list[str]:
    """Pieces of a claim between semicolons, labels, and commas with "and" or "wherein"."""
    return _CUT.split(text)


def _merged(pieces: Iterable[str]) -> Iterator[str]:
    """Pieces that say too little go with the one before, at the beginning with the one after."""
    held: list[str] = []
    said: set[str] = set()
    for piece in pieces:
        says = set(content(piece)) - _EMPTY
        if len(said) >= LEAST and len(says) >= LEAST:
            yield " ".join(held)
            held, said = [], set()
        held.append(piece)
        said |= says
    if held:
        yield " ".join(held)


def packed(pieces: Iterable[str], most: int = PASSAGE) -> Iterator[str]:
    """Pieces joined by spaces as long as a passage has room; a longer piece is cut between words."""
    held: list[str] = []
    for piece in pieces:
        parts = piece.split()
        if held and len(held) + len(parts) > most:
            yield " ".join(held)
            held = []
        held += parts
        whole = (len(held) - 1) // most * most
        for start in range(0, whole, most):
            yield " ".join(held[start : start + most])
        held = held[whole:]
    if held:
        yield " ".join(held)


def sentences(text: str) -> list[str]:
    """Pieces that end like sentences, or at a line break; a rough cut, for passages."""
    return [part for part in _SENTENCE.split(text) if part.strip()]
