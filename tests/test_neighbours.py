"""The nearest disclosures and documents, with and without a corpus."""

import json
from pathlib import Path

import facts
import pytest

from generator.corpus.adding import add
from generator.corpus.documents import as_document, gist
from generator.corpus.passages import stems
from generator.corpus.store import Corpus
from generator.judge import copying
from generator.judge.copying import KnownTexts
from generator.judge.neighbours import MOST, SHOWN, nearest
from generator.log import archive
from generator.record.disclosure import Claim, Disclosure


def about(title: str, abstract: str, claim: str = "An apparatus.") -> Disclosure:
    return Disclosure(title, abstract, (), (Claim(1, claim),))


PUMP = about(
    "Centrifugal pump", "An impeller with curved vanes turns in a volute casing.", "A pump comprising an impeller."
)
SEAL = about("Shaft seals", "Silicon carbide seals close the shaft of a pump.", "A seal comprising silicon carbide.")
OVEN = about("Bakery oven", "A stone chamber bakes dough.", "An oven comprising a stone chamber.")
KITE = about("Kite", "A ripstop sail flies on a tether.", "A kite comprising a sail.")
MINE = about(
    "Impellers", "Curved vanes of an impeller in a volute.", "An impeller comprising vanes of silicon carbide."
)


def known_with(*disclosures: Disclosure) -> KnownTexts:
    known = KnownTexts.open(None, None)
    for number, disclosure in enumerate(disclosures):
        known.add(f"run-{number}", disclosure)
    return known


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    found = [as_document(f"US{n}", one) for n, one in enumerate((OVEN, PUMP, KITE, SEAL))]
    found += [as_document(f"F{n}", about(f"Thing {n}", f"A housing{n} holds a motor and goods.")) for n in range(30)]
    rows = [{"id": d.number, "title": d.title, "abstract": d.abstract, "claims": list(d.claims)} for d in found]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    add(folder / "corpus", [folder / "a.jsonl"], lambda _: None)
    return Corpus.open(folder / "corpus")


def test_without_a_corpus_the_disclosures_are_the_neighbours() -> None:
    near = nearest(MINE, None, known_with(OVEN, PUMP, KITE, SEAL))
    assert [one.number for one in near] == ["run-1", "run-3"]
    assert near[0].title == "Centrifugal pump"
    assert set(near[0].shared) == {"impellers", "vanes", "curved", "volute"}
    assert set(near[1].shared) == {"silicon", "carbide"}


def test_documents_of_the_corpus_and_disclosures_are_mixed(corpus: Corpus) -> None:
    twin = about("Impellers in pumps", MINE.abstract, MINE.claims[0].text)
    near = nearest(MINE, corpus, known_with(KITE, twin))
    assert [one.number for one in near] == ["run-1", "US1", "US3"]
    assert near[0].score == 1000
    assert [one.number for one in nearest(MINE, corpus)] == ["US1", "US3"]


def test_scores_are_shares_of_the_own_weight_and_shared_terms_stand_in_both(corpus: Corpus) -> None:
    for one in nearest(MINE, corpus, known_with(PUMP)):
        assert 0 < one.score < 1000
        assert len(one.shared) <= SHOWN
        other = PUMP if one.title == PUMP.title else SEAL
        assert all(stems(word) <= stems(gist(as_document("", other))) for word in one.shared)
    found = {one.number: one.score for one in nearest(MINE, corpus, known_with(PUMP))}
    assert found["run-0"] == found["US1"]  # the same text, found in two ways


def test_the_disclosure_itself_is_left_out(corpus: Corpus) -> None:
    assert [one.number for one in nearest(PUMP, corpus, but="US1")][:1] != ["US1"]
    known = known_with(MINE, PUMP)
    assert [one.number for one in nearest(MINE, None, known, but="run-0")] == ["run-1"]


def test_at_most_five_the_nearest_first() -> None:
    like = [about(f"Impeller {n}", " ".join(("curved", "vanes", "volute")[: n % 4])) for n in range(20)]
    near = nearest(MINE, None, known_with(*like))
    assert len(near) == MOST
    assert [one.score for one in near] == sorted((one.score for one in near), reverse=True)
    assert {one.number for one in near} == {"run-3", "run-7", "run-11", "run-15", "run-19"}


def test_nothing_known_or_nothing_said_has_no_neighbours(corpus: Corpus) -> None:
    assert nearest(MINE) == ()
    assert nearest(MINE, None, known_with()) == ()
    assert nearest(about("The of", "and", "a"), corpus, known_with(PUMP)) == ()


def test_neighbours_of_the_archive_come_from_its_newest_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "VOLUME", 2)
    monkeypatch.setattr(copying, "NEWEST", 2)
    for number, disclosure in enumerate((PUMP, OVEN, KITE, SEAL, OVEN)):
        path = tmp_path / "queue" / f"run-{number:06d}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(facts.record(number, disclosure=disclosure).to_bytes())
    facts.append(tmp_path)
    known = KnownTexts.open(tmp_path, None)
    assert [one.number for one in nearest(MINE, None, known)] == ["#3"]  # PUMP is in a volume too old
    monkeypatch.setattr(copying, "NEWEST", 3)
    assert [one.number for one in nearest(MINE, None, known)] == ["#0", "#3"]
