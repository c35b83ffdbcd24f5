"""The files below log/anchors/ and log/roots/, and which of them are whole.

`anchors/<size>/` holds what others say of the checkpoint `checkpoints/<size>`. `roots/` holds certificates by their
SHA-256, which many nights share. Files are written once; a `.tsr` is written last, so a stamp that has none is none.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError
from generator.log.anchors.tokens import verify_token
from generator.log.entries import Anchored
from generator.log.ledger import Ledger
from generator.log.tiles import Read

SIZE = re.compile(r"[1-9][0-9]{0,14}")
ROOT = re.compile(r"(root|chain)-[0-9a-f]{16}\.pem")
STAMP = re.compile(r"([a-z0-9][a-z0-9-]{0,30})\.(tsq|tsr)")
PROOF = re.compile(r"[a-z0-9][a-z0-9-]{0,30}(\.bitcoin)?\.ots")
HEADER = re.compile(r"header-(0|[1-9][0-9]{0,9})\.bin")
SEEN = re.compile(r"([a-z0-9][a-z0-9-]{0,30})\.(cosignature|witness)")  # by an observer, by a witness
CAPTURES = re.compile(r"[0-9]{14}\.captures")
FORMS = (STAMP, PROOF, HEADER, SEEN, CAPTURES)  # of the names that may stand in the folder of a size
MAX_FILE = 1 << 20
MOST_NAMED = 256  # files in one entry, which has 65,535 bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token of the authority that the publisher calls `name`, over the checkpoint of `size`. DER."""

    size: int
    name: str
    request: bytes
    reply: bytes


def is_anchor(name: str) -> bool:
    return any(form.fullmatch(name) for form in FORMS)


def anchor_path(size: int, name: str) -> str:
    """Below log/."""
    return f"anchors/{size}/{name}"


def root_path(kind: str, pem: bytes) -> str:
    """Below log/; `kind` is root or chain."""
    return f"roots/{kind}-{hashlib.sha256(pem).hexdigest()[:16]}.pem"


def anchored(log: Path) -> dict[int, tuple[str, ...]]:
    """The names of the files of each size, smallest size first, unfinished writes left out."""
    folders = log / "anchors"
    sizes = sorted(int(one.name) for one in folders.iterdir() if SIZE.fullmatch(one.name)) if folders.is_dir() else ()
    return {size: tuple(_names(folders / str(size))) for size in sizes}


def _names(folder: Path) -> Iterator[str]:
    return (path.name for path in sorted(folder.iterdir()) if not path.name.startswith(files.TEMPORARY))


def reader(log: Path) -> Read:
    """Reads files of anchors below `log`; None for what is not there."""

    def read(path: str) -> bytes | None:
        return files.read_some(log / path, "an anchor", MAX_FILE) if (log / path).exists() else None

    return read


def stamps(size: int, names: tuple[str, ...], read: Read) -> Iterator[Stamp]:
    """Every stamp of a size that has both its files. `read` reads below log/."""
    for name in names:
        match = STAMP.fullmatch(name)
        if match and match[2] == "tsr" and f"{match[1]}.tsq" in names:
            parts = [read(anchor_path(size, f"{match[1]}.{kind}")) for kind in ("tsq", "tsr")]
            if parts[0] is not None and parts[1] is not None:
                yield Stamp(size, match[1], parts[0], parts[1])


def headers(size: int, names: tuple[str, ...], read: Read) -> dict[int, bytes]:
    """The headers of Bitcoin blocks beside the proofs of a size, by height."""
    found = {int(match[1]): read(anchor_path(size, match[0])) for name in names if (match := HEADER.fullmatch(name))}
    return {height: data for height, data in found.items() if data is not None}


def proofs(size: int, names: tuple[str, ...], read: Read) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each OpenTimestamps proof of a size."""
    for name in names:
        if PROOF.fullmatch(name) and (data := read(anchor_path(size, name))) is not None:
            yield name, data


def cosignatures(size: int, names: tuple[str, ...], read: Read) -> Iterator[tuple[str, bool, bytes]]:
    """The name that the publisher gives to each observer and witness, whether it is a witness, and its line."""
    for name in names:
        if (match := SEEN.fullmatch(name)) and (data := read(anchor_path(size, name))) is not None:
            yield match[1], match[2] == "witness", data


def unfinished(names: tuple[str, ...]) -> frozenset[str]:
    """Requests whose reply is not there: a kill came between."""
    return frozenset(name for name in names if name.endswith(".tsq") and f"{name[:-1]}r" not in names)


def unlogged(log: Path, known: Ledger) -> tuple[Anchored, ...]:
    """Entries that name the digests of every finished file that no entry of `known` names."""
    named = {path for entry in known.entries if isinstance(entry, Anchored) for path, _, _ in entry.files}
    found = []
    for path in _finished(log):
        if path not in named:
            data = files.read_some(log / path, "an anchor", MAX_FILE)
            found.append((path, hashlib.sha256(data).hexdigest(), len(data)))
    return tuple(Anchored(tuple(found[i : i + MOST_NAMED])) for i in range(0, len(found), MOST_NAMED))


def _finished(log: Path) -> Iterator[str]:
    for size, names in anchored(log).items():
        yield from (anchor_path(size, name) for name in sorted(set(names) - unfinished(names)))
    roots = log / "roots"
    yield from (f"roots/{name}" for name in (_names(roots) if roots.is_dir() else ()) if ROOT.fullmatch(name))


def write_stamp(log: Path, stamp: Stamp, chain: bytes, root: bytes) -> None:
    """The certificates and the request first, the reply last."""
    for path, data in (
        (root_path("root", root), root),
        (root_path("chain", chain), chain),
        (anchor_path(stamp.size, f"{stamp.name}.tsq"), stamp.request),
        (anchor_path(stamp.size, f"{stamp.name}.tsr"), stamp.reply),
    ):
        if not (log / path).exists() or (log / path).read_bytes() != data:
            files.write(log / path, data)


def root_of(log: Path, stamp: Stamp, note: bytes) -> bytes:
    """The kept root certificate (PEM) that the stamp's token leads to; empty when none is there."""
    for path in sorted((log / "roots").glob("root-*.pem")):
        data = files.read_some(path, "a certificate", MAX_FILE)
        try:
            verify_token(stamp.reply, stamp.request, note, data)
        except LogError:
            continue
        return data
    return b""


def sweep(log: Path) -> None:
    """Remove what a kill left of writes that had not yet replaced their files."""
    for folder in ("anchors/*", "roots"):
        for torn in log.glob(f"{folder}/{files.TEMPORARY}*"):
            torn.unlink(missing_ok=True)
