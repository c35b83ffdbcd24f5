"""OpenTimestamps proofs (.ots): reading, joining, and what makes one say a day.

A proof is a tree of operations on the SHA-256 of a file. Where a path ends in the Merkle root of a Bitcoin block, the
80 bytes of that block's header are enough to check it offline: the header's hash meets its own target, and the target
is no easier than FLOOR, so that nobody makes such a header for less than a block of 2022 cost.
Source of the format: python-opentimestamps, core/{serialize,op,notary,timestamp}.py.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from generator.base.errors import LogError

MAGIC = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01"
SHA256 = b"\x08"
FORK, ATTESTATION = 0xFF, 0x00
BITCOIN = bytes.fromhex("0588960d73d71901")
PENDING = bytes.fromhex("83dfe30d2ef90c8e")
MAX_PROOF = 1 << 16
MAX_MESSAGE = 4096
MAX_PAYLOAD = 8192
MAX_DEPTH = 256
HEADER_BYTES = 80
FLOOR = 0x0A0000 << 160  # a difficulty of 2.8e13, that of the middle of 2022
CLOCKS = timedelta(hours=2)  # a block may be younger than its header says, by less than this
_UNARY: Mapping[int, Callable[[bytes], bytes]] = {
    0x02: lambda message: hashlib.sha1(message).digest(),
    0x03: lambda message: hashlib.new("ripemd160", message).digest(),
    0x08: lambda message: hashlib.sha256(message).digest(),
    0xF2: lambda message: message[::-1],
    0xF3: lambda message: message.hex().encode(),
}
_APPEND, _PREPEND = 0xF0, 0xF1


@dataclass(frozen=True, slots=True)
class Attestation:
    """`path` are the operations that lead from the file's digest to `message`, as they stand in a proof."""

    path: bytes
    message: bytes
    kind: bytes
    payload: bytes

    @property
    def height(self) -> int | None:
        """Of the Bitcoin block whose Merkle root the message is said to be."""
        return _Reader(self.payload).whole_number() if self.kind == BITCOIN else None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise LogError("the proof ends in the middle")
        self.at += count
        return part

    def number(self) -> int:
        """LEB128, at most 63 bits, in its shortest form."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                if shift > 7 and not byte:
                    raise LogError("a number of the proof is not in its shortest form")
                return value
            if shift > 56:
                raise LogError("a number of the proof is too large")

    def whole_number(self) -> int:
        value = self.number()
        self.end()
        return value

    def bytes_of(self, most: int, least: int = 0) -> bytes:
        count = self.number()
        if not least <= count <= most:
            raise LogError(f"a part of the proof has {count} bytes")
        return self.take(count)

    def end(self) -> None:
        if self.at != len(self.data):
            raise LogError("bytes stand after the proof")


def parse(proof: bytes, digest: bytes) -> tuple[Attestation, ...]:
    """All attestations of a proof for the file with this SHA-256. Raises LogError."""
    head = MAGIC + SHA256 + digest
    if not proof.startswith(MAGIC + SHA256) or len(proof) > MAX_PROOF:
        raise LogError("not an OpenTimestamps proof over SHA-256")
    if not proof.startswith(head):
        raise LogError("the proof is for another file")
    return parse_timestamp(proof[len(head) :], digest)


def parse_timestamp(data: bytes, message: bytes) -> tuple[Attestation, ...]:
    """What a calendar answers about `message`. Raises LogError for what this format does not write."""
    if len(data) > MAX_PROOF:
        raise LogError("the proof is too large")
    reader = _Reader(data)
    found = tuple(_node(reader, message, b"", 0))
    reader.end()
    return found


def _node(reader: _Reader, message: bytes, path: bytes, depth: int) -> Iterator[Attestation]:
    if depth > MAX_DEPTH:
        raise LogError("the proof is too deep")
    while True:
        tag = reader.take(1)[0]
        last = tag != FORK
        if not last:
            tag = reader.take(1)[0]
        if tag == ATTESTATION:
            kind = reader.take(8)
            found = Attestation(path, message, kind, reader.bytes_of(MAX_PAYLOAD))
            if found.kind == BITCOIN and len(message) != 32:
                raise LogError("a Bitcoin attestation is of something that is no Merkle root")
            _ = found.height
            yield found
        else:
            start = reader.at - 1
            result = _applied(tag, reader, message)
            yield from _node(reader, result, path + reader.data[start : reader.at], depth + 1)
        if last:
            return


def _applied(tag: int, reader: _Reader, message: bytes) -> bytes:
    if tag in (_APPEND, _PREPEND):
        other = reader.bytes_of(MAX_MESSAGE, 1)
        result = message + other if tag == _APPEND else other + message
    elif tag in _UNARY:
        try:
            result = _UNARY[tag](message)
        except ValueError as error:  # ripemd160 is missing in some builds of OpenSSL
            raise LogError(f"an operation of the proof is not available here: {error}") from error
    else:
        raise LogError(f"the proof has an unknown operation {tag:#04x}")
    if len(result) > MAX_MESSAGE:
        raise LogError("a message of the proof is too long")
    return result


def detached(digest: bytes, timestamp: bytes) -> bytes:
    """The file that OpenTimestamps' own client reads."""
    return MAGIC + SHA256 + digest + timestamp


def joined(digest: bytes, pending: Attestation, answer: bytes) -> bytes:
    """The proof that goes from the file by the path of `pending` into what the calendar now answers about it."""
    return detached(digest, pending.path + answer)


def header_day(header: bytes, merkle_root: bytes) -> str:
    """The day (UTC) by which a block with this Merkle root was there. Raises LogError.

    The header's own clock may be behind by nearly two hours, so the day is that of two hours later.
    """
    if len(header) != HEADER_BYTES or header[36:68] != merkle_root:
        raise LogError("the header is not of a block with this Merkle root")
    bits = int.from_bytes(header[72:76], "little")
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 or not 3 <= exponent <= 32:
        raise LogError("the header names no target")
    target = mantissa << 8 * (exponent - 3)
    work = int.from_bytes(hashlib.sha256(hashlib.sha256(header).digest()).digest(), "little")
    if work > target:
        raise LogError("the header does not meet its own target")
    if target > FLOOR:
        raise LogError("the header was made with less work than any block since 2022")
    at = datetime.fromtimestamp(int.from_bytes(header[68:72], "little"), UTC) + CLOCKS
    return at.date().isoformat()


def confirmed(attestations: tuple[Attestation, ...], headers: Mapping[int, bytes]) -> tuple[int, str] | None:
    """The lowest block that the headers confirm, and its day; None where no attested block has its header here.

    Raises LogError for a header that does not fit its attestation.
    """
    roots = {one.height: one.message for one in attestations if one.height is not None and one.height in headers}
    days = sorted((height, header_day(headers[height], root)) for height, root in roots.items())
    return days[0] if days else None
