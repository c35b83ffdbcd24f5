"""What all commands share: the group that they stand in, its options, --root and --json, how an outcome is shown."""

import functools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator import __version__
from generator.base.errors import ConfigError
from generator.base.settings import load_settings
from generator.commands.options import FOLDER, Body

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

OLD_NAMES = {"sweep": "tune"}  # up to 0.6
HELP = ["-h", "--help"]
SECTIONS = {
    "Begin": ("demo", "init", "doctor", "config", "docs", "topics", "key"),
    "Publish": (
        "nightly",
        "generate",
        "append",
        "stamp",
        "build",
        "check",
        "publish",
        "serve",
        "report",
        "sync",
        "bulk",
    ),
    "Correct": ("withdraw",),
    "Take part": ("contribute", "accept", "merge"),
    "Read and verify": ("verify", "observe", "evidence", "fetch-bulk", "version"),
    "Judge and measure": ("judge", "selftest", "calibrate", "corpus", "review", "evaluate", "export-task", "tune"),
    "Train": ("train", "classifier"),
}
OTHERS = "More"
_DOCUMENT = re.compile(r"docs/([a-z-]+)\.md")


@dataclass
class Speech:
    """How much is said on stderr: 0 errors alone, 1 progress, 2 with the seconds since the start."""

    level: int = 1
    started: float = 0.0


SPEECH = Speech(started=time.monotonic())


def report(line: str) -> None:
    """Progress: one line on stderr, none with --quiet."""
    if SPEECH.level > 1:
        line = f"{time.monotonic() - SPEECH.started:8.1f}s  {line}"
    if SPEECH.level:
        click.echo(line, err=True)


def readable(text: str) -> str:
    """Text that names documents by how a reader comes to them: the files are in the package, wherever it lies."""
    return _DOCUMENT.sub(r"`prior-art docs \1`", text)


def fail(message: str, hint: str, as_json: bool) -> None:
    """An error on stderr, with --quiet too, and as JSON on stdout where that was asked for."""
    message, hint = readable(message), readable(hint)
    if as_json:
        click.echo(json.dumps({"ok": False, "error": message, "hint": hint}, ensure_ascii=False))
    click.echo(f"Error: {message}" + (f"\nHint: {hint}" if hint else ""), err=True)


def show(outcome: "Outcome", as_json: bool) -> None:
    """Print what a command found and end with exit code 1 when the answer is no, 2 when there is none."""
    if as_json:
        click.echo(json.dumps({"ok": outcome.ok, **outcome.figures}, ensure_ascii=False))
    else:
        for line in outcome.lines:
            click.echo(line)
    if not outcome.ok:
        raise SystemExit(2 if outcome.ok is None else 1)


def open_publication(root: Path, secret: str, new: bool) -> "Publication":
    from generator.base.publication import Publication

    if not new and not root.is_dir():
        raise ConfigError(f"{root}: there is no such folder", hint="Name the publication's folder with --root.")
    return Publication(root, load_settings(root), report, secret)


def command(
    example: str, *, group: click.Group | None = None, name: str = "", home: str = ".", new: bool = False
) -> Callable[[Body], Any]:
    """A command with --root and --json. Its body gets a Publication and returns an Outcome.

    `new`: the folder need not exist.
    """

    def decorate(body: Body) -> Any:
        @click.option("--root", type=FOLDER, help=f"Folder of the publication.  [default: {home}]")
        @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
        @functools.wraps(body)
        def run(root: Path | None, as_json: bool, **options: Any) -> None:
            top = click.get_current_context().find_root()
            chosen = root or top.params.get("root") or Path(home)
            show(body(open_publication(chosen, top.obj or "", new), **options), as_json)

        epilog = f"\b\nExample:\n  {example}"
        return (group or commands).command(
            name or body.__name__, epilog=epilog, context_settings={"help_option_names": HELP}
        )(run)

    return decorate


class Renamed(click.Group):
    """Commands stand in sections, with whole sentences; they also answer by the names of earlier versions."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if (new := OLD_NAMES.get(cmd_name)) is not None:
            report(f"`prior-art {cmd_name}` is called `prior-art {new}` now; the old name still answers.")
        return super().get_command(ctx, new or cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        placed = {name for names in SECTIONS.values() for name in names}
        more = tuple(name for name in self.list_commands(ctx) if name not in placed)
        for section, names in {**SECTIONS, OTHERS: more}.items():
            rows = [(name, _sentence(self.commands[name])) for name in names if name in self.commands]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


def _sentence(command: click.Command) -> str:
    """The first sentence of a command's help."""
    return (command.help or "").strip().split("\n\n")[0].replace("\n", " ")


def _spoken(_: click.Context, parameter: click.Parameter, value: bool) -> bool:
    if value:
        SPEECH.level = 0 if parameter.name == "quiet" else 2
    return value


@click.group(
    cls=Renamed,
    context_settings={"help_option_names": HELP, "max_content_width": 100},
    epilog='\b\nTab completion, for bash (zsh and fish alike):\n  eval "$(_PRIOR_ART_COMPLETE=bash_source prior-art)"',
)
@click.option("--root", type=FOLDER, help="Folder of the publication, for every command.  [default: .]")
@click.option("-q", "--quiet", is_flag=True, callback=_spoken, expose_value=False, help="Say errors and results alone.")
@click.option("-v", "--verbose", is_flag=True, callback=_spoken, expose_value=False, help="Say when each line came.")
@click.version_option(__version__, "-V", "--version", message="%(version)s")
def commands(root: Path | None) -> None:
    """Write inventions with a small language model, check them, and publish each as verifiable prior art.

    Settings come from [tool.prior-art] in pyproject.toml or from prior-art.toml, then from PRIOR_ART_ variables,
    then from options (prior-art docs settings).
    """
