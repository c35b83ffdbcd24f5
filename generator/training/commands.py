"""`prior-art train`: what its commands do with the folder of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.errors import ModelError
from generator.training.recipe import read_recipe, recipe_path
from generator.training.run import Run, begin_run, open_run

if TYPE_CHECKING:
    from generator.press import Outcome, Press

PACKAGES = ("accelerate", "datasets", "peft", "torch", "transformers", "trl")


def data(press: "Press", run: Path, recipe: str, inputs: Sequence[Path]) -> "Outcome":
    """Stage 1. Raises PressError."""
    from generator.press import Outcome
    from generator.training.preparing import prepare

    _packages()
    begun = begin_run(run, recipe_path(recipe, press.root), press.report)
    manifest = prepare(begun, inputs)
    train, kept_out = (manifest[part]["full"] for part in ("train", "held-out"))
    line = f"{run / 'data'}: {train} whole patents to train on, {kept_out} held out, of {manifest['families']} families"
    return Outcome((line,), manifest)


def pretrain(press: "Press", run: Path, **machine: Any) -> "Outcome":
    """Stage 2, both phases."""
    from generator.press import Outcome
    from generator.training.stages import pretrain as stage

    facts = stage(_opened(press, run, machine))
    return Outcome(tuple(map(_line, facts)), {"stages": facts})


def finetune(press: "Press", run: Path, **machine: Any) -> "Outcome":
    """Stage 3, and the model's folder where the recipe has no stage 4."""
    from generator.press import Outcome
    from generator.training.stages import finetune as stage

    opened = _opened(press, run, machine)
    facts = stage(opened)
    if opened.recipe.prefer is None:
        return _finished(press, opened, "finetune")
    return Outcome((_line(facts),), facts)


def prefer(press: "Press", run: Path, **machine: Any) -> "Outcome":
    """Stage 4, and the model's folder."""
    from generator.training.preferences import prefer as stage

    opened = _opened(press, run, machine)
    stage(opened)
    return _finished(press, opened, "prefer")


def every(press: "Press", run: Path, recipe: str, inputs: Sequence[Path], **machine: Any) -> "Outcome":
    """All stages, those that are finished left out."""
    data(press, run, recipe, inputs)
    pretrain(press, run, **machine)
    done = finetune(press, run, **machine)
    return prefer(press, run, **machine) if read_recipe(run / "recipe.toml").prefer else done


def card(press: "Press", model: Path, drafting: Path | None, questions: Sequence[Path]) -> "Outcome":
    """Keep figures that `prior-art evaluate` wrote beside a model, and write its card anew. Raises PressError."""
    from generator.press import Outcome
    from generator.training.measured import write_card

    path = write_card(model, drafting, questions)
    press.report(f"train card: written from {model / 'training.json'} and what was measured")
    return Outcome((str(path),), {"card": str(path)})


def _opened(press: "Press", run: Path, machine: dict[str, Any]) -> Run:
    _packages()
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return open_run(run, press.report, **machine)


def _finished(press: "Press", run: Run, last: str) -> "Outcome":
    from generator.press import Outcome
    from generator.training.finishing import finish

    facts = finish(run, last, press.now()[:10])
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
