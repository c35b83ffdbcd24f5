"""A model writes drafts as a run does: its sampling, the engine, every gate, early stop. Nothing is published.

Also texts of exactly so many tokens, for what length costs.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.memory import Peak
from generator.model.interface import EngineChoice, LanguageModel
from generator.model.loading import open_model
from generator.model.profiles import ModelProfile
from generator.record.layouts import Direction
from generator.run.drafting import in_order
from generator.run.lines import Line
from generator.run.plan import RunPlan, brief

if TYPE_CHECKING:
    from generator.base.publication import Publication
    from generator.judge.ladder import Ladder

SEED = 0  # of every evaluation: the same briefs for all models
LENGTHS = (1024, 2048, 4096)  # tokens
AT_ONCE = 4  # texts of one length, written at the same time


@dataclass(frozen=True, slots=True)
class Tried:
    """A draft that was judged. `seconds` and `cpu_seconds`: since the one before it was judged, so that their sums are
    those of all; `formats` are those of the engine.
    """

    line: Line
    text: str
    seconds: float
    cpu_seconds: float
    formats: str
    peak_bytes: int | None

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Tried":
        return cls(**{**value, "line": Line(**value["line"])})


@dataclass(frozen=True, slots=True)
class Length:
    """What AT_ONCE texts of `limit` tokens cost together. `tokens` and `words` are new ones."""

    limit: int
    tokens: int
    words: int
    seconds: float
    cpu_seconds: float
    formats: str
    peak_bytes: int | None


def writing_profile(one: Contender) -> ModelProfile:
    """The contender's profile within the positions that its model has."""
    return replace(one.profile, context=one.context, max_new_tokens=min(one.profile.max_new_tokens, one.context))


def plan_of(profile: ModelProfile, direction: Direction, drafts: int) -> RunPlan:
    return RunPlan(
        profile=profile.name,
        seed=SEED,
        until="drafts",
        amount=drafts,
        top_down_share="1" if direction == "top-down" else "0",
        sampling=profile.sampling,
        publisher="evaluation",
    )


def write_drafts(
    publication: "Publication", model: LanguageModel, ladder: "Ladder", plan: RunPlan, first: int
) -> Iterator[Tried]:
    """The drafts from number `first` on, in order, each judged. Raises ModelError, ConfigError."""
    from generator.run.judge_draft import judge

    peak, before = Peak(), (time.monotonic(), time.process_time())
    briefs = (brief(plan, index) for index in range(first, plan.amount))
    with closing(in_order(model, briefs, plan.sampling, lambda _: None, ladder.watch())) as drafts:
        for draft in drafts:
            line, _ = judge(draft, ladder, created_at=publication.now(), publisher=plan.publisher, salt=bytes(16))
            now = (time.monotonic(), time.process_time())
            yield Tried(
                line=line,
                text=draft.text,
                seconds=round(now[0] - before[0], 4),
                cpu_seconds=round(now[1] - before[1], 4),
                formats=draft.generation.number_format,
                peak_bytes=peak.bytes(),
            )
            before = now


def room(one: Contender) -> Sequence[int]:
    """The lengths that a model's context has room for."""
    return [length for length in LENGTHS if length <= one.context]


def write_length(one: Contender, choice: EngineChoice, length: int, report: Callable[[str], None]) -> Length:
    """Texts that no end token ends, up to `length` tokens with their prompt. Raises ModelError, ConfigError."""
    profile = writing_profile(one)
    profile = replace(profile, context=length, max_new_tokens=length)
    profile = replace(profile, sampling=replace(profile.sampling, most_claims="0"))
    model = open_model(profile, replace(choice, batch=AT_ONCE), report=report, endless=True)
    plan = plan_of(profile, "top-down", AT_ONCE)
    peak, began, cpu = Peak(), time.monotonic(), time.process_time()
    briefs = (brief(plan, index) for index in range(AT_ONCE))
    with closing(in_order(model, briefs, profile.sampling, lambda _: None)) as drafts:
        made = list(drafts)
    seconds, spent = time.monotonic() - began, time.process_time() - cpu
    return Length(
        limit=length,
        tokens=sum(draft.generation.new_tokens for draft in made),
        words=sum(draft.words for draft in made),
        seconds=round(seconds, 4),
        cpu_seconds=round(spent, 4),
        formats=model.identity.number_format,
        peak_bytes=peak.bytes(),
    )
