"""The commands with which a publication begins: init, doctor, config, docs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.command import command, commands
from generator.commands.options import FILE, FOLDER, with_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.base.publication import Outcome, Publication


@command("prior-art init my-claims --title 'Open Claims' --address https://example.org/claims/ --host own", new=True)
@click.argument("folder", type=FOLDER, required=False)
@click.option("--title", default="", help="Title of the publication, on every page.")
@click.option("--publisher", default="", help="The publishing body.  [default: the title]")
@click.option("--address", default="", help="Public address of the site; it never changes.")
@click.option("--prefix", default="", help="Two to eight capital letters before a number.  [default: of the title]")
@click.option("--profile", default="", help="Model that writes.  [default: that of the settings]")
@click.option("--fields", default="", help="CPC subclasses to cover, by commas.  [default: the model chooses]")
@click.option("--host", default="", help="github, gitlab or own.  [default: by the address]")
@click.option("--program", default="", help="OWNER/NAME@COMMIT of this program.  [default: what pip installed]")
@click.option("--remote", default="", help="Git remote that keeps the facts, for the host `own`.")
@click.option("--to", default="", help="Where the site goes: git:REMOTE, folder:PATH or run:COMMAND.")
@click.option("--key", "key_file", type=FILE, help="File for the signing key.  [default: in the user's configuration]")
@click.option("--trial", is_flag=True, help="To try it: the address may be local, and pages say: a demonstration.")
def init(publication: "Publication", folder: Path | None, key_file: Path | None, **said: Any) -> "Outcome":
    """Make the folder of a new publication: settings, workflow, README, signing key; asks for what was not given."""
    import secrets
    import sys
    from dataclasses import replace

    from generator.commands.answers import Answers
    from generator.commands.init import init

    ask = _ask if sys.stdin.isatty() else None
    made = replace(publication, root=folder) if folder else publication
    return init(made, Answers(**said), ask, key_file, secrets.token_bytes(32))


def _ask(question: str, proposal: str, check: "Callable[[str], str]") -> str:
    """An answer that `check` takes; a wrong one is told, and asked for again."""
    from generator.base.errors import ConfigError

    while True:
        given = click.prompt(question, default=proposal, show_default=bool(proposal), err=True)
        try:
            return check(given.strip())
        except ConfigError as error:
            click.echo(f"  {error}", err=True)


@command("prior-art doctor --key press.key")
@with_key
def doctor(publication: "Publication", key_file: Path | None) -> "Outcome":
    """Look at settings, key, address, branch, machine and clock, and say what a night will make of them."""
    from generator.commands.doctor import doctor

    return doctor(publication, key_file)


@commands.group()
def config() -> None:
    """Show the effective settings, or their JSON schema."""


@command("prior-art config show", group=config, name="show")
@click.argument("setting", required=False)
def show_config(publication: "Publication", setting: str | None) -> "Outcome":
    """Print every effective setting and where it comes from, or the value of one."""
    from generator.commands.settings_docs import show

    return show(publication, setting)


@command("prior-art config schema", group=config, name="schema")
def show_schema(publication: "Publication") -> "Outcome":
    """Print a JSON schema of prior-art.toml, for editors."""
    from generator.commands.settings_docs import show_schema

    return show_schema(publication)


@command("prior-art docs settings")
@click.argument("name", required=False)
def docs(publication: "Publication", **choice: Any) -> "Outcome":
    """Print a document of this program, or list them."""
    from generator.commands.settings_docs import docs

    return docs(publication, **choice)
