"""Patents in XML as the United States Patent and Trademark Office publishes them in weekly files.

Three kinds of root element: grants and applications since 2005 (Red Book 4.x), grants of 2001 to 2004 (`PATDOC`, ST.32
2.4 in SGML and 2.5 in XML), applications of 2001 to 2004 (PAP 1.x). A weekly file is many documents one after another.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from generator.corpus.claim_texts import claim_texts
from generator.corpus.cutting import MAX_DOCUMENT, Piece, cut
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import resolve
from generator.corpus.json_lines import iso_date
from generator.corpus.patent_text import clean


@dataclass(frozen=True, slots=True)
class _Form:
    """The elements of one kind of document. Number and date are a name and an ancestor that it stands in; the first
    one counts.
    """

    number: tuple[str, str]
    date: tuple[str, str]
    title: str
    abstract: str
    description: str
    paragraph: str
    claim: str


_RED_BOOK = _Form(
    ("doc-number", "publication-reference"), ("date", "publication-reference"),
    "invention-title", "abstract", "description", "p", "claim",
)  # fmt: skip
_FORMS = {
    "us-patent-grant": _RED_BOOK,
    "us-patent-application": _RED_BOOK,
    "PATDOC": _Form(("DNUM", "B110"), ("DATE", "B140"), "B540", "SDOAB", "SDODE", "PARA", "CLM"),
    "patent-application-publication": _Form(
        ("doc-number", "document-id"), ("document-date", "document-id"),
        "title-of-invention", "subdoc-abstract", "subdoc-description", "paragraph", "claim",
    ),
}  # fmt: skip
# Other documents in weekly files: sequence listings.
_NAMES = "|".join((*_FORMS, "sequence-cwu"))
_TOKEN = re.compile(rf"(?P<always><\?xml\s)|<!DOCTYPE\s|<(?P<root>{_NAMES})[\s>]".encode())
_KNOWN = re.compile(rf"<!DOCTYPE\s+(?:{_NAMES})\s|<(?:{_NAMES})[\s>]".encode())
_ROOT = re.compile(rf"<({_NAMES})[\s>]")
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"}
# Elements without content that SGML leaves open.
_OPEN = "CITED-BY-EXAMINER|CITED-BY-OTHER|B597US|B473US|B221US|EMI|COLSPEC|SPANSPEC|CUSTOM-CHARACTER|none|mprescripts"
_SGML = re.compile(rf"<({_OPEN})(\s[^<>]*+)?+>(?:\s*+</\1>)?")

_DROPPED_NAMES = """tables table TABLE-US TABLE maths math MATH-US chemistry us-chemistry CHEM-US CWU img EMI heading H
number"""
_DROPPED = frozenset(_DROPPED_NAMES.split())
_BLOCK_NAMES = "p PARA paragraph claim-text CLMSTEP li LI br ul ol UL OL dl dt dd item"
_BLOCKS = frozenset(_BLOCK_NAMES.split())
# Numbers that the documents of a patent family share: of the application, of its parents, of priorities.
_KIN = ("doc-number", "application-reference", "parent-doc", "priority-claim")
_CPC = ("section", "class", "subclass", "main-group", "subgroup")


def is_uspto(head: bytes) -> bool:
    return head[:1] == b"<" and _KNOWN.search(head) is not None


def read_uspto(chunks: Iterator[bytes], start: int) -> Iterator[tuple[int, Document | Skipped]]:
    """The document that begins at or after byte `start`, and those after it, each with where the next one begins."""
    for piece in cut(chunks, start, _TOKEN):
        yield piece.end, _document(piece)


def publication_number(text: str) -> str:
    """`US` and the number as it is cited: no leading zeros, no kind code. Empty where there is none."""
    found = re.fullmatch(r"([A-Z]{0,2})0*(\d{1,14})", "".join(text.upper().split()))
    return f"US{found[1]}{found[2]}" if found else ""


def _document(piece: Piece) -> Document | Skipped:
    place = f"byte {piece.start}"
    if piece.long:
        return Skipped(place, f"a document of more than {MAX_DOCUMENT >> 20} MiB")
    declared = _ENCODING.match(piece.data.lstrip())
    encoding = declared[1].decode().lower() if declared else "utf-8"
    if encoding not in _ENCODINGS:
        return Skipped(place, f"the encoding {encoding[:40]} is not read")
    try:
        text = piece.data.decode(encoding)
    except UnicodeDecodeError as error:
        return Skipped(place, f"not the encoding {encoding}, at byte {piece.start + error.start}")
    root = _ROOT.search(text)
    if root is None:
        return Skipped(place, "no patent begins here")
    if root[1] not in _FORMS:
        return Skipped(place, f"a {root[1]}, no patent")
    # Without its prologue a document declares no entity and names no other file.
    lines, text = text.count("\n", 0, root.start()), resolve(text[root.start() :])
    if root[1] == "PATDOC":
        text = _SGML.sub(lambda match: f"<{match[1]}{(match[2] or '').rstrip('/')}/>", text)
    return _parse(_Reading(_FORMS[root[1]]), text, place, lines)


def _parse(reading: "_Reading", text: str, place: str, lines: int) -> Document | Skipped:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.data
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code) or "an error"
        return Skipped(place, f"malformed XML in its line {lines + error.lineno}: {why}")
    return reading.document(place)


class _Reading:
    """The parts of one document, gathered while it is parsed."""

    def __init__(self, form: _Form) -> None:
        self._form = form
        self._path: list[str] = []
        self._text: list[str] | None = None  # what is being gathered, up to the end of the element at `_depth`
        self._depth = 0
        self._dropped = 0  # depth of the element whose content is passed over
        self._in_description = False
        self._found: dict[str, str] = {}
        self._claims: list[str] = []
        self._paragraphs: list[str] = []
        self._symbols: dict[str, None] = {}
        self._symbol: dict[str, str] = {}
        self._family: dict[str, None] = {}
        outer = {form.title, form.abstract, form.claim, form.paragraph, form.number[0], form.date[0], *_CPC}
        self._watched = outer | {form.description, "classification-cpc"}

    def start(self, tag: str, _: dict[str, str]) -> None:
        path = self._path
        path.append(tag)
        if self._dropped:
            return
        if self._text is not None:
            if tag in _DROPPED:
                self._dropped = len(path)
            elif tag in _BLOCKS and path[-2] != "dependent-claim-reference":
                self._text.append(" ")
        elif tag in self._watched:
            self._watch(tag)

    def _watch(self, tag: str) -> None:
        form, found = self._form, self._found
        if tag == form.description:
            self._in_description = True
        elif tag == "classification-cpc":
            self._symbol = {}
        elif tag == form.paragraph:
            if self._in_description:
                self._gather()
        elif tag == form.claim:
            self._gather()
        elif tag in _CPC:
            if len(self._path) > 1 and self._path[-2] == "classification-cpc":
                self._gather()
        elif tag == _KIN[0] and any(relation in self._path for relation in _KIN[1:]):
            self._gather()
        else:
            wanted = form.number if tag == form.number[0] else form.date
            if tag not in found and (tag in (form.title, form.abstract) or wanted[1] in self._path):
                self._gather()

    def _gather(self) -> None:
        self._text, self._depth = [], len(self._path)

    def data(self, text: str) -> None:
        if self._text is not None and not self._dropped:
            self._text.append(text)

    def end(self, tag: str) -> None:
        depth = len(self._path)
        if depth == self._dropped:
            self._dropped = 0
            if self._text is not None:
                self._text.append(" ")
        elif self._text is not None:
            if depth == self._depth:
                self._keep(tag, clean("".join(self._text)))
                self._text = None
            elif tag in _BLOCKS and tag != "claim-text":
                self._text.append(" ")
        elif tag == self._form.description:
            self._in_description = False
        elif tag == "classification-cpc" and len(self._symbol) == len(_CPC):
            one = self._symbol
            self._symbols[f"{one['section']}{one['class']}{one['subclass']}{one['main-group']}/{one['subgroup']}"] = (
                None
            )
        self._path.pop()

    def _keep(self, tag: str, text: str) -> None:
        if tag == self._form.paragraph and self._in_description:
            if text:
                self._paragraphs.append(text)
        elif tag == self._form.claim:
            self._claims.append(text)
        elif tag in _CPC and self._path[-2] == "classification-cpc":
            self._symbol[tag] = "".join(text.split())
        elif tag == _KIN[0] and any(relation in self._path for relation in _KIN[1:]):
            self._family["".join(text.split())] = None
        else:
            self._found[tag] = text

    def document(self, place: str) -> Document | Skipped:
        form, found = self._form, self._found
        number = publication_number(found.get(form.number[0], ""))
        if not number:
            return Skipped(place, "a patent without a publication number")
        return Document(
            number,
            found.get(form.title, ""),
            found.get(form.abstract, ""),
            claim_texts(self._claims),
            "\n".join(self._paragraphs),
            iso_date(found.get(form.date[0], "")),
            tuple(self._symbols),
            tuple(filter(None, self._family)),
        )
