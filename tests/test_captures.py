"""Captures by a web archive over HTTP: what is asked for, what counts, what is kept, and how it is told."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import facts
import pytest
from web_archive import WebArchive, web_archive

from generator.base.errors import LogError, VerificationError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.anchoring import capture
from generator.commands.evidence import evidence
from generator.commands.verify import verify
from generator.log.anchors import captured
from generator.log.anchors.statements import read_statements
from generator.log.archive import read_ledger, record_path
from generator.publish import capturing

NOW, WHEN = "2026-11-22T05:30:00Z", "2026-11-22T05:15:00Z"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archive() -> Iterator[WebArchive]:
    with web_archive() as told:
        yield told


@pytest.fixture
def publication(tmp_path: Path, archive: WebArchive) -> Iterator[Publication]:
    """Two disclosures that are served, and a log; the pages are any bytes, for an archive reads none."""
    output, public = facts.archive(tmp_path / "output", 2, published=facts.TIME), tmp_path / "public"
    for serial in (0, 1):
        (public / "d/0").mkdir(parents=True, exist_ok=True)
        (public / f"d/0/{serial}.html").write_text(f"<!doctype html>page {serial}")
        (public / f"d/0/{serial}.json").write_bytes(record_path(output, serial).read_bytes())
    (public / "log/checkpoints").mkdir(parents=True)
    (public / "log/checkpoints/3").write_bytes((output / "log/checkpoints/3").read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(public))) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        site, vkey = f"http://127.0.0.1:{server.server_port}/", facts.key().verification_key.text
        settings = Settings(origin=facts.ORIGIN, vkey=vkey, site_url=site, archive=archive.url)
        told: list[str] = []
        yield Publication(tmp_path, settings, told.append, now=lambda: NOW, wait=lambda _: None)
        server.shutdown()
        thread.join()


def run(publication: Publication) -> list[str]:
    """What was said, its own last line left out."""
    told: list[str] = publication.report.__self__  # type: ignore[attr-defined]
    told.clear()
    capture(publication, read_ledger(publication.output))
    return told[:-1]


def receipts(publication: Publication) -> list[str]:
    return [one.path for one in captured.captures(publication.output / "log")]


FILES = ["log/checkpoints/3", "d/0/0.html", "d/0/0.json", "d/0/1.html", "d/0/1.json"]


def test_what_is_public_is_captured_once_and_told(publication: Publication, archive: WebArchive) -> None:
    assert run(publication) == []
    assert receipts(publication) == FILES
    assert run(publication) == []
    assert len(archive.jobs) == 5
    (path,) = (publication.output / "log/anchors/3").iterdir()
    assert path.name == "20261122053000.captures"
    assert path.stat().st_size < 2 * 300 + 300
    host = archive.url.removeprefix("http://")
    statements = read_statements(publication.output / "log")
    assert [str(one) for one in statements.of(1, 2)] == [f"captured {host} 3 {WHEN}"]
    address = f"{archive.url}/web/20261122051500/{publication.settings.site_url}d/0/1.html"
    said = f"--    captured: {WHEN} by a receipt of the publisher; the archive itself can say: {address}"
    assert said in verify(publication, "1", memory=False).lines
    assert any(
        line.startswith("--    captured: 5 receipts") for line in verify(publication, str(publication.output)).lines
    )
    pack = publication.root / "1.zip"
    evidence(publication, "1", pack)
    lines = verify(publication, str(pack), memory=False).lines
    assert said in lines
    assert not any("0.html" in line for line in lines)
    facts.archive(publication.output, 1, first=5)
    assert verify(publication, str(publication.output)).ok


def test_what_one_night_leaves_the_next_one_goes_on_with(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capturing, "MOST", 2)
    for night, count in enumerate((2, 4, 5)):
        run(replace(publication, now=lambda n=night: f"2026-11-2{2 + n}T05:30:00Z"))  # type: ignore[misc]
        assert receipts(publication) == FILES[:count]


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another page": ({"holds": b"another page"}, "holds another page"),
    "an empty page": ({"holds": b""}, "holds another page"),
    "HTML": ({"body": b"<!doctype html>"}, "with no JSON object"),
    "a list": ({"body": b"[]"}, "with no JSON object"),
    "an error": ({"says": {"status": "error"}}, "could not capture it"),
    "another address": ({"says": {"original_url": "https://example.net/"}}, "captured something else"),
    "for ever pending": ({"says": {"status": "pending"}}, "the next night asks again"),
    "no time": ({"says": {"timestamp": "now"}}, "names no time"),
    "no day": ({"stamp": "20261399051500"}, "names the time"),
    "the future": ({"stamp": "20271122051500"}, "lies in the future"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_archive_that_lies_is_named_and_nothing_is_kept(
    lie: str, publication: Publication, archive: WebArchive
) -> None:
    changes, said = LIES[lie]
    for name, value in changes.items():
        setattr(archive, name, value)
    lines = run(publication)
    assert len(lines) == 5
    assert all(said in line for line in lines), lines
    assert not (publication.output / "log/anchors").exists()


@pytest.mark.parametrize("slow", [True, False])
def test_an_archive_that_is_down_or_slow_is_asked_once(
    slow: bool, publication: Publication, archive: WebArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.seconds = 2.0
    monkeypatch.setattr(capturing, "SECONDS", 0.3)
    settings = publication.settings if slow else replace(publication.settings, archive="http://127.0.0.1:1")
    (line,) = run(replace(publication, settings=settings))
    assert "cannot be asked" in line
    assert not (publication.output / "log/anchors").exists()


def test_a_page_that_is_not_public_is_not_captured(publication: Publication) -> None:
    (publication.root / "public/d/0/1.html").unlink()
    (line,) = run(publication)
    assert line == "capture: d/0/1.html: it is not public"
    assert "d/0/1.html" not in receipts(publication)


@pytest.mark.parametrize("change", [b"", b"x", b"archive x\n", b"\xff\xfe"])
def test_a_file_that_is_no_receipt_is_refused(change: bytes, publication: Publication) -> None:
    run(publication)
    (path,) = (publication.output / "log/anchors/3").iterdir()
    path.write_bytes(change)
    with pytest.raises(LogError, match="is not written as"):
        receipts(publication)
    with pytest.raises(VerificationError, match="captured: anchors/3"):
        facts.audit(publication.output)


def test_each_line_of_a_receipt_is_of_its_form(publication: Publication) -> None:
    run(publication)
    (path,) = (publication.output / "log/anchors/3").iterdir()
    text = path.read_text()
    for old, new in (("sha256:", "sha1:"), ("T05", "T25"), ("\n", "\r\n"), ("archive http", "archive ftp")):
        with pytest.raises(LogError):
            captured.parse(text.replace(old, new).encode(), 3)
