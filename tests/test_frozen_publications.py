"""One publication of each released version, as its last commit wrote it: read, built, checked and verified for ever."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from generator.base.publication import Publication
from generator.base.settings import load_settings
from generator.commands.cli import main
from generator.commands.nightly import build, check
from generator.log import archive

CASES = Path(__file__).parent / "cases" / "publications"
VERSIONS = sorted(path.name for path in CASES.iterdir())
FACTS = ("records", "log", "runs")
DIGESTS = {line.split()[1]: line.split()[0] for line in (CASES.parent / "publications.sha256").read_text().splitlines()}


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def digest(found: dict[str, bytes]) -> str:
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(found.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def facts(root: Path) -> dict[str, bytes]:
    return {
        name: data
        for name, data in files(root / "output").items()
        if name.split("/")[0] in FACTS and not name.endswith(".lock")
    }


def command(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(params=VERSIONS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASES / request.param, tmp_path / "publication"))


def test_every_released_version_has_one_and_nobody_has_changed_it() -> None:
    released = [
        line.split("[")[1].split("]")[0].rpartition(".")[0]
        for line in (CASES.parents[2] / "CHANGELOG.md").read_text("utf-8").splitlines()
        if line.startswith("## [0.")
    ]
    assert {f"0.{n}" for n in range(1, 7)} <= set(VERSIONS) == set(DIGESTS)
    assert set(VERSIONS) <= set(released)
    for version in VERSIONS:
        assert digest(files(CASES / version)) == DIGESTS[version], version


def test_ten_disclosures_of_that_version_verify_by_folder_serial_record_and_proof(root: Path) -> None:
    output, vkey = root / "output", load_settings(root).vkey
    logged = list(archive.read_volume(output, 0, archive.read_ledger(output)))
    assert len(logged) == 10
    version = json.loads(archive.record_path(output, 0).read_bytes())["generation"]["generator_version"]
    assert version.startswith((root / "version").read_text().strip())
    assert command("verify", output, "--vkey", vkey, "--root", root) == 0
    for serial in range(10):
        assert command("verify", serial, "--root", root) == 0
    saved = sorted((root / "saved").iterdir())
    assert {path.suffix for path in saved} == {".html", ".json", ".md", ".proof"}
    for path in saved:  # a page of these versions carries no evidence: that is no answer, and no "verified"
        code = 0 if path.suffix in (".json", ".proof") else 2
        assert command("verify", path, "--vkey", vkey) == code


def test_a_site_is_built_and_holds_and_no_fact_is_touched(root: Path) -> None:
    before = facts(root)
    publication = Publication(root, load_settings(root), lambda _: None)
    assert build(publication).figures["disclosures"] == 10
    outcome = check(publication)
    assert outcome.ok, outcome.lines
    assert facts(root) == before
    for item in archive.read_volume(root / "output", 0, archive.read_ledger(root / "output")):
        page = (root / "output" / "site" / "d" / "0" / f"{item.serial}.html").read_text("utf-8")
        assert f'content="{item.published_at[:10].replace("-", "/")}"' in page or item.published_at[:10] in page
        assert (root / "output" / "site" / "d" / "0" / f"{item.serial}.json").read_bytes() == before[
            archive.record_path(Path(), item.serial).as_posix()
        ]


@pytest.mark.parametrize("name", ["record", "proof", "entry", "checkpoint"])
def test_a_byte_changed_is_told(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = archive.record_path(root / "output", 4)
    log = root / "output" / "log"
    path = {
        "record": record,
        "proof": record.with_suffix(".proof"),
        "entry": log / "tile" / "entries" / "000.p" / "11",
        "checkpoint": log / "checkpoint",
    }[name]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert command("verify", root / "output", "--root", root) == 1
    assert "FAIL" in capsys.readouterr().out
