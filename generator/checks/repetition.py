"""Repetition and faults of generation, and the form of title and abstract."""

import re

from generator.checks.form import TRANSITION
from generator.disclosure import Claim, Disclosure, Finding
from generator.references import find_references
from generator.words import COMMON, words

NEAR = 0.9  # Jaccard similarity of the word sets of two claims with the same parents
LOOP_WORDS, LOOP_TIMES, LOOP_SINGLE = 40, 3, 4  # a phrase of 2 to 40 words three times in a row, one word four times
ABSTRACT_WORDS = 150  # 37 CFR 1.72(b)
SUPPORT = 0.25  # share of the abstract's content words that the claims hold; real patents: see test_checks.py
_PART = re.compile(r"[^\W_]+")  # "2D-3D-2D-3D" is a loop too
_LAYOUT = re.compile(r"<\|[a-z_]{1,20}\|>|(?:^|\s)#{1,6} (?:Patent|Title|Abstract|Claims|Description|Background)\b|�")
_NOVEL = re.compile(r"(?:a |an |the )?(?:novel|new|improved)\b", re.IGNORECASE)


def c10_duplicates(disclosure: Disclosure) -> tuple[Finding, ...]:
    """No claim repeats another (fail); near repeats and dependents that add nothing are warned of.

    Source: 37 CFR 1.75(b) (claims differ substantially), 35 U.S.C. 112(d) (a dependent claim limits further).
    """
    found: list[Finding] = []
    seen: dict[tuple[str, ...], int] = {}
    groups: dict[tuple[int, ...], list[tuple[int, frozenset[str]]]] = {}
    texts = {claim.number: " ".join(words(claim.text)) for claim in disclosure.claims}
    for claim in disclosure.claims:
        key = tuple(words(claim.text))
        if (first := seen.setdefault(key, claim.number)) != claim.number:
            found.append(Finding("C10", "fail", claim.number, f"The claim repeats claim {first}."))
            continue
        bag = frozenset(key)
        group = groups.setdefault(claim.depends_on, [])
        if (near := _near(bag, group)) is not None:
            found.append(Finding("C10", "warn", claim.number, f"The claim hardly differs from claim {near}."))
        group.append((claim.number, bag))
        if _adds_nothing(claim, texts):
            found.append(Finding("C10", "warn", claim.number, "The claim adds nothing to the claim it refers to."))
    return tuple(found)


def _near(bag: frozenset[str], others: list[tuple[int, frozenset[str]]]) -> int | None:
    for number, other in others:
        low, high = sorted((len(bag), len(other)))
        # The sizes alone bound the similarity, which spares most intersections.
        if low >= NEAR * high and (common := len(bag & other)) >= NEAR * (low + high - common):
            return number
    return None


def _adds_nothing(claim: Claim, texts: dict[int, str]) -> bool:
    references = find_references(claim.text, claim.number)
    if len(references) != 1 or TRANSITION.search(claim.text, 0, references[0].start):
        return False  # "A kit comprising the enzyme of claim 1." puts what it adds before the reference
    added = re.sub(r"^(?:wherein|in which|where|and|further) ", "", " ".join(words(claim.text[references[0].end :])))
    return any(added in texts.get(parent, "") for parent in references[0].numbers if parent != claim.number)


def c11_generation_faults(disclosure: Disclosure) -> tuple[Finding, ...]:
    """No loops, no tokens of the layout inside a text. Source: faults that language models are known for.

    A loop is a phrase of 2 to 40 words three times in a row, or one word four times.
    """
    parts = [("title", None, disclosure.title), ("abstract", None, disclosure.abstract)]
    found = []
    for name, number, text in (*parts, *(("claim", c.number, c.text) for c in disclosure.claims)):
        if _LAYOUT.search(text):
            found.append(
                Finding("C11", "fail", number, f"The {name} holds a token of the layout or a broken character.")
            )
        if loop := find_loop(_PART.findall(text.lower())):
            found.append(Finding("C11", "fail", number, f"The {name} repeats {loop[:60]!r} over and over."))
    return tuple(found)


def find_loop(tokens: list[str]) -> str:
    """The first phrase that is repeated in a row too often, or an empty string. Time: LOOP_WORDS times the words."""
    for width in range(1, min(LOOP_WORDS, len(tokens) // 2) + 1):
        wanted = width * ((LOOP_SINGLE if width == 1 else LOOP_TIMES) - 1)
        run = 0
        for index in range(width, len(tokens)):
            run = run + 1 if tokens[index] == tokens[index - width] else 0
            if run >= wanted:
                return " ".join(tokens[index - width + 1 : index + 1])
    return ""


def c12_title_and_abstract(disclosure: Disclosure) -> tuple[Finding, ...]:
    """An abstract of 1 to 150 words that speaks of what is claimed; a title that does not praise.

    Source: 37 CFR 1.72(a) and (b), MPEP 606; the overlap with the claims is own practice.
    """
    found = []
    count = len(disclosure.abstract.split())
    if count > ABSTRACT_WORDS:
        found.append(Finding("C12", "warn", None, f"The abstract has {count} words, more than {ABSTRACT_WORDS}."))
    if _NOVEL.match(disclosure.title):
        found.append(Finding("C12", "warn", None, "The title begins by calling the thing new."))
    abstract = set(words(disclosure.abstract)) - COMMON
    claimed = {word for claim in disclosure.claims for word in words(claim.text)}
    if abstract and len(abstract & claimed) < SUPPORT * len(abstract):
        found.append(Finding("C12", "warn", None, "Few words of the abstract occur in the claims."))
    return tuple(found)
