"""Writing that a crash cannot tear: a file is the old one, the new one, or absent; of a list all lines but the last."""

import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.base.errors import LogError, PressError

TEMPORARY = ".part-"  # begins the name of a file that is still being written


def write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` in one step. Raises PressError when the disk is full or the folder is not writable.

    Not `durable`: survives a kill at once, a power cut only after `settle()`; for many files at a time.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if hasattr(os, "fchmod"):  # Windows before Python 3.13 has none
                os.fchmod(file.fileno(), 0o644)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
        if durable and os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # or a power cut could undo the rename
            finally:
                os.close(folder)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise PressError(
            f"{path}: cannot be written: {error.strerror}",
            hint="Free space or fix permissions, then run the same command again.",
        ) from error


def append(path: Path, data: bytes) -> None:
    """Add `data` at the end of a file, which need not exist, and bring it to the disk. Raises PressError.

    A kill in the middle can leave a part of `data`: who reads the file cuts off a last line without its line feed.
    """
    try:
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PressError(
            f"{path}: cannot be written: {error.strerror}",
            hint="Free space or fix permissions, then run the same command again.",
        ) from error


def cache_home() -> Path:
    """Where this program keeps what can be made or fetched again. Raises RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prior-art-press"


def settle(paths: Iterable[Path], within: Path) -> None:
    """Bring files below `within` that were written without `durable` to the disk, and their names. Raises PressError.

    These files alone, not all that other programs on the machine have written.
    """
    folders: set[Path] = set()
    try:
        for path in paths:
            _synced(path)
            folders.update(folder for folder in path.parents if folder.is_relative_to(within))
        for folder in sorted(folders):
            _synced(folder)
    except OSError as error:
        raise PressError(
            f"{within}: cannot be written: {error.strerror}",
            hint="Free space or fix permissions, then run the same command again.",
        ) from error


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that must be there; `what` names it in the error."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PressError(f"{path}: {what} cannot be read: {error.strerror}") from error


def read_some(path: Path, what: str, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; a pipe or a device is never waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            known = os.fstat(file.fileno())
            if not stat.S_ISREG(known.st_mode):
                raise PressError(f"{path}: {what} is not a regular file")
            data = file.read(limit + 1) if known.st_size <= limit else b""
    except (OSError, ValueError) as error:
        raise PressError(f"{path}: {what} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if known.st_size > limit or len(data) > limit:
        raise PressError(f"{path}: {what} has more than {limit:,} bytes")
    return data


def read_object(path: Path, *, hint: str) -> dict[str, Any]:
    """The JSON object of a file that must be there; `hint` says what to do where it is not. Raises PressError."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PressError(f"{path}: cannot be read: {error}", hint=hint) from error
    if not isinstance(value, dict):
        raise PressError(f"{path}: a JSON object is expected", hint=hint)
    return value


@contextmanager
def lock(
    path: Path, busy: str, report: Callable[[str], None], *, wait_seconds: float, inherited: bool = False
) -> Iterator[None]:
    """Hold `path` exclusively; the operating system frees the lock of a killed process.

    `inherited`: programs started with `close_fds=False` hold it, too, so that it is not free before they have ended.

    `busy` says who holds it: reported once while waiting, raised as LogError after `wait_seconds`.
    """
    import fcntl  # Windows has none, and there only readers run

    path.parent.mkdir(parents=True, exist_ok=True)
    told, until = False, time.monotonic() + wait_seconds
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), inherited)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > until:
                    hint = "Wait until it has ended, then run the same command again."
                    raise LogError(f"{path.parent}: {busy}", hint=hint) from error
                if not told:
                    report(f"{busy}; waiting for it")
                    told = True
                time.sleep(0.1)
        yield
