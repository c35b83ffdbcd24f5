"""Patents in the text form of 1976 to 2000 (USPTO, "Patent Full-Text APS", the Green Book).

A line has a code in columns 1 to 4 and text from column 6 on; a line without a code goes on with the text before. A
code without text begins a group: PATN (the patent itself), ABST, CLMS, DCLM, and groups of the description.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generator.corpus.claim_texts import claim_texts
from generator.corpus.cutting import MAX_DOCUMENT, Piece, cut
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import undot
from generator.corpus.json_lines import iso_date
from generator.corpus.patent_text import clean
from generator.corpus.uspto import publication_number

_TOKEN = re.compile(rb"(?P<always>(?!))|^(?P<root>PATN)[ \t]*\r?\n", re.MULTILINE)
_HEAD = re.compile(rb"(?:HHHHHT[^\n]*\n)?\s*PATN[ \t]*\r?\n")
_DESCRIPTION = ("GOVT", "PARN", "BSUM", "DRWD", "DETD")
_OTHERS = "PATN INVT ASSG PRIR REIS RLAP CLAS UREF FREF OREF LREP PCTA ABST CLMS DCLM"
_GROUPS = frozenset((*_DESCRIPTION, *_OTHERS.split()))
_PARAGRAPH = re.compile(r"PA[RL0-9]")


@dataclass(frozen=True, slots=True)
class _Field:
    group: str
    code: str
    text: str


def is_green_book(head: bytes) -> bool:
    return _HEAD.match(head) is not None


def read_green_book(chunks: Iterator[bytes], start: int) -> Iterator[tuple[int, Document | Skipped]]:
    """The patent that begins at or after byte `start`, and those after it, each with where the next one begins."""
    for piece in cut(chunks, start, _TOKEN):
        yield piece.end, _document(piece)


def _document(piece: Piece) -> Document | Skipped:
    place = f"byte {piece.start}"
    if piece.long:
        return Skipped(place, f"a document of more than {MAX_DOCUMENT >> 20} MiB")
    text = piece.data.decode("latin-1")
    begin = re.search(r"^PATN", text, re.MULTILINE)
    if begin is None:
        return Skipped(place, "no patent begins here")
    fields = list(_fields(text[begin.start() :]))
    patent: dict[str, str] = {}
    for field in fields:
        if field.group == "PATN":
            patent.setdefault(field.code, field.text)
    # Eight characters and a check digit: "039327094" is 3,932,709.
    number = publication_number(patent.get("WKU", "").strip()[:8])
    if not number:
        return Skipped(place, "a patent without a number (WKU)")
    printed = _claims(fields)
    expected = patent.get("NCL", "").strip()
    missing = expected.isdecimal() and len(printed) < int(expected)
    if piece.last and (missing or not text.endswith(("\n", "."))):
        return Skipped(place, f"{number} is cut off: it has {len(printed)} of {expected or 'its'} claims")
    return Document(
        number,
        clean(undot(patent.get("TTL", ""))),
        " ".join(_paragraphs(fields, ("ABST",))),
        claim_texts(printed),
        "\n".join(_paragraphs(fields, _DESCRIPTION)),
        iso_date(patent.get("ISD", "").strip()),
    )


def _fields(text: str) -> Iterator[_Field]:
    group, code, parts = "", "", [""]
    for line in text.splitlines():
        begins = line[:4].strip()
        if begins:
            if code:
                yield _Field(group, code, " ".join(parts))
            rest = line[5:].strip()
            if begins in _GROUPS and not rest:
                group, code = begins, ""
            else:
                code, parts = begins, [rest]
        elif code:
            parts.append(line.strip())
    if code:
        yield _Field(group, code, " ".join(parts))


def _paragraphs(fields: list[_Field], groups: tuple[str, ...]) -> list[str]:
    wanted = (field for field in fields if field.group in groups and _PARAGRAPH.fullmatch(field.code))
    return list(filter(None, (clean(undot(field.text)) for field in wanted)))


def _claims(fields: list[_Field]) -> list[str]:
    """Each claim's paragraphs as one text; a design has one claim without a number (DCLM)."""
    claims: list[list[str]] = []
    for field in fields:
        if field.group in ("CLMS", "DCLM"):
            if field.code == "NUM" or (not claims and _PARAGRAPH.fullmatch(field.code)):
                claims.append([])
            if _PARAGRAPH.fullmatch(field.code):
                claims[-1].append(clean(undot(field.text)))
    return [" ".join(parts) for parts in claims]
