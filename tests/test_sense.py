"""The sense gate: what each question refuses, in the order of cost; the expected rating; weights that are refused."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_patents import patents

from generator.base import canonical
from generator.base.errors import ConfigError
from generator.judge.damage import damaged
from generator.judge.parsing import Rejected
from generator.judge.plausibility import plausibility
from generator.judge.sense import (
    ASKS,
    BEST,
    MEASURES,
    RATED,
    RATING,
    SHIPPED,
    identifier,
    load_sense,
    word_measures,
)
from generator.judge.sense_fit import fit_question, fit_rating, rated_drafts, rewritten
from generator.model.reader import Surprise
from generator.record.disclosure import Claim, Disclosure
from generator.record.judgement import Sense

GATE = load_sense()


class Counting:
    """A reader that is equally surprised by everything, and counts the words that it was given."""

    name = "counting"

    def __init__(self, nats: float = 1.5) -> None:
        self.nats, self.rows = nats, 0

    def read(self, rows: Sequence[Sequence[str]]) -> list[list[Surprise]]:
        self.rows += len(rows)
        return [[Surprise(self.nats * (not piece.startswith(".")), 1) for piece in row] for row in rows]


def claims(*texts: str) -> Disclosure:
    return Disclosure(
        "Bicycle lock with a radio receiver",
        "A bicycle lock has a shackle, a bolt and a radio receiver that frees the bolt when a key comes near.",
        (),
        tuple(Claim(n, text, (1,) if n > 1 else ()) for n, text in enumerate(texts, 1)),
    )


LOCK = claims(
    "A bicycle lock comprising a shackle, a bolt that holds the shackle, and a radio receiver arranged to free the "
    "bolt when a paired key sends its code.",
    "The bicycle lock of claim 1, wherein the shackle is of hardened steel and has a sleeve of rubber.",
    "The bicycle lock of claim 1, further comprising an alarm that sounds when the shackle is bent.",
)
ROUND = claims(
    "A lock comprising a lock of the lock, the lock being a lock of the locking of the lock of the lock.",
    "The lock of claim 1, wherein the lock of the lock is a lock of the lock.",
)


def test_words_that_go_on_pass_and_words_that_go_round_do_not() -> None:
    passed = GATE.judge(LOCK, None)
    assert isinstance(passed, Sense)
    assert [one.name for one in passed.scores] == ["goes_on"]
    refused = GATE.judge(ROUND, None)
    assert isinstance(refused, Rejected)
    assert (refused.gate, refused.reason) == ("G2", "goes_on")
    assert "circles" in refused.findings[0].message


def test_what_words_refuse_is_never_read_and_a_text_that_passes_is_read_in_three_steps() -> None:
    reader = Counting()
    assert isinstance(GATE.judge(ROUND, reader), Rejected)
    assert reader.rows == 0
    for question in GATE.questions:
        assert question.name in ASKS
    open_gate = replace(GATE, questions=tuple(replace(one, least=0) for one in GATE.questions))
    passed = open_gate.judge(LOCK, reader)
    assert isinstance(passed, Sense)
    assert passed.reader == "counting"
    assert [one.name for one in passed.scores] == [one.name for one in GATE.questions]
    assert reader.rows == 4  # the whole, two exchanges, the further claims alone
    closed = replace(
        GATE, questions=tuple(replace(one, least=1001 * (one.name == "ends_whole")) for one in GATE.questions)
    )
    one = Counting()
    refused = closed.judge(LOCK, one)
    assert isinstance(refused, Rejected)
    assert (refused.reason, one.rows) == ("ends_whole", 1)


def test_most_real_claims_pass_by_their_words_and_those_made_of_themselves_do_not() -> None:
    import random

    real = list(patents())
    passed = sum(isinstance(GATE.judge(one, None), Sense) for one in real)
    assert passed >= 0.85 * len(real)
    bent = [rewritten(one, texts) for one, texts in damaged(real, "self_reference", random.Random(3))]
    assert sum(isinstance(GATE.judge(one, None), Sense) for one in bent) <= 0.1 * len(bent)


def test_the_expected_rating_is_kept_with_the_judgement_and_lies_on_the_scale() -> None:
    for reader in (None, Counting()):
        gate = replace(GATE, questions=tuple(replace(one, least=0) for one in GATE.questions))
        for one in (LOCK, ROUND, *patents()[:5]):
            judged = gate.judge(one, reader)
            assert isinstance(judged, Sense)
            (rating,) = [measure.value for measure in judged.measures if measure.name == RATING]
            assert 0 <= rating <= BEST * 1000


def test_the_rated_drafts_are_those_that_the_shipped_ratings_were_fitted_on() -> None:
    rated = rated_drafts()
    assert len(rated) == json.loads(SHIPPED.read_bytes())["rated"]
    assert all(0 <= mean <= BEST for _, mean in rated)
    by_words = [word_measures(one) for one, _ in rated]
    names = sorted(RATED[1])
    again = fit_rating(names, by_words, [mean for _, mean in rated])
    assert again.bias == pytest.approx(GATE.ratings[1].bias, abs=1e-3)
    for name in names:
        assert again.weights[name].weight == pytest.approx(GATE.ratings[1].weights[name].weight, abs=2e-3)


@given(st.lists(st.floats(-4, 4), min_size=8, max_size=20))
def test_a_rating_follows_the_measure_that_decides(values: list[float]) -> None:
    rating = fit_rating(["a", "b"], [{"a": value, "b": 1.0} for value in values], [1 + value / 4 for value in values])
    assert rating.weights["b"].weight == 0
    assert rating.expected({"a": max(values), "b": 1.0}) >= rating.expected({"a": min(values), "b": 1.0}) - 1e-6


def test_a_question_tells_what_it_was_fitted_on_apart() -> None:
    names = MEASURES["ends_whole"]
    good = [dict.fromkeys(names, 0.1 * n) for n in range(1, 21)]
    bad = [dict.fromkeys(names, 0.1 * n + 3.0) for n in range(1, 21)]
    question = fit_question("ends_whole", {"real": good, "cut_steps": bad})
    assert min(question.score(one) for one in good) > max(question.score(one) for one in bad)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.pop("ratings"), "ratings: missing"),
        (lambda v: v["ratings"].pop(), "one with a reader and one by words alone"),
        (lambda v: v["questions"][0].update(name="why"), "one of goes_on"),
        (lambda v: v["questions"][0]["weights"][0].update(name="why"), "only measures that its question has"),
        (lambda v: v["ratings"][0]["weights"][0].update(weight="1"), "weight"),
        (lambda v: v.update(schema="prior-art-sense/v9"), "not of the schema"),
    ],
)
def test_weights_that_are_not_whole_are_refused_by_name(tmp_path: Path, change: object, said: str) -> None:
    value = json.loads(SHIPPED.read_bytes())
    change(value)  # type: ignore[operator]
    value["id"] = identifier(value)
    path = tmp_path / "sense.json"
    path.write_bytes(canonical.dumps(value) + b"\n")
    with pytest.raises(ConfigError, match=said) as error:
        load_sense(path)
    assert "calibrate" in (error.value.hint or "")


def test_weights_that_were_changed_by_hand_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sense.json"
    path.write_bytes(SHIPPED.read_bytes().replace(b'"least":', b'"least":1', 1))
    with pytest.raises(ConfigError, match="changed by hand"):
        load_sense(path)


@pytest.mark.parametrize(
    ("end", "stop"),
    [
        ("a memory (ROM)", ").\n\n"),
        ("a share of 15%", "%.\n\n"),
        ("a key", ".\n\n"),
        ("a [b (c)]", ")].\n\n"),
    ],
)
def test_brackets_before_a_full_stop_are_read_with_it(end: str, stop: str) -> None:
    class Kept(Counting):
        def read(self, rows: Sequence[Sequence[str]]) -> list[list[Surprise]]:
            kept.extend(rows)
            return super().read(rows)

    kept: list[Sequence[str]] = []
    text = f"A lock comprising a bolt, a shackle and {end}"
    list(plausibility(claims(f"{text}."), Kept()))
    assert kept[0][-1] == stop
    assert "".join(kept[0][1:]) == f"1. {text}.\n\n"
