"""Destinations: what each accepts, refuses and leaves behind when it is killed."""

from pathlib import Path

import facts
import pytest
from test_publish import NIGHTS, Killed, build, whole

from generator.base import files
from generator.base.errors import ConfigError, PressError, ToolError
from generator.publish.deploy import settle
from generator.publish.destinations import Folder, Url, destination


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return facts.archive(tmp_path / "output", 2)


def test_a_url_is_read_and_never_written(output: Path) -> None:
    pages = {"https://example.org/repo/log/checkpoint": b"x"}
    place = destination("https://example.org/repo", Path("work"), "gh-pages", pages.get)
    assert isinstance(place, Url)
    assert place.read("log/checkpoint") == b"x"
    assert place.read("d/0/0.json") is None
    with pytest.raises(ConfigError, match="cannot be put to the URL"):
        place.deploy(output)


@pytest.mark.parametrize("text", ["", "git:", "folder:", "ftp://example.org/", "https:example.org", "public"])
def test_a_wrong_destination_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="is no destination") as caught:
        destination(text, Path("work"), "gh-pages", lambda _: None)
    assert "git:REMOTE" in caught.value.hint


def test_a_folder_of_something_else_is_not_replaced(output: Path, tmp_path: Path) -> None:
    files.write(tmp_path / "home" / "letter.txt", b"x")
    with pytest.raises(ConfigError, match="holds something else than a site"):
        Folder(tmp_path / "home").deploy(build(output))
    assert (tmp_path / "home" / "letter.txt").read_bytes() == b"x"


@pytest.mark.parametrize("step", range(1, 3))
def test_a_kill_in_the_swap_of_folders_leaves_a_site(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    place, count = Folder(tmp_path / "public"), 0
    whole(output, place, NIGHTS[0])
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == step:
            raise Killed
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(Killed):
            place.deploy(build(output))
    assert place.read("d/0/0.json") == facts.record(0).to_bytes()
    place.deploy(build(output))
    assert (tmp_path / "public" / "d/0/0.json").read_bytes() == facts.record(0).to_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("public")] == ["public"]


def test_a_folder_that_cannot_be_written_is_told(output: Path, tmp_path: Path) -> None:
    files.write(tmp_path / "file", b"x")
    with pytest.raises(ToolError, match="the site could not be put there"):
        Folder(tmp_path / "file" / "public").deploy(build(output))


def test_settling_asks_until_the_time_is_over() -> None:
    clock, told = [0.0], []

    def no() -> Path | None:
        raise PressError("not there")

    def wait(seconds: float) -> None:
        clock[0] += seconds

    with pytest.raises(PressError, match="not there"):
        settle(no, seconds=40, clock=lambda: clock[0], wait=wait, report=told.append)
    assert clock[0] == 45
    assert len(told) == 3
    assert settle(lambda: Path("x"), seconds=0, clock=lambda: 0, wait=wait, report=told.append) == Path("x")
