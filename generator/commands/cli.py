"""The command `prior-art`. Progress goes to stderr, results to stdout. Exit codes: 0 yes, 1 no, 2 could not check.

Options are read here and nowhere else; each body is one call, and imports its stage when it runs.
"""

import io
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator import __version__
from generator.base.errors import PressError
from generator.base.settings import KEY_VARIABLE
from generator.commands.beginning import init as init
from generator.commands.command import SPEECH, command, fail, report
from generator.commands.helping import bulk as bulk
from generator.commands.helping import contribute as contribute
from generator.commands.judging import commands
from generator.commands.options import FILE, FOLDER, with_destination, with_drafting, with_key, with_port
from generator.commands.training import train

EXTRAS = {
    **dict.fromkeys(("numpy", "tantivy", "zstandard"), "judge"),
    **dict.fromkeys(("accelerate", "datasets", "matplotlib", "peft", "scipy", "sklearn", "trl"), "train"),
}

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

commands.add_command(train)


@command("prior-art demo --count 20 --no-serve", home="demo", new=True)
@click.option("--count", type=click.IntRange(1, 5000), default=20, show_default=True, help="Disclosures to publish.")
@click.option("--serve/--no-serve", default=True, help="Serve the site at the end.")
@click.option(
    "--profile",
    type=click.Choice(["scribe", "starter"]),
    help="Who writes in a new folder.  [default: scribe where its weights can be had, else starter]",
)
@with_port
def demo(publication: "Publication", **choice: Any) -> "Outcome":
    """The whole road on a small model, in a folder of its own; the same command goes on after Ctrl-C."""
    from generator.commands.demo import demo

    return demo(publication, **choice)


@commands.group()
def topics() -> None:
    """What drafts are to be about."""


@command("prior-art topics suggest --count 200 --within B62 --out topics.tsv", group=topics, name="suggest", new=True)
@click.option("--count", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Combinations to draw.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the draw.")
@click.option("--within", multiple=True, help="Section, class or subclass of the CPC that one of the two lies in.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    type=click.Choice(["known-elements", "substitution", "known-technique"]),
    help="Only by this rule.  [default: all three]",
)
@click.option("--out", type=FILE, help="File to write.  [default: standard output]")
def suggest_topics(publication: "Publication", **choice: Any) -> "Outcome":
    """Draw topics that combine two groups of the CPC by a rule of obviousness, none that is published already."""
    from generator.commands.topics import suggest

    return suggest(publication, **choice)


@command("prior-art generate --profile starter --count 20")
@with_drafting
@click.option(
    "--tonight", is_flag=True, help="Take this night's own seed (UTC): a second run finds the first one's work."
)
@click.option("--shard", default="", metavar="I/N", help="Only part I of N of the drafts, for `merge`; with --drafts.")
def generate(publication: "Publication", **choice: Any) -> "Outcome":
    """Write drafts, check them, and put the accepted ones into the queue. The same command goes on after Ctrl-C."""
    from generator.commands.generate import generate

    return generate(publication, **choice)


@command("prior-art append --key press.key")
@with_key
def append(publication: "Publication", key_file: Path | None) -> "Outcome":
    """Bring the queue into the log: serial numbers, proofs, a signed checkpoint."""
    from generator.commands.nightly import append

    return append(publication, key_file)


@command("prior-art stamp")
def stamp(publication: "Publication") -> "Outcome":
    """Have others say that the newest checkpoint exists: authorities and calendars in the settings."""
    from generator.commands.anchoring import stamp

    return stamp(publication)


@command("prior-art build")
def build(publication: "Publication") -> "Outcome":
    """Build the site from the facts: pages, search index, feeds, catalogue."""
    from generator.commands.fetching import fetched
    from generator.commands.nightly import build

    return build(fetched(publication))


@command("prior-art check")
def check(publication: "Publication") -> "Outcome":
    """Check the whole output: facts verify, pages are the records, dates agree, no link is broken."""
    from generator.commands.fetching import fetched
    from generator.commands.nightly import check

    return check(fetched(publication))


@command("prior-art publish --to git:git@example.org:owner/site.git --key press.key")
@with_destination
@click.option("--begin", is_flag=True, help="Only fix the publication time; build and deploy by other means.")
@click.option("--confirm", default="", metavar="URL", help="Only read back what was deployed, and write the receipt.")
@click.option("--wait", type=click.IntRange(min=0), default=0, help="Seconds that --confirm goes on asking.")
@click.option("--summary", type=FILE, help="File to add a list of what was read back to, in Markdown.")
@with_key
def publish(publication: "Publication", **choice: Any) -> "Outcome":
    """Date what is not yet public, build, check, deploy, and read it back."""
    from generator.commands.nightly import publish

    return publish(publication, **choice)


@command("prior-art nightly --count 100 --to git:git@example.org:owner/site.git --key press.key")
@with_drafting
@with_destination
@click.option("--done", is_flag=True, help="Only say whether tonight's run is done (exit code 0) or not (1).")
@with_key
def nightly(publication: "Publication", **choice: Any) -> "Outcome":
    """Generate, append, build, check and publish, in order; each step finds what is done already."""
    from generator.commands.nightly import nightly

    return nightly(publication, **choice)


@command("prior-art verify 123 --vkey 'example.org/log+8a1b2c3d+AX...'")
@click.argument("target", metavar="FILE|SERIAL|FOLDER|URL")
@click.option("--vkey", help="The publisher's verification key.  [default: the setting `vkey`]")
@click.option("--old", type=FILE, help="A checkpoint saved earlier, which the log must still contain.")
@click.option(
    "--memory/--no-memory", default=True, help="Compare with the newest checkpoint seen of this log.  [default: yes]"
)
@click.option("--trust", type=FILE, multiple=True, help="Root certificate (PEM) of an authority; more than once.")
@click.option("--observer", "observers", multiple=True, help="Key of an observer that you trust; more than once.")
@click.option("--witness", "witnesses", multiple=True, help="Key of a witness that you trust; more than once.")
@click.option("--regenerate", is_flag=True, help="Then write each text again with its model, and compare.")
@click.option("--profile", help="A model profile to try first: a name or a TOML file.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads for it.  [default: all]")
def verify(publication: "Publication", target: str, **choice: Any) -> "Outcome":
    """Verify a saved page, record or evidence pack, a serial number, a folder or an address, trusting no publisher."""
    from generator.commands.verify import verify

    return verify(publication, target, **choice)


@command("prior-art observe https://example.org/ --vkey 'example.org/log+8a1b2c3d+AX...' --key observer.key")
@click.argument("url", metavar="URL")
@click.option("--vkey", help="The publisher's verification key.  [default: the setting `vkey`]")
@click.option("--state", type=FOLDER, default=Path("observed"), help="Your own folder.  [default: observed]")
@click.option("--key", "key_file", type=FILE, required=True, help="File with your key; made where there is none.")
@click.option("--name", default="", help="Name for a new key, such as example.net/observer.")
def observe(publication: "Publication", url: str, **choice: Any) -> "Outcome":
    """Look at a publication from outside: fetch what is new, check it against the log, and cosign what was public."""
    from generator.commands.observe import observe

    return observe(publication, url, **choice)


@command("prior-art evidence 123")
@click.argument("number", metavar="SERIAL")
@click.option("--to", type=FILE, help="File to write.  [default: <number>.evidence.zip here]")
def evidence(publication: "Publication", number: str, to: Path | None) -> "Outcome":
    """Write one zip that proves a disclosure and its times offline, with the program or without it."""
    from generator.commands.evidence import evidence

    return evidence(publication, number, to)


@command("prior-art withdraw 123 --reason privacy --notice notice.pdf")
@click.argument("number", metavar="SERIAL")
@click.option(
    "--reason", type=click.Choice(["privacy", "copyright", "safety", "court", "error"]), required=True, help="Why."
)
@click.option("--notice", type=FILE, required=True, help="What asked for it; the log takes its SHA-256, and no more.")
@click.option("--purge", is_flag=True, help="Also take the text out of the history of the branches, with force.")
@with_key
def withdraw(publication: "Publication", number: str, **choice: Any) -> "Outcome":
    """Serve the text of a disclosure no longer; its number, hash, dates and proof stay, and its page says why."""
    from generator.commands.withdraw import withdraw

    return withdraw(publication, number, **choice)


@command("prior-art serve --port 8000")
@with_port
def serve(publication: "Publication", port: int) -> "Outcome":
    """Show the built site on this machine."""
    from generator.commands.fetching import behind, fetched
    from generator.commands.serve import serve

    behind(fetched(publication))
    return serve(publication, port)


@command("prior-art sync")
def sync(publication: "Publication") -> "Outcome":
    """Fetch the newest facts from the branch that the settings name."""
    from generator.commands.fetching import sync

    return sync(publication)


@commands.group()
def key() -> None:
    """Make a signing key, or show the verification key of one."""


@command("prior-art key new ~/press.key", group=key, new=True)
@click.argument("path", metavar="FILE", type=FILE)
def new(publication: "Publication", path: Path) -> "Outcome":
    """Write a new signing key to FILE and print its verification key."""
    from generator.commands.keys import new_key

    return new_key(publication, path)


@command("prior-art key show --key ~/press.key", group=key, name="show")
@with_key
def show_key(publication: "Publication", key_file: Path | None) -> "Outcome":
    """Print the verification key of a signing key, once it is known to fit the log."""
    from generator.commands.keys import show_key

    return show_key(publication, key_file)


@command("prior-art version")
def version(_: "Publication") -> "Outcome":
    """Print the version of this program."""
    from generator.base.publication import Outcome

    return Outcome((__version__,), {"version": __version__})


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    words = sys.argv[1:] if arguments is None else arguments
    SPEECH.level = 1
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A code page of Windows lacks letters that names and texts have; a crash there would read as "no".
        sys.stdout.reconfigure(errors="backslashreplace")
    # Taken out of the environment, so that no program started from here (mkdocs, pagefind, git) sees the key.
    secret = os.environ.pop(KEY_VARIABLE, "")
    as_json = "--json" in words
    try:
        # Help and version, which click itself prints, come back as a number.
        sys.exit(commands.main(words, prog_name="prior-art", standalone_mode=False, obj=secret) or 0)
    except PressError as error:
        fail(str(error), error.hint, as_json)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        hint = "Run: pip install 'prior-art-press[{}]'. To write drafts as well: 'prior-art-press[model]'."
        said = f"the package {error.name} is not installed, which this command needs"
        fail(said, hint.format(EXTRAS[error.name]), as_json)
        sys.exit(2)
    except click.ClickException as error:
        if as_json:
            asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "prior-art"
            fail(error.format_message(), f"Try: {asked} --help", as_json)
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        report(f"\nInterrupted. What was finished is kept. To go on: {shlex.join(['prior-art', *words])}")
        sys.exit(130)
