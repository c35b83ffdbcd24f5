import hashlib
import json
from dataclasses import replace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from real_patents import DATA

from generator.base import canonical
from generator.base.errors import ConfigError, CorpusError, PressError
from generator.base.publication import Publication
from generator.commands.gates import calibrate
from generator.corpus.documents import Document, Skipped
from generator.corpus.patent_text import held_out
from generator.corpus.reading import read_documents
from generator.judge.calibration import (
    CODES,
    FIRST_CLAIMS,
    LOSS,
    MEASURES,
    SHIPPED,
    at,
    choose_thresholds,
    load_calibration,
    read_calibration,
    real_disclosures,
)
from generator.judge.checks.thresholds import Calibration
from generator.measure.controls import SHIPPED as DOCUMENTS
from generator.record.judgement import Coherence


def publication(root):
    return Publication(root, None, lambda _: None)


def documents(path, times=1, **changes):
    """The shipped documents as JSON lines; each `times`, under other numbers, so that not all are held out."""
    lines = []
    for _, one in read_documents(DOCUMENTS):
        for copy in range(times):
            value = {"id": f"{one.number}-{copy}", "title": one.title, "abstract": one.abstract, "claims": one.claims}
            lines.append(json.dumps({**value, **changes}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A calibration by the command, the file that it was made from, and what the command said."""
    folder = tmp_path_factory.mktemp("calibration")
    corpus = documents(folder / "corpus.jsonl", times=3)
    with corpus.open("a") as file:
        file.write("no JSON\n")
    outcome = calibrate(publication(folder), corpus)
    return folder / "calibration.json", corpus, outcome


def test_the_shipped_calibration_is_whole():
    value = read_calibration(SHIPPED)
    assert value["corpus"]["documents"] == 1793
    assert len(value["corpus"]["sha256"]) == 64
    assert value["claims"] == FIRST_CLAIMS
    assert [item["code"] for item in value["checks"]] == list(CODES)
    held = value["held_out"]
    assert held["g2"] / held["documents"] >= 0.88
    loaded = load_calibration()
    assert loaded == Calibration(value["id"], **value["thresholds"])
    assert 0 < loaded.antecedent_share < 1000
    assert min(loaded.cohesion, loaded.title_support, loaded.abstract_support) > 0
    assert len(SHIPPED.read_bytes()) < 10_000


@pytest.mark.data
def test_the_shipped_calibration_is_that_of_these_checks(tmp_path):
    """Whoever changes a check calibrates anew: the file follows from the corpus and the checks byte for byte."""
    calibrate(publication(tmp_path), DATA / "patents.jsonl.zst")
    assert (tmp_path / "calibration.json").read_bytes() == SHIPPED.read_bytes()


def test_what_is_shipped_for_the_controls_was_held_out():
    shipped = real_disclosures(one for _, one in read_documents(DOCUMENTS))
    assert len(shipped) >= 100
    assert all(one.held_out for one in shipped)


def test_the_command_writes_what_the_reader_reads(made):
    path, corpus, outcome = made
    value = read_calibration(path)
    assert load_calibration(path).id == value["id"]
    assert value["corpus"] == {
        "name": "corpus.jsonl",
        "documents": 480,
        "sha256": hashlib.sha256(corpus.read_bytes()).hexdigest(),
    }
    assert outcome.figures["thresholds"] == value["thresholds"]
    assert "corpus.jsonl: documents skipped: 1; the first, at line 481: " in outcome.lines[0]
    assert path.name in outcome.lines[-1]
    assert value["held_out"]["documents"] == sum(
        held_out(one.number, 1 / 3) for _, one in read_documents(corpus) if isinstance(one, Document)
    )
    assert value["held_out"]["g2"] <= value["held_out"]["g1"] <= value["held_out"]["documents"]


def test_a_calibration_is_a_function_of_its_corpus(made, tmp_path):
    path, corpus, _ = made
    again = calibrate(publication(tmp_path), corpus, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert again.ok
    packed = tmp_path / "corpus.jsonl.zst"
    packed.write_bytes(zstandard.ZstdCompressor().compress(corpus.read_bytes()))
    calibrate(publication(tmp_path), packed, tmp_path / "packed.json")
    assert load_calibration(tmp_path / "packed.json") == replace(
        load_calibration(path), id=load_calibration(tmp_path / "packed.json").id
    )


def test_the_thresholds_lose_no_more_than_was_said(made):
    value = read_calibration(made[0])
    assert value["loss"] == LOSS
    assert all(
        [item["value"] for item in value["percentiles"][name]]
        == sorted(item["value"] for item in value["percentiles"][name])
        for name in MEASURES
    )


@given(
    st.lists(st.builds(Coherence, *[st.integers(0, 1000)] * 4), min_size=1, max_size=60),
)
def test_chosen_thresholds_refuse_at_most_the_loss(measured):
    percentile, thresholds = choose_thresholds(measured)
    refused = sum(bool(Calibration("", **thresholds).refuses(one)) for one in measured)
    assert refused * 1000 <= LOSS * len(measured) or percentile == 0
    assert 0 <= percentile <= LOSS


def test_percentiles_by_nearest_rank():
    assert [at(list(range(100)), p) for p in (0, 10, 500, 995, 1000)] == [0, 1, 50, 99, 99]


def test_documents_that_cannot_be_drafts_are_left_out():
    whole = Document("1", "A TITLE OF DNA", "An abstract of DNA.", tuple(["A valve, comprising a body."] * 12))
    found = real_disclosures(
        [whole, replace(whole, title="Again"), replace(whole, number="2", claims=()), Skipped("line 1", "why"),
         replace(whole, number="3", title=""), replace(whole, number="4", claims=("", "A valve.")),
         replace(whole, number="5", abstract="")]
    )  # fmt: skip
    assert [one.number for one in found] == ["1"]
    assert found[0].disclosure.title == "A title of DNA"
    assert len(found[0].disclosure.claims) == FIRST_CLAIMS


def test_too_few_documents_are_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"0 documents to calibrate on and 160 held out") as caught:
        calibrate(publication(tmp_path), DOCUMENTS)
    assert caught.value.hint
    assert not (tmp_path / "calibration.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: {**v, "schema": "prior-art-calibration/v0"}, "schema"),
        (lambda v: {name: item for name, item in v.items() if name != "checks"}, "checks: missing"),
        (lambda v: {**v, "more": 1}, "more: not known"),
        (lambda v: {**v, "thresholds": {**v["thresholds"], "cohesion": 1}}, "changed by hand"),
        (lambda v: {**v, "id": "0" * 16}, "changed by hand"),
        (lambda v: {**v, "thresholds": {**v["thresholds"], "cohesion": "1"}}, r"thresholds\.cohesion: '1'"),
        (lambda v: {**v, "thresholds": {}, "loss": "x"}, r"(?s)thresholds\.cohesion: missing.*|loss: 'x'"),
        (lambda v: {**v, "held_out": {"g1": True}}, r"held_out\.g1: 'True': a whole number is expected"),
        (lambda v: {**v, "checks": {}}, "checks: '{}': an array is expected"),
        (lambda v: [v], "schema"),
    ],
)
def test_a_changed_calibration_is_refused(made, tmp_path, change, said):
    path = tmp_path / "changed.json"
    path.write_bytes(canonical.dumps(change(read_calibration(made[0]))))
    with pytest.raises(ConfigError, match=said) as caught:
        load_calibration(path)
    assert str(path) in str(caught.value)
    assert "prior-art calibrate" in caught.value.hint


def test_what_is_no_calibration_is_refused(tmp_path):
    (tmp_path / "broken.json").write_bytes(b'{"schema": 1.5')
    with pytest.raises(ConfigError, match="no calibration"):
        load_calibration(tmp_path / "broken.json")
    with pytest.raises(PressError, match=r"missing\.json"):
        load_calibration(tmp_path / "missing.json")
