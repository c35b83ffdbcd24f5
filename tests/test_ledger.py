"""The ledger: what a log says, read once by a command and continued where the log has grown."""

import random
from collections.abc import Callable
from pathlib import Path

import facts
import nights
import pytest

from generator.commands import nightly
from generator.log import archive
from generator.log.archive import read_ledger
from generator.log.entries import Dated, Disclosed, Entry, Superseded, Withdrawn
from generator.log.ledger import Ledger
from generator.measure.report import report
from generator.publish import deploy
from generator.site import bundles
from generator.verify import audit

TIMES = [f"2026-11-{day}T03:17:00Z" for day in range(10, 30)]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every entry that is parsed from now on, by whichever reader."""
    seen: list[bytes] = []
    for module in (archive, audit):

        def counted(data: bytes, real: Callable[[bytes], Entry] = module.parse_entry) -> Entry:
            seen.append(data)
            return real(data)

        monkeypatch.setattr(module, "parse_entry", counted)
    return seen


@pytest.mark.parametrize("volume", [8192, 4])
def test_each_command_parses_each_entry_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes], volume: int
) -> None:
    for module in (archive, bundles, deploy):
        monkeypatch.setattr(module, "VOLUME", volume)
    output = tmp_path / "output"
    facts.archive(output, 9, published=TIMES[0])
    facts.queue(output, range(9, 12))
    here = nights.at_night(tmp_path, nights.SETTINGS, 30, 0)
    to = f"folder:{tmp_path / 'public'}"
    commands: tuple[Callable[[], object], ...] = (
        lambda: nightly.append(here, None),
        lambda: report(here),
        lambda: nightly.build(here),
        lambda: nightly.check(here),
        lambda: nightly.nightly(here, done=True),
    )
    for number, command in enumerate(commands):
        parsed.clear()
        command()
        assert len(parsed) == 13, number
    parsed.clear()
    nightly.publish(here, to=to)
    assert len(parsed) == 2 * 14  # once to date, build and confirm; once by `check`, which trusts nothing read before


def test_a_ledger_is_continued_where_the_log_has_grown(tmp_path: Path, parsed: list[bytes]) -> None:
    facts.archive(tmp_path, 300)
    before = read_ledger(tmp_path)
    facts.archive(tmp_path, 5, first=300, published=TIMES[0])
    parsed.clear()
    after = read_ledger(tmp_path, before)
    assert len(parsed) == 306 - 300
    assert after == read_ledger(tmp_path)
    assert read_ledger(tmp_path, after) is after


def test_a_ledger_of_another_log_is_not_continued(tmp_path: Path) -> None:
    facts.archive(tmp_path / "a", 3)
    facts.archive(tmp_path / "b", 5, first=1)
    facts.archive(tmp_path / "c", 2)
    known = read_ledger(tmp_path / "a")
    assert read_ledger(tmp_path / "b", known).entries == read_ledger(tmp_path / "b").entries
    assert read_ledger(tmp_path / "c", known).entries == known.entries[:2]  # rolled back: read anew
    assert read_ledger(tmp_path / "none", known) == Ledger()


def test_a_range_beyond_the_log_names_only_what_is_there() -> None:
    ledger = Ledger((Disclosed("0" * 64, 1), Dated(TIMES[0], ((0, 10**14),)), Disclosed("1" * 64, 1)))
    assert ledger.newest_deploy is not None
    assert ledger.newest_deploy.leaves == (0,)
    assert ledger.dated == {0: TIMES[0]}
    assert ledger.undated == (2,)


def test_what_the_ledger_derives_agrees_with_the_entries_one_by_one() -> None:
    """Random logs, each read a second way: entry after entry, by the words of docs/record-format.md."""
    dice = random.Random(5)
    for _ in range(300):
        ledger = Ledger(tuple(_entry(dice, index) for index in range(dice.randrange(1, 25))))
        replaced = {entry.replaces for entry in ledger.entries if isinstance(entry, Dated)} - {None}
        dated: dict[int, str] = {}
        gone, by = set(), dict[int, int]()
        for index, entry in enumerate(ledger.entries):
            named = {n for n in range(index) if isinstance(ledger.entries[n], Disclosed)}
            if isinstance(entry, Dated) and index not in replaced:
                for leaf in sorted(named):
                    if any(first <= leaf <= last for first, last in entry.leaves):
                        dated.setdefault(leaf, entry.time)
            if isinstance(entry, Withdrawn):
                gone.add(entry.leaf)
            if isinstance(entry, Superseded) and {entry.leaf, entry.by} <= named and entry.leaf != entry.by:
                by.setdefault(entry.leaf, entry.by)
        served = [n for n, entry in enumerate(ledger.entries) if isinstance(entry, Disclosed) and n not in gone]
        assert ledger.dated == dated
        assert {ledger.entries[index].time for index in ledger.dated_by.values()} <= set(dated.values())  # type: ignore[union-attr]
        assert [serial for serial, _ in ledger.served()] == served
        assert list(ledger.undated) == [n for n in served if n not in dated]
        assert ledger.superseded == by
        assert ledger.successor_of == {old: new for old, new in by.items() if not {old, new} & gone}


def _entry(dice: random.Random, index: int) -> Entry:
    near = range(max(1, index + 2))
    kind = dice.randrange(6)
    if kind == 3:
        first = dice.choice(near)
        replaces = dice.choice(near) if dice.random() < 0.5 else None
        return Dated(dice.choice(TIMES), ((first, first + dice.randrange(4)),), replaces)
    if kind == 4:
        return Superseded(dice.choice(near), dice.choice(near))
    if kind == 5:
        return Withdrawn(dice.choice(near), "court-order", "0" * 64)
    return Disclosed(f"{index:064x}", 1)
