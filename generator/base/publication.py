"""One publication on this machine, as a command is given it, and what a command found."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generator.base.fetch import Reply, fetch, post
from generator.base.server_time import server_time
from generator.base.settings import Settings


def clock() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Publication:
    """Where everything is: `root` holds the settings' file, `secret` a signing key's text or nothing.

    `now` is the clock, `fetch` reads a URL (None: nothing is there), `server_time` asks the clock of a web server,
    `post` sends bytes to a URL, `wait` lets seconds pass.
    """

    root: Path
    settings: Settings
    report: Callable[[str], None]
    secret: str = field(default="", repr=False)
    now: Callable[[], str] = clock
    fetch: Callable[[str], bytes | None] = fetch
    server_time: Callable[[str], datetime | None] = server_time
    post: Callable[..., Reply] = post
    wait: Callable[[float], None] = time.sleep

    @property
    def output(self) -> Path:
        return self.root / self.settings.output

    @property
    def site(self) -> Path:
        return self.output / "site"

    @property
    def corpus(self) -> Path | None:
        """The folder of the reference corpus, where the settings name one."""
        return self.root / self.settings.corpus if self.settings.corpus else None

    @property
    def calibration(self) -> Path | None:
        """The calibration that the settings name; None: the shipped one."""
        return self.root / self.settings.calibration if self.settings.calibration else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lines for people, figures for machines; `ok` is the answer of commands that ask something, None: no answer."""

    lines: tuple[str, ...]
    figures: dict[str, Any]
    ok: bool | None = True
