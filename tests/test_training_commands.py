"""`prior-art train`, as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from training_runs import RECIPE, sources

from generator.commands.cli import main


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(RECIPE)
    sources(tmp_path)
    return tmp_path


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert ended.value.code == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_the_stages_one_by_one_and_the_card(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, root = str(world / "run"), f"--root={world}"
    inputs = [f"--input={world / name}" for name in ("patents.jsonl", "descriptions.jsonl.zst")]
    manifest = ask(capsys, "train", "data", run, root, "--recipe", "mine.toml", *inputs)
    assert manifest["recipe"] == "small"
    stages = ask(capsys, "train", "pretrain", run, "--threads=1")["stages"]
    assert [stage["name"] for stage in stages] == ["broad", "balanced"]
    facts = ask(capsys, "train", "finetune", run, "--threads=1")
    assert facts["name"] == "small"
    assert (world / "run" / "model" / "model.safetensors").is_file()
    assert ask(capsys, "train", "all", run, root, "--recipe", "mine.toml", *inputs) == {"ok": True, **{
        name: value for name, value in facts.items() if name != "ok"
    }}  # fmt: skip
    error = refused(capsys, "train", "prefer", run)
    assert "it has no [prefer]" in error
    questions = world / "questions.json"
    questions.write_text("[]")
    assert "a JSON object is expected" in refused(
        capsys, "train", "card", f"{run}/model", "--questions", str(questions)
    )
    (world / "run" / "model" / "README.md").unlink()
    ask(capsys, "train", "card", f"{run}/model")
    assert "The town archive, CC0" in (world / "run" / "model" / "README.md").read_text()


def test_bad_input_says_what_to_do(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(world / "run")
    error = refused(capsys, "train", "pretrain", run)
    assert "no training run begins here" in error
    assert "Hint: Begin with its data" in error
    error = refused(capsys, "train", "data", run, "--recipe", "mine", "--input", str(world / "patents.jsonl"))
    assert "Built-in recipes: continue, scribe, starter, tenth" in error
    error = refused(capsys, "train", "data", run, "--recipe", "tenth", "--input", str(world / "nothing.jsonl"))
    assert "nothing.jsonl" in error
    error = refused(capsys, "train", "card", str(world))
    assert "training.json: cannot be read" in error
    assert refused(capsys, "train", "data", run)  # without --input


def test_missing_packages_are_named(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    error = refused(capsys, "train", "pretrain", str(world / "run"))
    assert "accelerate, datasets, peft, torch, transformers, trl" in error
    assert "prior-art-press[train]" in error
