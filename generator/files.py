"""Writing that a crash cannot tear: a file is either the old one, the new one, or absent."""

import os
import tempfile
from pathlib import Path

from generator.errors import PressError


def write(path: Path, data: bytes) -> None:
    """Replace `path` in one step. Raises PressError when the disk is full or the folder is not writable."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # or a power cut could undo the rename
        finally:
            os.close(folder)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise PressError(
            f"{path}: cannot be written: {error.strerror}", hint="Free space or fix permissions, then run the same command again."
        ) from error


def write_once(path: Path, data: bytes) -> None:
    """Write a fact: a file that, once there, is never written with other bytes."""
    if path.exists():
        if path.read_bytes() != data:
            raise PressError(f"{path}: this fact exists already with other bytes", hint="Run: prior-art verify output")
        return
    write(path, data)


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that must be there; `what` names it in the error."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PressError(f"{path}: {what} cannot be read: {error.strerror}") from error
