"""One history: a log that was lost, set back or exchanged is never signed on, wherever the newer copy is found."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import facts
import nights
import pytest

from generator.base.errors import ConfigError, LogError, PressError
from generator.base.publication import Publication
from generator.base.settings import is_local
from generator.commands import nightly
from generator.log import append as log
from generator.log.archive import current, queued
from generator.log.entries import Dated, Withdrawn
from generator.log.ledger import Ledger
from generator.publish.history import Copy, require_one_history

TIME = "2026-12-01T03:00:00Z"


def git(*words: object) -> str:
    return subprocess.run(["git", *map(str, words)], capture_output=True, check=True, text=True).stdout.strip()


def machine(root: Path, name: str, public: bytes | None, branch: bool = True) -> Publication:
    """A machine with the settings and the key; `public` is the checkpoint at the site's address."""
    settings = replace(nights.SETTINGS, facts_remote=str(root / "facts.git") if branch else "")

    def fetch(url: str) -> bytes | None:
        assert url == "https://example.org/repo/log/checkpoint"
        return public

    return Publication(
        root / name, settings, lambda _: None, facts.key().text, lambda: TIME, fetch, lambda _: None
    )  # fmt: skip


def published(root: Path) -> bytes:
    """Two batches on the branch, from one machine; the newest checkpoint, as the site serves it."""
    git("init", "--quiet", "--bare", root / "facts.git")
    first = machine(root, "first", None)
    for numbers in (range(3), range(3, 5)):
        facts.queue(first.output, numbers)
        nightly.append(first, None)
    return (first.output / "log" / "checkpoint").read_bytes()


def deleted(root: Path) -> None:
    git("-C", root / "facts.git", "update-ref", "-d", "refs/heads/publication")


def set_back(commits: int) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        git("-C", root / "facts.git", "update-ref", "refs/heads/publication", f"publication~{commits}")

    return change


def foreign(origin: str, seed: int, count: int) -> Callable[[Path], None]:
    """Another log on the branch: of another origin, by another key, or by the same key with other records."""

    def change(root: Path) -> None:
        deleted(root)
        key = facts.key(origin, seed)
        other = replace(machine(root, f"foreign-{seed}-{count}", None), secret=key.text)
        other = replace(other, settings=replace(other.settings, origin=origin, vkey=key.verification_key.text))
        facts.queue(other.output, range(100, 100 + count))
        nightly.append(other, None)

    return change


DAMAGE = {
    "deleted": deleted,
    "set back to the batch before": set_back(2),
    "set back to a staged batch": set_back(1),
    "set back to the first commit": set_back(3),
    "another origin": foreign("example.net/log", 7, 3),
    "another key": foreign(facts.ORIGIN, 9, 3),
    "the same key, fewer records": foreign(facts.ORIGIN, 7, 2),
    "the same key, as many records": foreign(facts.ORIGIN, 7, 5),
    "the same key, more records": foreign(facts.ORIGIN, 7, 9),
    "another key, more records": foreign(facts.ORIGIN, 9, 9),
}


@pytest.mark.parametrize("where", ["the address", "the destination"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_fresh_machine_signs_nothing(tmp_path: Path, damage: str, where: str) -> None:
    newest = published(tmp_path)
    DAMAGE[damage](tmp_path)
    tips = git("-C", tmp_path / "facts.git", "for-each-ref")
    fresh = machine(tmp_path, "fresh", newest if where == "the address" else None)
    facts.queue(fresh.output, range(5, 7))
    (tmp_path / "public" / "log").mkdir(parents=True)
    (tmp_path / "public" / "log" / "checkpoint").write_bytes(newest)
    to = f"folder:{tmp_path / 'public'}"
    place = nightly._destination(fresh, to) if where == "the destination" else None
    with pytest.raises(PressError) as caught:
        nightly._append(fresh, None, Ledger(), place)
    assert caught.value.hint
    assert git("-C", tmp_path / "facts.git", "for-each-ref") == tips
    signed = current(fresh.output)
    assert signed is None or signed.size <= 9
    assert not list((fresh.output / "log").glob("checkpoints/*7")) or "more" in damage
    assert len(queued(fresh.output)) == 2
    if log.staged(fresh.output):
        assert damage in ("set back to a staged batch", "set back to the first commit")  # not signed there either


def test_an_output_from_a_backup_signs_nothing_without_a_branch(tmp_path: Path) -> None:
    here = machine(tmp_path, "here", None, branch=False)
    facts.archive(here.output, 3)
    shutil.copytree(here.output, tmp_path / "backup")
    facts.archive(here.output, 2, first=3)
    newest = (here.output / "log" / "checkpoint").read_bytes()
    for public in (newest, None):  # found at the address; found in the site that was built here
        back = machine(tmp_path, f"back-{public is None}", public, branch=False)
        shutil.copytree(tmp_path / "backup", back.output)
        if public is None:
            (back.site / "log").mkdir(parents=True)
            (back.site / "log" / "checkpoint").write_bytes(newest)
        facts.queue(back.output, range(5, 6))
        with pytest.raises(LogError, match=r"has 5 entries, the log in .* has 3") as caught:
            nightly.append(back, None)
        assert "When the log is lost" in caught.value.hint
        assert (back.output / "log" / "checkpoint").read_bytes() != newest
        assert log.staged(back.output) is None
        shutil.rmtree(back.output)
        shutil.copytree(here.output, back.output)  # as the hint says
        facts.queue(back.output, range(5, 6))
        assert nightly.append(back, None).figures == {"added": 1, "size": 6}


def test_two_logs_of_one_size_are_told(tmp_path: Path) -> None:
    facts.archive(tmp_path / "a", 3)
    facts.archive(tmp_path / "b", 4, first=1)
    note = (tmp_path / "a" / "log" / "checkpoint").read_bytes()
    for output, why in ((tmp_path / "b", "does not continue the log there"), (tmp_path / "none", "has 0")):
        with pytest.raises(LogError, match=why):
            require_one_history(output, facts.key(), [Copy("https://example.org/", note)])
    require_one_history(tmp_path / "a", facts.key(), [Copy("https://example.org/", note)])


@pytest.mark.parametrize("body", [b"", b"<html>home</html>", b"\xff", b"a\n1\nAAAA\n"])
def test_what_is_no_checkpoint_is_told(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(LogError, match="not a checkpoint of this log"):
        require_one_history(tmp_path, facts.key(), [Copy("https://example.org/", body)])


def test_an_address_that_cannot_be_asked_stops_the_signing_but_not_on_this_machine(tmp_path: Path) -> None:
    def unreachable(url: str) -> bytes | None:
        raise PressError(f"{url}: cannot be reached")

    here = replace(machine(tmp_path, "here", None, branch=False), fetch=unreachable)
    facts.queue(here.output, range(1))
    with pytest.raises(LogError, match="cannot be looked at") as caught:
        nightly.append(here, None)
    assert "404" in caught.value.hint
    assert len(queued(here.output)) == 1
    local = replace(here, settings=replace(here.settings, site_url="http://localhost:8000/"))
    assert nightly.append(local, None).figures["size"] == 1


def test_an_empty_queue_asks_nobody(tmp_path: Path) -> None:
    def never(url: str) -> bytes | None:
        raise AssertionError(url)

    assert nightly.append(replace(machine(tmp_path, "a", None, False), fetch=never), None).figures["added"] == 0


@pytest.mark.parametrize("seconds", [-3600, -61, 61, 86400 * 365])
def test_a_clock_that_differs_from_the_web_servers_dates_nothing(tmp_path: Path, seconds: int) -> None:
    other = datetime.fromtimestamp(datetime.fromisoformat(TIME).timestamp() + seconds, UTC)
    here = replace(machine(tmp_path, "here", None, branch=False), server_time=lambda _: other)
    facts.archive(here.output, 2)
    place = nightly._destination(here, f"folder:{tmp_path / 'public'}")
    with pytest.raises(LogError, match="this machine's clock says 2026-12-01T03:00:00Z"):
        nightly._begin(here, place, None, None)
    assert current(here.output).size == 2  # type: ignore[union-attr]
    near = replace(here, server_time=lambda _: datetime.fromisoformat("2026-12-01T03:00:59Z"))
    assert nightly._begin(near, place, None, None)[0].figures["disclosures"] == 2


@pytest.mark.parametrize(
    ("now", "why"),
    [("2026-11-29T00:00:00Z", "lies before 2026-11-30"), ("2020-01-01T00:00:00Z", "was made at")],
)
def test_times_only_grow(tmp_path: Path, now: str, why: str) -> None:
    here = replace(machine(tmp_path, "here", None, branch=False), now=lambda: now)
    facts.archive(here.output, 2, published="2026-11-30T00:00:00Z")
    facts.archive(here.output, 1, first=2)
    before = facts.entries(here.output)
    with pytest.raises(LogError, match=why):
        nightly._begin(here, nightly._destination(here, f"folder:{tmp_path / 'public'}"), None, None)
    assert facts.entries(here.output) == before
    assert log.staged(here.output) is None


def test_a_deploy_with_a_receipt_is_not_replaced(tmp_path: Path) -> None:
    facts.archive(tmp_path, 2, published="2026-11-23T00:00:00Z")
    facts.files.write(tmp_path / "log" / "deploys" / "2.json", b"{}")
    with pytest.raises(LogError, match="whose deploy became public"):
        facts.publish(tmp_path, "2026-11-24T00:00:00Z", [0, 1], replaces=2)
    assert len(facts.entries(tmp_path)) == 3


@pytest.mark.parametrize(
    "entry",
    [Dated("2020-01-01T00:00:00Z", ((0, 0),), 2), Dated(TIME, ((3, 9),)), Withdrawn(9, "error", "0" * 64)],
)
def test_an_entry_that_cannot_be_true_is_not_signed(tmp_path: Path, entry: Dated | Withdrawn) -> None:
    facts.archive(tmp_path, 2, published="2026-11-23T00:00:00Z")
    with pytest.raises(LogError, match="would say what cannot be"):
        facts.add(tmp_path, entry)
    assert len(facts.entries(tmp_path)) == 3
    facts.add(tmp_path, Withdrawn(0, "error", "0" * 64))
    assert len(facts.entries(tmp_path)) == 4


def test_nothing_is_signed_for_localhost_with_a_remote_or_without_a_pinned_key(tmp_path: Path) -> None:
    for changes, why in (
        ({"origin": "localhost:8000/log", "facts_remote": "x", "demonstration": False}, "pushed to a remote"),
        ({"vkey": ""}, "pin no verification key"),
    ):
        here = machine(tmp_path, "here", None, branch=False)
        here = replace(here, settings=replace(here.settings, **changes))  # type: ignore[arg-type]
        facts.queue(here.output, range(1))
        with pytest.raises(ConfigError, match=why):
            nightly.append(here, None)
        assert not (here.output / "log").exists()


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://localhost:8000/", True),
        ("localhost/log", True),
        ("http://127.0.0.1/x", True),
        ("http://[::1]:80/", True),
        ("demo.localhost/log", True),
        ("https://example.org/localhost/", False),
        ("localhost.example.org/log", False),
        ("https://[2001:db8::1]/", False),
    ],
)
def test_which_addresses_are_this_machine(address: str, local: bool) -> None:
    assert is_local(address) is local
