"""Cohen's kappa and rates of two raters, against a published example and scikit-learn."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from generator.measure.review.agreement import ANSWERS, Agreement, Kappa, Rate, agreement, kappa


def test_a_published_example() -> None:
    """Fifty proposals, two readers: 20 both yes, 15 both no, 5 and 10 apart; kappa is 0.40.

    Source: Wikipedia, "Cohen's kappa", simple example.
    """
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert kappa(pairs) == Kappa(pytest.approx(0.4), 50)
    assert str(kappa(pairs)) == "0.40 (n = 50)"


@pytest.mark.parametrize(("cells", "expected"), [((45, 15, 25, 15), 0.1304), ((25, 35, 5, 35), 0.2593)])
def test_the_same_agreement_by_other_margins(cells: tuple[int, ...], expected: float) -> None:
    """60 of 100 agree in both tables. Source: the same article, "Same percentages but different numbers"."""
    kinds = [("yes", "yes"), ("yes", "no"), ("no", "yes"), ("no", "no")]
    pairs = [pair for pair, times in zip(kinds, cells, strict=True) for _ in range(times)]
    assert kappa(pairs).value == pytest.approx(expected, abs=5e-5)


PAIRS = st.lists(st.tuples(st.sampled_from(ANSWERS), st.sampled_from(ANSWERS)), min_size=1, max_size=40)


@given(PAIRS)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    found = kappa(pairs)
    if len({answer for pair in pairs for answer in pair}) == 1:
        assert found.value is None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = cohen_kappa_score(*zip(*pairs, strict=True))
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert -1 <= (found.value or 0) <= 1


def test_undefined_is_said() -> None:
    assert str(kappa([])) == "undefined (n = 0)"
    assert str(kappa([("yes", "yes")] * 3)) == "undefined (n = 3)"
    assert kappa([("yes", "no"), ("no", "yes")]).value == -1


def test_cannot_say_and_missing_are_counted_and_not_guessed() -> None:
    first = {"a": "yes", "b": "yes", "c": "unknown", "d": "no", "x": "yes"}
    second = {"a": "yes", "b": "no", "c": "yes", "e": "unknown"}
    found = agreement("abcdef", first, second)
    assert found == Agreement(
        raters=(Rate(2, 3), Rate(2, 3)),
        both=Rate(1, 2),
        decided=kappa([("yes", "yes"), ("yes", "no")]),
        all_answers=kappa([("yes", "yes"), ("yes", "no"), ("unknown", "yes")]),
        unknown=(1, 1),
        missing=(2, 2),
    )


def test_a_rate_says_its_interval() -> None:
    assert str(Rate(34, 50)) == "34 of 50 = 68% (54% to 79%)"
    assert str(Rate(0, 0)) == "0 of 0"
