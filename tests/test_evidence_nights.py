"""Whole nights with all who are not us: two authorities, a calendar, a witness, an archive and two observers over HTTP.

The observers are processes of their own, in an empty folder, and know what docs/observing.md says and nothing else.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import authority
import facts
import pytest
from authority import Server, serving
from calendars import EASIEST, Calendar, calendar
from web_archive import WebArchive, web_archive
from witness import Witness, witness

from generator.base.fetch import fetch, post
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings
from generator.commands.anchoring import stamp
from generator.commands.evidence import evidence
from generator.commands.nightly import append, build, check, publish
from generator.commands.verify import verify
from generator.log.anchors import opentimestamps
from generator.log.archive import read_ledger
from generator.log.entries import Anchored
from generator.publish import calendars as asking
from generator.publish import stamping, witnessing
from generator.site.check import read_page

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
VKEY = facts.key().verification_key.text
OBSERVERS = ("alice", "bob")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def folder_server(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class World:
    """`at` is the publisher; `public` what a web host serves for it, `others` where the observers put their lines."""

    at: Publication
    public: Path
    url: str
    others: Path
    authorities: tuple[Server, Server]
    blocks: Calendar
    witness: Witness
    archive: WebArchive

    def observe(self, name: str) -> subprocess.CompletedProcess[str]:
        """What docs/observing.md tells a stranger to type, in a folder and an environment of the stranger's own."""
        home = self.others / name
        home.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        words = ["observe", self.url, "--vkey", VKEY, "--key", "observer.key", "--name", f"{name}.example/observer"]
        command = [sys.executable, "-m", "generator", *words]
        return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)

    def night(self, records: range) -> None:
        facts.queue(self.at.output, records)
        append(self.at, None)
        outcome = publish(self.at)
        assert outcome.ok, outcome.lines


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three nights; each observer looked after the first two."""
    root = tmp_path_factory.mktemp("nights")
    made = {name: authority.make(root / name) for name in ("one", "two")}
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.ExitStack() as open_,
    ):
        patch.setattr(opentimestamps, "FLOOR", EASIEST)
        servers = [open_.enter_context(serving(partial(authority.reply, made[name]))) for name in made]
        for name, server in zip(made, servers, strict=True):
            text = f'url = "{server.url}"\nroot = "{name}/root.pem"\n'
            (root / f"{name}.toml").write_text(text)
        blocks, watcher = open_.enter_context(calendar()), open_.enter_context(witness(VKEY))
        archive = open_.enter_context(web_archive())
        (root / "w.toml").write_text(f'url = "{watcher.url}"\nvkey = "{watcher.secret.key.text}"\n')
        url = open_.enter_context(folder_server(root / "public"))
        others = open_.enter_context(folder_server(root / "others"))
        settings = Settings(
            site_url=url,
            origin=facts.ORIGIN,
            vkey=VKEY,
            demonstration=True,
            destination=f"folder:{root / 'public'}",
            authorities="one.toml two.toml",
            calendars=blocks.url,
            block_headers=blocks.url,
            witnesses="w.toml",
            archive=archive.url,
        )
        at = Publication(root, settings, print, facts.key().text, wait=lambda _: None)
        watcher.now = at.now()
        archive.stamp = re.sub("[^0-9]", "", at.now())
        found = World(at, root / "public", url, root / "others", (servers[0], servers[1]), blocks, watcher, archive)
        found.night(range(2))
        for name in OBSERVERS:
            done = found.observe(name)
            assert done.returncode == 0, done
            vkey = (found.others / name / "observed/vkey").read_text().strip()
            (root / f"{name}.toml").write_text(f'url = "{others}{name}/observed"\nvkey = "{vkey}"\n')
        found.at = replace(at, settings=replace(settings, observers="alice.toml bob.toml"))
        blocks.ready = True
        found.night(range(2, 4))
        for name in OBSERVERS:
            assert found.observe(name).returncode == 0
        found.night(range(4, 5))
        yield found


def test_every_time_is_shown_with_who_says_so(world: World) -> None:
    lines = verify(world.at, "0", memory=False).lines
    for said in (
        r"published: \S+ \(the publisher's clock, entry 2, log\)",
        r"existed by: \S+ \(one, checkpoint 3\)",
        r"existed by: \S+ \(two, checkpoint 3\)",
        r"existed by: \S+ \(Bitcoin block 900000, checkpoint 3\)",
        r"witnessed by: \S+ \(witness w, checkpoint 3\)",
        r"public by: \S+ \(observer alice, checkpoint 3\)",
        r"public by: \S+ \(observer bob, checkpoint 3\)",
    ):
        assert any(re.fullmatch(f"ok    {said}", line) for line in lines), (said, lines)
    assert any(line.startswith("--    created: ") and "own statement" in line for line in lines)
    assert any(line.startswith("--    captured: ") and "d/0/0.html" in line for line in lines)
    told = read_page((world.public / "d/0/0.html").read_bytes()).told
    host = world.archive.url.removeprefix("http://")
    who = {"captured": (host,), "existed": ("bitcoin", "one", "two"), "public": ("alice", "bob"), "witnessed": ("w",)}
    assert sorted(line.split()[:2] for line in told) == [[kind, name] for kind in who for name in who[kind]]
    for whole in (check(world.at), verify(world.at, str(world.public), memory=False)):
        assert whole.ok, whole.lines
    named = [p for e in read_ledger(world.at.output).entries if isinstance(e, Anchored) for p, _, _ in e.files]
    assert {"anchors/3/one.tsr", "anchors/3/w.witness"} <= set(named)


def test_the_pack_of_such_a_night_is_small_and_holds_everybody(world: World) -> None:
    path = world.at.root / "0.zip"
    evidence(world.at, "0", path)
    assert path.stat().st_size < 40_000
    lines = verify(world.at, str(path), memory=False).lines
    for who in ("one", "two", "Bitcoin block 900000", "witness w", "observer alice", "observer bob"):
        assert any(line.startswith("ok ") and f"({who}, checkpoint 3)" in line for line in lines), (who, lines)


def test_a_nights_evidence_is_small_whatever_the_number_of_disclosures(world: World) -> None:
    log = world.at.output / "log"
    sizes = {p.name: sum(f.stat().st_size for f in p.iterdir()) for p in (log / "anchors").iterdir()}
    entries = [len(str(e)) for e in read_ledger(world.at.output).entries if isinstance(e, Anchored)]
    print("evidence of a night in bytes:", sizes, "entries:", entries)
    assert max(sizes.values()) + max(entries) <= 15_000


def again(world: World, tmp_path: Path, told: list[str]) -> Publication:
    """The publisher on the next night, on a copy; nobody is waited for longer than a second."""
    root = tmp_path / "copy"
    names = shutil.ignore_patterns("others", "public", "site", "pages")
    shutil.copytree(world.at.root, root, ignore=names)
    facts.archive(root / "output", 1, first=20)
    quick = {"fetch": partial(fetch, timeout_seconds=1.5), "post": post, "report": told.append}
    return replace(world.at, root=root, **quick)  # type: ignore[arg-type]


def down(at: Publication, name: str) -> None:
    text = (at.root / f"{name}.toml").read_text()
    (at.root / f"{name}.toml").write_text(re.sub(r'url = "http://127.0.0.1:\d+', 'url = "http://127.0.0.1:1', text))


PARTIES = ("one", "two", "calendar", "w", "alice", "bob")


@pytest.mark.parametrize("how", ["down", "slow", "lying"])
@pytest.mark.parametrize("party", PARTIES)
def test_each_in_turn_down_slow_or_lying_stops_nothing_and_is_named(
    party: str, how: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    at = again(world, tmp_path, told)
    for module in (stamping, asking, witnessing):
        monkeypatch.setattr(module, "SECONDS", 1.5)
    host = "127-0-0-1"
    with spoilt(world, at, party, how) as changed:
        outcome = stamp(changed)
    assert outcome.ok
    named = [line for line in told if (host if party == "calendar" else f" {party} ") in line]
    assert named, told
    assert len(told) == len(named), told
    kept = {path.name for path in (at.output / "log/anchors").rglob("*.*") if path.parent.name == str(size(at))}
    others = {"one": "one.tsr", "two": "two.tsr", "w": "w.witness"}
    assert {file for name, file in others.items() if name != party} <= kept
    assert others.get(party, "-") not in kept
    assert any(name.endswith(".ots") for name in kept) is (party != "calendar")


def size(at: Publication) -> int:
    return read_ledger(at.output).size


@contextlib.contextmanager
def spoilt(world: World, at: Publication, party: str, how: str) -> Iterator[Publication]:
    """Somebody does not answer, answers late, or answers with something else."""
    servers: dict[str, Any] = dict(zip(("one", "two"), world.authorities, strict=True))
    if how == "down" and party == "calendar":
        yield replace(at, settings=replace(at.settings, calendars="http://127.0.0.1:1/"))
    elif how == "down":
        down(at, party)
        yield at
    elif party in OBSERVERS:
        with odd_server(3.0 if how == "slow" else 0.0) as url:
            text = (at.root / f"{party}.toml").read_text()
            (at.root / f"{party}.toml").write_text(re.sub('url = ".*"', f'url = "{url}"', text))
            yield at
    elif how == "slow":
        target, field = (world.witness, "slow") if party == "w" else (servers.get(party, world.blocks), "seconds")
        with changed(target, field, 3.0):
            yield at
    elif party == "w":
        with changed(world.witness, "change", lambda *_: (200, b"<!doctype html>\n")):
            yield at
    elif party == "calendar":
        with changed(world.blocks, "answers", {"digest": lambda _: b"<!doctype html>"}):
            yield at
    else:
        with changed(servers[party], "answer", lambda _: b"<!doctype html>"):
            yield at


@contextlib.contextmanager
def changed(target: Any, field: str, value: Any) -> Iterator[None]:
    before = getattr(target, field)
    setattr(target, field, value)
    try:
        yield
    finally:
        setattr(target, field, before)


@contextlib.contextmanager
def odd_server(seconds: float) -> Iterator[str]:
    """Says the same to everybody, after some seconds."""

    class Odd(Quiet):
        def do_GET(self) -> None:
            time.sleep(seconds)
            self.send_response(200)
            self.send_header("Content-Length", "15")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b"<!doctype html>")

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_two_stamps_with_replies_at_a_second_each_take_less_than_20_s(world: World, tmp_path: Path) -> None:
    at = again(world, tmp_path, [])
    with changed(world.authorities[0], "seconds", 1.0), changed(world.authorities[1], "seconds", 1.0):
        begun = time.monotonic()
        outcome: Outcome = stamp(at)
        took = time.monotonic() - begun
    print(f"stamp: {took:.1f} s")
    assert set(outcome.figures["stamps"]) == {"one", "two"}
    assert took < 20


def test_a_fork_made_on_purpose_is_reported_within_one_run(world: World) -> None:
    """Last: another history, signed by the same key, is served at the same address."""
    fork = replace(world.at, root=world.at.root / "fork")
    facts.archive(fork.output, 9, first=40)
    facts.publish(fork.output, world.at.now(), range(9))
    build(
        replace(
            fork, settings=replace(fork.settings, observers="", witnesses="", authorities="", calendars="", archive="")
        )
    )
    honest = world.public.with_name("honest")
    shutil.copytree(world.public, honest)
    shutil.rmtree(world.public)
    shutil.copytree(fork.site, world.public)
    for name in OBSERVERS:
        done = world.observe(name)
        assert done.returncode == 1, done
        assert "the log has forked" in done.stdout + done.stderr
        assert list((world.others / name / "observed/refused").iterdir())
