"""The append-only log on files: stage a batch, sign it, recover from a kill at any write.

A batch is fixed by its journal, `output/log/.batch.json`, which is written in one step before anything else. Every
later write is a function of the journal and the queue, so doing it again gives the same bytes: recovery is the normal
path. The order is: journal, records, entry bundles, tiles (staged) | proofs, kept checkpoint, `checkpoint` (signed),
queue emptied, journal removed. A staged batch that was never signed can be discarded; a signed one cannot.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from generator.base import canonical, files
from generator.base.errors import LogError, RecordError
from generator.base.values import Faults, read
from generator.log import merkle
from generator.log.anchors.folder import unlogged
from generator.log.archive import BESIDE, WAITING, current, queued, read_findings, read_judgement, record_path, tiles
from generator.log.entries import MAX_BYTES, Dated, Disclosed, Entry, Superseded
from generator.log.ledger import Ledger
from generator.log.left_out import to_log
from generator.log.note import Checkpoint, SigningKey
from generator.log.proof import Proof
from generator.log.superseding import succession
from generator.log.tiles import Tiles, new_tiles
from generator.record.record import Record

JOURNAL = ".batch.json"
SET_ASIDE = "set-aside"  # what could not enter the log, below output/
MOST_AHEAD_SECONDS = 60  # so much may the clock of the machine that drafted be fast


@dataclass(frozen=True, slots=True)
class Queued:
    """A disclosure of a batch, and the name of its file in the queue."""

    serial: int
    name: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that follow the first `start` leaves, and the disclosures among them; the journal holds its members."""

    origin: str
    start: int
    entries: tuple[str, ...]
    queue: tuple[Queued, ...]

    @property
    def size(self) -> int:
        return self.start + len(self.entries)

    @property
    def serials(self) -> tuple[int, ...]:
        return tuple(one.serial for one in self.queue)


def staged(output: Path) -> Batch | None:
    """The batch that is staged and not finished, if there is one."""
    path = output / "log" / JOURNAL
    if not path.exists():
        return None
    try:
        batch: Batch = read(Batch, canonical.loads(files.read(path, "the journal")))
        return batch
    except (RecordError, Faults) as error:
        raise LogError(f"{path}: the journal is damaged: {error}") from error


def stage_queue(
    output: Path, origin: str, known: Ledger, *, now: str, report: Callable[[str], None] = lambda _: None
) -> Batch | None:
    """Stage everything in the queue for the log `origin`, which says `known`, and the lists of what runs left out.

    None when there is nothing.
    What cannot enter the log at the time `now` is set aside with its reason, which is reported; the rest goes on. With
    the records go the digests of what others have said of earlier checkpoints and no entry names yet.
    """
    with _lock(output):
        entries: list[Entry] = []
        joined: list[Superseded] = []
        names = []
        for path in queued(output):
            data = files.read(path, "a queued record")
            entry = Disclosed(hashlib.sha256(data).hexdigest(), len(data))
            if entry in entries:  # the same bytes under two names: the first one goes into the log
                path.unlink()
                continue
            try:
                _require_whole(path, data, now)
                joined += succession(path.with_suffix(WAITING[-1]), known, known.size + len(entries), joined)
            except (RecordError, LogError) as error:
                _set_aside(output, path, str(error), report)
                continue
            entries.append(entry)
            names.append(path.name)
        entries += [*joined, *to_log(output, known, report)]
        entries += unlogged(output / "log", known) if entries else ()
        return _stage(output, origin, entries, names) if entries else None


def _require_whole(path: Path, data: bytes, now: str) -> None:
    """The record, its findings and its judgement can be read, and the record was made by `now`."""
    record = Record.from_bytes(data)
    read_findings(path.with_suffix(BESIDE[0]))
    read_judgement(path.with_suffix(BESIDE[1]), Ledger())
    ahead = (datetime.fromisoformat(record.created_at) - datetime.fromisoformat(now)).total_seconds()
    if ahead > MOST_AHEAD_SECONDS:
        raise RecordError(f"record.created_at: {record.created_at} lies in the future; it is {now}")


def _set_aside(output: Path, path: Path, reason: str, report: Callable[[str], None]) -> None:
    """Out of the queue, with the reason beside it. The record goes first: without it nothing of the rest counts."""
    folder = output / SET_ASIDE
    files.write(folder / f"{path.stem}.reason.txt", f"{reason}\n".encode())
    for suffix in (".json", *WAITING):
        if path.with_suffix(suffix).exists():
            path.with_suffix(suffix).replace(folder / path.with_suffix(suffix).name)
    report(f"append: {path.name} is set aside in {folder}: {reason}")


def stage_published(
    output: Path, origin: str, known: Ledger, time: str, leaves: Iterable[int], *, replaces: int | None = None
) -> Batch:
    """Stage the entry that dates `leaves`. Raises LogError for a leaf that is dated already or is no disclosure."""
    wanted = sorted(set(leaves))
    dated = Ledger((*known.entries, Dated(time, (), replaces))).dated
    for leaf in wanted:
        if known.disclosure(leaf) is None:
            raise LogError(f"leaf {leaf} of the log is not a disclosure and cannot be published")
        if leaf in dated:
            raise LogError(f"disclosure {leaf} was published at {dated[leaf]}; a publication time never changes")
        data = files.read(record_path(output, leaf), "a logged record")
        if (created := Record.from_bytes(data).created_at) > time:
            raise LogError(
                f"disclosure {leaf} was made at {created}, after {time}: it cannot be published then",
                hint="Set this machine's clock; nothing was signed.",
            )
    if not wanted:
        raise LogError("there is nothing to publish: every disclosure in the log has its publication time")
    return stage_entries(output, origin, [Dated(time, tuple(_ranges(wanted, known)), replaces)])


def stage_entries(output: Path, origin: str, entries: list[Entry]) -> Batch:
    """Stage entries that bring no record with them."""
    with _lock(output):
        return _stage(output, origin, entries, [])


def commit(output: Path, key: SigningKey) -> Checkpoint:
    """Sign the staged batch and finish it. Without a staged batch: the newest checkpoint, unchanged."""
    with _lock(output):
        return _commit(output, key)


def discard(output: Path) -> None:
    """Drop a staged batch that was never signed; its records stay in the queue."""
    with _lock(output):
        batch = staged(output)
        if batch is None:
            return
        before = current(output)
        if before is not None and before.size > batch.start:
            raise LogError(f"the batch at {batch.start} is signed already and cannot be discarded")
        for path in (*_tile_files(output, batch), *_record_files(output, batch)):
            path.unlink(missing_ok=True)
        _remove_leftovers(output, batch)
        (output / "log" / JOURNAL).unlink()


def _stage(output: Path, origin: str, entries: list[Entry], names: list[str]) -> Batch:
    if staged(output) is not None:
        raise LogError("a batch is staged already", hint="Finish it with: prior-art append")
    before = current(output)
    if before is not None and before.origin != origin:
        raise LogError(
            f"the log in {output} is {before.origin}, the key signs for {origin}", hint="Use the key of this log."
        )
    start = before.size if before else 0
    texts = [str(entry) for entry in entries]
    if any(len(text) > MAX_BYTES for text in texts):
        raise LogError(f"a log entry has more than {MAX_BYTES} bytes")
    serials = [start + n for n, entry in enumerate(entries) if isinstance(entry, Disclosed)]
    batch = Batch(origin, start, tuple(texts), tuple(map(Queued, serials, names)))
    files.write(output / "log" / JOURNAL, canonical.dumps(asdict(batch)))
    _write_staged(output, batch)
    return batch


def _write_staged(output: Path, batch: Batch) -> None:
    written = []
    for one in batch.queue:
        path = output / "queue" / one.name
        data = files.read(path, "a queued record")
        entry = Disclosed(hashlib.sha256(data).hexdigest(), len(data))
        if str(entry) != batch.entries[one.serial - batch.start]:
            raise LogError(f"{path}: changed after it was staged as leaf {one.serial}")
        written.append(_write(record_path(output, one.serial), data))
        for suffix in BESIDE:
            if (beside := path.with_suffix(suffix)).exists():
                written.append(_write(record_path(output, one.serial, suffix), beside.read_bytes()))
    written += [_write(output / "log" / path, data) for path, data in _new_tiles(output, batch)]
    files.settle(written, output)


def _write(path: Path, data: bytes) -> Path:
    """A file of a batch that is not signed yet: what an interrupted try left of it is written again."""
    if not path.exists() or path.read_bytes() != data:
        files.write(path, data, durable=False)
    return path


def _new_tiles(output: Path, batch: Batch) -> Iterator[tuple[str, bytes]]:
    return new_tiles(tiles(output, batch.start), [text.encode("ascii") for text in batch.entries])


def _commit(output: Path, key: SigningKey) -> Checkpoint:
    batch, before = staged(output), current(output)
    if batch is None:
        if before is None:
            raise LogError("the log is empty: there is nothing to sign", hint="Write some: prior-art generate")
        return before
    if batch.origin != key.name:
        raise LogError(f"the batch belongs to {batch.origin}, the key signs for {key.name}")
    if before is None or before.size == batch.start:
        _write_staged(output, batch)
        tree = tiles(output, batch.size)
        checkpoint = Checkpoint(batch.origin, batch.size, merkle.root(tree.nodes, batch.size))
        _prove_extension(before, tree, checkpoint)
        note = key.sign(checkpoint.body)
        written = [_write(output / "log" / "checkpoints" / str(batch.size), note.encode())]
        for serial in batch.serials:
            proof = Proof(serial, merkle.inclusion_proof(tree.nodes, serial, batch.size), note)
            written.append(_write(record_path(output, serial, ".proof"), proof.text.encode()))
        files.settle(written, output)
        files.write(output / "log" / "checkpoint", note.encode())
    elif before.size != batch.size:
        raise LogError(
            f"the log has {before.size} leaves, the journal would bring it from {batch.start} to {batch.size}"
        )
    for one in batch.queue:
        for suffix in (".json", *WAITING):
            (output / "queue" / one.name).with_suffix(suffix).unlink(missing_ok=True)
    _remove_leftovers(output, batch)
    (output / "log" / JOURNAL).unlink()
    after = current(output)
    if after is None:
        raise LogError(f"{output}: the checkpoint vanished while it was written")
    return after


def _prove_extension(before: Checkpoint | None, tree: Tiles, checkpoint: Checkpoint) -> None:
    """Never sign a tree that does not begin with the one that was signed before."""
    if before is None:
        return
    proof = merkle.consistency_proof(tree.nodes, before.size, checkpoint.size)
    try:
        merkle.check_consistency(before.size, checkpoint.size, before.root, checkpoint.root, proof)
    except ValueError as error:
        raise LogError(
            f"the files of the log do not continue its checkpoint of size {before.size}: {error}",
            hint="A tile was damaged. Restore output/log from the publication branch; nothing was signed.",
        ) from error


def _tile_files(output: Path, batch: Batch) -> list[Path]:
    return [output / "log" / path for path, _ in _new_tiles(output, batch)]


def _remove_leftovers(output: Path, batch: Batch) -> None:
    """Remove what a kill left of a write that had not yet replaced its file, in the folders of this batch."""
    log, written = output / "log", (*_tile_files(output, batch), *_record_files(output, batch))
    for folder in {log, log / "checkpoints", *(path.parent for path in written)}:
        for torn in folder.glob(f"{files.TEMPORARY}*"):
            torn.unlink(missing_ok=True)


def _record_files(output: Path, batch: Batch) -> list[Path]:
    return [record_path(output, serial, suffix) for serial in batch.serials for suffix in (".json", *BESIDE, ".proof")]


def _ranges(leaves: list[int], known: Ledger) -> Iterator[tuple[int, int]]:
    """First and last of each run of `leaves`; entries that are no disclosures do not end a run."""
    first = last = leaves[0]
    for leaf in leaves[1:]:
        if any(isinstance(entry, Disclosed) for entry in known.entries[last + 1 : leaf]):
            yield first, last
            first = leaf
        last = leaf
    yield first, last


def _lock(output: Path) -> AbstractContextManager[None]:
    """One appender at a time, also across processes."""
    busy = "another process is appending to this log"
    return files.lock(output / "log" / ".lock", busy, lambda _: None, wait_seconds=60)
