"""The shell lines of docs/verify-by-hand.md, run as they stand there."""

import re
import shutil
import subprocess
from pathlib import Path

import facts
import pytest

from generator.log.archive import record_path

DOC = Path(__file__).parents[1] / "docs" / "verify-by-hand.md"
SAID = ["the proof is for entry 7", "the entry is in the tree", f"the checkpoint is of {facts.ORIGIN}",
        "Signature Verified Successfully"]  # fmt: skip


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts.archive(tmp_path_factory.mktemp("output"), 11)


def run(folder: Path) -> str:
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL))
    assert "openssl pkeyutl" in lines
    result = subprocess.run(["sh"], input=lines, cwd=folder, capture_output=True, text=True, timeout=60)
    return result.stdout + result.stderr


def lay_out(output: Path, folder: Path, serial: int = 7) -> None:
    for suffix in (".json", ".proof"):
        shutil.copy(record_path(output, serial, suffix), folder / f"7{suffix}")
    (folder / "vkey").write_text(facts.key().verification_key.text + "\n")


def test_the_lines_verify_a_disclosure(output: Path, tmp_path: Path) -> None:
    lay_out(output, tmp_path)
    said = run(tmp_path)
    assert [line for line in SAID if line not in said] == []
    assert facts.record(7).sha256 in said


@pytest.mark.parametrize(("name", "missing"), [("7.json", SAID[1]), ("7.proof", SAID[1]), ("vkey", SAID[3])])
def test_the_lines_refuse_a_changed_file(output: Path, tmp_path: Path, name: str, missing: str) -> None:
    lay_out(output, tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    place = {"7.json": 60, "7.proof": 40, "vkey": len(data) - 8}[name]
    data[place] = ord("A") if data[place] != ord("A") else ord("B")
    (tmp_path / name).write_bytes(data)
    assert missing not in run(tmp_path)


def test_the_lines_work_for_the_first_entry_of_a_log_of_one(tmp_path: Path) -> None:
    output = facts.archive(tmp_path / "output", 1)
    folder = tmp_path / "files"
    folder.mkdir()
    lay_out(output, folder, serial=0)
    said = run(folder)
    assert SAID[1] in said
    assert SAID[3] in said
