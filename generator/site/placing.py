"""Folders of a site: emptied, removed, put in the place of others."""

import shutil
from pathlib import Path


def clear(work: Path) -> None:
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def put(source: Path, target: Path) -> None:
    """Put `source` where `target` was. Between the two renames the target is absent, never mixed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        remove(target)
    source.rename(target)
