"""IPQuiz from the user's own copy: the hub's form, exports of it, and everything that would have to be guessed."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import call
from tiny_model import save_tiny

from generator.base.errors import CorpusError
from generator.measure.evaluation.choices import Question
from generator.measure.evaluation.ipquiz import read_ipquiz

HUB = {
    "language": "en",
    "problem": " How long does a patent last? ",
    "candidates": {"A": "10 years", "B": "20 years", "C": "For ever"},
    "answer": "B",
}
READ = Question("", "How long does a patent last?", ("10 years", "20 years", "For ever"), 1)


def written(folder: Path, *values: Any) -> Path:
    path = folder / "en.json"
    path.write_text("\n".join(json.dumps(value, ensure_ascii=False) for value in values), encoding="utf-8")
    return path


def like(**changes: Any) -> dict[str, Any]:
    """HUB with other members; None takes one away."""
    return {name: value for name, value in {**HUB, **changes}.items() if value is not None}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("array", [True, False])
def test_the_hubs_form_is_read_as_lines_and_as_an_array(tmp_path: Path, indent: int | None, array: bool) -> None:
    path = tmp_path / "en.json"
    values = [HUB, like(answer="c")]
    text = json.dumps(values, indent=indent) if array else "\n".join(json.dumps(v, indent=indent) for v in values)
    path.write_text(f"\ufeff{text}\n", encoding="utf-8")
    assert read_ipquiz(path) == (READ, Question("", READ.text, READ.options, 2))


@pytest.mark.parametrize(
    "value",
    [
        like(answer="(B)"),
        like(answer="B."),
        like(answer=" 20 years "),
        like(answer="B. 20 years"),
        like(candidates=["10 years", "20 years", "For ever"]),
        like(candidates=["A. 10 years", "B. 20 years", "C. For ever"]),
        like(candidates=["（A）10 years", "（B）20 years", "（C）For ever"]),
        like(candidates=str(HUB["candidates"])),
        like(candidates=json.dumps(HUB["candidates"])),
        like(candidates={"texts": ["10 years", "20 years", "For ever"], "options": ["A", "B", "C"]}),
        like(candidates={"1": "10 years", "2": "20 years", "3": "For ever"}, answer=2),
        like(candidates={"A": "10 years", "B": "20 years", "C": "For ever", "D": "", "E": None}),
        like(candidates=None, A="10 years", B="20 years", C="For ever", D=""),
        like(candidates=None, options=["10 years", "20 years", "For ever"]),
        like(problem=None, candidates=None, Question=HUB["problem"], Choices=HUB["candidates"]),
        like(answer=None, label="B"),
    ],
)
def test_exports_of_the_same_question_are_the_same_question(tmp_path: Path, value: dict[str, Any]) -> None:
    assert read_ipquiz(written(tmp_path, value)) == (READ,)


@pytest.mark.parametrize(("others", "place"), [((0,), 1), ((3,), 0), (("0",), 1), ((2, 3), 0)])
def test_numbers_count_from_what_the_file_shows(tmp_path: Path, others: tuple[Any, ...], place: int) -> None:
    options = ["ten", "twenty", "for ever"]
    values = [like(candidates=options, answer=answer) for answer in (1, *others)]
    assert read_ipquiz(written(tmp_path, *values))[0].answer == place


def test_numbers_as_options_are_texts_and_a_text_answer_is_what_it_says(tmp_path: Path) -> None:
    value = like(candidates=[10, 20, 3], answer="3")
    assert read_ipquiz(written(tmp_path, value)) == (Question("", READ.text, ("10", "20", "3"), 2),)


def test_one_letter_more_makes_the_letters_part_of_the_texts(tmp_path: Path) -> None:
    value = like(candidates=["A. Smith", "B. Jones", "Nobody"])
    assert read_ipquiz(written(tmp_path, value))[0].options == ("A. Smith", "B. Jones", "Nobody")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "a JSON object is expected"),
        (like(problem=None), "no member for the question; the members are 'language', 'candidates', 'answer'"),
        (like(question="Why?"), "two members for the question"),
        (like(Answer="A"), "two members differ by capitals alone"),
        (like(problem=" "), "the question is no text"),
        (like(candidates=None), "no member for the options"),
        (like(answer=None), "no member for the answer"),
        (like(answer=["B"]), "neither a text nor a number"),
        (like(answer=True), "neither a text nor a number"),
        (like(answer="D"), "the answer 'D' is none of A, B, C, nor an option"),
        (like(candidates={"A": "ten"}), "2 to 26 options"),
        (like(candidates={"A": "ten", "B": "", "C": "x"}), "2 to 26 options"),
        (like(candidates=["x"] * 27), "an array of up to 26 texts"),
        (like(candidates={"A": "ten", "B": ["x"]}), "option 'B' is no text"),
        (like(candidates="ten or twenty"), "neither JSON nor a dictionary of Python"),
        (like(candidates="[" * 5000), "neither JSON nor a dictionary of Python"),
        (like(candidates={"texts": ["a", "b"], "options": ["A"]}), "do not belong together"),
        (like(candidates=["B", "C", "D"]), "the answer 'B' fits 2 options"),
        (like(candidates=["ten", "ten", "x"], answer="ten"), "the answer 'ten' fits 2 options"),
        (like(candidates=["ten", "twenty", "x"], answer=1), "may count from 0 or from 1"),
        (like(candidates=["ten", "twenty", "x"], answer=9), "may count from 0 or from 1"),
    ],
)
def test_what_would_be_guessed_is_an_error_with_its_line(tmp_path: Path, value: Any, said: str) -> None:
    path = written(tmp_path, HUB, value)
    with pytest.raises(CorpusError) as caught:
        read_ipquiz(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)
    assert "docs/evaluation.md" in caught.value.hint


def test_numbers_that_count_in_two_ways_or_too_far_are_errors(tmp_path: Path) -> None:
    values = [like(candidates=["ten", "twenty", "x"], answer=answer) for answer in (0, 1, 3)]
    with pytest.raises(CorpusError, match="answer of line 1 counts from 0, that of line 3 from 1"):
        read_ipquiz(written(tmp_path, *values))
    values[2]["answer"] = 4
    with pytest.raises(CorpusError, match=r"en.json:3: the answer 4, counted from 0, is beyond the 3 options"):
        read_ipquiz(written(tmp_path, *values))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no question"),
        (b"[]", "holds no question"),
        (b'\n\n{"problem": "a",\n "problem": "b"}', ":3: a member stands twice among 'problem', 'problem'"),
        (b'\n{"problem": \n\n ?}', ":4: not JSON: Expecting value"),
        (b"[\n" + json.dumps(HUB).encode() + b"\n", ":3: the array does not end where the file ends"),
        (b"[" + json.dumps(HUB).encode() + b"]\n{}", ":2: the array does not end where the file ends"),
        (b"[" + json.dumps(HUB).encode() + b',\n "text"]', ":2: a JSON object is expected"),
        pytest.param(b'{"problem": ' + b"[" * 100_000, ":1: ", id="deep"),
        (b"\xff", "not UTF-8 at byte 0"),
    ],
)
def test_a_file_that_is_damaged_is_told_with_the_line(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "en.json"
    path.write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        read_ipquiz(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_models_answer_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_tiny(tmp_path / "tiny", positions=256)
    path = written(tmp_path, HUB, like(answer="C"))
    words = ("evaluate", model, "--file", path, "--task", "ipquiz", "--root", tmp_path, "--json")
    code, out, _ = call(*words, capsys=capsys)
    assert code == 0
    figures = json.loads(out)
    assert (figures["task"], figures["questions"]) == ("ipquiz", 2)
    assert [way["n"] for way in figures["models"][0]["ways"].values()] == [2, 2]
