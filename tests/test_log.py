import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import facts
import pytest
from facts import ORIGIN, TIME, archive, key, queue

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.log import append
from generator.log import archive as reading
from generator.log.archive import read_ledger, record_path
from generator.log.entries import Dated, Disclosed
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint
from generator.log.tiles import tile_path
from generator.publish.facts_branch import alone

LATER = "2026-11-23T03:17:00Z"


def check(output: Path, count: int) -> None:
    """The log is whole, holds each queued record once and in order, and nothing waits."""
    assert all(step.text for step in facts.audit(output))
    records = [logged.record for logged in facts.logged(output)]
    assert [record.salt for record in records] == [f"{number:032x}" for number in range(count)]
    assert reading.queued(output) == []
    assert append.staged(output) is None


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_serials_are_leaf_indices_and_findings_lie_beside_the_record(tmp_path: Path) -> None:
    archive(tmp_path, 3, published=TIME)
    archive(tmp_path, 2, first=3)
    logged = list(facts.logged(tmp_path, 0))
    assert [(item.serial, item.published_at) for item in logged] == [(0, TIME), (1, TIME), (2, TIME), (4, ""), (5, "")]
    assert logged[0].findings[0].check == "C12"
    assert logged[0].findings[0].claim is None
    assert [item.checkpoint_size for item in logged] == [3, 3, 3, 6, 6]
    check(tmp_path, 5)


def test_a_log_grows_across_tiles_and_equals_one_written_at_once(tmp_path: Path) -> None:
    for first, count in ((0, 1), (1, 254), (255, 1), (256, 1), (257, 290)):
        archive(tmp_path / "slow", count, first=first)
    archive(tmp_path / "fast", 547)
    check(tmp_path / "slow", 547)
    slow, fast = tree(tmp_path / "slow" / "log"), tree(tmp_path / "fast" / "log")
    assert slow["checkpoint"] == fast["checkpoint"]
    for path in (tile_path(0, 0), tile_path(0, 2, 35), tile_path(1, 0, 2), tile_path("entries", 2, 35)):
        assert slow[path] == fast[path]
    assert Checkpoint.parse(slow["checkpoint"].decode()).size == 547


def test_facts_only_grow(tmp_path: Path) -> None:
    archive(tmp_path, 5, published=TIME)
    before = tree(tmp_path)
    archive(tmp_path, 300, first=5)
    after = tree(tmp_path)
    assert {name for name in before if before[name] != after.get(name)} == {"log/checkpoint"}


def test_the_same_bytes_twice_in_the_queue_enter_once(tmp_path: Path) -> None:
    queue(tmp_path, range(1))
    (tmp_path / "queue" / "again.json").write_bytes(facts.record(0).to_bytes())
    facts.append(tmp_path)
    check(tmp_path, 1)


def test_an_empty_queue_changes_nothing(tmp_path: Path) -> None:
    assert facts.append(tmp_path) == Ledger()
    archive(tmp_path, 2)
    before = tree(tmp_path)
    assert facts.append(tmp_path).checkpoint == reading.current(tmp_path)
    assert tree(tmp_path) == before


DAMAGED: dict[str, tuple[str, bytes, str]] = {
    "record": (".json", b"{}", "record: missing member"),
    "no JSON": (".json", b"\xff", "not JSON in UTF-8"),
    "record of tomorrow": (
        ".json",
        facts.record(1, created_at="2099-01-01T00:00:00Z").to_bytes(),
        "2099-01-01T00:00:00Z lies in the future",
    ),
    "findings": (".findings.json", b"{", "the findings are damaged"),
    "judgement": (".judgement.json", b"{}", "the judgement is damaged"),
    "supersedes": (".supersedes.json", b'{"leaf":9}', "entry 9 of the log is no disclosure"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_in_the_queue_is_set_aside_and_the_rest_goes_on(tmp_path: Path, name: str) -> None:
    suffix, data, why = DAMAGED[name]
    queue(tmp_path, range(3))
    bad = sorted((tmp_path / "queue").glob("*1.json"))[0]
    before = {path.name: path.read_bytes() for path in (tmp_path / "queue").glob(f"{bad.stem}*")}
    bad.with_suffix(suffix).write_bytes(data)
    said: list[str] = []
    facts.append(tmp_path, report=said.append)
    assert [item.record.salt for item in facts.logged(tmp_path)] == [f"{n:032x}" for n in (0, 2)]
    facts.audit(tmp_path)
    assert not list((tmp_path / "queue").iterdir())
    aside = {path.name: path.read_bytes() for path in (tmp_path / "set-aside").iterdir()}
    assert why in aside.pop(f"{bad.stem}.reason.txt").decode()
    assert aside == {**before, bad.with_suffix(suffix).name: data}
    assert any(bad.name in line and why in line for line in said)


def test_a_record_that_is_in_the_log_does_not_enter_again(tmp_path: Path) -> None:
    archive(tmp_path, 2)
    queue(tmp_path, range(1, 3))
    facts.append(tmp_path)
    check(tmp_path, 3)


def test_a_damaged_tile_stops_the_log_before_it_is_signed(tmp_path: Path) -> None:
    archive(tmp_path, 5)
    path = tmp_path / "log" / tile_path(0, 0, 5)
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    queue(tmp_path, range(5, 7))
    with pytest.raises(LogError, match="do not continue its checkpoint of size 5"):
        facts.append(tmp_path)
    assert reading.current(tmp_path).size == 5  # type: ignore[union-attr]


def test_the_key_of_another_log_is_refused(tmp_path: Path) -> None:
    archive(tmp_path, 1)
    queue(tmp_path, range(1, 2))
    with pytest.raises(LogError, match=r"the key signs for other\.example"):
        facts.append(tmp_path, key("other.example"))


def test_staged_then_signed_or_discarded(tmp_path: Path) -> None:
    archive(tmp_path, 2)
    before = tree(tmp_path)
    queue(tmp_path, range(2, 5))
    batch = append.stage_queue(tmp_path, ORIGIN, read_ledger(tmp_path), now=facts.LATE)
    assert batch is not None
    assert batch.serials == (2, 3, 4)
    assert reading.current(tmp_path).size == 2  # type: ignore[union-attr]
    with pytest.raises(LogError, match="staged already"):
        append.stage_queue(tmp_path, ORIGIN, read_ledger(tmp_path), now=facts.LATE)
    append.discard(tmp_path)
    after = {name: data for name, data in tree(tmp_path).items() if not name.startswith("queue/")}
    assert after == before
    assert len(reading.queued(tmp_path)) == 3
    append.stage_queue(tmp_path, ORIGIN, read_ledger(tmp_path), now=facts.LATE)
    append.commit(tmp_path, key())
    append.discard(tmp_path)
    check(tmp_path, 5)


def test_publication_times_are_set_once_and_anew_only_by_replacing(tmp_path: Path) -> None:
    archive(tmp_path, 3)
    facts.publish(tmp_path, TIME, [0, 2])
    with pytest.raises(LogError, match="never changes"):
        facts.publish(tmp_path, LATER, [0, 1])
    facts.publish(tmp_path, LATER, [0, 1, 2], replaces=3)
    assert [item.published_at for item in facts.logged(tmp_path, 0)] == [LATER] * 3
    entries = dict(facts.entries(tmp_path))
    assert entries[3] == Dated(TIME, ((0, 0), (2, 2)))
    assert entries[4] == Dated(LATER, ((0, 2),), 3)
    for leaves, reason in (([3], "not a disclosure"), ([99], "not a disclosure"), ([], "nothing to publish")):
        with pytest.raises(LogError, match=reason):
            facts.publish(tmp_path, LATER, leaves)


def test_a_range_runs_on_across_entries_that_are_no_disclosures(tmp_path: Path) -> None:
    archive(tmp_path, 1, published=TIME)
    archive(tmp_path, 2, first=1)
    facts.publish(tmp_path, LATER, [2, 3])
    assert facts.entries(tmp_path)[-1][1] == Dated(LATER, ((2, 3),))


class Broken(Exception):
    pass


@pytest.mark.parametrize("persisted", [False, True])
def test_a_fault_at_any_write_is_recovered_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, persisted: bool
) -> None:
    """Every write and every unlink fails once: before it took effect, and after."""
    real_write, real_unlink = files.write, Path.unlink
    for fault in range(1, 200):
        output = tmp_path / str(fault)
        archive(output, 2)
        queue(output, range(2, 5))
        count = 0

        def broken(real: Callable[..., None], fault: int = fault) -> Callable[..., None]:
            def call(*args: object, **options: object) -> None:
                nonlocal count
                count += 1
                if count != fault:
                    return real(*args, **options)
                if persisted:
                    real(*args, **options)
                raise Broken

            return call

        monkeypatch.setattr(files, "write", broken(real_write))
        monkeypatch.setattr(Path, "unlink", broken(real_unlink))
        try:
            facts.append(output)
            done = True
        except Broken:
            done = False
        monkeypatch.undo()
        facts.append(output)
        check(output, 5)
        if done:
            assert fault > 15
            return
    pytest.fail("the batch never came to its end")


def test_what_a_kill_left_of_a_write_is_swept(tmp_path: Path) -> None:
    archive(tmp_path, 2)
    queue(tmp_path, range(2, 4))
    append.stage_queue(tmp_path, ORIGIN, read_ledger(tmp_path), now=facts.LATE)
    torn = [tmp_path / "log" / tile_path(0, 0, 4), record_path(tmp_path, 3), tmp_path / "log" / "checkpoint"]
    for path in torn:
        path.with_name(".part-abcdefgh").write_bytes(b"half")
    facts.append(tmp_path)
    check(tmp_path, 4)
    assert not list(tmp_path.rglob(".part-*"))


def append_in_child(output: Path, delay: float) -> None:
    child = multiprocessing.get_context("fork").Process(target=facts.append, args=(output,))
    child.start()
    time.sleep(delay)
    if child.pid and child.is_alive():
        os.kill(child.pid, signal.SIGKILL)
    child.join()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    """A short form of tests/soak_kills.py."""
    written = 0
    for number in range(12):
        queue(tmp_path, range(written, written + 4))
        written += 4
        append_in_child(tmp_path, 0.004 * (number % 9))
    facts.append(tmp_path)
    check(tmp_path, written)


def test_of_two_appenders_one_waits_and_then_finds_its_work_done(tmp_path: Path) -> None:
    queue(tmp_path, range(2))
    said: list[str] = []
    with (
        alone(tmp_path, said.append),
        pytest.raises(LogError, match="another process works in this folder") as caught,
        alone(tmp_path, said.append, wait_seconds=0.15),
    ):
        pytest.fail("two at once")
    assert "run the same command again" in caught.value.hint
    assert said == ["another process works in this folder; waiting for it"]
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=facts.append, args=(tmp_path,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    check(tmp_path, 2)


def test_a_full_disk_is_one_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(tmp_path, range(2))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PressError, match="cannot be written: No space left on device") as caught:
        facts.append(tmp_path)
    assert "Free space" in caught.value.hint
    assert not list((tmp_path / "log").glob(".part-*"))
    monkeypatch.undo()
    facts.append(tmp_path)
    check(tmp_path, 2)


def test_the_files_of_a_batch_and_their_folders_are_on_the_disk_before_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(tmp_path, range(3))
    synced: set[tuple[int, int]] = set()
    before: list[set[tuple[int, int]]] = []
    real_sync, real_write = os.fsync, files.write

    def fsync(handle: int) -> None:
        known = os.fstat(handle)
        synced.add((known.st_dev, known.st_ino))
        real_sync(handle)

    def write(path: Path, data: bytes, **options: bool) -> None:
        if path.name == "checkpoint":
            before.append(set(synced))
        real_write(path, data, **options)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("the whole machine is flushed"))
    monkeypatch.setattr(files, "write", write)
    facts.append(tmp_path)
    written = [*(tmp_path / "records").rglob("*"), *(tmp_path / "log" / "tile").rglob("*"), tmp_path / "log"]
    written += [tmp_path / "records", tmp_path / "log" / "checkpoints" / "3"]
    assert {(p.stat().st_dev, p.stat().st_ino) for p in written} <= before[0]


def test_facts_that_contradict_the_log_are_not_shown(tmp_path: Path) -> None:
    archive(tmp_path, 2)
    path = record_path(tmp_path, 1)
    path.write_bytes(facts.record(9).to_bytes())
    with pytest.raises(LogError, match="not the record that entry 1"):
        list(facts.logged(tmp_path, 0))
    assert isinstance(facts.entries(tmp_path)[1][1], Disclosed)
