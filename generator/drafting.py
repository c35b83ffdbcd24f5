"""Drafts in, queued records out: brief -> draft -> parse -> check -> restate -> record -> queue."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from generator import canonical, files
from generator.brief import Brief, Draft, LanguageModel
from generator.checks import check
from generator.disclosure import Disclosure, Finding
from generator.errors import ConfigError, ModelError, RecordError
from generator.layouts import Direction
from generator.parsing import Rejected, parse
from generator.record import Record
from generator.restate import restate
from generator.runs import Line, RunPlan, RunState, find_unfinished, run_name, sweep

PATIENCE = 2000  # so many drafts without one accepted end a run that counts accepted ones
TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. Tokens include those of drafts in progress; `seconds_left` is None while nobody can tell."""

    drafts: int
    accepted: int
    tokens: int
    tokens_per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class RunReport:
    """The run's name and the content of its report; `finished` is false after Ctrl-C: the same command goes on."""

    run: str
    finished: bool
    report: dict[str, Any]


def load_topics(path: Path) -> tuple[tuple[str, str], ...]:
    """Topics from a text file: a CPC class, a tab, the beginning of a title; `#` begins a comment line."""
    topics = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the topics cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cpc, tab, title = line.partition("\t")
        title = title.strip()
        if not tab or not cpc.strip() or not 0 < len(title) <= 200 or canonical.text_problem(title):
            raise ConfigError(f"{path}:{number}: a CPC class, a tab and 1 to 200 characters of a title are expected")
        topics.append((cpc.strip(), title))
    if not topics:
        raise ConfigError(
            f"{path}: no topic in it", hint="Write lines of a CPC class, a tab and the beginning of a title."
        )
    return tuple(topics)


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
    cpc, topic = plan.topics[seed % len(plan.topics)] if plan.topics and direction == "top-down" else ("", "")
    return Brief(index, direction, topic, cpc, seed)


def generate(
    plan: RunPlan,
    model: LanguageModel,
    output: Path,
    *,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> RunReport:
    """Draft until the plan's end, accepted records into `output/queue/`. An unfinished run of the same plan goes on.

    `now` gives the time in UTC as records write it, `salt` 16 random bytes. Ctrl-C keeps every draft that
    was judged. Raises PressError.
    """
    started_at = now()
    sweep(output)
    found = find_unfinished(output, plan)
    name = found[0] if found else run_name(started_at[:10], plan, started_at)
    with RunState.opened(output, name, plan, asdict(model.identity), started_at) as state:
        try:
            _draft_all(state, model, now, salt, report)
        except KeyboardInterrupt:
            return RunReport(name, False, state.report(now()))
        return RunReport(name, True, state.finish(now()))


def _draft_all(
    state: RunState,
    model: LanguageModel,
    now: Callable[[], str],
    salt: Callable[[], bytes],
    report: Callable[[Progress], None],
) -> None:
    if _done(state):
        return
    known = known_contents(state.output) | {line.content_sha256 for line in state.lines.values() if not line.reason}
    meter = _Meter(state, now, report)
    drafts = model.drafts(_briefs(state), state.plan.sampling, tick=meter.tick)
    for draft in drafts:
        line, record, findings = judge(draft, known, created_at=now(), publisher=state.plan.publisher, salt=salt())
        state.add(line, record, findings)
        if record:
            known.add(line.content_sha256)
        meter.judged()
        if _done(state):
            return
        if state.plan.until == "count" and state.accepted == 0 and len(state.lines) >= PATIENCE:
            raise ModelError(
                f"{PATIENCE} drafts and none accepted",
                hint="The run is kept; look at its drafts.jsonl and choose another model.",
            )


def _briefs(state: RunState) -> Iterator[Brief]:
    """The briefs that have no line yet; of a run that counts drafts, no more than its count."""
    index, last = 0, state.plan.amount if state.plan.until == "drafts" else None
    done = frozenset(state.lines)
    while last is None or index < last:
        if index not in done:
            yield brief(state.plan, index)
        index += 1


def _done(state: RunState) -> bool:
    match state.plan.until:
        case "count":
            return state.accepted >= state.plan.amount
        case "drafts":
            return len(state.lines) >= state.plan.amount
        case "seconds":
            return state.milliseconds >= state.plan.amount * 1000


def judge(draft: Draft, known: set[str], *, created_at: str, publisher: str, salt: bytes) -> tuple[Line, bytes, bytes]:
    """The line of a draft; of an accepted one also the record's bytes and its findings, else two empty values.

    `known` are the contents that may not come again: SHA-256 of title and claims, see `content_sha256`.
    """
    parsed = parse(draft.text, draft.brief.direction, "limit" if draft.generation.stop == "limit" else "end")
    if isinstance(parsed, Rejected):
        return _line(draft, parsed.reason), b"", b""
    passed = check(parsed.disclosure)
    if isinstance(passed, Rejected):
        return _line(draft, passed.reason), b"", b""
    content = content_sha256(passed.disclosure)
    if content in known:
        return _line(draft, "duplicate", content), b"", b""
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


def known_contents(output: Path) -> set[str]:
    """The contents that wait in the queue."""
    paths = (p for p in sorted((output / "queue").glob("*.json")) if not p.name.endswith(".findings.json"))
    return {content_sha256(Record.from_bytes(files.read(path, "a queued record")).disclosure) for path in paths}


def findings_bytes(findings: tuple[Finding, ...]) -> bytes:
    """Canonical JSON of findings: objects with check, severity, claim (0: the whole text) and message."""
    return canonical.dumps(
        [{"check": f.check, "severity": f.severity, "claim": f.claim or 0, "message": f.message} for f in findings]
    )


class _Meter:
    """Turns tokens and lines into Progress; rates are those of this session."""

    def __init__(self, state: RunState, now: Callable[[], str], report: Callable[[Progress], None]) -> None:
        self._state, self._now, self._report = state, now, report
        self._started, self._before, self._share_before = self._time(), state.tokens, self._share()
        self._running = 0

    def tick(self, tokens: int) -> None:
        self._running += tokens
        self.show()

    def judged(self) -> None:
        # A batch yields its drafts at once: their tokens are in the lines from now on.
        self._running = 0
        self.show()

    def show(self) -> None:
        state = self._state
        seconds = (self._time() - self._started).total_seconds()
        tokens = state.tokens + self._running
        share = self._share()
        gained = share - self._share_before
        left = seconds * max(0.0, 1 - share) / gained if gained > 0 else None
        rate = (tokens - self._before) / seconds if seconds > 0 else 0.0
        self._report(Progress(len(state.lines), state.accepted, tokens, rate, left))

    def _time(self) -> datetime:
        return datetime.strptime(self._now(), TIME)

    def _share(self) -> float:
        state, plan = self._state, self._state.plan
        done = {"count": state.accepted, "drafts": len(state.lines), "seconds": state.milliseconds / 1000}
        return done[plan.until] / plan.amount
