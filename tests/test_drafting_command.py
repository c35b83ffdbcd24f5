"""`prior-art evaluate --task drafting` as somebody types it: several models, one table, going on, what cannot be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from taught_model import save_taught
from test_cli import call
from test_reading_patents import THINGS, patent, written
from tiny_model import save_tiny, write_profile

from generator.measure.evaluation import drafting, trial
from generator.measure.evaluation.contenders import contender
from generator.measure.evaluation.reading import Reader
from generator.measure.evaluation.trial import AT_ONCE, plan_of, write_length, writing_profile
from generator.model.interface import EngineChoice
from generator.model.loading import open_model
from generator.record.layouts import DIRECTIONS
from generator.run.drafting import in_order
from generator.run.plan import brief

DRAFTS = 6


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_taught(tmp_path_factory.mktemp("taught"))


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return written(tmp_path / "held.jsonl", [patent(thing) for thing in THINGS])


def evaluate(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, dict[str, Any], str]:
    code, out, err = call("evaluate", *words, "--task", "drafting", "--json", "--threads", "1", capsys=capsys)
    return code, json.loads(out) if out else {}, err


def test_several_models_in_one_table_and_what_they_cannot(
    tmp_path: Path, taught: Path, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`short` has no room for the patents, `damaged` has no numbers, `narrow` no room for a prompt."""
    import torch
    from transformers import AutoModelForCausalLM

    write_profile(tmp_path / "wide.toml", taught)
    write_profile(tmp_path / "short.toml", taught, context=64)
    model = AutoModelForCausalLM.from_pretrained(taught)
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    shutil.copytree(taught, tmp_path / "damaged")
    model.save_pretrained(tmp_path / "damaged")
    save_tiny(tmp_path / "narrow", positions=16)
    models = ("wide.toml", "short.toml", "damaged", "narrow")
    code, value, _ = evaluate(capsys, *models, "--file", held, "--drafts", DRAFTS, "--root", tmp_path)
    assert code == 0
    wide, short, damaged, narrow = value["models"]
    assert wide["cannot"] == {}
    assert [(one["direction"], one["text"], one["n"]) for one in wide["losses"]] == [
        (direction, text, 6) for direction in DIRECTIONS for text in ("whole", "as drafted")
    ]
    assert {one["question"]: one["n"] for one in wide["choices"]} == dict.fromkeys((*DIRECTIONS, "next claim"), 6)
    for one in (*wide["drafts"], *short["drafts"]):
        passed = [one["gates"][gate]["hits"] for gate in ("G0", "G1", "G2", "G3")]
        assert passed == sorted(passed, reverse=True)
        assert one["drafts"] == DRAFTS
        assert one["accepted"] == passed[3]
        assert one["g4"] is None
        assert one["by_length"]["buckets"]["1k"]["n"] == DRAFTS
        assert one["cpu_seconds"] > 0
    assert sum(one["gates"]["G0"]["hits"] for one in wide["drafts"]) >= 3
    assert [(one["n"], one["do_not_fit"]) for one in short["losses"]] == [(0, 6)] * 4
    assert short["losses"][0]["bits_per_character"] is None
    assert "not all finite" in damaged["cannot"]["read the patents"]
    assert "not all finite" in damaged["cannot"]["write top-down drafts"]
    assert damaged["drafts"] == []
    assert "fills the context of 16" in narrow["cannot"]["write bottom-up drafts"]
    (table,) = (tmp_path / "output" / "evaluations").glob("held-*.md")
    text = table.read_text()
    assert "| short.toml | top-down | whole |  |  |  | 0 | 6 | 6 beyond the context | n 0 | n 0 | 0 |" in text
    assert "| short.toml | next claim | cannot: context 64 tokens |" in text
    assert "damaged cannot read the patents: the weights model.norm.weight are not all finite" in text
    assert "short.toml cannot read any of these patents: none fits its context of 64 tokens." in text
    assert "| wide.toml | 1k | beyond the context |" in text
    assert json.loads(table.with_suffix(".json").read_text())["models"] == value["models"]


def test_the_drafts_are_those_that_a_run_would_write(
    tmp_path: Path, taught: Path, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = evaluate(
        capsys, taught, "--file", held, "--drafts", 3, "--out", tmp_path, "--items", 1, "--format", "fp32"
    )
    assert code == 0
    one = contender(str(taught), tmp_path, "fp32")
    profile = writing_profile(one)
    model = open_model(profile, EngineChoice(threads=1, number_format="fp32"), report=lambda _: None)
    kept = {}
    for path in (tmp_path / "scores").glob("*.jsonl"):
        head, *lines = map(json.loads, path.read_text().splitlines())
        kept[head["what"]] = lines
    for direction in DIRECTIONS:
        plan = plan_of(profile, direction, 3)
        wanted = list(in_order(model, (brief(plan, n) for n in range(3)), plan.sampling, lambda _: None))
        lines = kept[f"{direction} drafts"]
        assert [line["line"]["seed"] for line in lines] == [f"{draft.brief.seed:016x}" for draft in wanted]
        assert {line["line"]["direction"] for line in lines} == {direction}
        for line, draft in zip(lines, wanted, strict=True):  # a draft that was stopped early is the beginning of one
            assert draft.text.startswith(line["text"])


def untimed(value: Any) -> Any:
    timed = ("seconds", "per_second", "peak", "cpu_hour")
    if isinstance(value, dict):
        return {name: untimed(one) for name, one in value.items() if not any(part in name for part in timed)}
    return [untimed(one) for one in value] if isinstance(value, list) else value


def test_it_goes_on_where_it_was_killed(
    tmp_path: Path,
    taught: Path,
    held: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    begun: list[int] = []
    reading, writing = Reader.read, trial.write_drafts

    def read_noted(self: Reader, held_out: Any, place: int) -> Any:
        read.append(place)
        return reading(self, held_out, place)

    def write_noted(*given: Any) -> Any:
        begun.append(given[-1])
        return writing(*given)

    monkeypatch.setattr(Reader, "read", read_noted)
    monkeypatch.setattr(drafting, "write_drafts", write_noted)
    words = (taught, "--file", held, "--out", tmp_path / "a", "--drafts")
    evaluate(capsys, *words, "4", "--items", "3")
    assert (read, begun) == ([0, 1, 2], [0, 0])
    for path in (tmp_path / "a" / "scores").glob("*.jsonl"):
        path.write_bytes(path.read_bytes()[:-9])  # the last line torn, as by a kill in the middle of it
    _, whole, _ = evaluate(capsys, *words, "5")
    assert (read, begun) == ([0, 1, 2, 2, 3, 4, 5], [0, 0, 3, 3])
    _, again, _ = evaluate(capsys, *words, "5")
    _, fewer, _ = evaluate(capsys, *words, "2", "--items", "2")
    assert len(read) == 7
    assert len(begun) == 4
    _, fresh, _ = evaluate(capsys, taught, "--file", held, "--out", tmp_path / "b", "--drafts", "5")
    assert untimed(whole) == untimed(again) == untimed(fresh)
    assert fewer["models"][0]["losses"][0]["n"] == 2
    assert fewer["models"][0]["drafts"][0]["drafts"] == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b'"losses"', b'"lost"'),
        lambda line: line.replace(b'"text": "', b'"texts": "'),
        lambda line: line.replace(b'"nats": ', b'"nats": {"x": 1}, "other": '),
    ],
)
def test_damaged_scores_are_an_error_and_stay(
    tmp_path: Path,
    taught: Path,
    held: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[bytes], bytes],
) -> None:
    words = (taught, "--file", held, "--out", tmp_path, "--drafts", "1", "--items", "1")
    assert evaluate(capsys, *words)[0] == 0
    changed = {}
    for path in (tmp_path / "scores").glob("*.jsonl"):
        head, *lines = path.read_bytes().splitlines(keepends=True)
        if (damaged := head + b"".join(map(damage, lines))) != path.read_bytes():
            path.write_bytes(damaged)
            changed[path] = damaged
    assert changed
    code, _, err = evaluate(capsys, *words)
    assert code == 2
    assert "damaged" in err
    assert "evaluate anew" in err
    assert all(path.read_bytes() == data for path, data in changed.items())


def test_training_data_without_what_is_held_out(
    tmp_path: Path, taught: Path, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "A bench, comprising: " + "; ".join(f"a leg of length {n} under the seat" for n in range(8)) + "."
    others = [{"id": f"T{n}", "title": "Bench", "abstract": "A bench.", "claims": [long]} for n in range(2)]
    known = written(tmp_path / "train.jsonl", [*others, patent("tea")])
    words = ("--file", held, "--out", tmp_path, "--drafts", "2", "--items", "2")
    code, value, _ = evaluate(capsys, taught, *words, "--known", known)
    assert code == 0
    assert value["known"] == {"documents": 2, "held_out": 1}
    assert value["held_out"]["memorisation"]["texts"] == 2
    assert value["models"][0]["memorisation"]["accepted"]["known_grams"] == 0
    (table,) = tmp_path.glob("held-*.md")
    assert "## Memorisation" in table.read_text()
    assert "Another 1 are held-out patents themselves" in table.read_text()
    code, _, err = evaluate(capsys, taught, *words, "--known", tmp_path / "absent.jsonl")
    assert code == 2
    assert "absent.jsonl" in err
    assert "opening" not in err
    code, _, err = call("evaluate", taught, "--file", held, "--known", known, capsys=capsys)
    assert code == 2
    assert "--known and --drafts are for drafts" in err


def test_every_model_reads_with_all_threads(
    tmp_path: Path, taught: Path, held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine takes all but one of them from torch; the next model gets them back."""
    import torch

    seen: list[int] = []
    reading = Reader.read

    def noted(self: Reader, held_out: Any, place: int) -> Any:
        seen.append(torch.get_num_threads())
        return reading(self, held_out, place)

    monkeypatch.setattr(Reader, "read", noted)
    shutil.copytree(taught, tmp_path / "one")
    save_tiny(tmp_path / "two")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        words = (
            "one",
            "two",
            "--task",
            "drafting",
            "--file",
            held,
            "--root",
            tmp_path,
            "--drafts",
            "1",
            "--items",
            "1",
        )
        assert call("evaluate", *words, capsys=capsys)[0] == 0
    finally:
        torch.set_num_threads(before)
    assert seen == [2, 2]


def test_data_without_claims_is_told_before_any_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = written(tmp_path / "heads.jsonl", [{**patent(thing), "claims": []} for thing in THINGS])
    code, _, err = evaluate(capsys, "starter", "--file", heads, "--root", tmp_path)
    assert code == 2
    assert "data without claims: 6 documents, none complete" in err
    assert "`prior-art docs evaluation`" in err


def test_when_no_model_can_there_is_no_answer(tmp_path: Path, held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "narrow", positions=16)
    code, _, _ = evaluate(capsys, "narrow", "--file", held, "--root", tmp_path, "--drafts", "1")
    assert code == 2


def test_texts_of_a_length_do_not_end_before(tmp_path: Path, taught: Path) -> None:
    """The taught model ends its texts after some 50 tokens."""
    from transformers import LlamaConfig

    shutil.copytree(taught, tmp_path / "long")
    config = LlamaConfig.from_pretrained(taught)
    config.max_position_embeddings = 1100
    config.save_pretrained(tmp_path / "long")
    one = contender("long", tmp_path, "fp32")
    assert trial.room(one) == [1024]
    found = write_length(one, EngineChoice(threads=1), 1024, lambda _: None)
    assert 1024 - 100 < found.tokens / AT_ONCE <= 1024
    assert found.words > 100
    assert found.cpu_seconds > 0
