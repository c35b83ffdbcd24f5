"""Where a text that is withdrawn still stands: files that hold five words in a row which no other disclosure has."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.base import files
from generator.base.errors import PressError
from generator.log.archive import record_path
from generator.log.ledger import Ledger
from generator.record.record import Record

WORDS = 5
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^<>]*>")
_GZIP = b"\x1f\x8b"
Sequences = set[tuple[str, ...]]


def sequences(texts: Iterable[str]) -> Sequences:
    """Every WORDS words in a row of each text, without case."""
    found: Sequences = set()
    for text in texts:
        words = _WORD.findall(text.casefold())
        found.update(zip(*(words[n:] for n in range(WORDS)), strict=False))
    return found


def own_sequences(output: Path, ledger: Ledger, serial: int) -> Sequences:
    """Those of the disclosure `serial` that no other served disclosure has."""
    own = sequences(_texts(Record.from_bytes(files.read(record_path(output, serial), "a record"))))
    for other, _ in ledger.served():
        if other != serial and own:
            own -= sequences(_texts(Record.from_bytes(files.read(record_path(output, other), "a record"))))
    return own


def _texts(record: Record) -> Iterator[str]:
    text = record.disclosure
    yield from (text.title, text.abstract, *(part.text for part in text.description))
    yield from (claim.text for claim in text.claims)


def holds(data: bytes, own: Sequences) -> bool:
    """Whether bytes, unpacked where they are gzip, hold one of the sequences; marks of HTML count as nothing."""
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return False
    text = data.decode("utf-8", "replace").replace("\\n", " ")
    return any(not own.isdisjoint(sequences((one,))) for one in {text, _TAG.sub(" ", text)})


def traces(folder: Path, own: Sequences) -> list[str]:
    """The files below `folder` that hold one of the sequences, by their paths in it; git's own are not looked at.

    Raises PressError for a file that cannot be read.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if ".git" in name.parts or not path.is_file():
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PressError(f"{path}: cannot be read: {error.strerror}") from error
        if holds(data, own):
            found.append(name.as_posix())
    return found
