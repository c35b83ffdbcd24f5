"""`prior-art evaluate --task reading`: several models on the very same texts, by hand and as somebody types it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from test_cli import call
from test_reading_patents import THINGS, patent, written
from tiny_model import save_tiny, write_profile

from generator.measure.evaluation.reading import Loss
from generator.measure.evaluation.same_texts import same_texts
from generator.record.layouts import DIRECTIONS


def loss(nats: float | None, characters: int = 100, direction: str = "top-down") -> Loss:
    return Loss(direction, "as drafted", 50, 50, 40, characters, nats, 1.0, 1.0)


def evaluate(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, dict[str, Any], str]:
    code, out, err = call("evaluate", *words, "--task", "reading", "--json", "--threads", "1", capsys=capsys)
    return code, json.loads(out) if out else {}, err


def test_bits_are_of_the_texts_that_all_have_room_for() -> None:
    wide = [[loss(70.0)], [loss(140.0, 300)], [loss(900.0)]]
    narrow = [[loss(35.0)], [loss(35.0, 300)], [loss(None)]]
    found = same_texts("top-down", {"wide": wide, "narrow": narrow})
    assert (found["n"], found["characters"]) == (2, 400)
    one, other = found["models"]
    assert one["bits_per_character"]["value"] == pytest.approx(210 / math.log(2) / 400)
    assert one["nats_per_token"] == pytest.approx(210 / 80)
    assert one["against_first"] is None
    assert other["against_first"]["value"] == pytest.approx(-140 / math.log(2) / 400)
    assert (one["do_not_fit"], other["do_not_fit"]) == (0, 1)


def test_a_difference_that_is_the_same_everywhere_is_certain() -> None:
    """The figures themselves spread from text to text, the difference does not."""
    nats = (40.0, 90.0, 140.0)
    first, second = [[[loss(each + more)] for each in nats] for more in (0.0, 10.0)]
    (one, other) = same_texts("top-down", {"first": first, "second": second})["models"]
    assert one["bits_per_character"]["high"] - one["bits_per_character"]["low"] > 0.1
    found = other["against_first"]
    assert found["low"] == pytest.approx(found["high"]) == pytest.approx(0.1 / math.log(2))


@pytest.mark.parametrize("nats", [[], [None, None]])
def test_nothing_can_be_said_of_no_text(nats: list[float | None]) -> None:
    found = same_texts("bottom-up", {"one": [[loss(each, direction="bottom-up")] for each in nats]})
    assert (found["n"], found["models"][0]["bits_per_character"]["value"]) == (0, None)


def test_one_text_has_no_interval() -> None:
    found = same_texts("top-down", {"one": [[loss(70.0)]]})["models"][0]["bits_per_character"]
    assert (found["low"], found["high"]) == (None, None)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    for name, seed in (("one", 1), ("two", 2)):
        save_tiny(tmp_path / name, positions=1024, seed=seed)
        write_profile(tmp_path / f"{name}.toml", tmp_path / name, context=1024)
    written(tmp_path / "held.jsonl", [patent(thing, claims) for thing, claims in zip(THINGS, range(1, 7), strict=True)])
    return tmp_path


def test_as_it_is_typed_and_it_goes_on(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("one.toml", "two.toml", "--file", world / "held.jsonl", "--root", world)
    code, value, _ = evaluate(capsys, *words, "--items", 2)
    assert code == 0
    assert (value["documents"], value["documents_in_file"]) == (2, 6)
    before = {path: path.read_bytes() for path in world.glob("output/evaluations/scores/*.jsonl")}
    assert len(before) == 2
    code, value, _ = evaluate(capsys, *words)
    assert code == 0
    assert [(one["direction"], one["n"]) for one in value["layouts"]] == [(direction, 6) for direction in DIRECTIONS]
    assert all(model["bits_per_character"]["value"] > 0 for one in value["layouts"] for model in one["models"])
    assert all(path.read_bytes().startswith(data) for path, data in before.items())  # nothing is read twice
    (page,) = world.glob("output/evaluations/held-*.md")
    assert "difference to one.toml" in page.read_text()


def test_a_model_without_room_leaves_nothing_to_compare(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(world / "held.jsonl", [patent(thing, 6) for thing in THINGS])
    write_profile(world / "short.toml", world / "one", context=64)
    code, value, _ = evaluate(capsys, "one.toml", "short.toml", "--file", world / "held.jsonl", "--root", world)
    assert code == 2
    assert [[model["do_not_fit"] for model in one["models"]] for one in value["layouts"]] == [[0, 6]] * 2
    (page,) = world.glob("output/evaluations/held-*.md")
    assert "No text fits the context of every model" in page.read_text()


@pytest.mark.parametrize("more", [("--drafts", "3"), ("--known", "held.jsonl")])
def test_drafts_and_training_data_are_refused(
    world: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, str]
) -> None:
    code, _, err = evaluate(capsys, "one.toml", "--file", world / "held.jsonl", "--root", world, *more)
    assert code == 2
    assert "--known and --drafts are for drafts" in err
