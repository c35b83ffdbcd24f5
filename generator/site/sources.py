"""The files that shape a page of a volume: all code of this folder, what it imports, and the templates."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def code(package: Path = PACKAGE) -> dict[str, Path]:
    """`site/` and everything of the package that it imports, directly or not: path below `package` -> file, in order.

    Derived from the import statements, those inside functions too, so that no file can be forgotten.
    """
    found: dict[str, Path] = {}
    waiting = sorted((package / "site").rglob("*.py"))
    while waiting:
        path = waiting.pop()
        name = path.relative_to(package).as_posix()
        if name not in found:
            found[name] = path
            waiting += _imported(path, package)
    return dict(sorted(found.items()))


def _imported(path: Path, package: Path) -> Iterator[Path]:
    """The files of the package that a file imports, with the `__init__.py` of each folder on the way."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            first, *parts = name.split(".")
            if first == package.name:
                yield from _files(package, parts)


def _files(folder: Path, parts: list[str]) -> Iterator[Path]:
    for part in ["", *parts]:
        folder = folder / part
        for path in (folder / "__init__.py", folder.with_suffix(".py")):
            if path.is_file():
                yield path


def templates(folder: Path) -> dict[str, Path]:
    """The templates of the pages of volumes. Assets and front pages are left out: they are made in every build."""
    paths = [*folder.glob("*.j2"), *(folder / "overrides").rglob("*")]
    return {path.relative_to(folder).as_posix(): path for path in sorted(paths) if path.is_file()}
