"""Numbers as kernels store and add them, against NumPy in float64 and torch's own rounding."""

from functools import cache

import numpy
import pytest
import torch

from generator.model.engine.arithmetic import bfloat16, dots, exponential, larger, low_byte, number, weighted
from generator.model.engine.compiled import kernel

WIDTHS = (16, 32, 48, 64, 80, 128)
KINDS = (numpy.uint16, numpy.int8, numpy.float32)


@kernel
def narrowed(values, out):
    for i in range(values.shape[0]):
        out[i] = bfloat16(values[i])


@kernel
def widened(values, out):
    for i in range(values.shape[0]):
        out[i] = number(values[i])


@kernel
def powers(values, out):
    for i in range(values.shape[0]):
        out[i] = exponential(values[i])


@kernel
def highest_and_bytes(values, out):
    top = numpy.float32(-numpy.inf)
    for i in range(values.shape[0]):
        top = larger(top, values[i])
        out[i] = low_byte(values[i])
    return top


@cache
def products(width):
    @kernel
    def run(query, keys, weights, count, scores, sums):
        dots(scores, query, 0, keys, 0, count, width, keys, 0)
        weighted(sums, 0, weights, keys, 0, count, width, keys, 0)

    return run


def interesting_bits() -> numpy.ndarray:
    """Every upper half of a float32 with lower halves at, below and above a tie; NaNs as CPUs make them."""
    high = numpy.arange(1 << 16, dtype=numpy.uint32) << 16
    low = numpy.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=numpy.uint32)
    bits = (high[:, None] | low[None]).ravel()
    nan = (bits & 0x7F800000 == 0x7F800000) & (bits & 0x007FFFFF != 0)
    return numpy.concatenate([bits[~nan], numpy.array([0x7FC00000, 0xFFC00000], dtype=numpy.uint32)])


def test_bfloat16_rounds_as_torch_does():
    values = interesting_bits().view(numpy.float32)
    found = numpy.empty(len(values), dtype=numpy.uint16)
    narrowed(values, found)
    expected = torch.from_numpy(values.copy()).to(torch.bfloat16)
    same = found == expected.view(torch.uint16).numpy()
    assert same[:-2].all()  # ties, denormals, zeros of both signs, infinities, and what rounds up to infinity
    back = numpy.empty(len(values), dtype=numpy.float32)
    widened(found, back)
    numpy.testing.assert_array_equal(back, expected.float().numpy())  # NaN stays NaN


@pytest.mark.parametrize("kind", [numpy.int8, numpy.uint8, numpy.float32])
def test_stored_numbers_are_read_as_they_are(kind):
    values = numpy.arange(256).astype(kind)
    out = numpy.empty(256, dtype=numpy.float32)
    widened(values, out)
    numpy.testing.assert_array_equal(out, values.astype(numpy.float32))


def test_exponential_against_numpy():
    x = numpy.concatenate([-numpy.geomspace(1e-45, 87, 200_000), [0.0, -0.0]]).astype(numpy.float32)
    found = numpy.empty(len(x), dtype=numpy.float32)
    powers(x, found)
    exact = numpy.exp(x.astype(numpy.float64))
    assert numpy.abs(found / exact - 1).max() < 2e-7
    assert found[-2:].tolist() == [1.0, 1.0]  # the highest logit weighs one, neither more nor less


def test_far_below_zero_the_exponential_is_next_to_nothing():
    x = numpy.array([-87.5, -1e30, -numpy.finfo(numpy.float32).max, -numpy.inf], dtype=numpy.float32)
    found = numpy.empty(len(x), dtype=numpy.float32)
    powers(x, found)
    assert (found > 0).all()
    assert (found < 2e-38).all()


def test_the_exponential_of_no_number_is_no_number():
    """A NaN must reach the logits, where it becomes an error."""
    found = numpy.empty(8, dtype=numpy.float32)
    powers(numpy.full(8, numpy.nan, dtype=numpy.float32), found)
    assert numpy.isnan(found).all()


def test_the_larger_and_the_low_byte():
    values = numpy.array([-128, -1, 0, 1, 127, 128, 255, -0.0, 200], dtype=numpy.float32)
    found = numpy.empty(len(values), dtype=numpy.uint8)
    assert highest_and_bytes(values, found) == 255
    assert found.tolist() == [128, 255, 0, 1, 127, 128, 255, 0, 200]
    assert highest_and_bytes(numpy.array([-numpy.inf, numpy.inf], numpy.float32), found) == numpy.inf
    assert highest_and_bytes(numpy.full(20, -numpy.inf, numpy.float32), numpy.empty(20, numpy.uint8)) == -numpy.inf


def vectors(kind, count, width, chance):
    """Stored vectors and the float64 that they stand for."""
    if kind == numpy.int8:
        stored = chance.integers(-127, 128, (count, width), dtype=numpy.int8)
        return stored, stored.astype(numpy.float64)
    values = chance.standard_normal((count, width)).astype(numpy.float32)
    if kind == numpy.float32:
        return values, values.astype(numpy.float64)
    rounded = torch.from_numpy(values).to(torch.bfloat16)
    return rounded.view(torch.uint16).numpy(), rounded.double().numpy()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("width", WIDTHS)
def test_vector_products(width, kind):
    """Of the sums, a float32's rounding for each addition is allowed, no more."""
    chance = numpy.random.default_rng(width)
    stored, exact = vectors(kind, 64, width, chance)
    query, weights = (chance.standard_normal(n).astype(numpy.float32) for n in (width, 64))
    for count in (1, 7, 16, 33, 64):
        scores, sums = numpy.zeros(64, numpy.float32), numpy.ones(width, numpy.float32)
        products(width)(query, stored, weights, count, scores, sums)
        terms = exact[:count] * query
        bound = 1e-7 * (width + 2) * numpy.abs(terms).sum(axis=1)
        assert (numpy.abs(scores[:count] - terms.sum(axis=1)) <= bound).all()
        terms = exact[:count] * weights[:count, None].astype(numpy.float64)
        bound = 1e-7 * (count + 2) * (1 + numpy.abs(terms).sum(axis=0))
        assert (numpy.abs(sums - 1 - terms.sum(axis=0)) <= bound).all()
