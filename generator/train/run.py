"""The folder of a training run: the recipe, and a folder for each stage that a kill at any point leaves in order."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError, ModelError
from generator.train.recipe import Recipe, read_recipe

END = "<|end|>"  # of new tokenizers
STAGES = ("data", "broad", "balanced", "finetune", "prefer", "model")


@dataclass(frozen=True, slots=True)
class Run:
    """`threads`: CPU threads (0: all); `device`: auto, cpu or cuda; `every`: seconds between two checkpoints."""

    folder: Path
    recipe: Recipe
    report: Callable[[str], None]
    threads: int = 0
    device: str = "auto"
    every: float = 180.0

    def stage(self, name: str) -> "StageFolder":
        return StageFolder(self.folder, name, self.report)


@dataclass(frozen=True, slots=True)
class StageFolder:
    """`result` appears when the stage is finished, in one step; until then everything is in `work`."""

    run: Path
    name: str
    report: Callable[[str], None]

    @property
    def work(self) -> Path:
        return self.run / f"{self.name}.part"

    @property
    def result(self) -> Path:
        return self.run / self.name

    @property
    def finished(self) -> bool:
        return self.result.is_dir()

    def needed(self) -> Path:
        """The result of a stage that another one begins with. Raises ConfigError."""
        if not self.finished:
            raise ConfigError(
                f"{self.result}: the stage {self.name} is not finished",
                hint=f"Run it first: prior-art train {command(self.name)} {self.run}",
            )
        return self.result

    @contextmanager
    def begun(self, settled: dict[str, Any]) -> Iterator["StageFolder"]:
        """Hold the stage against other processes; `settled` is what must be the same when it goes on.

        Raises ConfigError when another recipe or other data were begun with, ModelError for a full disk.
        """
        try:
            self.run.mkdir(parents=True, exist_ok=True)
            with files.lock(
                self.run / f"{self.name}.lock", "another process is at this stage", self.report, wait_seconds=0
            ):
                self._same(settled)
                yield self
        except OSError as error:
            raise ModelError(
                f"{self.work}: cannot be written: {error.strerror or error}",
                hint="Free space, then run the same command again: it goes on from the last checkpoint.",
            ) from error

    def _same(self, settled: dict[str, Any]) -> None:
        wanted = json.dumps(settled, indent=1, sort_keys=True).encode() + b"\n"
        path = self.run / f"{self.name}.json"
        if path.exists() and path.read_bytes() != wanted and (self.finished or self.work.exists()):
            raise ConfigError(
                f"{self.result}: begun with another recipe or other data ({path.name} says which)",
                hint=f"Name another folder for this run, or delete {self.name} and {self.work.name} here.",
            )
        if not self.finished:
            files.write(path, wanted)
            self.work.mkdir(exist_ok=True)

    def finish(self) -> None:
        """Make the work the result: checkpoints are deleted, everything else is kept."""
        for path in self.work.glob("checkpoint-*"):
            shutil.rmtree(path)
        files.settle((path for path in self.work.rglob("*") if path.is_file()), self.work)
        self.work.rename(self.result)


def command(stage: str) -> str:
    """The command that runs a stage."""
    return {"broad": "pretrain", "balanced": "pretrain"}.get(stage, stage)


def open_run(
    folder: Path, report: Callable[[str], None], *, threads: int = 0, device: str = "auto", every: float = 180.0
) -> Run:
    """A run that the data stage has begun. Raises ConfigError."""
    path = folder / "recipe.toml"
    if not path.is_file():
        raise ConfigError(
            f"{folder}: no training run begins here: {path.name} is missing",
            hint=f"Begin with its data: prior-art train data {folder} --recipe starter --input FILE",
        )
    return Run(folder, read_recipe(path), report, threads, device, every)


def begin_run(folder: Path, recipe: Path, report: Callable[[str], None]) -> Run:
    """The run in a folder, with a copy of its recipe in it. Raises ConfigError when another one is there."""
    settled, path = read_recipe(recipe), folder / "recipe.toml"
    text = recipe.read_bytes()
    if path.exists() and read_recipe(path) != settled:
        raise ConfigError(
            f"{path}: a run with another recipe is here",
            hint="Name another folder, or delete this one to start afresh.",
        )
    files.write(path, text)
    return Run(folder, settled, report)
