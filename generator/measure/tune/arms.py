"""Which settings write the most distinct accepted disclosures in a CPU hour: a search with a fixed budget of drafts.

Search: successive halving (Karnin, Koren and Somekh 2013, algorithm 1) over a finite grid with half of the budget, each
arm with the same seeds. Test: the best arm against the default on fresh drafts, which did not choose it, with the other
half, at LOOKS points; it wins where the log of the ratio of both yields exceeds 0 at level ALPHA / LOOKS, one-sided
(Bonferroni over the looks). Pure functions of what was drafted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import NormalDist

from generator.base.errors import ConfigError
from generator.model.sampling_settings import Sampling

ALPHA = 0.05
LOOKS = 4
FEWEST_HITS = 10  # of both arms together: below it the normal approximation does not hold
FRESH = 1 << 32  # index of the first draft of the test


@dataclass(frozen=True, slots=True)
class Arm:
    """Settings that are tried; arm 0 of a grid is the default."""

    sampling: Sampling
    top_down_share: str

    def __str__(self) -> str:
        s = self.sampling
        return f"temperature {s.temperature}, top-p {s.top_p}, min-p {s.min_p}, {self.top_down_share} top-down"


@dataclass(frozen=True, slots=True)
class Trial:
    """One draft: its CPU seconds, and whether it was accepted and unlike all earlier ones of its arm."""

    seconds: float
    hit: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be drafted next: the drafts `first` to `first` + `drafts` of each of `arms`."""

    phase: str
    arms: tuple[int, ...]
    first: int
    drafts: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`winner` is an arm; `better` when the test shows that it beats the default. `why` is a sentence."""

    winner: int
    better: bool
    why: str


def grid(
    default: Arm, temperatures: Sequence[str], top_ps: Sequence[str], min_ps: Sequence[str], shares: Sequence[str]
) -> tuple[Arm, ...]:
    """The default, then all combinations that differ from it. Raises ConfigError."""
    arms = [default]
    for temperature, top_p, min_p, share in product(temperatures, top_ps, min_ps, shares):
        sampling = replace(default.sampling, temperature=temperature, top_p=top_p, min_p=min_p)
        if (arm := Arm(sampling, share)) not in arms:
            arms.append(arm)
    if len(arms) < 2:
        raise ConfigError("tune needs settings that differ from the default", hint="Give more values to try.")
    return tuple(arms)


def rounds(arms: int) -> int:
    return max(1, math.ceil(math.log2(arms)))


def fewest_drafts(arms: int) -> int:
    """The smallest budget: one draft of every arm in the first round, and one of both at each look."""
    return max(2 * rounds(arms) * arms, 4 * LOOKS)


def next_step(arms: int, budget: int, trials: Mapping[tuple[str, int], Sequence[Trial]]) -> Step | Verdict:
    """What follows from the trials so far; `trials` has those of (phase, arm), in the order of their drafts."""
    alive = tuple(range(arms))
    first = 0
    for _ in range(rounds(arms)):
        each = max(1, budget // 2 // (rounds(arms) * len(alive)))
        if short := tuple(arm for arm in alive if len(trials.get(("search", arm), ())) < first + each):
            return Step("search", short, first, each)
        first += each
        seen = {arm: trials["search", arm][:first] for arm in alive}
        ranked = sorted(alive, key=lambda arm: (-_promise(seen[arm]), arm))
        alive = tuple(sorted(ranked[: (len(alive) + 1) // 2]))
    return _test(alive[0], budget, trials)


def _promise(trials: Sequence[Trial]) -> float:
    """Hits in a CPU second, with half a hit more, so that of arms without any the cheaper one is ahead."""
    return (sum(t.hit for t in trials) + 0.5) / max(1e-9, sum(t.seconds for t in trials))


def _test(best: int, budget: int, trials: Mapping[tuple[str, int], Sequence[Trial]]) -> Step | Verdict:
    if best == 0:
        return Verdict(0, False, "The default was the best arm of the search, so it stays.")
    each = max(1, budget // 2 // (2 * LOOKS))
    for look in range(LOOKS):
        end = (look + 1) * each
        if short := tuple(arm for arm in (0, best) if len(trials.get(("test", arm), ())) < end):
            return Step("test", short, FRESH + look * each, each)
        if gain := beats(trials["test", best][:end], trials["test", 0][:end], ALPHA / LOOKS):
            return Verdict(best, True, f"It yields {gain:.2f} times the default on {end} fresh drafts of each.")
    why = f"On {LOOKS * each} fresh drafts of each it was not shown to be better than the default, which stays."
    return Verdict(best, False, why)


def beats(one: Sequence[Trial], other: Sequence[Trial], level: float) -> float:
    """The ratio of both yields (hits in a CPU second) when it is above 1 at this one-sided level, else 0.

    A yield is a ratio of means; the variance of its logarithm is by the delta method (Cochran 1977, section 6.4).
    """
    hits = sum(t.hit for t in one), sum(t.hit for t in other)
    if sum(hits) < FEWEST_HITS or not hits[0]:
        return 0.0
    if not hits[1]:  # the default with half a hit: a bound in its favour
        other = [*other[:-1], replace(other[-1], hit=True)]
    ratio = _yield(one) / _yield(other)
    spread = math.sqrt(_variance(one) + _variance(other))
    return ratio if math.log(ratio) > NormalDist().inv_cdf(1 - level) * spread else 0.0


def _yield(trials: Sequence[Trial]) -> float:
    return sum(t.hit for t in trials) / max(1e-9, sum(t.seconds for t in trials))


def _variance(trials: Sequence[Trial]) -> float:
    n = len(trials)
    hits, seconds = sum(t.hit for t in trials) / n, max(1e-9, sum(t.seconds for t in trials) / n)
    return sum((t.hit / hits - t.seconds / seconds) ** 2 for t in trials) / (n * max(1, n - 1))
