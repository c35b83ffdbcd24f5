"""One run, or one shard of it, open for writing. A draft passes through its working folder in this order:

1. an accepted record and what lies beside it (findings, judgement) are written into `ready/`;
2. its line is appended to `drafts.jsonl`, and with that the draft is done;
3. what lies beside is copied into the queue, the record is *moved* there. Of a shard this is left to `merge`.

A record without a line was never done and is dropped; one with a line is delivered by whoever opens the run next. As
the record is moved in one step, it is in `ready/` or it has been in the queue, never both: however often a run is
killed, and even when the queue is emptied in between, nothing is lost and nothing comes twice.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import ConfigError, PressError
from generator.log.archive import BESIDE
from generator.record.disclosure import Disclosure
from generator.record.judgement import Judgement
from generator.record.record import Record
from generator.run.folders import LINES, PLAN, READY, SESSIONS, Begun, other_model, read_sessions, ready_path, seal
from generator.run.lines import Line, read_lines, summary

SCHEMA = "prior-art-run/v1"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted draft: its disclosure, its judgement, and the bytes of its record and of its findings."""

    disclosure: Disclosure
    record: bytes
    findings: bytes
    judgement: Judgement

    @property
    def beside(self) -> Iterator[tuple[str, bytes]]:
        """Suffix and bytes of each file that lies beside the record."""
        return zip(BESIDE, (self.findings, self.judgement.to_bytes()), strict=True)

    @classmethod
    def from_bytes(cls, record: bytes, findings: bytes, judgement: bytes) -> "Accepted":
        """Raises RecordError."""
        return cls(Record.from_bytes(record).disclosure, record, findings, Judgement.from_bytes(judgement))


class RunState:
    """One run, or one shard of it, open for writing. Open it with `opened`, which holds its lock."""

    def __init__(self, output: Path, name: str, begun: Begun) -> None:
        self.output, self.name, self.folder = output, name, output / "runs" / name
        self.plan, self.shard, self.begun = begun.plan, begun.shard, begun
        self.lines: dict[int, Line] = {}
        self.sessions: list[dict[str, Any]] = []
        self.accepted = self.tokens = self.words = self.milliseconds = 0

    @classmethod
    @contextmanager
    def opened(cls, output: Path, name: str, begun: Begun) -> "Iterator[RunState]":
        """Begin the run `name`, or go on with it; finish what a killed run left half done."""
        folder = output / "runs" / name
        _made(folder / READY)
        busy = f"another process is writing the run {name}"
        with files.lock(folder / "lock", busy, _unheard, wait_seconds=0):
            if (folder / PLAN).exists():
                before = Begun.read(folder)
                if other := other_model(before.model, begun.model):
                    was, now = before.model.get(other), begun.model.get(other)
                    raise ConfigError(
                        f"{folder}: this run was begun with {other} = {was}, now it is {now}",
                        hint="Go on with the same model, or move this folder away to start anew.",
                    )
                begun = before
            else:
                begun.write(folder)
            state = cls(output, name, begun)
            state._recover()
            yield state

    def _recover(self) -> None:
        path = self.folder / LINES
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            os.truncate(path, len(whole))  # killed while it wrote this line; the draft is made again
        for line in read_lines(path, whole):
            self._count(line)
        self.sessions = read_sessions(self.folder)
        for record in sorted((self.folder / READY).glob("*.json")):
            index = int(record.name.split(".")[0])
            if index in self.lines:
                self._deliver(index)
            else:
                record.unlink(missing_ok=True)

    def add(self, line: Line, accepted: Accepted | None = None) -> None:
        """Keep the outcome of one draft, and with it the record of an accepted one."""
        if accepted:
            for suffix, data in accepted.beside:
                files.write(ready_path(self.folder, line.index, suffix), data)
            files.write(ready_path(self.folder, line.index, ".json"), accepted.record)
        files.append(self.folder / LINES, line.to_bytes())
        self._count(line)
        if accepted:
            self._deliver(line.index)

    def add_sessions(self, sessions: list[dict[str, Any]]) -> None:
        """Keep how the engine ran, session by session."""
        self.sessions += sessions
        files.write(self.folder / SESSIONS, canonical.dumps(self.sessions))

    def _deliver(self, index: int) -> None:
        if self.shard:
            return  # `merge` delivers, as shards do not know what the others accepted
        record, *beside = (ready_path(self.folder, index, suffix) for suffix in (".json", *BESIDE))
        target = self.output / "queue" / f"{self.name}-{index:06d}.json"
        if record.exists():
            for suffix, path in zip(BESIDE, beside, strict=True):
                files.write(target.with_suffix(suffix), files.read(path, "what lies beside a draft's record"))
            try:
                record.replace(target)
            except OSError as error:
                raise PressError(
                    f"{target}: cannot be written: {error.strerror}", hint="Run the same command again."
                ) from error
        for path in beside:
            path.unlink(missing_ok=True)

    def _count(self, line: Line) -> None:
        self.lines[line.index] = line
        self.accepted += line.accepted
        self.tokens += line.tokens
        self.words += line.words
        self.milliseconds += line.milliseconds

    def finish(self, finished_at: str) -> dict[str, Any]:
        """Write `output/runs/<run>.json`, remove the working folder, return the report. A shard is sealed instead."""
        report = self.report(finished_at)
        if self.shard:
            seal(self.folder, report)
            return report
        files.write(self.output / "runs" / f"{self.name}.json", canonical.dumps(report))
        shutil.rmtree(self.folder)
        return report

    def report(self, finished_at: str) -> dict[str, Any]:
        """What the run made and how, in integers and text, and no text of a rejected draft."""
        return {
            "schema": SCHEMA,
            "run": self.name,
            "started_at": self.begun.started_at,
            "finished_at": finished_at,
            "model": dict(self.begun.model),
            "plan": self.plan.value(),
            "calibration": self.plan.calibration,
            **({"corpus": asdict(self.plan.corpus)} if self.plan.corpus else {}),
            "engine": self.sessions,
            **summary(self.lines.values()),
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
