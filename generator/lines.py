"""What is kept of every draft, and what the lines of a run add up to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from generator import canonical
from generator.errors import PressError, RecordError


@dataclass(frozen=True, slots=True)
class Line:
    """What is kept of every draft. `reason` is empty when it was accepted; `content_sha256` is of title and claims."""

    index: int
    seed: str
    direction: str
    outcome: Literal["accepted", "rejected"]
    reason: str
    draft_sha256: str
    content_sha256: str
    stop: str
    tokens: int
    words: int
    removed_claims: int
    milliseconds: int

    def to_bytes(self) -> bytes:
        return canonical.dumps(asdict(self)) + b"\n"


def read_lines(path: Path, data: bytes) -> Iterator[Line]:
    """The lines in `data`, the content of `path`, which errors name. Raises PressError."""
    kinds = {field.name: int if field.type is int else str for field in fields(Line)}
    for number, raw in enumerate(data.splitlines(), 1):
        try:
            value = canonical.loads(raw)
            if {name: type(item) for name, item in value.items()} != kinds:
                raise ValueError("the members of a line are expected")
            yield Line(**value)
        except (ValueError, AttributeError, RecordError) as error:
            hint = f"Move {path.parent} away and start anew."
            raise PressError(f"{path}:{number}: damaged: {error}", hint=hint) from error


def summary(several: Iterable[Line]) -> dict[str, Any]:
    """What the lines of a run add up to, in integers and text; of a rejected draft its hash alone."""
    lines = sorted(several, key=lambda line: line.index)
    accepted, rejected = ([x for x in lines if bool(x.reason) == bad] for bad in (False, True))
    return {
        "drafts": len(lines),
        "accepted": len(accepted),
        "rejected": len(rejected),
        "reasons": dict(Counter(line.reason for line in rejected)),
        "directions": [
            {"direction": name, "drafts": drafts, "accepted": sum(x.direction == name for x in accepted)}
            for name, drafts in sorted(Counter(line.direction for line in lines).items())
        ],
        "cut_by_limit": sum(line.stop == "limit" for line in lines),
        "removed_claims": sum(line.removed_claims for line in lines),
        "tokens": sum(line.tokens for line in lines),
        "words": sum(line.words for line in lines),
        "milliseconds": sum(line.milliseconds for line in lines),
        "drafts_by_index": [
            {"index": x.index, "seed": x.seed, "sha256": x.draft_sha256, "outcome": x.reason or x.outcome}
            for x in lines
        ],
    }
