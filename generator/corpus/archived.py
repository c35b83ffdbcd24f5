"""Prints of what was published, kept per volume below `output/signatures/`: a view, deletable at any time.

A full volume is printed once and mapped from then on; the open one is brought up to date by its new records alone.
Each view is a folder `<volume>-<size>`: the log had `size` leaves when it was made.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.corpus.documents import Document, as_document, compared_words, gist
from generator.corpus.fingerprint_set import FingerprintSet
from generator.corpus.fingerprints import Fingerprint, family, fingerprint
from generator.corpus.passages import stems
from generator.log import archive
from generator.log.entries import Disclosed, parse_entry
from generator.log.tiles import Tiles
from generator.record.record import Record

FOLDER = "signatures"
FAMILY = "family"


def printed(document: Document) -> Fingerprint:
    """The fingerprint of what neighbours and copies of a disclosure are found by."""
    return fingerprint(compared_words(document), sorted(stems(gist(document))))


def volume_prints(output: Path) -> tuple[FingerprintSet, ...]:
    """The prints of every volume of the log, whose documents are serial numbers. Raises LogError for bad facts."""
    checkpoint = archive.current(output)
    if checkpoint is None:
        return ()
    tiles = archive.tiles(output, checkpoint.size)
    starts = range(0, checkpoint.size, archive.VOLUME)
    return tuple(_volume(output, tiles, start, min(start + archive.VOLUME, checkpoint.size)) for start in starts)


def published(output: Path, serial: int) -> Document | None:
    """A disclosure of the archive; None when its record is no longer there, as after a withdrawal."""
    path = archive.record_path(output, serial)
    if not path.is_file():
        return None
    return as_document(archive.own(serial), Record.from_bytes(path.read_bytes()).disclosure)


def _volume(output: Path, tiles: Tiles, start: int, end: int) -> FingerprintSet:
    views = output / FOLDER
    volume = start // archive.VOLUME
    done, prints = start, FingerprintSet.of(start, ())
    old = sorted(views.glob(f"{volume}-*"), key=lambda path: path.name)
    for path in old:
        view = _opened(path, start, end)
        if view is not None and start + len(view) > done:
            done, prints = start + len(view), view
    if done == end:
        return prints
    prints = prints.with_next(FingerprintSet.of(done, [_fingerprint(output, tiles, n) for n in range(done, end)]))
    _save(prints, views, f"{volume}-{end}")
    for path in old:
        shutil.rmtree(path, ignore_errors=True)  # what is mapped stays readable
    return prints


def _opened(path: Path, start: int, end: int) -> FingerprintSet | None:
    """The prints of a view, or None for one that another version or a damaged disk left: it is made anew."""
    try:
        if (path / FAMILY).read_text() != family():
            return None
        prints = FingerprintSet.open(path, start)
    except (OSError, ValueError):
        return None
    return prints if start + len(prints) <= end and path.name.endswith(f"-{start + len(prints)}") else None


def _fingerprint(output: Path, tiles: Tiles, serial: int) -> Fingerprint | None:
    """Of the disclosure at a leaf; None for leaves of other kinds and for withdrawn texts."""
    entry = parse_entry(tiles.entry(serial))
    path = archive.record_path(output, serial)
    if not isinstance(entry, Disclosed) or not path.is_file():
        return None
    data = files.read(path, "a logged record")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise LogError(
            f"{path}: not the record that entry {serial} of the log names", hint="Run: prior-art verify output"
        )
    return printed(as_document("", Record.from_bytes(data).disclosure))


def _save(prints: FingerprintSet, views: Path, name: str) -> None:
    """Make the view in a folder of its own, then name it: it is there whole or not at all."""
    scratch = views / name
    try:
        views.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=views, prefix=files.TEMPORARY))
        prints.save(scratch)
        (scratch / FAMILY).write_text(family())
        if not (views / name).exists():
            scratch.rename(views / name)
    except OSError as error:
        raise PressError(
            f"{views}: cannot be written: {error.strerror}", hint="Free space or fix permissions; deleting it is safe."
        ) from error
    finally:
        if scratch.name.startswith(files.TEMPORARY):
            shutil.rmtree(scratch, ignore_errors=True)
