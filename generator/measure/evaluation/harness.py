"""Questions as tasks of lm-evaluation-harness (Gao et al.; `lm_eval` 0.4), for those who compare models there.

Its tasks are YAML files whose texts it takes for Jinja templates and whose results it may take for Python. Here a task
names members of the data instead, which it then hands through, so that no text of a question is ever rendered.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import ConfigError, CorpusError
from generator.measure.evaluation.choices import LETTERS, Question, questions_sha256
from generator.measure.evaluation.ipquiz import questions_of
from generator.measure.evaluation.likelihood import AFTER, BETWEEN

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

_PATTERN = re.compile(r"[*?\[\]]|::")


@dataclass(frozen=True, slots=True)
class Task:
    """`name` stands for both tasks, `<name>_letter` and `<name>_conditional`; `paths` are the files written."""

    name: str
    paths: tuple[Path, ...]


def export_task(publication: "Publication", *, file: Path, task: str, out: Path | None = None) -> "Outcome":
    """Write the questions of `file`, of the form `task`, as tasks into the folder `out`. Raises PressError."""
    from generator.base.publication import Outcome

    questions = questions_of(file, task)
    out = out or publication.output / "evaluations" / "harness"
    made = write_task(questions, file.stem, out)
    words = ("lm_eval", "--model", "hf", "--model_args", "pretrained=MODEL", "--include_path", str(out), "--tasks")
    lines = (
        f"export-task: {len(questions)} questions are in {made.paths[0]}",
        f"export-task: {shlex.join((*words, made.name))}",
        "export-task: both tasks hold the path of the questions; export them anew when the folder is moved",
    )
    figures = {"questions": len(questions), "task": made.name, "files": [str(path) for path in made.paths]}
    return Outcome(lines, figures)


def write_task(questions: Sequence[Question], stem: str, folder: Path) -> Task:
    """The data and a YAML file for each way to choose. The name has a digest of the questions, so that results of other
    questions are never taken for theirs. Raises ConfigError, CorpusError, PressError."""
    import yaml

    folder = folder.absolute()
    if _PATTERN.search(str(folder)):
        raise ConfigError(
            f"{folder}: lm-evaluation-harness takes *, ?, [, ] and :: in a path for a pattern",
            hint="Name a folder without these signs with --out.",
        )
    digest = questions_sha256(tuple(questions))
    name = f"prior_art_{re.sub(r'[^a-z0-9]+', '_', stem.lower()).strip('_')[:40] or 'questions'}_{digest[:8]}"
    data = folder / f"{name}.jsonl"
    made = [(data, "".join(_row(number, one) for number, one in enumerate(questions, 1)))]
    for way, texts in WAYS.items():
        config = _config(name, way, texts, data, digest)
        made.append((folder / f"{name}_{way}.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True)))
    for path, text in made:
        files.write(path, text.encode("utf-8"))
    return Task(name, tuple(path for path, _ in made))


# Where the context is a number, the harness takes the choices for contexts, and the target for what follows each.
WAYS = {
    "letter": {
        "doc_to_text": "asked",
        "doc_to_choice": "letters",
        "doc_to_target": "answer",
        "target_delimiter": " ",
    },
    "conditional": {
        "doc_to_text": "answer",
        "doc_to_choice": "options",
        "doc_to_target": "text",
        "target_delimiter": BETWEEN,
    },
}


def _row(number: int, question: Question) -> str:
    row = {
        "asked": question.asked() + AFTER,
        "letters": list(LETTERS[: len(question.options)]),
        "answer": question.answer,
        "text": question.text,
        "options": list(question.options),
    }
    line = json.dumps(row)
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"question {number}: holds half of a character (U+{ord(error.object[error.start]):04X})",
            hint="The harness reads UTF-8 alone; mend the file of questions.",
        ) from error
    return f"{line}\n"


def _config(name: str, way: str, texts: dict[str, str], data: Path, digest: str) -> dict[str, Any]:
    return {
        "task": f"{name}_{way}",
        "tag": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "output_type": "multiple_choice",
        "test_split": "test",
        **texts,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0, "questions_sha256": digest},
    }
