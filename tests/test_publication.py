"""The facts' branch on a real bare repository: fast-forward only, compare-and-swap, nothing signed before its push."""

import hashlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import facts
import pytest

from generator.base import files
from generator.base.errors import LogError, ToolError
from generator.log import append as log
from generator.log import archive
from generator.log.entries import Disclosed
from generator.log.ledger import Ledger
from generator.publish import facts_branch
from generator.publish.destinations import destination
from generator.publish.facts_branch import Branch, land


class Killed(BaseException):
    """Stands for a kill: no handler of the program catches it."""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "receive.denyNonFastForwards", "true"], check=True)
    return path


def branch(remote: Path, output: Path) -> Branch:
    return Branch(output, str(remote), "publication")


def append(remote: Path, output: Path, seed: int = 7) -> None:
    key = facts.key(seed=seed)
    land(
        output,
        key,
        lambda known: log.stage_queue(output, key.name, known, now=facts.LATE),
        branch=branch(remote, output),
        report=lambda _: None,
    )


def disclosures(output: Path) -> list[str]:
    return [entry.sha256 for _, entry in facts.entries(output) if isinstance(entry, Disclosed)]


def records(numbers: range) -> set[str]:
    return {hashlib.sha256(facts.record(number).to_bytes()).hexdigest() for number in numbers}


def tree(remote: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", "publication"], capture_output=True, check=True
    )
    return listed.stdout.decode().splitlines()


def subjects(remote: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(remote), "log", "--format=%s", "--reverse", "publication"], capture_output=True, check=True
    )
    return listed.stdout.decode().splitlines()


def test_a_first_night_makes_the_branch_with_facts_only(remote: Path, tmp_path: Path) -> None:
    output = tmp_path / "a"
    facts.queue(output, range(3))
    for name in ("pages/x.md", "site/index.html", "work/x", "runs/night/state.json"):
        files.write(output / name, b"x")
    files.write(output / "runs" / "night.json", b"{}")
    append(remote, output)
    assert {name.partition("/")[0] for name in tree(remote)} == {".gitattributes", "records", "log", "runs"}
    assert "runs/night.json" in tree(remote)
    assert "runs/night/state.json" not in tree(remote)
    assert f"log/{log.JOURNAL}" not in tree(remote)
    assert "log/.lock" not in tree(remote)
    assert subjects(remote) == ["Stage leaves 0 to 2", "Sign checkpoint 3"]
    assert not archive.queued(output)


def test_a_fresh_machine_goes_on_where_another_ended(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(3))
    append(remote, tmp_path / "a")
    facts.queue(tmp_path / "b", range(3, 5))
    append(remote, tmp_path / "b")
    branch(remote, tmp_path / "a").sync()
    assert set(disclosures(tmp_path / "a")) == records(range(5))
    shutil.rmtree(tmp_path / "a" / ".git")
    shutil.rmtree(tmp_path / "b" / ".git")
    for path in sorted(p for p in (tmp_path / "a").rglob("*") if p.is_file() and not p.name.startswith(".")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_of_two_publishers_one_wins_and_the_other_stages_again(remote: Path, tmp_path: Path) -> None:
    """B stages, A pushes first; B's staged batch is discarded unsigned and staged on A's log."""
    for name, numbers in (("a", range(2)), ("b", range(2, 4))):
        facts.queue(tmp_path / name, numbers)
    key, told, raced = facts.key(), [], []

    def stage(known: Ledger) -> object:
        batch = log.stage_queue(tmp_path / "b", key.name, known, now=facts.LATE)
        if not raced:
            raced.append(batch)
            append(remote, tmp_path / "a")
        return batch

    land(tmp_path / "b", key, stage, branch=branch(remote, tmp_path / "b"), report=told.append)  # type: ignore[arg-type]
    assert any("another publisher was first" in line for line in told)
    assert raced[0].start == 0
    assert [set(disclosures(tmp_path / "b")[i : i + 2]) for i in (0, 2)] == [records(range(2)), records(range(2, 4))]
    assert subjects(remote) == [
        "Stage leaves 0 to 1",
        "Sign checkpoint 2",
        "Stage leaves 2 to 3",
        "Sign checkpoint 4",
    ]


def test_two_publishers_race_in_processes(remote: Path, tmp_path: Path) -> None:
    """Several rounds, two real processes at once: every record once, one history, one checkpoint for each size."""
    program = (
        "import sys; from pathlib import Path; sys.path[:0] = [sys.argv[4], sys.argv[5]]; import facts;"
        "from generator.log.append import stage_queue; from generator.publish.facts_branch import Branch, land;"
        "k = facts.key();"
        "o = Path(sys.argv[1]); facts.queue(o, range(int(sys.argv[3]), int(sys.argv[3]) + 2));"
        "land(o, k, lambda n: stage_queue(o, k.name, n, now=facts.LATE),"
        "branch=Branch(o, sys.argv[2], 'publication'), report=print)"
    )
    tests = Path(__file__).parent
    for turn in range(2):
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", program, tmp_path / name, remote, str(turn * 10 + first), tests, tests.parent],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for name, first in (("a", 0), ("b", 5))
        ]
        for worker in workers:
            said = worker.communicate()[0]
            assert worker.returncode == 0, said.decode()
    branch(remote, tmp_path / "c").sync()
    logged = disclosures(tmp_path / "c")
    assert sorted(logged) == sorted(
        records(range(2)) | records(range(5, 7)) | records(range(10, 12)) | records(range(15, 17))
    )
    assert len(subjects(remote)) == 8


def test_the_push_comes_before_the_signature(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts.queue(tmp_path / "a", range(2))
    real, seen = log.commit, []

    def commit(output: Path, key: object) -> object:
        seen.append(subjects(remote))
        return real(output, key)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "commit", commit)
    append(remote, tmp_path / "a")
    assert seen == [["Stage leaves 0 to 1"]]


def kill_after(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """A kill before the `call`-th git command."""
    real: Callable[..., object] = facts_branch.run
    count = 0

    def run(*arguments: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == call:
            raise Killed
        return real(*arguments, **named)

    monkeypatch.setattr(facts_branch, "run", run)
    monkeypatch.setattr("generator.publish.git.run", run)


@pytest.mark.parametrize("machine", ["same", "another"])
def test_a_kill_at_any_git_command_loses_nothing(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    """Killed before its n-th git command; then the same machine goes on, or another one finishes it first."""
    begun = tmp_path / "begun"
    facts.queue(begun, range(2))
    append(remote, begun)
    facts.queue(begun, range(2, 4))
    for call in range(1, 40):
        one, bare = tmp_path / f"one-{call}", tmp_path / f"{call}.git"
        shutil.copytree(remote, bare)
        shutil.copytree(begun, one)
        with monkeypatch.context() as patch:
            kill_after(patch, call)
            try:
                append(bare, one)
                finished = True
            except Killed:
                finished = False
        wanted = records(range(4))
        if machine == "another":
            other = tmp_path / f"other-{call}"
            facts.queue(other, range(5, 6))
            append(bare, other)
            wanted |= records(range(5, 6))
        append(bare, one)
        logged = disclosures(one)
        assert set(logged) == wanted, call
        assert len(logged) == len(wanted), call
        assert not archive.queued(one), call
        assert log.staged(one) is None, call
        if finished:
            assert call > 10
            return
    raise AssertionError("the run has more git commands than this test kills")


def test_a_kill_between_push_and_signature_is_finished_by_another_machine(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts.queue(tmp_path / "a", range(2))

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(log, "commit", killed)
        with pytest.raises(Killed):
            append(remote, tmp_path / "a")
    append(remote, tmp_path / "b")  # nothing of its own: it signs what was staged
    assert set(disclosures(tmp_path / "b")) == records(range(2))
    append(remote, tmp_path / "a")
    assert set(disclosures(tmp_path / "a")) == records(range(2))
    assert archive.current(tmp_path / "a").size == 2  # type: ignore[union-attr]


def test_a_rewritten_branch_is_told_and_nothing_is_signed(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(2))
    append(remote, tmp_path / "a")
    subprocess.run(["git", "-C", str(remote), "update-ref", "-d", "refs/heads/publication"], check=True)
    with pytest.raises(LogError, match="the branch publication is gone"):
        append(remote, tmp_path / "a")
    facts.queue(tmp_path / "b", range(5, 8))
    append(remote, tmp_path / "b")
    with pytest.raises(LogError, match="was rewritten") as caught:
        append(remote, tmp_path / "a")
    assert "never rewritten" in caught.value.hint


def test_two_logs_are_not_joined(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(2))
    append(remote, tmp_path / "a")
    facts.archive(tmp_path / "b", 1, first=8)
    with pytest.raises(LogError, match="a log lies here that did not come from"):
        append(remote, tmp_path / "b")


def test_a_missing_remote_is_told_and_the_queue_stays(tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(2))
    with pytest.raises(ToolError, match="git ls-remote") as caught:
        append(tmp_path / "nothing.git", tmp_path / "a")
    assert "Check the address" in caught.value.hint
    assert len(archive.queued(tmp_path / "a")) == 2
    assert archive.current(tmp_path / "a") is None


def test_a_refused_push_is_told_and_nothing_is_signed(remote: Path, tmp_path: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    facts.queue(tmp_path / "a", range(2))
    with pytest.raises(ToolError, match="git push"):
        append(remote, tmp_path / "a")
    assert archive.current(tmp_path / "a") is None
    hook.unlink()
    append(remote, tmp_path / "a")
    assert set(disclosures(tmp_path / "a")) == records(range(2))


def test_receipts_and_reports_survive_a_race(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(2))
    append(remote, tmp_path / "a")
    facts.queue(tmp_path / "b", range(5, 6))
    append(remote, tmp_path / "b")
    files.write(tmp_path / "a" / "runs" / "night.json", b"{}")
    branch(remote, tmp_path / "a").save("Run report")
    assert "runs/night.json" in tree(remote)
    assert set(disclosures(tmp_path / "a")) == records(range(2)) | records(range(5, 6))


def test_a_withdrawn_record_does_not_come_back(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(2))
    append(remote, tmp_path / "a")
    branch(remote, tmp_path / "b").sync()
    (tmp_path / "a" / "records" / "0" / "0" / "1.json").unlink()
    branch(remote, tmp_path / "a").save("Withdraw 1")
    branch(remote, tmp_path / "b").sync()
    assert not (tmp_path / "b" / "records" / "0" / "0" / "1.json").exists()


def test_messages_never_show_a_password_in_a_remote(tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(1))
    with pytest.raises(ToolError) as caught:
        append(Path("https://user:secret@localhost:9/x.git"), tmp_path / "a")
    assert "secret" not in str(caught.value) + caught.value.hint


def test_a_second_process_waits_and_says_so(tmp_path: Path) -> None:
    told: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with facts_branch.alone(tmp_path, told.append):
            told.append("in")

    with facts_branch.alone(tmp_path, told.append):
        thread = threading.Thread(target=second)
        thread.start()
        started.wait()
        thread.join(0.2)
        assert thread.is_alive()
        assert told == ["another process works in this folder; waiting for it"]
    thread.join()
    assert told[-1] == "in"


def test_locks_that_a_killed_git_left_are_swept(remote: Path, tmp_path: Path) -> None:
    facts.queue(tmp_path / "a", range(1))
    append(remote, tmp_path / "a")
    for name in ("index.lock", "HEAD.lock", "refs/heads/publication.lock"):
        files.write(tmp_path / "a" / ".git" / name, b"")
    facts.queue(tmp_path / "a", range(1, 2))
    append(remote, tmp_path / "a")
    assert set(disclosures(tmp_path / "a")) == records(range(2))


@pytest.mark.parametrize("hook", ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push", "all"])
def test_the_users_own_hooks_do_not_run(
    hook: str, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that refuses everything, set for every repository of the user, as companies do."""
    hooks, ran = tmp_path / "hooks", tmp_path / "ran"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "pre-push") if hook == "all" else (hook,):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> '{ran}'\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    facts.queue(tmp_path / "a", range(2))
    append(remote, tmp_path / "a")
    assert subjects(remote) == ["Stage leaves 0 to 1", "Sign checkpoint 2"]
    assert not ran.exists()


def test_hooks_do_not_run_in_a_deploy_either(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that pushes the site is another one, and reads its settings from the repository."""
    hooks, site, ran = tmp_path / "hooks", tmp_path / "site", tmp_path / "ran"
    hooks.mkdir()
    (hooks / "pre-push").write_text(f"#!/bin/sh\necho pre-push >> '{ran}'\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    files.write(site / "index.html", b"<p>A site.</p>")
    place = destination(f"git:{remote}", tmp_path / "work", "gh-pages", lambda _: None)
    place.deploy(site)
    assert place.read("index.html") == b"<p>A site.</p>"
    assert not ran.exists()
