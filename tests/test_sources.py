"""What shapes a page: the list of files behind a built volume is the import closure of the site's code."""

import shutil
from pathlib import Path

import pytest
from test_architecture import PACKAGE, dotted, imported
from test_website import build, built, original  # noqa: F401

from generator.site import sources


def closure() -> set[str]:
    """By module names, as the test of the layers reads imports; the code reads paths."""
    paths = {dotted(path): path for path in PACKAGE.rglob("*.py")}
    done: set[str] = set()
    waiting = [name for name in paths if name.startswith("generator.site.")]
    while waiting:
        name = waiting.pop()
        if name not in done:
            done.add(name)
            waiting += [target for target in imported(paths[name]) if target in paths]
    return done


def test_the_files_are_the_import_closure_of_the_site() -> None:
    found = {dotted(path) for path in sources.code().values()}
    folders = {name.rpartition(".")[0] for name in closure()}
    wanted = closure() | (folders & {dotted(path) for path in PACKAGE.rglob("*.py")})
    assert {name for name in found if name.count(".") > 1} == {name for name in wanted if name.count(".") > 1}
    assert {"base/escaping.py", "record/record.py", "log/archive.py", "base/settings.py"} <= set(sources.code())
    assert not any(name.startswith(("model/", "judge/", "train/", "commands/")) for name in sources.code())


def test_a_change_of_the_escaping_makes_every_volume_new(
    built: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy, code = tmp_path / "generator", sources.code
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("starter", "__pycache__", "*.npz", "*.zst"))
    monkeypatch.setattr(sources, "code", lambda: code(copy))
    assert build(built).rebuilt == ()
    (copy / "judge/parsing.py").write_text("a = 1\n")
    assert build(built).rebuilt == (), "no page depends on the judging"
    escaping = copy / "base/escaping.py"
    escaping.write_text(escaping.read_text() + "# mended\n")
    assert build(built).rebuilt == (0, 1)


FORMS = {
    "from generator.base import escaping": "base/escaping.py",
    "import generator.base.escaping": "base/escaping.py",
    "import generator.base.escaping as words": "base/escaping.py",
    "from generator.base.escaping import escape": "base/escaping.py",
    "def late():\n    from generator.base import escaping": "base/escaping.py",
    "from generator.record import checks": "record/checks/__init__.py",
    "from generator.record.checks.form import c1": "record/checks/form.py",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_import_is_seen(tmp_path: Path, form: str) -> None:
    for name in ("site", "base", "record", "record/checks"):
        (tmp_path / "generator" / name).mkdir(parents=True)
        (tmp_path / "generator" / name / "__init__.py").write_text("")
    for name in ("base/escaping.py", "record/checks/form.py", "base/unused.py"):
        (tmp_path / "generator" / name).write_text("")
    (tmp_path / "generator/site/pages.py").write_text(form + "\n")
    found = sources.code(tmp_path / "generator")
    assert FORMS[form] in found
    assert "base/unused.py" not in found
