"""A known document, whatever file it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """`number` is a publication number ("US8087209") or a disclosure's ("PAP-0000123"). `description` has paragraphs
    separated by LF; `date` is YYYY-MM-DD or empty; `cpc` are symbols without spaces ("A01B33/08").
    """

    number: str
    title: str
    abstract: str
    claims: tuple[str, ...] = ()
    description: str = ""
    date: str = ""
    cpc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that could not be read: `place` is a line or a byte offset in its file, `why` a sentence."""

    place: str
    why: str
