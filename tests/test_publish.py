"""The publication time: fixed when a deploy starts, anew only when nothing became public, with a receipt at the end."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import facts
import pytest

from generator.base import files
from generator.base.errors import LogError, ToolError, VerificationError
from generator.log import append, archive
from generator.log.entries import Dated
from generator.log.ledger import Deploy
from generator.publish import deploy
from generator.publish.deploy import date_batch, receipt_path
from generator.publish.destinations import Destination, PagesBranch, destination

NIGHTS = tuple(f"2026-11-{day}T03:17:00Z" for day in range(22, 30))


class Killed(BaseException):
    """Stands for a kill: no handler of the program catches it."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return facts.archive(tmp_path / "output", 2)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "receive.denyNonFastForwards", "true"], check=True)
    return path


@pytest.fixture(params=["git", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path, remote: Path) -> Destination:
    text = f"git:{remote}" if request.param == "git" else f"folder:{tmp_path / 'public'}"
    return destination(text, tmp_path / "work", "gh-pages", lambda _: None)


def build(output: Path) -> Path:
    """A site as far as publishing looks at it: records, pages with their date, the log."""
    site = output / "site"
    shutil.rmtree(site, ignore_errors=True)
    for item in facts.logged(output):
        files.write(site / f"d/{item.volume}/{item.serial}.json", item.data)
        page = f'<meta name="DC.date" content="{item.published_at}">'
        files.write(site / f"d/{item.volume}/{item.serial}.html", page.encode())
    shutil.copytree(output / "log", site / "log", ignore=shutil.ignore_patterns(".*"))
    files.write(site / "index.html", b"home")
    return site


def begin(output: Path, place: Destination, now: str) -> bool:
    """Whether something was dated."""
    before = len(entries(output))
    facts.land(output, lambda ledger: date_batch(output, facts.ORIGIN, place, lambda: now, ledger))
    return len(entries(output)) > before


def confirm(output: Path, place: Destination, now: str) -> Path | None:
    return deploy.confirm(output, place, lambda: now, archive.read_ledger(output))


def open_deploy(output: Path) -> Deploy | None:
    return deploy.open_deploy(output, archive.read_ledger(output))


def whole(output: Path, place: Destination, now: str) -> None:
    begin(output, place, now)
    place.deploy(build(output))
    confirm(output, place, now)


def times(output: Path) -> dict[int, str]:
    return {r.serial: r.published_at for r in facts.logged(output)}


def entries(output: Path) -> list[Dated]:
    return [entry for _, entry in facts.entries(output) if isinstance(entry, Dated)]


def test_before_the_first_deploy_nothing_has_a_date(output: Path) -> None:
    assert times(output) == {0: "", 1: ""}
    assert archive.read_ledger(output).undated == (0, 1)
    assert archive.read_ledger(output).newest_deploy is None


def test_a_deploy_dates_reads_back_and_writes_a_receipt(output: Path, place: Destination) -> None:
    whole(output, place, NIGHTS[0])
    assert times(output) == {0: NIGHTS[0], 1: NIGHTS[0]}
    receipt = json.loads(receipt_path(output, 2).read_bytes())
    assert receipt["entry"] == 2
    assert receipt["time"] == NIGHTS[0]
    assert receipt["read_back"] == [{"serial": n, "sha256": facts.record(n).sha256} for n in (0, 1)]
    assert open_deploy(output) is None
    assert archive.read_ledger(output).undated == ()


def test_a_second_night_dates_only_what_is_new(output: Path, place: Destination) -> None:
    whole(output, place, NIGHTS[0])
    facts.archive(output, 2, first=2)
    whole(output, place, NIGHTS[1])
    assert times(output) == {0: NIGHTS[0], 1: NIGHTS[0], 3: NIGHTS[1], 4: NIGHTS[1]}
    assert place.read("d/0/4.json") == facts.record(3).to_bytes()
    assert place.read("d/0/0.json") == facts.record(0).to_bytes()


def test_publishing_again_dates_nothing_anew(output: Path, place: Destination) -> None:
    whole(output, place, NIGHTS[0])
    whole(output, place, NIGHTS[1])
    assert times(output) == {0: NIGHTS[0], 1: NIGHTS[0]}
    assert len(entries(output)) == 1


def test_a_deploy_that_never_became_public_is_dated_anew(output: Path, place: Destination) -> None:
    begin(output, place, NIGHTS[0])
    facts.archive(output, 1, first=5)
    whole(output, place, NIGHTS[1])
    assert set(times(output).values()) == {NIGHTS[1]}
    assert [entry.replaces for entry in entries(output)] == [None, 2]
    assert not receipt_path(output, 2).exists()
    assert receipt_path(output, 4).exists()


def test_a_crash_after_the_push_keeps_the_date(output: Path, place: Destination) -> None:
    begin(output, place, NIGHTS[0])
    place.deploy(build(output))
    whole(output, place, NIGHTS[1])
    assert set(times(output).values()) == {NIGHTS[0]}
    assert len(entries(output)) == 1
    assert json.loads(receipt_path(output, 2).read_bytes())["read_back_at"] == NIGHTS[1]


def test_a_crash_after_the_push_then_a_new_batch(output: Path, place: Destination) -> None:
    begin(output, place, NIGHTS[0])
    place.deploy(build(output))
    facts.archive(output, 1, first=5)
    whole(output, place, NIGHTS[1])
    assert times(output) == {0: NIGHTS[0], 1: NIGHTS[0], 3: NIGHTS[1]}
    assert [receipt_path(output, index).exists() for index in (2, 4)] == [True, True]


def test_three_failed_tries_leave_the_last_date_only(output: Path, place: Destination) -> None:
    for now in NIGHTS[:3]:
        begin(output, place, now)
    whole(output, place, NIGHTS[3])
    assert set(times(output).values()) == {NIGHTS[3]}
    assert [entry.replaces for entry in entries(output)] == [None, 2, 3, 4]


STEPS: tuple[tuple[object, str], ...] = (
    (append, "stage_published"),
    (append, "commit"),
    (PagesBranch, "deploy"),
    (PagesBranch, "_push"),
    (deploy, "read_back"),
)


@pytest.mark.parametrize(("owner", "name"), STEPS)
@pytest.mark.parametrize("late", [False, True])
def test_a_kill_at_any_step_never_shows_a_date_before_the_deploy(
    output: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, late: bool
) -> None:
    """Killed before or after each step; the next night's run ends with one date, and that of a deploy that happened."""
    place = destination(f"git:{remote}", tmp_path / "work", "gh-pages", lambda _: None)
    real: Callable[..., object] = getattr(owner, name)

    def killed(*arguments: object, **named: object) -> object:
        if late:
            real(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed)
        with pytest.raises(Killed):
            whole(output, place, NIGHTS[0])
    public = place.read("d/0/0.json") is not None
    whole(output, place, NIGHTS[1])
    wanted = NIGHTS[0] if public else NIGHTS[1]
    assert set(times(output).values()) == {wanted}
    page = place.read("d/0/0.html")
    assert page is not None
    assert wanted.encode() in page
    assert open_deploy(output) is None
    assert public == (owner is deploy or (late and owner is PagesBranch))


def test_a_missing_remote_is_told_before_anything_is_dated(output: Path, tmp_path: Path) -> None:
    place = destination(f"git:{tmp_path / 'nothing.git'}", tmp_path / "work", "gh-pages", lambda _: None)
    with pytest.raises(ToolError, match="git ls-remote") as caught:
        begin(output, place, NIGHTS[0])
    assert "Check the address" in caught.value.hint
    assert entries(output) == []


def test_a_rejected_push_is_told_and_dated_anew(output: Path, remote: Path, tmp_path: Path) -> None:
    place = destination(f"git:{remote}", tmp_path / "work", "gh-pages", lambda _: None)
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ToolError, match="the push was not accepted") as caught:
        whole(output, place, NIGHTS[0])
    assert "publish again" in caught.value.hint
    hook.unlink()
    whole(output, place, NIGHTS[1])
    assert set(times(output).values()) == {NIGHTS[1]}


def test_the_pages_branch_keeps_its_history(output: Path, remote: Path, tmp_path: Path) -> None:
    place = destination(f"git:{remote}", tmp_path / "work", "gh-pages", lambda _: None)
    whole(output, place, NIGHTS[0])
    facts.archive(output, 1, first=5)
    shutil.rmtree(tmp_path / "work")  # another machine
    whole(output, place, NIGHTS[1])
    count = subprocess.run(
        ["git", "-C", str(remote), "rev-list", "--count", "gh-pages"], capture_output=True, check=True
    )
    assert count.stdout.strip() == b"2"
    assert place.read(".nojekyll") == b""


def test_a_site_is_pushed_byte_for_byte_whatever_the_user_has_set(
    output: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ends of lines, filters, ignored names, signatures: settings of the machine, and files in the site itself."""
    settings = tmp_path / "gitconfig"
    (tmp_path / "ignored").write_text("*.html\n")
    (tmp_path / "attributes").write_text("* text=auto eol=crlf filter=loud\n")
    settings.write_text(
        f"[core]\nautocrlf = true\nsafecrlf = true\nexcludesFile = {tmp_path / 'ignored'}\n"
        f"attributesFile = {tmp_path / 'attributes'}\n[commit]\ngpgsign = true\n[push]\ndefault = nothing\n"
        '[filter "loud"]\nclean = tr a-z A-Z\nrequired = true\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    place = destination(f"git:{remote}", tmp_path / "work", "gh-pages", lambda _: None)
    site = build(output)
    odd = {"lines.txt": b"one\r\ntwo\n", ".gitignore": b"*\n", ".gitattributes": b"* text\n", "_a/café b.html": b"x\r"}
    for name, data in {**odd, "run.sh": b"#!/bin/sh\n", "nul": b"\0\n"}.items():
        files.write(site / name, data)
    (site / "run.sh").chmod(0o755)
    place.deploy(site)
    expected = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    listed = subprocess.run(
        ["git", "-C", str(remote), "ls-tree", "-r", "-z", "--name-only", "gh-pages"], capture_output=True, check=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    assert {name: place.read(name) for name in names} == {**expected, ".nojekyll": b""}
    (site / "nul").unlink()
    place.deploy(site)  # what is no longer there goes
    assert place.read("nul") is None
    assert place.read("run.sh") == b"#!/bin/sh\n"


def test_another_publication_is_not_overwritten(output: Path, place: Destination, tmp_path: Path) -> None:
    other = tmp_path / "other"
    facts.queue(other, range(1))
    facts.append(other, facts.key("example.net/log"))
    place.deploy(build(other))
    with pytest.raises(LogError, match="another publication is there: example"):
        begin(output, place, NIGHTS[0])
    assert entries(output) == []


def test_a_record_that_comes_back_changed_gets_no_receipt(output: Path, place: Destination) -> None:
    begin(output, place, NIGHTS[0])
    site = build(output)
    data = (site / "d/0/1.json").read_bytes()
    files.write(site / "d/0/1.json", data.replace(b"hinge", b"binge"))
    place.deploy(site)
    with pytest.raises(VerificationError, match=r"d/0/1\.json is not the record"):
        confirm(output, place, NIGHTS[0])
    files.write(site / "d/0/1.json", data)
    (site / "d/0/0.html").unlink()
    place.deploy(site)
    with pytest.raises(VerificationError, match=r"d/0/0\.html is not there"):
        confirm(output, place, NIGHTS[0])
    files.write(site / "d/0/0.html", b"not yet published")
    place.deploy(site)
    with pytest.raises(VerificationError, match=r"d/0/0\.html does not show 2026-11-22T03:17:00Z"):
        confirm(output, place, NIGHTS[0])
    assert open_deploy(output) is not None


def test_confirming_before_the_deploy_says_no(output: Path, place: Destination) -> None:
    begin(output, place, NIGHTS[0])
    with pytest.raises(VerificationError, match="the log there does not have entry 2"):
        confirm(output, place, NIGHTS[0])
