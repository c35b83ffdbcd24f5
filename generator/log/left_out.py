"""What runs accepted and left out of the log: the lists beside the records, as entries of the log."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import LogError, PressError, RecordError
from generator.log import merkle
from generator.log.entries import LeftOut, parse_entry
from generator.log.ledger import Ledger

FOLDER, CHOICE = "left-out", "choice.json"


def root_of(digests: Iterable[bytes]) -> bytes:
    """The Merkle root (RFC 9162) whose leaves are SHA-256 digests of records, in ascending order."""
    rows = [[merkle.leaf_hash(digest) for digest in sorted(digests)]]
    size = len(rows[0])
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([merkle.node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])
    return merkle.root(lambda level, index: rows[level][index], size)


def digests_of(records: Iterable[Path]) -> list[bytes]:
    return sorted(hashlib.sha256(files.read(path, "a record that was left out")).digest() for path in records)


def to_log(output: Path, known: Ledger, report: Callable[[str], None]) -> Iterator[LeftOut]:
    """The lists that the log does not have. A damaged one is reported and stays out."""
    for path in sorted((output / FOLDER).glob(f"*/{CHOICE}")):
        try:
            entry = _entry(path)
        except PressError as error:
            report(f"append: {error}; it is not logged")
            continue
        if entry is None or entry in known.entries:
            continue
        before = known.left_out.get(entry.run)
        if before and before.count >= entry.count:
            report(f"append: {path}: the log has a list of {before.count} records of this run; this one is not logged")
            continue
        yield entry


def _entry(path: Path) -> LeftOut | None:
    """None where nothing was left out. Raises PressError."""
    try:
        value: Any = canonical.loads(files.read(path, "what a run left out").rstrip())
        entry = LeftOut(path.parent.name, value["left"], value["left_root"])
        parse_entry(str(entry).encode())
    except (RecordError, LogError, KeyError, TypeError, ValueError) as error:
        raise PressError(f"{path}: damaged: {error}") from error
    return entry if entry.count else None
