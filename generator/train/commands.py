"""`prior-art train`: what its commands do with the folder of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ModelError
from generator.train.recipe import read_recipe, recipe_path
from generator.train.run import Run, begin_run, open_run

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

PACKAGES = ("accelerate", "datasets", "peft", "torch", "transformers", "trl")


def data(publication: "Publication", run: Path, recipe: str, inputs: Sequence[Path]) -> "Outcome":
    """Stage 1. Raises PressError."""
    from generator.base.publication import Outcome
    from generator.train.preparing import prepare

    _packages()
    begun = begin_run(run, recipe_path(recipe, publication.root), publication.report)
    manifest = prepare(begun, inputs)
    train, kept_out = (manifest[part]["full"] for part in ("train", "held-out"))
    line = f"{run / 'data'}: {train} whole patents to train on, {kept_out} held out, of {manifest['families']} families"
    return Outcome((line,), manifest)


def pretrain(publication: "Publication", run: Path, **machine: Any) -> "Outcome":
    """Stage 2, both phases."""
    from generator.base.publication import Outcome
    from generator.train.stages import pretrain as stage

    facts = stage(_opened(publication, run, machine))
    lines = tuple(map(_line, facts)) or (f"{run / 'recipe.toml'}: no phase of pre-training; fine-tuning comes next",)
    return Outcome(lines, {"stages": facts})


def finetune(publication: "Publication", run: Path, **machine: Any) -> "Outcome":
    """Stage 3, and the model's folder where the recipe has no stage 4."""
    from generator.base.publication import Outcome
    from generator.train.stages import finetune as stage

    opened = _opened(publication, run, machine)
    facts = stage(opened)
    if opened.recipe.prefer is None:
        return _finished(publication, opened, "finetune")
    return Outcome((_line(facts),), facts)


def prefer(publication: "Publication", run: Path, **machine: Any) -> "Outcome":
    """Stage 4, and the model's folder."""
    from generator.train.preferences import prefer as stage

    opened = _opened(publication, run, machine)
    stage(opened)
    return _finished(publication, opened, "prefer")


def every(publication: "Publication", run: Path, recipe: str, inputs: Sequence[Path], **machine: Any) -> "Outcome":
    """All stages, those that are finished left out."""
    data(publication, run, recipe, inputs)
    pretrain(publication, run, **machine)
    done = finetune(publication, run, **machine)
    return prefer(publication, run, **machine) if read_recipe(run / "recipe.toml").prefer else done


def card(publication: "Publication", model: Path, drafting: Path | None, questions: Sequence[Path]) -> "Outcome":
    """Keep figures that `prior-art evaluate` wrote beside a model, and write its card anew. Raises PressError."""
    from generator.base.publication import Outcome
    from generator.train.measured import write_card

    path = write_card(model, drafting, questions)
    publication.report(f"train card: written from {model / 'training.json'} and what was measured")
    return Outcome((str(path),), {"card": str(path)})


def _opened(publication: "Publication", run: Path, machine: dict[str, Any]) -> Run:
    _packages()
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return open_run(run, publication.report, **machine)


def _finished(publication: "Publication", run: Run, last: str) -> "Outcome":
    from generator.base.publication import Outcome
    from generator.train.finishing import finish

    facts = finish(run, last, publication.now()[:10])
    losses = ", ".join(f"{layout} {loss}" for layout, loss in facts["held_out_loss"].items())
    line = f"{run.folder / 'model'}: {facts['parameters']} parameters; held-out loss in nats a token: {losses}"
    return Outcome((line,), facts)


def _line(facts: dict[str, Any]) -> str:
    return f"{facts['name']}: {facts['tokens']} tokens in {facts['steps']} steps, {facts['seconds'] / 60:.0f} min"


def _packages() -> None:
    from importlib.util import find_spec

    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ModelError(
            f"training needs {', '.join(missing)}", hint="Install what is missing: pip install 'prior-art-press[train]'"
        )
