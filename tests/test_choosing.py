"""The few best of a queue: ranked by scores, few of a class, none below the floor; a kill loses nothing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from judgements import OBVIOUS, classification

from generator.log.archive import queued
from generator.record.judgement import Measure, Sense
from generator.run import choosing
from generator.run.choosing import CHOICE, FLOOR, FOLDER, choose, rank


def scored(*scores: int, subclass: str = "A01G") -> bytes:
    sense = Sense("gate", "reader", tuple(Measure(f"q{n}", score) for n, score in enumerate(scores)), ())
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


def test_the_best_stay_and_one_weak_score_weighs(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(900, 900), scored(999, 400), scored(950, 950), scored(700, 700))
    chosen = choose(tmp_path, "run", 2, of_a_class=9, floor=FLOOR)
    assert left(tmp_path, names) == {0, 2}
    assert (chosen.published, chosen.left, chosen.below_floor) == (2, 2, 0)
    aside = tmp_path / FOLDER / "run"
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in aside.glob("*[0-9].json"))
    assert len(digests) == 2
    assert chosen.left_sha256 == hashlib.sha256("".join(f"{one}\n" for one in digests).encode()).hexdigest()
    assert (aside / CHOICE).is_file()
    assert len(list(aside.glob("*.findings.json"))) == 2


def test_no_more_than_some_of_a_class(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(990), scored(980), scored(970, subclass="E05D"), scored(960))
    choose(tmp_path, "run", 3, of_a_class=1, floor=FLOOR)
    assert left(tmp_path, names) == {0, 2}


def test_a_night_in_which_nothing_reaches_the_floor_publishes_nothing(tmp_path: Path) -> None:
    names = waiting(tmp_path, scored(300), scored(499, 499), OBVIOUS.to_bytes())
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


def test_a_judgement_without_scores_has_no_rank() -> None:
    assert rank(OBVIOUS) is None
