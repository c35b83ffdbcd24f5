"""Intervals of rates. A rate without one is not printed."""

from math import sqrt

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
