"""Verification of everything in a folder, from the leaves up. Written without the code that appends."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, RecordError, VerificationError
from generator.log import merkle
from generator.log.archive import confirmed
from generator.log.entries import Disclosed, parse_entry
from generator.log.ledger import Ledger
from generator.log.meaning import fault
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.proof import Proof
from generator.log.tiles import WIDTH, Tiles, bundle_bytes, tile_path
from generator.record.record import Record


@dataclass(frozen=True, slots=True)
class Step:
    """A step of verification that holds."""

    name: str
    text: str


def audit_log(folder: Path, key: VerificationKey) -> Generator[Step, None, Ledger]:
    """Entries give tiles, tiles give the root, the root is signed, every kept checkpoint is a beginning of it.

    Returns what the log says.
    """
    log = folder / "log"
    newest, checkpoint = _note(log / "checkpoint", key)
    yield Step("checkpoint", f"{checkpoint.origin}, size {checkpoint.size}, signed by the pinned key")
    entries, ledger = _entries(log, checkpoint)
    rows = _rows([merkle.leaf_hash(entry) for entry in entries])
    if _root(rows, checkpoint.size) != checkpoint.root:
        raise VerificationError("log: the entries do not give the root of the checkpoint")
    yield Step("entries", f"{len(entries)} entries give the root of the checkpoint")
    if problem := fault(ledger, confirmed(folder)):
        raise VerificationError(f"meaning: {problem}")
    yield Step("meaning", "each entry names what is there, and times only grow")
    expected = {"checkpoint", "vkey", ".lock"}
    count = _audit_tiles(log, entries, rows, expected)
    yield Step("tiles", f"{count} tiles and entry bundles hold exactly these entries and their hashes")
    kept = sorted((log / "checkpoints").iterdir(), key=lambda p: (len(p.name), p.name))
    for path in kept:
        note, older = _note(path, key)
        if path.name != str(older.size) or older.size > checkpoint.size:
            raise VerificationError(f"checkpoints/{path.name}: it is of size {older.size}")
        if _root(rows, older.size) != older.root:
            raise VerificationError(f"checkpoints/{path.name}: it is no beginning of the newest one")
        if older.size == checkpoint.size and note != newest:
            raise VerificationError(f"checkpoints/{path.name}: it differs from the newest checkpoint")
    if not kept or kept[-1].name != str(checkpoint.size):
        raise VerificationError(f"checkpoints/{checkpoint.size}: the newest checkpoint is not among those kept")
    yield Step("consistency", f"all {len(kept)} kept checkpoints are beginnings of the newest one")
    vkey = log / "vkey"
    if vkey.exists() and vkey.read_text(encoding="utf-8", errors="replace") != key.text + "\n":
        raise VerificationError("vkey: the key that the site shows is not the pinned one")
    return ledger


def audit_records(folder: Path, ledger: Ledger) -> Iterator[Step]:
    """Every disclosure of the log has its record and its proof, and nothing else lies there."""
    places = record_places(folder)
    kept = {p.name: files.read(p, "a checkpoint") for p in (folder / "log" / "checkpoints").iterdir()}
    count = 0
    for serial, entry in enumerate(ledger.entries):
        path = places.pop(serial, None)
        if not isinstance(entry, Disclosed):
            if path is not None:
                raise VerificationError(f"record: {path.name}: entry {serial} of the log is no disclosure")
            continue
        if path is None:
            if serial in ledger.withdrawn:
                continue
            raise VerificationError(f"record: disclosure {serial} is in the log, but its record is missing")
        _audit_record(path, serial, entry, str(entry).encode(), kept)
        count += 1
    if places:
        raise VerificationError(f"record: {min(places.values())} is not in the log")
    yield Step("records", f"{count} records are canonical and are those that the log names")
    yield Step("proofs", f"{count} proofs lead to a signed checkpoint")


def _audit_record(path: Path, serial: int, entry: Disclosed, leaf: bytes, kept: dict[str, bytes]) -> None:
    data = files.read(path, "a record")
    try:
        Record.from_bytes(data)
    except RecordError as error:
        raise VerificationError(f"record: {path}: {error}") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256 or len(data) != entry.size:
        raise VerificationError(f"record: {path}: not the bytes that entry {serial} of the log names")
    try:
        raw = files.read(path.with_suffix(".proof"), "a proof")
        proof = Proof.parse(raw.decode("utf-8", "replace"))
        checkpoint = proof.checkpoint
        root = merkle.root_from_inclusion(merkle.leaf_hash(leaf), proof.index, checkpoint.size, proof.hashes)
    except (LogError, ValueError) as error:
        raise VerificationError(f"proof: {path.with_suffix('.proof')}: {error}") from error
    if proof.index != serial or root != checkpoint.root:
        raise VerificationError(
            f"proof: {path.with_suffix('.proof')}: it does not lead from entry {serial} to the root"
        )
    if kept.get(str(checkpoint.size)) != proof.note.encode():
        raise VerificationError(f"proof: {path.with_suffix('.proof')}: its checkpoint is not the one that was kept")


def record_places(folder: Path) -> dict[int, Path]:
    """Record files by serial, in the layout of output/ or of a site."""
    base = folder / "records" if (folder / "records").is_dir() else folder / "d"
    return {int(path.stem): path for path in base.rglob("*.json") if path.stem.isdecimal()}


def _note(path: Path, key: VerificationKey) -> tuple[str, Checkpoint]:
    note = files.read(path, "a checkpoint").decode("utf-8", "replace")
    try:
        checkpoint = Checkpoint.parse(note)
        if checkpoint.origin != key.name:
            raise VerificationError(f"{path.name}: it is of the log {checkpoint.origin}, the key of {key.name}")
        check_signature(note, key)
    except LogError as error:
        raise VerificationError(f"{path.name}: {error}") from error
    return note, checkpoint


def _entries(log: Path, checkpoint: Checkpoint) -> tuple[list[bytes], Ledger]:
    try:
        tree = Tiles(lambda path: (log / path).read_bytes() if (log / path).is_file() else None, checkpoint.size)
        entries = [data for _, data in tree.entries()]
        return entries, Ledger(tuple(map(parse_entry, entries)), checkpoint)
    except LogError as error:
        raise VerificationError(f"entries: {error}") from error


def _rows(leaves: list[bytes]) -> list[list[bytes]]:
    """Hashes of the complete subtrees, tile level by tile level."""
    rows = [leaves]
    while len(rows[-1]) >= WIDTH:
        below = rows[-1]
        rows.append([merkle.pair_up(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)])
    return rows


def _root(rows: list[list[bytes]], size: int) -> bytes:
    def nodes(level: int, index: int) -> bytes:
        span = 1 << level % 8
        return merkle.pair_up(rows[level // 8][index * span : (index + 1) * span])

    return merkle.root(nodes, size)


def _audit_tiles(log: Path, entries: list[bytes], rows: list[list[bytes]], expected: set[str]) -> int:
    """Every file of the log is one that these entries give, of this size or of an earlier one."""
    count = 0
    for path in sorted(p for p in (log / "tile").rglob("*") if p.is_file()):
        name = path.relative_to(log).as_posix()
        if not _tile_fits(name, path.read_bytes(), entries, rows):
            raise VerificationError(f"tiles: log/{name} does not hold what the entries give")
        count += 1
    for path in log.iterdir():
        if path.is_file() and path.name not in expected and not path.name.startswith("."):
            raise VerificationError(f"log: {path.name} has no place in a log")
    return count


def _tile_fits(name: str, data: bytes, entries: list[bytes], rows: list[list[bytes]]) -> bool:
    _, level, *rest = name.split("/")
    width = WIDTH
    if len(rest) > 1 and rest[-2].endswith(".p") and rest[-1].isdecimal():
        width, rest = int(rest[-1]), [*rest[:-2], rest[-2].removesuffix(".p")]
    digits = "".join(part.removeprefix("x") for part in rest)
    if not digits.isdecimal() or not 0 < width <= WIDTH:
        return False
    number = int(digits)
    if level == "entries":
        part = entries[number * WIDTH : number * WIDTH + width]
        return len(part) == width and data == bundle_bytes(part) and name == tile_path(level, number, width)
    if not level.isdecimal() or int(level) >= len(rows):
        return False
    row = rows[int(level)][number * WIDTH : number * WIDTH + width]
    return len(row) == width and data == b"".join(row) and name == tile_path(int(level), number, width)
