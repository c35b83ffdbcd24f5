"""The evidence of one disclosure: the entries of the log that speak of it, under one signed checkpoint.

A function of the log: of the checkpoints that were kept, the smallest that covers all these entries. So the same log
gives the same evidence, and a later entry of another disclosure changes nothing. Format: docs/record-format.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.base.errors import LogError
from generator.log import merkle
from generator.log.entries import MAX_BYTES, Dated, Disclosed, Entry, Superseded, Withdrawn, parse_entry
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, decode_base64, encode_base64
from generator.log.tiles import Tiles

HEADER = "prior-art-evidence/v1"
MAX_ENTRIES = 8
MAX_TEXT = 1 << 20
_ENTRY = re.compile(r"entry (0|[1-9][0-9]{0,14}) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry of the log, its index, and the hashes that lead from it to the root of the evidence's checkpoint."""

    index: int
    data: bytes
    hashes: tuple[bytes, ...]

    @property
    def entry(self) -> Entry:
        return parse_entry(self.data)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The first of `entries` is the disclosure itself; the others follow in the order of the log."""

    entries: tuple[Proven, ...]
    note: str

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(self.note)

    @property
    def serial(self) -> int:
        return self.entries[0].index

    @property
    def text(self) -> str:
        blocks = (
            f"entry {proven.index} {encode_base64(proven.data)}\n"
            + "".join(f"{encode_base64(item)}\n" for item in proven.hashes)
            for proven in self.entries
        )
        return f"{HEADER}\n{''.join(blocks)}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> "Evidence":
        """Raises LogError for what `text` would not have written, and for entries of no meaning for the first."""
        head, separator, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != HEADER or not separator or len(text) > MAX_TEXT:
            raise LogError(f"not evidence: {HEADER!r}, entries with their hashes, an empty line, a checkpoint")
        found: list[Proven] = []
        for line in lines:
            if match := _ENTRY.fullmatch(line):
                found.append(Proven(int(match[1]), decode_base64(match[2]) or b"", ()))
                continue
            item = decode_base64(line)
            if not found or item is None or len(item) != merkle.HASH_BYTES or len(found[-1].hashes) == 63:
                raise LogError("a line of the evidence is neither an entry nor the base64 of a hash")
            found[-1] = Proven(found[-1].index, found[-1].data, (*found[-1].hashes, item))
        evidence = cls(tuple(found), note)
        evidence._require_meaning()
        if evidence.text != text:
            raise LogError("the evidence is not written as this format writes it")
        return evidence

    @property
    def published(self) -> tuple[int, str] | None:
        """Index and time of the entry that dates the disclosure."""
        return next(((p.index, e.time) for p in self.entries if isinstance(e := p.entry, Dated)), None)

    @property
    def superseded_by(self) -> int | None:
        pairs = (e for p in self.entries if isinstance(e := p.entry, Superseded))
        return next((e.by for e in pairs if e.leaf == self.serial), None)

    @property
    def supersedes(self) -> int | None:
        pairs = (e for p in self.entries if isinstance(e := p.entry, Superseded))
        return next((e.leaf for e in pairs if e.by == self.serial), None)

    @property
    def withdrawn(self) -> int | None:
        """Index of the entry that withdraws the disclosure."""
        return next((p.index for p in self.entries if isinstance(p.entry, Withdrawn)), None)

    def _require_meaning(self) -> None:
        """Each entry speaks of the disclosure, each kind once, in the order of the log."""
        if not 0 < len(self.entries) <= MAX_ENTRIES or any(not 0 < len(p.data) <= MAX_BYTES for p in self.entries):
            raise LogError(f"the evidence has no entry, more than {MAX_ENTRIES}, or one of a wrong size")
        first, *others = self.entries
        if not isinstance(first.entry, Disclosed):
            raise LogError("the first entry of the evidence is no disclosure")
        kinds: set[str] = set()
        for before, proven in zip(self.entries, others, strict=False):
            kind = role(proven.entry, proven.index, first.index)
            if not kind or kind in kinds or proven.index <= before.index:
                raise LogError(f"entry {proven.index} has no place in the evidence of disclosure {first.index}")
            kinds.add(kind)


def role(entry: Entry, index: int, serial: int) -> str:
    """What the entry at `index` says of the disclosure `serial`, or an empty string."""
    if index <= serial:
        return ""
    match entry:
        case Dated(leaves=leaves) if any(first <= serial <= last for first, last in leaves):
            return "published"
        case Superseded(leaf=leaf, by=by) if leaf == serial and by != serial and by < index:
            return "superseded"
        case Superseded(leaf=leaf, by=by) if by == serial and leaf != serial and leaf < index:
            return "supersedes"
        case Withdrawn(leaf=leaf) if leaf == serial:
            return "withdrawn"
    return ""


def speaking(ledger: Ledger) -> dict[int, tuple[int, ...]]:
    """For each disclosure, the indices of the entries that count for it, its own first, in the order of the log."""
    disclosed = (index for index, entry in enumerate(ledger.entries) if isinstance(entry, Disclosed))
    roles: dict[int, dict[str, int]] = {index: {} for index in disclosed}
    for serial, index in ledger.dated_by.items():
        roles[serial]["published"] = index
    for index, entry in enumerate(ledger.entries):
        if isinstance(entry, Superseded) and ledger.successor_of.get(entry.leaf) == entry.by:
            roles[entry.leaf].setdefault("superseded", index)
            if ledger.predecessor_of.get(entry.by) == entry.leaf:
                roles[entry.by].setdefault("supersedes", index)
        if isinstance(entry, Withdrawn) and entry.leaf in roles and entry.leaf < index:
            roles[entry.leaf].setdefault("withdrawn", index)
    return {serial: tuple(sorted({serial, *found.values()})) for serial, found in roles.items()}


def gather(
    indices: tuple[int, ...],
    notes: Mapping[int, str],
    tree: Callable[[int], Tiles],
) -> Evidence:
    """The evidence of the disclosure `indices[0]`. `notes` are the kept checkpoints by size, `tree` reads the log.

    Raises LogError where no kept checkpoint covers the entries.
    """
    size = min((size for size in notes if size > indices[-1]), default=0)
    if not size:
        raise LogError(f"no kept checkpoint covers entry {indices[-1]}", hint="Restore log/checkpoints from the facts.")
    tiles = tree(size)
    proven = (Proven(i, tiles.entry(i), merkle.inclusion_proof(tiles.nodes, i, size)) for i in indices)
    return Evidence(tuple(proven), notes[size])
