"""Cohen's kappa, rates and means of two raters, against a published example, scikit-learn and SciPy."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from generator.measure.review.agreement import ANSWERS, Agreement, Kappa, Rate, agreement, kappa
from generator.measure.review.scale import Rated, figures_of, mean_of, reached, student, summary, weighted_kappa


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


RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)


@given(RATINGS)
def test_weighted_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    found = weighted_kappa(pairs)
    if len({rating for pair in pairs for rating in pair}) == 1:
        assert found.value is None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = cohen_kappa_score(*zip(*pairs, strict=True), weights="quadratic", labels=[0, 1, 2, 3])
    assert found.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 15, 35, 47, 1000])
def test_students_t_is_that_of_scipy(freedom: int) -> None:
    assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=0.02 if freedom == 3 else 0.004)


@given(RATINGS)
def test_a_mean_lies_in_its_interval_and_that_on_the_scale(pairs: list[tuple[int, int]]) -> None:
    mean, low, high = mean_of([sum(pair) / 2 for pair in pairs])
    assert -1e-9 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 3
    assert high - low > 0.1 * (len(pairs) < 30)  # equal ratings of few texts do not fix the mean of all


def test_a_text_that_one_rater_calls_senseless_is_a_zero() -> None:
    found = figures_of([Rated("disclosure", (0, 2)), Rated("disclosure", (2, 3)), Rated("disclosure", (2, 2))])
    assert (found.n, found.zeros, found.two_or_better) == (3, 1, 2)
    assert found.raters == (pytest.approx(4 / 3), pytest.approx(7 / 3))


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([(2, 2)] * 20, True),
        ([(2, 2)] * 19 + [(0, 3)], False),
        ([(3, 3)] * 19 + [(0, 3)], True),
        ([(3, 3)] * 9 + [(0, 0)], False),
        ([(2, 1)] * 20, False),
        ([], False),
    ],
)
def test_the_goal_is_a_mean_and_few_zeros(ratings: list[tuple[int, int]], expected: bool) -> None:
    assert reached(summary(Rated("disclosure", pair) for pair in ratings)) is expected
    assert not reached(summary(Rated("real", pair) for pair in ratings))
