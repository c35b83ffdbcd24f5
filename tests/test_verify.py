import random
import shutil
from pathlib import Path

import facts
import pytest
from facts import TIME, archive, key

from generator.base.errors import KeyUnusable, PressError, VerificationError
from generator.log.archive import record_path
from generator.verify.audit import Step
from generator.verify.verify import verify

VKEY = key().verification_key.text


def no_network(url: str) -> bytes | None:
    raise AssertionError(f"{url} was asked for")


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
        "checkpoint", "entries", "tiles", "consistency", "records", "proofs",
    ]  # fmt: skip


def test_every_disclosure_by_serial_and_by_file(output: Path, tmp_path: Path) -> None:
    for serial in (0, 5, 7, 276):
        assert [step.name for step in steps(serial, output)] == [
            "record", "entry", "proof", "checkpoint", "consistency", "created",
        ]  # fmt: skip
        for suffix in (".json", ".proof"):
            shutil.copy(record_path(output, serial, suffix), tmp_path)
        found = steps(tmp_path / f"{serial}.html", Path("nowhere"))
        assert [step.name for step in found] == ["record", "entry", "proof", "checkpoint", "created"]
        assert facts.record(serial - (serial > 6)).sha256 in found[0].text


def test_a_url_reads_the_log_beside_it(output: Path) -> None:
    asked = []

    def fetch(url: str) -> bytes | None:
        asked.append(url)
        path = url.removeprefix("https://example.org/repo/")
        place = record_path(output, 7, f".{path[-5:].split('.')[-1]}") if path.startswith("d/0/7.") else output / path
        return place.read_bytes() if place.is_file() else None

    found = list(verify("https://example.org/repo/d/0/7.html?x=1#claim-2", output, VKEY, fetch=fetch))
    assert [step.name for step in found][-2:] == ["consistency", "created"]
    assert "https://example.org/repo/log/checkpoint" in asked
    with pytest.raises(PressError, match="no such file"):
        list(verify("https://example.org/repo/d/0/99999.html", output, VKEY, fetch=fetch))


def test_an_older_checkpoint(output: Path, tmp_path: Path) -> None:
    old = output / "log" / "checkpoints" / "6"
    assert "size 6" in steps(output, output, old=old)[-1].text
    assert "size 6" in steps(7, output, old=old)[-2].text
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
    [("records/0/0/9.json", "record is missing"), ("log/checkpoints/7", None), ("log/tile/0/001.p/21", "missing"),
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
    with pytest.raises(VerificationError, match=r"9998\.json is not in the log"):
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
