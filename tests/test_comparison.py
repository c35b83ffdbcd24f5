"""The first place where two records of one draft are not the same."""

from dataclasses import fields, replace
from typing import Any

import facts
import pytest

from generator.model.interface import ModelIdentity
from generator.record.disclosure import Claim, Paragraph
from generator.record.record import Generation, Record
from generator.run.comparison import MADE, first_difference

GIVEN = ("seed", "sampling", "generator_version")
RECORD = facts.record()
TEXT = RECORD.disclosure
FIRST, SECOND, THIRD = TEXT.claims
ONE, TWO = TEXT.description


def changed(generation: dict[str, Any] | None = None, **text: Any) -> Record:
    return replace(
        RECORD,
        disclosure=replace(TEXT, **text),
        generation=replace(RECORD.generation, **(generation or {})),
    )


def test_what_the_model_did_not_write_is_no_difference() -> None:
    other = replace(RECORD, created_at="2030-01-01T00:00:00Z", publisher="Another", salt="f" * 32, review="A. Reader")
    assert first_difference(RECORD, RECORD) == first_difference(RECORD, other) == ""


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (changed(title="Bracket"), 'title differs: "Folding bracket with'),
        (changed(abstract=TEXT.abstract + " Slow."), "abstract differs from character 69 on: "),
        (changed(claims=(FIRST, replace(SECOND, text="The bracket."), THIRD)), "claim 2 differs: "),
        (changed(claims=(FIRST, SECOND)), 'claim 3 differs: "The bracket of claim 1 or 2, wherein the arm'),
        (changed(claims=(*TEXT.claims, Claim(4, "More."))), 'claim 4 differs: nothing in the record, "More." here'),
        (changed(claims=(FIRST, SECOND, replace(THIRD, depends_on=(1,)))), 'what claim 3 depends on differs: "1, 2"'),
        (changed(description=(ONE,)), 'paragraph 2 differs: "The hinge may'),
        (changed(description=(ONE, Paragraph("model", TWO.text))), "the origin of paragraph 2"),
        (changed(language="de"), 'language differs: "en" in the record, "de" here'),
        (changed({"new_tokens": 322}), 'new_tokens differs: "321" in the record, "322" here'),
        (changed({"stop": "limit"}), 'stop differs: "end" in the record, "limit" here'),
        (changed({"removed_claims": (4, 7)}), 'removed_claims differs: nothing in the record, "4, 7" here'),
        (changed({"prompt_tokens": 9}), 'prompt_tokens differs: "7" in'),
        (changed({"topic": "Folding"}), 'topic differs: nothing in the record, "Folding" here'),
    ],
    ids=lambda value: value.split(" differs")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_place(other: Record, told: str) -> None:
    assert first_difference(RECORD, other).startswith(told)
    assert first_difference(other, RECORD)


def test_every_member_of_generation_is_made_given_or_of_the_platform() -> None:
    """A member that is added to the record must be compared, or be known to come from elsewhere."""
    names = [field.name for kind in (Generation, ModelIdentity) for field in fields(kind)]
    of_topics = ["topic_rule", "topic_symbols"]
    assert sorted({*names} - {*of_topics}) == sorted(
        {*(f.name for f in fields(ModelIdentity)), *MADE, *GIVEN} - {*of_topics}
    )


def test_the_first_place_is_the_first_that_the_model_wrote() -> None:
    text: dict[str, Any] = {"title": "Bracket", "claims": (replace(FIRST, text="A bracket."), SECOND, THIRD)}
    assert first_difference(RECORD, changed(**text)).startswith("title")
    up = {"direction": "bottom-up"}
    assert first_difference(changed(up), changed(up, **text)).startswith("claim 1")


def test_long_texts_are_shown_where_they_part() -> None:
    a, b = (changed(abstract="word " * 100 + end * 30) for end in ("left ", "right "))
    assert first_difference(a, b) == (
        'abstract differs from character 501 on: "word word word word left left left left left left left left " ... '
        'in the record, "word word word word right right right right right right righ" ... here'
    )
