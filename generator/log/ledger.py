"""What a log says: its entries, and which disclosures they date, withdraw or supersede.

A command reads the ledger once, with `archive.read_ledger`, and passes it on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.log.entries import Dated, Disclosed, Entry, LeftOut, Superseded, Withdrawn
from generator.log.note import Checkpoint


@dataclass(frozen=True, slots=True)
class Deploy:
    """A `published` entry of the log: its index, its time, the disclosures that it names and that are not withdrawn."""

    index: int
    time: str
    leaves: tuple[int, ...]


@dataclass(frozen=True)
class Ledger:
    """The entries under a checkpoint, by leaf index. Everything else is derived from them, on first use."""

    entries: tuple[Entry, ...] = ()
    checkpoint: Checkpoint | None = None

    @property
    def size(self) -> int:
        return len(self.entries)

    def disclosure(self, serial: int) -> Disclosed | None:
        """The disclosure at a leaf; None for other entries and for leaves that the log does not have."""
        entry = self.entries[serial] if 0 <= serial < self.size else None
        return entry if isinstance(entry, Disclosed) else None

    def served(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Disclosed]]:
        """The disclosures from leaf `start` to before `end` whose texts are not withdrawn."""
        for serial, entry in enumerate(self.entries[start:end], start):
            if isinstance(entry, Disclosed) and serial not in self.withdrawn:
                yield serial, entry

    @cached_property
    def serials(self) -> dict[str, int]:
        """The serial of each record, by its SHA-256."""
        return {entry.sha256: serial for serial, entry in enumerate(self.entries) if isinstance(entry, Disclosed)}

    @cached_property
    def withdrawn(self) -> dict[int, int]:
        """For each disclosure whose text is withdrawn, the index of the entry that says so."""
        found = {entry.leaf: index for index, entry in reversed(self._withdrawals) if self.disclosure(entry.leaf)}
        return dict(sorted(found.items()))

    @property
    def _withdrawals(self) -> list[tuple[int, Withdrawn]]:
        return [(index, entry) for index, entry in enumerate(self.entries) if isinstance(entry, Withdrawn)]

    @cached_property
    def dated_by(self) -> dict[int, int]:
        """For each disclosure that has a publication time, the index of the entry that gives it.

        An entry counts unless a later one replaces it; of those that count, the first that names a disclosure dates it.
        """
        published = [(index, entry) for index, entry in enumerate(self.entries) if isinstance(entry, Dated)]
        replaced = {entry.replaces for index, entry in published if entry.replaces is not None}
        by: dict[int, int] = {}
        for index, entry in published:
            if index not in replaced:
                for leaf in self._named(entry, index):
                    by.setdefault(leaf, index)
        return by

    @cached_property
    def dated(self) -> dict[int, str]:
        """The publication time of each disclosure that has one."""
        times = {index: entry.time for index, entry in enumerate(self.entries) if isinstance(entry, Dated)}
        return {leaf: times[index] for leaf, index in self.dated_by.items()}

    @property
    def undated(self) -> tuple[int, ...]:
        """Served disclosures that have no publication time."""
        return tuple(serial for serial, _ in self.served() if serial not in self.dated_by)

    @cached_property
    def newest_deploy(self) -> Deploy | None:
        """The newest `published` entry; None before the first."""
        for index in reversed(range(self.size)):
            if isinstance(entry := self.entries[index], Dated):
                leaves = (leaf for leaf in self._named(entry, index) if leaf not in self.withdrawn)
                return Deploy(index, entry.time, tuple(leaves))
        return None

    @cached_property
    def superseded(self) -> dict[int, int]:
        """For each disclosure that an entry supersedes, by which one, be they served or withdrawn.

        An entry counts where it names two disclosures before it; of several that name one disclosure, the first counts.
        """
        by: dict[int, int] = {}
        for index, entry in enumerate(self.entries):
            if not isinstance(entry, Superseded) or entry.leaf == entry.by or max(entry.leaf, entry.by) >= index:
                continue
            if self.disclosure(entry.leaf) and self.disclosure(entry.by):
                by.setdefault(entry.leaf, entry.by)
        return by

    @cached_property
    def successor_of(self) -> dict[int, int]:
        """`superseded` without pairs of which one is withdrawn."""
        return {old: new for old, new in self.superseded.items() if not {old, new} & self.withdrawn.keys()}

    @cached_property
    def predecessor_of(self) -> dict[int, int]:
        return {new: old for old, new in self.successor_of.items()}

    @cached_property
    def left_out(self) -> dict[str, LeftOut]:
        """For each run that published the best alone, its newest list of what it left out."""
        return {entry.run: entry for entry in self.entries if isinstance(entry, LeftOut)}

    def _named(self, entry: Dated, index: int) -> Iterator[int]:
        """The disclosures before `index` that the entry there names."""
        for first, last in entry.leaves:
            for leaf in range(first, min(last + 1, index)):
                if isinstance(self.entries[leaf], Disclosed):
                    yield leaf
