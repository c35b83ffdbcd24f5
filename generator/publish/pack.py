"""The evidence pack of one disclosure: everything that proves its times, in one zip that needs no network.

A pack is made from the facts whenever it is asked for, and grows with them; the record in it never changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError
from generator.log import archive
from generator.log.anchors import captured, folder
from generator.log.anchors.tokens import read_token
from generator.log.anchors.zipped import pack
from generator.log.archive import record_path
from generator.log.evidence import Evidence, gather, speaking
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class About:
    """What a pack says of itself: the disclosure's number, its address, the log's key, and the lines to type.

    `keys` are those of observers and witnesses, by the names that the publisher gives to them.
    """

    number: str
    address: str
    vkey: str
    lines: str
    keys: Mapping[str, str]


def evidence_pack(output: Path, ledger: Ledger, serial: int, about: About) -> bytes:
    """The zip. Raises LogError for what is no disclosure, or whose text is withdrawn."""
    if ledger.disclosure(serial) is None or serial in ledger.withdrawn:
        why = "is withdrawn" if serial in ledger.withdrawn else "is no disclosure"
        raise LogError(f"entry {serial} of the log {why}", hint="Give the serial number of a disclosure.")
    evidence = _evidence(output, ledger, serial)
    log, size, note = output / "log", evidence.checkpoint.size, evidence.note.encode()
    record = record_path(output, serial)
    found = {
        f"{serial}.json": files.read(record, "the record"),
        f"{serial}.proof": files.read(record.with_suffix(".proof"), "the proof"),
        f"{serial}.evidence": evidence.text.encode(),
        "checkpoint": note,
        "vkey": f"{about.vkey}\n".encode(),
        **dict(_anchors(log, size, note, about.keys)),
        **_receipts(log, serial),
    }
    page = output / "site" / "d" / str(serial // archive.VOLUME) / f"{serial}.html"
    if page.is_file():
        found[f"{serial}.html"] = files.read(page, "the page")
    lines = about.lines.replace("serial=7\n", f"serial={serial}\n")
    found["verify.sh"] = lines.encode()
    found["README.txt"] = _readme(serial, about, sorted({*found, "README.txt"})).encode()
    return pack(found)


def _evidence(output: Path, ledger: Ledger, serial: int) -> Evidence:
    """Under the smallest checkpoint that covers all that the log says of it and that others speak of, if there is one.

    Without such a checkpoint, under the one that its page carries.
    """
    log, notes = output / "log", {}
    for path in (log / "checkpoints").iterdir():
        note = files.read(path, "a kept checkpoint").decode("utf-8", "replace")
        notes[Checkpoint.parse(note).size] = note
    indices = speaking(ledger)[serial]
    spoken = {size: notes[size] for size in folder.anchored(log) if size > indices[-1] and size in notes}
    return gather(indices, spoken or notes, lambda size: archive.tiles(output, size))


def _receipts(log: Path, serial: int) -> dict[str, bytes]:
    """What receipts of captures say of this disclosure alone."""
    own = [one for one in captured.captures(log) if one.serial == serial]
    return {"0" * 14 + ".captures": captured.write(own).encode()} if own else {}


def _anchors(log: Path, size: int, note: bytes, keys: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Everything about that checkpoint; for each stamp its chain and the root that was pinned, for a line its key."""
    names, read = folder.anchored(log).get(size, ()), folder.reader(log)
    for name in sorted(set(names) - folder.unfinished(names)):
        if not folder.CAPTURES.fullmatch(name) and (data := read(folder.anchor_path(size, name))) is not None:
            yield name, data
    for stamp in folder.stamps(size, names, read):
        token = read_token(stamp.reply, stamp.request, note)
        yield f"{stamp.name}.chain.pem", token.chain
        if root := folder.root_of(log, stamp, note):
            yield f"{stamp.name}.root.pem", root
    for name, _, _ in folder.cosignatures(size, names, read):
        if name in keys:
            yield f"{name}.vkey", f"{keys[name]}\n".encode()


def _readme(serial: int, about: About, names: list[str]) -> str:
    listed = "\n".join(f"  {name}" for name in names)
    return f"""Evidence of {about.number}
{about.address}

With the program, and no network:

  prior-art verify <this zip> --vkey KEY

Without it, with a POSIX shell, sha256sum, base64 and openssl 3: unpack the zip, then

  sha256sum -c SHA256SUMS
  sh verify.sh

Each line that begins with VERIFIED was proven; NO: and NOT say what was not. The keys in vkey and *.vkey and
the certificates in *.root.pem came with this zip. They prove nothing until you compare them with what the publisher,
observers and authorities announce elsewhere (openssl x509 -in NAME.root.pem -noout -fingerprint -sha256).

What stands for which time:

  created       created_at in {serial}.json: the publisher's word, no evidence
  published     the entry published/v1 in {serial}.evidence: the publisher's clock, signed
  existed by    *.tsr: tokens of time-stamp authorities (RFC 3161) over the file checkpoint, by *.tsq, *.chain.pem
                *.bitcoin.ots with header-*.bin: a Bitcoin block over the file checkpoint (OpenTimestamps)
  witnessed by  *.witness: those who saw the file checkpoint as the newest of one history, by their keys *.vkey
  captured      *.captures: the publisher's receipts of an archive's captures; ask the archive itself
  public by     *.cosignature: observers who fetched the texts that the file checkpoint dates, by their keys *.vkey

Files:

{listed}
  SHA256SUMS
"""
