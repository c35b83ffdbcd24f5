"""Verification of a folder: its log, and where they are there, the records and the pages of a site."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, RecordError, VerificationError
from generator.log import merkle
from generator.log.archive import BUNDLE, VOLUME
from generator.log.entries import Disclosed
from generator.log.evidence import Evidence, speaking
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.proof import Proof
from generator.record.record import Record
from generator.verify.anchors import Trust, audit_anchors, default_trust
from generator.verify.audit import NUMBER, Step, audit_log, root_of, subtree_rows
from generator.verify.page import compare
from generator.verify.page_files import check_files
from generator.verify.sources import MAX_PAGE, MAX_PROOF, MAX_RECORD, carried, page_text, text_of

BESIDE = {
    "records": ("json", "proof", "findings.json", "judgement.json"),
    "d": ("json", "proof", "evidence", "html", "md", "bib", "ris", "csl.json"),
}


def audit_folder(
    folder: Path, log: Path, key: VerificationKey, trust: Trust | None = None
) -> Generator[Step, None, Ledger]:
    """Everything that stands in `folder`: the log, and where they are there, the records and the site's pages.

    Returns what the log says.
    """
    ledger = yield from audit_log(folder, key, log)
    yield from audit_anchors(log, ledger, trust or default_trust())
    layouts = [name for name in BESIDE if (folder / name).exists()] if log != folder else []
    for layout in layouts:
        yield from audit_records(folder, ledger, key, layout)
    if not layouts:
        yield Step("records", "none are here: this is a log alone", holds=False)
    return ledger


def audit_records(folder: Path, ledger: Ledger, key: VerificationKey, layout: str) -> Iterator[Step]:
    """Every disclosure of the log has its record and its proof in its place, and nothing else lies there."""
    entries = [str(entry).encode() for entry in ledger.entries]
    tree = _Tree(entries, subtree_rows([merkle.leaf_hash(entry) for entry in entries]), key)
    speaks = speaking(ledger)
    places = record_places(folder, layout)
    records = pages = beside = 0
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
        if serial in ledger.withdrawn:
            raise VerificationError(
                f"record: entry {ledger.withdrawn[serial]} withdraws disclosure {serial}, and its text is here",
                hint="Remove it: prior-art append does, and prior-art build.",
            )
        record = _audit_record(path, serial, entry, tree)
        records += 1
        if layout == "d":
            beside += _audit_page(path, record, speaks[serial], tree)
            pages += 1
    if places:
        raise VerificationError(f"record: {min(places.values())} is not in the log")
    yield Step("records", f"{records} records are canonical and are those that the log names")
    yield Step("proofs", f"{records} proofs lead to a signed checkpoint")
    if layout == "d":
        yield Step("pages", f"{pages} pages show these records, with the numbers and dates of the log")
        yield Step("files", f"{beside} text forms and citations beside the pages say the same")
        yield Step("not compared", "home, listings, search, feeds, sitemaps, documentation", holds=False)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The entries of the log, the hashes over them, and the key that signs."""

    entries: list[bytes]
    rows: list[list[bytes]]
    key: VerificationKey

    def knows(self, checkpoint: Checkpoint, note: str, name: str) -> None:
        """Raises VerificationError unless the checkpoint is one of this log's history, and signed."""
        if checkpoint.size > len(self.entries) or root_of(self.rows, checkpoint.size) != checkpoint.root:
            raise VerificationError(f"{name}: its checkpoint is no beginning of this log")
        try:
            check_signature(note, self.key)
        except LogError as error:
            raise VerificationError(f"{name}: {error}") from error


def _audit_record(path: Path, serial: int, entry: Disclosed, tree: _Tree) -> Record:
    data = files.read_some(path, "a record", MAX_RECORD)
    try:
        record = Record.from_bytes(data)
    except RecordError as error:
        text_of(data, f"record: {path}")
        raise VerificationError(f"record: {path}: {error}") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256 or len(data) != entry.size:
        raise VerificationError(f"record: {path}: not the bytes that entry {serial} of the log names")
    place = path.with_suffix(".proof")
    try:
        raw = files.read_some(place, "a proof", MAX_PROOF)
        proof = Proof.parse(text_of(raw, f"proof: {place}"))
        checkpoint = proof.checkpoint
        root = merkle.root_from_inclusion(
            merkle.leaf_hash(tree.entries[serial]), proof.index, checkpoint.size, proof.hashes
        )
    except (LogError, ValueError) as error:
        raise VerificationError(f"proof: {place}: {error}") from error
    if proof.index != serial or root != checkpoint.root:
        raise VerificationError(f"proof: {place}: it does not lead from entry {serial} to the root")
    tree.knows(checkpoint, proof.note, f"proof: {place}")
    return record


def _audit_page(path: Path, record: Record, speaks: tuple[int, ...], tree: _Tree) -> int:
    """The page beside the record shows it; what it carries, and the file of evidence, are the log's.

    Returns how many text forms and citations stand beside it and say the same.
    """
    place = path.with_suffix(".html")
    text = page_text(files.read_some(place, "a page", MAX_PAGE), place.name)
    data, carried_text = carried(text, str(place))
    beside = files.read_some(path.with_suffix(".evidence"), "the evidence", MAX_PROOF)
    if text_of(beside, f"evidence: {path.with_suffix('.evidence')}") != carried_text:
        raise VerificationError(f"evidence: {place} carries other evidence than the file beside it")
    try:
        evidence = Evidence.parse(carried_text)
        given = [(one.index, one.data) for one in evidence.entries]
        tree.knows(evidence.checkpoint, evidence.note, f"evidence: {place}")
        for one in evidence.entries:
            root = merkle.root_from_inclusion(
                merkle.leaf_hash(one.data), one.index, evidence.checkpoint.size, one.hashes
            )
            if root != evidence.checkpoint.root:
                raise VerificationError(f"evidence: {place}: it does not lead from entry {one.index} to the root")
    except (LogError, ValueError) as error:
        raise VerificationError(f"evidence: {place}: {error}") from error
    if hashlib.sha256(data).hexdigest() != record.sha256 or given != [(i, tree.entries[i]) for i in speaks]:
        raise VerificationError(f"page: {place}: record or evidence that it carries are not the log's")
    try:
        shown = compare(text, record, evidence)
    except VerificationError as error:
        raise VerificationError(f"{place}: {error}", hint=error.hint) from error
    return check_files(path.with_suffix(""), record, evidence, shown)


def record_places(folder: Path, layout: str = "") -> dict[int, Path]:
    """Record files by serial, each in its one place in the layout of output/ or of a site.

    Raises VerificationError for a record, proof, evidence or numbered file anywhere else, and for links.
    """
    layout = layout or ("records" if (folder / "records").is_dir() else "d")
    found = {}
    for path in sorted((folder / layout).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise VerificationError(f"{name}: a link stands where a file belongs")
        if path.is_dir() or (f"{layout}/" in name and "/pagefind/" in name):
            continue
        stem, _, kind = path.name.partition(".")
        whole = kind.casefold()
        if not stem.isdecimal() and not whole.endswith(("json", "proof", "evidence")):
            continue  # listings, search
        place = place_of(layout, stem) if NUMBER.fullmatch(stem) else ""
        if name != f"{place}.{kind}" or kind not in BESIDE[layout]:
            raise VerificationError(f"{name}: a file of this name has no place there")
        if kind == "json":
            found[int(stem)] = path
    return found


def place_of(layout: str, stem: str) -> str:
    serial = int(stem)
    middle = f"{serial // VOLUME}/{serial // BUNDLE}" if layout == "records" else str(serial // VOLUME)
    return f"{layout}/{middle}/{stem}"
