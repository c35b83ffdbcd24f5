"""The next token: highest, draw, kept set, loop guard, forced tokens; against slow and plain references."""

import engine_reference as reference
import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from generator.model.engine.choosing import _keep, _mass, choose, draw, guard, highest
from generator.model.sampler import LoopGuard
from generator.model.sampler import choose as plain_choose
from generator.model.sampling_settings import uniforms

ALL = (1.0, -numpy.inf)  # top_p and the logarithm of min_p that keep every token


def floats(*values):
    return numpy.array(values, dtype=numpy.float32)


@pytest.mark.parametrize(("values", "place"), [
    (floats(1.0), 0),
    (floats(0, 3, 3, 1), 1),  # of equal ones the first
    (floats(-5, -1e30, -4), 2),
    (floats(-0.0, 0.0), 0),
    (floats(1e-45, 0, 1e-44), 2),
    (floats(1e30, numpy.inf, numpy.inf, -numpy.inf), 1),
    (floats(-numpy.inf, -1e38), 1),
    (floats(-numpy.inf, -numpy.inf, -numpy.inf), -1),
    (floats(numpy.inf, numpy.nan), -1),
    (floats(numpy.nan), -1),
    (numpy.r_[numpy.zeros(1000), numpy.nan, numpy.zeros(24)].astype(numpy.float32), -1),
    (numpy.r_[numpy.zeros(700), 1, numpy.zeros(3000)].astype(numpy.float32), 700),
])  # fmt: skip
def test_highest(values, place):
    assert highest(values) == place
    if place < 0:  # a draw finds none either
        assert {draw(values, u, top_p, -numpy.inf) for u in (0.0, 0.9) for top_p in (1.0, 0.5)} == {-1}


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 5000])
def test_the_draw_inverts_the_distribution(size):
    """Where a sum of float32 could decide otherwise, either neighbour is right; that is 1 in 100,000 at most."""
    chance = numpy.random.default_rng(size)
    values = (chance.standard_normal(size) * 4).astype(numpy.float32)
    cumulative = numpy.exp(values.astype(numpy.float64) - values.max()).cumsum()
    cumulative /= cumulative[-1]
    numbers = numpy.concatenate([chance.random(500), cumulative[:20] * (1 - 1e-5), [0.0, 1 - 2**-53]])
    for number in numbers:
        found = draw(values, number, *ALL)
        expected = min(int(numpy.searchsorted(cumulative, number, side="right")), size - 1)
        edge = min(abs(cumulative[min(found, expected)] - number), 1.0)
        assert found == expected or (edge < 1e-6 and abs(found - expected) == 1)


def test_the_ends_of_the_unit_interval_give_tokens_that_can_be():
    values = numpy.full(2000, -numpy.inf, dtype=numpy.float32)
    values[[3, 1200]] = 0, 1
    for kept in (ALL, (0.99, -numpy.inf), (1.0, numpy.log(0.01))):
        assert draw(values, 0.0, *kept) == 3
        assert draw(values, 1 - 2**-53, *kept) == 1200


def test_an_infinite_logit_leaves_no_chance_to_others():
    values = floats(0, numpy.inf, 1e30, numpy.inf)
    assert {draw(values, u, 0.3, -1.0) for u in numpy.linspace(0, 0.999, 50)} == {1, 3}


def test_extreme_logits():
    assert {draw(floats(-1e30, 1e30, -1e30), u, *ALL) for u in (0, 0.5, 1 - 2**-53)} == {1}
    assert {draw(floats(-3e38, -3e38), u, *ALL) for u in (0.2, 0.7)} == {0, 1}
    assert [draw(floats(1e-45, 0, -1e-45, 1e-40), u, *ALL) for u in (0.1, 0.3, 0.6, 0.9)] == [0, 1, 2, 3]
    assert draw(floats(0, -88), 1 - 2**-53, *ALL) == 0  # less than 1 in 10**38 is nothing


def support(values, top_p, log_min_p):
    """Every token that a draw can give: numbers between all neighbouring sums of the weights."""
    weights = numpy.exp(values.astype(numpy.float64) - values.max())
    found, fine = set(), numpy.linspace(0, 1, 4 * len(values) + 1)[:-1]
    for goal in numpy.unique(numpy.concatenate([fine, weights.cumsum() / weights.sum() * 0.9999])):
        found.add(draw(values, min(goal, 1 - 2**-53), top_p, log_min_p))
    return found


@given(
    st.lists(st.integers(-12, 12), min_size=1, max_size=40),
    st.sampled_from([0.05, 0.3, 0.51, 0.9, 0.975, 0.9999, 1.0]),
    st.sampled_from([0.0, 0.009, 0.11, 0.4, 0.99, 1.0]),
)
def test_min_p_and_top_p_keep_the_same_set_as_a_plain_reference(whole, top_p, min_p):
    """Logits in steps of a quarter, with many ties. Where a sum is within a millionth of the edge, both are right."""
    values = numpy.array(whole, dtype=numpy.float32) / 4
    weights = numpy.sort(numpy.exp(values.astype(numpy.float64) - values.max()))[::-1]
    weights = weights[weights >= min_p]
    share = weights.cumsum() / weights.sum()
    if top_p < 1 and (numpy.abs(share - top_p) < 1e-6).any():
        return
    expected = set(numpy.flatnonzero(reference.kept(values, top_p, min_p)).tolist())
    log_min_p = float(numpy.log(min_p)) if min_p else -numpy.inf
    found = support(values, top_p, log_min_p)
    assert found <= expected
    heavy = {t for t in expected if numpy.exp(values[t] - values.max()) > 0.1}  # the others a sweep may step over
    assert heavy <= found


@given(st.lists(st.integers(0, 1 << 12), min_size=1, max_size=1200), st.floats(1e-6, 1))
def test_the_smallest_set_of_highest_weights(whole, share):
    """Weights are multiples of 2**-12, so that every sum is exact whatever its order."""
    weights = numpy.array([1 << 12, *whole], dtype=numpy.float32) / (1 << 12)
    total = _mass(weights, numpy.float32(0))
    assert total == weights.astype(numpy.float64).sum()
    order = numpy.argsort(-weights, kind="stable")
    before = numpy.cumsum(weights[order].astype(numpy.float64)) - weights[order]
    expected = numpy.zeros_like(weights)
    expected[order] = numpy.where(before < total * share, weights[order], 0)
    _keep(weights, total * share)
    numpy.testing.assert_array_equal(weights, expected)


def test_the_smallest_set_when_weights_are_all_but_nothing():
    weights = floats(1, 1e-37, 1e-38, 0, 1e-40, 1e-37)
    _keep(weights, _mass(weights, numpy.float32(0)))
    assert weights[0] == 1
    assert (weights >= 0).all()


def forbidden(history, longest):
    """By looking back: a phrase of p tokens stands twice at the end, so its first token may not come next."""
    return {
        history[-p] for p in range(1, longest + 1) if len(history) >= 2 * p and history[-p:] == history[-2 * p : -p]
    }


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 7))
def test_the_guard_forbids_what_a_slow_search_and_the_plain_sampler_forbid(tokens, longest):
    history, runs = numpy.zeros(64, numpy.int32), numpy.zeros(longest, numpy.int32)
    plain = LoopGuard(1, longest)
    for written in range(len(tokens) + 1):
        values = numpy.zeros(3, dtype=numpy.float32)
        guard(history, written, runs, values)
        expected = forbidden(tokens[:written], longest)
        assert set(numpy.flatnonzero(values == -numpy.inf)) == expected
        scores = plain.forbid(torch.tensor([tokens[:written]], dtype=torch.int64), torch.zeros(1, 3))
        assert set(torch.isinf(scores[0]).nonzero().flatten().tolist()) == expected
        if written < len(tokens):
            history[written] = tokens[written]


def arguments(logits, *, longest=0, steps=64, seed=1, forced=None, scales=None):
    """What `choose` takes besides temperature, top-p and min-p, for rows that have written nothing."""
    rows = len(logits)
    return {
        "numbers": logits,
        "scales": numpy.ones(rows, numpy.float32) if scales is None else scales,
        "history": numpy.zeros((rows, steps), numpy.int32),
        "written": numpy.zeros(rows, numpy.int32),
        "runs": numpy.zeros((rows, longest), numpy.int32),
        "forced": numpy.full(rows, -1, numpy.int32) if forced is None else numpy.array(forced, numpy.int32),
        "uniforms": uniforms([seed + r for r in range(rows)], steps),
    }


def chosen(given, temperature=1.0, top_p=1.0, log_min_p=-numpy.inf):
    tokens = numpy.full(len(given["numbers"]), -7, numpy.int32)
    choose(*given.values(), temperature, top_p, log_min_p, tokens)
    return tokens


@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.0, 1.0]))
def test_no_phrase_ever_stands_three_times_in_a_row(seed, longest, temperature):
    chance = numpy.random.default_rng(seed)
    logits = numpy.tile((chance.standard_normal(8) * 2).astype(numpy.float32), (2, 1))
    given_ = arguments(logits, longest=longest, seed=seed)
    for step in range(64):
        tokens = chosen(given_, temperature)
        given_["history"][:, step] = tokens
        given_["written"] += 1
    for row in given_["history"].tolist():
        for p in range(1, longest + 1):
            assert not any(row[i : i + p] == row[i + p : i + 2 * p] == row[i + 2 * p : i + 3 * p] for i in range(64))


@pytest.mark.parametrize("kind", [numpy.uint16, numpy.float32], ids=lambda kind: kind.__name__)
def test_temperature_zero_takes_the_highest_of_the_scaled_logits(kind):
    logits = reference.stored(numpy.random.default_rng(4).standard_normal((6, 300)), kind)
    nine, nan, high, low = reference.stored(numpy.array([9.0, numpy.nan, numpy.inf, -numpy.inf]), kind)
    logits[1, [7, 200]], logits[2, 100], logits[3, 5], logits[4] = nine, nan, high, low
    tokens = chosen(arguments(logits), temperature=0.0)
    expected = [int(row.argmax()) for row in reference.exact(logits)]
    assert tokens.tolist() == [expected[0], 7, -1, 5, -1, expected[5]]
    assert chosen(arguments(logits), temperature=1.0).tolist()[2:5] == [-1, 5, -1]


def test_a_forced_token_comes_whatever_the_logits_say():
    logits = numpy.full((3, 10), -numpy.inf, dtype=numpy.float32)
    logits[:, 2] = 0
    given_ = arguments(logits, longest=3, forced=[-1, 9, 0])
    assert chosen(given_, temperature=1.0).tolist() == [2, 9, 0]
    assert chosen(given_, temperature=0.0).tolist() == [2, 9, 0]


@pytest.mark.parametrize("kept", [ALL, (0.8, -numpy.inf), (0.9, numpy.log(0.05))])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_a_row_depends_neither_on_its_neighbours_nor_on_its_place(temperature, kept):
    logits = reference.bfloat16(numpy.random.default_rng(6).standard_normal((20, 700)) * 3)
    scales = numpy.random.default_rng(7).uniform(0.5, 2, 20).astype(numpy.float32)
    whole = chosen(arguments(logits, scales=scales), temperature, *kept)
    for rows in ([5], [19, 0, 7], list(range(20))[::-1]):
        some = arguments(logits[rows], scales=scales[rows])
        some["uniforms"] = uniforms([1 + r for r in rows], 64)
        assert chosen(some, temperature, *kept).tolist() == whole[rows].tolist()
    assert len(set(whole.tolist())) > 5


@pytest.mark.parametrize(("top_p", "min_p"), [(1.0, 0.0), (0.9, 0.0), (1.0, 0.05), (0.8, 0.02)])
@pytest.mark.parametrize("temperature", [0.5, 1.3])
def test_the_plain_sampler_chooses_the_same_tokens(temperature, top_p, min_p):
    """The plain one calculates in float64: where its number is within 1e-5 of an edge, a neighbour is right as well."""
    logits = (numpy.random.default_rng(8).standard_normal((400, 900)) * 3).astype(numpy.float32)
    given_ = arguments(logits, steps=1)
    ours = chosen(given_, temperature, top_p, numpy.log(min_p) if min_p else -numpy.inf)
    numbers = torch.from_numpy(given_["uniforms"][:, 0].copy())
    sure = numpy.ones(400, dtype=bool)
    theirs = plain_choose(torch.from_numpy(logits), numbers, temperature, top_p, min_p).numpy()
    if top_p == 1:  # else its tokens stand in another order, by probability
        for nudge in (-1e-5, 1e-5):
            moved = plain_choose(
                torch.from_numpy(logits), (numbers + nudge).clamp(0, 1 - 1e-9), temperature, top_p, min_p
            )
            sure &= moved.numpy() == theirs
        assert sure.mean() > 0.97
        assert (ours == theirs)[sure].all()
    else:
        for row in range(400):
            assert reference.kept(logits[row] / numpy.float32(temperature), top_p, min_p)[ours[row]]


SCORES = floats(0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, 0.3)
CRITICAL = 40.5  # of chi-square with 7 degrees of freedom, passed once in a million


def chi_square(temperature, expected_temperature, top_p=1.0):
    draws = 8_000
    numbers = numpy.tile(SCORES, (draws, 1))
    given_ = arguments(numbers, steps=1)
    given_["uniforms"] = uniforms([3], draws).T.copy()
    counts = numpy.bincount(chosen(given_, temperature, top_p), minlength=8)
    weights = numpy.exp(SCORES.astype(numpy.float64) / expected_temperature)
    weights = numpy.where(reference.kept(SCORES / numpy.float32(temperature), top_p, 0.0), weights, 0)
    expected = weights / weights.sum() * draws
    assert (counts[expected == 0] == 0).all()
    some = expected > 0
    return float(((counts[some] - expected[some]) ** 2 / expected[some]).sum())


@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.6])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_from_the_softmax(temperature, top_p):
    assert chi_square(temperature, temperature, top_p) < CRITICAL


def test_the_chi_square_sees_a_wrong_temperature():
    assert chi_square(1.0, 1.2) > CRITICAL
