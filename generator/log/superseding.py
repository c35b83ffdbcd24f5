"""A disclosure that supersedes another: the same text, reviewed by somebody. Both stay, each with its own serial.

The new record waits in the queue like any other; beside it lies `<name>.supersedes.json`, which names the old serial.
When the queue is staged, the entries that join the two stand in the same batch as the new record: the log holds both
or neither.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.base import canonical, files
from generator.base.errors import ConfigError, LogError, RecordError
from generator.base.values import Faults, member, read
from generator.log.archive import BESIDE, WAITING, read_ledger, record_path
from generator.log.entries import Disclosed, Superseded
from generator.log.ledger import Ledger
from generator.record.record import Record

SUFFIX = WAITING[-1]


def succession(path: Path, known: Ledger, serial: int, earlier: Sequence[Superseded]) -> list[Superseded]:
    """The entry for a queued record that is to have `serial`, if the file at `path` names what it supersedes.

    `earlier` are those of the records before it. Raises LogError where what it names cannot be superseded.
    """
    if not path.exists():
        return []
    leaf = _leaf(path)
    why = obstacle(known, leaf)
    if any(entry.leaf == leaf for entry in earlier):
        why = f"another record in the queue supersedes {leaf}, too"
    if why:
        raise LogError(f"{path}: {why}")
    return [Superseded(leaf, serial)]


def obstacle(known: Ledger, leaf: int) -> str:
    """Why the disclosure `leaf` cannot be superseded, or an empty string."""
    if known.disclosure(leaf) is None:
        return f"entry {leaf} of the log is no disclosure"
    if leaf in known.withdrawn:
        return f"disclosure {leaf} is withdrawn"
    if (by := known.superseded.get(leaf)) is not None:
        return f"disclosure {leaf} is superseded by disclosure {by} already"
    return ""


def queue_review(output: Path, serial: int, review: str) -> tuple[Path, int | None]:
    """Queue the record of `serial` anew, reviewed by `review`. Its path in the queue; and the serial that it has if
    exactly this was done before and is in the log.

    The new record is a function of the old one and `review`, so the same call again after a kill gives the same files.
    Raises ConfigError for a name that a record cannot hold, LogError where the disclosure cannot be superseded.
    """
    known = read_ledger(output)
    path = output / "queue" / f"review-{serial:09}.json"
    if (entry := known.disclosure(serial)) is None:
        raise LogError(f"entry {serial} of the log is no disclosure", hint="Give the serial number of a disclosure.")
    data = files.read(record_path(output, serial), "the record") if serial not in known.withdrawn else b""
    if data and hashlib.sha256(data).hexdigest() != entry.sha256:
        raise LogError(f"{record_path(output, serial)}: not the record that the log names", hint="Run: prior-art check")
    new = _reviewed(data, review) if data else b""
    if (by := known.superseded.get(serial)) is not None and known.entries[by] == Disclosed(
        hashlib.sha256(new).hexdigest(), len(new)
    ):
        return path, by
    if why := obstacle(known, serial):
        hint = f"To raise its review further, name disclosure {by}." if by is not None else ""
        raise LogError(why, hint=hint)
    if path.exists() and path.read_bytes() != new:
        raise LogError(
            f"{path}: a review of disclosure {serial} by somebody else waits already",
            hint="Run: prior-art append, then raise the new disclosure, or remove the waiting one.",
        )
    for suffix in BESIDE:
        beside = record_path(output, serial, suffix)
        if beside.exists():
            files.write(path.with_suffix(suffix), beside.read_bytes())
    files.write(path.with_suffix(SUFFIX), canonical.dumps({"leaf": serial}))
    files.write(path, new)  # last: a record in the queue has everything beside it
    return path, None


def _reviewed(data: bytes, review: str) -> bytes:
    record = Record.from_bytes(data)
    if record.review == review:
        raise ConfigError(f"the record already says: reviewed by {review}", hint="Name who reviewed it now.")
    try:
        return replace(record, review=review).to_bytes()
    except RecordError as error:
        raise ConfigError(f"--by {review[:60]!r}: {error}", hint="Give one line: a name and a role.") from error


@dataclass(frozen=True, slots=True)
class _Supersedes:
    leaf: int = member("a serial number", lambda leaf: leaf >= 0)


def _leaf(path: Path) -> int:
    try:
        found: _Supersedes = read(_Supersedes, canonical.loads(files.read(path, "what a queued record supersedes")))
    except (RecordError, Faults) as error:
        raise LogError(f"{path}: damaged: {error}", hint="Remove it together with its record.") from error
    return found.leaf
