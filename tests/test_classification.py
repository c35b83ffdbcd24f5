"""CPC symbols assigned by machine: the shipped classifier, and the making of another one on a small data set."""

import hashlib
import json
import subprocess
import sys

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_patents import DATA

from generator.base.errors import CorpusError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.base.words import content
from generator.judge import classification
from generator.judge.classification import MANIFEST, SHIPPED, WEIGHTS, load_classifier, manifest, spelling, titles
from generator.record.disclosure import Claim, Disclosure
from generator.record.judgement import Classification
from generator.train.classifier import fit, measure, read_labelled, to_bytes, train_classifier

# Written for this test; the symbol is that of the scheme's own title for such a thing.
KNOWN = [
    (
        "A61K",
        "A pharmaceutical composition for treating asthma, comprising a compound or a salt thereof and a carrier.",
    ),
    ("H01L", "A semiconductor device has a gate electrode on a gate insulating layer over a silicon substrate."),
    ("H04L", "A packet is received at a router, and a network node forwards the packet over a link of the network."),
    ("A61B", "An endoscope has a flexible insertion tube and an image sensor for imaging tissue of a patient."),
    ("G06F", "A processor executes instructions of a thread and writes data of a cache line into memory."),
    (
        "F02D",
        "A controller of an internal combustion engine sets the fuel injection of a cylinder by an air-fuel ratio.",
    ),
]


def disclosure(abstract, title="", claims=()):
    return Disclosure(title, abstract, (), tuple(Claim(n, text) for n, text in enumerate(claims, 1)))


@pytest.mark.parametrize(("symbol", "abstract"), KNOWN)
def test_plain_texts_get_the_class_of_their_field(symbol, abstract):
    found = load_classifier().classify(disclosure(abstract))
    assert found.subclasses[0].symbol == symbol
    assert found.classes[0].symbol == symbol[:3]
    assert found.sections[0].symbol == symbol[0]
    assert found.subclasses[0].title == titles()[symbol]


def test_title_and_first_claim_count_and_later_claims_do_not():
    classifier = load_classifier()
    symbol, text = KNOWN[1]
    assert classifier.classify(disclosure("", title=text)).subclasses[0].symbol == symbol
    assert classifier.classify(disclosure("", claims=[text])).subclasses[0].symbol == symbol
    assert classifier.classify(disclosure("", claims=["A thing.", text])) == classifier.classify(disclosure("A thing."))


@given(st.lists(st.sampled_from(sorted(load_classifier().terms)), min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_the_first_of_each_level_lie_in_one_another(terms):
    """A promise to the reader: one branch of the scheme first, never more certain below than above, best first."""
    found = load_classifier().classify(disclosure(" ".join(terms)))
    for broader, narrower in ((found.sections, found.classes), (found.classes, found.subclasses)):
        if narrower:
            assert narrower[0].symbol.startswith(broader[0].symbol)
            assert narrower[0].score <= broader[0].score
        scores = {item.symbol: item.score for item in broader}
        for item in narrower:
            assert item.score <= scores.get(item.symbol[: len(broader[0].symbol)], 1000)
    for level in (found.sections, found.classes, found.subclasses):
        assert len(level) <= 3
        assert [item.score for item in level] == sorted((item.score for item in level), reverse=True)
        assert all(0 <= item.score <= 1000 and titles()[item.symbol] == item.title for item in level)
        assert len({item.symbol for item in level}) == len(level)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_is_classified_or_not(text):
    found = load_classifier().classify(disclosure(text))
    assert bool(found.sections) == bool(found.classes) == bool(found.subclasses)


def test_no_known_word_gives_no_class():
    assert load_classifier().classify(disclosure("Xyzzy plugh 42")) == Classification((), (), ())
    assert load_classifier().classify(disclosure("")) == Classification((), (), ())


def test_weights_of_words_are_those_of_scikit_learn():
    """The own TF-IDF against the library's that made the vectors of training."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    classifier = load_classifier()
    library = TfidfVectorizer(analyzer=classification.features, sublinear_tf=True, vocabulary=classifier.terms)
    library.idf_ = classifier.idf.astype(float)
    text = " ".join(text for _, text in KNOWN) * 2
    vector = library.transform([text])
    expected = vector.data @ (classifier.weights[vector.indices] * classifier.scales)
    assert numpy.allclose(classifier.scores(text), expected, atol=1e-5)


def test_the_shipped_files_belong_together():
    """A classifier is of use only with the words that it was trained with: a change of `words` needs a new one."""
    value = manifest()
    assert value["weights_sha256"] == hashlib.sha256((SHIPPED / WEIGHTS).read_bytes()).hexdigest()
    assert value["spelling"] == spelling(), "generator/base/words.py has changed: run prior-art classifier DATA anew"
    assert (SHIPPED / WEIGHTS).stat().st_size < 6_000_000


def test_the_measured_accuracy_is_above_the_majority_and_scores_hold():
    """Figures of the held-out third in the manifest: intervals apart, and scores that are shares of right symbols."""
    for figures in manifest()["accuracy"].values():
        assert figures["first"]["low"] > figures["majority_first"]["high"] + 0.2
        assert figures["top3"]["low"] > figures["majority_top3"]["high"]
        for tenth in figures["reliability"]:
            assert tenth["right"]["low"] - 0.05 <= tenth["mean_score"] <= tenth["right"]["high"] + 0.05


def test_titles_are_those_of_the_scheme():
    known = titles()
    assert len(known) == 826
    assert known["A"] == "HUMAN NECESSITIES"
    assert known["H04L"].startswith("TRANSMISSION OF DIGITAL INFORMATION")
    assert all({symbol[:1], symbol[:3], symbol} <= known.keys() for symbol in known)
    assert not [title for title in known.values() if not title or set(title) & set("(){}\t\n")]


def test_loading_and_classifying_are_quick():
    """CPU time in a process of its own, NumPy loaded: under 300 ms to load, under 3 ms a disclosure."""
    code = (
        "import time, numpy\n"
        "from generator.judge.classification import load_classifier\n"
        "t = time.process_time(); c = load_classifier(); print(time.process_time() - t)\n"
        f"text = {' '.join(text for _, text in KNOWN)!r} * 3\n"
        "c.ranked(c.scores(text)); t = time.process_time()\n"
        "for _ in range(50): c.ranked(c.scores(text))\n"
        "print((time.process_time() - t) / 50)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    load, each = map(float, done.stdout.split())
    assert load < 0.3
    assert each < 0.003


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "bits", "pickle", "kind", "shape", "absent"])
def test_a_damaged_classifier_is_named(tmp_path, damage):
    path = tmp_path / WEIGHTS
    data = (SHIPPED / WEIGHTS).read_bytes()
    with numpy.load(SHIPPED / WEIGHTS) as archive:
        arrays = dict(archive)
    match damage:
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case "bits":
            path.write_bytes(data[:5000] + bytes(100) + data[5100:])
        case "text":
            path.write_text("no archive")
        case "pickle":
            numpy.savez(path, **{**arrays, "idf": numpy.array([{}], dtype=object)})
        case "kind":
            numpy.savez(path, **{**arrays, "weights": arrays["weights"].astype(float)})
        case "shape":
            numpy.savez(path, **{**arrays, "idf": arrays["idf"][:-1]})
    with pytest.raises(CorpusError, match=WEIGHTS) as raised:
        load_classifier(tmp_path)
    assert raised.value.hint


def test_a_manifest_of_another_schema_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text('{"schema": "other"}')
    with pytest.raises(CorpusError, match="schema"):
        manifest(tmp_path)


# A small data set: three fields with words of their own, and words that all share.
FIELDS = {
    "A01B": "plough furrow tractor soil tine harrow share hitch depth wheel ridge clod",
    "G11C": "bit line word sense amplifier latch voltage row column decoder bank refresh",
    "C07D": "ring nitrogen pyridine salt solvent yield catalyst ester amine acid reflux ether",
}
SHARED = "apparatus element arranged unit control position signal direction member portion surface base"


def write_records(folder, count=360):
    folder.mkdir()
    lines = []
    for number in range(count):
        symbol = sorted(FIELDS)[number % 3]
        own, shared = FIELDS[symbol].split(), SHARED.split()
        text = " ".join(
            [*(own[(number * k) % len(own)] for k in range(1, 5)), *(shared[(number + k) % 12] for k in range(6))]
        )
        lines.append(
            {"id": f"US{number}", "title": "", "abstract": text, "claims": [], "cpc": [f"{symbol}33/08", "Y02P10/25"]}
        )
    lines.append({"id": "US9991", "abstract": "secret plough", "cpc": ["A01B1/00"], "tier": "notice"})
    lines.append({"id": "US9992", "abstract": "soil", "cpc": ["A98Z1/00"]})
    (folder / "patents.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_records_are_read_with_the_symbols_of_the_scheme(tmp_path):
    records, digest = read_labelled(write_records(tmp_path / "data"))
    assert digest == hashlib.sha256((tmp_path / "data" / "patents.jsonl").read_bytes()).hexdigest()
    assert records[0].subclasses == ("A01B",)
    assert len(records) == 361
    assert records[-1].subclasses == ()
    assert not [record for record in records if "secret" in record.text]


def test_too_few_records_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="fewer than 100 records with CPC symbols"):
        read_labelled(write_records(tmp_path / "data", 99))
    with pytest.raises(CorpusError, match="fewer than 100"):
        read_labelled(tmp_path / "absent")


def test_a_classifier_is_made_measured_and_read_again(tmp_path):
    publication = Publication(tmp_path, Settings(), lambda _: None)
    outcome = train_classifier(publication, write_records(tmp_path / "data"), tmp_path / "made")
    made = load_classifier(tmp_path / "made")
    assert (
        made.classify(disclosure("A tractor pulls a harrow with tines over the soil.")).subclasses[0].symbol == "A01B"
    )
    value = manifest(tmp_path / "made")
    assert value["corpus"]["labelled"] == 360
    assert 90 < value["corpus"]["held_out"] < 150
    assert value["accuracy"]["subclass"]["first"]["share"] > 0.95
    assert value["accuracy"]["subclass"]["majority_first"]["share"] < 0.5
    assert any("one of three" in line for line in outcome.lines)
    first = (tmp_path / "made" / WEIGHTS).read_bytes()
    train_classifier(publication, tmp_path / "data", tmp_path / "again")
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == first


def test_scores_without_a_record_are_those_of_a_fit_without_it(tmp_path, monkeypatch):
    """The closed form of leaving one out, by which scores are calibrated, against leaving one out."""
    from generator.train import classifier as training

    records = [r for r in read_labelled(write_records(tmp_path / "data"))[0] if r.subclasses][:120]
    caught = []
    original = training.calibrated
    monkeypatch.setattr(training, "calibrated", lambda scores, *rest: caught.append(scores) or original(scores, *rest))
    whole = fit(records)
    monkeypatch.setattr(training, "calibrated", original)
    left = records[7]
    # The same words with the same weights: the left-out record stays as one without symbols, twice to keep the idf.
    without = fit([r if r is not left else training.Labelled(r.id, r.text, ()) for r in records])
    assert without.terms == whole.terms
    assert numpy.allclose(caught[0][7], without.scores(left.text), atol=0.03)


def test_measure_counts_any_of_a_records_own_symbols(tmp_path):
    records = [r for r in read_labelled(write_records(tmp_path / "data"))[0] if r.subclasses]
    made = fit(records)
    figures = measure(made, records[:30], records)
    assert figures["section"]["first"]["hits"] == 30
    wrong = [type(r)(r.id, r.text, ("H04L",)) for r in records[:30]]
    assert measure(made, wrong, records)["section"]["first"]["hits"] == 0
    assert sum(tenth["shown"] for tenth in figures["subclass"]["reliability"]) <= 90


def test_the_same_classifier_gives_the_same_bytes(tmp_path):
    """Here and now; how arrays are packed may differ between versions of Python and zlib, what is in them does not."""
    data = to_bytes(load_classifier())
    assert data == to_bytes(load_classifier())
    (tmp_path / WEIGHTS).write_bytes(data)
    written, shipped = (numpy.load(folder / WEIGHTS) for folder in (tmp_path, SHIPPED))
    assert set(written) == set(shipped)
    for name in shipped:
        assert written[name].dtype == shipped[name].dtype
        assert numpy.array_equal(written[name], shipped[name])


def test_shares_do_not_fall_with_the_score_and_are_no_lower_above():
    classifier = load_classifier()
    assert (numpy.diff(classifier.shares, axis=1) >= 0).all()
    assert (numpy.diff(classifier.shares, axis=0) <= 0).all()
    assert (numpy.diff(classifier.knots) > 0).all()


def test_features_are_stems_and_pairs():
    assert classification.features("The valves of a pump") == ["valve", "pump", "valve pump"]
    assert content("The valves of a pump") == ["valve", "pump"]


@pytest.mark.data
def test_the_manifest_names_the_data_that_are_here():
    digest = hashlib.sha256((DATA / "patents.jsonl.zst").read_bytes()).hexdigest()
    assert manifest()["corpus"]["sha256"] == digest
