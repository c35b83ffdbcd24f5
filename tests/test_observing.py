"""Observers over HTTP: what they look at, what they complain of, what is collected of them, and what verify prints."""

import contextlib
import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import facts
import pytest
from site_fixture import build_site

from generator.base.errors import ConfigError, KeyUnusable, LogError, PressError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings
from generator.commands.anchoring import stamp
from generator.commands.evidence import evidence
from generator.commands.observe import observe
from generator.commands.verify import verify
from generator.log.anchors.cosignatures import CosignerKey, CosignerSecret, cosigned_at, load_observers
from generator.log.anchors.statements import read_statements
from generator.log.note import Checkpoint

VKEY = facts.key().verification_key.text
SOON = "2026-11-22T05:00:00Z"
NAMED = CosignerSecret("example.net/observer", bytes([9]) * 32)
OTHER = CosignerSecret("example.net/observer", bytes([5]) * 32)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served."""
    folder = tmp_path_factory.mktemp("public")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Outputs with their sites: the first night, the second, and a fork of the second by the same key."""
    base = tmp_path_factory.mktemp("nights")
    one = facts.archive(base / "one", 2, published=facts.TIME)
    found = {"one": one}
    for name, first in (("two", 2), ("fork", 7)):
        shutil.copytree(one, base / name)
        found[name] = facts.archive(base / name, 1, first=first)
        facts.publish(found[name], "2026-11-23T03:17:00Z", [3])
    for output in found.values():
        build_site(output, origin=facts.ORIGIN, vkey=VKEY)
    return found


@pytest.fixture
def public(served: tuple[Path, str], nights: dict[str, Path]) -> Callable[[str], Path]:
    """Serve the site of a night."""

    def serve(name: str) -> Path:
        shutil.rmtree(served[0] / "site", ignore_errors=True)
        shutil.copytree(nights[name] / "site", served[0] / "site")
        return served[0] / "site"

    serve("one")
    return serve


def look(tmp_path: Path, served: tuple[Path, str], now: str = SOON) -> Outcome:
    stranger = Publication(tmp_path, Settings(), lambda _: None, now=lambda: now)
    name = "example.net/observer"
    return observe(stranger, f"{served[1]}site/", VKEY, tmp_path / "observed", tmp_path / "my.key", name)


Public = Callable[[str], Path]


def test_what_is_public_is_cosigned_once(tmp_path: Path, served: tuple[Path, str], public: Public) -> None:
    outcome = look(tmp_path, served)
    assert outcome.ok, outcome.lines
    assert (tmp_path / "my.key").stat().st_mode & 0o077 == 0
    line = (tmp_path / "observed/cosignatures/3").read_bytes()
    key = CosignerKey.parse((tmp_path / "observed/vkey").read_text())
    assert outcome.figures["vkey"] == key.text
    body = Checkpoint.parse((public("one") / "log/checkpoint").read_text()).body
    assert cosigned_at(line, key, body) == SOON
    kept = sorted(path.name for path in (tmp_path / "observed/records/0").iterdir())
    assert kept == ["0.json", "1.json"]
    assert look(tmp_path, served, "2026-11-22T06:00:00Z").ok
    assert (tmp_path / "observed/cosignatures/3").read_bytes() == line


def test_a_second_night_is_a_continuation_and_a_fork_is_reported(
    tmp_path: Path, served: tuple[Path, str], public: Public
) -> None:
    assert look(tmp_path, served).ok
    public("two")
    outcome = look(tmp_path, served, "2026-11-23T04:00:00Z")
    assert outcome.ok, outcome.lines
    assert any("size 3, seen before, is a beginning of size 5" in line for line in outcome.lines)
    public("fork")
    outcome = look(tmp_path, served, "2026-11-23T05:00:00Z")
    assert outcome.ok is False
    assert "the log has forked" in outcome.lines[-1]
    (refused,) = (tmp_path / "observed/refused").iterdir()
    assert refused.read_bytes() == (public("fork") / "log/checkpoint").read_bytes()
    public("one")
    outcome = look(tmp_path, served, "2026-11-23T06:00:00Z")
    assert "the log has gone back: 3 entries now, 5 before" in outcome.lines[-1]
    assert [path.name for path in sorted((tmp_path / "observed/cosignatures").iterdir())] == ["3", "5"]


CHANGES: dict[str, Callable[[Path], None]] = {
    "a page with another claim": lambda site: change(site / "d/0/1.html", b"damped hinge of type 1", b"stiff hinge"),
    "a page that is gone": lambda site: (site / "d/0/1.html").unlink(),
    "a record that is gone": lambda site: (site / "d/0/0.json").unlink(),
    "a record of another": lambda site: shutil.copy(site / "d/0/1.json", site / "d/0/0.json") and None,
    "a proof of another": lambda site: shutil.copy(site / "d/0/1.proof", site / "d/0/0.proof") and None,
    "a date of a page": lambda site: change(site / "d/0/0.html", facts.TIME.encode(), b"2019-11-22T03:17:00Z"),
    "a tile": lambda site: change(site / "log/tile/entries/000.p/3", b"disclosure", b"disclosurf"),
    "a checkpoint of another key": lambda site: (
        (site / "log/checkpoint").write_text(
            facts.key(seed=8).sign(Checkpoint.parse((site / "log/checkpoint").read_text()).body)
        )
        and None
    ),
}


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("kind", CHANGES)
def test_nothing_is_cosigned_where_something_is_not_as_the_log_says(
    kind: str, tmp_path: Path, served: tuple[Path, str], public: Public
) -> None:
    CHANGES[kind](public("one"))
    with contextlib.suppress(PressError):
        assert look(tmp_path, served).ok is False
    assert not (tmp_path / "observed/cosignatures").exists()


def test_an_earlier_page_that_was_changed_is_found_in_a_later_run(
    tmp_path: Path, served: tuple[Path, str], public: Public
) -> None:
    assert look(tmp_path, served).ok
    change(public("two") / "d/0/1.html", b"damped hinge of type 1", b"stiff hinge")
    outcome = look(tmp_path, served, "2026-11-23T04:00:00Z")
    assert outcome.ok is False
    assert "d/0/1.html" in outcome.lines[-1]


def test_a_missing_night_is_reported(tmp_path: Path, served: tuple[Path, str], public: Public) -> None:
    outcome = look(tmp_path, served, "2026-11-24T03:18:00Z")
    assert outcome.ok is False
    assert "more than 48 hours ago" in outcome.lines[-1]


def test_a_site_that_is_not_there_could_not_be_looked_at(tmp_path: Path, served: tuple[Path, str]) -> None:
    stranger = Publication(tmp_path, Settings(), lambda _: None, now=lambda: SOON)
    look_at = functools.partial(observe, vkey=VKEY, state=tmp_path / "o", key_file=tmp_path / "k", name="a.example/o")
    for url in (f"{served[1]}nothing/", "http://127.0.0.1:1/", "ftp://x/"):
        with pytest.raises(PressError):
            look_at(stranger, url)


@pytest.mark.parametrize(("content", "name", "said"), [
    (None, "", "is no name for a new one"), (None, "a b", "is no name for a new one"),
    ("nonsense", "", "does not hold an observer's key"), (facts.key().text, "", "does not hold an observer's key"),
    (NAMED.text.replace("observer", "observes"), "", "own key id"),
])  # fmt: skip
def test_a_key_that_is_none_is_refused(content: str | None, name: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "my.key"
    if content is not None:
        path.write_text(content)
    stranger = Publication(tmp_path, Settings(), lambda _: None)
    with pytest.raises((KeyUnusable, ConfigError), match=said) as caught:
        observe(stranger, "http://127.0.0.1:1/", VKEY, tmp_path / "o", path, name)
    assert NAMED.text.rpartition("+")[2] not in str(caught.value)


@pytest.fixture
def publication(tmp_path: Path, nights: dict[str, Path], served: tuple[Path, str]) -> Publication:
    """The publisher on the second night, with one observer who is there and one who is not."""
    shutil.copytree(nights["two"], tmp_path / "output")
    (tmp_path / "alice.toml").write_text(f'url = "{served[1]}alice/"\nvkey = "{NAMED.key.text}"\n')
    (tmp_path / "bob.toml").write_text(f'url = "http://127.0.0.1:1/"\nvkey = "{OTHER.key.text}"\n')
    shutil.rmtree(served[0] / "alice", ignore_errors=True)
    settings = Settings(origin=facts.ORIGIN, vkey=VKEY, observers="alice.toml bob.toml")
    told: list[str] = []
    return Publication(tmp_path, settings, told.append, now=lambda: "2026-11-24T00:00:00Z", wait=lambda _: None)


def say(served: tuple[Path, str], size: int, line: bytes | str) -> None:
    path = served[0] / "alice" / "cosignatures" / str(size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(line if isinstance(line, bytes) else line.encode())


def body(publication: Publication, size: int) -> str:
    return Checkpoint.parse((publication.output / f"log/checkpoints/{size}").read_text()).body


def report(publication: Publication) -> list[str]:
    return publication.report.__self__  # type: ignore[attr-defined,no-any-return]


def test_cosignatures_are_collected_shown_logged_and_packed(publication: Publication, served: tuple[Path, str]) -> None:
    say(served, 3, NAMED.cosign(body(publication, 3), "2026-11-22T05:00:00Z"))
    say(served, 4, NAMED.cosign(body(publication, 4), "2026-11-23T02:00:00Z"))
    assert stamp(publication).figures["observers"] == {"alice": "2026-11-23T02:00:00Z"}
    (said,) = report(publication)
    assert said.startswith("stamp: observer bob cannot be asked: http://127.0.0.1:1/cosignatures/")
    output = publication.output
    said = "ok    public by: 2026-11-22T05:00:00Z (observer alice, checkpoint 3)"
    assert said in verify(publication, "1", memory=False).lines
    assert "--    public by: no evidence" in verify(publication, "3", memory=False).lines  # dated by entry 4
    say(served, 5, NAMED.cosign(body(publication, 5), "2026-11-23T04:00:00Z"))
    stamp(publication)
    said = "ok    public by: 2026-11-23T04:00:00Z (observer alice, checkpoint 5)"
    assert said in verify(publication, "3", memory=False).lines
    assert [str(one) for one in read_statements(output / "log").of(3, 4)] == ["public alice 5 2026-11-23T04:00:00Z"]
    assert any(step.name == "others" and "alice of 5" in step.text for step in facts.audit(output))
    assert (
        "ok    public by: 3 cosignatures of 3 checkpoints by observer alice hold under pinned keys"
        in verify(publication, str(output), memory=False).lines
    )
    evidence(publication, "3", publication.root / "3.zip")
    assert said in verify(publication, str(publication.root / "3.zip"), memory=False).lines
    stranger = replace(publication, settings=replace(publication.settings, observers=""))
    pack = str(publication.root / "3.zip")
    assert "--    public by: no evidence" in verify(stranger, pack, memory=False).lines
    trusted = verify(stranger, pack, memory=False, observers=(NAMED.key.text,)).lines
    assert "ok    public by: 2026-11-23T04:00:00Z (observer example.net/observer, checkpoint 5)" in trusted


def other_body(text: str, line: int, new: str) -> str:
    lines = text.split("\n")
    lines[line] = new
    return "\n".join(lines)


NOON = "2026-11-23T12:00:00Z"
LIES: dict[str, tuple[Callable[[str], bytes | str], str]] = {
    "another origin": (lambda b: NAMED.cosign(other_body(b, 0, "example.com/log"), NOON), "another origin, size"),
    "another size": (lambda b: NAMED.cosign(other_body(b, 1, "4"), NOON), "another origin, size"),
    "another root": (lambda b: NAMED.cosign(other_body(b, 2, "A" * 43 + "="), NOON), "another origin, size"),
    "another key": (lambda b: OTHER.cosign(b, NOON), "is not by example.net/observer"),
    "another name": (lambda b: NAMED.cosign(b, NOON).replace("observer", "observes"), "is not by example.net"),
    "the future": (lambda b: NAMED.cosign(b, "2026-12-01T00:00:00Z"), "lies in the future"),
    "two lines": (lambda b: NAMED.cosign(b, NOON) * 2, "not one line"),
    "HTML": (lambda _: "<!doctype html>", "not one line"),
    "nothing": (lambda _: "", "not one line"),
    "bytes": (lambda _: b"\xff" * 500, "not one line"),
    "the log's own": (lambda b: facts.key().sign(b).rpartition("\n\n")[2], "not one line"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_observer_who_lies_is_named_and_nothing_is_kept(
    lie: str, publication: Publication, served: tuple[Path, str]
) -> None:
    make, said = LIES[lie]
    say(served, 5, make(body(publication, 5)))
    assert stamp(publication).figures["observers"] == {}
    assert any(
        said in line and "observer alice gave no cosignature of checkpoint 5" in line for line in report(publication)
    )
    assert not (publication.output / "log/anchors").exists()


def test_each_bit_of_a_cosignature_counts(publication: Publication) -> None:
    text = body(publication, 5)
    line = NAMED.cosign(text, NOON).encode()
    assert cosigned_at(line, NAMED.key, text) == NOON
    for place in range(len(line) * 8):
        changed = bytearray(line)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(LogError):
            cosigned_at(bytes(changed), NAMED.key, text)


@pytest.mark.parametrize(("text", "said"), [
    ('url = "ftp://x/"\nvkey = "K"', "no http address"), ('url = "http://x.example"', "vkey"),
    ('url = "http://x.example"\nvkey = "k"', "not of the form"), ("url =", "Invalid value"),
    (f'url = "http://x.example"\nvkey = "{VKEY}"', "not of the form"),
])  # fmt: skip
def test_a_file_of_an_observer_says_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text.replace('"K"', f'"{NAMED.key.text}"'))
    with pytest.raises((ConfigError, KeyUnusable), match=said):
        load_observers("a.toml", tmp_path)


def test_a_file_of_an_observer_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PressError, match="cannot be read"):
        load_observers("none.toml", tmp_path)
