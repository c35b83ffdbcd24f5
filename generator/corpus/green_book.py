"""Patents in the text form of 1976 to 2000 (USPTO, "Patent Full-Text APS", the Green Book).

A line has a code in columns 1 to 4 and text from column 6 on; a line without a code goes on with the text before. A
code without text begins a group: PATN (the patent itself), ABST, CLMS, DCLM, and groups of the description.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from generator.corpus.claim_texts import GONE, claim_texts
from generator.corpus.cutting import MAX_DOCUMENT, Piece, cut
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import undot
from generator.corpus.formulas import unmarked
from generator.corpus.numbers import earlier_publication, kin_number, publication_number, serial_number
from generator.corpus.patent_text import clean, dated

_TOKEN = re.compile(rb"(?P<always>(?!))|^(?P<root>PATN)[ \t]*\r?\n", re.MULTILINE)
_HEAD = re.compile(rb"(?:HHHHHT[^\n]*\n)?\s*PATN[ \t]*\r?\n")
_DESCRIPTION = ("GOVT", "PARN", "BSUM", "DRWD", "DETD")
_OTHERS = "PATN INVT ASSG PRIR REIS RLAP CLAS UREF FREF OREF LREP PCTA ABST CLMS DCLM"
_GROUPS = frozenset((*_DESCRIPTION, *_OTHERS.split()))
_KIN = ("RLAP", "REIS", "PRIR", "PCTA")
# What a reissue deletes stands in heavy brackets: `.[.bends.].`; a reissue of a reissue has others.
_DELETED = re.compile(r"\.[\[~(]\.(.*?)\.[\])]\.", re.DOTALL)
_BETWEEN = "\ue000"  # between fields: no character of ISO 8859-1, so no file can hold it
_CUT = "\x01"  # where something was deleted
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
    fields = list(_without_deleted(_fields(text[begin.start() :])))
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
    claims = claim_texts(printed)
    date, unread = dated(patent.get("ISD", ""))
    return Document(
        number,
        unmarked(clean(undot(patent.get("TTL", "")))),
        " ".join(_paragraphs(fields, ("ABST",))),
        claims.texts,
        "\n".join(_paragraphs(fields, _DESCRIPTION)),
        date,
        family=tuple(dict.fromkeys(_family(fields, patent))),
        left_out=tuple(sorted((Counter(dict(claims.left_out)) + Counter(unread)).items())),
        incomplete=claims.incomplete,
    )


def _family(fields: list[_Field], patent: dict[str, str]) -> Iterator[str]:
    """The numbers of its application (seven characters, the last one a check digit), of parents and of priorities."""
    own = serial_number(patent.get("APN", "")[:6], patent.get("SRC", ""), patent.get("APD", ""))
    if own:
        yield own
    for group, inside in groupby(fields, key=lambda field: field.group):
        one: dict[str, str] = {}
        for field in inside if group in _KIN else ():
            if field.code in one:  # the next number of a group begins
                yield from _related(group, one)
                one = {} if field.code in ("COD", "CNT", "APN") else one
            one[field.code] = field.text.strip()
        yield from _related(group, one)


def _related(group: str, one: dict[str, str]) -> Iterator[str]:
    """An application, the patent that it became (PNO), and an international application (PCN)."""
    number = one.get("APN", "")
    application = number.replace(" ", "") if group == "PRIR" else serial_number(number, "", one.get("APD", ""))
    yield from filter(None, (application, earlier_publication(one.get("PNO", "")), kin_number(one.get("PCN", ""))))


def _without_deleted(fields: Iterator[_Field]) -> Iterator[_Field]:
    """What a reissue deletes is left out, over the ends of fields, too; a bracket that never closes deletes nothing."""
    for _, inside in groupby(fields, key=lambda field: field.group):
        group = list(inside)
        whole = _BETWEEN.join(field.text for field in group)
        if ".[." in whole or ".~." in whole or ".(." in whole:
            whole = _DELETED.sub(lambda match: _CUT + _BETWEEN * match[1].count(_BETWEEN), whole)
        texts = whole.split(_BETWEEN)
        if len(texts) != len(group):  # a garbled file holds the mark itself
            yield from group
            continue
        yield from (replace(one, text=text) for one, text in zip(group, texts, strict=True))


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
    return list(filter(None, (unmarked(clean(undot(field.text.replace(_CUT, "")))) for field in wanted)))


def _claims(fields: list[_Field]) -> list[str]:
    """Each claim's paragraphs as one text; a design has one claim without a number (DCLM)."""
    claims: list[list[str]] = []
    for field in fields:
        if field.group in ("CLMS", "DCLM"):
            if field.code == "NUM" or (not claims and _PARAGRAPH.fullmatch(field.code)):
                claims.append([])
            if _PARAGRAPH.fullmatch(field.code):
                claims[-1].append(undot(field.text))
    texts = [(clean(" ".join(parts).replace(_CUT, "")), any(_CUT in part for part in parts)) for parts in claims]
    return [text if text.strip(" .") or not cut else GONE for text, cut in texts]
