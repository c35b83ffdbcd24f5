"""Questions as tasks of lm-evaluation-harness: what the YAML names is in the data, and no text can be a template."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cli import call

from generator.base.errors import ConfigError, CorpusError, PressError
from generator.measure.evaluation.choices import Question
from generator.measure.evaluation.harness import write_task

HOSTILE = "{{ 7 * 7 }} {% for x in y %} \"'\\ : # - !function evil.run\u2028 \U0001f600 [1, 2]"
QUESTIONS = [
    Question("Which is nearest?", "A valve.", ("A tap.", "Tea.", "12"), 1),
    Question("", HOSTILE, (HOSTILE, "[0]"), 0),
]


def read(folder: Path) -> tuple[str, list[dict[str, Any]], dict[str, dict[str, Any]]]:
    made = write_task(QUESTIONS, "Quiz: {{ x }}", folder)
    data, *tasks = made.paths
    # json.loads refuses nothing that a line may hold; splitting at LF alone is what readers of JSON lines do.
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").split("\n")[:-1]]
    configs = {path.stem.removeprefix(f"{made.name}_"): yaml.safe_load(path.read_bytes()) for path in tasks}
    return made.name, rows, configs


def test_every_text_of_a_task_is_a_member_of_every_row(tmp_path: Path) -> None:
    """The harness renders and evaluates what is no member; members it hands through as they are."""
    name, rows, configs = read(tmp_path / "Ordner ü: #1")
    assert sorted(configs) == ["conditional", "letter"]
    for way, config in configs.items():
        assert config["task"] == f"{name}_{way}"
        assert config["tag"] == name
        assert config["output_type"] == "multiple_choice"
        for member in ("doc_to_text", "doc_to_choice", "doc_to_target"):
            assert all(config[member] in row for row in rows)
        assert Path(config["dataset_kwargs"]["data_files"][config["test_split"]]).read_bytes()
    assert len(rows) == 2


def test_letter_and_conditional_ask_as_the_evaluation_does(tmp_path: Path) -> None:
    _, rows, configs = read(tmp_path)
    letter, conditional = configs["letter"], configs["conditional"]
    first = rows[0]
    assert first[letter["doc_to_text"]] == "Which is nearest?\nA valve.\nA: A tap.\nB: Tea.\nC: 12\nAnswer:"
    assert [letter["target_delimiter"] + one for one in first[letter["doc_to_choice"]]] == [" A", " B", " C"]
    assert first[letter["doc_to_target"]] == 1
    # In a row with a number as context, each choice is a context and the target follows it.
    assert first[conditional["doc_to_text"]] == 1
    contexts, target = first[conditional["doc_to_choice"]], first[conditional["doc_to_target"]]
    rebuilt = [context + conditional["target_delimiter"] + target for context in contexts]
    assert rebuilt == ["A tap.\n\nA valve.", "Tea.\n\nA valve.", "12\n\nA valve."]


def test_hostile_text_is_data_and_nothing_else(tmp_path: Path) -> None:
    name, rows, configs = read(tmp_path)
    assert rows[1]["text"] == HOSTILE
    assert rows[1]["options"] == [HOSTILE, "[0]"]
    assert name.startswith("prior_art_quiz_x_")
    for config in configs.values():
        config.pop("dataset_kwargs")
        assert not any(sign in json.dumps(config) for sign in ("{{", "{%", "!function", "evil"))


def test_other_questions_have_another_name(tmp_path: Path) -> None:
    names = {write_task(QUESTIONS[:n], "quiz", tmp_path).name for n in (1, 2)}
    assert len(names) == 2
    assert len(list(tmp_path.iterdir())) == 6
    assert write_task(QUESTIONS, "专利", tmp_path).name.startswith("prior_art_questions_")


@pytest.mark.parametrize("folder", ["a[1]", "a*", "a?", "a::b"])
def test_a_folder_that_the_harness_takes_for_a_pattern_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigError, match="for a pattern"):
        write_task(QUESTIONS, "quiz", tmp_path / folder)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    broken = [QUESTIONS[0], Question("", "half \ud83d", ("a", "b"), 0)]
    with pytest.raises(CorpusError, match=r"question 2: .* \(U\+D83D\)"):
        write_task(broken, "quiz", tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(PressError, match="cannot be written"):
        write_task(QUESTIONS, "quiz", tmp_path / "file" / "below")


def test_the_command_reads_any_form_and_names_the_next_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "en.json"
    file.write_text('[{"problem": "How long?", "candidates": {"A": "10 years", "B": "20 years"}, "answer": "B"}]')
    words = ("export-task", file, "--task", "ipquiz", "--root", tmp_path)
    code, out, _ = call(*words, "--out", tmp_path / "my tasks", capsys=capsys)
    assert code == 0
    (name,) = {path.stem for path in (tmp_path / "my tasks").glob("*.jsonl")}
    assert f"--include_path '{tmp_path}/my tasks' --tasks {name}\n" in out
    code, out, _ = call(*words, "--json", capsys=capsys)
    assert code == 0
    found = json.loads(out)
    assert (found["questions"], found["task"]) == (1, name)
    assert [Path(path).parent for path in found["files"]] == [tmp_path / "output" / "evaluations" / "harness"] * 3
    code, _, err = call("export-task", file, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "en.json:1: " in err
