"""`prior-art evaluate` as somebody types it: questions that are read strictly, baselines, the table, going on."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from real_patents import DATA
from test_cli import call
from tiny_model import save_tiny, write_profile

from generator.base.errors import CorpusError, PressError
from generator.measure.evaluation.baselines import PUBLISHED, chance, frequent_letter, longest, nearest
from generator.measure.evaluation.choices import Question, questions_sha256, read_questions
from generator.measure.evaluation.likelihood import Likelihood
from generator.measure.evaluation.multiple_choice import Scored

ROOT = Path(__file__).parent.parent
REAL = DATA / "patentmatch"
SETS = [
    Question(
        "Which?", "A valve has a spring and a seal.", ("Tea is made of water.", "A seal holds a spring.", "x" * 60), 1
    ),
    Question("Which?", "Paint dries in air.", ("A wheel.", "Valves.", "Paint which dries."), 2),
    Question("Which?", "A wheel turns.", ("A long text on soup and glue.", "A wheel.", "Air."), 1),
    Question("Which?", "Glue holds.", ("Glue holds wood.", "Glue holds wood.", "A seal."), 0),
]


def as_patentmatch(one: Question) -> str:
    return json.dumps({"instruction": one.asked(), "input": "", "output": "ABC"[one.answer]}, ensure_ascii=False)


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"), positions=256)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return written(tmp_path / "four.jsonl", [as_patentmatch(one) for one in SETS])


def test_both_forms_are_read(tmp_path: Path, questions: Path) -> None:
    assert read_questions(questions, "patentmatch") == tuple(SETS)
    value = {"instruction": "Which?\nA valve\nwith a seal.", "input": "A：one\ntwo\nB：three", "output": "B"}
    path = written(tmp_path / "wide.jsonl", ["", json.dumps(value, ensure_ascii=False)])
    assert read_questions(path, "patentmatch") == (
        Question("Which?", "A valve\nwith a seal.", ("one\ntwo", "three"), 1),
    )
    general = [
        {"question": "How long?", "options": ["1 year", " 2 years "], "answer": "B", "source": "exam 2019"},
        {"question": "Who?", "options": {"A": "an examiner", "B": "a judge", "C": "A: nobody"}, "answer": "C"},
    ]
    path = written(tmp_path / "general.jsonl", [json.dumps(one) for one in general])
    assert read_questions(path, "multiple-choice") == (
        Question("", "How long?", ("1 year", "2 years"), 1),
        Question("", "Who?", ("an examiner", "a judge", "A: nobody"), 2),
    )


GOOD = '{"question": "q", "options": ["a", "b"], "answer": "A"}'


@pytest.mark.parametrize(
    ("task", "line", "said"),
    [
        ("patentmatch", "{", "Expecting property name"),
        ("patentmatch", "[1]", "a JSON object is expected"),
        ("patentmatch", '{"question": "q"}', "instruction: a text is expected"),
        ("patentmatch", '{"instruction": "w\\nq", "input": "", "output": "A"}', "found: none"),
        ("patentmatch", '{"instruction": "w\\nq\\nA: a\\nA: b\\nB: c", "input": "", "output": "A"}', "found: A, A, B"),
        ("patentmatch", '{"instruction": "w\\nq\\nB: b\\nA: a", "input": "", "output": "A"}', "found: B, A"),
        ("patentmatch", '{"instruction": "q\\nA: a\\nB: b", "input": "", "output": "A"}', "a line that says what"),
        ("patentmatch", '{"instruction": "w\\nq\\nA: a\\nB:", "input": "", "output": "A"}', "not empty"),
        ("patentmatch", '{"instruction": "w\\nq\\nA: a\\nB: b", "input": "", "output": "C"}', "the answer is 'C'"),
        ("patentmatch", '{"instruction": "w\\nq\\nA: a\\nB: b", "input": "", "output": "AB"}', "the answer is 'AB'"),
        ("patentmatch", '{"instruction": "w\\nq\\nA: a\\nB: b", "output": "A"}', "input: a text is expected"),
        ("multiple-choice", '{"question": " ", "options": ["a", "b"], "answer": "A"}', "question: a text"),
        ("multiple-choice", '{"question": "q", "options": ["a"], "answer": "A"}', "2 to 26 texts"),
        ("multiple-choice", '{"question": "q", "options": "a b", "answer": "A"}', "an array of texts"),
        ("multiple-choice", '{"question": "q", "options": {"a": "x", "b": "y"}, "answer": "A"}', "not a, b"),
        ("multiple-choice", '{"question": "q", "options": ["A. x", "B. y"], "answer": "A"}', "without letters"),
        ("multiple-choice", '{"question": "q", "options": ["x", "y"], "answer": 1}', "answer: a text is expected"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(tmp_path: Path, task: str, line: str, said: str) -> None:
    first = as_patentmatch(SETS[0]) if task == "patentmatch" else GOOD
    with pytest.raises(CorpusError, match=r"bad\.jsonl:2: ") as raised:
        read_questions(written(tmp_path / "bad.jsonl", [first, line]), task)
    assert said in str(raised.value)


def test_a_file_without_questions_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no question"):
        read_questions(written(tmp_path / "none.jsonl", ["", " "]), "patentmatch")
    (tmp_path / "bytes.jsonl").write_bytes(b"{}\n\xff")
    with pytest.raises(CorpusError, match="instruction: a text is expected"):
        read_questions(tmp_path / "bytes.jsonl", "patentmatch")
    with pytest.raises(PressError, match="cannot be read"):
        read_questions(tmp_path / "absent.jsonl", "patentmatch")


def test_baselines_of_a_handmade_set() -> None:
    assert chance(SETS) == pytest.approx(1 / 3)
    assert chance([SETS[0], Question("", "q", ("a", "b"), 0)]) == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert frequent_letter(SETS) == 1
    assert longest(SETS) == [2, 2, 0, 0]
    assert nearest(SETS) == [1, 2, 1, 0]


def test_repeated_words_count_by_their_logarithm_and_rare_ones_more() -> None:
    """By hand. First (1 + ln 3) / sqrt 3 = 1.21 against 2 / sqrt 2 = 1.41; then ln 4/3 against ln 4/2."""
    assert nearest([Question("", "seal seal seal valve spring", ("seal wheel soup", "valve spring", "air"), 0)]) == [1]
    assert nearest([Question("", "seal valve", ("seal", "valve", "seal wheel"), 0)]) == [1]


def test_chinese_is_compared_by_pairs_of_characters() -> None:
    """By words each of these texts would be one word, shared with none."""
    one = Question("哪个", "一种花生播种机", ("一种除草机械", "花生的播种方法", "折叠床"), 1)
    assert nearest([one]) == [1]


@pytest.mark.data
@pytest.mark.parametrize(("language", "tfidf"), [("en", 46.0), ("zh", 17.8)])
def test_baselines_of_patentmatch(language: str, tfidf: float) -> None:
    path = REAL / f"PatentMatch_{language}.jsonl"
    found = read_questions(path, "patentmatch")
    assert len(found) == 500
    assert len(PUBLISHED[questions_sha256(found)]) == 5
    assert frequent_letter(found) == 3
    assert sum(one.answer == 3 for one in found) == 139
    for baseline, percent in ((longest, 21.2), (nearest, tfidf)):
        hits = sum(place == one.answer for place, one in zip(baseline(found), found, strict=True))
        assert 100 * hits / 500 == pytest.approx(percent)


def evaluate(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, dict[str, Any], str]:
    code, out, err = call("evaluate", *words, "--json", "--threads", "1", capsys=capsys)
    return code, json.loads(out) if code != 2 or out else {}, err


def test_one_table_for_several_models(
    tmp_path: Path, folder: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third model has room for no question, and says so."""
    shutil.copytree(folder, tmp_path / "model")
    write_profile(tmp_path / "short.toml", folder, context=64)
    save_tiny(tmp_path / "small", positions=16)
    words = ("model", "short.toml", "small", "--file", questions, "--root", tmp_path)
    code, value, _ = evaluate(capsys, *words)
    assert code == 0
    wide, short, small = value["models"]
    assert [wide["ways"]["letter"][name] for name in ("n", "overflow")] == [4, 0]
    assert short["context"] == 64
    assert short["ways"]["letter"]["longest_tokens"] == wide["ways"]["letter"]["longest_tokens"] > 64
    assert short["ways"]["letter"]["overflow"] >= 1
    assert small["ways"]["letter"]["n"] == small["ways"]["conditional"]["n"] == 0
    assert small["ways"]["letter"]["accuracy"] is None
    assert wide["ways"]["conditional"]["tfidf_on_the_same"] == 1.0
    assert value["equal_options"] == 1
    assert value["published"] == []
    assert [one["name"] for one in value["baselines"]][1] == "always B, the most frequent letter"
    assert value["baselines"][2]["hits"] == 2
    (table,) = (tmp_path / "output" / "evaluations").glob("four-*.md")
    text = table.read_text()
    assert "| small | letter | cannot: context 16 tokens |" in text
    assert "small cannot do this by conditional: none of the questions fits its context of 16 tokens" in text
    assert json.loads(table.with_suffix(".json").read_text())["models"] == value["models"]


def test_when_no_model_can_there_is_no_answer(
    tmp_path: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tiny(tmp_path / "small", positions=16)
    code, out, _ = call("evaluate", "small", "--file", questions, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "cannot: context 16 tokens" in out


def test_a_model_named_twice_and_a_bad_file(
    tmp_path: Path, folder: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call("evaluate", folder, folder, "--file", questions, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "named twice" in err
    code, _, err = call("evaluate", "x", "--file", questions, "--task", "multiple-choice", capsys=capsys)
    assert code == 2
    assert "four.jsonl:1: options: an array of texts" in err


def untimed(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "models": [{**one, "seconds_per_question": 0} for one in value["models"]]}


def test_more_questions_go_on_from_fewer(
    tmp_path: Path,
    folder: Path,
    questions: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Question] = []
    scores = Likelihood.scores

    def noted(self: Likelihood, question: Question) -> Any:
        asked.append(question)
        return scores(self, question)

    monkeypatch.setattr(Likelihood, "scores", noted)
    words = (folder, "--file", questions, "--root", tmp_path, "--out", tmp_path / "a")
    assert evaluate(capsys, *words, "--items", "2")[1]["questions_in_file"] == 4
    assert asked == SETS[:2]
    (kept,) = (tmp_path / "a" / "scores").glob("*.jsonl")
    data = kept.read_bytes()
    kept.write_bytes(data[:-20])  # the last line torn, as by a kill in the middle of it
    _, whole, _ = evaluate(capsys, *words)
    assert asked == [*SETS[:2], *SETS[1:]]
    assert kept.read_bytes().count(b"\n") == 5
    _, again, _ = evaluate(capsys, *words)
    assert len(asked) == 5
    _, fresh, _ = evaluate(capsys, *words[:-1], tmp_path / "b")
    assert untimed(whole) == untimed(again) == untimed(fresh)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[0].replace(b"fp32", b"bf16"), *lines[1:]],
        lambda lines: [*lines[:2], b"{}"],
        lambda lines: [*lines[:2], b"\x00" * 40],
    ],
)
def test_damaged_scores_are_an_error_and_stay(
    tmp_path: Path,
    folder: Path,
    questions: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[list[bytes]], list[bytes]],
) -> None:
    words = ("evaluate", folder, "--file", questions, "--root", tmp_path, "--out", tmp_path, "--items", "2")
    assert call(*words, capsys=capsys)[0] == 0
    (kept,) = (tmp_path / "scores").glob("*.jsonl")
    damaged = b"\n".join(damage(kept.read_bytes().splitlines())) + b"\n"
    kept.write_bytes(damaged)
    code, _, err = call(*words, capsys=capsys)
    assert code == 2
    assert "damaged" in err
    assert "evaluate anew" in err
    assert kept.read_bytes() == damaged


def test_scores_of_other_weights_are_not_taken(
    tmp_path: Path, folder: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        shutil.rmtree(tmp_path / "model", ignore_errors=True)
        save_tiny(tmp_path / "model", seed=seed)
        assert call("evaluate", "model", "--file", questions, "--root", tmp_path, capsys=capsys)[0] == 0
    first, second = (path.read_bytes() for path in (tmp_path / "output" / "evaluations" / "scores").glob("*.jsonl"))
    assert first.split(b"\n")[1] != second.split(b"\n")[1]


def test_a_killed_evaluation_goes_on(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [Question("Which?", f"A valve has {n} springs.", ("a", "b", "c"), n % 3) for n in range(150)]
    path = written(tmp_path / "many.jsonl", [as_patentmatch(one) for one in many])
    words = ["evaluate", str(folder), "--file", str(path), "--out", str(tmp_path / "killed"), "--threads", "1"]
    process = subprocess.Popen([sys.executable, "-m", "generator", *words], cwd=ROOT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    kept: list[Path] = []
    while time.monotonic() < until and not (kept and kept[0].read_bytes().count(b"\n") > 5):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
        kept = list((tmp_path / "killed" / "scores").glob("*.jsonl"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    lines = kept[0].read_bytes().split(b"\n")
    assert 5 < len(lines) < 150
    _, resumed, _ = evaluate(capsys, *words[1:-2])
    assert kept[0].read_bytes().split(b"\n")[: len(lines) - 1] == lines[:-1]
    _, fresh, _ = evaluate(capsys, folder, "--file", path, "--out", tmp_path / "fresh")
    assert untimed(resumed)["models"][0]["ways"] == untimed(fresh)["models"][0]["ways"]


def test_a_full_disk_is_told_and_nothing_is_lost(
    tmp_path: Path,
    folder: Path,
    questions: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("evaluate", folder, "--file", questions, "--root", tmp_path, "--out", tmp_path / "out")
    synced: list[int] = []

    def full(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 3:  # the head, one question, and then no more
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        code, _, err = call(*words, capsys=capsys)
    assert code == 2
    assert "cannot be written: No space left on device" in err
    assert "run the same command again" in err
    assert call(*words, capsys=capsys)[0] == 0
    (tmp_path / "file").write_text("")
    code, _, err = call(*words[:-1], tmp_path / "file" / "below", capsys=capsys)
    assert code == 2
    assert "Name another folder with --out" in err


def test_a_name_makes_a_file_in_the_folder_only(tmp_path: Path, folder: Path) -> None:
    from dataclasses import replace

    from generator.measure.evaluation.contenders import contender

    one = replace(contender(str(folder), tmp_path, "fp32"), name="../../evil|name\n")
    assert Scored(tmp_path, one, "0" * 64, lambda _: None).kept.path.parent == tmp_path / "scores"
