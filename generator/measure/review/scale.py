"""What raters gave on the scale from 0 to 3: means with intervals, zeros, and how far they agree beyond chance."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import fsum, sqrt
from pathlib import Path
from typing import Any

from generator.base.intervals import Z, wilson
from generator.measure.review.agreement import Kappa, kappa
from generator.site.report_facts import HIGHEST_RATING, read_readings

GOAL_MEAN, GOAL_ZEROS = 2.0, 0.05  # of the disclosures: at least, at most


@dataclass(frozen=True, slots=True)
class Rated:
    """One text, its set, and what the two raters gave it."""

    set: str
    ratings: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SetFigures:
    """The ratings of `n` texts of one set. `raters` are the means of each rater.

    A text's rating is the mean of its two. `zeros` counts texts to which a rater gave 0, `two_or_better` those to which
    both gave 2 or 3.
    """

    n: int
    mean: float
    low: float
    high: float
    raters: tuple[float, float]
    zeros: int
    zeros_low: float
    zeros_high: float
    two_or_better: int


def figures_of(rated: Sequence[Rated]) -> SetFigures:
    """Of at least one text."""
    n = len(rated)
    mean, low, high = mean_of([fsum(one.ratings) / 2 for one in rated])
    zeros = sum(0 in one.ratings for one in rated)
    means = tuple(sum(one.ratings[which] for one in rated) / n for which in (0, 1))
    both = sum(min(one.ratings) >= 2 for one in rated)
    return SetFigures(n, mean, low, high, (means[0], means[1]), zeros, *wilson(zeros, n), both)


def mean_of(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of ratings and its 95 % interval, by Student's t, within the scale.

    Where all are equal t would give an interval without width. Then it is Wilson's of the mean as a share of the
    scale: ratings cannot vary more than when each is 0 or 3.
    """
    n, mean = len(values), fsum(values) / len(values)
    spread = fsum((value - mean) ** 2 for value in values)
    if n < 2 or not spread:
        low, high = _wilson_of_mean(mean, n)
        return mean, low, high
    half = student(n - 1) * sqrt(spread / (n - 1) / n)
    return mean, max(0.0, mean - half), min(float(HIGHEST_RATING), mean + half)


def _wilson_of_mean(mean: float, n: int) -> tuple[float, float]:
    share = mean / HIGHEST_RATING
    centre, half = share + Z * Z / (2 * n), Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low, high = ((centre + side) / (1 + Z * Z / n) for side in (-half, half))
    return max(0.0, HIGHEST_RATING * low), min(float(HIGHEST_RATING), HIGHEST_RATING * high)


def student(freedom: int) -> float:
    """The 97.5 % point of Student's t, within 0.01 from 3 degrees of freedom.

    Source: Abramowitz and Stegun 1964, "Handbook of mathematical functions", 26.7.5.
    """
    if freedom < 3:
        return (12.706, 4.303)[freedom - 1]
    z, n = Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> Kappa:
    """A difference of two weighs four times one of one. Source: Cohen 1968, "Weighted kappa", with squared weights."""
    n = len(pairs)
    seen = sum((one - other) ** 2 for one, other in pairs) * n
    chance = sum((one - other) ** 2 for one, _ in pairs for _, other in pairs)
    return Kappa(1 - seen / chance, n) if chance else Kappa(None, n)


def summary(rated: Iterable[Rated]) -> dict[str, Any]:
    """Of each set its figures, and both kappas over all texts, as JSON."""
    every = list(rated)
    pairs = [one.ratings for one in every]
    names = dict.fromkeys(one.set for one in every)
    return {
        "sets": {name: asdict(figures_of([one for one in every if one.set == name])) for name in sorted(names)},
        "kappa": kappa(pairs).value,
        "weighted_kappa": weighted_kappa(pairs).value,
        "texts": len(every),
    }


def reached(figures: dict[str, Any]) -> bool:
    """Whether the disclosures of a summary reach the goal: the mean at least 2, zeros at most one in twenty."""
    found = figures["sets"].get("disclosure")
    return bool(found) and found["mean"] >= GOAL_MEAN and found["zeros"] <= GOAL_ZEROS * found["n"]


def readings(output: Path) -> list[dict[str, Any]]:
    """What the report says of the readings that were kept, oldest first. Raises PressError."""
    return [_reading(one) for one in read_readings(output)]


def _reading(reading: dict[str, Any]) -> dict[str, Any]:
    figures = summary(Rated(one["set"], (one["first"], one["second"])) for one in reading["ratings"])
    named = {name: reading[name] for name in ("by", "read_at", "models")}
    return {**named, "draws": len(reading["forms"]), **figures, "reached": reached(figures)}
