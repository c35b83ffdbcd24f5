"""Bulk files: written of a publication, thrown away but for them, and rebuilt; and all that they may be instead."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import facts
import pytest
import zstandard
from site_fixture import serve

from generator.base import canonical, files
from generator.base.errors import PressError, VerificationError
from generator.base.publication import Publication
from generator.base.settings import Settings, load_settings
from generator.commands import bulk as commands
from generator.commands.nightly import build
from generator.log import bulk
from generator.log.entries import Withdrawn
from generator.publish.bulk import write
from generator.verify.bulk import restore

SETTINGS = Settings(
    title='A "small" press', prefix="TINY", site_url="https://example.org/prior-art/",
    vkey=facts.key().verification_key.text, publisher="Ünïcode & Söhne",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small_volumes() -> Iterator[None]:
    """Volumes of eight entries. Their size is part of the format, so every module that knows it is told."""
    import generator.commands.nightly
    import generator.site.feeds
    import generator.site.word_lists  # noqa: F401

    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("generator.") and hasattr(module, "VOLUME"):
                patch.setattr(module, "VOLUME", 8)
        yield


@pytest.fixture(scope="module")
def made(small_volumes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nineteen disclosures in three batches, ten of them published, in three volumes; a report of a run beside them."""
    output = tmp_path_factory.mktemp("press") / "output"
    for first in (0, 10):
        facts.queue(output, range(first, first + 10 - first // 10))
        facts.append(output)
        if not first:
            facts.publish(output, facts.TIME, range(10))
    files.write(output / "runs" / "one.json", canonical.dumps({"drafts": 40, "accepted": 19}))
    return output


@pytest.fixture
def press(made: Path, tmp_path: Path) -> Publication:
    shutil.copytree(made, tmp_path / "press" / "output")
    return Publication(tmp_path / "press", SETTINGS, lambda _: None)


def written(press: Publication) -> Path:
    commands.bulk(press)
    return press.output / "bulk"


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def lasting(output: Path) -> dict[str, bytes]:
    kept = ("records/", "log/", "runs/", "readings/", "report.json")
    return {name: data for name, data in tree(output).items() if name.startswith(kept) and "/.lock" not in name}


def mirror(source: Path | str, output: Path) -> list[Any]:
    return list(
        restore(str(source), output, facts.key().verification_key, fetch=commands.fetched, report=lambda _: None)
    )


def forge(folder: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Another content for a bulk file, with a manifest that names it."""
    manifest = bulk.Manifest.parse((folder / bulk.MANIFEST).read_bytes(), "")
    lines = change(zstandard.ZstdDecompressor().stream_reader((folder / name).read_bytes()).read().split(b"\n")[:-1])
    part = bulk.write_lines(folder / name, lines, "")
    parts = tuple(part if one.name == name else one for one in manifest.files)
    (folder / bulk.MANIFEST).write_bytes(replace(manifest, files=parts).to_bytes())


def test_a_publication_is_rebuilt_of_its_bulk_files_by_one_command(press: Publication, tmp_path: Path) -> None:
    build(press)
    folder = written(press)
    assert sorted(p.name for p in folder.iterdir()) == [
        "SHA256SUMS", "facts.jsonl.zst", "manifest.json", *(f"volume-{n}.jsonl.zst" for n in range(3))
    ]  # fmt: skip
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    root = tmp_path / "mirror"
    with serve(folder) as server:
        found = commands.fetch_bulk(
            Publication(root, Settings(), lambda _: None), server.url, facts.key().verification_key.text, build=True
        )
    assert found.ok
    assert lasting(root / "output") == lasting(press.output)
    assert load_settings(root, {}) == press.settings
    pages = tree(press.output / "site")
    assert sum(name.startswith("d/") and name.endswith(".html") for name in pages) >= 19
    assert tree(root / "output" / "site") == pages
    assert not (root / "output" / "work" / "bulk").exists()


def test_a_mirror_follows_its_publication(press: Publication, tmp_path: Path) -> None:
    mirror(written(press), tmp_path / "output")
    facts.queue(press.output, range(30, 33))
    facts.append(press.output)
    facts.publish(press.output, "2026-11-29T03:17:00Z", range(11, 20))
    before = tree(press.output / "bulk")
    folder = written(press)
    changed = {name for name, data in tree(folder).items() if before.get(name) != data}
    assert changed == {"volume-2.jsonl.zst", "facts.jsonl.zst", "manifest.json", "SHA256SUMS"}
    mirror(folder, tmp_path / "output")
    assert lasting(tmp_path / "output") == lasting(press.output)
    again = {step.name: step.text for step in mirror(folder, tmp_path / "output")}
    assert again["placed"].startswith("0 files")


def test_a_withdrawn_text_leaves_the_file_of_its_volume(press: Publication, tmp_path: Path) -> None:
    folder = written(press)
    facts.add(press.output, Withdrawn(3, "privacy", facts.SHA))
    kept = (folder / "volume-1.jsonl.zst").read_bytes()
    written(press)
    lines = zstandard.ZstdDecompressor().stream_reader((folder / "volume-0.jsonl.zst").read_bytes()).read().split(b"\n")
    assert set(json.loads(lines[3])) == {"index", "entry"}
    assert "record" in json.loads(lines[4])
    assert (folder / "volume-1.jsonl.zst").read_bytes() == kept
    mirror(folder, tmp_path / "output")
    assert not (tmp_path / "output" / "records" / "0" / "0" / "3.json").exists()


def test_a_damaged_bulk_file_is_written_again(press: Publication) -> None:
    folder = written(press)
    before = tree(folder)
    (folder / "volume-0.jsonl.zst").write_bytes(b"torn")
    (folder / "volume-1.jsonl.zst").unlink()
    assert tree(written(press)) == before
    (folder / "manifest.json").write_bytes(b"{}")
    assert tree(written(press)) == before


def byte_changed(folder: Path) -> None:
    data = bytearray((folder / "volume-1.jsonl.zst").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "volume-1.jsonl.zst").write_bytes(data)


def cut(folder: Path) -> None:
    data = (folder / "volume-0.jsonl.zst").read_bytes()
    (folder / "volume-0.jsonl.zst").write_bytes(data[:-5])


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads((folder / "manifest.json").read_bytes())
    change(value)
    (folder / "manifest.json").write_bytes(canonical.dumps(value) + b"\n")


def other_log(folder: Path) -> None:
    other = facts.key("another.example/log", 3)
    body = json.loads((folder / "manifest.json").read_bytes())["checkpoint"].split("\n\n")[0].split("\n")
    note = other.sign("\n".join(["another.example/log", *body[1:]]) + "\n")
    edited(folder, lambda value: value.update(checkpoint=note))


def fact(path: str) -> Callable[[Path], None]:
    line = bulk.plain({"path": path, "text": "{}"})
    with pytest.raises(ValueError, match="has no place"):
        bulk.Fact.parse(line)
    return lambda folder: forge(folder, "facts.jsonl.zst", lambda lines: [*lines, line])


def of_line(change: Callable[[dict[str, Any]], object], number: int = 2) -> Callable[[Path], None]:
    def changed(lines: list[bytes]) -> list[bytes]:
        value = json.loads(lines[number])
        change(value)
        return [*lines[:number], bulk.plain(value), *lines[number + 1 :]]

    return lambda folder: forge(folder, "volume-0.jsonl.zst", changed)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (byte_changed, r"volume-1\.jsonl\.zst: its SHA-256 is not"),
        (cut, r"volume-0\.jsonl\.zst: it has [\d,]+ bytes, the manifest says"),
        (lambda f: (f / "volume-2.jsonl.zst").unlink(), r"volume-2\.jsonl\.zst"),
        (lambda f: (f / "manifest.json").unlink(), r"manifest\.json"),
        (lambda f: (f / "manifest.json").write_bytes(b"{"), r"manifest\.json: not a manifest"),
        (other_log, "another.example/log, the key of"),
        (lambda f: edited(f, lambda v: v.update(schema="prior-art-bulk/v2")), "format is prior-art-bulk/v2"),
        (lambda f: edited(f, lambda v: v.update(schema="prior-art-bulk/v9", new=[1])), "format is prior-art-bulk/v9"),
        (lambda f: edited(f, lambda v: v["files"][0].update(name="../volume-0.jsonl.zst")), r"names the files \.\./"),
        (lambda f: edited(f, lambda v: v["files"].pop(0)), "every volume from 0"),
        (lambda f: edited(f, lambda v: v["files"].pop(2)), "hold 16 entries, the checkpoint 20"),
        (lambda f: edited(f, lambda v: v["files"][0].update(bytes=1 << 40)), "size, digest"),
        (lambda f: edited(f, lambda v: v["settings"].update(output="/etc")), "setting output has no place"),
        (lambda f: edited(f, lambda v: v["files"][0].update(lines=3)), "has not the 3 lines"),
        (fact("../outside.json"), r"'\.\./outside\.json' has no place"),
        (fact("/etc/passwd"), "has no place"),
        (fact("runs/../../x.json"), "has no place"),
        (fact("runs/.hidden.json"), "has no place"),
        (fact("records/0/0/1.json"), "has no place"),
        (fact("log/.batch.json"), "has no place"),
        (fact("prior-art.toml"), "has no place"),
        (of_line(lambda v: v.update(index=5)), "line of entry 2: it is of entry 5"),
        (of_line(lambda v: v.update(index=True)), "no index"),
        (of_line(lambda v: v.update(more=1)), "more has no place"),
        (of_line(lambda v: v.pop("proof")), "no disclosure with a record and a proof"),
        (of_line(lambda v: v.update(proof={})), "its proof is of a wrong kind"),
        (of_line(lambda v: v.update(entry="nonsense")), "line of entry 2"),
        (lambda f: forge(f, "volume-0.jsonl.zst", lambda lines: lines[:-1]), "not whole"),
        (lambda f: forge(f, "volume-0.jsonl.zst", lambda lines: [b"[" * 99999, *lines[1:]]), "line of entry 0"),
    ],
)  # fmt: skip
def test_what_is_no_bulk_file_is_refused_by_name(
    press: Publication, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    output = tmp_path / "output"
    mirror(written(press), output)
    facts.queue(press.output, range(50, 51))
    shutil.rmtree(press.output / "queue")
    before = lasting(output)
    spoil(press.output / "bulk")
    with pytest.raises(PressError, match=said) as refused:
        mirror(press.output / "bulk", output)
    assert refused.value.exit_code == 2
    assert lasting(output) == before
    assert not list(tmp_path.rglob("outside.json"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (of_line(lambda v: v["record"].update(title="Another")), "not the bytes that entry 2"),
        (of_line(lambda v: v["record"].update(title="")), "record"),
        (of_line(lambda v: [v.pop(name) for name in ("record", "proof", "findings")]), "its record is missing"),
        (of_line(lambda v: v.update(proof=v["proof"].replace("index 2", "index 3"))), "proof"),
        (of_line(lambda v: v.update(entry=v["entry"].replace("sha256:", "sha256:0")[:-1])), "line of entry 2"),
        (lambda f: forge(f, "facts.jsonl.zst", lambda lines: [*lines[:2], *lines[3:]]), "checkpoint|missing"),
    ],
)  # fmt: skip
def test_what_the_log_does_not_prove_is_no_mirror(
    press: Publication, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    """Even where manifest and digests agree: whoever serves the files can write both."""
    spoil(written(press))
    with pytest.raises((VerificationError, PressError), match=said):
        mirror(press.output / "bulk", tmp_path / "output")
    assert lasting(tmp_path / "output") == {}


def test_older_bulk_files_and_another_fact_change_nothing(press: Publication, tmp_path: Path) -> None:
    older = shutil.copytree(written(press), tmp_path / "older")
    output = tmp_path / "output"
    facts.queue(press.output, range(40, 42))
    facts.append(press.output)
    mirror(written(press), output)
    before = lasting(output)
    with pytest.raises(PressError, match="only 20"):
        mirror(older, output)
    assert lasting(output) == before
    proof = output / "records" / "0" / "0" / "1.proof"
    proof.write_bytes(b"mine")
    with pytest.raises(PressError, match=r"1\.proof: another file stands there"):
        mirror(press.output / "bulk", output)
    assert proof.read_bytes() == b"mine"
    facts.queue(output, range(60, 61))
    with pytest.raises(PressError, match="records wait"):
        mirror(press.output / "bulk", output)


class Killed(BaseException):
    """What no part of the program catches."""


def test_a_kill_at_each_step_and_the_same_command_goes_on(
    press: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole = written(press), lasting(press.output)
    real, left, kills = Path.replace, [0], 0

    def replace_or_die(self: Path, target: Any) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace_or_die)
    output = tmp_path / "output"
    with serve(folder) as server:
        for step in range(1, 400, 7):
            left[0] = step
            try:
                mirror(server.url, output)
                break
            except Killed:
                kills += 1
                assert whole.items() >= {n: d for n, d in lasting(output).items() if ".part-" not in n}.items()
                assert (output / "log" / "checkpoint").exists() <= (lasting(output).keys() >= whole.keys())
    assert kills > 10
    assert lasting(output) == whole


@pytest.mark.parametrize("data", [b"\xff\x00", b"", "ü\r\n\u2028".encode(), b'{"path": "x"}'])
def test_a_fact_is_its_bytes_again(data: bytes) -> None:
    fact = bulk.Fact("log/anchors/5/freetsa.tsr", data)
    assert bulk.Fact.parse(fact.to_line()) == fact


def test_a_publication_that_cannot_be_written_says_which_file(press: Publication) -> None:
    files.write(press.output / "records" / "0" / "0" / "2.findings.json", b'[ {"check": 1} ]')
    with pytest.raises(PressError, match=r"2\.findings\.json: damaged"):
        written(press)
    (press.output / "records" / "0" / "0" / "2.findings.json").unlink()
    files.write(press.output / "runs" / "a b.json", b"{}")
    with pytest.raises(PressError, match=r"a b\.json: a file of this name"):
        written(press)
    assert not (press.output / "bulk" / "manifest.json").exists()
    with pytest.raises(PressError, match="the log is empty"):
        write(press.root / "nothing", SETTINGS, None, lambda _: None)


@pytest.mark.parametrize(
    ("path", "stands"),
    [
        ("log/anchors/5/freetsa.tsr", True),
        ("log/anchors/5/ada.cosignature", True),
        ("log/anchors/5/wit.witness", True),
        ("log/anchors/5/header-850000.bin", True),
        ("log/anchors/5/20261201083000.captures", True),
        ("log/roots/root-0123456789abcdef.pem", True),
        ("log/anchors/05/freetsa.tsr", False),
        ("log/anchors/../freetsa.tsr", False),
        ("log/anchors/5/5/freetsa.tsr", False),
        ("log/anchors/5/other.txt", False),
        ("log/freetsa.tsr", False),
        ("log/roots/root-0123456789abcdef.pem/x", False),
        ("../log/roots/root-0123456789abcdef.pem", False),
    ],
)
def test_what_others_say_of_checkpoints_stands_in_the_facts_and_nothing_else_below_the_log(
    path: str, stands: bool
) -> None:
    assert bulk.is_fact(path) is stands
