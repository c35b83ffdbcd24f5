"""What is kept of every draft, and what the lines of a run add up to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.base import canonical
from generator.base.errors import PressError, RecordError
from generator.base.values import read
from generator.record.judgement import GATES

RETIRED = ("outcome", "subclass")  # members of versions up to 0.6 that nothing needs


@dataclass(frozen=True, slots=True)
class Line:
    """What is kept of every draft. `gate` and `reason` say where and why it ended, empty when it was accepted.

    `verdict` is that of the claim chart, empty when there is none; `stop` is `end`, `limit` or `stopped` (by a
    watcher); `content_sha256` is of title and claims; `microseconds` is the CPU time of judging it.
    """

    index: int
    seed: str
    direction: str
    gate: str
    reason: str
    verdict: str
    draft_sha256: str
    content_sha256: str
    stop: str
    tokens: int
    words: int
    removed_claims: int
    milliseconds: int
    microseconds: int

    @property
    def accepted(self) -> bool:
        return not self.reason

    def to_bytes(self) -> bytes:
        return canonical.dumps(asdict(self)) + b"\n"


def read_lines(path: Path, data: bytes) -> Iterator[Line]:
    """The lines in `data`, the content of `path`, which errors name. Raises PressError."""
    for number, raw in enumerate(data.splitlines(), 1):
        try:
            value = canonical.loads(raw)
            for name in RETIRED:
                value.pop(name, None)
            yield read(Line, value)
        except (ValueError, TypeError, AttributeError, RecordError) as error:
            hint = f"Move {path.parent} away and start anew."
            raise PressError(f"{path}:{number}: damaged: {error}", hint=hint) from error


def summary(several: Iterable[Line]) -> dict[str, Any]:
    """What the lines of a run add up to, in integers and text; of a rejected draft its hash alone."""
    lines = sorted(several, key=lambda line: line.index)
    accepted, rejected = ([x for x in lines if x.accepted is good] for good in (True, False))
    return {
        "drafts": len(lines),
        "accepted": len(accepted),
        "rejected": len(rejected),
        "reasons": dict(Counter(line.reason for line in rejected)),
        "reason_gates": [
            {"gate": gate, "reason": reason, "drafts": drafts}
            for (gate, reason), drafts in sorted(Counter((x.gate, x.reason) for x in rejected).items())
        ],
        "ladder": [_ladder(name, lines) for name in sorted({line.direction for line in lines})],
        "directions": [
            {"direction": name, "drafts": drafts, "accepted": sum(x.direction == name for x in accepted)}
            for name, drafts in sorted(Counter(line.direction for line in lines).items())
        ],
        "cut_by_limit": sum(line.stop == "limit" for line in lines),
        "early_stops": sum(line.stop == "stopped" for line in lines),
        "removed_claims": sum(line.removed_claims for line in lines),
        "tokens": sum(line.tokens for line in lines),
        "words": sum(line.words for line in lines),
        "milliseconds": sum(line.milliseconds for line in lines),
        "judging_milliseconds": sum(line.microseconds for line in lines) // 1000,
        "drafts_by_index": [
            {"index": x.index, "seed": x.seed, "sha256": x.draft_sha256, "outcome": x.reason or "accepted"}
            for x in lines
        ],
    }


def _ladder(direction: str, lines: list[Line]) -> dict[str, Any]:
    """How many drafts of a direction passed each gate; `assessed`: those with a claim chart."""
    those = [line for line in lines if line.direction == direction]
    ended = [GATES.index(line.gate) if line.gate else len(GATES) for line in those]
    return {
        "direction": direction,
        "drafts": len(those),
        **{gate.lower(): sum(place > rung for place in ended) for rung, gate in enumerate(GATES[:4])},
        "assessed": sum(bool(line.verdict) for line in those),
        "g4": sum(line.verdict == "obvious range" for line in those),
    }
