"""The evidence pack: made from facts, verified offline by the program and by a shell, refused where it was changed."""

import io
import random
import re
import shutil
import subprocess
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import authority
import facts
import pytest
from authority import serving
from calendars import EASIEST, calendar
from site_fixture import build_site

from generator.base.errors import ConfigError, LogError, PressError, VerificationError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings
from generator.commands.anchoring import stamp
from generator.commands.evidence import evidence
from generator.commands.verify import verify
from generator.log.anchors import opentimestamps, zipped
from generator.log.anchors.cosignatures import CosignerSecret
from generator.log.anchors.zipped import pack, unpack
from generator.log.note import Checkpoint

SERIAL = 1
OBSERVER = CosignerSecret("example.net/observer", bytes([9]) * 32)
SEEN = "2026-11-22T05:00:00Z"
TOOLS = "dash awk sed grep openssl base64 cat cmp cut date head mktemp od sha256sum tail test tr wc"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publication]:
    """Three disclosures: dated, stamped by two authorities, in a block, and built as a site."""
    root = tmp_path_factory.mktemp("publication")
    made = authority.make(root / "authority")
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(lambda body: authority.reply(made, body)) as server,
        calendar() as blocks,
    ):
        patch.setattr(opentimestamps, "FLOOR", EASIEST)
        shutil.copy(made / "root.pem", root / "local.pem")
        for name in ("local", "second"):
            (root / f"{name}.toml").write_text(f'url = "{server.url}"\nroot = "local.pem"\n')
        (root / "alice.toml").write_text(f'url = "http://127.0.0.1:1/"\nvkey = "{OBSERVER.key.text}"\n')
        settings = Settings(
            origin=facts.ORIGIN,
            vkey=facts.key().verification_key.text,
            site_url="https://example.org/",
            authorities="local.toml second.toml",
            calendars=blocks.url,
            observers="alice.toml",
            block_headers=blocks.url,
        )
        publication = Publication(root, settings, lambda _: None, wait=lambda _: None)
        facts.archive(root / "output", 3, published=facts.TIME)
        blocks.ready = True
        stamp(publication)
        body = Checkpoint.parse((root / "output/log/checkpoints/4").read_text()).body
        (root / "output/log/anchors/4/alice.cosignature").write_text(OBSERVER.cosign(body, SEEN))
        build_site(root / "output", origin=facts.ORIGIN, vkey=settings.vkey, site_url=settings.site_url)
        yield publication


@pytest.fixture(scope="module")
def made(world: Publication) -> Path:
    path = world.root / "pack" / f"PAP-{SERIAL:07}.zip"
    evidence(world, "PAP-0000001", path)
    return path


def asked(world: Publication, path: Path, **options: Any) -> Outcome:
    return verify(world, str(path), memory=False, **options)


def test_a_pack_is_small_and_the_same_each_time(world: Publication, made: Path, tmp_path: Path) -> None:
    assert made.stat().st_size < 40_000
    again = evidence(world, str(SERIAL), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == made.read_bytes()
    assert again.figures["bytes"] == made.stat().st_size
    assert set(zipfile.ZipFile(made).namelist()) >= {
        "README.txt", "SHA256SUMS", "checkpoint", "vkey", "verify.sh", "1.json", "1.proof", "1.evidence", "1.html",
        "local.tsq", "local.tsr", "local.chain.pem", "local.root.pem", "second.tsr", "header-900000.bin",
        "alice.cosignature", "alice.vkey",
    }  # fmt: skip


def test_the_program_prints_the_times_each_with_who_says_so(world: Publication, made: Path) -> None:
    outcome = asked(world, made)
    said = "\n".join(outcome.lines)
    assert outcome.ok, said
    for part in (
        f"published: {facts.TIME} (the publisher's clock, entry 3, evidence)",
        "(local, checkpoint 4)",
        "existed by: 2026-12-01 (Bitcoin block 900000, checkpoint 4)",
        f"public by: {SEEN} (observer alice, checkpoint 4)",
        f"--    created: {facts.CREATED} by the generator's own statement",
        "page: its text, number, dates",
    ):
        assert part in said


def test_a_reader_who_pins_no_root_is_told_no_time_by_it(world: Publication, made: Path) -> None:
    stranger = Publication(world.root / "pack", Settings(vkey=world.settings.vkey), lambda _: None)
    lines = verify(stranger, str(made), memory=False).lines
    assert not any("(local" in line for line in lines)
    lines = verify(stranger, str(made), memory=False, trust=(world.root / "local.pem",)).lines
    assert any(line.startswith("ok    existed by: ") and "(local, checkpoint 4)" in line for line in lines)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which nothing can be called but what docs/verify-by-hand.md asks for."""
    tools = tmp_path_factory.mktemp("tools")
    for name in TOOLS.split():
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not here"))
    return {"PATH": str(tools), "TMPDIR": str(tmp_path_factory.mktemp("tmp"))}


def by_hand(folder: Path, bare: dict[str, str]) -> list[str]:
    sums = ["sha256sum", "-c", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=folder, env=bare, capture_output=True).returncode == 0
    done = subprocess.run(["dash", "verify.sh"], cwd=folder, env=bare, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.strip().split("\n")[1:]


def test_a_machine_without_the_program_proves_it(made: Path, bare: dict[str, str], tmp_path: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path)
    lines = by_hand(tmp_path, bare)
    assert lines[0].startswith(f"VERIFIED: 1.json is entry 1 of {facts.ORIGIN}; published {facts.TIME}")
    assert [line.partition(" existed by ")[0] for line in lines[1:3]] == ["VERIFIED: the checkpoint"] * 2
    assert lines[3:] == [f"VERIFIED: public by {SEEN} (alice)"]


def another_name(line: bytes) -> bytes:
    return line.replace(b"net/observer", b"net/observes")


def another_byte(line: bytes) -> bytes:
    return line[:-9] + line[-9:-3].swapcase() + line[-3:]


@pytest.mark.parametrize("change", [another_name, another_byte, lambda line: line[:60] + b"\n", lambda _: b""])
def test_without_the_program_a_line_that_was_changed_proves_nothing(
    change: Callable[[bytes], bytes], made: Path, bare: dict[str, str], tmp_path: Path
) -> None:
    held = unpack(made.read_bytes(), made.name)
    held["alice.cosignature"] = change(held["alice.cosignature"])
    (tmp_path / "x.zip").write_bytes(pack(held))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path)
    assert by_hand(tmp_path, bare)[3].startswith("NOT SEEN: alice")


def repacked(made: Path, change: Callable[[dict[str, bytes]], None]) -> bytes:
    held = unpack(made.read_bytes(), made.name)
    change(held)
    return pack(held)


def exchanged(one: str, other: str) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        held[one], held[other] = held[other], held[one]

    return change


def set_to(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda held: held.update({name: data})


FORGED: dict[str, Callable[[dict[str, bytes]], None]] = {
    "a record of another": set_to("1.json", facts.record(2).to_bytes()),
    "no record": lambda held: held.pop("1.json") and None,
    "no proof": lambda held: held.pop("1.proof") and None,
    "no evidence": lambda held: held.pop("1.evidence") and None,
    "no checkpoint": lambda held: held.pop("checkpoint") and None,
    "another checkpoint": lambda held: held.update(checkpoint=held["checkpoint"].replace(b"\n4\n", b"\n5\n")),
    "tokens of each other's requests": exchanged("local.tsr", "second.tsr"),
    "requests exchanged": exchanged("local.tsq", "second.tsq"),
    "a token of nothing": set_to("local.tsr", b"nothing"),
    "a page of another record": lambda held: held.update(
        {"1.html": re.sub(rb"data-record=(.)", rb"data-record=\1x", held["1.html"])}
    ),
    "a page that shows another date": lambda held: held.update(
        {"1.html": held["1.html"].replace(facts.TIME.encode(), b"2019-01-01T00:00:00Z")}
    ),
    "a header of another block": set_to("header-900000.bin", bytes(80)),
    "a proof of another file": lambda held: held.update(
        {name: b"\x00" + data for name, data in held.items() if name.endswith(".bitcoin.ots")}
    ),
    "a file that has no place": set_to("run-me.exe", b"x"),
    "a certificate of nobody": set_to("other.pem", b"x"),
    "two disclosures": set_to("2.evidence", b"x"),
    "a key of another observer": set_to("alice.vkey", CosignerSecret("example.net/o", bytes(32)).key.text.encode()),
    "a key of nobody": set_to("alice.vkey", b"x"),
    "a key without a line": set_to("bob.vkey", OBSERVER.key.text.encode()),
    "a line for another checkpoint": set_to("alice.cosignature", OBSERVER.cosign("another\n", SEEN).encode()),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGED)
def test_a_pack_that_was_made_anew_with_something_else_is_refused(
    forgery: str, world: Publication, made: Path, tmp_path: Path
) -> None:
    path = tmp_path / made.name
    path.write_bytes(repacked(made, FORGED[forgery]))
    try:
        outcome = asked(world, path)
    except VerificationError:
        return
    assert outcome.ok is False, outcome.lines


def rezipped(made: Path, change: Callable[[list[tuple[str, bytes]]], None]) -> bytes:
    """Any zip, with the mark of a pack at its end."""
    with zipfile.ZipFile(made) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    change(entries)
    held = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name that stands twice
        for name, data in entries:
            archive.writestr(name, data)
        archive.comment = b"0" * 71
    head = held.getvalue()[:-71]
    return head + b"sha256:" + zipped.hashlib.sha256(head).hexdigest().encode()


@pytest.mark.parametrize(
    "name", ["../1.json", "/etc/passwd", "a/b", "1.json", "..", ".hidden", "a\\b", "C:x", "x" * 90]
)
def test_a_path_that_climbs_or_stands_twice_is_refused(name: str, made: Path) -> None:
    data = rezipped(made, lambda entries: entries.append((name, b"x")))
    with pytest.raises(VerificationError, match=r"is called|SHA256SUMS"):
        unpack(data, "x.zip")


def test_a_zip_that_is_no_pack_is_refused(made: Path) -> None:
    whole = made.read_bytes()
    for data in (b"", b"PK", b"sha256:" * 40, whole[:-1], whole + b"\n", whole[5000:], rezipped(made, list.clear)):
        with pytest.raises(VerificationError):
            unpack(data, "x.zip")
    much = rezipped(made, lambda entries: entries.append(("much", bytes(zipped.MAX_BYTES))))
    with pytest.raises(VerificationError, match="too much"):
        unpack(much, "x.zip")
    many = rezipped(made, lambda entries: entries.extend((f"f{n}", b"") for n in range(zipped.MAX_FILES)))
    with pytest.raises(VerificationError, match="too much"):
        unpack(many, "x.zip")


def flips(world: Publication, made: Path, places: list[int]) -> int:
    """How many of the packs with one bit changed verify. A pack that does not unpack is verified no further."""
    whole, accepted = bytearray(made.read_bytes()), 0
    path = made.with_name("flipped.zip")
    for place in places:
        whole[place // 8] ^= 1 << place % 8
        try:
            unpack(bytes(whole), path.name)
            path.write_bytes(whole)
            accepted += asked(world, path).ok is True
        except PressError:
            continue
        finally:
            whole[place // 8] ^= 1 << place % 8
    return accepted


def inner_flips(world: Publication, made: Path, tmp: Path, dice: random.Random, count: int) -> tuple[int, int]:
    """The same for bits of the files, packed anew by somebody who mends all sums: accepted, and of how many."""
    held = unpack(made.read_bytes(), made.name)
    proven = [name for name in held if name in ("1.json", "1.proof", "1.evidence", "checkpoint", "header-900000.bin")]
    accepted = 0
    for _ in range(count):
        name = dice.choice(proven)
        changed = bytearray(held[name])
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        path = tmp / made.name
        path.write_bytes(pack({**held, name: bytes(changed)}))
        try:
            accepted += asked(world, path).ok is True
        except PressError:
            continue
    return accepted, count


def test_no_flip_of_a_bit_is_accepted(world: Publication, made: Path, tmp_path: Path) -> None:
    dice = random.Random(1)
    assert asked(world, made).ok is True  # what is changed below is accepted as it stands
    assert flips(world, made, dice.sample(range(made.stat().st_size * 8), 3_000)) == 0
    assert inner_flips(world, made, tmp_path, dice, 40) == (0, 40)


@pytest.mark.slow
def test_none_of_100_000_flips_is_accepted(world: Publication, made: Path, tmp_path: Path) -> None:
    dice = random.Random(2)
    places = [dice.randrange(made.stat().st_size * 8) for _ in range(100_000)]
    assert flips(world, made, places) == 0
    assert inner_flips(world, made, tmp_path, dice, 2_000) == (0, 2_000)


@pytest.mark.parametrize(("number", "said"), [("3", "is no disclosure"), ("99", "is no disclosure")])
def test_what_is_no_disclosure_has_no_pack(number: str, said: str, world: Publication, tmp_path: Path) -> None:
    with pytest.raises(LogError, match=said):
        evidence(world, number, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_what_is_no_number_has_no_pack(world: Publication, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no number of a disclosure"):
        evidence(world, "XYZ-1", tmp_path / "x.zip")
