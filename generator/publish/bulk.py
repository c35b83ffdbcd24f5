"""Writing bulk files: a function of the facts. A volume of which nothing changed is not read."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from generator import __version__
from generator.base import files
from generator.base.errors import LogError, PressError, RecordError
from generator.base.settings import Settings
from generator.log import archive, bulk
from generator.log.entries import Disclosed
from generator.log.ledger import Ledger

FOLDER = "bulk"  # below output/
HINT = "Restore it from the facts, then run: prior-art bulk"


def write(output: Path, settings: Settings, mark: Path | None, report: Callable[[str], None]) -> bulk.Manifest:
    """Bring the files in output/bulk up to the newest checkpoint; the manifest is written last.

    A text that is withdrawn leaves the file of its volume. `mark` is the file of the site's mark. Raises PressError,
    LogError where facts contradict the log.
    """
    ledger = archive.read_ledger(output)
    if ledger.checkpoint is None:
        raise LogError(f"{output}: the log is empty: there is nothing to write", hint="Write some: prior-art append")
    folder = output / FOLDER
    known = _known(folder)
    parts = []
    for number in range((ledger.size - 1) // archive.VOLUME + 1):
        name, source = f"volume-{number}.jsonl.zst", _source(ledger, number)
        part = known.get(name)
        if part is None or part.source != source:
            part = bulk.write_lines(folder / name, _lines(output, ledger, number), source)
            report(f"bulk: {name}, {part.lines} entries, {part.bytes:,} bytes")
        parts.append(part)
    facts = [fact.to_line() for fact in _facts(output, mark, ledger)]
    parts.append(bulk.write_lines(folder / bulk.FACTS, facts, hashlib.sha256(b"\n".join(facts)).hexdigest()))
    shown = {name: getattr(settings, name) for name in bulk.SETTINGS}
    note = files.read(output / "log" / "checkpoint", "the checkpoint").decode()
    manifest = bulk.Manifest(bulk.SCHEMA, note, shown, __version__, tuple(parts))
    try:
        data = manifest.to_bytes()
    except RecordError as error:
        raise PressError(f"{folder / bulk.MANIFEST}: the settings cannot stand in it: {error}") from error
    files.write(folder / bulk.SUMS, manifest.sums)
    files.write(folder / bulk.MANIFEST, data)
    return manifest


def _known(folder: Path) -> dict[str, bulk.Part]:
    """The files of the last manifest that are there as it names them; a damaged manifest names none."""
    try:
        manifest = bulk.Manifest.parse((folder / bulk.MANIFEST).read_bytes(), "the last manifest")
    except (OSError, PressError):
        return {}
    return {p.name: p for p in manifest.files if (place := folder / p.name).is_file() and _same(place, p)}


def _same(place: Path, part: bulk.Part) -> bool:
    return place.stat().st_size == part.bytes and hashlib.sha256(place.read_bytes()).hexdigest() == part.sha256


def _span(ledger: Ledger, number: int) -> range:
    return range(number * archive.VOLUME, min((number + 1) * archive.VOLUME, ledger.size))


def _source(ledger: Ledger, number: int) -> str:
    """A digest of the entries of a volume, and of which texts are withdrawn: all else is written once."""
    digest = hashlib.sha256(bulk.SCHEMA.encode())
    for index in _span(ledger, number):
        digest.update(f"{ledger.entries[index]}{' withdrawn' * (index in ledger.withdrawn)}\n".encode())
    return digest.hexdigest()


def _lines(output: Path, ledger: Ledger, number: int) -> Iterator[bytes]:
    for index in _span(ledger, number):
        entry = ledger.entries[index]
        served = isinstance(entry, Disclosed) and index not in ledger.withdrawn
        yield bulk.Item(index, str(entry), tuple(_beside(output, index, entry)) if served else ()).to_line()


def _beside(output: Path, serial: int, entry: object) -> Iterator[tuple[str, bytes]]:
    """The files of a disclosure as they lie. What cannot stand in a line as it is, is damaged."""
    for suffix in bulk.MEMBERS:
        path = archive.record_path(output, serial, suffix)
        if suffix in archive.BESIDE and not path.exists():
            continue
        data = files.read(path, "a file of a logged record")
        if suffix == ".json" and hashlib.sha256(data).hexdigest() != getattr(entry, "sha256", ""):
            raise LogError(f"{path}: not the record that entry {serial} of the log names", hint=HINT)
        try:
            same = suffix == ".proof" or bulk.plain(json.loads(data)) == data
            data.decode()
        except ValueError:
            same = False
        if not same:
            raise LogError(f"{path}: damaged: it is not canonical JSON", hint=HINT)
        yield suffix, data


def _facts(output: Path, mark: Path | None, ledger: Ledger) -> Iterator[bulk.Fact]:
    """What stands beside the records; the mark as mark.svg."""
    for name, path in [*_named(output, ledger), *([("mark.svg", mark)] if mark else [])]:
        if not bulk.is_fact(name):
            raise PressError(f"{path}: a file of this name cannot stand in bulk files", hint="Move it elsewhere.")
        yield bulk.Fact(name, files.read(path, "a fact"))


def _named(output: Path, ledger: Ledger) -> Iterator[tuple[str, Path]]:
    for pattern in ("log/anchors/*/*", "log/checkpoints/*", "log/deploys/*", "log/roots/*", "readings/*",
                    "report.json", "runs/*.json", "selftest.json"):  # fmt: skip
        for path in sorted(output.glob(pattern)):
            ahead = pattern == "log/checkpoints/*" and path.name.isdecimal() and int(path.name) > ledger.size
            if path.is_file() and not path.name.startswith(".") and not ahead:  # ahead: a batch is being signed
                yield path.relative_to(output).as_posix(), path
