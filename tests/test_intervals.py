import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Newcombe 1998, table I, method 3: 0/20, 1/29, 15/148, 81/263
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_published_intervals(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_seen_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)
    for hits, n in ((-1, 5), (6, 5), (0, -1)):
        with pytest.raises(ValueError, match="hits of"):
            wilson(hits, n)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_an_interval_holds_its_rate_and_mirrors(hits, n):
    hits = min(hits, n)
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert low < high
    mirrored = wilson(n - hits, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))
