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
ENGINE = PACKAGE / "engine"
HEAVY = ("torch", "transformers", "tokenizers", "numpy", "jinja2", "mkdocs", "cryptography", "yaml", "markdown")
MODEL = {"model", "training", "weights", "brief", "drafting"}
SITE = {"pages", "website", "search", "feeds", "citation", "listings", "mkdocs", "pagefind", "sitecheck"}


def module(path: Path) -> str:
    """`checks/form.py` belongs to `checks`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


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
            if node.module == "generator":
                names.update(f"generator.{alias.name}" for alias in node.names if alias.name != "__version__")
            else:
                names.add(node.module or "")
    return names


@cache
def own() -> dict[str, set[str]]:
    """For each module the modules of this package that it imports."""
    graph: dict[str, set[str]] = {}
    for path in PATHS:
        found = {name.split(".")[1] for name in imported(path) if name.startswith("generator.")}
        graph.setdefault(module(path), set()).update(found - {module(path)})
    return graph


@cache
def foreign() -> set[tuple[str, str]]:
    """(package, module) for each import that is neither of this package nor of the standard library."""
    return {
        (name.split(".")[0], module(path))
        for path in PATHS
        for name in imported(path)
        if name.split(".")[0] not in (*sys.stdlib_module_names, "generator")
    }


@cache
def rows() -> list[list[str]]:
    """Cells of the table of parts."""
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n")
    start = lines.index("| part | modules | what it is | besides the standard library |") + 2
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[start:] if line.startswith("| ")][
        : next(n for n, line in enumerate(lines[start:]) if not line.startswith("|"))
    ]


def order() -> list[str]:
    return [name for row in rows() for name in re.findall(r"`(\w+)`", row[1])]


def test_the_table_lists_the_tree() -> None:
    assert len(order()) == len(set(order()))
    assert set(order()) == set(own()) - {"__init__"}


@pytest.mark.parametrize("name", sorted(own()))
def test_a_module_imports_only_what_stands_before_it(name: str) -> None:
    before = order()[: order().index(name)] if name in order() else []
    assert own()[name] <= set(before), f"{name} imports {sorted(own()[name] - set(before))}"


def test_packages_are_imported_where_the_table_says() -> None:
    listed = {
        (package, where)
        for row in rows()
        for packages, modules in re.findall(r"((?:`\w+`(?:, )?)+) in ((?:`\w+`(?:, )?)+)", row[3])
        for package in re.findall(r"`(\w+)`", packages)
        for where in re.findall(r"`(\w+)`", modules)
    }
    assert foreign() == listed


def reached(name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in own()[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def test_verify_reaches_neither_model_nor_site_nor_pipeline() -> None:
    assert {"merkle", "note", "record"} <= reached("verify")
    assert not reached("verify") & (MODEL | SITE | {"pipeline", "press", "publish", "cli"})


def test_the_site_reaches_no_model_and_the_model_no_site() -> None:
    assert not reached("website") & MODEL
    assert not reached("drafting") & (SITE | {"log", "publish"})


def test_heavy_packages_are_imported_inside_functions() -> None:
    """ruff's TID253 holds the same list; this compares the two and looks at the tree itself."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    assert set(HEAVY) <= set(ruff["banned-module-level-imports"])
    for path in (path for path in PATHS if path.parent != ENGINE):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & set(HEAVY), path
            assert not any(name.startswith("generator.engine") for name in names), path


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
        "import sys\nfrom generator.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([n for n in {(*HEAVY, 'generator.pipeline')!r} if n in sys.modules])"
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


@pytest.mark.parametrize("path", [*PATHS, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda p: p.name)
def test_files_stay_short(path: Path) -> None:
    limit = 300 if PACKAGE in path.parents else 400  # a test file also holds the texts that it feeds in
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_functions_stay_short_and_values_are_frozen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} has too many lines"
