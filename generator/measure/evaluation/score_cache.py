"""What a model has been measured by so far, on disk: JSON lines, so that the same command goes on after a kill.

The first line says what decides the others (what was asked, digests of the model, versions), and a digest of it stands
in the file's name: a change of any of it begins a new file. The others are results in order, each kept at once.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from generator.base import files
from generator.base.errors import PressError

T = TypeVar("T")
EVERY = 15.0  # seconds between two lines of progress


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of results in `folder`, of the model `name`. `what` names them in messages."""

    folder: Path
    name: str
    what: str
    head: dict[str, Any]
    report: Callable[[str], None]

    @property
    def path(self) -> Path:
        digest = hashlib.sha256(json.dumps(self.head, sort_keys=True).encode()).hexdigest()
        return self.folder / "scores" / f"{plain(self.name)}-{digest[:12]}.jsonl"

    @contextmanager
    def opened(self, of: Callable[[dict[str, Any]], T]) -> Iterator[list[T]]:
        """The results so far, each read by `of`; nobody else writes the file meanwhile. Raises PressError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PressError(
                f"{self.path.parent}: cannot be made: {error.strerror}", hint="Name another folder with --out."
            ) from error
        busy = f"another process is evaluating {self.name} on these {self.what}"
        with files.lock(self.path.with_suffix(".lock"), busy, self.report, wait_seconds=0):
            try:
                found = [of(line) for line in self._lines()]
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damaged(error) from error
            yield found

    def _lines(self) -> list[dict[str, Any]]:
        """A last line that a kill has torn is cut off; any other damage raises PressError."""
        if not self.path.exists():
            return []
        data = files.read(self.path, "scores of a model")
        if not data.endswith(b"\n"):
            data = data[: data.rfind(b"\n") + 1]
            os.truncate(self.path, len(data))
        try:
            head, *lines = [json.loads(line) for line in data.splitlines()] or [self.head]
            if head != self.head or [line.pop("item") for line in lines] != list(range(len(lines))):
                raise ValueError("the lines are not those of this evaluation, in order")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(error) from error
        return lines

    def _damaged(self, error: Exception) -> PressError:
        return PressError(f"{self.path}: damaged: {error}", hint="Move the file away and evaluate anew.")

    def append(self, item: int, value: dict[str, Any]) -> None:
        """Keep result number `item`, counted from 0. Raises PressError."""
        if not self.path.exists() or not self.path.stat().st_size:
            files.append(self.path, _line(self.head))
        files.append(self.path, _line({"item": item, **value}))


class Pace:
    """Tells now and then how far a model has come. `first` results were there before."""

    def __init__(self, report: Callable[[str], None], name: str, what: str, first: int, total: int) -> None:
        self._report, self._name, self._what, self._first, self._total = report, name, what, first, total
        self._began = self._told = time.monotonic()

    def done(self, count: int) -> None:
        now = time.monotonic()
        if now - self._told > EVERY or count == self._total:
            each = (now - self._began) / (count - self._first)
            self._report(
                f"evaluate: {self._name}: {count} of {self._total} {self._what}, {each:.1f} s each, "
                f"some {each * (self._total - count) / 60:.0f} minutes left"
            )
            self._told = now


def plain(name: str) -> str:
    """A name as a file may have it: without the signs that mean a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "model"


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"
