"""The reader's side: does this record stand in that log, unchanged? Needs neither model, site nor pipeline.

Steps for one disclosure: (1) the record is canonical and follows the schema; (2) its log entry is derived from its
hash, or read from the log and compared; (3) proof and evidence lead from the entries to a root, and the index is the
number that was asked for; (4) the checkpoint bears a signature of the pinned key; (5) it, and an older checkpoint if
one is given, is a beginning of the newest one; (6) the log dates it; (7) the page shows the record, number and date;
(8) others whom the reader has pinned say that the checkpoint existed, or was public, by a time.
`docs/verify-by-hand.md` does the same with common tools.
"""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError, RecordError, VerificationError
from generator.log import merkle
from generator.log.entries import Dated, Disclosed, Entry, Superseded, Withdrawn
from generator.log.evidence import Evidence, role, speaking
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, VerificationKey
from generator.log.proof import Proof
from generator.log.tiles import Read, Tiles
from generator.record.record import Record
from generator.verify import page
from generator.verify.anchors import Told, Trust, covers, default_trust, told_by_captures, told_in_pack, told_of
from generator.verify.audit import Step
from generator.verify.continuity import consistent, signed, whole_log
from generator.verify.folder import audit_folder
from generator.verify.memory import Memory
from generator.verify.sources import MAX_PROOF, Bundle, Fetch, find, reader, text_of


@dataclass(frozen=True, slots=True)
class _Checked:
    """The record of a bundle, its entry, and what leads from it to signed roots."""

    record: Record
    entry: bytes
    proof: Proof | None
    evidence: Evidence | None

    @property
    def index(self) -> int:
        return self.evidence.serial if self.evidence else self.proof.index if self.proof else -1

    @property
    def notes(self) -> list[str]:
        return [one.note for one in (self.proof, self.evidence) if one]


def verify(
    target: str,
    output: Path,
    vkey: str,
    *,
    fetch: Fetch,
    old_checkpoint: Path | None = None,
    memory: Path | None = None,
    trust: Trust | None = None,
) -> Iterator[Step]:
    """Verify a file, a serial number, a folder (output/, a site, a log) or a URL; yields each step that holds.

    `memory` is the folder of the newest checkpoints seen so far, `trust` who is believed about times (default: who is
    pinned in this package). Raises VerificationError at the first step that does
    not hold, PressError when something cannot be read.
    """
    key = pinned(vkey)
    old = _old(old_checkpoint, key)
    remembered = Memory(memory, key) if memory else None
    found = find(target, output, fetch)
    if found is None:
        yield from verify_folder(Path(target), key, old, remembered, trust)
    else:
        yield from _verify_one(found, key, old, remembered, trust or default_trust())


def pinned(vkey: str) -> VerificationKey:
    """Raises PressError for an empty text, KeyUnusable for one that is no key."""
    if not vkey:
        raise PressError(
            "no verification key is pinned, so a signature would prove nothing",
            hint="Give --vkey with the line that the publisher announces (see docs/verify-by-hand.md), or set vkey.",
        )
    return VerificationKey.parse(vkey)


def _old(path: Path | None, key: VerificationKey) -> str | None:
    """The text of an older checkpoint. What is no checkpoint of this log cannot be compared, which is no 'no'."""
    if path is None:
        return None
    try:
        note = files.read_some(path, "the older checkpoint", MAX_PROOF).decode()
        Checkpoint.parse(note)
    except (UnicodeDecodeError, LogError) as error:
        raise PressError(f"{path}: not a checkpoint: {error}", hint="Give a file saved from log/checkpoint.") from error
    signed(note, key, "the older checkpoint")
    return note


def _verify_one(
    bundle: Bundle, key: VerificationKey, old: str | None, memory: Memory | None, trust: Trust
) -> Iterator[Step]:
    """The numbered steps for one disclosure."""
    # 1. the record
    try:
        record = Record.from_bytes(bundle.record)
    except RecordError as error:
        text_of(bundle.record, f"record: {bundle.where}")  # a BOM or CR LF is named as that
        raise VerificationError(f"record: {bundle.name} is not a canonical record: {error}") from error
    digest = hashlib.sha256(bundle.record).hexdigest()
    yield Step("record", f"canonical, schema followed, SHA-256 {digest} ({bundle.where})")
    # 2. the entry
    entry = str(Disclosed(digest, len(bundle.record))).encode()
    checked = _read_proofs(bundle, record, entry)
    if bundle.log is None:
        yield Step("entry", "derived from the record's hash and size")
    else:
        yield _entry_in_log(bundle.log, checked)
    # 3. the proofs
    yield from _proven(bundle, checked)
    # 4. the signatures
    for note in checked.notes:
        signed(note, key, "checkpoint")
    newest = max((Checkpoint.parse(note) for note in checked.notes), key=lambda one: one.size)
    yield Step("checkpoint", f"{newest.origin}, size {newest.size}, signed by the pinned key")
    # 5. consistency
    if bundle.log is None and old is not None:
        raise PressError("the log's tiles are needed to compare checkpoints", hint="Give a folder, serial or URL.")
    for note, name in [*((note, "the proof's checkpoint") for note in dict.fromkeys(checked.notes)),
                       *([(old, "the older checkpoint")] if old else [])]:  # fmt: skip
        if bundle.log is not None:
            yield consistent(bundle.log, key, note, name)
    if memory:
        yield from memory.compare(max(checked.notes, key=lambda note: Checkpoint.parse(note).size), bundle.log)
    # 6. the date, 7. the page
    yield from _told(bundle, checked)
    # 8. what others say
    yield from _others(bundle, checked, key, trust)


def _read_proofs(bundle: Bundle, record: Record, entry: bytes) -> _Checked:
    try:
        proof = Proof.parse(bundle.proof) if bundle.proof is not None else None
        evidence = Evidence.parse(bundle.evidence) if bundle.evidence is not None else None
        for one in (proof, evidence):
            if one:
                Checkpoint.parse(one.note)
    except LogError as error:
        raise VerificationError(f"proof: {bundle.name}: {error}") from error
    if proof and evidence and proof.index != evidence.serial:
        raise VerificationError(f"number: the proof is of entry {proof.index}, the evidence of {evidence.serial}")
    checked = _Checked(record, entry, proof, evidence)
    if bundle.asked is not None and checked.index != bundle.asked:
        raise VerificationError(f"number: {bundle.name} is disclosure {checked.index}, not {bundle.asked}")
    return checked


def _proven(bundle: Bundle, checked: _Checked) -> Iterator[Step]:
    leaf = merkle.leaf_hash(checked.entry)
    if checked.proof:
        _leads(leaf, checked.proof.index, checked.proof.hashes, checked.proof.checkpoint)
        yield Step("proof", f"entry {checked.index} is in the tree of {checked.proof.checkpoint.size} entries")
    if checked.evidence:
        if checked.evidence.entries[0].data != checked.entry:
            raise VerificationError("evidence: its first entry names another record")
        for proven in checked.evidence.entries:
            _leads(merkle.leaf_hash(proven.data), proven.index, proven.hashes, checked.evidence.checkpoint)
        listed = ", ".join(str(proven.index) for proven in checked.evidence.entries)
        yield Step("evidence", f"entries {listed} are in the tree of {checked.evidence.checkpoint.size} entries")
    said = "as asked" if bundle.asked is not None else "the name of the file asks for none"
    yield Step("number", f"{checked.index}, {said}")


def _leads(leaf: bytes, index: int, hashes: tuple[bytes, ...], checkpoint: Checkpoint) -> None:
    try:
        root = merkle.root_from_inclusion(leaf, index, checkpoint.size, hashes)
    except ValueError as error:
        raise VerificationError(f"proof: {error}") from error
    if root != checkpoint.root:
        raise VerificationError(f"proof: it does not lead from entry {index} to the checkpoint's root")


def _told(bundle: Bundle, checked: _Checked) -> Iterator[Step]:
    """What the log says of the disclosure; that the page says the same; what nobody here proves."""
    spoken = _spoken(bundle, checked)
    number, time = next(((i, e.time) for _, i, e in spoken if isinstance(e, Dated)), (None, ""))
    if time and time < checked.record.created_at:
        raise VerificationError(f"published: {time}, which is before the record says that it was made")
    if bundle.page is not None and checked.evidence:
        found = page.compare(bundle.page, checked.record, checked.evidence)
        yield Step(
            "page", f"its text, number, dates, review, model, licence and hash are those: {found.facts} compared"
        )
        parts = ", ".join(f"{name} ({words} words)" for name, words in found.not_compared)
        yield Step("not compared", f"{parts}; style sheets", holds=False)
    carrier = "evidence" if bundle.log is None else "log"
    if time:
        yield Step("published", f"{time} (the publisher's clock, entry {number}, {carrier})")
    elif checked.evidence or bundle.log:
        yield Step("published", f"no date: no entry of this {carrier} gives one", holds=False)
    else:
        yield Step("published", "not covered: the proof is older than the entry that dates it", holds=False)
    for kind, index, entry in spoken:
        if kind in ("superseded", "supersedes", "withdrawn"):
            yield Step(kind, f"entry {index}{_said(entry, kind)} ({carrier})")


def _said(entry: Entry, kind: str) -> str:
    match entry:
        case Superseded():
            return f" by {entry.by}" if kind == "superseded" else f" {entry.leaf}"
        case Withdrawn():
            return f"{' on ' if entry.time else ''}{entry.time}, reason {entry.reason}, by the publisher's clock"
    return ""


def _others(bundle: Bundle, checked: _Checked, key: VerificationKey, trust: Trust) -> Iterator[Step]:
    """Existed by and public by, each with who says so; and the generator's own word."""
    told: list[Told] = []
    roles = {kind: index for kind, index, _ in _spoken(bundle, checked)}
    dated_by = roles.get("published")
    if bundle.pack is not None and checked.evidence:
        note = checked.evidence.note.encode()
        found = told_in_pack(bundle.pack, checked.evidence.checkpoint.size, note, trust)
        told = [one for one in found if covers(one, dated_by)]
    elif bundle.place and bundle.log:
        told = list(told_of(checked.index, dated_by, bundle.place, trust))
        for size in sorted({one.size for one in told}):
            kept = text_of(files.read_some(bundle.place / "checkpoints" / str(size), "a checkpoint", MAX_PROOF), "")
            yield consistent(bundle.log, key, kept, f"the checkpoint of size {size}")
    for kind in ("existed", "witnessed", "public"):
        by = [one for one in told if one.kind == kind]
        for one in by:
            yield Step(f"{kind} by", f"{one.time} ({one.by}, checkpoint {one.size})")
        if not by and kind != "witnessed":
            yield Step(f"{kind} by", "no evidence", holds=False)
    for receipt in told_by_captures(bundle.place, checked.index, bundle.pack):
        said = f"{receipt.time} by a receipt of the publisher; the archive itself can say: {receipt.address}"
        yield Step("captured", said, holds=False)
    stated = f"{checked.record.created_at} by the generator's own statement, which is no evidence"
    yield Step("created", stated, holds=False)


def _spoken(bundle: Bundle, checked: _Checked) -> list[tuple[str, int, Entry]]:
    """Role, index and entry of what speaks of the disclosure: of the whole log where it is at hand."""
    inside = [(proven.index, proven.entry) for proven in checked.evidence.entries] if checked.evidence else []
    if bundle.log is not None:
        ledger = whole_log(bundle.log)
        now = [(index, ledger.entries[index]) for index in speaking(ledger)[checked.index]]
        dated = [i for i, entry in now if role(entry, i, checked.index) == "published"]
        if checked.evidence and (before := checked.evidence.published) and dated != [before[0]]:
            raise VerificationError(f"published: the log dates it by entry {dated}, the evidence by {before[0]}")
        covered = checked.evidence.checkpoint.size if checked.evidence else 0
        if checked.evidence and not checked.evidence.published and any(i < covered for i in dated):
            raise VerificationError(f"published: the evidence leaves out entry {dated[0]}, which dates it")
        inside = now
    return [(kind, index, entry) for index, entry in inside if (kind := role(entry, index, checked.index))]


def verify_folder(
    folder: Path, key: VerificationKey, old: str | None, memory: Memory | None = None, trust: Trust | None = None
) -> Generator[Step, None, Ledger]:
    """Everything in `output/`, in a site or in a log's own folder. Returns what the log says."""
    log = folder if (folder / "tile").is_dir() and (folder / "checkpoint").exists() else folder / "log"
    if not (log / "checkpoint").exists():
        raise PressError(f"{folder}: no log/checkpoint here", hint="Give output/, a site's folder, or a record.")
    ledger = yield from audit_folder(folder, log, key, trust)
    read = reader(log)
    if old is not None:
        yield consistent(read, key, old, "the older checkpoint")
    if memory:
        yield from memory.compare(text_of(read("checkpoint") or b"", "checkpoint"), read)
    return ledger


def _entry_in_log(log: Read, checked: _Checked) -> Step:
    sizes = [Checkpoint.parse(note).size for note in checked.notes]
    try:
        logged = Tiles(log, max(*sizes, checked.index + 1)).entry(checked.index)
    except LogError as error:
        raise VerificationError(f"entry: {error}") from error
    if logged != checked.entry:
        raise VerificationError(f"entry: the log's entry {checked.index} names another record")
    return Step("entry", f"the log's entry {checked.index} names this record")
