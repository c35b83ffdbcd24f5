"""Verification of a log, from the leaves up. Written without the code that appends."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import LogError, RecordError, VerificationError
from generator.log import merkle
from generator.log.archive import confirmed
from generator.log.entries import Dated, Disclosed, Entry, parse_entry
from generator.log.ledger import Ledger
from generator.log.meaning import fault
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.tiles import WIDTH, Tiles, bundle_bytes, tile_path
from generator.verify.sources import MAX_TILE, reader, text_of

MAX_NOTE = 1 << 20
MAX_RECEIPT = 1 << 20
NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
PARTS = ("anchors", "checkpoint", "checkpoints", "deploys", "roots", "tile", "vkey")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of verification that holds; or, where not `holds`, a remark on what was not checked."""

    name: str
    text: str
    holds: bool = True


def audit_log(folder: Path, key: VerificationKey, log: Path | None = None) -> Generator[Step, None, Ledger]:
    """Entries give tiles, tiles give the root, the root is signed, every kept checkpoint is a beginning of it.

    Returns what the log says.
    """
    log = log or folder / "log"
    checkpoint = read_note(log / "checkpoint", key)
    yield Step("checkpoint", f"{checkpoint.origin}, size {checkpoint.size}, signed by the pinned key")
    entries, ledger = all_entries(log, checkpoint)
    rows = subtree_rows([merkle.leaf_hash(entry) for entry in entries])
    if root_of(rows, checkpoint.size) != checkpoint.root:
        raise VerificationError("log: the entries do not give the root of the checkpoint")
    yield Step("entries", f"{len(entries)} entries give the root of the checkpoint")
    if problem := fault(ledger, confirmed(log.parent)):
        raise VerificationError(f"meaning: {problem}")
    yield Step("meaning", "each entry names what is there, and times only grow")
    count = _audit_tiles(log, entries, rows)
    _newest_tiles(log, checkpoint, rows)
    yield Step("tiles", f"{count} tiles and entry bundles hold exactly these entries and their hashes")
    yield _audit_kept(log, key, checkpoint, rows)
    if (log / "deploys").exists():
        yield _audit_receipts(log, ledger.entries)
    vkey = log / "vkey"
    if vkey.exists() and files.read_some(vkey, "the key", MAX_NOTE) != (key.text + "\n").encode():
        raise VerificationError("vkey: the key that the site shows is not the pinned one")
    return ledger


def _audit_kept(log: Path, key: VerificationKey, newest: Checkpoint, rows: list[list[bytes]]) -> Step:
    folder = log / "checkpoints"
    if not folder.is_dir():
        return Step("consistency", "no older checkpoint is at hand", holds=False)
    kept = sorted(folder.iterdir(), key=lambda p: (len(p.name), p.name))
    for path in kept:
        older = read_note(path, key)
        if path.name != str(older.size) or older.size > newest.size:
            raise VerificationError(f"checkpoints/{path.name}: it is of size {older.size}")
        if root_of(rows, older.size) != older.root:
            raise VerificationError(f"checkpoints/{path.name}: it is no beginning of the newest one")
    if not kept or kept[-1].name != str(newest.size):
        raise VerificationError(f"checkpoints/{newest.size}: the newest checkpoint is not among those kept")
    return Step("consistency", f"all {len(kept)} kept checkpoints are beginnings of the newest one")


def _newest_tiles(log: Path, checkpoint: Checkpoint, rows: list[list[bytes]]) -> None:
    """C2SP tlog-tiles: every tile of the newest size is there, or the full tile that holds it."""
    tree = Tiles(reader(log), checkpoint.size)
    try:
        for level in range(len(rows)):
            for number in range(-(-len(rows[level]) // WIDTH)):
                tree.hashes(level, number)
    except LogError as error:
        raise VerificationError(f"tiles: {error}") from error


def _audit_receipts(log: Path, entries: tuple[Entry, ...]) -> Step:
    """A receipt names a `published` entry, its time, and records that the entry names."""
    count = 0
    for path in sorted((log / "deploys").iterdir()):
        try:
            value: Any = canonical.loads(files.read_some(path, "a receipt", MAX_RECEIPT))
            index = int(path.stem) if NUMBER.fullmatch(path.stem) else len(entries)
            entry = entries[index] if index < len(entries) and path.suffix == ".json" else None
            if not isinstance(entry, Dated) or (value["entry"], value["time"]) != (index, entry.time):
                raise VerificationError(f"deploys/{path.name}: no entry of the log is what it is a receipt for")
            for item in value["read_back"]:
                leaf = entries[item["serial"]]
                named = any(first <= item["serial"] <= last for first, last in entry.leaves)
                if not named or not isinstance(leaf, Disclosed) or leaf.sha256 != item["sha256"]:
                    raise VerificationError(f"deploys/{path.name}: record {item['serial']} is not the log's")
        except (RecordError, KeyError, TypeError, IndexError) as error:
            raise VerificationError(f"deploys/{path.name}: not a receipt: {error}") from error
        count += 1
    return Step("receipts", f"{count} receipts name entries and records of the log")


def read_note(path: Path, key: VerificationKey) -> Checkpoint:
    note = text_of(files.read_some(path, "a checkpoint", MAX_NOTE), path.name)
    checkpoint = parsed(note.encode(), path.name)
    if checkpoint.origin != key.name:
        raise VerificationError(f"{path.name}: it is of the log {checkpoint.origin}, the key of {key.name}")
    try:
        check_signature(note, key)
    except LogError as error:
        raise VerificationError(f"{path.name}: {error}") from error
    return checkpoint


def parsed(data: bytes, name: str) -> Checkpoint:
    try:
        return Checkpoint.parse(text_of(data, name))
    except LogError as error:
        raise VerificationError(f"{name}: {error}") from error


def all_entries(log: Path, checkpoint: Checkpoint) -> tuple[list[bytes], Ledger]:
    try:
        entries = [data for _, data in Tiles(reader(log), checkpoint.size).entries()]
        return entries, Ledger(tuple(map(parse_entry, entries)), checkpoint)
    except LogError as error:
        raise VerificationError(f"entries: {error}") from error


def subtree_rows(leaves: list[bytes]) -> list[list[bytes]]:
    """Hashes of the complete subtrees, tile level by tile level."""
    rows = [leaves]
    while len(rows[-1]) >= WIDTH:
        below = rows[-1]
        rows.append([merkle.pair_up(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)])
    return rows


def root_of(rows: list[list[bytes]], size: int) -> bytes:
    def nodes(level: int, index: int) -> bytes:
        span = 1 << level % 8
        return merkle.pair_up(rows[level // 8][index * span : (index + 1) * span])

    return merkle.root(nodes, size)


def _audit_tiles(log: Path, entries: list[bytes], rows: list[list[bytes]]) -> int:
    """Every file of the log is one that these entries give, of this size or of an earlier one."""
    count = 0
    for path in sorted(log.rglob("*")):
        name = path.relative_to(log).as_posix()
        top = name.partition("/")[0]
        if path.is_symlink():
            raise VerificationError(f"log: {name}: a link stands where a file belongs")
        if top == "tile" and path.is_file():
            if not _tile_fits(name, files.read_some(path, "a tile", MAX_TILE), entries, rows):
                raise VerificationError(f"tiles: log/{name} does not hold what the entries give")
            count += 1
        elif name == top and top not in PARTS and not (name.startswith(".") and path.is_file()):
            raise VerificationError(f"log: {name} has no place in a log")
    return count


def _tile_fits(name: str, data: bytes, entries: list[bytes], rows: list[list[bytes]]) -> bool:
    _, level, *rest = name.split("/")
    width = WIDTH
    if len(rest) > 1 and rest[-2].endswith(".p") and NUMBER.fullmatch(rest[-1]):
        width, rest = int(rest[-1]), [*rest[:-2], rest[-2].removesuffix(".p")]
    digits = "".join(part.removeprefix("x") for part in rest)
    if not re.fullmatch("[0-9]{1,18}", digits) or not 0 < width <= WIDTH:
        return False
    number = int(digits)
    if level == "entries":
        part = entries[number * WIDTH : number * WIDTH + width]
        return len(part) == width and data == bundle_bytes(part) and name == tile_path(level, number, width)
    if not NUMBER.fullmatch(level) or int(level) >= len(rows):
        return False
    row = rows[int(level)][number * WIDTH : number * WIDTH + width]
    return len(row) == width and data == b"".join(row) and name == tile_path(int(level), number, width)
