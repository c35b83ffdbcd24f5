"""Which runs there are: their working folders, their reports. Knows nothing of models or texts.

The working folder `output/runs/<run>/` holds `plan.json`, `drafts.jsonl` (one line for each judged draft, only ever
appended), `ready/` (records on their way to the queue) and `sessions.json` (how the engine ran, each time it ran).
`run_state` writes it. A finished run leaves its report `output/runs/<run>.json` alone; a finished shard keeps its
folder, sealed by `shard.json`: its report, and the digests of the other files.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import ConfigError, PressError, RecordError
from generator.base.values import Faults, read
from generator.run.plan import OutdatedPlan, RunPlan, Shard

RUN = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")
PLAN, LINES, READY, SESSIONS, SEAL = "plan.json", "drafts.jsonl", "ready", "sessions.json", "shard.json"


@dataclass(frozen=True, slots=True)
class _Begun:
    plan: dict[str, Any]
    model: dict[str, Any]
    started_at: str
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Seal:
    report: dict[str, Any]
    files: tuple[_File, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run, or one shard of it, was begun with: the content of `plan.json`."""

    plan: RunPlan
    model: Mapping[str, Any]
    started_at: str
    shard: Shard | None = None

    def __post_init__(self) -> None:
        if self.shard:
            self.shard.check(self.plan)

    @property
    def name(self) -> str:
        """The run's name; a shard has one of its own."""
        digest = _sha256(canonical.dumps({**self._value(), "model": {}}))
        return f"{self.started_at[:10]}-{digest[:8]}"

    @classmethod
    def read(cls, folder: Path) -> "Begun":
        path = folder / PLAN
        try:
            found: _Begun = read(_Begun, canonical.loads(files.read(path, "the plan of a run")))
            shard = Shard.parse(found.shard) if found.shard is not None else None
            return cls(RunPlan.from_value(found.plan), found.model, found.started_at, shard)
        except OutdatedPlan:
            raise
        except (RecordError, ConfigError, Faults) as error:
            hint = f"Move {folder} away and run the command again."
            raise PressError(f"{path}: damaged: {error}", hint=hint) from error

    def write(self, folder: Path) -> None:
        files.write(folder / PLAN, canonical.dumps(self._value()))

    def _value(self) -> dict[str, Any]:
        value = {"plan": self.plan.value(), "model": dict(self.model), "started_at": self.started_at}
        return {**value, "shard": str(self.shard)} if self.shard else value


def find_unfinished(
    output: Path, plan: RunPlan, *, shard: Shard | None = None, seed_given: bool = True
) -> tuple[str, Begun] | None:
    """The oldest run of the same plan (or shard of it) that has a working folder, and what it was begun with.

    Without `seed_given` its seed may be any. A finished shard is found as well.
    """
    for folder in _working_folders(output):
        try:
            begun = Begun.read(folder)
        except OutdatedPlan:
            continue
        wanted = plan if seed_given else replace(plan, seed=begun.plan.seed)
        if (begun.plan, begun.shard) == (wanted, shard):
            return folder.name, begun
    return None


def outdated(output: Path) -> Iterator[Path]:
    """Working folders of earlier versions. Their drafts were judged by other gates, so nothing can go on with them."""
    for folder in _working_folders(output):
        try:
            Begun.read(folder)
        except OutdatedPlan:
            yield folder


def find_finished(output: Path, plan: RunPlan) -> dict[str, Any] | None:
    """The report of a finished run of exactly this plan."""
    return next((report for report in finished_runs(output) if report["plan"] == plan.value()), None)


def finished_runs(output: Path) -> Iterator[dict[str, Any]]:
    """The reports of finished runs. Raises PressError for one that is damaged."""
    for path in sorted((output / "runs").glob("*.json")):
        try:
            report: dict[str, Any] = read(dict[str, Any], canonical.loads(files.read(path, "a run's report")))
            read(dict[str, Any], report.get("plan"), "plan")
        except (RecordError, Faults) as error:
            raise PressError(f"{path}: the report is damaged: {error}", hint="Restore it; facts are kept.") from error
        yield report


def _working_folders(output: Path) -> Iterator[Path]:
    """Those that have a plan: without one, a run was killed before its first draft."""
    for folder in sorted((output / "runs").glob("*/")):
        finished = (output / "runs" / f"{folder.name}.json").exists()
        if RUN.fullmatch(folder.name) and not finished and (folder / PLAN).exists():
            yield folder


def remove_leftovers(output: Path) -> None:
    """Remove the working folders of runs whose report is written: killed between the two."""
    for folder in (output / "runs").glob("*/"):
        if RUN.fullmatch(folder.name) and (output / "runs" / f"{folder.name}.json").exists():
            shutil.rmtree(folder, ignore_errors=True)


def ready_path(folder: Path, index: int, suffix: str) -> Path:
    return folder / READY / f"{index:06d}{suffix}"


def read_sessions(folder: Path) -> list[dict[str, Any]]:
    """How the engine ran, session by session; a session that was killed left nothing."""
    path = folder / SESSIONS
    if not path.exists():
        return []
    try:
        return list(read(tuple[dict[str, Any], ...], canonical.loads(files.read(path, "the sessions of a run"))))
    except (RecordError, Faults) as error:
        raise PressError(f"{path}: damaged: {error}", hint="Remove it: only figures are lost.") from error


def seal(folder: Path, report: dict[str, Any]) -> None:
    """Write `shard.json`: the report of a finished shard, and path and SHA-256 of each file of its result."""
    paths = [folder / name for name in (PLAN, LINES, SESSIONS) if (folder / name).exists()]
    digests = [
        {"path": str(path.relative_to(folder)), "sha256": _sha256(path.read_bytes())}
        for path in [*paths, *sorted((folder / READY).glob("*.json"))]
    ]
    sealed = {"report": report, "files": digests}
    files.write(folder / SEAL, canonical.dumps({**sealed, "sha256": _sha256(canonical.dumps(sealed))}))


def read_seal(folder: Path) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Report and digests of a finished shard; None for one that is not finished."""
    path = folder / SEAL
    if not path.exists():
        return None
    try:
        value = canonical.loads(files.read(path, "the seal of a shard"))
        found: _Seal = read(_Seal, value)
        if found.sha256 != _sha256(canonical.dumps({"report": value["report"], "files": value["files"]})):
            raise ValueError("not what was written")
        return found.report, {item.path: item.sha256 for item in found.files}
    except (RecordError, ValueError) as error:
        hint = "Fetch the folder again, or move it away and write the shard again."
        raise PressError(f"{path}: damaged: {error}", hint=hint) from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def other_model(before: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """What of weights, number format and engine is not what a run was begun with, or an empty string.

    Versions and CPUs may differ: each record names its own.
    """
    names = ("model", "weights_sha256", "adapter_sha256", "tokenizer_sha256", "number_format", "engine")
    return next((name for name in names if before.get(name, "") != model.get(name, "")), "")
