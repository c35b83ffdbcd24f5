"""A runner that is lost with its disk: what it had judged is back on the next one, from a branch of a real remote."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import nights
import pytest
from written import LADDER, PLAN

from generator.base.errors import PressError
from generator.commands import generate as command
from generator.log.archive import queued
from generator.model import loading
from generator.publish import kept_work
from generator.publish.git import git
from generator.publish.kept_work import KeptWork
from generator.run.folders import find_finished

COUNT = 9


def remote(root: Path) -> Path:
    path = root / "facts.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def kept(output: Path, root: Path, told: list[str] | None = None) -> KeptWork:
    lines = [] if told is None else told
    return KeptWork(output, str(root / "facts.git"), "publication-work", lines.append)


def work(output: Path, text: str = "a") -> None:
    for name in ("runs/2026-11-22-0000abcd/drafts.jsonl", "runs/2026-11-22-0000abcd/ready/000001.json", "queue/x.json"):
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)


def test_work_comes_back_where_there_is_none_and_nowhere_else(tmp_path: Path) -> None:
    remote(tmp_path)
    first, second = tmp_path / "one", tmp_path / "two"
    assert not kept(first, tmp_path).restore()
    work(first)
    (first / "runs" / "2026-11-22-0000abcd" / "lock").write_text("")
    (first / "runs" / "2026-11-22-0000ffff.json").write_text("a fact")
    (first / "queue" / ".part-x").write_text("torn")
    kept(first, tmp_path).save()
    told: list[str] = []
    assert kept(second, tmp_path, told).restore()
    assert told == ["generate: 3 files of unfinished work are back, from the branch publication-work"]
    names = sorted(
        p.relative_to(second).as_posix() for p in second.rglob("*") if p.is_file() and "kept.git" not in p.parts
    )
    assert names == [
        "queue/x.json",
        "runs/2026-11-22-0000abcd/drafts.jsonl",
        "runs/2026-11-22-0000abcd/ready/000001.json",
    ]
    work(second, "b")
    assert not kept(second, tmp_path).restore(), "what is here is not overwritten"
    assert (second / "queue" / "x.json").read_text() == "b"


def test_a_finished_night_leaves_no_branch_and_saves_are_minutes_apart(tmp_path: Path) -> None:
    path, output, now = remote(tmp_path), tmp_path / "one", [0.0]
    work(output)
    keeper = replace(kept(output, tmp_path), clock=lambda: now[0])
    keeper.save()
    first = git(path, "rev-parse", "publication-work")
    work(output, "b")
    keeper.save()
    assert git(path, "rev-parse", "publication-work") == first
    now[0] = kept_work.SECONDS
    keeper.save()
    assert git(path, "rev-parse", "publication-work") != first
    assert git(path, "rev-list", "--count", "publication-work").strip() == b"1"
    shutil.rmtree(output / "runs")
    shutil.rmtree(output / "queue")
    keeper.save(now=True)
    assert git(path, "branch", "--list") == b""
    keeper.save(now=True)


def test_a_remote_that_is_gone_stops_no_run(tmp_path: Path) -> None:
    told: list[str] = []
    work(tmp_path / "one")
    kept(tmp_path / "one", tmp_path, told).save()
    assert told[0].startswith("generate: unfinished work could not be kept at ")
    with pytest.raises(PressError):
        kept(tmp_path / "two", tmp_path).restore()


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("100644", "log/checkpoint"),
        ("120000", "queue/x.json"),
        ("100755", "queue/x.json"),
        ("100644", "queue/a/b/c"),
        ("100644", "a/queue/x.json"),
    ],
)
def test_a_branch_that_holds_something_else_writes_nothing(tmp_path: Path, mode: str, name: str) -> None:
    path = remote(tmp_path)
    blob = git(path, "hash-object", "-w", "--stdin", data=b"/etc/passwd").decode().strip()
    git(path, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}")
    tree = git(path, "write-tree").decode().strip()
    git(path, "update-ref", "refs/heads/publication-work", git(path, "commit-tree", "-m", "x", tree).decode().strip())
    with pytest.raises(PressError, match="holds something else than unfinished work"):
        kept(tmp_path / "two", tmp_path).restore()
    assert not (tmp_path / "two" / "queue").exists()


def runner(root: Path, remote_at: str, folder: str, seed: int | None) -> None:
    """One runner: a machine with nothing on it, that drafts until it is done or lost."""
    kept_work.SECONDS = 0.05
    loading.open_model = lambda *_, **__: nights.Author()  # type: ignore[assignment,return-value]
    settings = replace(nights.SETTINGS, facts_remote=remote_at)
    publication = nights.at_night(root / folder, settings, 1, 0)
    command.generate(publication, count=COUNT, tonight=seed is None, seed=seed)


def test_a_runner_that_is_lost_between_writing_and_the_log_has_written_once(tmp_path: Path) -> None:
    path = remote(tmp_path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        process = multiprocessing.get_context("fork").Process(target=runner, args=(tmp_path, str(path), folder, None))
        process.start()
        process.join(120)
        assert process.exitcode == 0
    one, two = (sorted(p.read_bytes() for p in queued(tmp_path / name / "output")) for name in ("one", "two"))
    assert one == two
    assert len(one) == COUNT


@pytest.mark.parametrize("seed", [None, 7])
def test_runners_that_are_killed_with_their_disks_make_the_whole_run(tmp_path: Path, seed: int | None) -> None:
    """Each is killed (SIGKILL) in the midst of its writing, and its folder is gone; all that was kept counts once."""
    path, lost, done = remote(tmp_path), 0, False
    while not done:
        folder = f"runner-{lost}"
        (tmp_path / folder).mkdir()
        arguments = (tmp_path, str(path), folder, seed)
        process = multiprocessing.get_context("fork").Process(target=runner, args=arguments)
        process.start()
        until = time.monotonic() + 120
        lines = tmp_path / folder / "output" / "runs"
        while process.is_alive() and time.monotonic() < until:
            if lost < 3 and sum(p.read_bytes().count(b"\n") for p in lines.glob("*/drafts.jsonl")) >= 4 * (lost + 1):
                os.kill(process.pid or 0, signal.SIGKILL)
            time.sleep(0.02)
        process.join()
        done = process.exitcode == 0
        if not done:
            assert process.exitcode == -signal.SIGKILL
            shutil.rmtree(tmp_path / folder)
            lost += 1
    assert lost >= 2
    output = tmp_path / folder / "output"
    assert len(list(queued(output))) == COUNT
    (report,) = (output / "runs").glob("*.json")
    assert find_finished(output, PLAN) is None
    assert LADDER
    assert b'"accepted":9' in report.read_bytes()
    assert len({p.read_bytes() for p in queued(output)}) == COUNT
