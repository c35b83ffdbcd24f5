"""`prior-art evaluate`: several models, one task, one table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from generator.base import files
from generator.base.errors import ConfigError

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

DRAFTING, READING = "drafting", "reading"


def evaluate(
    publication: "Publication",
    *,
    models: Sequence[str],
    file: Path,
    task: str = "patentmatch",
    items: int | None = None,
    drafts: int | None = None,
    known: Sequence[Path] = (),
    out: Path | None = None,
    number_format: str | None = None,
    threads: int = 0,
) -> "Outcome":
    """Measure each model by a task, and write the table into `out`, as Markdown and as JSON.

    `items`: only the first so many questions or patents of `file`; `drafts` of each direction, and `known`: files of
    training data, are for the task `drafting`. `number_format` None: fp32 to read, what a run would use to write.
    The answer is yes, or none when no model could do anything. Raises PressError.
    """
    from generator.base.publication import Outcome
    from generator.measure.evaluation.contenders import contender
    from generator.measure.evaluation.drafting import DRAFTS, Asked, compare_drafting
    from generator.measure.evaluation.held_out import HeldOut, read_held_out
    from generator.measure.evaluation.ipquiz import questions_of
    from generator.measure.evaluation.multiple_choice import answer
    from generator.measure.evaluation.same_texts import compare_reading
    from generator.measure.evaluation.score_cache import plain

    if twice := [name for place, name in enumerate(models) if name in models[:place]]:
        raise ConfigError(f"{twice[0]}: named twice", hint="Name each model once.")
    if task != DRAFTING and (known or drafts):
        raise ConfigError("--known and --drafts are for drafts", hint=f"Give --task {DRAFTING} too, or leave them out.")
    out = out or publication.output / "evaluations"
    given = read_held_out(file) if task in (DRAFTING, READING) else questions_of(file, task)
    # All models are found before hours of work with the first.
    found = [contender(name, publication.root, number_format or "fp32") for name in models]
    if isinstance(given, HeldOut) and task == READING:
        result = compare_reading(found, given, items, file.name, out, threads, publication.report)
    elif isinstance(given, HeldOut):
        asked = Asked(file.name, items, drafts or DRAFTS, tuple(known), number_format or "auto", threads)
        result = compare_drafting(publication, found, given, asked, out)
    else:
        result = answer(found, given, items, task, file.name, out, threads, publication.report)
    path = out / f"{plain(file.stem)}-{result.sha256[:8]}"
    data = json.dumps(result.figures, indent=1, ensure_ascii=False).encode()
    files.write(path.with_name(f"{path.name}.json"), data)
    files.write(path.with_name(f"{path.name}.md"), "\n".join((*result.lines, "")).encode())
    told = f"evaluate: the table is in {path}.md and {path}.json"
    return Outcome((*result.lines, told), result.figures, ok=True if result.able else None)
