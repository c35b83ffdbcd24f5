"""Drafts in, queued records out: a run from its plan to its report."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from generator.base.errors import ModelError
from generator.judge.ladder import Ladder
from generator.judge.parsing import Rejected
from generator.log.archive import unnumbered
from generator.model.interface import Brief, Draft, LanguageModel, Watch
from generator.model.sampling_settings import Sampling
from generator.run.cost import EnergyMeter
from generator.run.folders import Begun, find_unfinished, remove_leftovers
from generator.run.judge_draft import judge, refused
from generator.run.lines import Line
from generator.run.plan import RunPlan, Shard, brief
from generator.run.repeats import Repeats
from generator.run.state import Accepted, RunState

PATIENCE = 2000  # so many drafts without one accepted end a run that counts accepted ones
TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `drafts` are judged; `tokens` are all that were made, those of drafts in progress too.

    `slots`: how many drafts are in progress at most, 0 where the engine does not say; `seconds_left` is None while
    nobody can tell.
    """

    drafts: int
    accepted: int
    tokens: int
    tokens_per_second: float
    words_per_token: float
    slots: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class RunReport:
    """The run's name and the content of its report; `finished` is false after Ctrl-C: the same command goes on."""

    run: str
    finished: bool
    report: dict[str, Any]


def generate(
    plan: RunPlan,
    model: LanguageModel,
    ladder: Ladder,
    output: Path,
    *,
    shard: Shard | None = None,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> RunReport:
    """Draft until the plan's end, accepted records into `output/queue/`. An unfinished run of the same plan goes on.

    Of a `shard`, whose plan counts drafts, the records stay in its folder until `shards.merge` takes them.

    The plan names the calibration and the corpus of `ladder`.
    `now` gives the time in UTC as records write it, `salt` 16 random bytes. Ctrl-C keeps every draft that
    was judged. Raises PressError.
    """
    begun = Begun(plan, asdict(model.identity), now(), shard)
    remove_leftovers(output)
    found = find_unfinished(output, plan, shard=shard)
    name = found[0] if found else begun.name
    with RunState.opened(output, name, begun) as state:
        before, spent = len(state.lines), _Spent()
        try:
            _draft_all(state, model, ladder, now, salt, spent.heard(report))
        except KeyboardInterrupt:
            return RunReport(name, False, state.report(now()))
        finally:
            if len(state.lines) > before:
                state.add_sessions([_session(begun, len(state.lines) - before, spent, model)])
        return RunReport(name, True, state.finish(now()))


class _Spent:
    """CPU time of this process, and the energy of the machine where it is measured, since it was made."""

    def __init__(self) -> None:
        self._started, self._meter = time.process_time(), EnergyMeter.open()

    def heard(self, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """`report`, and each time the meter is read: its counters wrap around."""

        def both(progress: Progress) -> None:
            if self._meter:
                self._meter.sample()
            report(progress)

        return both

    def value(self, nodes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """With the CPU time of other machines; their energy is not measured, so then none is told."""
        others = [node.get("cpu_milliseconds", 0) for node in nodes]
        cpu = round((time.process_time() - self._started) * 1000) + sum(others)
        energy = {"energy_millijoules": self._meter.sample() // 1000} if self._meter and not others else {}
        return {"cpu_milliseconds": cpu, **energy}


def _session(begun: Begun, drafts: int, spent: _Spent, model: LanguageModel) -> dict[str, Any]:
    """How the engine ran since `begun`, as the run's report has it."""
    names = ("cpu_capability", "torch_version", "transformers_version")
    return {
        "began_at": begun.started_at,
        **({"shard": str(begun.shard)} if begun.shard else {}),
        "drafts": drafts,
        **spent.value(model.account.get("nodes", ())),
        **{name: begun.model[name] for name in names},
        "account": dict(model.account),
    }


def _draft_all(
    state: RunState,
    model: LanguageModel,
    ladder: Ladder,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> None:
    if _done(state):
        return
    published = Repeats.of(state)
    meter = _Meter(state, model, now, report)
    with closing(in_order(model, _briefs(state), state.plan.sampling, meter.tick, ladder.watch())) as drafts:
        for draft in drafts:
            plan = state.plan
            made = judge(
                draft,
                ladder,
                created_at=now(),
                publisher=plan.publisher,
                salt=salt(),
                contributor=plan.contributor,
            )
            keep(state, published, *made)
            meter.judged()
            if _done(state):
                return
            if state.plan.until == "count" and state.accepted == 0 and len(state.lines) >= PATIENCE:
                raise ModelError(
                    f"{PATIENCE} drafts and none accepted",
                    hint="The run is kept; look at its drafts.jsonl and choose another model.",
                )


def in_order(
    model: LanguageModel,
    briefs: Iterator[Brief],
    sampling: Sampling,
    tick: Callable[[int], None],
    watch: Watch | None = None,
) -> Generator[Draft, None, None]:
    """The model's drafts in the order of `briefs`, whatever the order in which it completes them.

    What is accepted depends on what was accepted before (duplicates, the stop rule): judged in order, it is a
    function of the plan alone. Closing this iterator closes the model's.
    """
    asked: deque[int] = deque()  # filled on whatever thread the model takes its briefs
    expected: dict[int, Draft | None] = {}

    def noted() -> Iterator[Brief]:
        for one in briefs:
            asked.append(one.index)
            yield one

    made = cast("Generator[Draft, None, None]", model.drafts(noted(), sampling, tick=tick, watch=watch))
    with closing(made):
        for draft in made:
            while asked:
                expected[asked.popleft()] = None
            if expected.get(draft.brief.index, draft) is not None:
                raise ModelError(f"the engine gave draft {draft.brief.index} twice, or nobody asked for it")
            expected[draft.brief.index] = draft
            while expected and (first := next(iter(expected.values()))):
                del expected[first.brief.index]
                yield first
    if missing := [*expected, *asked]:
        raise ModelError(f"the engine ended without draft {missing[0]}", hint="Run the same command again.")


def _briefs(state: RunState) -> Iterator[Brief]:
    """The briefs that have no line yet; of a run that counts drafts, no more than its count."""
    amount = state.plan.amount
    if state.shard:
        indices: Iterable[int] = state.shard.indices(amount)
    else:
        most = amount if state.plan.until == "drafts" else state.plan.most_drafts
        indices = range(most) if most else count()
    done = frozenset(state.lines)
    return (brief(state.plan, index) for index in indices if index not in done)


def _done(state: RunState) -> bool:
    """Whether the first of the plan's ends has come."""
    plan = state.plan
    if plan.most_drafts and len(state.lines) >= plan.most_drafts:
        return True
    if plan.most_seconds and state.milliseconds >= plan.most_seconds * 1000:
        return True
    match state.plan.until:
        case "count":
            return state.accepted >= state.plan.amount
        case "drafts":
            wanted = state.shard.indices(state.plan.amount) if state.shard else range(state.plan.amount)
            return len(state.lines) >= len(wanted)
        case "seconds":
            return state.milliseconds >= state.plan.amount * 1000


def keep(state: RunState, published: Repeats, line: Line, accepted: Accepted | None) -> None:
    """Write a judged draft into the run; refuse it when it copies what was published or accepted before it."""
    if accepted:
        name = unnumbered(hashlib.sha256(accepted.record).hexdigest())
        judged = published.take(name, accepted.disclosure, accepted.judgement)
        if isinstance(judged, Rejected):
            line, accepted = refused(line, judged), None
        else:
            accepted = replace(accepted, judgement=judged)
    state.add(line, accepted)


class _Meter:
    """Turns tokens and lines into Progress; rates are those of this session."""

    def __init__(
        self, state: RunState, model: LanguageModel, now: Callable[[], str], report: Callable[[Progress], None]
    ) -> None:
        self._state, self._model, self._now, self._report = state, model, now, report
        self._started, self._before, self._share_before = self._time(), state.tokens, self._share()
        self._made = self._slots = 0

    def tick(self, tokens: int) -> None:
        self._made += tokens
        self.show()

    def judged(self) -> None:
        self._slots = int(self._model.account.get("slots", 0))
        self.show()

    def show(self) -> None:
        state = self._state
        seconds = (self._time() - self._started).total_seconds()
        share = self._share()
        gained = share - self._share_before
        self._report(
            Progress(
                drafts=len(state.lines),
                accepted=state.accepted,
                tokens=self._before + self._made,
                tokens_per_second=self._made / seconds if seconds > 0 else 0.0,
                words_per_token=state.words / state.tokens if state.tokens else 0.0,
                slots=self._slots,
                seconds_left=seconds * max(0.0, 1 - share) / gained if gained > 0 else None,
            )
        )

    def _time(self) -> datetime:
        return datetime.strptime(self._now(), TIME)

    def _share(self) -> float:
        """How much of the plan is done, from 0 to 1."""
        state, plan = self._state, self._state.plan
        drafts = len(state.lines) * (state.shard.of if state.shard else 1)
        done = {"count": state.accepted, "drafts": drafts, "seconds": state.milliseconds / 1000}
        return done[plan.until] / plan.amount
