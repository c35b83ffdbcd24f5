"""The commands that judge and describe: thresholds and controls, what runs came to, the corpus, the reviews."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.command import command, commands
from generator.commands.options import FILE, FOLDER, with_engine

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

__all__ = ["commands"]  # with these and all others in it

PATHS = click.Path(path_type=Path)


def _several(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Values between commas; none for no text, which is the default."""
    found = tuple(part.strip() for part in (text or "").split(","))
    if text is not None and not all(found):
        raise click.BadParameter(f"{text!r}: values with commas between are expected, such as 0.8,1.", param=parameter)
    return found if text is not None else ()


@command("prior-art calibrate patents.jsonl.zst --out calibration.json", new=True)
@click.argument("corpus", type=PATHS)
@click.option("--out", type=FILE, help="File to write.  [default: calibration.json in the publication's folder]")
@click.option("--sense", type=FILE, help="Fit the sense gate instead, with the model of the setting `reader`.")
def calibrate(publication: "Publication", **choice: Any) -> "Outcome":
    """Take the thresholds of gate G2 from real patents; the setting `calibration` then names the file."""
    from generator.commands.gates import calibrate

    return calibrate(publication, **choice)


@command("prior-art selftest")
@click.option("--corpus", type=PATHS, help="Real patents to make the controls of.  [default: those in the package]")
@click.option("--size", type=click.IntRange(10, 5000), default=300, show_default=True, help="Most texts of each kind.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the draw.")
def selftest(publication: "Publication", **choice: Any) -> "Outcome":
    """Send real patents, chimeras, nonsense and copies through the very same gates, and show how many pass."""
    from generator.commands.gates import selftest

    return selftest(publication, **choice)


@command("prior-art describe --profile scribe")
@click.option("--profile", help="Model profile: a name or a TOML file.  [default: the setting `profile`]")
@with_engine
def describe(publication: "Publication", **choice: Any) -> "Outcome":
    """Have the model write descriptions for what it wrote and what waits in the queue; those that pass are kept."""
    from generator.commands.describe import describe

    return describe(publication, **choice)


@command("prior-art judge texts.jsonl", new=True)
@click.argument("file", type=FILE)
def judge(publication: "Publication", file: Path) -> "Outcome":
    """Send texts of your own through all gates: JSON lines with title, abstract and claims, or a draft in a layout."""
    from generator.commands.judge_texts import judge

    return judge(publication, file)


@command("prior-art report --watts 8 --price-per-kwh 0.30 --currency EUR")
@click.option("--watts", help="Power of one busy core, where none was measured.  [default: the setting `watts`]")
@click.option("--price-per-cpu-hour", help="Price of an hour of one core.  [default: the setting]")
@click.option("--price-per-kwh", help="Price of a kilowatt-hour.  [default: the setting]")
@click.option("--currency", help="Three letters after the prices.  [default: the setting]")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the samples.")
def report(publication: "Publication", **choice: Any) -> "Outcome":
    """Write report.json: how many drafts passed which gate, what an accepted disclosure costs, how diverse they are."""
    from generator.commands.fetching import fetched
    from generator.measure.report import report

    return report(fetched(publication), **choice)


@command("prior-art tune --profile starter --drafts 2000 --write starter-tuned.toml")
@click.option("--profile", help="Model profile: a name or a TOML file.  [default: the setting `profile`]")
@click.option("--drafts", type=click.IntRange(min=10), help="Budget: so many drafts.")
@click.option("--minutes", type=click.IntRange(min=1), help="Budget: so much time.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of all drafts.")
@click.option("--write", type=FILE, help="Profile to write the winner to, when it beats the default.")
@click.option("--temperatures", callback=_several, help="Values to try, by commas.  [default: 0.7,0.85,1,1.15]")
@click.option("--top-ps", callback=_several, help="Values to try.  [default: 1,0.95]")
@click.option("--min-ps", callback=_several, help="Values to try.  [default: 0,0.05]")
@click.option("--shares", callback=_several, help="Shares of top-down drafts to try.  [default: 0,1]")
@with_engine
def tune(publication: "Publication", **choice: Any) -> "Outcome":
    """Search sampling settings for the most distinct accepted disclosures per CPU-hour; it goes on after Ctrl-C."""
    from generator.measure.tune.tune import tune

    return tune(publication, **{name: value for name, value in choice.items() if value != ()})


@command("prior-art classifier patents/")
@click.argument("data", type=FOLDER)
@click.option("--out", "folder", type=FOLDER, help="Folder to write to.  [default: nowhere, only measure]")
def classifier(publication: "Publication", **choice: Any) -> "Outcome":
    """Train the classifier of CPC symbols on labelled patents, and measure it on a third that it has not seen."""
    from generator.train.classifier import train_classifier

    return train_classifier(publication, **choice)


@command("prior-art evaluate starter ./my-model --file PatentMatch_en.jsonl", new=True)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--file", type=PATHS, required=True, help="Questions, or known patents: docs/evaluation.md.")
@click.option(
    "--task",
    type=click.Choice(["patentmatch", "ipquiz", "multiple-choice", "reading", "drafting"]),
    default="patentmatch",
    show_default=True,
    help="Form of the questions: MoZIP's two, or question, options, answer. Or: read patents; read and write.",
)
@click.option("--items", type=click.IntRange(min=1), help="Only the first questions or patents.  [default: all]")
@click.option("--drafts", type=click.IntRange(min=1), help="Drafts of each direction, for drafting.  [default: 100]")
@click.option("--known", type=PATHS, multiple=True, help="A file of training data, for what drafts repeat of it.")
@click.option("--out", type=FOLDER, help="Folder for table and scores.  [default: evaluations in the output folder]")
@click.option(
    "--format",
    "number_format",
    type=click.Choice(["fp32", "bf16"]),
    help="Numbers that the model computes in.  [default: fp32; of drafts what a run would take]",
)
@click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads.  [default: all]")
def evaluate(publication: "Publication", **choice: Any) -> "Outcome":
    """Measure models by multiple-choice questions or by drafting, in one table; it goes on after a kill."""
    from generator.measure.evaluation.command import evaluate

    return evaluate(publication, **choice)


@command("prior-art export-task PatentMatch_en.jsonl --out tasks/", name="export-task", new=True)
@click.argument("file", type=FILE)
@click.option(
    "--task",
    type=click.Choice(["patentmatch", "ipquiz", "multiple-choice"]),
    default="patentmatch",
    show_default=True,
    help="Form of the questions, as for `evaluate`.",
)
@click.option("--out", type=FOLDER, help="Folder to write to.  [default: evaluations/harness in the output folder]")
def export_task(publication: "Publication", **choice: Any) -> "Outcome":
    """Write multiple-choice questions as a task of lm-evaluation-harness."""
    from generator.measure.evaluation.harness import export_task

    return export_task(publication, **choice)


@commands.group()
def corpus() -> None:
    """Build and describe the reference corpus, by which gates G3 and G4 judge."""


with_corpus = click.option(
    "--corpus", "folder", type=FOLDER, help="Folder of the corpus.  [default: the setting `corpus`]"
)


@command("prior-art corpus add ipg231226.xml patents.jsonl.zst --corpus known/", group=corpus, new=True)
@click.argument("paths", metavar="FILE...", type=PATHS, nargs=-1, required=True)
@with_corpus
@click.option("--name", default="", help="Name of the corpus, on every page that it judged.")
def add(publication: "Publication", **choice: Any) -> "Outcome":
    """Add patents from files (JSON lines, USPTO XML and text, published volumes); it goes on after a kill."""
    from generator.commands.corpus import add

    return add(publication, **choice)


@command("prior-art corpus show --check", group=corpus, name="show")
@with_corpus
@click.option("--check", is_flag=True, help="Also compare every byte with its digest.")
def show_corpus(publication: "Publication", **choice: Any) -> "Outcome":
    """Show what a corpus holds, and what could not be read into it."""
    from generator.commands.corpus import show

    return show(publication, **choice)


@commands.group()
def review() -> None:
    """Have people judge a blind sample, and raise the review of a disclosure."""


@command("prior-art review make --out review/", group=review)
@click.option("--out", type=FOLDER, required=True, help="Folder for the forms and their keys.")
@click.option("--real", type=PATHS, multiple=True, help="Real patents to mix in.  [default: those in the package]")
@click.option("--sample", type=click.IntRange(1, 1000), default=16, show_default=True, help="Disclosures in a draw.")
@click.option("--draws", type=click.IntRange(1, 20), default=3, show_default=True, help="Forms, which share no text.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of the draw.  [default: drawn by chance]")
def make(publication: "Publication", **choice: Any) -> "Outcome":
    """Draw disclosures, drafts of starter 2 and real patents into offline forms; the keys stay with the organiser."""
    from generator.commands.review import make

    return make(publication, **choice)


@command("prior-art review score review/*/key.json alice*.json bob*.json", group=review)
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@click.option("--by", default="", help="Who rated, for the Quality page: keeps the ratings, without names.")
def score(publication: "Publication", **choice: Any) -> "Outcome":
    """Means with intervals from keys and two raters' answers to each form, and how far they agree (Cohen's kappa)."""
    from generator.commands.review import score

    return score(publication, **choice)


@command("prior-art review sample --count 10 --seed 1", group=review)
@click.option("--count", type=click.IntRange(min=1), default=10, show_default=True, help="Disclosures at most.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), required=True, help="Seed of the draw.")
def sample(publication: "Publication", **choice: Any) -> "Outcome":
    """Print published disclosures whole, drawn by a seed and chosen by nobody."""
    from generator.commands.drawn import sample

    return sample(publication, **choice)


@command('prior-art review raise 123 --by "J. Doe, mechanical engineer"', group=review, name="raise")
@click.argument("serial")
@click.option("--by", required=True, help="Who reviewed it, as the page will say.")
def raise_review(publication: "Publication", **choice: Any) -> "Outcome":
    """Publish a disclosure anew with who reviewed it; the log says that it supersedes the old one, and both stay."""
    from generator.commands.review import raise_review

    return raise_review(publication, **choice)
