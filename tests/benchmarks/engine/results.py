"""What a run found, and the figures that follow from it. Everything here is arithmetic on measurements."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from tests.benchmarks.engine.agreement import Agreement
from tests.benchmarks.engine.jobs import Failure, Measurement
from tests.benchmarks.engine.peers import OURS
from tests.benchmarks.engine.roofline import Roofline


@dataclass(frozen=True, slots=True)
class Spread:
    middle: float
    least: float
    most: float

    def times(self, factor: float) -> "Spread":
        return Spread(self.middle * factor, self.least * factor, self.most * factor)


def spread(values: Iterable[float]) -> Spread:
    found = list(values)
    return Spread(statistics.median(found), min(found), max(found))


@dataclass(frozen=True, slots=True)
class Line:
    """One configuration at one length, measured some times."""

    engine: str
    format: str
    batch: int
    new_tokens: int
    sampling: str
    runs: tuple[Measurement, ...]
    failures: tuple[Failure, ...]
    agreement: Agreement | None  # None: sampled otherwise by intent, or the check did not run

    @property
    def rate(self) -> Spread:
        """Tokens a second."""
        return spread(run.rate for run in self.runs)

    @property
    def finished(self) -> bool:
        """A line with a run that was cut at the limit overstates the rate: the tokens left out read longer texts."""
        return all(run.finished for run in self.runs)

    @property
    def trusted(self) -> bool:
        """Fit to be compared: it was measured, and its tokens follow the model where that was checked."""
        return bool(self.runs) and (self.agreement is None or self.agreement.right)


@dataclass(frozen=True, slots=True)
class Result:
    """`absent` names engines and formats that gave no figure at all; `tried` is the search for the best batch."""

    settings: dict[str, object]
    roofline: Roofline | None
    roofline_missing: str
    tried: tuple[Measurement | Failure, ...]
    lines: tuple[Line, ...]
    absent: tuple[Failure, ...]
    watts_per_core: float
    tokens_per_word: float

    def at(self, new_tokens: int) -> list[Line]:
        return [line for line in self.lines if line.new_tokens == new_tokens]

    @property
    def lengths(self) -> list[int]:
        return sorted({line.new_tokens for line in self.lines})


def ratio(upper: Line, lower: Line) -> Spread:
    """Median by median; the range is that of all quotients that the single runs allow."""
    up, low = upper.rate, lower.rate
    return Spread(up.middle / low.middle, up.least / low.most, up.most / low.least)


def best_peer(lines: Iterable[Line]) -> Line | None:
    """The fastest of the others whose figure can be trusted."""
    others = [line for line in lines if line.engine != OURS and line.trusted]
    return max(others, key=lambda line: line.rate.middle, default=None)


def ours(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.engine == OURS and line.trusted]


def watt_hours(line: Line, watts_per_core: float) -> float:
    """Energy of a million tokens: as the hardware counted it, else CPU time times an assumed power of a core."""
    joules = [
        (run.cpu_seconds * watts_per_core if run.energy_joules is None else run.energy_joules) / run.tokens
        for run in line.runs
    ]
    return statistics.median(joules) * 1e6 / 3600


def energy_is_counted(line: Line) -> bool:
    return all(run.energy_joules is not None for run in line.runs)
