"""One draft through all gates: draft -> parse -> check -> restate -> record -> ladder -> what is kept of it."""

import hashlib
import time
from dataclasses import dataclass, replace

from generator.base import canonical
from generator.base.errors import RecordError
from generator.judge.checks import check
from generator.judge.early_stop import gate_of
from generator.judge.ladder import Ladder
from generator.judge.parsing import Rejected, parse, stop_of
from generator.model.interface import Draft
from generator.record.disclosure import Disclosure, Finding
from generator.record.record import Record
from generator.run.lines import Line
from generator.run.restate import restate
from generator.run.state import Accepted


def judge(
    draft: Draft, ladder: Ladder, *, created_at: str, publisher: str, salt: bytes, contributor: str = ""
) -> tuple[Line, Accepted | None]:
    """The line of a draft by all that its plan names, and of an accepted one what is kept."""
    started = time.thread_time()
    if draft.stopped:
        result: tuple[Record, Accepted] | Rejected = Rejected(gate_of(draft.stopped), draft.stopped, ())
    else:
        result = _judged(
            form(draft, created_at=created_at, publisher=publisher, salt=salt, contributor=contributor), ladder
        )
    spent = round((time.thread_time() - started) * 1_000_000)
    if isinstance(result, Rejected):
        return refused(_line(draft, spent), result), None
    record, accepted = result
    judgement = accepted.judgement
    line = replace(
        _line(draft, spent),
        verdict=judgement.chart.verdict if judgement.chart else "",
        content_sha256=content_sha256(record.disclosure),
        removed_claims=len(record.generation.removed_claims),
    )
    return line, accepted


def _judged(formed: "Formed | Rejected", ladder: Ladder) -> tuple[Record, Accepted] | Rejected:
    if isinstance(formed, Rejected):
        return formed
    judged = ladder.judge(formed.record.disclosure)
    if isinstance(judged, Rejected):
        return judged
    findings = findings_bytes((*formed.findings, *judged.findings))
    return formed.record, Accepted(formed.record.disclosure, formed.data, findings, judged.judgement)


@dataclass(frozen=True, slots=True)
class Formed:
    """What passed G0 and G1: the record that it would become, the record's bytes, and the findings on it."""

    record: Record
    data: bytes
    findings: tuple[Finding, ...]


def form(draft: Draft, *, created_at: str, publisher: str, salt: bytes, contributor: str = "") -> Formed | Rejected:
    """Gates G0 and G1: a function of the draft alone, by which anybody makes the same record of the same text."""
    parsed = parse(draft.text, draft.brief.direction, stop_of(draft.generation.stop))
    if isinstance(parsed, Rejected):
        return parsed
    passed = check(parsed.disclosure)
    if isinstance(passed, Rejected):
        return passed
    generation = replace(draft.generation, removed_claims=passed.removed_claims)
    disclosure = replace(passed.disclosure, description=restate(passed.disclosure))
    record = Record(disclosure, generation, created_at, publisher, salt.hex(), contributor=contributor)
    try:
        data = record.to_bytes()
    except RecordError as error:
        # The text is within every limit of its own; together they can exceed what a record may hold.
        if "bytes, more than" not in str(error):
            raise
        return Rejected("G1", "too_long", ())
    return Formed(record, data, (*parsed.findings, *passed.findings))


def _line(draft: Draft, microseconds: int) -> Line:
    return Line(
        index=draft.brief.index,
        seed=draft.generation.seed,
        direction=draft.brief.direction,
        gate="",
        reason="",
        verdict="",
        draft_sha256=hashlib.sha256(draft.text.encode("utf-8", "surrogatepass")).hexdigest(),
        content_sha256="",
        stop="stopped" if draft.stopped else draft.generation.stop,
        tokens=draft.generation.new_tokens,
        words=draft.words,
        removed_claims=0,
        milliseconds=round(draft.seconds * 1000),
        microseconds=microseconds,
    )


def refused(line: Line, rejected: Rejected) -> Line:
    return replace(line, gate=rejected.gate, reason=rejected.reason, verdict="", removed_claims=0)


def content_sha256(disclosure: Disclosure) -> str:
    """What makes two disclosures the same: title and claims."""
    value = {"title": disclosure.title, "claims": [claim.text for claim in disclosure.claims]}
    return hashlib.sha256(canonical.dumps(value)).hexdigest()


def findings_bytes(findings: tuple[Finding, ...]) -> bytes:
    """Canonical JSON of findings: objects with check, severity, claim (0: the whole text) and message."""
    return canonical.dumps(
        [{"check": f.check, "severity": f.severity, "claim": f.claim or 0, "message": f.message} for f in findings]
    )
