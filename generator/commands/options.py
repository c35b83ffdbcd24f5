"""Options that several commands have, and the forms of their values."""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from generator.base.settings import KEY_VARIABLE

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
Body = Callable[..., Any]


def several(*chosen: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Several options as one decorator, in the order in which the help shows them."""
    return lambda body: functools.reduce(lambda inner, option: option(inner), reversed(chosen), body)


def _bytes(_: click.Context, parameter: click.Parameter, text: str) -> int:
    """Bytes, from a number with its unit; 0 for no text."""
    parts = re.fullmatch(rf"([0-9]{{1,6}}(?:\.[0-9]{{1,3}})?) ?({'|'.join(UNITS)})", text)
    size = int(Decimal(parts[1]) * UNITS[parts[2]]) if parts else 0
    if text and not size:
        units = ", ".join(UNITS)
        raise click.BadParameter(f"{text!r}: a number and one of {units} are expected, such as 4GiB.", param=parameter)
    return size


with_key = click.option(
    "--key", "key_file", type=FILE, help=f"File with the signing key.  [default: the key in {KEY_VARIABLE}]"
)
with_port = click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to serve on."
)
with_destination = click.option(
    "--to", default="", help="git:REMOTE (its Pages branch), folder:PATH or run:COMMAND.  [default: the setting]"
)
with_engine = several(
    click.option(
        "--engine",
        type=click.Choice(["prior-art", "generate", "ray"]),
        default="prior-art",
        show_default=True,
        help="What runs the model: this program's own engine, transformers' generate(), or a Ray cluster.",
    ),
    click.option("--address", default="", help="Address of the Ray cluster.  [default: one on this machine]"),
    click.option("--batch", type=click.IntRange(min=0), default=0, help="Drafts at a time.  [default: as many as pay]"),
    click.option("--threads", type=click.IntRange(min=0), default=0, help="CPU threads.  [default: all]"),
    click.option(
        "--format",
        "number_format",
        type=click.Choice(["auto", "bf16", "int8", "fp32"]),
        default="auto",
        show_default=True,
        help="Numbers that weights are multiplied in.",
    ),
    click.option(
        "--cache",
        "cache_format",
        type=click.Choice(["auto", "int8"]),
        default="auto",
        show_default=True,
        help="Numbers that keys and values are kept in; auto: those of --format.",
    ),
    click.option(
        "--memory",
        metavar="SIZE",
        default="",
        callback=_bytes,
        help="Most memory, of each node.  [default: half of what is free]",
    ),
)
with_drafting = several(
    click.option("--profile", help="Model profile: a name or a TOML file.  [default: the setting `profile`]"),
    click.option(
        "--count",
        type=click.IntRange(min=1),
        help="End after so many accepted disclosures.  [default: the setting, else 20]",
    ),
    click.option(
        "--drafts", type=click.IntRange(min=1), help="End after so many drafts; of several ends, the first to come."
    ),
    click.option(
        "--minutes", type=click.IntRange(min=1), help="End after so much time; of several ends, the first to come."
    ),
    click.option(
        "--publish",
        type=click.IntRange(min=1),
        help="Keep only so many, the best by their scores; the others are counted and hashed.  [default: all]",
    ),
    click.option("--describe", is_flag=True, help="Then have descriptions written, as the command describe does."),
    click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Seed of the run.  [default: drawn by chance]"),
    click.option(
        "--topics", type=FILE, help="Topics, one a line: CPC symbols, tab, start of a title.  [default: the setting]"
    ),
    with_engine,
    click.option("--timings", is_flag=True, help="Show how the time was spent, phase by phase."),
)
