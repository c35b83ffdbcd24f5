"""What others say of a checkpoint, verified: existed by whom, and public by whom.

Whom a reader trusts is pinned: roots of authorities by name. What stands below log/anchors/ must be for the very
checkpoint that it lies beside; who signed it is said only where the signer is pinned.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError, VerificationError
from generator.log.anchors import folder
from generator.log.anchors.authorities import built_in_roots
from generator.log.anchors.captured import Capture, captures, parse
from generator.log.anchors.cosignatures import CosignerKey, cosigned_at, signer
from generator.log.anchors.statements import Kind, block_of
from generator.log.anchors.tokens import read_token, verify_token
from generator.log.entries import Anchored
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint
from generator.log.tiles import Read
from generator.verify.audit import Step


@dataclass(frozen=True, slots=True)
class Trust:
    """Pinned roots of time-stamp authorities (PEM), keys of observers and witnesses, by the name that is printed."""

    roots: Mapping[str, bytes]
    observers: Mapping[str, CosignerKey] = field(default_factory=dict)
    witnesses: Mapping[str, CosignerKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who is pinned says that the checkpoint of `size` existed, or all that it dates was public, by `time`."""

    size: int
    by: str
    time: str
    kind: Kind = "existed"

    @property
    def family(self) -> str:
        """Of several blocks, one counts."""
        return self.by.partition(" block")[0]


def default_trust() -> Trust:
    return Trust(built_in_roots())


def told_by_stamp(stamp: folder.Stamp, note: bytes, trust: Trust) -> Told | None:
    """None for a token under a root that is not pinned. Raises VerificationError for one that is for something else."""
    where = folder.anchor_path(stamp.size, f"{stamp.name}.tsr")
    try:
        read_token(stamp.reply, stamp.request, note)
    except LogError as error:
        raise VerificationError(f"existed by: {where}: {error}") from error
    for name, root in trust.roots.items():
        try:
            return Told(stamp.size, name, verify_token(stamp.reply, stamp.request, note, root).time)
        except LogError:
            continue
    return None


def told_by_bitcoin(size: int, names: tuple[str, ...], read: Read, note: bytes) -> Told | None:
    """None where no proof of the size leads to a header that is there. Raises VerificationError for a false one."""
    try:
        found = block_of(size, names, read, note)
    except LogError as error:
        raise VerificationError(f"existed by: anchors/{size}, OpenTimestamps: {error}") from error
    return Told(size, f"Bitcoin block {found[0]}", found[1]) if found else None


def audit_anchors(log: Path, ledger: Ledger, trust: Trust) -> Iterator[Step]:
    """Every file there is of a known form and for its checkpoint, and is the one that an entry of the log names."""
    if (log / "roots").is_dir():
        _audit_roots(log / "roots")
    found = folder.anchored(log)
    said: list[Told] = []
    unknown: list[str] = []
    for size, names in found.items():
        note = files.read_some(log / "checkpoints" / str(size), "the checkpoint of anchors", folder.MAX_FILE)
        for name in names:
            if not folder.is_anchor(name):
                raise VerificationError(f"anchors: anchors/{size}/{name} has no place in a log")
        for stamp in folder.stamps(size, names, folder.reader(log)):
            if (told := told_by_stamp(stamp, note, trust)) is None:
                unknown.append(f"{stamp.name} of {size}")
            else:
                said.append(told)
        if (told := told_by_bitcoin(size, names, folder.reader(log), note)) is not None:
            said.append(told)
        for name, witness, line in folder.cosignatures(size, names, folder.reader(log)):
            if (told := told_by_cosigner(size, line, note, trust, witness)) is None:
                unknown.append(f"{name} of {size}")
            else:
                said.append(told)
    yield from _audit_entries(log, ledger)
    if receipts := told_by_captures(log):
        by = ", ".join(sorted({one.by for one in receipts}))
        yield Step("captured", f"{len(receipts)} receipts name captures by {by}; only the archive can say", holds=False)
    for kind, what in (("existed", "stamps"), ("witnessed", "cosignatures"), ("public", "cosignatures")):
        held = [told for told in said if told.kind == kind]
        if held:
            by, sizes = ", ".join(sorted({told.family for told in held})), len({told.size for told in held})
            yield Step(f"{kind} by", f"{len(held)} {what} of {sizes} checkpoints by {by} hold under pinned keys")
    if unknown:
        listed = _listed(unknown)
        yield Step("others", f"not checked, for their roots and keys are not pinned here: {listed}", holds=False)


def told_by_captures(
    log: Path | None, serial: int | None = None, pack: Mapping[str, bytes] | None = None
) -> tuple[Capture, ...]:
    """The receipts below `log` or in a pack, or those of one disclosure. Raises VerificationError for what is none."""
    try:
        packed = [parse(data, 0) for name, data in (pack or {}).items() if folder.CAPTURES.fullmatch(name)]
        found = (*(captures(log) if log else ()), *(one for those in packed for one in those))
        return tuple(one for one in found if serial is None or one.serial == serial)
    except LogError as error:
        raise VerificationError(f"captured: {error}") from error


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + ("" if len(names) <= 8 else f" and {len(names) - 8} others")


def _audit_roots(roots: Path) -> None:
    for path in sorted(roots.iterdir()):
        if path.name.startswith(files.TEMPORARY):
            continue
        data = files.read_some(path, "a certificate", folder.MAX_FILE)
        kind = path.name.partition("-")[0]
        if not folder.ROOT.fullmatch(path.name) or folder.root_path(kind, data) != f"roots/{path.name}":
            raise VerificationError(f"anchors: roots/{path.name} does not hold what its name says")


def _audit_entries(log: Path, ledger: Ledger) -> Iterator[Step]:
    """Each file that an entry names is there, byte for byte. A log alone, without these files, is said to be that."""
    count = sum(len(entry.files) for entry in ledger.entries if isinstance(entry, Anchored))
    if count and not any((log / name).exists() for name in ("anchors", "roots")):
        yield Step("anchors", f"{count} files that entries of the log name are not here", holds=False)
        return
    for index, entry in enumerate(ledger.entries):
        for path, digest, size in entry.files if isinstance(entry, Anchored) else ():
            try:
                data = files.read_some(log / path, "an anchor", folder.MAX_FILE)
            except PressError as error:
                raise VerificationError(f"anchors: {path}, which entry {index} names, is missing") from error
            if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
                raise VerificationError(f"anchors: {path} is not the file that entry {index} names")
    if count:
        yield Step("anchors", f"{count} files are those that entries of the log name")


def told_of(serial: int, dated_by: int | None, log: Path, trust: Trust) -> Iterator[Told]:
    """By each who is pinned, the statement about the smallest checkpoint that covers the disclosure `serial`.

    What was public is what the log dates: there the checkpoint covers the entry `dated_by` too.
    """
    seen: set[tuple[str, str]] = set()
    for size, names in folder.anchored(log).items():
        if size <= serial:
            continue
        note = files.read_some(log / "checkpoints" / str(size), "a kept checkpoint", folder.MAX_FILE)
        for told in told_about(size, names, folder.reader(log), note, trust):
            if (told.kind, told.family) not in seen and covers(told, dated_by):
                seen.add((told.kind, told.family))
                yield told


def covers(told: Told, dated_by: int | None) -> bool:
    """What an observer says is about what the log dates under its checkpoint."""
    return told.kind != "public" or (dated_by is not None and dated_by < told.size)


def told_about(size: int, names: tuple[str, ...], read: Read, note: bytes, trust: Trust) -> Iterator[Told]:
    """What those who are pinned say of the checkpoint of `size`, whose bytes are `note`.

    Raises VerificationError for a file that is about something else.
    """
    for stamp in folder.stamps(size, names, read):
        if (told := told_by_stamp(stamp, note, trust)) is not None:
            yield told
    if (told := told_by_bitcoin(size, names, read, note)) is not None:
        yield told
    for _, witness, line in folder.cosignatures(size, names, read):
        if (told := told_by_cosigner(size, line, note, trust, witness)) is not None:
            yield told


def told_by_cosigner(size: int, line: bytes, note: bytes, trust: Trust, witness: bool) -> Told | None:
    """None for one who is not pinned as that. Raises VerificationError for a line that is not for this checkpoint."""
    kind: Kind = "witnessed" if witness else "public"
    try:
        body, name = Checkpoint.parse(note.decode()).body, signer(line)
        for by, key in (trust.witnesses if witness else trust.observers).items():
            if (key.name, key.id) == name:
                return Told(size, by, cosigned_at(line, key, body), kind)
    except LogError as error:
        raise VerificationError(f"{kind} by: anchors/{size}: {error}") from error
    return None


def told_in_pack(pack: Mapping[str, bytes], size: int, note: bytes, trust: Trust) -> Iterator[Told]:
    """The same for the files of an evidence pack."""
    if pack["checkpoint"] != note:
        raise VerificationError("checkpoint: the file in the pack is not the checkpoint under its evidence")
    for name in pack:
        if name.endswith(".pem") and not any(name.endswith(kind) for kind in (".chain.pem", ".root.pem")):
            raise VerificationError(f"{name} has no place in an evidence pack")
    _require_keys(pack, note)
    yield from told_about(size, tuple(pack), lambda path: pack.get(path.rpartition("/")[2]), note, trust)


def _require_keys(pack: Mapping[str, bytes], note: bytes) -> None:
    """A key beside a cosignature is the one that signed it, be it pinned or not."""
    for name, _, line in folder.cosignatures(0, tuple(pack), lambda path: pack.get(path.rpartition("/")[2])):
        try:
            if (key := pack.get(f"{name}.vkey")) is not None:
                text = key.decode("ascii", "replace")
                cosigned_at(line, CosignerKey.parse(text), Checkpoint.parse(note.decode()).body)
        except PressError as error:
            raise VerificationError(f"{name}.vkey: {error}") from error
