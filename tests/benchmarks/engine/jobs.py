"""What is asked of an engine's process and what it answers. One measurement is one process, so nothing is shared."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args

T = TypeVar("T", "Job", "Measurement", "Failure")


class ReplyError(Exception):
    """A process answered what is no measurement."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one engine: `batch` sequences of `new_tokens` each, all submitted at once."""

    engine: str
    format: str
    batch: int
    new_tokens: int
    threads: int
    limit_s: float  # generation stops after it, where the engine can be stopped
    seed: int
    cache: str  # folder with `model` and one folder for each engine and format
    rows_file: str = ""  # where to leave prompts and tokens for the check of the samples; empty: nowhere

    @property
    def model(self) -> Path:
        return Path(self.cache) / "model"

    @property
    def converted(self) -> Path:
        return Path(self.cache) / f"{self.engine} {self.format}".replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Measurement:
    engine: str
    version: str
    format: str
    batch: int
    new_tokens: int  # asked for, a sequence
    tokens: int  # written, all sequences together
    seconds: float  # the whole batch from prompt to last token: prefill, products, attention, sampling
    load_seconds: float  # from the start of the process until the first timed token can begin, warm-up included
    peak_rss_bytes: int
    cpu_seconds: float  # of the engine's processes, while `seconds` passed
    foreign_share: float | None  # of the machine's CPU time, taken by other processes meanwhile; None: not known here
    energy_joules: float | None  # of the CPU package, read from the hardware; None: it cannot be read here
    finished: bool  # False: stopped at the limit, `tokens` is what was written until then

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Failure:
    engine: str
    format: str
    batch: int
    new_tokens: int
    reason: str


def to_json(value: Job | Measurement | Failure) -> dict[str, Any]:
    return asdict(value)


def from_json(kind: type[T], value: Any) -> T:
    """Raises ReplyError for a missing or unknown member and for a value of another type."""
    if not isinstance(value, dict):
        raise ReplyError(f"{kind.__name__}: not an object: {str(value)[:80]}")
    known = {item.name: item.type for item in fields(kind)}
    if wrong := sorted(known.keys() ^ value.keys()):
        raise ReplyError(f"{kind.__name__}: {wrong[0]!r} is missing or unknown")
    for name, form in known.items():
        named: tuple[Any, ...] = get_args(form) if isinstance(form, UnionType) else (form,)
        if type(value[name]) not in (*named, *((int,) if float in named else ())):
            raise ReplyError(f"{kind.__name__}: {name} = {value[name]!r} is of another type")
    made = kind(**value)
    if isinstance(made, Measurement):
        _check(made)
    return made


def _check(made: Measurement) -> None:
    """What no clock and no counter can say. Raises ReplyError."""
    whole = made.batch * made.new_tokens
    if made.finished != (made.tokens == whole) or not 0 < made.tokens <= whole:
        raise ReplyError(f"{made.engine}: {made.tokens} of {whole} tokens, and finished = {made.finished}")
    if min(made.seconds, made.peak_rss_bytes) <= 0 or min(made.load_seconds, made.cpu_seconds) < 0:
        raise ReplyError(f"{made.engine}: a time or a size is not positive")


def read_reply(text: str, job: Job) -> Measurement | Failure:
    """The worker's last line. Raises ReplyError."""
    try:
        reply = json.loads(text.strip().split("\n")[-1])
    except ValueError as error:
        raise ReplyError(f"the last line is no JSON: {text.strip()[-80:]!r}") from error
    if not isinstance(reply, dict) or len(reply) != 1 or next(iter(reply)) not in ("measurement", "failure"):
        raise ReplyError(f"neither measurement nor failure: {str(reply)[:80]}")
    if "failure" in reply:
        return Failure(job.engine, job.format, job.batch, job.new_tokens, str(reply["failure"]))
    made = from_json(Measurement, reply["measurement"])
    asked = (job.engine, job.format, job.batch, job.new_tokens)
    if (made.engine, made.format, made.batch, made.new_tokens) != asked:
        raise ReplyError(f"it measured {made.engine} {made.format}, asked was {job.engine} {job.format}")
    return made
