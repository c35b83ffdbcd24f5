"""Known documents from files of any of the kinds that are read, each found by its content, not by its name."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.base.errors import CorpusError
from generator.corpus.containers import complete, open_parts
from generator.corpus.documents import Document, Skipped
from generator.corpus.green_book import is_green_book, read_green_book
from generator.corpus.json_lines import read_json_lines
from generator.corpus.uspto import is_uspto, read_uspto
from generator.corpus.volumes import read_volumes, volumes_sha256

Items = Iterator[tuple[int, Document | Skipped]]
Reader = Callable[[Iterator[bytes], int], Items]

KINDS = (
    "JSON lines (one object a line), records of a publication, weekly files of the USPTO in XML (2001 on) "
    "and in text (1976 to 2000)"
)
_PRETTY = re.compile(rb"\{[ \t]*\r?\n[ \t]+\"")  # one object over many lines
# What lies beside records in an archive of a publication: no documents, and no news that it is there.
_BESIDE = re.compile(r"\.(?:proof|md|html)$|\.(?:findings|judgement)\.json$|\.lock$|(?:^|/)(?:log|runs|queue)/")


def read_documents(path: Path, start: int = 0) -> Items:
    """Every document of a file from byte `start` of its unpacked form on, in order, each with where to go on after it.
    Of a publication's folder: every disclosure from serial `start` on.

    What cannot be read of a document's own is Skipped, with its place, and the rest goes on. Raises CorpusError for
    a file that is damaged as a whole, or of a kind that is not read.
    """
    if start < 0:
        raise CorpusError(f"{path}: reading cannot begin at byte {start}")
    with complete(path):
        yield from read_volumes(path, start) if path.is_dir() else _parts(path, start)


def source_sha256(path: Path) -> str:
    """What a file or a folder holds, so that it is known again. Raises CorpusError where it cannot be read."""
    with complete(path):
        if path.is_dir():
            return volumes_sha256(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _parts(path: Path, start: int) -> Items:
    known = False
    for part in open_parts(path, start):
        reader = _reader(part.head)
        known = known or reader is not None
        if reader is not None:
            prefix = f"{part.name}, " if part.name else ""
            for position, item in reader(part.chunks, max(0, start - part.start)):
                if isinstance(item, Skipped):
                    item = Skipped(prefix + item.place, item.why)
                yield part.start + position, item
        elif not part.name:
            raise _unknown(path, part.head)
        elif not _BESIDE.search(part.name):
            yield part.end, Skipped(part.name, "a file of no kind that is read")
    if not known and not start:
        raise _unknown(path, b"")


def _reader(head: bytes) -> Reader | None:
    """Which reader reads what begins like this."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"{" and not _PRETTY.match(text):
        return read_json_lines
    if is_uspto(text):
        return read_uspto
    return read_green_book if is_green_book(text) else None


def _unknown(path: Path, head: bytes) -> CorpusError:
    text = head.lstrip()
    hint = f"Known kinds, also within gzip, bzip2, xz, Zstandard, zip and tar: {KINDS}."
    if not head.strip():
        return CorpusError(f"{path}: there is no document in it", hint=hint)
    if text[:1] == b"{":
        hint = "JSON is read with one object a line: jq -c . FILE writes it so."
    elif text[:1] == b"[":
        hint = "JSON is read with one object a line: jq -c '.[]' FILE writes an array so."
    elif head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = "This is UTF-16; UTF-8 is read: iconv -f UTF-16 -t UTF-8 FILE writes it so."
    return CorpusError(f"{path}: a file of a kind that is not read, beginning {text[:24]!r}", hint=hint)
