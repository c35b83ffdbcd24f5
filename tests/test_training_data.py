"""Stage 1: what is kept, what is left out, what is kept apart, and what the manifest says of it."""

import hashlib
import json
from pathlib import Path

import pytest
import zstandard
from training_runs import RECIPE, begun, patent, silent, sources, write

from generator.base.errors import ConfigError, CorpusError, PressError
from generator.train.gathering import gather, is_held_out, kept
from generator.train.preparing import HELD_OUT, TRAIN, documents, kind, prepare
from generator.train.recipe import Data

DATA = Data(held_out=0.2, vocabulary=400)


def gathered(folder: Path, *lines: dict[str, object], data: Data = DATA):  # type: ignore[no-untyped-def]
    path = write(folder, "patents.jsonl", list(lines))
    found = gather([path], data, silent)
    return found, [(family, document) for family, document in kept([path], found, silent)]


def test_texts_are_cleaned(tmp_path: Path) -> None:
    _, ((_, document),) = gathered(
        tmp_path, patent(1, title="VALVE  WITH LTE ANTENNA", abstract="A valve\nhas an LTE\u0000 antenna.")
    )
    assert document.title == "Valve with LTE antenna"
    assert document.abstract == "A valve has an LTE antenna."


def test_duplicates_near_duplicates_and_other_tiers_are_left_out(tmp_path: Path) -> None:
    long = " ".join(f"The part {n} stands on the part {n + 1} of the frame." for n in range(40))
    found, documents_ = gathered(
        tmp_path,
        patent(1),
        patent(1),
        patent(2, abstract=long),
        patent(3, title=patent(2)["title"], claims=patent(2)["claims"], abstract=long + " It shines."),
        patent(4, tier="notice"),
        patent(5, title="", abstract="", claims=["A valve."]),
        patent(6, tier=""),
    )
    assert [document.number for _, document in documents_] == ["US1", "US2", "US6"]
    assert found.dropped == {
        "duplicate": 1, "near duplicate": 1, "tier notice": 1, "neither abstract nor description": 1
    }  # fmt: skip
    assert found.by_source == [{"documents": 7, "kept": 3}]


def test_a_tier_that_the_recipe_names_is_taken(tmp_path: Path) -> None:
    _, documents_ = gathered(tmp_path, patent(4, tier="notice"), data=Data(tiers=("clean", "notice")))
    assert len(documents_) == 1


def test_a_family_is_what_shares_a_number_or_a_text(tmp_path: Path) -> None:
    long = "An arrangement of many parts " + " ".join(f"with a part of kind {n}" for n in range(20))
    _, documents_ = gathered(
        tmp_path,
        patent(10, family=["60/1", "60/2"]),
        patent(11, family=["60/2"]),
        patent(12, family=["60/3", "60/1"]),
        patent(13, abstract=long),
        patent(14, abstract=long.upper()),
        {"id": "US13", "text": "A description of number 13."},
        patent(15),
    )
    families = {(document.number, bool(document.description)): family for family, document in documents_}
    assert families == {
        ("US10", False): "US10",
        ("US11", False): "US10",
        ("US12", False): "US10",
        ("US13", False): "US13",
        ("US14", False): "US13",
        ("US13", True): "US13",
        ("US15", False): "US15",
    }


def test_families_of_an_application_and_its_continuation_in_the_offices_xml() -> None:
    from generator.corpus.uspto import read_uspto

    def grant(number: str, inner: str) -> bytes:
        return (
            f"<us-patent-grant><publication-reference><doc-number>{number}</doc-number></publication-reference>"
            f"{inner}<abstract><p>A text.</p></abstract></us-patent-grant>"
        ).encode()

    own = "<application-reference><document-id><doc-number>12345</doc-number></document-id></application-reference>"
    parent = "<relation><parent-doc><document-id><doc-number>12345</doc-number></document-id></parent-doc></relation>"
    priority = "<priority-claims><priority-claim><doc-number>10-2009</doc-number></priority-claim></priority-claims>"
    first, second = (item for _, item in read_uspto(iter([grant("1", own) + b"\n" + grant("2", priority + parent)]), 0))
    assert (first.number, first.family) == ("US1", ("12345",))  # type: ignore[union-attr]
    assert (second.number, second.family) == ("US2", ("10-2009", "12345"))  # type: ignore[union-attr]


def test_no_family_is_on_both_sides(tmp_path: Path) -> None:
    run = begun(tmp_path)
    sides = {name: {d.number for d in documents(tmp_path / "data" / name)} for name in (TRAIN, HELD_OUT)}
    assert not sides[TRAIN] & sides[HELD_OUT]
    assert all(is_held_out(number, run.recipe.data) for number in sides[HELD_OUT])
    assert not any(is_held_out(number, run.recipe.data) for number in sides[TRAIN])
    described = {d.number for d in documents(tmp_path / "data" / HELD_OUT) if kind(d) == "description"}
    assert described <= sides[HELD_OUT]
    assert described


def test_the_manifest_counts_and_names_everything(tmp_path: Path) -> None:
    begun(tmp_path)
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_bytes())
    train, held = manifest["train"], manifest["held-out"]
    assert train["full"] + held["full"] == 60
    assert train["head"] + held["head"] == 100
    assert train["description"] + held["description"] == 40
    assert train["claims"] + held["claims"] == 120
    assert manifest["families"] == 160
    for source in manifest["sources"]:
        assert source["sha256"] == hashlib.sha256((tmp_path / source["name"]).read_bytes()).hexdigest()
    assert set(manifest["files"]) == {TRAIN, HELD_OUT, "tokenizer.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "data" / name).read_bytes()).hexdigest() == digest


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        begun(tmp_path / name)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name / "data").iterdir()})
    assert made[0] == made[1]


def test_what_is_finished_is_not_done_again_and_other_files_are_refused(tmp_path: Path) -> None:
    run = begun(tmp_path)
    before = (tmp_path / "data" / "manifest.json").stat().st_mtime_ns
    prepare(run, sources(tmp_path))
    assert (tmp_path / "data" / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="begun with another recipe or other data"):
        prepare(run, [write(tmp_path, "others.jsonl", [patent(1)])])


def test_a_stage_that_was_killed_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "data.part"
    folder.mkdir()
    (folder / TRAIN).write_bytes(b"torn")
    begun(tmp_path)
    assert len(list(documents(tmp_path / "data" / TRAIN))) > 100


def test_data_without_claims_are_refused(tmp_path: Path) -> None:
    from generator.train.recipe import read_recipe
    from generator.train.run import Run

    (tmp_path / "recipe.toml").write_text(RECIPE)
    run = Run(tmp_path, read_recipe(tmp_path / "recipe.toml"), silent)
    heads = write(tmp_path, "heads.jsonl", [patent(n, claims=[]) for n in range(50)])
    with pytest.raises(CorpusError, match="0 documents with title, abstract and claims") as caught:
        prepare(run, [heads])
    assert "held_out" in caught.value.hint
    assert not run.stage("data").finished
    with pytest.raises(CorpusError, match="no document"):
        prepare(Run(tmp_path / "b", run.recipe, silent), [write(tmp_path, "empty.jsonl", [{"id": "x"}])])


def test_a_damaged_file_of_the_stage_is_named(tmp_path: Path) -> None:
    path = tmp_path / TRAIN
    path.write_bytes(b"no zstandard at all")
    with pytest.raises(CorpusError, match=r"train\.jsonl\.zst: cannot be read"):
        list(documents(path))
    path.write_bytes(zstandard.compress(b"{}\n"))
    with pytest.raises(CorpusError, match="line 1: it has no id"):
        list(documents(path))


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    from generator.train.run import Run

    blocked = tmp_path / "run"
    blocked.write_text("a file, no folder")
    run = Run(blocked, begun(tmp_path / "other").recipe, silent)
    with pytest.raises(PressError, match="cannot be written"):
        prepare(run, sources(tmp_path))
