"""The few best of a queue: ranked by scores, few of a class, none below the floor; a kill loses nothing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judgements import OBVIOUS, classification

from generator.judge.sense import RATING
from generator.log import merkle
from generator.log.archive import queued, read_ledger
from generator.log.entries import LeftOut
from generator.log.left_out import CHOICE, FOLDER, root_of
from generator.record.judgement import Judgement, Measure, Sense
from generator.run import choosing
from generator.run.choosing import FLOOR, choose, rank


def scored(rating: int, subclass: str = "A01G") -> bytes:
    """A judgement by which a rating of twice as many thousandths is expected."""
    sense = Sense("gate", "reader", (Measure("goes_on", 999 - rating),), (Measure(RATING, 2 * rating),))
    return replace(OBVIOUS, sense=sense, classification=classification(subclass)).to_bytes()


def waiting(output: Path, *judgements: bytes) -> dict[str, int]:
    """A queue of as many records; the number of each by its file's name."""
    facts.queue(output, range(len(judgements)))
    names = {}
    for number, (path, data) in enumerate(zip(queued(output), judgements, strict=True)):
        path.with_suffix(".judgement.json").write_bytes(data)
        names[path.name] = number
    return names


def left(output: Path, names: dict[str, int]) -> set[int]:
    return {names[path.name] for path in queued(output)}


def test_those_with_the_highest_expected_rating_stay(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(900), scored(600), scored(950), scored(700))
    chosen = choose(tmp_path, "run", 2, of_a_class=9, floor=FLOOR)
    assert left(tmp_path, names) == {0, 2}
    assert (chosen.published, chosen.left, chosen.below_floor) == (2, 2, 0)
    aside = tmp_path / FOLDER / "run"
    digests = sorted(hashlib.sha256(path.read_bytes()).digest() for path in aside.glob("*[0-9].json"))
    leaves = [hashlib.sha256(b"\0" + digest).digest() for digest in digests]
    assert chosen.left_root == hashlib.sha256(b"\1" + leaves[0] + leaves[1]).hexdigest()
    assert (aside / CHOICE).is_file()
    assert len(list(aside.glob("*.findings.json"))) == 2


def test_no_more_than_some_of_a_class(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(990), scored(980), scored(970, subclass="E05D"), scored(960))
    choose(tmp_path, "run", 3, of_a_class=1, floor=FLOOR)
    assert left(tmp_path, names) == {0, 2}


def test_a_night_in_which_nothing_reaches_the_floor_publishes_nothing(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(300), scored(549), OBVIOUS.to_bytes())
    chosen = choose(tmp_path, "run", 5, of_a_class=5, floor=FLOOR)
    assert left(tmp_path, names) == set()
    assert (chosen.published, chosen.left, chosen.below_floor) == (0, 3, 3)


def test_a_kill_at_any_write_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judgements = [scored(600 + 10 * n) for n in range(5)]
    whole = tmp_path / "whole"
    waiting(whole, *judgements)
    wanted = choose(whole, "run", 2, of_a_class=9, floor=FLOOR)
    real = choosing.files.write
    for place in range(20):
        output = tmp_path / str(place)
        waiting(output, *judgements)
        count = 0

        def killed(path: Path, data: bytes, **options: bool) -> None:
            nonlocal count
            count += 1
            if count > place:  # noqa: B023
                raise KeyboardInterrupt
            real(path, data, **options)

        with monkeypatch.context() as patch:
            patch.setattr(choosing.files, "write", killed)
            try:
                choose(output, "run", 2, of_a_class=9, floor=FLOOR)
            except KeyboardInterrupt:
                assert len(queued(output)) + len(list((output / FOLDER / "run").glob("*[0-9].json"))) == 5
        assert choose(output, "run", 2, of_a_class=9, floor=FLOOR) == wanted
        assert [path.name for path in queued(output)] == [path.name for path in queued(whole)]


def test_a_judgement_without_an_expected_rating_has_no_rank() -> None:
    assert rank(OBVIOUS) is None
    old = replace(OBVIOUS, sense=Sense("gate", "", (Measure("goes_on", 999),), (Measure("length", 4000),)))
    assert rank(old) is None
    assert rank(Judgement.from_bytes(scored(640))) == 1.28


def test_what_was_left_out_is_logged_with_its_number_and_root(tmp_path: Path) -> None:
    waiting(tmp_path, scored(900), scored(800), scored(700))
    chosen = choose(tmp_path, "2026-12-01-00000001", 1, of_a_class=9, floor=FLOOR)
    ledger = facts.append(tmp_path)
    facts.audit(tmp_path)
    assert ledger.entries[1] == LeftOut("2026-12-01-00000001", 2, chosen.left_root)
    assert (ledger.size, len(list(ledger.served()))) == (2, 1)
    assert facts.append(tmp_path).size == 2  # once


def test_a_night_that_published_nothing_says_so_in_the_log(tmp_path: Path) -> None:
    waiting(tmp_path, scored(300), scored(200))
    choose(tmp_path, "night", 5, of_a_class=5, floor=FLOOR)
    assert [str(entry).split()[0] for entry in facts.append(tmp_path).entries] == ["left-out/v1"]
    facts.audit(tmp_path)


def test_a_later_choice_of_the_same_run_is_logged_only_where_it_adds(tmp_path: Path) -> None:
    waiting(tmp_path, scored(900), scored(800), scored(700))
    choose(tmp_path, "run", 2, of_a_class=9, floor=FLOOR)
    aside = tmp_path / FOLDER / "run" / CHOICE
    one = aside.read_bytes()
    assert facts.append(tmp_path).left_out["run"].count == 1
    facts.queue(tmp_path, range(5, 7))
    choose(tmp_path, "run", 1, of_a_class=9, floor=FLOOR)
    assert facts.append(tmp_path).left_out["run"].count == 3  # both had no score
    aside.write_bytes(one)
    assert facts.append(tmp_path).size == 4  # the log has it
    aside.write_bytes(b'{"left":2,"left_root":"%s"}' % (b"0" * 64))
    said: list[str] = []
    assert facts.append(tmp_path, report=said.append).left_out["run"].count == 3
    assert "the log has a list of 3 records" in said[0]
    facts.audit(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"left":1,"left_root":"x"}', b'{"left":"1","left_root":1}', b"\xff"]
)
def test_a_damaged_list_is_reported_and_the_rest_goes_on(tmp_path: Path, data: bytes) -> None:
    waiting(tmp_path, scored(900))
    path = tmp_path / FOLDER / "run" / CHOICE
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    (tmp_path / FOLDER / "a b").mkdir()
    (tmp_path / FOLDER / "a b" / CHOICE).write_bytes(b'{"left":1,"left_root":"%s"}' % (b"0" * 64))
    said: list[str] = []
    assert facts.append(tmp_path, report=said.append).size == 1
    assert len(said) == 2
    assert all("it is not logged" in line for line in said)
    assert read_ledger(tmp_path).left_out == {}


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.integers(0, 39))
def test_one_record_can_be_shown_to_be_on_a_list(digests: set[bytes], place: int) -> None:
    """By an inclusion proof of the log's own tree, which knows nothing of lists."""
    ordered = sorted(digests)
    index = place % len(ordered)
    leaves = [merkle.leaf_hash(digest) for digest in ordered]

    def nodes(level: int, at: int) -> bytes:
        return merkle.pair_up(leaves[at << level : (at + 1) << level])

    proof = merkle.inclusion_proof(nodes, index, len(ordered))
    assert merkle.root_from_inclusion(leaves[index], index, len(ordered), proof) == root_of(digests)
