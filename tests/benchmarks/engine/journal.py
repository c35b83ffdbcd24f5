"""What a run has measured so far, one JSON object a line, so that a stopped run goes on where it was."""

import json
import os
from pathlib import Path
from typing import Any


class JournalError(Exception):
    """The folder holds another run."""


class Journal:
    """Values by key. A value is on disk when `keep` returns."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        """Raises JournalError when `path` is of a run with other settings."""
        self._path, self._values = path, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self.keep("settings", settings)
            return
        for line in path.read_bytes().split(b"\n"):
            try:
                item = json.loads(line)
            except ValueError:  # the line that a kill cut short
                continue
            self._values[item["key"]] = item["value"]
        if self._values.get("settings") != settings:
            raise JournalError(f"{path} is of a run with other settings; name another folder with --out, or delete it")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def keep(self, key: str, value: Any) -> None:
        with self._path.open("ab") as file:
            file.write(b"\n" + json.dumps({"key": key, "value": value}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._values[key] = value
