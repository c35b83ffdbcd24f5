"""Patents in XML as the United States Patent and Trademark Office publishes them in weekly files.

Three kinds of root element: grants and applications since 2005 (Red Book 4.x), grants of 2001 to 2004 (`PATDOC`, ST.32
2.4 in SGML and 2.5 in XML), applications of 2001 to 2004 (PAP 1.x). A weekly file is many documents one after another.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from xml.parsers import expat

from generator.corpus.claim_texts import GONE, claim_texts
from generator.corpus.cutting import MAX_DOCUMENT, Piece, cut
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import resolve
from generator.corpus.formulas import CELLS, FORMULAS, IMAGES, PARTS, ROW, ROWS, SOFT, TABLES, Formula, joined, unmarked
from generator.corpus.numbers import earlier_publication, kin_number, publication_number
from generator.corpus.office_forms import FORMS, Form
from generator.corpus.patent_text import LOST, clean, dated

# Other documents in weekly files: sequence listings.
_NAMES = "|".join((*FORMS, "sequence-cwu"))
_TOKEN = re.compile(rf"(?P<always><\?xml\s)|<!DOCTYPE\s|<(?P<root>{_NAMES})[\s>]".encode())
_KNOWN = re.compile(rf"<!DOCTYPE\s+(?:{_NAMES})\s|<(?:{_NAMES})[\s>]".encode())
_ROOT = re.compile(rf"<({_NAMES})[\s>]")
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS = {"utf-8", "ascii", "iso8859-1", "cp1252"}  # by the names that Python gives them
# Elements without content that SGML leaves open.
_OPEN = (
    "DEL-S|DEL-E|INS-S|INS-E|CITED-BY-EXAMINER|CITED-BY-OTHER|B597US|B473US|B221US|EMI|COLSPEC|SPANSPEC"
    "|CUSTOM-CHARACTER|none|mprescripts"
)
_SGML = re.compile(rf"<({_OPEN})(\s[^<>]*+)?+>(?:\s*+</\1>)?")

_DROPPED = frozenset(("heading", "H", "number"))
_BLOCK_NAMES = "p PARA paragraph claim-text CLMSTEP li LI br ul ol UL OL dl dt dd item"
_BLOCKS = frozenset(_BLOCK_NAMES.split())
# Of a reissue: processing instructions (Red Book) and empty elements (PATDOC) around what was deleted.
_DELETED = {"delete-start": True, "delete-end": False, "DEL-S": True, "DEL-E": False}
_CPC = ("section", "class", "subclass", "main-group", "subgroup")


def is_uspto(head: bytes) -> bool:
    return head[:1] == b"<" and _KNOWN.search(head) is not None


def read_uspto(chunks: Iterator[bytes], start: int) -> Iterator[tuple[int, Document | Skipped]]:
    """The document that begins at or after byte `start`, and those after it, each with where the next one begins."""
    for piece in cut(chunks, start, _TOKEN):
        yield piece.end, _document(piece)


def _document(piece: Piece) -> Document | Skipped:
    place = f"byte {piece.start}"
    if piece.long:
        return Skipped(place, f"a document of more than {MAX_DOCUMENT >> 20} MiB")
    declared = _ENCODING.match(piece.data.lstrip())
    encoding = _encoding(declared[1].decode() if declared else "utf-8")
    if encoding not in _ENCODINGS:
        return Skipped(place, f"the encoding {encoding[:40]} is not read")
    try:
        text = piece.data.decode(encoding)
    except UnicodeDecodeError as error:
        return Skipped(place, f"not the encoding {encoding}, at byte {piece.start + error.start}")
    root = _ROOT.search(text)
    if root is None:
        return Skipped(place, "no patent begins here")
    if root[1] not in FORMS:
        return Skipped(place, f"a {root[1]}, no patent")
    # Without its prologue a document declares no entity and names no other file.
    lines, text = text.count("\n", 0, root.start()), resolve(text[root.start() :])
    if root[1] == "PATDOC":
        text = _SGML.sub(lambda match: f"<{match[1]}{(match[2] or '').rstrip('/')}/>", text)
    return _parse(_Reading(FORMS[root[1]]), text, place, lines)


def _encoding(name: str) -> str:
    """Python's name of an encoding: `UTF8`, `utf_8` and `Utf-8` are one. The name itself where there is none."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return name.lower()


def _parse(reading: "_Reading", text: str, place: str, lines: int) -> Document | Skipped:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.data
    parser.ProcessingInstructionHandler = reading.instruction
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code) or "an error"
        return Skipped(place, f"malformed XML in its line {lines + error.lineno}: {why}")
    return reading.document(place)


class _Reading:
    """The parts of one document, gathered while it is parsed."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._path: list[str] = []
        self._text: list[str] | None = None  # what is being gathered, up to the end of the element at `_depth`
        self._depth = 0
        self._dropped = 0  # depth of the element whose content is passed over
        self._deleted = False  # within what a reissue deletes
        self._cut = False  # some of the text that is gathered was deleted
        self._parts: list[tuple[int, int]] = []  # formulas and tables around: their depth, what was gathered before
        self._formula: list[Formula] = []  # elements of a formula, one in the other
        self._in_description = False
        self._found: dict[str, str] = {}
        self._claims: list[str] = []
        self._paragraphs: list[str] = []
        self._symbols: dict[str, None] = {}
        self._symbol: dict[str, str] = {}
        self._family: dict[str, None] = {}
        outer = {
            form.title,
            form.abstract,
            form.claim,
            form.paragraph,
            form.number[0],
            form.date[0],
            form.kin[0],
            *_CPC,
        }
        self._watched = outer | {form.description, "classification-cpc"}

    def start(self, tag: str, _: dict[str, str]) -> None:
        path = self._path
        path.append(tag)
        if tag in _DELETED:
            self._deleted = _DELETED[tag]
        elif self._dropped:
            return
        elif self._formula:
            self._formula.append(self._formula[-1].begin(tag))
        elif self._text is not None:
            self._inside(tag)
        elif tag in self._watched:
            self._watch(tag)

    def _inside(self, tag: str) -> None:
        """An element within a text that is gathered."""
        text = self._text
        assert text is not None
        if tag in _DROPPED or (tag in TABLES and self._in_description):
            self._dropped = len(self._path)
        elif tag in PARTS:
            self._parts.append((len(self._path), len(text) + 1))
            text.append(SOFT)
            if tag in FORMULAS:
                self._formula = [Formula(tag)]
        elif tag in IMAGES and not self._parts:
            text.append(f"{SOFT}{LOST}{SOFT}")
        elif tag in CELLS:
            text.append(SOFT)
        elif tag in _BLOCKS and self._path[-2] != "dependent-claim-reference":
            text.append(" ")

    def instruction(self, target: str, _: str) -> None:
        if target in _DELETED:
            self._deleted = _DELETED[target]

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
        elif self._is_kin(tag):
            self._gather()
        else:
            wanted = form.number if tag == form.number[0] else form.date
            if tag not in found and (tag in (form.title, form.abstract) or wanted[1] in self._path):
                self._gather()

    def _is_kin(self, tag: str) -> bool:
        return tag == self._form.kin[0] and any(relation in self._path for relation in self._form.kin[1:])

    def _gather(self) -> None:
        self._text, self._depth, self._cut = [], len(self._path), False

    def data(self, text: str) -> None:
        if self._text is None or self._dropped or self._deleted:
            self._cut = self._cut or self._deleted
            return
        if self._formula:
            self._formula[-1].children.append(text)
        else:
            self._text.append(text)

    def end(self, tag: str) -> None:
        depth = len(self._path)
        if depth == self._dropped:
            self._dropped = 0
            if self._text is not None:
                self._text.append(" ")
        elif self._formula and not (self._parts and depth == self._parts[-1][0]):
            self._formula.pop()
        elif self._text is not None and self._parts and depth == self._parts[-1][0]:
            self._end_part(self._text)
        elif self._text is not None:
            if depth == self._depth:
                self._keep(tag, clean(joined(self._text)))
                self._text = None
            elif tag in ROWS:
                self._text.append(ROW)
            elif tag in _BLOCKS and tag != "claim-text":
                self._text.append(" ")
        elif tag == self._form.description:
            self._in_description = False
        elif tag == "classification-cpc" and len(self._symbol) == len(_CPC):
            one = self._symbol
            symbol = f"{one['section']}{one['class']}{one['subclass']}{one['main-group']}/{one['subgroup']}"
            self._symbols[symbol] = None
        self._path.pop()

    def _end_part(self, text: list[str]) -> None:
        """A formula or a table ends: its text, or the mark that it had none."""
        _, before = self._parts.pop()
        if self._formula:
            text.append(self._formula[0].text())
            self._formula = []
        if not self._deleted and not any(c.isalnum() for piece in text[before:] for c in piece):
            text.append(LOST)
        if text[-1] == ROW:
            text.pop()
        text.append(SOFT)

    def _keep(self, tag: str, text: str) -> None:
        if tag == self._form.paragraph and self._in_description:
            if text := unmarked(text):
                self._paragraphs.append(text)
        elif tag == self._form.claim:
            self._claims.append(text or (GONE if self._cut else ""))
        elif tag in _CPC and self._path[-2] == "classification-cpc":
            self._symbol[tag] = "".join(text.split())
        elif self._is_kin(tag):
            published = any(relation in self._path for relation in self._form.published)
            self._family[earlier_publication(text) if published else kin_number(text)] = None
        else:
            self._found[tag] = unmarked(text)

    def document(self, place: str) -> Document | Skipped:
        form, found = self._form, self._found
        number = publication_number(found.get(form.number[0], ""))
        if not number:
            return Skipped(place, "a patent without a publication number")
        claims = claim_texts(self._claims)
        date, unread = dated(found.get(form.date[0], ""))
        return Document(
            number,
            found.get(form.title, ""),
            found.get(form.abstract, ""),
            claims.texts,
            "\n".join(self._paragraphs),
            date,
            tuple(self._symbols),
            tuple(filter(None, self._family)),
            left_out=tuple(sorted((Counter(dict(claims.left_out)) + Counter(unread)).items())),
            incomplete=claims.incomplete,
        )
