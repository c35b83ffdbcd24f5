"""The read side of `output/`: records with their place in the log, for pages, site, search and verification."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.disclosure import Finding
from generator.record import Record

VOLUME = 8192
BUNDLE = 256


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """A record in the log. `published_at` is empty while it is not yet published; `proof` is its .proof file's text."""

    serial: int
    data: bytes
    record: Record
    proof: str
    checkpoint_size: int
    published_at: str
    findings: tuple[Finding, ...]

    @property
    def volume(self) -> int:
        return self.serial // VOLUME


def record_path(output: Path, serial: int, suffix: str = ".json") -> Path:
    return output / "records" / str(serial // VOLUME) / str(serial // BUNDLE) / f"{serial}{suffix}"


def volumes(output: Path) -> tuple[int, ...]:
    """Numbers of the volumes that hold at least one disclosure, oldest first."""
    raise NotImplementedError


def read_volume(output: Path, volume: int) -> Iterator[LoggedRecord]:
    """Every disclosure of a volume, by serial."""
    raise NotImplementedError
