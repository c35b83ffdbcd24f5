"""A run divided among machines: finished shards in, one run out, as if one machine had made it.

Shards know nothing of each other. `merge` replays their lines in the order of the plan through the code that a whole
run uses, so that a content that two shards accepted is refused where the whole run would have refused it.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError, PressError
from generator.log.archive import BESIDE
from generator.run.drafting import RunReport, keep
from generator.run.folders import (
    LINES,
    PLAN,
    Begun,
    find_finished,
    find_unfinished,
    other_model,
    read_seal,
    ready_path,
    remove_leftovers,
)
from generator.run.lines import Line, read_lines
from generator.run.plan import OutdatedPlan, RunPlan, Shard
from generator.run.repeats import Repeats
from generator.run.state import Accepted, RunState

AGAIN = "Run the job of this shard again, or fetch what it kept again."


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """A shard whose files are those that it was sealed with."""

    folder: Path
    begun: Begun
    shard: Shard
    lines: dict[int, Line]
    sessions: list[dict[str, Any]]

    def accepted(self, line: Line) -> Accepted | None:
        if line.reason:
            return None
        paths = (ready_path(self.folder, line.index, suffix) for suffix in (".json", *BESIDE))
        return Accepted.from_bytes(*(files.read(path, f"what shard {self.shard} accepted") for path in paths))


def merge(folders: Iterable[Path], output: Path, *, now: Callable[[], str]) -> tuple[RunReport, bool]:
    """The run that the shards in `folders` are parts of, accepted records into `output/queue/`; False: done before.

    A merge that was killed goes on. Raises PressError for shards that are missing, unfinished, damaged, there twice,
    or of different runs.
    """
    shards = read_shards(folders)
    first = min((shard.begun for shard in shards), key=lambda begun: begun.started_at)
    remove_leftovers(output)
    if report := find_finished(output, first.plan):
        return RunReport(report["run"], True, report), False
    begun = Begun(first.plan, shards[0].begun.model, first.started_at)
    found = find_unfinished(output, first.plan)
    name = found[0] if found else begun.name
    with RunState.opened(output, name, begun) as state:
        published = Repeats.of(state)
        for index in range(begun.plan.amount):
            if index not in state.lines:
                shard = shards[index % len(shards)]
                keep(state, published, shard.lines[index], shard.accepted(shard.lines[index]))
        said = [session for shard in shards for session in shard.sessions]
        state.add_sessions([session for session in said if session not in state.sessions])  # killed after it said so
        return RunReport(name, True, state.finish(now())), True


def read_shards(folders: Iterable[Path]) -> tuple[FinishedShard, ...]:
    """All shards of one run, in the order of their numbers, from folders that are one or hold some at any depth."""
    shards: dict[int, FinishedShard] = {}
    for folder in _shard_folders(folders):
        shard = read_shard(folder)
        first = next(iter(shards.values()), shard)
        _same_run(first, shard)
        if other := shards.get(shard.shard.number):
            raise ConfigError(
                f"shard {shard.shard} is there twice: {other.folder} and {folder}", hint="Name one of the two."
            )
        shards[shard.shard.number] = shard
    of = next(iter(shards.values())).shard.of
    if missing := [str(Shard(number, of)) for number in range(1, of + 1) if number not in shards]:
        raise ConfigError(
            f"{len(missing)} of {of} shards are missing: {', '.join(missing[:20])}",
            hint="Name the folders of all shards of the run.",
        )
    return tuple(shards[number] for number in sorted(shards))


def _shard_folders(folders: Iterable[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: there is no such folder", hint="Name the folders that the shards kept.")
        inside = [folder] if (folder / PLAN).exists() else sorted(p.parent for p in folder.rglob(PLAN))
        # The working folder of a whole run may lie among them: that of a merge that was killed, for one.
        shards = [path for path in inside if _is_shard(path)]
        if not shards:
            raise ConfigError(
                f"{folder}: no shard is in it", hint="A shard's folder is output/runs/<run> of the job that wrote it."
            )
        found.update(dict.fromkeys(path.resolve() for path in shards))
    return list(found)


def _is_shard(folder: Path) -> bool:
    try:
        return Begun.read(folder).shard is not None
    except OutdatedPlan:
        return False


def read_shard(folder: Path) -> FinishedShard:
    """A shard with the files that it was sealed with. Raises PressError for one that is unfinished or damaged."""
    begun = Begun.read(folder)
    shard = begun.shard or Shard(1, 1)
    if not (sealed := read_seal(folder)):
        raise ConfigError(
            f"{folder}: shard {shard} is not finished", hint=f"Run its command again where it was begun. {AGAIN}"
        )
    report, digests = sealed
    for name, digest in digests.items():
        if hashlib.sha256(files.read(folder / name, f"a file of shard {shard}")).hexdigest() != digest:
            raise PressError(f"{folder / name}: shard {shard} is damaged: not the file it was sealed with", hint=AGAIN)
    path = folder / LINES
    lines = {line.index: line for line in read_lines(path, path.read_bytes() if LINES in digests else b"")}
    if sorted(lines) != list(shard.indices(begun.plan.amount)):
        raise PressError(f"{path}: shard {shard} is damaged: its drafts are not those of the plan", hint=AGAIN)
    return FinishedShard(folder, begun, shard, lines, report["engine"])


def _same_run(first: FinishedShard, other: FinishedShard) -> None:
    for field in fields(RunPlan):
        here, there = (getattr(shard.begun.plan, field.name) for shard in (first, other))
        if here != there:
            raise ConfigError(
                f"{other.folder}: a shard of another run: its {field.name} is not that of {first.folder}",
                hint="Give every shard the same options, the seed among them.",
            )
    if first.shard.of != other.shard.of:
        raise ConfigError(
            f"{other.folder}: shard {other.shard}, but {first.folder} is shard {first.shard}",
            hint="Name the shards of one division of the run.",
        )
    if name := other_model(first.begun.model, other.begun.model):
        here, there = (shard.begun.model.get(name) for shard in (first, other))
        raise ConfigError(
            f"{other.folder}: written with {name} = {there}, but {first.folder} with {here}",
            hint="Give every shard the same model and the same --format.",
        )
