"""The read side of `output/`: records with their place in the log, for pages, site, search and publishing."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from generator.base import canonical, files
from generator.base.errors import LogError, RecordError
from generator.base.values import Faults, read
from generator.log import merkle
from generator.log.entries import Disclosed, parse_entry
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint
from generator.log.proof import Proof
from generator.log.tiles import Tiles
from generator.record.disclosure import Finding, Severity
from generator.record.judgement import Judgement
from generator.record.record import Record

VOLUME = 8192
BUNDLE = 256
BESIDE = (".findings.json", ".judgement.json")  # what checks and gates said, beside the record, in the queue as well
WAITING = (*BESIDE, ".supersedes.json")  # what may lie beside a record in the queue


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """A record in the log. `published_at` is empty while it is not yet published; `proof` is its .proof file's text.

    Records of versions before 0.3 have no judgement. `superseded_by` and `supersedes` are serials of other disclosures.
    `dated_by` is the index of the log's entry that holds the publication time.
    """

    serial: int
    data: bytes
    record: Record
    proof: str
    checkpoint_size: int
    published_at: str
    findings: tuple[Finding, ...]
    judgement: Judgement | None = None
    superseded_by: int | None = None
    supersedes: int | None = None
    dated_by: int | None = None

    @property
    def volume(self) -> int:
        return self.serial // VOLUME


def own(serial: int) -> str:
    """How a judgement names a disclosure of this log."""
    return f"#{serial}"


def unnumbered(record_sha256: str) -> str:
    """How a judgement names a disclosure that has no serial number yet; once it has one, it is read as `own`."""
    return f"sha256:{record_sha256}"


def record_path(output: Path, serial: int, suffix: str = ".json") -> Path:
    """Where the files of a disclosure lie; folders stay below 1,000 files, as git hosts ask for."""
    return output / "records" / str(serial // VOLUME) / str(serial // BUNDLE) / f"{serial}{suffix}"


def current(output: Path) -> Checkpoint | None:
    """The newest signed checkpoint, or None for a log that has not begun."""
    path = output / "log" / "checkpoint"
    return Checkpoint.parse(files.read(path, "the checkpoint").decode("utf-8", "replace")) if path.exists() else None


def tiles(output: Path, size: int) -> Tiles:
    """The tree of the first `size` leaves of the log in `output`."""
    folder = output / "log"

    def read(path: str) -> bytes | None:
        return (folder / path).read_bytes() if (folder / path).is_file() else None

    return Tiles(read, size)


def read_ledger(output: Path, known: Ledger | None = None) -> Ledger:
    """What the log says under its newest checkpoint; of a log that continues `known`, only the new entries are read."""
    checkpoint = current(output)
    if checkpoint is None:
        return Ledger()
    if known and known.checkpoint == checkpoint:
        return known
    tree = tiles(output, checkpoint.size)
    begun = known.entries if known and known.checkpoint and _continues(tree, known.checkpoint) else ()
    return Ledger((*begun, *(parse_entry(data) for _, data in tree.entries(len(begun)))), checkpoint)


def _continues(tree: Tiles, before: Checkpoint) -> bool:
    return before.size <= tree.size and merkle.root(tree.nodes, before.size) == before.root


def confirmed(output: Path) -> frozenset[int]:
    """Indices of the `published` entries whose deploy has a receipt."""
    names = (path.stem for path in (output / "log" / "deploys").glob("*.json"))
    return frozenset(int(name) for name in names if re.fullmatch("[0-9]{1,15}", name))


def volumes(ledger: Ledger) -> tuple[int, ...]:
    """Numbers of the volumes that hold at least one disclosure, oldest first."""
    return tuple(sorted({n // VOLUME for n, entry in enumerate(ledger.entries) if isinstance(entry, Disclosed)}))


def read_volume(output: Path, volume: int, ledger: Ledger) -> Iterator[LoggedRecord]:
    """Every disclosure of a volume that is not withdrawn, by serial. Raises LogError where facts contradict the log."""
    for serial, entry in ledger.served(volume * VOLUME, (volume + 1) * VOLUME):
        yield _logged(output, serial, entry, ledger)


def _logged(output: Path, serial: int, entry: Disclosed, ledger: Ledger) -> LoggedRecord:
    path = record_path(output, serial)
    data = files.read(path, "a logged record")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise LogError(
            f"{path}: not the record that entry {serial} of the log names", hint="Run: prior-art verify output"
        )
    proof = files.read(record_path(output, serial, ".proof"), "the proof of a logged record").decode("utf-8", "replace")
    return LoggedRecord(
        serial=serial,
        data=data,
        record=Record.from_bytes(data),
        proof=proof,
        checkpoint_size=Proof.parse(proof).checkpoint.size,
        published_at=ledger.dated.get(serial, ""),
        findings=read_findings(record_path(output, serial, ".findings.json")),
        judgement=read_judgement(record_path(output, serial, ".judgement.json"), ledger),
        superseded_by=ledger.successor_of.get(serial),
        supersedes=ledger.predecessor_of.get(serial),
        dated_by=ledger.dated_by.get(serial),
    )


@dataclass(frozen=True, slots=True)
class _Remark:
    """A finding as it is kept: claim 0 is the whole text."""

    check: str
    severity: Severity
    claim: int
    message: str


def read_findings(path: Path) -> tuple[Finding, ...]:
    """Raises LogError for a damaged file; one that is not there has none."""
    if not path.exists():
        return ()
    try:
        found: tuple[_Remark, ...] = read(tuple[_Remark, ...], canonical.loads(path.read_bytes()), "findings")
        return tuple(Finding(one.check, one.severity, one.claim or None, one.message) for one in found)
    except (RecordError, Faults) as error:
        raise LogError(f"{path}: the findings are damaged: {error}") from error


def read_judgement(path: Path, ledger: Ledger) -> Judgement | None:
    """With the serial numbers that other disclosures have got since."""
    if not path.exists():
        return None
    try:
        found = Judgement.from_bytes(path.read_bytes())
        run_in, similar_to = (_number(name, ledger) for name in (found.copying.run_in, found.copying.similar_to))
        near = tuple(replace(one, number=_number(one.number, ledger)) for one in found.neighbours)
        return replace(found, copying=replace(found.copying, run_in=run_in, similar_to=similar_to), neighbours=near)
    except RecordError as error:
        raise LogError(f"{path}: the judgement is damaged: {error}", hint="Restore it from the facts.") from error


def _number(name: str, ledger: Ledger) -> str:
    serial = ledger.serials.get(name.removeprefix(unnumbered("")))
    return name if serial is None or not name.startswith(unnumbered("")) else own(serial)


def queued(output: Path) -> list[Path]:
    """Records that wait for the log, in the order in which they will enter it."""
    return sorted(path for path in (output / "queue").glob("*.json") if not path.name.endswith(WAITING))
