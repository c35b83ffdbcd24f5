"""Intervals of rates. A rate without one is not printed."""

from collections.abc import Sequence
from math import fsum, sqrt

Z = 1.959963984540054  # the normal distribution's 97.5 % point: two-sided 95 %


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a rate of `hits` in `n`, both ends from 0 to 1; of nothing seen, (0, 1).

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", equation 3.
    Raises ValueError unless 0 <= hits <= n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}")
    if n == 0:
        return 0.0, 1.0
    rate, spread = hits / n, Z * Z / n
    centre = rate + spread / 2
    half = Z * sqrt(rate * (1 - rate) / n + spread / (4 * n))
    low = 0.0 if hits == 0 else (centre - half) / (1 + spread)
    high = 1.0 if hits == n else (centre + half) / (1 + spread)
    return low, high


def ratio_error(found: Sequence[tuple[float, float]]) -> float | None:
    """Standard error of the ratio of two sums, that of the first numbers to that of the second ones, over drawn texts.

    None of fewer than two, and where the second sum is 0. Source: Cochran 1977, "Sampling techniques", formula 6.13.
    """
    above, below, n = fsum(one[0] for one in found), fsum(one[1] for one in found), len(found)
    if n < 2 or not below:
        return None
    residuals = fsum((part - above / below * whole) ** 2 for part, whole in found)
    return sqrt(residuals * n / (n - 1)) / below


def shown(share: float, low: float, high: float) -> str:
    """A rate as it is printed: `73.3 % (71.3 to 75.2)`."""
    return f"{100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
