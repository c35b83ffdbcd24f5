"""The commands of training: one for each of the four stages, all of them in order, and the model's card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.command import command
from generator.commands.options import FILE, FOLDER, several

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

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


@command("prior-art train data run/ --recipe starter --input patents.jsonl.zst", group=train, new=True)
@with_run
@with_data
def data(publication: "Publication", **choice: Any) -> "Outcome":
    """Stage 1: clean texts, without duplicates, split by patent family; and a tokenizer."""
    from generator.train.commands import data

    return data(publication, **choice)


@command("prior-art train pretrain run/", group=train, new=True)
@with_run
@with_machine
def pretrain(publication: "Publication", **choice: Any) -> "Outcome":
    """Stage 2: broad patent text, then all formats in balance."""
    from generator.train.commands import pretrain

    return pretrain(publication, **choice)


@command("prior-art train finetune run/", group=train, new=True)
@with_run
@with_machine
def finetune(publication: "Publication", **choice: Any) -> "Outcome":
    """Stage 3: whole patents, top-down and bottom-up, as one task."""
    from generator.train.commands import finetune

    return finetune(publication, **choice)


@command("prior-art train prefer run/", group=train, new=True)
@with_run
@with_machine
def prefer(publication: "Publication", **choice: Any) -> "Outcome":
    """Stage 4: pairs of a better and a worse text, by the gates; writes the model."""
    from generator.train.commands import prefer

    return prefer(publication, **choice)


@command("prior-art train all run/ --recipe starter --input patents.jsonl.zst", group=train, name="all", new=True)
@with_run
@with_data
@with_machine
def every(publication: "Publication", **choice: Any) -> "Outcome":
    """All stages in order; what is finished is not done again."""
    from generator.train.commands import every

    return every(publication, **choice)


@command("prior-art train card run/model --drafting figures.json", group=train, new=True)
@click.argument("model", type=FOLDER)
@click.option("--drafting", type=FILE, help="Figures of `evaluate --task drafting`.")
@click.option("--questions", type=FILE, multiple=True, help="Figures of questions by `evaluate`; again for more.")
def card(publication: "Publication", **choice: Any) -> "Outcome":
    """Write the card of a trained model anew, with what was measured of it since."""
    from generator.train.commands import card

    return card(publication, **choice)
