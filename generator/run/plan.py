"""What determines a run: its plan, the briefs that follow from it, and the shards it can be divided into."""

import hashlib
import re
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from generator.base.errors import ConfigError
from generator.base.values import read
from generator.model.interface import Brief
from generator.model.sampling_settings import Sampling
from generator.record.judgement import CorpusName
from generator.record.layouts import Direction
from generator.run.topics import Topic

StopRule = Literal["count", "drafts", "seconds"]
ADDED = ("most_drafts", "most_seconds", "contributor")  # since 0.7: only in plans that need them
STOP_RULES: tuple[StopRule, ...] = ("count", "drafts", "seconds")


class OutdatedPlan(ConfigError):
    """A plan of an earlier version, whose drafts depended on the batch (0.1) or whose gates were others (0.2)."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What determines a run. `seed` is 64 bits; `until` and `amount`: so many accepted (`count`),
    drafts, or seconds of the model's work.

    Each draft takes one of `topics` that says how its direction begins; `top_down_share` is decimal text from 0 to 1.
    `most_drafts` and `most_seconds` end a run as well, whichever comes first; 0: no such end.
    `contributor` is who writes for the publisher, as the records name them; empty: the publisher does.
    `calibration` (its identifier) and `corpus` (None: there is none) are what the gates judge by.
    """

    profile: str
    seed: int
    until: StopRule
    amount: int
    top_down_share: str
    sampling: Sampling
    publisher: str
    topics: tuple[Topic, ...] = ()
    calibration: str = ""
    corpus: CorpusName | None = None
    most_drafts: int = 0
    most_seconds: int = 0
    contributor: str = ""

    def __post_init__(self) -> None:
        try:
            share = Decimal(self.top_down_share)
            holds = 0 <= share <= 1
        except InvalidOperation:
            holds = False
        if not holds:
            raise ConfigError(f"top_down_share = {self.top_down_share!r}: a decimal number from 0 to 1 is expected")
        least = min(self.amount - 1, self.most_drafts, self.most_seconds)
        if self.until not in STOP_RULES or least < 0 or not 0 <= self.seed < 2**64:
            raise ConfigError(
                f"until {self.until!r}, amount {self.amount}, seed {self.seed}: not possible",
                hint="Give --count, --drafts or --minutes of at least 1, and a seed below 2**64.",
            )
        if not 0 < len(self.publisher) <= 200 or self.publisher != " ".join(self.publisher.split()):
            raise ConfigError("publisher: one line of 1 to 200 characters is expected")

    def value(self) -> dict[str, Any]:
        """The plan as canonical JSON allows it: the seed, which exceeds 2**53, as 16 hex digits."""
        value = {name: item for name, item in asdict(self).items() if item is not None and (item or name not in ADDED)}
        return {**value, "seed": f"{self.seed:016x}", "topics": [topic.value() for topic in self.topics]}

    @classmethod
    def from_value(cls, value: Any) -> "RunPlan":
        try:
            members = {field.name for field in fields(cls)}
            if value.keys() - {"batch"} == members - {"calibration", "corpus", *ADDED}:
                raise OutdatedPlan("the plan names no calibration")
            if value.keys() | {"corpus", *ADDED} != members:
                raise ValueError("the members of a plan are expected")
            topics = tuple(map(Topic.of, value["topics"]))
            plan: RunPlan = read(cls, {**value, "seed": int(value["seed"], 16), "topics": []})
            return replace(plan, topics=topics)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"not a run's plan: {error}") from error


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `of`, counted from 1: the drafts whose index leaves the remainder `number` - 1."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of < 10_000:
            raise ConfigError(f"shard {self}: not possible", hint="Shards are 1/4, 2/4, 3/4 and 4/4, for example.")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Shard":
        if not (parts := re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)):
            raise ConfigError(f"shard {text!r}: i/n is expected", hint="Shards are 1/4, 2/4, 3/4 and 4/4, for example.")
        return cls(int(parts[1]), int(parts[2]))

    def check(self, plan: RunPlan) -> None:
        """Raise ConfigError for a plan that cannot be divided."""
        if plan.until != "drafts" or plan.most_seconds:
            raise ConfigError(
                "a shard cannot know what the others accept, nor how long they take",
                hint="Give --drafts with --shard: the drafts of all shards together.",
            )

    def indices(self, drafts: int) -> range:
        return range(self.number - 1, drafts, self.of)


def draft_seed(run_seed: int, index: int) -> int:
    """The seed of draft `index`: the first 8 bytes of SHA-256 of `<run seed, 16 hex digits>:<index>`."""
    return int.from_bytes(hashlib.sha256(f"{run_seed:016x}:{index}".encode()).digest()[:8], "big")


def brief(plan: RunPlan, index: int) -> Brief:
    """Draft `index` of a plan: a function of the plan alone, so that any worker derives the same.

    The share of top-down drafts among the first n is `top_down_share` to within one draft, for every n.
    """
    share = Decimal(plan.top_down_share)
    direction: Direction = "top-down" if int(share * (index + 1)) > int(share * index) else "bottom-up"
    seed = draft_seed(plan.seed, index)
    topics = [(topic, topic.begins(direction)) for topic in plan.topics if topic.begins(direction)]
    if not topics:
        return Brief(index, direction, "", "", seed)
    topic, begins = topics[seed % len(topics)]
    return Brief(index, direction, begins, topic.cpc, seed, topic.rule)
