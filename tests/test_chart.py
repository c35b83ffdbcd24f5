"""Claims cut into elements, and the claim chart of a small corpus."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.words import words
from generator.corpus.adding import add
from generator.corpus.documents import Document
from generator.corpus.elements import PASSAGE, elements, packed, sentences
from generator.corpus.passages import Cut, stems
from generator.corpus.store import Corpus
from generator.judge.chart import THRESHOLD, claim_chart, verdict, weights
from generator.record.disclosure import Claim, Disclosure

# Claims of US8088102, US8087986 and US8499040's kind, as granted, shortened; then the ways of setting elements apart.
GOLDEN = [
    (
        "An assembly for treatment of a vessel bifurcation comprising: an elongate member having a proximal end, the "
        "elongate member defining an inflation lumen extending therethrough; an inflatable member having a "
        "proximal end; and a side sheath extending alongside the elongate member.",
        (
            "An assembly for treatment of a vessel bifurcation comprising:",
            "an elongate member having a proximal end, the elongate member defining an inflation lumen "
            "extending therethrough;",
            "an inflatable member having a proximal end;",
            "and a side sheath extending alongside the elongate member.",
        ),
    ),
    (
        "A card gaming machine comprising: a display for showing a plurality of cards; and a game controller executing "
        "the steps of: (a) receiving a betting of a gaming value made by the player; (b) awarding to the player a "
        "first prize that is based on a betted gaming value.",
        (
            "A card gaming machine comprising:",
            "a display for showing a plurality of cards;",
            "and a game controller executing the steps of:",
            "(a) receiving a betting of a gaming value made by the player;",
            "(b) awarding to the player a first prize that is based on a betted gaming value.",
        ),
    ),
    (
        "A method comprising receiving sponsor specifications designating story characteristics, and providing for "
        "display the entry in a predetermined area of a web page, wherein the entry matches the story characteristics.",
        (
            "A method comprising receiving sponsor specifications designating story characteristics,",
            "and providing for display the entry in a predetermined area of a web page,",
            "wherein the entry matches the story characteristics.",
        ),
    ),
    ("A valve comprising a body; a seat; and a spring.", ("A valve comprising a body; a seat; and a spring.",)),
    (
        "A process, which consists essentially of the steps of: heating crude oil; cooling the heated petroleum oil.",
        (
            "A process, which consists essentially of the steps of: heating crude oil;",
            "cooling the heated petroleum oil.",
        ),
    ),
    ("A brush having soft nylon bristles.", ("A brush having soft nylon bristles.",)),
    ("the of and", ("the of and",)),
]


@pytest.mark.parametrize(("claim", "expected"), GOLDEN, ids=[claim[:30] for claim, _ in GOLDEN])
def test_elements_of_real_claims(claim: str, expected: tuple[str, ...]) -> None:
    assert elements(claim) == expected


def test_a_long_element_is_cut_at_its_commas() -> None:
    parts = [f"a sensor unit kind{n} for measuring pressure number{n} of the working fluid" for n in range(8)]
    found = elements(f"A plant comprising {', '.join(parts)}.")
    assert len(found) == 8
    assert found[0].startswith("A plant comprising a sensor unit kind0")


CLAIMISH = st.lists(
    st.sampled_from(
        [
            "valve",
            "body",
            "comprising",
            "comprising:",
            ";",
            ",",
            "and",
            "wherein",
            "(a)",
            "(ii)",
            "a",
            "the",
            "x1",
            "\n",
            ".",
        ]
    ),
    max_size=150,
).map(" ".join)


@given(st.one_of(CLAIMISH, st.text(max_size=300)))
def test_no_word_of_a_claim_is_lost_or_doubled(claim: str) -> None:
    assert words(" ".join(elements(claim))) == words(claim)
    assert all(elements(claim))


@given(st.one_of(CLAIMISH, st.text(max_size=600)), st.integers(1, 30))
def test_passages_hold_every_word_in_order_and_no_more_than_they_may(text: str, most: int) -> None:
    found = list(packed(sentences(text), most))
    assert " ".join(found).split() == text.split()
    assert all(0 < len(passage.split()) <= most for passage in found)


@pytest.mark.parametrize("part", [", wherein ", "comprising ", "(a) ", "; ", "\n", ", and", ", a", ". ", "a", 'x. "'])
def test_time_grows_with_the_text_and_no_faster(part: str) -> None:
    """A square of the length would take minutes here."""
    text = part * (300_000 // len(part))
    started = time.process_time()
    elements(text)
    _ = Cut.of(Document("US1", text, text, (text,), text)).passages
    assert time.process_time() - started < 20


def test_passages_of_a_document() -> None:
    long = " ".join(f"Sentence {n} of the description says something new about part{n}." for n in range(60))
    document = Document("US1", "Pump", "A pump.", ("A pump comprising a rotor.", "The pump of claim 1."), long)
    found = Cut.of(document).passages
    assert found[:3] == ["Pump. A pump.", "A pump comprising a rotor.", "The pump of claim 1."]
    assert all(PASSAGE - 10 <= len(passage.split()) <= PASSAGE for passage in found[3:-1])
    assert " ".join(found[3:]) == long


def known(number: str, title: str, abstract: str, *claims: str) -> str:
    return json.dumps({"id": number, "title": title, "abstract": abstract, "claims": claims}) + "\n"


FILLER = "".join(
    known(f"F{n}", f"Apparatus {n}", f"An apparatus {n} with a housing, a motor and a controller for goods of kind{n}.")
    for n in range(40)
)
DOCUMENTS = (
    known("US1", "Centrifugal pump", "A centrifugal pump has an impeller with curved vanes inside a volute casing.")
    + known("US2", "Shaft seal", "A mechanical seal of silicon carbide closes a pump shaft against a casing.")
    + known(
        "US3",
        "Leak sensor",
        "A humidity sensor below a mechanical seal of a pump reports a leak to a radio transmitter.",
    )
    + known(
        "US4",
        "Whole pump",
        "A pump.",
        "A lubricated lobe pump comprising: two meshing lobes; a helical timing gear; an oil sump.",
    )
    + known("US5", "Bakery oven", "A bakery oven bakes dough.")
    + FILLER
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "a.jsonl").write_text(DOCUMENTS)
    add(folder / "corpus", [folder / "a.jsonl"], lambda _: None)
    return Corpus.open(folder / "corpus")


def claiming(text: str) -> Disclosure:
    return Disclosure("Pump", "A pump.", (), (Claim(1, text),))


COMBINATION = (
    "A centrifugal pump comprising: an impeller with curved vanes; a mechanical seal of silicon carbide on the "
    "shaft; and a humidity sensor that reports a leak to a radio transmitter."
)


def test_three_documents_together_cover_the_claim(corpus: Corpus) -> None:
    chart = claim_chart(claiming(COMBINATION), corpus)
    assert chart.verdict == "obvious range"
    assert (chart.union3, chart.documents) == (1000, ("US1", "US2", "US3"))
    assert chart.single == 333
    assert [(row.document, row.covered) for row in chart.elements] == [("US1", True), ("US2", True), ("US3", True)]
    first = chart.elements[0]
    assert first.text == "A centrifugal pump comprising: an impeller with curved vanes;"
    assert first.title == "Centrifugal pump"
    assert first.passage.startswith("Centrifugal pump. A centrifugal pump has an impeller")
    assert first.score == 1000


def test_one_document_that_has_everything_is_a_single_document(corpus: Corpus) -> None:
    text = "A lubricated lobe pump comprising: two meshing lobes; a helical timing gear; an oil sump."
    chart = claim_chart(claiming(text), corpus)
    assert (chart.verdict, chart.single, chart.documents) == ("single document", 1000, ("US4",))
    chart = claim_chart(claiming(text), corpus, but=frozenset({"US4"}))
    assert (chart.verdict, chart.documents) == ("not covered", ())
    assert all(row.document != "US4" and not row.covered for row in chart.elements)


def test_what_nobody_knows_is_not_covered(corpus: Corpus) -> None:
    chart = claim_chart(claiming("A zither comprising: forty gut strings; and a spruce soundboard."), corpus)
    assert (chart.verdict, chart.single, chart.union3, chart.documents) == ("not covered", 0, 0, ())
    assert all((row.document, row.score, row.covered) == ("", 0, False) for row in chart.elements)


def test_an_element_that_no_document_has_keeps_the_claim_out(corpus: Corpus) -> None:
    chart = claim_chart(claiming(COMBINATION[:-1] + "; and a zither with forty gut strings."), corpus)
    assert (chart.verdict, chart.union3) == ("not covered", 750)


def test_documents_that_have_nothing_to_do_with_the_claim_do_not_count(corpus: Corpus) -> None:
    """US5 has every word of an element, and next to nothing of the claim."""
    text = COMBINATION[:-1] + "; wherein bakery oven dough."
    chart = claim_chart(claiming(text), corpus)
    last = chart.elements[-1]
    assert (last.document, last.score, last.covered) == ("US5", 1000, False)
    assert "US5" not in chart.documents


def test_a_score_is_the_weighted_share_of_the_stems_that_stand_in_the_passage(corpus: Corpus) -> None:
    chart = claim_chart(claiming("A curved impeller of unobtainium."), corpus)
    (row,) = chart.elements
    weighed = weights(stems(row.text), corpus)
    assert set(weighed) == {"curved", "impeller", "unobtainium"}
    share = (weighed["curved"] + weighed["impeller"]) / sum(weighed.values())
    assert (row.document, row.score) == ("US1", int(1000 * share))
    assert weighed["unobtainium"] > weighed["impeller"] > weights({"motor"}, corpus)["motor"]


def test_the_chart_is_the_same_each_time(corpus: Corpus) -> None:
    assert claim_chart(claiming(COMBINATION), corpus) == claim_chart(claiming(COMBINATION), corpus)


@pytest.mark.parametrize(
    "text", ["of the and", "1.", "comprising", "A" + " pump" * 3000, 'AND "OR" title:* (NOT', "\x1f~^2"]
)
def test_hostile_claims_are_charted_like_any_other(corpus: Corpus, text: str) -> None:
    chart = claim_chart(claiming(text), corpus)
    assert chart.verdict in ("not covered", "single document")


@pytest.mark.parametrize(
    ("single", "union3", "expected"),
    [
        (1000, 1000, "single document"),
        (999, 900, "obvious range"),
        (500, 899, "not covered"),
        (0, 0, "not covered"),
    ],
)
def test_the_verdict(single: int, union3: int, expected: str) -> None:
    assert verdict(single, union3) == expected


def test_the_threshold_is_the_one_that_the_documents_state() -> None:
    text = (Path(__file__).parent.parent / "docs" / "corpus.md").read_text(encoding="utf-8")
    assert f"score of {THRESHOLD} thousandths" in text
