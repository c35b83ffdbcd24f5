"""The architecture as docs/architecture.md draws it, against the imports that there are."""

import ast
import re
import statistics
import subprocess
import sys
import time
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "generator"
PATHS = sorted(PACKAGE.rglob("*.py"))
ENGINE = PACKAGE / "model" / "engine"
HEAVY = ("torch", "transformers", "tokenizers", "numpy", "jinja2", "mkdocs", "cryptography", "yaml", "markdown")
MODULES = {f"generator.{p.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}" for p in PATHS}
NAMES = re.compile(r"`([\w/]+)`")


def folder(path: Path) -> str:
    """`judge/checks/form.py` lies in the room `judge`; `__main__.py` in none."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imported(path: Path) -> set[str]:
    """Dotted names of all imports, those inside functions included, those for type checking alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unreal = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in unreal:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES
            names.update(modules or {node.module or ""})
    return names


@cache
def rooms() -> dict[str, list[str]]:
    """The rows of the table of folders in docs/architecture.md, by folder, in order."""
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n")
    start = lines.index("| # | folder | what lives there | imports | packages |") + 2
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[start : start + 13]]
    return {NAMES.findall(row[1])[0]: row for row in rows}


def allowed(name: str) -> set[str]:
    """The folders that a folder may import, as its row says: numbers, ranges of them, or `nothing`."""
    order, found = list(rooms()), set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", rooms()[name][3]):
        found.update(order[int(first) - 1 : int(last or first)])
    return found


def climbs(files: dict[str, set[str]]) -> list[str]:
    """For each import that the table does not allow: both files and the rule."""
    return [
        f"{path} imports {name}, but {here} may import {', '.join(sorted(allowed(here))) or 'nothing'}"
        for path, names in files.items()
        for here in [path.split("/")[1]]
        for name in sorted(names)
        if name.startswith("generator.") and name.split(".")[1] not in {here, *allowed(here)}
    ]


def test_the_files_that_the_page_names_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:generator|site_templates|docs)/[\w/.]+|[a-z]+/[\w/]+\.py)`", page)
    assert len(named) > 20
    missing = [name for name in named if not ((ROOT / name).exists() or (PACKAGE / name).exists())]
    assert missing == []


def test_the_table_lists_the_tree() -> None:
    there = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {*rooms(), "scribe", "starter"} == there
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {"__init__.py", "__main__.py"}
    assert all(max(order(other) for other in {name, *allowed(name)}) == order(name) for name in rooms())


def order(name: str) -> int:
    return list(rooms()).index(name)


def test_a_folder_imports_only_what_stands_before_it() -> None:
    files = {f"generator/{p.relative_to(PACKAGE).as_posix()}": imported(p) for p in PATHS if folder(p)}
    assert climbs(files) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [("generator/base/words.py", "generator.site.pages"), ("generator/model/a.py", "generator.judge.b")],
)
def test_an_import_that_climbs_is_named_with_its_rule(path: str, name: str) -> None:
    (said,) = climbs({path: {name, "generator.base.errors"}})
    assert path in said
    assert name in said
    assert "may import" in said


def test_no_import_goes_round() -> None:
    """Modules, not folders: those of one folder may import one another, but not in a circle."""
    names = {dotted(path): path for path in PATHS}
    graph = {
        name: {target for target in imported(path) if target in names and target != name}
        for name, path in names.items()
    }
    done: set[str] = set()
    while ready := {name for name, targets in graph.items() if name not in done and targets <= done}:
        done |= ready
    assert sorted(set(graph) - done) == []


def dotted(path: Path) -> str:
    name = ".".join(("generator", *path.relative_to(PACKAGE).with_suffix("").parts))
    return name.removesuffix(".__init__")


def test_packages_are_imported_where_the_table_says() -> None:
    listed = {(package, name) for name in rooms() for package in NAMES.findall(rooms()[name][4])}
    found = {
        (name.split(".")[0], folder(path))
        for path in PATHS
        for name in imported(path)
        if name.split(".")[0] not in (*sys.stdlib_module_names, "generator", "")
    }
    assert found == listed


def test_heavy_packages_are_imported_inside_functions() -> None:
    """ruff's TID253 holds the same list; this compares the two and looks at the tree itself."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    assert set(HEAVY) <= set(ruff["banned-module-level-imports"])
    for path in (path for path in PATHS if path.parent != ENGINE):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & set(HEAVY), path
            assert not any(name.startswith("generator.model.engine") for name in names), path


def test_importing_every_module_loads_nothing_heavy() -> None:
    names = sorted(
        f"generator.{path.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}"
        for path in PATHS
        if path.parent != ENGINE  # its compiled functions need Numba beside them
    )
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    program = f"import sys, {', '.join(names)}; print([n for n in {HEAVY!r} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout
    assert said.strip() == b"[]"


def test_help_loads_nothing_heavy_and_answers_at_once() -> None:
    """Under 200 ms: measured against the bare interpreter beside it, so that a busy machine does not decide."""
    program = (
        "import sys\nfrom generator.commands.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([n for n in {(*HEAVY, 'generator.commands.nightly')!r} if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert said.startswith("Usage: prior-art")
    assert said.strip().endswith("[]")
    bare, whole = [], []
    for _ in range(5):
        for seconds, command in ((bare, ["-c", "pass"]), (whole, ["-m", "generator", "--help"])):
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=True)
            seconds.append(time.perf_counter() - started)
    assert statistics.median(whole) < max(0.2, 8 * statistics.median(bare)), (bare, whole)


def test_files_and_functions_stay_short() -> None:
    long = []
    for path in [*PATHS, *sorted((ROOT / "tests").rglob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        limit = 300 if PACKAGE in path.parents else 400  # a test file also holds the texts that it feeds in
        if (lines := text.count("\n")) > limit:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if PACKAGE in path.parents and isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno
                long += [f"{path.relative_to(ROOT)}: {node.name}: {lines} lines"] if lines >= 60 else []
    assert long == []
