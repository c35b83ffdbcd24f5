"""OpenTimestamps: the format, headers and their work, a calendar over HTTP that is late, lies, drips or is down."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import calendars
import facts
import pytest
from calendars import EASIEST, TIME, Calendar, bitcoin, calendar, mined, pending, varbytes

from generator.base import fetch
from generator.base.errors import ConfigError, LogError, VerificationError
from generator.base.fetch import Reply
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.anchoring import stamp
from generator.commands.verify import verify
from generator.log.anchors import opentimestamps
from generator.log.anchors.opentimestamps import (
    confirmed,
    detached,
    header_day,
    parse,
    parse_timestamp,
)
from generator.log.anchors.statements import read_statements
from generator.publish.calendars import calendars_of

# A proof of a public calendar that waits for its block, from the README of javascript-opentimestamps.
PUBLIC = bytes.fromhex(
    "004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294010805c4f616a8e5310d19d938cfd769864d7f4ccdc2ca8b479b"
    "10af83564b097af9f010e754bf93806a7ebaa680ef7bd0114bf408f010b573e8850cfd9e63d1f043fbb6fc250e08f10457cfa5c4f0086fb1ac"
    "8d4e4eb0e70083dfe30d2ef90c8e2e2d68747470733a2f2f616c6963652e6274632e63616c656e6461722e6f70656e74696d657374616d7073"
    "2e6f7267"
)
PUBLIC_DIGEST = bytes.fromhex("05c4f616a8e5310d19d938cfd769864d7f4ccdc2ca8b479b10af83564b097af9")
# The first block of Bitcoin.
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
    "51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
DIGEST = hashlib.sha256(b"a checkpoint").digest()


def test_a_public_calendars_proof_is_read() -> None:
    (found,) = parse(PUBLIC, PUBLIC_DIGEST)
    assert found.kind == opentimestamps.PENDING
    assert found.payload[1:] == b"https://alice.btc.calendar.opentimestamps.org"
    nonced = hashlib.sha256(PUBLIC_DIGEST + bytes.fromhex("e754bf93806a7ebaa680ef7bd0114bf4")).digest()
    taken = hashlib.sha256(nonced + bytes.fromhex("b573e8850cfd9e63d1f043fbb6fc250e")).digest()
    assert found.message == bytes.fromhex("57cfa5c4") + taken + bytes.fromhex("6fb1ac8d4e4eb0e7")
    assert detached(PUBLIC_DIGEST, found.path + pending(found.payload[1:].decode())) == PUBLIC


def test_no_part_and_no_changed_head_of_a_proof_is_read() -> None:
    for end in range(len(PUBLIC)):
        with pytest.raises(LogError):
            parse(PUBLIC[:end], PUBLIC_DIGEST)
    for place in range(65):
        for bit in range(8):
            changed = bytearray(PUBLIC)
            changed[place] ^= 1 << bit
            with pytest.raises(LogError):
                parse(bytes(changed), PUBLIC_DIGEST)
    with pytest.raises(LogError, match="bytes stand after"):
        parse(PUBLIC + b"\x00", PUBLIC_DIGEST)


BAD: dict[str, tuple[bytes, str]] = {
    "HTML": (b"<!doctype html>", "unknown operation"),
    "nothing": (b"", "ends in the middle"),
    "an unknown operation": (b"\x67" + bitcoin(1), "unknown operation 0x67"),
    "an operation on nothing": (b"\xf0\x00" + bitcoin(1), "0 bytes"),
    "a long operation": (b"\xf0\x81\x20" + bytes(4097) + bitcoin(1), "4097 bytes"),
    "a message that grows": (b"\xf3" * 8 + bitcoin(1), "too long"),
    "a deep tree": (b"\x08" * 300 + bitcoin(1), "too deep"),
    "many bytes": (b"\x08" * 70_000, "too large"),
    "a long number": (b"\xf0" + b"\xff" * 9 + b"\x01", "too large"),
    "a number with a tail": (b"\xf0\x81\x00x" + bitcoin(1), "shortest form"),
    "a root that is none": (b"\xf0\x01x" + bitcoin(1), "no Merkle root"),
    "a height with a tail": (b"\x00" + calendars.BITCOIN + varbytes(b"\x01\x01"), "bytes stand after"),
    "a fork without an end": (b"\xff" + bitcoin(1), "ends in the middle"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_the_format_does_not_write_is_refused(kind: str) -> None:
    data, said = BAD[kind]
    with pytest.raises(LogError, match=said):
        parse_timestamp(data, DIGEST)


def test_every_branch_of_a_tree_is_read() -> None:
    tree = b"\xff" + pending("a") + b"\xff\x08" + bitcoin(5) + b"\xf1\x01x\x08" + b"\xff" + bitcoin(7) + pending("b")
    found = parse_timestamp(tree, DIGEST)
    assert [(one.height, one.path) for one in found] == [
        (None, b""), (5, b"\x08"), (7, b"\xf1\x01x\x08"), (None, b"\xf1\x01x\x08")
    ]  # fmt: skip
    assert found[2].message == hashlib.sha256(b"x" + DIGEST).digest()


def test_a_header_of_little_work_is_refused_and_a_true_one_gives_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LogError, match="less work than any block since 2022"):
        header_day(GENESIS, GENESIS[36:68])
    with pytest.raises(LogError, match="less work"):
        header_day(mined(DIGEST), DIGEST)
    monkeypatch.setattr(opentimestamps, "FLOOR", 0xFFFF << 208)
    assert header_day(GENESIS, GENESIS[36:68]) == "2009-01-03"
    with pytest.raises(LogError, match="Merkle root"):
        header_day(GENESIS, DIGEST)
    monkeypatch.setattr(opentimestamps, "FLOOR", EASIEST)
    assert header_day(mined(DIGEST), DIGEST) == "2026-12-01"
    assert header_day(mined(DIGEST, TIME + 20 * 3600), DIGEST) == "2026-12-02"
    for place in range(80):
        changed = bytearray(GENESIS)
        changed[place] ^= 1
        with pytest.raises(LogError):
            header_day(bytes(changed), GENESIS[36:68])


@pytest.mark.parametrize("bits", [0x00000000, 0x02008000, 0x1D80FFFF, 0x2100FFFF, 0xFF7FFFFF])
def test_bits_that_name_no_target_are_refused(bits: int) -> None:
    header = bytes(36) + DIGEST + bytes(4) + bits.to_bytes(4, "little") + bytes(4)
    with pytest.raises(LogError, match="names no target"):
        header_day(header, DIGEST)


def test_of_several_blocks_the_lowest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opentimestamps, "FLOOR", EASIEST)
    found = parse_timestamp(b"\xff" + bitcoin(9) + b"\x08" + bitcoin(4), DIGEST)
    hashed = hashlib.sha256(DIGEST).digest()
    headers = {9: mined(DIGEST), 4: mined(hashed, TIME + 86_400)}
    assert confirmed(found, headers) == (4, "2026-12-02")
    assert confirmed(found, {9: headers[9]}) == (9, "2026-12-01")
    assert confirmed(found, {}) is None
    with pytest.raises(LogError, match="Merkle root"):
        confirmed(found, {9: headers[4]})


@pytest.fixture
def server() -> Iterator[Calendar]:
    with calendar() as running:
        yield running


@pytest.fixture
def publication(tmp_path: Path, server: Calendar, monkeypatch: pytest.MonkeyPatch) -> Publication:
    monkeypatch.setattr(opentimestamps, "FLOOR", EASIEST)
    facts.archive(tmp_path / "output", 3, published=facts.TIME)
    settings = Settings(
        origin=facts.ORIGIN,
        vkey=facts.key().verification_key.text,
        calendars=f"{server.url} http://127.0.0.1:1",
        block_headers=server.url,
    )
    told: list[str] = []
    return Publication(tmp_path, settings, told.append, wait=lambda _: None)


def report(publication: Publication) -> list[str]:
    return publication.report.__self__  # type: ignore[attr-defined,no-any-return]


def existed(publication: Publication, serial: int = 1) -> list[str]:
    return [line for line in verify(publication, str(serial)).lines if "existed by" in line]


def names(publication: Publication, size: int = 4) -> set[str]:
    return {path.name.replace(name(publication), "cal") for path in folder(publication, size).iterdir()}


def folder(publication: Publication, size: int = 4) -> Path:
    return publication.output / "log" / "anchors" / str(size)


def name(publication: Publication) -> str:
    return calendars_of(publication.settings.calendars)[0].name


def test_taken_in_tonight_complete_on_a_later_night_checked_offline(publication: Publication, server: Calendar) -> None:
    outcome = stamp(publication)
    assert outcome.figures["calendars"] == [name(publication)]
    assert outcome.figures["blocks"] == {}
    (said,) = report(publication)
    assert said.startswith("stamp: calendar 127-0-0-1-1 took in no checkpoint 4: http://127.0.0.1:1/digest: cannot")
    assert existed(publication) == ["--    existed by: no evidence"]
    assert names(publication) == {"cal.ots"}
    server.ready = True
    facts.archive(publication.output, 1, first=3)
    outcome = stamp(publication)
    assert outcome.figures["blocks"][4] == "2026-12-01"
    assert names(publication) == {"cal.ots", "cal.bitcoin.ots", "header-900000.bin"}
    said = "ok    existed by: 2026-12-01 (Bitcoin block 900000, checkpoint 4)"
    assert existed(publication)[-1] == said
    (statement,) = read_statements(publication.output / "log").of(1, 3)
    assert str(statement) == "existed bitcoin 4 2026-12-01"
    assert any("stamps of 2 checkpoints by Bitcoin" in step.text for step in facts.audit(publication.output))
    kept = {path: path.read_bytes() for path in folder(publication).iterdir()}
    server.height += 5
    assert 4 not in stamp(publication).figures["blocks"]
    assert {path: path.read_bytes() for path in folder(publication).iterdir()} == kept


Lie = Callable[[Calendar], Callable[[bytes], bytes]]
FIRST_LIES: dict[str, Lie] = {
    "HTML": lambda _: lambda _: b"<!doctype html><p>Moved",
    "nothing": lambda _: lambda _: b"",
    "much": lambda _: lambda _: b"\x08" * 100_000,
    "a whole proof": lambda server: lambda body: detached(body, server.digest(body)),
}


@pytest.mark.parametrize("lie", FIRST_LIES)
def test_a_calendar_that_lies_at_first_keeps_nothing_and_is_named(
    lie: str, publication: Publication, server: Calendar
) -> None:
    server.answers["digest"] = FIRST_LIES[lie](server)
    assert stamp(publication).figures["calendars"] == []
    assert f"calendar {name(publication)} took in no checkpoint 4" in report(publication)[0]
    assert not folder(publication).exists()
    facts.audit(publication.output)


def lie_block(server: Calendar) -> dict[str, Callable[[bytes], bytes]]:
    """A path to a Merkle root whose block is another one."""
    server.headers["900000"] = mined(DIGEST)
    return {"timestamp": lambda _: b"\x08" + bitcoin(900_000)}


LATER_LIES: dict[str, Callable[[Calendar], dict[str, Callable[[bytes], bytes]]]] = {
    "HTML": lambda _: {"timestamp": lambda _: b"<html>"},
    "another block": lie_block,
    "no header": lambda _: {"block-height": lambda _: b"not found"},
    "half a header": lambda _: {"block": lambda _: b"00" * 79},
}


@pytest.mark.parametrize("lie", LATER_LIES)
def test_a_calendar_that_lies_later_completes_nothing_and_is_named(
    lie: str, publication: Publication, server: Calendar
) -> None:
    stamp(publication)
    server.ready, server.answers = True, LATER_LIES[lie](server)
    assert stamp(publication).figures["blocks"] == {}
    assert any(f"calendar {name(publication)} did not complete checkpoint 4" in line for line in report(publication))
    assert names(publication) == {"cal.ots"}
    server.answers = {}
    assert stamp(publication).figures["blocks"] == {4: "2026-12-01"}


def test_a_header_of_little_work_completes_nothing(
    publication: Publication, server: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp(publication)
    server.ready = True
    monkeypatch.setattr(opentimestamps, "FLOOR", EASIEST >> 8)
    assert stamp(publication).figures["blocks"] == {}
    assert any("less work than any block since 2022" in line for line in report(publication))


def test_a_calendar_that_drips_is_left_and_named(publication: Publication, server: Calendar) -> None:
    server.seconds = 1

    def post(url: str, data: bytes, **options: object) -> Reply:
        return fetch.post(url, data, timeout_seconds=0.2)

    assert stamp(replace(publication, post=post)).figures["calendars"] == []
    assert "no whole answer within 0.2 seconds" in report(publication)[0]


def test_bits_of_kept_proofs_and_headers_cannot_be_changed(publication: Publication, server: Calendar) -> None:
    """Every bit of the header; of the proof 400 of those that lead to the block, drawn."""
    stamp(publication)
    server.ready = True
    stamp(publication)
    (proof,) = folder(publication).glob("*.bitcoin.ots")
    header, note = folder(publication) / "header-900000.bin", (publication.output / "log/checkpoints/4").read_bytes()
    digest = hashlib.sha256(note).digest()
    whole = proof.read_bytes()
    dice = random.Random(7)
    said = confirmed(parse(whole, digest), {900_000: header.read_bytes()})
    assert said == (900_000, "2026-12-01")
    for place in dice.sample(range(len(whole) * 8), 400):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        try:
            found = confirmed(parse(bytes(changed), digest), {900_000: header.read_bytes()})
        except LogError:
            continue
        elsewhere = b"https://elsewhere.example/"
        assert found is None or found == said
        assert found is None or whole.find(elsewhere) - 12 <= place // 8 < whole.find(elsewhere) + len(elsewhere)
    for place in range(0, 640, 7):
        changed = bytearray(header.read_bytes())
        changed[place // 8] ^= 1 << place % 8
        header.write_bytes(bytes(changed))
        try:
            with pytest.raises(VerificationError, match="OpenTimestamps"):
                facts.audit(publication.output)
        finally:
            changed[place // 8] ^= 1 << place % 8
            header.write_bytes(bytes(changed))


@pytest.mark.parametrize(
    ("setting", "said"),
    [("ftp://x.example", "not an http address"), ("calendar", "not an http address"),
     ("https://a.example https://a.example/b", "two of them have one name")],
)  # fmt: skip
def test_settings_that_are_no_calendars_are_refused(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        calendars_of(setting)
