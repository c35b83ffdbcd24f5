"""The formats that a model learns, each as a text of one document.

A `specification` follows its layout after the end token: whoever does not ask for it never sees it, and whoever does
goes on after that token with `## Background`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from generator.corpus.documents import Document
from generator.record.layouts import ABSTRACT, BACKGROUND, DESCRIPTION, TITLE, Direction, write_layout

Encode = Callable[[str], list[int]]
_OPENING = re.compile(r"\b(?:BACKGROUND|TECHNICAL FIELD|FIELD OF THE INVENTION)\b(?: OF THE (?:INVENTION|DISCLOSURE))?")
_DETAILED = re.compile(r"\bDETAILED DESCRIPTION\b(?: OF [A-Z ]+\b)?")
_SUMMARY = re.compile(r"\b(?:BRIEF )?SUMMARY\b|\bBRIEF DESCRIPTION\b|\bDETAILED DESCRIPTION\b")
_SENTENCE_END = re.compile(r"[.;:] (?=[A-Z])")


def encoder(tokenizer: Any) -> Encode:
    """Token ids of a text by itself: without those that a tokenizer puts before or after one."""

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    return encode


def fit(encode: Encode, end: int, direction: Direction, document: Document, context: int) -> list[int]:
    """Token ids of a layout with as many whole claims as fit the context; empty when not even one does."""
    claims = list(document.claims)
    while claims:
        ids = [*encode(write_layout(direction, document.title, document.abstract, claims)), end]
        if len(ids) <= context:
            return ids
        claims = claims[: min(len(claims) - 1, max(1, len(claims) * context // len(ids)))]
    return []


def head(document: Document) -> str:
    """The tail of a bottom-up text; the end token is right after it where it has a title."""
    return f"{ABSTRACT}\n{document.abstract}" + (f"\n\n{TITLE}\n{document.title}" if document.title else "\n\n")


def pieces(text: str, *, chars: int) -> Iterator[str]:
    """Pieces of at least `chars` characters, cut at sentence ends."""
    text, start = " ".join(text.split()), 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() - start >= chars:
            yield text[start : match.end()].rstrip()
            start = match.end()


def specification(document: Document) -> str:
    """Background and description as they follow a layout; empty without both."""
    text = " ".join(document.description.split())
    opening, detailed = _OPENING.search(text), _DETAILED.search(text)
    if not opening or not detailed or detailed.start() <= opening.end():
        return ""
    background = text[opening.end() : detailed.start()]
    if summary := _SUMMARY.search(background):
        background = background[: summary.start()]
    if not background.strip() or not text[detailed.end() :].strip():
        return ""
    return f"{BACKGROUND}\n{background.strip()}\n\n{DESCRIPTION}\n{text[detailed.end() :].strip()}"
