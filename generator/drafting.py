"""Drafts in, queued records out: brief -> draft -> parse -> check -> restate -> record -> queue."""

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from generator import canonical, files
from generator.brief import Brief, Draft, LanguageModel
from generator.checks import check
from generator.disclosure import Disclosure, Finding
from generator.errors import ModelError, RecordError
from generator.lines import Line
from generator.parsing import Rejected, parse
from generator.plan import RunPlan, Shard, brief
from generator.record import Record
from generator.restate import restate
from generator.run_state import RunState
from generator.runs import Begun, find_unfinished, sweep
from generator.sampling import Sampling

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
    output: Path,
    *,
    shard: Shard | None = None,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> RunReport:
    """Draft until the plan's end, accepted records into `output/queue/`. An unfinished run of the same plan goes on.

    Of a `shard`, whose plan counts drafts, the records stay in its folder until `shards.merge` takes them.

    `now` gives the time in UTC as records write it, `salt` 16 random bytes. Ctrl-C keeps every draft that
    was judged. Raises PressError.
    """
    begun = Begun(plan, asdict(model.identity), now(), shard)
    sweep(output)
    found = find_unfinished(output, plan, shard=shard)
    name = found[0] if found else begun.name
    with RunState.opened(output, name, begun) as state:
        before = len(state.lines)
        try:
            _draft_all(state, model, now, salt, report)
        except KeyboardInterrupt:
            return RunReport(name, False, state.report(now()))
        finally:
            if len(state.lines) > before:
                state.add_sessions([_session(begun, len(state.lines) - before, model)])
        return RunReport(name, True, state.finish(now()))


def _session(begun: Begun, drafts: int, model: LanguageModel) -> dict[str, Any]:
    """How the engine ran since `begun`, as the run's report has it."""
    names = ("cpu_capability", "torch_version", "transformers_version")
    return {
        "began_at": begun.started_at,
        **({"shard": str(begun.shard)} if begun.shard else {}),
        "drafts": drafts,
        **{name: begun.model[name] for name in names},
        "account": dict(model.account),
    }


def _draft_all(
    state: RunState,
    model: LanguageModel,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> None:
    if _done(state):
        return
    known = known_contents(state)
    meter = _Meter(state, model, now, report)
    with closing(in_order(model, _briefs(state), state.plan.sampling, meter.tick)) as drafts:
        for draft in drafts:
            keep(state, known, *judge(draft, created_at=now(), publisher=state.plan.publisher, salt=salt()))
            meter.judged()
            if _done(state):
                return
            if state.plan.until == "count" and state.accepted == 0 and len(state.lines) >= PATIENCE:
                raise ModelError(
                    f"{PATIENCE} drafts and none accepted",
                    hint="The run is kept; look at its drafts.jsonl and choose another model.",
                )


def in_order(
    model: LanguageModel, briefs: Iterator[Brief], sampling: Sampling, tick: Callable[[int], None]
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

    made = cast("Generator[Draft, None, None]", model.drafts(noted(), sampling, tick=tick))
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
        indices = range(amount) if state.plan.until == "drafts" else count()
    done = frozenset(state.lines)
    return (brief(state.plan, index) for index in indices if index not in done)


def _done(state: RunState) -> bool:
    match state.plan.until:
        case "count":
            return state.accepted >= state.plan.amount
        case "drafts":
            wanted = state.shard.indices(state.plan.amount) if state.shard else range(state.plan.amount)
            return len(state.lines) >= len(wanted)
        case "seconds":
            return state.milliseconds >= state.plan.amount * 1000


def keep(state: RunState, known: set[str], line: Line, record: bytes, findings: bytes) -> None:
    """Write a judged draft into the run; refuse it when its content is among `known`, else add it to them."""
    if record and line.content_sha256 in known:
        line, record = replace(line, outcome="rejected", reason="duplicate", removed_claims=0), b""
    state.add(line, record, findings)
    if record:
        known.add(line.content_sha256)


def judge(draft: Draft, *, created_at: str, publisher: str, salt: bytes) -> tuple[Line, bytes, bytes]:
    """The line of a draft; of an accepted one also the record's bytes and its findings, else two empty values."""
    parsed = parse(draft.text, draft.brief.direction, "limit" if draft.generation.stop == "limit" else "end")
    if isinstance(parsed, Rejected):
        return _line(draft, parsed.reason), b"", b""
    passed = check(parsed.disclosure)
    if isinstance(passed, Rejected):
        return _line(draft, passed.reason), b"", b""
    content = content_sha256(passed.disclosure)
    generation = replace(draft.generation, removed_claims=passed.removed_claims)
    disclosure = replace(passed.disclosure, description=restate(passed.disclosure))
    try:
        record = Record(disclosure, generation, created_at, publisher, salt.hex()).to_bytes()
    except RecordError as error:
        # The text is within every limit of its own; together they can exceed what a record may hold.
        if "bytes, more than" not in str(error):
            raise
        return _line(draft, "too_long", content), b"", b""
    findings = findings_bytes((*parsed.findings, *passed.findings))
    return _line(draft, "", content, len(passed.removed_claims)), record, findings


def _line(draft: Draft, reason: str, content: str = "", removed: int = 0) -> Line:
    return Line(
        index=draft.brief.index,
        seed=draft.generation.seed,
        direction=draft.brief.direction,
        outcome="rejected" if reason else "accepted",
        reason=reason,
        draft_sha256=hashlib.sha256(draft.text.encode("utf-8", "surrogatepass")).hexdigest(),
        content_sha256=content,
        stop=draft.generation.stop,
        tokens=draft.generation.new_tokens,
        words=draft.words,
        removed_claims=removed,
        milliseconds=round(draft.seconds * 1000),
    )


def content_sha256(disclosure: Disclosure) -> str:
    """What makes two disclosures the same: title and claims."""
    value = {"title": disclosure.title, "claims": [claim.text for claim in disclosure.claims]}
    return hashlib.sha256(canonical.dumps(value)).hexdigest()


def known_contents(state: RunState) -> set[str]:
    """The contents that may not come again: what the run has accepted, and what waits in the queue.

    A shard knows its own alone: what the queue of its machine holds must not change it.
    """
    own = {line.content_sha256 for line in state.lines.values() if not line.reason}
    queue = [] if state.shard else sorted((state.output / "queue").glob("*.json"))
    paths = (path for path in queue if not path.name.endswith(".findings.json"))
    return own | {content_sha256(Record.from_bytes(files.read(path, "a queued record")).disclosure) for path in paths}


def findings_bytes(findings: tuple[Finding, ...]) -> bytes:
    """Canonical JSON of findings: objects with check, severity, claim (0: the whole text) and message."""
    return canonical.dumps(
        [{"check": f.check, "severity": f.severity, "claim": f.claim or 0, "message": f.message} for f in findings]
    )


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
