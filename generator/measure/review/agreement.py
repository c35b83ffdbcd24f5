"""What two raters said of the same texts: rates with intervals, and how far they agree beyond chance."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from generator.base.intervals import wilson

ANSWERS = ("yes", "no", "unknown")  # unknown: the rater cannot say
DECIDED = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Rate:
    """How often the answer was yes, of the texts where it was yes or no. Shares from 0 to 1."""

    yes: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.yes, self.n)

    def __str__(self) -> str:
        if not self.n:
            return "0 of 0"
        low, high = self.interval
        return f"{self.yes} of {self.n} = {self.yes / self.n:.0%} ({low:.0%} to {high:.0%})"


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa over `n` texts; `value` is None where it is undefined: no text, or chance agreement is complete."""

    value: float | None
    n: int

    def __str__(self) -> str:
        return f"{'undefined' if self.value is None else f'{self.value:.2f}'} (n = {self.n})"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One question, one set of texts. `raters` and `both` count decided answers only; `both` is the rate of texts that
    both call yes among those that both decided. `decided` is the kappa over these; `all_answers` takes "cannot say" as
    a third answer. `unknown` and `missing` are counts for each rater.
    """

    raters: tuple[Rate, Rate]
    both: Rate
    decided: Kappa
    all_answers: Kappa
    unknown: tuple[int, int]
    missing: tuple[int, int]


def agreement(texts: Iterable[str], first: Mapping[str, str], second: Mapping[str, str]) -> Agreement:
    """`first` and `second` map texts to answers; a text that they lack is missing."""
    names = list(texts)
    given = [(first.get(name, ""), second.get(name, "")) for name in names]
    decided = [pair for pair in given if all(answer in DECIDED for answer in pair)]
    answered = [pair for pair in given if all(pair)]
    columns: list[tuple[str, ...]] = [tuple(pair[which] for pair in given) for which in (0, 1)]
    rates = [Rate(column.count("yes"), sum(answer in DECIDED for answer in column)) for column in columns]
    return Agreement(
        (rates[0], rates[1]),
        Rate(decided.count(("yes", "yes")), len(decided)),
        kappa(decided),
        kappa(answered),
        (columns[0].count("unknown"), columns[1].count("unknown")),
        (columns[0].count(""), columns[1].count("")),
    )


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Kappa:
    """Source: Cohen 1960, "A coefficient of agreement for nominal scales", equation 1."""
    n = len(pairs)
    same = sum(one == other for one, other in pairs)
    firsts, seconds = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(firsts[answer] * seconds[answer] for answer in firsts)  # of n * n
    if chance == n * n:
        return Kappa(None, n)
    return Kappa((same * n - chance) / (n * n - chance), n)
