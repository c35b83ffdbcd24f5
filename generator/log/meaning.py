"""Whether the entries of a log can be true: each names what is there, times only grow, nothing is said twice."""

from collections.abc import Collection, Iterator

from generator.log.entries import Anchored, Closed, Dated, Entry, LeftOut, Opened, Superseded, Withdrawn
from generator.log.ledger import Ledger


def fault(ledger: Ledger, confirmed: Collection[int] = ()) -> str:
    """The first entry that says what cannot be, and why; an empty string for a log without one.

    `confirmed` are the indices of `published` entries whose deploy was read back: none of them may be replaced.
    """
    said = _Said(ledger, confirmed)
    for index, entry in enumerate(ledger.entries):
        if why := said.add(index, entry):
            return f"entry {index}: {why}"
    return ""


class _Said:
    """What the entries before the next one say."""

    def __init__(self, ledger: Ledger, confirmed: Collection[int]) -> None:
        self._ledger, self._confirmed = ledger, confirmed
        self._newest: tuple[int, Dated] | None = None
        self._dated: dict[int, int] = {}
        self._withdrawn: set[int] = set()
        self._superseded: set[int] = set()
        self._left: dict[str, LeftOut] = {}
        self._anchored: dict[str, str] = {}

    def add(self, index: int, entry: Entry) -> str:
        match entry:
            case Dated():
                return self._published(index, entry)
            case Superseded():
                return self._supersede(index, entry)
            case Withdrawn():
                return self._withdraw(index, entry)
            case LeftOut():
                return self._left_out(entry)
            case Anchored():
                return self._anchor(entry)
            case Closed() if index != self._ledger.size - 1:
                return "the log is closed, and goes on"
            case Opened() if index:
                return "a log is opened by its first entry alone"
        return ""

    def _published(self, index: int, entry: Dated) -> str:
        before, self._newest = self._newest, (index, entry)
        if before and entry.time < before[1].time:
            return f"its time {entry.time} lies before {before[1].time}, the time of entry {before[0]}"
        if why := self._ranges(index, entry) or self._replaces(entry, before):
            return why
        for leaf in self._leaves(entry):
            by = self._dated.get(leaf)
            if by is not None and by != entry.replaces:
                return f"disclosure {leaf} has its publication time by entry {by} already"
        if entry.replaces is not None and before:
            for leaf in self._leaves(before[1]):
                if self._dated.get(leaf) == entry.replaces:
                    del self._dated[leaf]
        self._dated.update(dict.fromkeys(self._leaves(entry), index))
        return ""

    def _ranges(self, index: int, entry: Dated) -> str:
        end = -1
        for first, last in entry.leaves:
            if not end < first <= last:
                return f"the leaves {first}-{last} are no range, or do not follow the range before"
            if last >= index:
                return f"the leaves {first}-{last} lie beyond the entry itself"
            if not self._ledger.disclosure(first) or not self._ledger.disclosure(last):
                return f"the leaves {first}-{last} do not begin and end with a disclosure"
            end = last
        return ""

    def _replaces(self, entry: Dated, before: tuple[int, Dated] | None) -> str:
        if entry.replaces is None:
            return ""
        if before is None or entry.replaces != before[0]:
            return f"it replaces entry {entry.replaces}, which is not the newest published entry before it"
        if entry.replaces in self._confirmed:
            return f"it replaces entry {entry.replaces}, whose deploy became public"
        return ""

    def _leaves(self, entry: Dated) -> Iterator[int]:
        return (n for first, last in entry.leaves for n in range(first, last + 1) if self._ledger.disclosure(n))

    def _supersede(self, index: int, entry: Superseded) -> str:
        if entry.leaf == entry.by:
            return f"disclosure {entry.leaf} supersedes itself"
        for leaf in (entry.leaf, entry.by):
            if leaf >= index or not self._ledger.disclosure(leaf):
                return f"entry {leaf} is no disclosure before it"
        if entry.leaf in self._superseded or entry.leaf in self._withdrawn:
            return f"disclosure {entry.leaf} is superseded or withdrawn already"
        self._superseded.add(entry.leaf)
        return ""

    def _anchor(self, entry: Anchored) -> str:
        for path, digest, _ in entry.files:
            if not _below(path):
                return f"the file {path} does not lie below log/"
            if self._anchored.setdefault(path, digest) != digest:
                return f"the file {path} is named with two digests"
        return ""

    def _withdraw(self, index: int, entry: Withdrawn) -> str:
        if entry.leaf >= index or not self._ledger.disclosure(entry.leaf):
            return f"it withdraws entry {entry.leaf}, which is no disclosure before it"
        if entry.leaf in self._withdrawn:
            return f"disclosure {entry.leaf} is withdrawn already"
        if entry.time and self._newest and entry.time < self._newest[1].time:
            return f"its time {entry.time} lies before {self._newest[1].time}, the time of entry {self._newest[0]}"
        self._withdrawn.add(entry.leaf)
        return ""

    def _left_out(self, entry: LeftOut) -> str:
        """A list of a run is never shorter than the one before it: what was left out stays left out."""
        before, self._left[entry.run] = self._left.get(entry.run), entry
        if not entry.count:
            return "it counts no record"
        if before and (entry.count < before.count or (entry.count == before.count and entry.root != before.root)):
            return f"run {entry.run} left out {before.count} records before, with another root or more than now"
        return f"the list of run {entry.run} is said already" if entry == before else ""


def _below(path: str) -> bool:
    return not any(part in ("", ".", "..") for part in path.split("/"))
