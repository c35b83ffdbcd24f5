import base64
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import facts
import pytest
from facts import TIME, archive, key

from generator.base import files
from generator.base.errors import KeyUnusable, PressError, VerificationError
from generator.log.archive import record_path
from generator.verify.audit import Step
from generator.verify.verify import verify

VKEY = key().verification_key.text


def no_network(url: str) -> bytes | None:
    raise AssertionError(f"{url} was asked for")


NO_EVIDENCE = ["existed by", "public by", "created"]


def steps(target: object, output: Path, *, old: Path | None = None, vkey: str = VKEY) -> list[Step]:
    return list(verify(str(target), output, vkey, fetch=no_network, old_checkpoint=old))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts")
    archive(folder, 6, published=TIME)
    return archive(folder, 270, first=6)


@pytest.fixture
def copy(output: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(output, tmp_path / "output"))


def test_a_folder(output: Path) -> None:
    assert [step.name for step in steps(output, output)] == [
        "checkpoint", "entries", "meaning", "tiles", "consistency", "records", "proofs",
    ]  # fmt: skip


def test_every_disclosure_by_serial_and_by_file(output: Path, tmp_path: Path) -> None:
    for serial in (0, 5, 7, 276):
        names = ["record", "entry", "proof", "number", "checkpoint", "consistency", "published", *NO_EVIDENCE]
        assert [step.name for step in steps(serial, output)] == names
        assert [step.name for step in steps(f"{serial:07d}", output)] == names
        for suffix in (".json", ".proof"):
            shutil.copy(record_path(output, serial, suffix), tmp_path)
        found = steps(tmp_path / f"{serial}.proof", Path("nowhere"))
        assert [step.name for step in found if step.holds] == ["record", "entry", "proof", "number", "checkpoint"]
        assert "not covered" in next(step.text for step in found if step.name == "published")
        assert facts.record(serial - (serial > 6)).sha256 in found[0].text


def test_a_url_reads_the_log_beside_it(output: Path) -> None:
    asked = []

    def fetch(url: str) -> bytes | None:
        asked.append(url)
        path = url.removeprefix("https://example.org/repo/")
        place = record_path(output, 7, f".{path[-5:].split('.')[-1]}") if path.startswith("d/0/7.") else output / path
        return place.read_bytes() if place.is_file() else None

    found = list(verify("https://example.org/repo/d/0/7.json?x=1#claim-2", output, VKEY, fetch=fetch))
    assert [step.name for step in found][-5:] == ["consistency", "published", *NO_EVIDENCE]
    assert "https://example.org/repo/log/checkpoint" in asked
    with pytest.raises(PressError, match="no such file"):
        list(verify("https://example.org/repo/d/12/99999.json", output, VKEY, fetch=fetch))


def test_an_older_checkpoint(output: Path, tmp_path: Path) -> None:
    old = output / "log" / "checkpoints" / "6"
    assert "size 6" in steps(output, output, old=old)[-1].text
    assert [step.text for step in steps(7, output, old=old) if "older" in step.text and "size 6" in step.text]
    other = archive(tmp_path / "other", 5)
    forked = other / "log" / "checkpoint"
    with pytest.raises(VerificationError, match="begin"):
        steps(archive(tmp_path / "third", 9, first=100), output, old=forked)
    with pytest.raises(VerificationError, match="has 277 entries, the log has only 5"):
        steps(other, output, old=output / "log" / "checkpoint")
    with pytest.raises(PressError, match="tiles are needed"):
        steps(record_path(output, 0), output, old=old)


def test_without_a_pinned_key_nothing_is_said(output: Path) -> None:
    with pytest.raises(PressError, match="no verification key is pinned"):
        steps(0, output, vkey="")
    with pytest.raises(KeyUnusable):
        steps(0, output, vkey="nonsense")
    with pytest.raises(VerificationError, match="no signature of the pinned key"):
        steps(0, output, vkey=key(seed=8).verification_key.text)
    with pytest.raises(VerificationError, match=r"it is of the log example\.org/prior-art/log"):
        steps(output, output, vkey=key("other.example").verification_key.text)


def test_what_cannot_be_read_is_not_called_false(output: Path, tmp_path: Path) -> None:
    for target, reason in ((9999, "disclosure 9999"), (tmp_path, "no log/checkpoint"), ("x.pdf", "not the name of")):
        with pytest.raises(PressError, match=reason) as caught:
            steps(target, output)
        assert caught.value.exit_code == 2


def test_another_record_in_its_place(copy: Path) -> None:
    record_path(copy, 3).write_bytes(facts.record(4).to_bytes())
    with pytest.raises(VerificationError, match=r"entry: the log's entry 3 names another record") as caught:
        steps(3, copy)
    assert caught.value.exit_code == 1
    with pytest.raises(VerificationError, match="not the bytes that entry 3"):
        steps(copy, copy)


@pytest.mark.parametrize(
    ("victim", "reason"),
    [("records/0/0/9.json", "record is missing"), ("log/tile/0/000.p/6", None),
     ("log/checkpoints/7", None), ("log/tile/0/001.p/21", "missing"),
     ("log/tile/entries/000", "missing"), ("log/checkpoints/277", "not among those kept")],
)  # fmt: skip
def test_a_missing_file(copy: Path, victim: str, reason: str | None) -> None:
    (copy / victim).unlink()
    if victim == "log/tile/0/001.p/21":
        with pytest.raises(VerificationError, match=reason):
            steps(9, copy)
        return
    if reason is None:  # a checkpoint that nothing refers to may be gone
        assert steps(copy, copy)
        return
    with pytest.raises(VerificationError, match=reason):
        steps(copy, copy)


def test_a_file_too_many(copy: Path) -> None:
    shutil.copy(record_path(copy, 3), record_path(copy, 250).with_name("9998.json"))
    with pytest.raises(VerificationError, match=r"9998\.json: a file of this name has no place there"):
        steps(copy, copy)


def test_every_one_of_200_random_single_byte_changes_is_found(copy: Path) -> None:
    """Records, proofs, checkpoints, entry bundles and tiles; by folder and, for its own files, by serial."""
    dice = random.Random(20261122)
    kinds = {
        "record": sorted((copy / "records").rglob("*.json")),
        "proof": sorted((copy / "records").rglob("*.proof")),
        "checkpoint": [copy / "log" / "checkpoint", *sorted((copy / "log" / "checkpoints").iterdir())],
        "entry": sorted(p for p in (copy / "log" / "tile" / "entries").rglob("*") if p.is_file()),
        "tile": sorted(p for n in "01" for p in (copy / "log" / "tile" / n).rglob("*") if p.is_file()),
    }
    kinds["record"] = [p for p in kinds["record"] if ".findings" not in p.name]
    missed = []
    for number in range(200):
        kind = list(kinds)[number % len(kinds)]
        path = dice.choice(kinds[kind])
        data = bytearray(path.read_bytes())
        place = dice.randrange(len(data))
        data[place] ^= dice.randrange(1, 256)
        whole = path.read_bytes()
        path.write_bytes(data)
        targets = [copy] if kind not in ("record", "proof") else [copy, path.stem]
        for target in targets:
            try:
                steps(target, copy)
                missed.append(f"{path.relative_to(copy)} at {place}, by {target}")
            except VerificationError:
                pass
        path.write_bytes(whole)
    assert missed == []
    assert steps(copy, copy)


def test_another_number_than_the_one_asked_for(output: Path, tmp_path: Path) -> None:
    for name in ("7", "DEMO-0000007"):
        for suffix in (".json", ".proof"):
            shutil.copy(record_path(output, 5, suffix), tmp_path / f"{name}{suffix}")
        with pytest.raises(VerificationError, match="is disclosure 5, not 7"):
            steps(tmp_path / f"{name}.json", output)
    copied = Path(shutil.copytree(output, tmp_path / "output"))
    for suffix in (".json", ".proof"):
        shutil.copy(record_path(output, 5, suffix), record_path(copied, 7, suffix))
    with pytest.raises(VerificationError, match="is disclosure 5, not 7"):
        steps(7, copied)


@pytest.mark.parametrize(
    "name", ["0/0/x/5.json", "5.json", "0/1/5.json", "0/0/05.json", "0/0/5.JSON", "0/0/5.evidence", "0/0/\u0665.json"]
)
def test_a_shadow_copy_has_no_place(copy: Path, name: str) -> None:
    place = copy / "records" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(record_path(copy, 5), place)
    record_path(copy, 5).write_bytes(facts.record(4).to_bytes())
    with pytest.raises(VerificationError, match="has no place there"):
        steps(copy, copy)


def test_a_forged_record_in_either_of_two_layouts(copy: Path) -> None:
    """Records are true, and a folder d/ beside them holds one that is not."""
    (copy / "d" / "0").mkdir(parents=True)
    (copy / "d" / "0" / "5.json").write_bytes(facts.record(4).to_bytes())
    with pytest.raises(VerificationError, match="record"):
        steps(copy, copy)


def test_signatures_of_witnesses_are_not_looked_at(copy: Path) -> None:
    line = f"\N{EM DASH} witness.example/w {base64.b64encode(b'w' * 76).decode()}\n"
    for path in (copy / "log" / "checkpoint", copy / "log" / "checkpoints" / "6", record_path(copy, 3, ".proof")):
        path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    assert steps(copy, copy)
    assert steps(3, copy)
    path = record_path(copy, 4, ".proof")
    path.write_text(path.read_text(encoding="utf-8").replace("\nindex", "\nextra AAAA\nindex"), encoding="utf-8")
    assert steps(copy, copy)


def test_a_log_with_parts_missing(copy: Path) -> None:
    shutil.rmtree(copy / "log" / "checkpoints")
    found = steps(copy, copy)
    assert ("consistency", False) in [(step.name, step.holds) for step in found]
    alone = steps(copy / "log", copy)
    assert [step.name for step in alone if not step.holds] == ["consistency", "records"]
    (copy / "log" / "tile" / "0" / "001.p" / "21").unlink()
    with pytest.raises(VerificationError, match="this part of the log is missing"):
        steps(copy, copy)


@pytest.mark.parametrize("name", ["evil/x", "tile/evil", "checkpoints/6x", "deploys/6.json", "deploys/999.json"])
def test_what_has_no_place_in_a_log(copy: Path, name: str) -> None:
    files.write(copy / "log" / name, b'{"entry":6,"read_back":[],"time":"2019-01-01T00:00:00Z"}')
    with pytest.raises(VerificationError):
        steps(copy, copy)


@pytest.mark.parametrize(("change", "said"), [(lambda data: data.replace(b"\n", b"\r\n"), "CR LF"),
                                              (lambda data: b"\xef\xbb\xbf" + data, "byte-order mark")])  # fmt: skip
def test_line_ends_and_a_byte_order_mark_are_named(copy: Path, change: Callable[[bytes], bytes], said: str) -> None:
    for path in (record_path(copy, 3, ".proof"), copy / "log" / "checkpoint"):
        whole = path.read_bytes()
        path.write_bytes(change(whole))
        with pytest.raises(VerificationError, match=said):
            steps(copy, copy)
        path.write_bytes(whole)


def test_pipes_devices_and_large_files_are_no_answer(output: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.json")
    (tmp_path / "2.json").symlink_to("/dev/zero")
    with (tmp_path / "3.html").open("wb") as file:
        file.truncate(2 << 30)
    os.mkfifo(tmp_path / "4.html")
    cases = (("1.json", "regular file"), ("2.json", "regular file"), ("3.html", "bytes"), ("4.html", "regular file"))
    for name, said in (*cases, ("x" * 5000 + ".html", "cannot be read"), ("5.html", "cannot be read")):
        with pytest.raises(PressError, match=said) as caught:
            steps(tmp_path / name, output)
        assert caught.value.exit_code == 2
    for url in ("http://[::1/d/0/5.html", "https://example.org/", "https://example.org/d/0/5", "https:///d/0/5.json",
                "https://example.org/d/1/5.json", "https://example.org/d/0/\u0665.json"):  # fmt: skip
        with pytest.raises(PressError, match="not the address") as caught:
            steps(url, output)
        assert caught.value.exit_code == 2


def test_what_is_no_checkpoint_is_no_answer(output: Path, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("garbage")
    with pytest.raises(PressError, match="not a checkpoint") as caught:
        steps(output, output, old=tmp_path / "old")
    assert caught.value.exit_code == 2


def test_the_newest_checkpoint_is_remembered(output: Path, tmp_path: Path) -> None:
    """A first look, the same again, an older copy of the log, and another history by the same key."""

    def look(folder: Path) -> str:
        found = verify(str(folder), folder, VKEY, fetch=no_network, memory=tmp_path / "memory")
        return next(step.text for step in found if step.name == "memory")

    early, late = archive(tmp_path / "early", 6), archive(tmp_path / "late", 8)
    assert "remembered from now on" in look(early)
    assert "is this one" in look(early)
    assert "size 6, seen before, is a beginning of size 8" in look(late)
    with pytest.raises(VerificationError, match="gone back: 6 entries now, 8 before"):
        look(early)
    for fork in (archive(tmp_path / "fork", 8, first=50), archive(tmp_path / "longer", 11, first=50)):
        with pytest.raises(VerificationError, match="the log has forked"):
            look(fork)
    assert list(verify(str(early), early, VKEY, fetch=no_network))
