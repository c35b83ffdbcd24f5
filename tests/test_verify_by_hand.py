"""The shell lines of docs/verify-by-hand.md, run as they stand there, under three shells, with hostile evidence too."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import authority
import facts
import pytest

from generator.log import archive
from generator.log.anchors.tokens import new_request, verify_token
from generator.log.archive import record_path
from generator.log.evidence import Evidence, gather, speaking
from generator.log.note import Checkpoint

DOC = Path(__file__).parents[1] / "docs" / "verify-by-hand.md"
SHELLS = ("bash", "dash", "zsh")
GOOD = f"VERIFIED: 7.json is entry 7 of {facts.ORIGIN}; published {facts.TIME} (publisher's clock, entry 11)"


def evidence(output: Path, serial: int) -> Evidence:
    notes = {Checkpoint.parse(p.read_text()).size: p.read_text() for p in (output / "log/checkpoints").iterdir()}
    return gather(speaking(archive.read_ledger(output))[serial], notes, lambda size: archive.tiles(output, size))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts.archive(tmp_path_factory.mktemp("output"), 11, published=facts.TIME)


@pytest.fixture(scope="module")
def stamped(output: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that go with a token over the evidence's checkpoint, by their names beside the record."""
    base, note = tmp_path_factory.mktemp("authority"), evidence(output, 7).note.encode()
    made, request = authority.make(base / "local"), new_request(note)
    reply, root = authority.reply(made, request), (made / "root.pem").read_bytes()
    chain = verify_token(reply, request, note, root).chain
    return {"local.tsr": reply, "local.chain.pem": chain, "local.root.pem": root}


@pytest.fixture
def folder(output: Path, tmp_path: Path) -> Path:
    lay_out(output, tmp_path)
    return tmp_path


def run(folder: Path, shell: str = "dash") -> str:
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL))
    assert "openssl pkeyutl" in lines
    result = subprocess.run(
        [shell], input=lines, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    assert [path.name for path in folder.iterdir() if "OWNED" in path.name] == []
    return result.stdout


def lay_out(output: Path, folder: Path, serial: int = 7) -> None:
    shutil.copy(record_path(output, serial), folder / "7.json")
    (folder / "7.evidence").write_text(evidence(output, serial).text, encoding="utf-8")
    (folder / "vkey").write_text(facts.key().verification_key.text + "\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_lines_verify_a_disclosure_and_its_date(folder: Path, shell: str) -> None:
    said = run(folder, shell)
    assert said.endswith(GOOD + "\n"), said
    assert "NO:" not in said
    assert facts.record(7).sha256 in said


def line(number: int, new: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        lines[number] = new

    return change


def dated(text: str) -> Callable[[list[str]], None]:
    """The second entry says something else: one of another log, or of nobody's."""

    def change(lines: list[str]) -> None:
        at = [n for n, one in enumerate(lines) if one.startswith("entry ")][1]
        lines[at] = f"entry 11 {base64.b64encode(text.encode()).decode()}"

    return change


COMMAND = "x[$(touch OWNED)]"
HOSTILE: dict[str, Callable[[list[str]], None]] = {
    "index": line(1, f"entry {COMMAND} AAAA"),
    "index with spaces": line(1, "entry a[$(touch${IFS}OWNED)] AAAA"),
    "index in backquotes": line(1, "entry `touch\tOWNED` AAAA"),
    "index in Arabic digits": line(1, "entry ٧ AAAA"),
    "index of another": line(1, "entry 8 AAAA"),
    "index with a leading zero": line(1, "entry 07 AAAA"),
    "index beyond 64 bits": line(1, "entry 18446744073709551623 AAAA"),
    "size": line(-5, COMMAND),
    "size as a sum": line(-5, "11+1"),
    "size in hex": line(-5, "0xc"),
    "size beyond 64 bits": line(-5, "99999999999999999999"),
    "size zero": line(-5, "0"),
    "hash": line(2, COMMAND),
    "hash of nothing": line(2, ""),
    "header": line(0, "prior-art-evidence/v2"),
    "origin": line(-6, f"$(touch OWNED){facts.ORIGIN}"),
    "root": line(-4, "$(touch OWNED)"),
    "signature": line(-2, f"— {facts.ORIGIN} $(touch OWNED)"),
    "signature of nobody": line(-2, f"— {facts.ORIGIN} AAAAAAAA"),
    "date": dated("published/v1\ntime 2019-01-01T00:00:00Z\nleaves 0-10\n"),
    "range": dated(f"published/v1\ntime {facts.TIME}\nleaves {COMMAND}-{COMMAND}\n"),
    "other leaves": dated(f"published/v1\ntime {facts.TIME}\nleaves 0-6\n"),
    "no date": dated("published/v1\ntime $(touch OWNED)\nleaves 0-10\n"),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_evidence_is_refused_and_runs_nothing(folder: Path, kind: str, shell: str) -> None:
    lines = (folder / "7.evidence").read_text(encoding="utf-8").split("\n")
    HOSTILE[kind](lines)
    (folder / "7.evidence").write_text("\n".join(lines), encoding="utf-8")
    said = run(folder, shell)
    assert said.split("\n")[-2].startswith("NOT VERIFIED: "), said
    assert "NO: " in said


@pytest.mark.parametrize(("name", "place"), [("7.json", 60), ("7.evidence", 40), ("vkey", -8)])
def test_the_lines_refuse_a_changed_file(folder: Path, name: str, place: int) -> None:
    data = bytearray((folder / name).read_bytes())
    data[place] = ord("A") if data[place] != ord("A") else ord("B")
    (folder / name).write_bytes(data)
    assert run(folder).split("\n")[-2].startswith("NOT VERIFIED: ")


def test_a_witness_signs_too(folder: Path) -> None:
    text = (folder / "7.evidence").read_text(encoding="utf-8")
    (folder / "7.evidence").write_text(f"{text}— witness.example/w {base64.b64encode(b'w' * 76).decode()}\n")
    assert run(folder).endswith(GOOD + "\n")


def test_the_lines_work_for_the_first_entry_of_a_log_of_one_that_has_no_date(tmp_path: Path) -> None:
    output = facts.archive(tmp_path / "output", 1)
    folder = tmp_path / "files"
    folder.mkdir()
    lay_out(output, folder, serial=0)
    lines = DOC.read_text("utf-8")
    (folder / "0.json").write_bytes((folder / "7.json").read_bytes())
    (folder / "0.evidence").write_bytes((folder / "7.evidence").read_bytes())
    script = "\n".join(re.findall(r"```sh\n(.*?)```", lines, re.DOTALL)).replace("serial=7", "serial=0")
    said = subprocess.run(["dash"], input=script, cwd=folder, capture_output=True, text=True, timeout=60).stdout
    assert said.split("\n")[-2].startswith("VERIFIED: 0.json is entry 0")
    assert "at no time that this evidence has (publisher's clock)" in said


@pytest.mark.parametrize("shell", SHELLS)
def test_the_lines_verify_a_stamp_at_its_own_time(folder: Path, shell: str, stamped: dict[str, bytes]) -> None:
    for name, data in stamped.items():
        (folder / name).write_bytes(data)
    (said,) = [line for line in run(folder, shell).split("\n") if "existed by" in line]
    assert re.fullmatch(r"VERIFIED: the checkpoint existed by \S+ +\d+ [0-9:]+ 20\d\d GMT \(local\)", said)


@pytest.mark.parametrize("name", ["local.tsr", "local.root.pem", "7.evidence"])
def test_the_lines_refuse_a_stamp_with_another_file(folder: Path, name: str, stamped: dict[str, bytes]) -> None:
    for each, data in stamped.items():
        (folder / each).write_bytes(data)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-60] + data[-60:].swapcase())
    said = run(folder)
    assert "NOT STAMPED: local: " in said or "NOT VERIFIED" in said
    assert not re.search(r"^VERIFIED: the checkpoint existed by", said, re.MULTILINE)
