"""Who says, by the files below log/anchors/, that a checkpoint existed or was public by a time.

Nothing is verified here: the publisher verified each file before it was kept, and `check` and `verify` do it anew.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from generator.base import files
from generator.log.anchors import folder
from generator.log.anchors.captured import captures
from generator.log.anchors.cosignatures import said_time
from generator.log.anchors.opentimestamps import confirmed, parse
from generator.log.anchors.tokens import read_token
from generator.log.tiles import Read

Kind = Literal["existed", "witnessed", "public", "captured"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # in the order of a page


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """`by` is the name that the publisher gives to who says it; `size` that of the checkpoint."""

    kind: Kind
    by: str
    size: int
    time: str

    def __str__(self) -> str:
        return f"{self.kind} {self.by} {self.size} {self.time}"


@dataclass(frozen=True, slots=True)
class Statements:
    """All statements about a log."""

    all: tuple[Statement, ...] = ()
    captured: Mapping[int, Statement] = field(default_factory=dict)  # the first receipt of each disclosure's page
    _by: dict[tuple[str, str], list[Statement]] = field(default_factory=dict, repr=False)

    def of(self, serial: int, dated_by: int | None) -> tuple[Statement, ...]:
        """By each who says something, of each kind, the one about the smallest checkpoint that covers `serial`.

        What was public is what the log dates: there the checkpoint covers the entry `dated_by` too.
        """
        if not self._by:
            for one in sorted(self.all, key=lambda one: one.size):
                self._by.setdefault((one.kind, one.by), []).append(one)
        found = []
        for (kind, _), those in self._by.items():
            if kind == "public" and dated_by is None:
                continue
            covered = max(serial, dated_by or 0) if kind == "public" else serial
            place = bisect_right(those, covered, key=lambda one: one.size)
            found += those[place : place + 1]
        found += [self.captured[serial]] if serial in self.captured else []
        return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one)))


def read_statements(log: Path) -> Statements:
    """Raises LogError for a file that says nothing about its checkpoint."""
    first: dict[int, Statement] = {}
    for one in captures(log):
        if one.serial is not None and one.path.endswith(".html"):
            first.setdefault(one.serial, Statement("captured", one.by, one.size, one.time))
    return Statements(tuple(_statements(log)), first)


def _statements(log: Path) -> Iterator[Statement]:
    for size, names in folder.anchored(log).items():
        note = files.read_some(log / "checkpoints" / str(size), "a kept checkpoint", folder.MAX_FILE)
        for stamp in folder.stamps(size, names, folder.reader(log)):
            yield Statement("existed", stamp.name, size, read_token(stamp.reply, stamp.request, note).time)
        if (block := block_of(size, names, folder.reader(log), note)) is not None:
            yield Statement("existed", "bitcoin", size, block[1])
        for name, witness, line in folder.cosignatures(size, names, folder.reader(log)):
            yield Statement("witnessed" if witness else "public", name, size, said_time(line))


def block_of(size: int, names: tuple[str, ...], read: Read, note: bytes) -> tuple[int, str] | None:
    """The lowest Bitcoin block that proofs and headers of a size lead to, and its day. Raises LogError."""
    headers, digest = folder.headers(size, names, read), hashlib.sha256(note).digest()
    found = [confirmed(parse(proof, digest), headers) for _, proof in folder.proofs(size, names, read)]
    return min((one for one in found if one), default=None)
