"""The lock files: what pyproject.toml asks for, in one release each, with hashes, and never CUDA."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / ".ci" / "lock"
EXTRAS = {
    "base": (),
    "test": ("judge", "test"),
    "lowest": ("judge", "test"),
    "model": ("model",),
    "dev": ("dev",),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(name: str) -> dict[str, dict[str, str]]:
    """The marker of each release, by package and version; every release has a hash."""
    found: dict[str, dict[str, str]] = {}
    text = re.sub(r"^#.*\n", "", (LOCKS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    for block in re.split(r"\n(?=\S)", text.strip()):
        first, *hashes = (line.strip(" \\") for line in block.splitlines())
        match = re.fullmatch(r"([a-z0-9.-]+)==(\S+)(?: ; (.+))?", first)
        assert match, first
        assert hashes, first
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), first
        found.setdefault(match[1], {})[match[2]] = match[3] or ""
    return found


def asked(extras: tuple[str, ...]) -> list[Requirement]:
    """The packages of the project and of extras, and of the extras that those name."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    found = [Requirement(line) for line in lines]
    inner = tuple(extra for one in found if one.name == "prior-art-press" for extra in one.extras)
    mine = [one for one in found if one.name != "prior-art-press"]
    return mine + (asked(inner) if inner else [])


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_a_release_that_fits_of_everything_that_is_asked_for(name: str) -> None:
    releases = {**locked(name), **(locked("torch") if name in ("model", "dev") else {})}
    for one in asked(EXTRAS[name]):
        versions = releases[one.name.lower()]
        assert all(one.specifier.contains(version) for version in versions), f"{one} in {name}: {versions}"


def test_the_lowest_versions_are_the_floors() -> None:
    releases = locked("lowest")
    for one in asked(EXTRAS["lowest"]):
        (floor,) = [part.version for part in one.specifier if part.operator in (">=", "==")]
        assert [Version(version) for version in releases[one.name]] == [Version(floor)]


def test_the_releases_of_model_and_training_are_their_floors() -> None:
    """No job installs older ones, so that a lower floor would be a guess."""
    releases = {**locked("dev"), **locked("torch")}
    extras = PROJECT["optional-dependencies"]
    for line in (*extras["model"], *extras["ray"], *extras["train"]):
        one = Requirement(line)
        if one.name != "prior-art-press":
            (floor,) = [Version(part.version) for part in one.specifier if part.operator == ">="]
            least = min(map(Version, releases[one.name]))
            assert floor.release[:2] == least.release[:2], one
            assert floor <= least, one


@pytest.mark.parametrize("name", ["base", "test", "model"])
def test_the_locks_agree(name: str) -> None:
    whole = locked("dev")
    assert {package: releases.keys() for package, releases in locked(name).items()}.items() <= {
        package: releases.keys() for package, releases in whole.items()
    }.items()


def test_what_is_installed_to_verify_and_publish_is_small() -> None:
    assert len(locked("base")) < 45
    assert not {"matplotlib", "numpy", "scikit-learn", "scipy", "torch", "pillow", "datasketch"} & locked("base").keys()


@pytest.mark.parametrize("name", EXTRAS)
def test_no_lock_brings_cuda_or_names_a_place(name: str) -> None:
    assert not [package for package in locked(name) if re.match(r"nvidia|cuda|triton|torch", package)]
    assert "://" not in (LOCKS / f"{name}.txt").read_text()


def test_torch_is_a_build_for_a_cpu() -> None:
    (package,) = locked("torch")
    assert package == "torch"
    assert locked("torch")["torch"] == {
        "2.13.0+cpu": 'sys_platform == "linux"',
        "2.13.0": 'sys_platform == "darwin"',
    }
