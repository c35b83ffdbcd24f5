"""A run's plan, its state on disk, and its report. Knows nothing of models or texts.

The working folder `output/runs/<run>/` holds `plan.json`, `drafts.jsonl` (one line for each judged draft, only ever
appended) and `ready/` (records on their way to the queue). A draft passes through it in this order:

1. an accepted record and its findings are written into `ready/`;
2. its line is appended, and with that the draft is done;
3. the findings are copied into the queue, the record is *moved* there.

A record without a line was never done and is dropped; one with a line is delivered by whoever opens the run next. As
the record is moved in one step, it is in `ready/` or it has been in the queue, never both: however often a run is
killed, and even when the queue is emptied in between, nothing is lost and nothing comes twice.
"""

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from generator import canonical, files
from generator.errors import ConfigError, PressError, RecordError
from generator.sampling import Sampling

SCHEMA = "prior-art-run/v1"
RUN = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")
StopRule = Literal["count", "drafts", "seconds"]
STOP_RULES: tuple[StopRule, ...] = ("count", "drafts", "seconds")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What determines a run. `seed` is 64 bits; `until` and `amount`: so many accepted (`count`),
    drafts, or seconds of the model's work (the batch at work is then finished).

    `topics` are pairs of a CPC class and the beginning of a title; `top_down_share` is decimal text from 0 to 1.
    """

    profile: str
    seed: int
    until: StopRule
    amount: int
    top_down_share: str
    sampling: Sampling
    publisher: str
    batch: int
    topics: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        try:
            share = Decimal(self.top_down_share)
            holds = 0 <= share <= 1
        except InvalidOperation:
            holds = False
        if not holds:
            raise ConfigError(f"top_down_share = {self.top_down_share!r}: a decimal number from 0 to 1 is expected")
        if self.until not in STOP_RULES or self.amount < 1 or not 0 <= self.seed < 2**64 or self.batch < 1:
            raise ConfigError(
                f"until {self.until!r}, amount {self.amount}, seed {self.seed}, batch {self.batch}: not possible",
                hint="Give --count, --drafts or --minutes of at least 1, a seed below 2**64 and a batch of at least 1.",
            )
        if not 0 < len(self.publisher) <= 200 or self.publisher != " ".join(self.publisher.split()):
            raise ConfigError("publisher: one line of 1 to 200 characters is expected")

    def value(self) -> dict[str, Any]:
        """The plan as canonical JSON allows it: the seed, which exceeds 2**53, as 16 hex digits."""
        value = asdict(self)
        return {**value, "seed": f"{self.seed:016x}", "topics": [{"cpc": c, "title": t} for c, t in self.topics]}

    @classmethod
    def from_value(cls, value: Any) -> "RunPlan":
        try:
            if value.keys() != {field.name for field in fields(cls)}:
                raise ValueError("the members of a plan are expected")
            topics = tuple((topic["cpc"], topic["title"]) for topic in value["topics"])
            sampling = Sampling(**value["sampling"])
            return cls(**{**value, "seed": int(value["seed"], 16), "topics": topics, "sampling": sampling})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"not a run's plan: {error}") from error


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


def find_unfinished(output: Path, plan: RunPlan, *, seed_given: bool = True) -> tuple[str, RunPlan] | None:
    """The oldest unfinished run of the same plan, and its plan. Without `seed_given` its seed may be any."""
    for folder in sorted((output / "runs").glob("*/")):
        if not RUN.fullmatch(folder.name) or (output / "runs" / f"{folder.name}.json").exists():
            continue
        if not (folder / "plan.json").exists():
            continue  # killed before its first draft
        found = _read_plan(folder)[0]
        if found == (plan if seed_given else replace(plan, seed=found.seed)):
            return folder.name, found
    return None


def sweep(output: Path) -> None:
    """Remove the working folders of runs whose report is written: killed between the two."""
    for folder in (output / "runs").glob("*/"):
        if RUN.fullmatch(folder.name) and (output / "runs" / f"{folder.name}.json").exists():
            shutil.rmtree(folder, ignore_errors=True)


def run_name(day: str, plan: RunPlan, started_at: str) -> str:
    digest = hashlib.sha256(canonical.dumps({"plan": plan.value(), "started_at": started_at})).hexdigest()
    return f"{day}-{digest[:8]}"


def _read_plan(folder: Path) -> tuple[RunPlan, dict[str, Any], str]:
    path = folder / "plan.json"
    try:
        value = canonical.loads(files.read(path, "the plan of a run"))
        return RunPlan.from_value(value["plan"]), dict(value["model"]), str(value["started_at"])
    except (RecordError, ConfigError, KeyError, TypeError, ValueError) as error:
        raise PressError(f"{path}: damaged: {error}", hint=f"Move {folder} away and run the command again.") from error


class RunState:
    """One run, open for writing. Open it with `opened`, which holds the run's lock."""

    def __init__(self, output: Path, name: str, plan: RunPlan, model: Mapping[str, Any], started_at: str) -> None:
        self.output, self.name, self.plan, self.model, self.started_at = output, name, plan, dict(model), started_at
        self.folder = output / "runs" / name
        self.lines: dict[int, Line] = {}
        self.accepted = self.tokens = self.milliseconds = 0

    @classmethod
    @contextmanager
    def opened(
        cls, output: Path, name: str, plan: RunPlan, model: Mapping[str, Any], started_at: str
    ) -> "Iterator[RunState]":
        """Begin the run `name`, or go on with it; finish what a killed run left half done."""
        folder = output / "runs" / name
        _made(folder / "ready")
        busy = f"another process is writing the run {name}"
        with files.lock(folder / "lock", busy, _unheard, wait_seconds=0):
            if (folder / "plan.json").exists():
                plan, before, started_at = _read_plan(folder)
                _same_model(folder, before, model)
            else:
                value = {"plan": plan.value(), "model": dict(model), "started_at": started_at}
                files.write(folder / "plan.json", canonical.dumps(value))
            state = cls(output, name, plan, model, started_at)
            state._recover()
            yield state

    def _recover(self) -> None:
        path = self.folder / "drafts.jsonl"
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            os.truncate(path, len(whole))  # killed while it wrote this line; the draft is made again
        for number, raw in enumerate(whole.splitlines(), 1):
            try:
                line = Line(**json.loads(raw))
            except (ValueError, TypeError) as error:
                raise PressError(
                    f"{path}:{number}: damaged", hint=f"Move {self.folder} away and start anew."
                ) from error
            self._count(line)
        for record in sorted((self.folder / "ready").glob("*.json")):
            index = int(record.name.split(".")[0])
            if index in self.lines:
                self._deliver(index)
            else:
                record.unlink(missing_ok=True)

    def add(self, line: Line, record: bytes = b"", findings: bytes = b"") -> None:
        """Keep the outcome of one draft, and with it the record of an accepted one."""
        if record:
            files.write(self._ready(line.index, ".findings.json"), findings)
            files.write(self._ready(line.index, ".json"), record)
        try:
            with (self.folder / "drafts.jsonl").open("ab") as file:
                file.write(canonical.dumps(asdict(line)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PressError(
                f"{self.folder / 'drafts.jsonl'}: cannot be written: {error.strerror}",
                hint="Free space, then run the same command again.",
            ) from error
        self._count(line)
        if record:
            self._deliver(line.index)

    def _ready(self, index: int, suffix: str) -> Path:
        return self.folder / "ready" / f"{index:06d}{suffix}"

    def _deliver(self, index: int) -> None:
        record, findings = self._ready(index, ".json"), self._ready(index, ".findings.json")
        target = self.output / "queue" / f"{self.name}-{index:06d}.json"
        if record.exists():
            files.write(target.with_suffix(".findings.json"), files.read(findings, "the findings of a draft"))
            try:
                record.replace(target)
            except OSError as error:
                raise PressError(
                    f"{target}: cannot be written: {error.strerror}", hint="Run the same command again."
                ) from error
        findings.unlink(missing_ok=True)

    def _count(self, line: Line) -> None:
        self.lines[line.index] = line
        self.accepted += line.outcome == "accepted"
        self.tokens += line.tokens
        self.milliseconds += line.milliseconds

    def finish(self, finished_at: str) -> dict[str, Any]:
        """Write `output/runs/<run>.json`, remove the working folder, return the report."""
        report = self.report(finished_at)
        files.write(self.output / "runs" / f"{self.name}.json", canonical.dumps(report))
        shutil.rmtree(self.folder)
        return report

    def report(self, finished_at: str) -> dict[str, Any]:
        """What the run made, in integers and text: counts, hashes of all drafts, and no text of a rejected one."""
        lines = sorted(self.lines.values(), key=lambda line: line.index)
        rejected = [line for line in lines if line.outcome == "rejected"]
        return {
            "schema": SCHEMA,
            "run": self.name,
            "started_at": self.started_at,
            "finished_at": finished_at,
            "model": self.model,
            "plan": self.plan.value(),
            "drafts": len(lines),
            "accepted": self.accepted,
            "rejected": len(rejected),
            "reasons": dict(Counter(line.reason for line in rejected)),
            "directions": [
                {
                    "direction": name,
                    "drafts": drafts,
                    "accepted": sum(x.outcome == "accepted" for x in lines if x.direction == name),
                }
                for name, drafts in sorted(Counter(line.direction for line in lines).items())
            ],
            "cut_by_limit": sum(line.stop == "limit" for line in lines),
            "removed_claims": sum(line.removed_claims for line in lines),
            "tokens": self.tokens,
            "words": sum(line.words for line in lines),
            "milliseconds": self.milliseconds,
            "drafts_by_index": [
                {"index": x.index, "seed": x.seed, "sha256": x.draft_sha256, "outcome": x.reason or x.outcome}
                for x in lines
            ],
        }


def _unheard(message: str) -> None:
    """Two processes do not wait for one another's run: the second is refused at once."""


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PressError(
            f"{folder}: cannot be made: {error.strerror}", hint="Free space or fix permissions."
        ) from error


def _same_model(folder: Path, before: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    for name in ("model", "weights_sha256", "tokenizer_sha256", "number_format", "engine"):
        if before.get(name) != model.get(name):
            raise ConfigError(
                f"{folder}: this run was begun with {name} = {before.get(name)}, now it is {model.get(name)}",
                hint="Go on with the same model, or move this folder away to start anew.",
            )
