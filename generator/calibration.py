"""Thresholds of the gates from real patents, never from generated text, in a small versioned file."""

import json
from pathlib import Path

from generator.checks.thresholds import Calibration
from generator.errors import ConfigError

SHIPPED = Path(__file__).with_suffix(".json")


def load_calibration(path: Path | None = None) -> Calibration:
    """The calibration in a file; without `path` the shipped one. Raises ConfigError."""
    path = path or SHIPPED
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Calibration(value["id"], **value["thresholds"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: no calibration: {error}", hint="Make one: prior-art calibrate CORPUS.") from error
