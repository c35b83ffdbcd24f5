"""Disclosures of a publication from its own folder: `output/`, a site, or a folder of records without a log."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from generator.base.errors import CorpusError, LogError
from generator.corpus.documents import Document, Skipped
from generator.corpus.json_lines import document_of_record
from generator.log import archive
from generator.log.ledger import Ledger

_FOLDERS = ("records", "d")  # of output/ and of a site


def read_volumes(folder: Path, start: int) -> Iterator[tuple[int, Document | Skipped]]:
    """Every disclosure from serial `start` on, in order, each with the serial after its own.

    A disclosure is numbered by its place in the log, `<origin>#<serial>`, and dated by its publication. Without a log
    it is numbered by its SHA-256. Raises CorpusError where there is no record, or the log cannot be read.
    """
    ledger = _log(folder)
    origin = ledger.checkpoint.origin if ledger.checkpoint else ""
    found = False
    for serial, path in _records(_base(folder)):
        found = True
        if serial < start:
            continue
        data = path.read_bytes()
        place = path.relative_to(folder).as_posix()
        if not origin:
            yield serial + 1, document_of_record(data, place)
        elif (entry := ledger.disclosure(serial)) is None or entry.sha256 != hashlib.sha256(data).hexdigest():
            yield serial + 1, Skipped(place, f"not the record that entry {serial} of the log names")
        else:
            date = ledger.dated.get(serial, "")[:10]
            yield serial + 1, document_of_record(data, place, f"{origin}#{serial}", date)
    if not found:
        raise CorpusError(
            f"{folder}: there is no record in this folder",
            hint="Give a publication's output/, its site, a folder of records, or files one by one.",
        )


def volumes_sha256(folder: Path) -> str:
    """What the folder holds: the SHA-256 of its log's newest checkpoint, or of its records one after another."""
    checkpoint = folder / "log" / "checkpoint"
    if checkpoint.is_file():
        return hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for _, path in _records(_base(folder)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _base(folder: Path) -> Path:
    return next((folder / name for name in _FOLDERS if (folder / name).is_dir()), folder)


def _log(folder: Path) -> Ledger:
    try:
        return archive.read_ledger(folder)
    except LogError as error:
        raise CorpusError(f"{folder}: {error}", hint=f"Run: prior-art verify {folder}") from error


def _records(folder: Path) -> Iterator[tuple[int, Path]]:
    """Files named `<serial>.json` below `folder`, by serial where its folders are named by number, as volumes are."""
    inside = [path for path in folder.iterdir() if path.stem.isdecimal()]
    for path in sorted(inside, key=lambda path: int(path.stem)):
        if path.is_dir():
            yield from _records(path)
        elif path.suffix == ".json":
            yield int(path.stem), path
