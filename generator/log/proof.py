"""The `.proof` file of a disclosure: C2SP tlog-proof. An extra line is read, and never written by `append`."""

import re
from dataclasses import dataclass

from generator.base.errors import LogError
from generator.log import merkle
from generator.log.note import Checkpoint, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Proof:
    """`hashes` lead from leaf `index` to the root of the signed checkpoint that `note` holds."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        hashes = "".join(f"{encode_base64(item)}\n" for item in self.hashes)
        extra = "" if self.extra is None else f"extra {encode_base64(self.extra)}\n"
        return f"{HEADER}\n{extra}index {self.index}\n{hashes}\n{self.note}"

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(self.note)

    @classmethod
    def parse(cls, text: str) -> "Proof":
        """Raises LogError for what `text` would not have written."""
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        extra = decode_base64(lines.pop(1)[6:]) if len(lines) > 1 and lines[1].startswith("extra ") else None
        hashes = [decode_base64(line) for line in lines[2:]]
        index = re.fullmatch(r"index (0|[1-9][0-9]{0,14})", lines[1]) if len(lines) > 1 else None
        if not separator or lines[0] != HEADER or index is None or len(hashes) > 63:
            raise LogError(f"not a proof: {HEADER!r}, an index line, hashes, an empty line, a checkpoint are expected")
        whole = tuple(item for item in hashes if item is not None and len(item) == merkle.HASH_BYTES)
        if len(whole) != len(hashes):
            raise LogError("a hash of the proof is not the base64 of 32 bytes")
        proof = cls(int(index[1]), whole, note, extra)
        if proof.text != text:
            raise LogError("the proof is not written as this format writes it")
        return proof
