"""The commands of training: one for each of the four stages, all of them in order, and the model's card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.options import FILE, FOLDER, several
from generator.stage import stage

if TYPE_CHECKING:
    from generator.press import Outcome, Press

PATHS = click.Path(path_type=Path)
with_run = click.argument("run", type=FOLDER)
with_data = several(
    click.option("--recipe", default="starter", show_default=True, help="A built-in recipe, or a TOML file."),
    click.option(
        "--input",
        "inputs",
        type=PATHS,
        multiple=True,
        required=True,
        help="A file or folder of patents; again for more.",
    ),
)
with_machine = several(
    click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads.  [default: all]"),
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where to train; auto: on a GPU where there is one.",
    ),
    click.option(
        "--every", type=click.FloatRange(min=0), default=180.0, show_default=True, help="Seconds between checkpoints."
    ),
)


@click.group()
def train() -> None:
    """Train a model in four stages, each from files to files in the folder RUN; each goes on after Ctrl-C."""


@stage("prior-art train data run/ --recipe starter --input patents.jsonl.zst", group=train, new=True)
@with_run
@with_data
def data(press: "Press", **choice: Any) -> "Outcome":
    """Stage 1: clean texts, without duplicates, split by patent family; and a tokenizer."""
    from generator.training.commands import data

    return data(press, **choice)


@stage("prior-art train pretrain run/", group=train, new=True)
@with_run
@with_machine
def pretrain(press: "Press", **choice: Any) -> "Outcome":
    """Stage 2: broad patent text, then all formats in balance."""
    from generator.training.commands import pretrain

    return pretrain(press, **choice)


@stage("prior-art train finetune run/", group=train, new=True)
@with_run
@with_machine
def finetune(press: "Press", **choice: Any) -> "Outcome":
    """Stage 3: whole patents, top-down and bottom-up, as one task."""
    from generator.training.commands import finetune

    return finetune(press, **choice)


@stage("prior-art train prefer run/", group=train, new=True)
@with_run
@with_machine
def prefer(press: "Press", **choice: Any) -> "Outcome":
    """Stage 4: pairs of a better and a worse text, by the gates; writes the model."""
    from generator.training.commands import prefer

    return prefer(press, **choice)


@stage("prior-art train all run/ --recipe starter --input patents.jsonl.zst", group=train, name="all", new=True)
@with_run
@with_data
@with_machine
def every(press: "Press", **choice: Any) -> "Outcome":
    """All stages in order; what is finished is not done again."""
    from generator.training.commands import every

    return every(press, **choice)


@stage("prior-art train card run/model --drafting figures.json", group=train, new=True)
@click.argument("model", type=FOLDER)
@click.option("--drafting", type=FILE, help="Figures of `evaluate --task drafting`.")
@click.option("--questions", type=FILE, multiple=True, help="Figures of questions by `evaluate`; again for more.")
def card(press: "Press", **choice: Any) -> "Outcome":
    """Write the card of a trained model anew, with what was measured of it since."""
    from generator.training.commands import card

    return card(press, **choice)
