"""What all commands share: the group that they stand in, --root and --json, and how an outcome is shown."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.base.errors import ConfigError
from generator.base.settings import load_settings
from generator.commands.options import FOLDER, Body

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

OLD_NAMES = {"sweep": "tune"}  # up to 0.6


def report(line: str) -> None:
    click.echo(line, err=True)


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
        @click.option("--root", type=FOLDER, default=Path(home), help=f"Folder of the publication.  [default: {home}]")
        @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
        @functools.wraps(body)
        def run(root: Path, as_json: bool, **options: Any) -> None:
            secret = click.get_current_context().find_root().obj or ""
            show(body(open_publication(root, secret, new), **options), as_json)

        epilog = f"\b\nExample:\n  {example}"
        return (group or commands).command(name or body.__name__, epilog=epilog)(run)

    return decorate


class Renamed(click.Group):
    """Commands also answer by the names of earlier versions, and say the new one."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if (new := OLD_NAMES.get(cmd_name)) is not None:
            report(f"`prior-art {cmd_name}` is called `prior-art {new}` now; the old name still answers.")
        return super().get_command(ctx, new or cmd_name)


@click.group(cls=Renamed, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def commands() -> None:
    """Write inventions with a small language model, check them, and publish each as verifiable prior art.

    Settings come from [tool.prior-art] in pyproject.toml or from prior-art.toml, then from PRIOR_ART_ variables,
    then from options (docs/settings.md).
    """
