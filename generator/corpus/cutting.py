"""Many documents in one stream: where each of them begins and ends, with one document at a time in memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DOCUMENT = 1 << 25  # bytes
_MARGIN = 64  # no token is longer: what may be the beginning of one at the end of a chunk is looked at again
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """One document and where it stands in the stream. `long`: it has more than MAX_DOCUMENT bytes, and no data here.
    `last`: it ends where the stream ends.
    """

    start: int
    end: int
    data: bytes
    long: bool
    last: bool


def cut(chunks: Iterator[bytes], start: int, token: re.Pattern[bytes]) -> Iterator[Piece]:
    """The pieces from byte `start` on. A match of `token` with the group `always` begins a piece; any other one does
    where the group `root` has matched since the last beginning. Blank pieces are left out.
    """
    buffer, base, first, scanned, rooted, long = bytearray(), start, start, 0, False, False

    def piece(begin: int, end: int, last: bool = False) -> Iterator[Piece]:
        whole = not long and end - begin <= MAX_DOCUMENT
        data = bytes(buffer[begin:end]) if whole else b""
        if not whole or not _BLANK.fullmatch(data):
            yield Piece(first, base + end, data, not whole, last)

    for chunk in _from(chunks, start):
        buffer += chunk
        begin = 0
        for match in list(token.finditer(buffer, scanned)):  # a list: an iterator would pin the buffer's size
            if base + match.start() > first and (rooted or match["always"] is not None):
                yield from piece(begin, match.start())
                begin, first, rooted, long = match.start(), base + match.start(), False, False
            rooted = rooted or match["root"] is not None
            scanned = match.end()
        scanned = max(scanned, len(buffer) - _MARGIN)
        if long or len(buffer) - begin > MAX_DOCUMENT:
            long, begin = True, scanned
        del buffer[:begin]
        base, scanned = base + begin, scanned - begin
    yield from piece(0, len(buffer), last=True)


def _from(chunks: Iterator[bytes], start: int) -> Iterator[bytes]:
    """What follows byte `start`."""
    for chunk in chunks:
        if start < len(chunk):
            yield chunk[start:] if start else chunk
        start = max(0, start - len(chunk))
