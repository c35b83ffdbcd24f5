"""Commands of those who help: contribute, accept, merge; and copies of a publication: bulk, fetch-bulk."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.commands.command import command
from generator.commands.options import FILE, FOLDER

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication


@command("prior-art contribute https://example.org/claims/ --name Ada --drafts 200", home="contribution", new=True)
@click.argument("where", metavar="URL|FILE")
@click.option("--name", default="anonymous", show_default=True, help="How records name you.")
@click.option("--drafts", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Drafts to write.")
@click.option("--minutes", type=click.IntRange(min=1), help="End after so much time, if that comes first.")
@click.option("--to", default="", help="git:REMOTE to send it to, a branch each.  [default: only the file]")
@click.option("--key", "key_file", type=FILE, help="File with your key, made where there is none.  [default: your own]")
@click.option("--profile", help="Your copy of the publication's model profile, where it is not built in.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads.  [default: all]")
@click.option(
    "--format",
    "number_format",
    type=click.Choice(["bf16", "int8", "fp32"]),
    default="fp32",
    show_default=True,
    help="Numbers that the model computes in; fp32 is what most CPUs can write again.",
)
def contribute(publication: "Publication", where: str, **choice: Any) -> "Outcome":
    """Write for somebody's publication on this machine, by its plan, and sign and send what passed the gates."""
    from generator.commands.contribute import contribute

    return contribute(publication, where, **choice)


@command("prior-art accept git:git@example.org:owner/claims.git")
@click.argument("sources", metavar="FILE|FOLDER|git:REMOTE...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Only say what would be taken; write nothing.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads.  [default: all]")
def accept(publication: "Publication", sources: tuple[str, ...], **choice: Any) -> "Outcome":
    """Judge contributions anew, write a sample again to the bit, and put what holds into the queue."""
    from generator.commands.accept import accept

    return accept(publication, sources, **choice)


@command("prior-art merge shards/")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
def merge(publication: "Publication", folders: tuple[Path, ...]) -> "Outcome":
    """Make one run of its finished shards, as if one machine had written it. The same command goes on after a kill."""
    from generator.commands.generate import merge

    return merge(publication, folders)


@command("prior-art bulk")
def bulk(publication: "Publication") -> "Outcome":
    """Write the whole publication as bulk files, which verify, into output/bulk."""
    from generator.commands.bulk import bulk

    return bulk(publication)


@command(
    "prior-art fetch-bulk https://example.org/bulk --vkey 'example.org/log+8a1b2c3d+AX...'", name="fetch-bulk", new=True
)
@click.argument("source", metavar="URL|FOLDER")
@click.option("--vkey", help="The publisher's verification key.  [default: the setting `vkey`]")
@click.option("--build/--no-build", default=True, help="Build the site of the mirror at the end.  [default: yes]")
def fetch_bulk(publication: "Publication", **choice: Any) -> "Outcome":
    """Make a mirror of bulk files: verify everything, restore records and log, build the pages."""
    from generator.commands.bulk import fetch_bulk

    return fetch_bulk(publication, **choice)
