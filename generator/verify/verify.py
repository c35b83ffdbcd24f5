"""The reader's side: does this record stand in that log, unchanged? Needs neither model, site nor pipeline.

Steps for one disclosure: (1) the record is canonical and follows the schema; (2) its log entry is derived from its
hash, or read from the log and compared; (3) the proof leads from that entry to the checkpoint's root; (4) the
checkpoint bears a signature of the pinned key; (5) it, and an older checkpoint if one is given, is a beginning of the
newest one.
`docs/verify-by-hand.md` does the same with common tools.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from generator.base import files
from generator.base.errors import LogError, PressError, RecordError, VerificationError
from generator.log import merkle
from generator.log.entries import Disclosed
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.proof import Proof
from generator.log.tiles import Read, Tiles
from generator.record.record import Record
from generator.verify.audit import Step, audit_log, audit_records

Fetch = Callable[[str], bytes | None]
SUFFIXES = (".json", ".proof", ".html", ".md")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one disclosure. `log` reads files below log/ and is None where only two files are at hand."""

    name: str
    record: bytes
    proof: bytes
    log: Read | None


def verify(target: str, output: Path, vkey: str, *, fetch: Fetch, old_checkpoint: Path | None = None) -> Iterator[Step]:
    """Verify a file, a serial number, a folder (output/ or a site) or a URL; yields each step that holds.

    Raises VerificationError at the first step that does not hold, PressError when something cannot be read.
    """
    key = pinned(vkey)
    old = files.read(old_checkpoint, "the older checkpoint") if old_checkpoint else None
    found = evidence(target, output, fetch)
    if found is None:
        yield from verify_folder(Path(target), key, old)
    else:
        yield from verify_one(found, key, old)


def pinned(vkey: str) -> VerificationKey:
    """Raises PressError for an empty text, KeyUnusable for one that is no key."""
    if not vkey:
        raise PressError(
            "no verification key is pinned, so a signature would prove nothing",
            hint="Give --vkey with the line that the publisher announces (see docs/verify-by-hand.md), or set vkey.",
        )
    return VerificationKey.parse(vkey)


def evidence(target: str, output: Path, fetch: Fetch) -> Evidence | None:
    """What lies behind the name of one disclosure; None when `target` is a folder."""
    if target.isdecimal() and not Path(target).exists():
        return _by_serial(output, int(target))
    if "://" in target:
        return _by_url(target, fetch)
    return None if Path(target).is_dir() else _by_file(Path(target))


def verify_one(evidence: Evidence, key: VerificationKey, old: bytes | None) -> Iterator[Step]:
    """The numbered steps for one disclosure."""
    # 1. the record
    try:
        record = Record.from_bytes(evidence.record)
    except RecordError as error:
        raise VerificationError(f"record: {evidence.name} is not a canonical record: {error}") from error
    digest = hashlib.sha256(evidence.record).hexdigest()
    yield Step("record", f"canonical, schema followed, SHA-256 {digest}")
    # 2. the entry
    try:
        proof = Proof.parse(_text(evidence.proof))
        checkpoint = proof.checkpoint
    except LogError as error:
        raise VerificationError(f"proof: {evidence.name}: {error}") from error
    entry = str(Disclosed(digest, len(evidence.record))).encode()
    if evidence.log is None:
        yield Step("entry", "derived from the record's hash and size")
    else:
        yield _entry_in_log(evidence.log, proof, checkpoint, entry)
    # 3. the proof
    try:
        root = merkle.root_from_inclusion(merkle.leaf_hash(entry), proof.index, checkpoint.size, proof.hashes)
    except ValueError as error:
        raise VerificationError(f"proof: {error}") from error
    if root != checkpoint.root:
        raise VerificationError(f"proof: it does not lead from entry {proof.index} to the checkpoint's root")
    yield Step("proof", f"entry {proof.index} is in the tree of {checkpoint.size} entries")
    # 4. the signature
    _signed(proof.note, key, "checkpoint")
    yield Step("checkpoint", f"{checkpoint.origin}, size {checkpoint.size}, signed by the pinned key")
    # 5. consistency
    if evidence.log is not None:
        yield from _consistent(evidence.log, key, proof.note, "the proof's checkpoint")
    if old is not None:
        if evidence.log is None:
            raise PressError("the log's tiles are needed to compare checkpoints", hint="Give a folder, serial or URL.")
        yield from _consistent(evidence.log, key, _text(old), "the older checkpoint")
    yield Step("created", f"{record.created_at} by the generator's own statement, which is no evidence")


def verify_folder(folder: Path, key: VerificationKey, old: bytes | None) -> Generator[Step, None, Ledger]:
    """Everything in `output/` or in a site: each tile, entry, kept checkpoint, record and proof.

    Returns what the log says.
    """
    read = _reader(folder)
    if read("log/checkpoint") is None:
        raise PressError(f"{folder}: no log/checkpoint here", hint="Give output/, a site's folder, or a record.")
    ledger = yield from audit_log(folder, key)
    yield from audit_records(folder, ledger)
    if old is not None:
        yield from _consistent(lambda path: read(f"log/{path}"), key, _text(old), "the older checkpoint")
    return ledger


def _consistent(log: Read, key: VerificationKey, note: str, name: str) -> Iterator[Step]:
    """The tree of `note` is a beginning of the log's newest tree."""
    newest = log("checkpoint")
    if newest is None:
        raise PressError("the log has no checkpoint file")
    _signed(_text(newest), key, "newest checkpoint")
    _signed(note, key, name)
    try:
        now, then = Checkpoint.parse(_text(newest)), Checkpoint.parse(note)
        if then.size > now.size:
            raise VerificationError(f"consistency: {name} has {then.size} entries, the log has only {now.size}")
        tree = Tiles(log, now.size)
        if merkle.root(tree.nodes, now.size) != now.root:
            raise VerificationError("consistency: the log's tiles do not give the root of its newest checkpoint")
        merkle.check_consistency(
            then.size, now.size, then.root, now.root, merkle.consistency_proof(tree.nodes, then.size, now.size)
        )
    except (LogError, ValueError) as error:
        raise VerificationError(f"consistency: {name}: {error}") from error
    yield Step("consistency", f"{name} (size {then.size}) is a beginning of the newest one (size {now.size})")


def _entry_in_log(log: Read, proof: Proof, checkpoint: Checkpoint, entry: bytes) -> Step:
    try:
        logged = Tiles(log, max(checkpoint.size, proof.index + 1)).entry(proof.index)
    except LogError as error:
        raise VerificationError(f"entry: {error}") from error
    if logged != entry:
        raise VerificationError(f"entry: the log's entry {proof.index} names another record")
    return Step("entry", f"the log's entry {proof.index} names this record")


def _signed(note: str, key: VerificationKey, name: str) -> None:
    try:
        if Checkpoint.parse(note).origin != key.name:
            raise VerificationError(f"{name}: it is of the log {Checkpoint.parse(note).origin}, the key of {key.name}")
        check_signature(note, key)
    except LogError as error:
        raise VerificationError(f"{name}: {error}") from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _reader(folder: Path) -> Read:
    def read(path: str) -> bytes | None:
        return (folder / path).read_bytes() if (folder / path).is_file() else None

    return read


def _by_serial(output: Path, serial: int) -> Evidence:
    from generator.log.archive import record_path

    path = record_path(output, serial)
    return Evidence(
        f"disclosure {serial}",
        files.read(path, f"disclosure {serial}"),
        files.read(path.with_suffix(".proof"), "the proof"),
        _reader(output / "log"),
    )


def _by_file(path: Path) -> Evidence:
    if path.suffix not in SUFFIXES:
        raise PressError(
            f"{path}: not the name of a saved page, record or proof",
            hint="Save <serial>.json and <serial>.proof of the disclosure into one folder and give either of them.",
        )
    return Evidence(
        path.name,
        files.read(path.with_suffix(".json"), "the record beside the page"),
        files.read(path.with_suffix(".proof"), "the proof beside the page"),
        None,
    )


def _by_url(url: str, fetch: Fetch) -> Evidence:
    parts = urlsplit(url)._replace(query="", fragment="")
    stem, dot, suffix = parts.path.rpartition(".")
    if not dot or f".{suffix}" not in SUFFIXES:
        raise PressError(f"{url}: not the address of a disclosure", hint="Give .../d/<volume>/<serial>.html")
    base = parts._replace(path=stem).geturl()
    found = {}
    for name in ("json", "proof"):
        data = fetch(f"{base}.{name}")
        if data is None:
            raise PressError(f"{base}.{name}: the server has no such file")
        found[name] = data
    log = urljoin(url, "../../log/")
    return Evidence(url, found["json"], found["proof"], lambda path: fetch(log + path))
