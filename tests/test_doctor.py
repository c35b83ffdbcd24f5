"""`doctor`: each thing that would stop a night is found before it, and named."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import facts
import pytest

from generator.base import files
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.doctor import doctor

KEY = facts.key()
NOW = "2026-11-22T03:17:00Z"
GOOD = Settings(
    title="Open Claims",
    publisher="Example",
    contact="a@example.org",
    imprint="Example",
    site_url="https://example.org/prior-art/",
    vkey=KEY.verification_key.text,
    profile="starter",
)


def look(
    root: Path, settings: Settings = GOOD, secret: str = KEY.text, **changes: Any
) -> dict[str, list[tuple[str, str]]]:
    """State and text of each check, by name."""
    publication = Publication(root, settings, lambda _: None, secret, lambda: NOW, lambda _: None, lambda _: None)
    outcome = doctor(replace(publication, **changes), None)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in outcome.figures["checks"]:
        found.setdefault(one["name"], []).append((one["state"], one["text"]))
    assert outcome.ok == (not any(state == "stop" for some in found.values() for state, _ in some))
    return found


def stops(found: dict[str, list[tuple[str, str]]]) -> list[str]:
    return [text for some in found.values() for state, text in some if state == "stop"]


def test_a_publication_that_is_well(tmp_path: Path) -> None:
    assert stops(look(tmp_path)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"site_url": "http://localhost:8000/", "origin": facts.ORIGIN}, "which nobody else can read"),
        ({"vkey": ""}, "vkey is not set"),
        ({"vkey": facts.key("example.net/log").verification_key.text}, "vkey is of the log example.net/log"),
        ({"vkey": facts.key(seed=9).verification_key.text}, "the settings pin"),
        ({"profile": "nothing"}, "neither a built-in model profile"),
        ({"topics": "nothing.txt"}, "the topics cannot be read"),
        ({"corpus": "nothing"}, "nothing is there"),
        ({"mark": "nothing.svg"}, "nothing is there"),
        ({"facts_remote": "nothing.git"}, "git ls-remote"),
    ],
)
def test_settings_that_would_stop_a_night(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    assert any(said in text for text in stops(look(tmp_path, replace(GOOD, **changes))))


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "no signing key was given"),
        (facts.key(seed=9).text, "the settings pin"),
        (facts.key("example.net/log").text, "the key signs for example.net/log"),
        ("nonsense", "not of the form"),
    ],
)
def test_a_key_that_would_stop_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, said: str) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert any(said in text for text in stops(look(tmp_path, secret=secret)))


def test_a_wrong_clock_and_a_silent_host(tmp_path: Path) -> None:
    from generator.base.errors import PressError

    other = datetime.fromisoformat(NOW).astimezone(UTC) + timedelta(hours=1)
    assert any("this machine's clock says" in text for text in stops(look(tmp_path, server_time=lambda _: other)))

    def silent(url: str) -> bytes | None:
        raise PressError(f"{url}: cannot be reached")

    assert any("cannot be reached" in text for text in stops(look(tmp_path, fetch=silent)))


def test_the_public_log_must_be_ours_and_not_old(tmp_path: Path) -> None:
    output = facts.archive(tmp_path / "output", 1)
    served = {
        "log/checkpoint": (output / "log" / "checkpoint").read_bytes(),
        "feed.json": json.dumps({"items": [{"date_published": "2026-11-19T03:17:00Z"}]}).encode(),
    }
    found = look(tmp_path, fetch=lambda url: served.get(url.removeprefix(GOOD.site_url)))
    assert [state for state, _ in found["address"]] == ["ok", "look"]
    assert "published 72 hours ago" in found["address"][1][1]
    facts.queue(tmp_path / "foreign", range(1))
    facts.append(tmp_path / "foreign", facts.key(seed=9))
    served["log/checkpoint"] = (tmp_path / "foreign" / "log" / "checkpoint").read_bytes()
    found = look(tmp_path, fetch=lambda url: served.get(url.removeprefix(GOOD.site_url)))
    assert any("no signature of the pinned key" in text for text in stops(found))


def test_a_key_in_the_repository_and_two_pins_are_found(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    files.write(tmp_path / "notes.txt", f"remember: {KEY.text}\n".encode())
    assert any("notes.txt holds a signing key" in text for text in stops(look(tmp_path)))
    (tmp_path / "notes.txt").unlink()
    workflow = tmp_path / ".github" / "workflows" / "publish.yml"
    files.write(workflow, f"uses: a/b/.github/workflows/publish.yml@{'1' * 40} # v1\ncommit: {'2' * 40}\n".encode())
    assert any("calls the workflow of 111111111111" in text for text in stops(look(tmp_path)))
    files.write(workflow, workflow.read_bytes().replace(b"2" * 40, b"1" * 40))
    assert stops(look(tmp_path)) == []


def test_a_remote_that_takes_force_pushes_is_told(tmp_path: Path) -> None:
    remote = tmp_path / "facts.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    settings = replace(GOOD, facts_remote=str(remote))
    tree = (
        subprocess.run(["git", "-C", remote, "mktree"], input=b"", capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    words = ["git", "-C", remote, "-c", "user.name=a", "-c", "user.email=a", "commit-tree", "-m", "x", tree]
    commit = subprocess.run(words, capture_output=True, check=True).stdout.decode().strip()
    subprocess.run(["git", "-C", remote, "update-ref", "refs/heads/publication", commit], check=True)
    assert [state for state, _ in look(tmp_path, settings)["branch"]] == ["ok", "look"]
    subprocess.run(["git", "-C", remote, "config", "receive.denyNonFastForwards", "true"], check=True)
    assert [state for state, _ in look(tmp_path, settings)["branch"]] == ["ok"]
