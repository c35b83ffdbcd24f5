"""`prior-art evaluate`: has causal language models answer multiple-choice questions, and sets baselines beside them.

Each model's scores are kept in a file of JSON lines of their own: first what decides them (questions, digests of the
model, versions), then a line for each question, in order. So the same command goes on after a kill, and a change of
model or questions begins a new file. The table is a view of these files.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator import files
from generator.choices import Question, questions_sha256, read_questions
from generator.contenders import Contender, contender, open_contender
from generator.errors import ConfigError, PressError
from generator.likelihood import Scores
from generator.standings import Answered, markdown, standings

if TYPE_CHECKING:
    from generator.press import Outcome, Press

SCHEMA = "prior-art-evaluation-scores/v1"  # changes with how scores are computed
EVERY = 15.0  # seconds between two lines of progress


def evaluate(
    press: "Press",
    *,
    models: Sequence[str],
    file: Path,
    task: str = "patentmatch",
    items: int | None = None,
    out: Path | None = None,
    number_format: str = "fp32",
    threads: int = 0,
) -> "Outcome":
    """Score the first `items` questions of a file (all: None) with each model; write the table into `out`.

    The answer is yes, or none when no model could read a single question. Raises PressError.
    """
    from generator.press import Outcome

    if twice := [name for place, name in enumerate(models) if name in models[:place]]:
        raise ConfigError(f"{twice[0]}: named twice", hint="Name each model once.")
    every = read_questions(file, task)
    questions = every[:items]
    found = [contender(name, press.root, number_format) for name in models]  # all, before hours of work with the first
    out = out or press.output / "evaluations"
    answered = []
    for one in found:
        scores = Scored(out, one, questions_sha256(every), press.report)
        answered.append(Answered(one, scores.of(questions, threads)))
    figures = standings(answered, questions, len(every), questions_sha256(every), task, file.name)
    path = out / f"{_plain(file.stem)}-{questions_sha256(every)[:8]}"
    lines = markdown(figures)
    files.write(path.with_name(f"{path.name}.json"), json.dumps(figures, indent=1, ensure_ascii=False).encode())
    files.write(path.with_name(f"{path.name}.md"), "\n".join((*lines, "")).encode())
    able = any(way["n"] for model in figures["models"] for way in model["ways"].values())
    return Outcome((*lines, f"evaluate: the table is in {path}.md and {path}.json"), figures, ok=True if able else None)


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one model on one set of questions, on disk."""

    out: Path
    contender: Contender
    questions: str  # their SHA-256
    report: Callable[[str], None]

    @property
    def head(self) -> dict[str, Any]:
        return {"schema": SCHEMA, "questions_sha256": self.questions, **self.contender.identity()}

    @property
    def path(self) -> Path:
        digest = hashlib.sha256(json.dumps(self.head, sort_keys=True).encode()).hexdigest()
        return self.out / "scores" / f"{_plain(self.contender.name)}-{digest[:12]}.jsonl"

    def of(self, questions: Sequence[Question], threads: int) -> list[tuple[Scores, float]]:
        """Scores and seconds of each question: those that are kept, then what is missing, each kept at once."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PressError(
                f"{self.path.parent}: cannot be made: {error.strerror}", hint="Name another folder with --out."
            ) from error
        busy = f"another process is evaluating {self.contender.name} on these questions"
        with files.lock(self.path.with_suffix(".lock"), busy, self.report, wait_seconds=0):
            kept = self._kept()
            if len(kept) < len(questions):
                kept += self._missing(questions, len(kept), threads)
        return kept[: len(questions)]

    def _kept(self) -> list[tuple[Scores, float]]:
        """What is on disk; a last line that a kill has torn is cut off. Raises PressError for any other damage."""
        if not self.path.exists():
            return []
        data = files.read(self.path, "scores of a model")
        if not data.endswith(b"\n"):
            data = data[: data.rfind(b"\n") + 1]
            os.truncate(self.path, len(data))
        try:
            head, *lines = [json.loads(line) for line in data.splitlines()] or [self.head]
            if head != self.head or [line.pop("item") for line in lines] != list(range(len(lines))):
                raise ValueError("the lines are not those of this evaluation, in order")
            return [(_scores(line), float(line["seconds"])) for line in lines]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PressError(f"{self.path}: damaged: {error}", hint="Move the file away and evaluate anew.") from error

    def _missing(self, questions: Sequence[Question], first: int, threads: int) -> list[tuple[Scores, float]]:
        model = open_contender(self.contender, threads, self.report)
        made: list[tuple[Scores, float]] = []
        began = told = time.monotonic()
        if not self.path.exists() or not self.path.stat().st_size:
            self._append(self.head)
        for item in range(first, len(questions)):
            started = time.monotonic()
            scores = model.scores(questions[item])
            seconds = round(time.monotonic() - started, 4)
            self._append({"item": item, **asdict(scores), "seconds": seconds})
            made.append((scores, seconds))
            now = time.monotonic()
            if now - told > EVERY or item + 1 == len(questions):
                left = (now - began) / len(made) * (len(questions) - item - 1)
                self.report(
                    f"evaluate: {self.contender.name}: {item + 1} of {len(questions)} questions, "
                    f"{(now - began) / len(made):.1f} s each, some {left / 60:.0f} minutes left"
                )
                told = now
        return made

    def _append(self, value: dict[str, Any]) -> None:
        try:
            with self.path.open("ab") as file:
                file.write(json.dumps(value, sort_keys=True).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PressError(
                f"{self.path}: cannot be written: {error.strerror}",
                hint="Free space or fix permissions, then run the same command again.",
            ) from error


def _scores(line: dict[str, Any]) -> Scores:
    return Scores(
        letter=tuple(map(float, line["letter"])),
        conditional=tuple(map(float, line["conditional"])),
        alone=float(line["alone"]),
        letter_tokens=int(line["letter_tokens"]),
        conditional_tokens=int(line["conditional_tokens"]),
    )


def _plain(name: str) -> str:
    """A name as a file may have it: without the signs that mean a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "model"
