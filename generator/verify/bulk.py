"""Bulk files back into a publication: everything is rebuilt beside it, verified there, and only then put in its place.

Nothing that stands in `output` is overwritten but the newest checkpoint and views; the checkpoint comes last. So the
same command goes on after a kill anywhere, and what does not verify changes nothing.
"""

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError, VerificationError
from generator.log import archive, bulk
from generator.log.append import JOURNAL
from generator.log.entries import Disclosed, parse_entry
from generator.log.note import Checkpoint, VerificationKey
from generator.log.tiles import Tiles, new_tiles
from generator.verify.audit import Step
from generator.verify.continuity import consistent, signed
from generator.verify.folder import audit_folder
from generator.verify.sources import reader

WORK = "work/bulk"  # below output/: what was fetched, and what is rebuilt of it
REPLACED = ("log/checkpoint", "report.json", "selftest.json", "mark.svg")
AGAIN = "Fetch the file again, or take another copy of it. Nothing was changed here."
Fetch = Callable[[str, int], bytes | None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where bulk files are read from: an address or a folder. `fetch` reads a URL of at most so many bytes."""

    place: str
    kept: Path
    fetch: Fetch
    report: Callable[[str], None]

    def manifest(self) -> bulk.Manifest:
        where = f"{self.place}: {bulk.MANIFEST}"
        return bulk.Manifest.parse(self._read(bulk.MANIFEST, bulk.MAX_MANIFEST), where)

    def lines(self, part: bulk.Part) -> Iterator[bytes]:
        """The lines of a file whose bytes are those that the manifest names."""
        return bulk.read_lines(io.BytesIO(self._whole(part)), part.name, part.lines)

    def _whole(self, part: bulk.Part) -> bytes:
        place = self.kept / part.name
        remote = "://" in self.place
        if remote and place.is_file() and _fault(known := files.read_some(place, "a bulk file", bulk.MAX_FILE), part):
            place.unlink()  # of an earlier state of the publication, or torn
        elif remote and place.is_file():
            return known
        data = self._read(part.name, part.bytes)
        if fault := _fault(data, part):
            raise PressError(f"{self.place}: {part.name}: {fault}", hint=AGAIN)
        if remote:
            files.write(place, data)
            self.report(f"fetch-bulk: {part.name}, {len(data):,} bytes")
        return data

    def _read(self, name: str, limit: int) -> bytes:
        if "://" not in self.place:
            return files.read_some(Path(self.place) / name, "a bulk file", limit)
        data = self.fetch(f"{self.place.rstrip('/')}/{name}", limit)
        if data is None:
            raise PressError(f"{self.place.rstrip('/')}/{name}: the server has no such file", hint="Check the address.")
        return data


def _fault(data: bytes, part: bulk.Part) -> str:
    if len(data) != part.bytes:
        return f"it has {len(data):,} bytes, the manifest says {part.bytes:,}"
    same = hashlib.sha256(data).hexdigest() == part.sha256
    return "" if same else "its SHA-256 is not the one that the manifest names"


def restore(
    place: str, output: Path, key: VerificationKey, *, fetch: Fetch, report: Callable[[str], None]
) -> Generator[Step, None, bulk.Manifest]:
    """Verify the bulk files at `place` and bring them into `output`, which is empty or holds a beginning of their log.

    Raises PressError for what cannot be used, VerificationError for what does not verify. Gives the manifest.
    """
    work = output / WORK
    source = Source(place, work / "files", fetch, report)
    manifest = source.manifest()
    note = manifest.checkpoint
    try:
        signed(note, key, bulk.MANIFEST)
    except VerificationError as error:
        raise PressError(f"{place}: {error}", hint="Check the address and the verification key.") from error
    newest = Checkpoint.parse(note)
    yield Step("checkpoint", f"{newest.origin}, size {newest.size}, signed by the pinned key")
    busy = "another process is appending to this log"
    with files.lock(output / "log" / ".lock", busy, report, wait_seconds=60):
        before = _before(output, newest)
        fresh = work / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        _rebuild(source, manifest, fresh, newest.size)
        yield Step("files", f"{len(manifest.files)} files have the sizes and SHA-256 that the manifest names")
        yield from audit_folder(fresh, fresh / "log", key)
        if before is not None:
            yield consistent(reader(fresh / "log"), key, before, "the log that was here")
        placed = _place(fresh, output)
        yield Step("placed", f"{placed} files are new in {output}")
    shutil.rmtree(work, ignore_errors=True)
    return manifest


def _before(output: Path, newest: Checkpoint) -> str | None:
    """The checkpoint of the log that stands in `output`. Raises PressError where the bulk files cannot continue it."""
    if (output / "log" / JOURNAL).exists():
        raise PressError(f"{output}: a batch is staged and not signed", hint="Finish it first: prior-art append")
    if any((output / "queue").glob("*.json")):
        raise PressError(f"{output}: records wait in the queue", hint="A mirror has no queue: choose another --root.")
    here = archive.current(output)
    if here is None:
        return None
    if here.origin != newest.origin:
        raise PressError(f"{output}: it holds the log {here.origin}, the bulk files {newest.origin}",
                         hint="Choose another folder with --root.")  # fmt: skip
    if here.size > newest.size:
        raise PressError(
            f"{output}: its log has {here.size} entries, the bulk files have only {newest.size}",
            hint="They are older than what is here; nothing was changed.",
        )
    return (output / "log" / "checkpoint").read_text(encoding="utf-8")


def _rebuild(source: Source, manifest: bulk.Manifest, fresh: Path, size: int) -> None:
    """Records, log and what stands beside them, in the empty folder `fresh`."""
    entries: list[bytes] = []
    for part in manifest.files[:-1]:
        if len(entries) != part.volume_start:
            raise PressError(f"{source.place}: {part.name}: the volume before it is not whole", hint=AGAIN)
        for line in source.lines(part):
            entries.append(_restored(line, len(entries), fresh, f"{source.place}: {part.name}"))
    if len(entries) != size:
        raise PressError(f"{source.place}: the files hold {len(entries)} entries, the checkpoint {size}", hint=AGAIN)
    sizes = []
    for line in source.lines(manifest.files[-1]):
        try:
            fact = bulk.Fact.parse(line)
        except (ValueError, RecursionError) as error:
            raise PressError(f"{source.place}: {bulk.FACTS}: {error}", hint=AGAIN) from error
        files.write(fresh / fact.path, fact.data, durable=False)
        if fact.path.startswith("log/checkpoints/"):
            sizes.append(int(fact.path.rpartition("/")[2]))
    log = fresh / "log"
    for start, end in zip([0, *sorted(sizes)], sorted(sizes), strict=False):
        # Tile by tile as the batches wrote them: partial tiles of earlier checkpoints are part of the log, too.
        for path, data in list(new_tiles(Tiles(reader(log), start), entries[start:end])):
            files.write(log / path, data, durable=False)
    files.write(log / "checkpoint", manifest.checkpoint.encode(), durable=False)


def _restored(line: bytes, index: int, fresh: Path, where: str) -> bytes:
    """Write the files of an entry; its bytes."""
    try:
        item = bulk.Item.parse(line)
        entry = parse_entry(item.entry.encode())
        if item.index != index:
            raise ValueError(f"it is of entry {item.index}")
        names = {suffix for suffix, _ in item.files}
        if names and not (isinstance(entry, Disclosed) and {".json", ".proof"} <= names):
            raise ValueError("it is no disclosure with a record and a proof")
    except (LogError, ValueError, RecursionError) as error:
        raise PressError(f"{where}: the line of entry {index}: {error}", hint=AGAIN) from error
    for suffix, data in item.files:
        files.write(archive.record_path(fresh, index, suffix), data, durable=False)
    return item.entry.encode()


def _place(fresh: Path, output: Path) -> int:
    """Move what is not there yet; how many files. Raises PressError, before it moves any, where a fact differs."""
    names = sorted(path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file())
    new = []
    for name in names:
        target = output / name
        if not target.exists():
            new.append(name)
        elif target.read_bytes() != (fresh / name).read_bytes():
            if name not in REPLACED:
                raise PressError(f"{target}: another file stands there than in the bulk files; nothing was changed")
            new.append(name)
    try:
        if hasattr(os, "sync"):
            os.sync()  # one for all: the checkpoint may not outlive records that a power cut loses
        for name in sorted(new, key=lambda name: name == REPLACED[0]):
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(output / name)
    except OSError as error:
        raise PressError(
            f"{output}: cannot be written: {error.strerror}",
            hint="Free space or fix permissions, then run the same command again.",
        ) from error
    return len(new)
