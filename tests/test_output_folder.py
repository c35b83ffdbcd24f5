"""A fresh checkout shows output/ with a README alone; the branch of the facts is checked out into it all the same."""

import re
import shutil
import subprocess
from pathlib import Path

import facts
import pytest
from test_publication import append, branch, disclosures, records, remote, tree  # noqa: F401

ROOT = Path(__file__).parent.parent


def git(folder: Path, *arguments: str) -> str:
    made = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(["git", *made, *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with this project's rules of what git ignores, and its output folder, as a clone has them."""
    made = tmp_path / "checkout"
    (made / "output").mkdir(parents=True)
    shutil.copyfile(ROOT / ".gitignore", made / ".gitignore")
    shutil.copyfile(ROOT / "output" / "README.md", made / "output" / "README.md")
    git(made, "init", "--quiet")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "All")
    return made


def test_git_keeps_the_readme_and_nothing_else(checkout: Path) -> None:
    assert git(checkout, "ls-files").split() == [".gitignore", "output/README.md"]
    for name in ("queue/a.json", "log/checkpoint", "records/README.md", "README.md.bak"):
        path = checkout / "output" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert git(checkout, "status", "--porcelain") == ""


def test_the_facts_branch_is_checked_out_beside_the_readme(checkout: Path, remote: Path, tmp_path: Path) -> None:  # noqa: F811
    readme = (checkout / "output" / "README.md").read_bytes()
    other = tmp_path / "other"
    facts.queue(other, range(3))
    append(remote, other)
    output = checkout / "output"
    branch(remote, output).sync()
    assert len(disclosures(output)) == 3
    assert (output / "README.md").read_bytes() == readme
    facts.queue(output, range(3, 5))
    append(remote, output)
    assert set(disclosures(output)) == records(range(5))
    assert not any("README" in name for name in tree(remote)), "facts alone are pushed"
    assert (output / "README.md").read_bytes() == readme
    assert git(checkout, "status", "--porcelain") == ""


def test_the_readme_names_folders_that_the_page_on_architecture_has() -> None:
    said = (ROOT / "output" / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)/", said)
    assert len(named) >= 6
    assert [name for name in named if f"output/{name}/" not in page] == []
