"""Collecting what observers say: their cosignatures of kept checkpoints, each verified before it is stored."""

from collections.abc import Callable
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.log.anchors import folder
from generator.log.anchors.cosignatures import Observer, cosigned_at, within
from generator.log.note import Checkpoint

SIZES = 30  # so many of the newest checkpoints are asked about


def collect(
    output: Path,
    observers: tuple[Observer, ...],
    fetch: Callable[[str], bytes | None],
    now: str,
    report: Callable[[str], None],
) -> dict[str, str]:
    """The newest time by each observer that had something new. Who is down or lies is named, and stops nothing."""
    kept = output / "log" / "checkpoints"
    sizes = sorted((int(path.name) for path in kept.iterdir() if path.name.isdecimal()) if kept.is_dir() else ())
    found = {}
    for observer in observers:
        for size in sizes[-SIZES:]:
            path = output / "log" / folder.anchor_path(size, f"{observer.name}.cosignature")
            if path.exists():
                continue
            try:
                line = fetch(f"{observer.url}/cosignatures/{size}")
                if line is None:
                    continue
                body = Checkpoint.parse(files.read(kept / str(size), "a kept checkpoint").decode()).body
                time = within(cosigned_at(line, observer.key, body), now)
                files.write(path, line)
                found[observer.name] = time
            except LogError as error:
                report(f"stamp: observer {observer.name} gave no cosignature of checkpoint {size}: {error}")
            except PressError as error:
                report(f"stamp: observer {observer.name} cannot be asked: {error}")
                break
    return found
