"""`prior-art judge`: texts of anybody, a line each, and the gate that refuses them."""

import json
from pathlib import Path

import pytest
from real_patents import patents

from generator.base.errors import CorpusError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.judge_texts import judge
from generator.record.layouts import write_layout

LOCK = {
    "title": "Bicycle lock",
    "abstract": "A lock for a bicycle has a shackle and a radio receiver; a motor opens the shackle.",
    "claims": [
        "A bicycle lock comprising: a shackle; a radio receiver; and a motor that opens the shackle when the radio "
        "receiver receives a code.",
        "The bicycle lock of claim 1, wherein the motor is a stepper motor.",
    ],
}


def publication(root: Path) -> Publication:
    return Publication(root, Settings(reader="none"), lambda _: None)


def told(tmp_path: Path, *lines: str, name: str = "texts.jsonl", head: str = "") -> list[dict[str, str]]:
    (tmp_path / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    texts: list[dict[str, str]] = judge(publication(tmp_path), tmp_path / name).figures["texts"]
    return texts


def test_each_text_ends_at_the_gate_that_refuses_it(tmp_path: Path) -> None:
    circle = {**LOCK, "claims": ["A method, wherein the immune response is an immune response."]}
    loop = {**LOCK, "claims": ["A method comprising measuring a field of a field of a field of a field of a field."]}
    empty = {**LOCK, "claims": []}
    rows = told(tmp_path, *(json.dumps(one) for one in (LOCK, circle, loop, empty)), "no JSON", head="\ufeff")
    assert [(row["gate"], row["reason"].split(":")[0]) for row in rows] == [
        ("", ""),
        ("G1", "c13"),
        ("G1", "c11"),
        ("G0", "title, abstract and claims are needed"),
        ("G0", "not read"),
    ]
    assert rows[0]["name"] == "line 1"


@pytest.mark.parametrize("direction", ["top-down", "bottom-up"])
def test_a_draft_in_a_layout(tmp_path: Path, direction: str) -> None:
    text = write_layout(direction, LOCK["title"], LOCK["abstract"], LOCK["claims"])  # type: ignore[arg-type]
    (row,) = told(tmp_path, text, name="draft.txt", head="\ufeff")
    assert row["gate"] == ""


def test_real_patents_mostly_pass(tmp_path: Path) -> None:
    rows = told(
        tmp_path,
        *(
            json.dumps({"title": one.title, "abstract": one.abstract, "claims": [c.text for c in one.claims]})
            for one in patents()
        ),
    )
    assert sum(row["gate"] == "" for row in rows) >= 0.7 * len(rows)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\xfe\x00", b"hello"])
def test_a_file_without_a_text_is_an_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "nothing").write_bytes(data)
    with pytest.raises(CorpusError):
        judge(publication(tmp_path), tmp_path / "nothing")
