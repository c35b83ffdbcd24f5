"""Witnesses over HTTP: what they are asked, each status code of the specification, and what is kept of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from witness import Reply, Witness, witness

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings
from generator.commands.anchoring import stamp
from generator.commands.evidence import evidence
from generator.commands.verify import verify
from generator.log.anchors.cosignatures import CosignerSecret
from generator.log.anchors.statements import read_statements
from generator.log.archive import read_ledger
from generator.log.entries import Anchored

VKEY = facts.key().verification_key.text


@pytest.fixture
def asked() -> Iterator[Witness]:
    with witness(VKEY) as told:
        yield told


@pytest.fixture
def publication(tmp_path: Path, asked: Witness) -> Publication:
    facts.archive(tmp_path / "output", 2, published=facts.TIME)
    (tmp_path / "w.toml").write_text(f'url = "{asked.url}/"\nvkey = "{asked.secret.key.text}"\n')
    settings = Settings(origin=facts.ORIGIN, vkey=VKEY, witnesses="w.toml")
    told: list[str] = []
    return Publication(tmp_path, settings, told.append, now=lambda: "2026-11-22T05:00:00Z", wait=lambda _: None)


def cosigned(publication: Publication) -> dict[str, str]:
    return dict(stamp(publication).figures["witnesses"])


def report(publication: Publication) -> list[str]:
    return publication.report.__self__  # type: ignore[attr-defined,no-any-return]


def test_each_night_continues_the_one_before(publication: Publication, asked: Witness) -> None:
    assert cosigned(publication) == {"w": asked.now}
    assert cosigned(publication) == {"w": asked.now}  # and is asked once
    facts.archive(publication.output, 3, first=2)
    assert cosigned(publication) == {"w": asked.now}
    assert asked.asked == [(0, 200), (3, 200)]
    assert asked.size == read_ledger(publication.output).size == 7
    named = [path for e in read_ledger(publication.output).entries if isinstance(e, Anchored) for path, _, _ in e.files]
    assert named == ["anchors/3/w.witness"]
    assert report(publication) == []


def test_a_witness_that_knows_another_size_is_told_from_there(publication: Publication, asked: Witness) -> None:
    assert cosigned(publication)
    (publication.output / "log/anchors/3/w.witness").unlink()  # as on a machine whose line was lost
    facts.archive(publication.output, 1, first=2)
    assert cosigned(publication) == {"w": asked.now}
    assert asked.asked == [(0, 200), (0, 409), (3, 200)]


def test_it_is_shown_packed_and_verified(publication: Publication, asked: Witness) -> None:
    cosigned(publication)
    said = f"ok    witnessed by: {asked.now} (witness w, checkpoint 3)"
    assert said in verify(publication, "1", memory=False).lines
    assert [str(one) for one in read_statements(publication.output / "log").of(1, 2)] == [f"witnessed w 3 {asked.now}"]
    whole = verify(publication, str(publication.output), memory=False).lines
    assert "ok    witnessed by: 1 cosignatures of 1 checkpoints by witness w hold under pinned keys" in whole
    evidence(publication, "1", publication.root / "1.zip")
    pack = str(publication.root / "1.zip")
    assert said in verify(publication, pack, memory=False).lines
    stranger = replace(publication, settings=replace(publication.settings, witnesses=""))
    assert not any("witnessed" in line for line in verify(stranger, pack, memory=False).lines)
    key = asked.secret.key
    trusted = verify(stranger, pack, memory=False, witnesses=(key.text,)).lines
    assert f"ok    witnessed by: {asked.now} (witness {key.name}, checkpoint 3)" in trusted
    as_observer = verify(stranger, pack, memory=False, observers=(key.text,)).lines
    assert "--    public by: no evidence" in as_observer  # a witness has not seen that anything was public


OTHER = CosignerSecret("witness.example/w", bytes([6]) * 32)
BODY = "example.org/prior-art/log\n3\n" + "A" * 43 + "=\n"
LIES: dict[str, tuple[Callable[[int, bytes], Reply], str]] = {
    "400": (lambda *_: (400, b""), "was not understood"),
    "403": (lambda *_: (403, b""), "does not know the key"),
    "404": (lambda *_: (404, b""), "does not know this log"),
    "422": (lambda *_: (422, b""), "another history"),
    "429": (lambda *_: (429, b""), "too often"),
    "500": (lambda *_: (500, b"<html>"), "answered 500"),
    "a larger size": (lambda *_: (409, b"9\n"), "has seen 9 entries; this log has 3"),
    "another size each time": (lambda *_: (409, b"2\n"), "named another size 3 times"),
    "a size that is no number": (lambda *_: (409, b"x"), "answered 409"),
    "HTML": (lambda *_: (200, b"<!doctype html>"), "0 lines of its answer"),
    "nothing": (lambda *_: (200, b""), "0 lines of its answer"),
    "two lines": (lambda _, body: (200, body * 2), "2 lines of its answer"),
    "another key": (lambda *_: (200, OTHER.cosign(BODY, "2026-11-22T05:00:00Z").encode()), "is not by"),
    "a changed line": (lambda _, body: (200, body[:60] + body[60:72].swapcase() + body[72:]), "not for this check"),
    "a line cut off": (lambda _, body: (200, body[:60] + b"\n"), "not one line"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_witness_that_refuses_or_lies_is_named_and_nothing_is_kept(
    lie: str, publication: Publication, asked: Witness
) -> None:
    asked.change, said = LIES[lie]
    assert cosigned(publication) == {}
    (line,) = report(publication)
    assert line.startswith("stamp: witness w did not cosign checkpoint 3: ")
    assert said in line
    assert not (publication.output / "log/anchors").exists()
    asked.change = lambda status, body: (status, body)
    facts.archive(publication.output, 1, first=2)
    assert cosigned(publication) == {"w": asked.now}  # the next night covers it


def test_a_line_of_the_future_is_refused(publication: Publication, asked: Witness) -> None:
    asked.now = "2026-11-23T05:00:00Z"
    assert cosigned(publication) == {}
    assert "lies in the future" in report(publication)[0]


def test_a_fork_is_refused_by_the_witness(publication: Publication, asked: Witness, tmp_path: Path) -> None:
    assert cosigned(publication)
    fork = replace(publication, root=tmp_path / "fork")
    facts.archive(fork.output, 4, first=7, published=facts.TIME)
    (fork.root / "w.toml").write_bytes((publication.root / "w.toml").read_bytes())
    assert cosigned(fork) == {}
    assert "the consistency proof was refused: it has seen another history" in report(fork)[0]


def test_a_witness_that_is_down(publication: Publication) -> None:
    (publication.root / "w.toml").write_text(
        (publication.root / "w.toml").read_text().replace("http://127.0.0.1:", "http://127.0.0.1:1/")
    )
    outcome: Outcome = stamp(publication)
    assert outcome.ok
    assert outcome.figures["witnesses"] == {}
    assert "cannot be reached" in report(publication)[0]


def test_one_key_is_not_an_observer_and_a_witness(publication: Publication) -> None:
    (publication.root / "o.toml").write_bytes((publication.root / "w.toml").read_bytes())
    twice = replace(publication, settings=replace(publication.settings, observers="o.toml"))
    with pytest.raises(ConfigError, match="one name or one key"):
        stamp(twice)
