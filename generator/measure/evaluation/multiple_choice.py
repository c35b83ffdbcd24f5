"""Has causal language models answer multiple-choice questions, and sets baselines beside them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.measure.evaluation.choices import Question, questions_sha256
from generator.measure.evaluation.contenders import Contender, open_contender
from generator.measure.evaluation.likelihood import Scores
from generator.measure.evaluation.score_cache import Kept, Pace
from generator.measure.evaluation.standings import Answered, markdown, standings

SCHEMA = "prior-art-evaluation-scores/v1"  # changes with how scores are computed


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an evaluation came to. `sha256` is of what was asked; `able`: some model could do something."""

    sha256: str
    figures: dict[str, Any]
    lines: list[str]
    able: bool


def answer(
    found: Sequence[Contender],
    every: tuple[Question, ...],
    items: int | None,
    task: str,
    file: str,
    out: Path,
    threads: int,
    report: Callable[[str], None],
) -> Comparison:
    """Score the first `items` questions (all: None) with each model. Raises PressError."""
    digest, questions = questions_sha256(every), every[:items]
    answered = [Answered(one, Scored(out, one, digest, report).of(questions, threads)) for one in found]
    figures = standings(answered, questions, len(every), digest, task, file)
    able = any(way["n"] for model in figures["models"] for way in model["ways"].values())
    return Comparison(digest, figures, markdown(figures), able)


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one model on one set of questions, on disk."""

    out: Path
    contender: Contender
    questions: str  # their SHA-256
    report: Callable[[str], None]

    @property
    def kept(self) -> Kept:
        head = {"schema": SCHEMA, "questions_sha256": self.questions, **self.contender.identity()}
        return Kept(self.out, self.contender.name, "questions", head, self.report)

    def of(self, questions: Sequence[Question], threads: int) -> list[tuple[Scores, float]]:
        """Scores and seconds of each question: those that are kept, then what is missing, each kept at once."""
        kept = self.kept
        with kept.opened(lambda line: (_scores(line), float(line["seconds"]))) as scores:
            if len(scores) < len(questions):
                scores += self._missing(kept, questions, len(scores), threads)
        return scores[: len(questions)]

    def _missing(
        self, kept: Kept, questions: Sequence[Question], first: int, threads: int
    ) -> list[tuple[Scores, float]]:
        model = open_contender(self.contender, threads, self.report)
        made: list[tuple[Scores, float]] = []
        pace = Pace(self.report, self.contender.name, "questions", first, len(questions))
        for item in range(first, len(questions)):
            started = time.monotonic()
            scores = model.scores(questions[item])
            seconds = round(time.monotonic() - started, 4)
            kept.append(item, {**asdict(scores), "seconds": seconds})
            made.append((scores, seconds))
            pace.done(item + 1)
        return made


def _scores(line: dict[str, Any]) -> Scores:
    return Scores(
        letter=tuple(map(float, line["letter"])),
        conditional=tuple(map(float, line["conditional"])),
        alone=float(line["alone"]),
        letter_tokens=int(line["letter_tokens"]),
        conditional_tokens=int(line["conditional_tokens"]),
    )
