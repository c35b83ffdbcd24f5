"""The claim chart as a page shows it: where a known document can be read, and which words it shares with an element."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from generator.base.words import COMMON, placed, stem
from generator.record.judgement import Element

EXCERPT_WORDS = 30

_PATENT = re.compile(r"([A-Z]{2})(\d{5,14})([A-Z]\d?)?")
_APPLICATION = re.compile(r"((?:19|20)\d\d)0(\d{6})")  # how the USPTO numbers one; Espacenet leaves the zero out


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a passage; `shared`: a word that the element has too."""

    text: str
    shared: bool


@dataclass(frozen=True, slots=True)
class ChartRow:
    """An element of claim 1 beside the excerpt of the document that shares most of its words.

    `first`: no row above names that document; its title and links stand in that row alone.
    """

    element: Element
    first: bool
    links: tuple[tuple[str, str], ...]
    excerpt: tuple[Part, ...]


def chart_rows(elements: tuple[Element, ...]) -> tuple[ChartRow, ...]:
    named = [one.document for one in elements]
    return tuple(
        ChartRow(one, one.document not in named[:i], document_links(one.document), excerpt(one.text, one.passage))
        for i, one in enumerate(elements)
    )


def document_links(number: str) -> tuple[tuple[str, str], ...]:
    """(name, address) of the places where a document with a patent office's number can be read; none for others."""
    if not (found := _PATENT.fullmatch(number)):
        return ()
    country, digits, kind = found[1], found[2], found[3] or ""
    short = _APPLICATION.sub(r"\1\2", digits) if country == "US" and len(digits) == 11 else digits
    return (
        ("Google Patents", f"https://patents.google.com/?oq={quote(number)}"),
        ("Espacenet", f"https://worldwide.espacenet.com/patent/search?q=pn%3D{country}{short}{kind}"),
    )


def excerpt(element: str, passage: str) -> tuple[Part, ...]:
    """The EXCERPT_WORDS words of a passage that hold most of an element's content words, these marked."""
    text = " ".join(passage.split())
    wanted = {stem(word) for word, _, _ in placed(element) if word not in COMMON and not word.isdigit()}
    found = placed(text)
    hits = [stem(word) if word not in COMMON and stem(word) in wanted else "" for word, _, _ in found]
    starts = range(max(1, len(found) - EXCERPT_WORDS + 1))
    first = max(starts, key=lambda i: (len({*hits[i : i + EXCERPT_WORDS]} - {""}), -i), default=0)
    last = min(len(found), first + EXCERPT_WORDS)
    if not found:
        return (Part(text, False),) if text else ()
    begin = found[first][1] if first else 0
    end = found[last - 1][2] if last < len(found) else len(text)
    parts, done = [Part("… ", False)] if first else [], begin
    for (_, start, stop), hit in zip(found[first:last], hits[first:last], strict=True):
        if hit:
            parts += [Part(text[done:start], False)] if start > done else []
            parts.append(Part(text[start:stop], True))
            done = stop
    parts += [Part(text[done:end], False)] if end > done else []
    return (*parts, Part(" …", False)) if last < len(found) else tuple(parts)
