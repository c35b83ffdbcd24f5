"""Claim chart, neighbours, copying and classes on the page of a disclosure, and the pages of the CPC scheme."""

import html
import re
from dataclasses import replace
from typing import Any

import judgements
import markdown
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from judgements import ANTICIPATED, FAR, OBVIOUS, UNASSESSED
from site_fixture import TEMPLATES, patents, settings
from test_pages import LINES, Reader, logged

from generator.base.errors import RecordError
from generator.base.words import placed, stem, words
from generator.record.judgement import MISSING, Judgement
from generator.site.charts import EXCERPT_WORDS, document_links, excerpt
from generator.site.classes import sentence_case, subclass
from generator.site.cpc_pages import headings
from generator.site.listings import around, listing_pages, summarise
from generator.site.metadata import Around, metadata
from generator.site.pages import render_page


def page(judgement: Judgement | None) -> str:
    return render_page(logged(patents()[0], judgement=judgement), settings(), TEMPLATES)


@pytest.mark.parametrize("judgement", [OBVIOUS, ANTICIPATED, FAR, UNASSESSED])
def test_a_judgement_is_read_as_it_was_written(judgement: Judgement) -> None:
    assert Judgement.from_bytes(judgement.to_bytes()) == judgement


@pytest.mark.parametrize(
    "change",
    [
        (b'"single":333', b'"single":"333"'),
        (b'"verdict":"obvious range"', b'"verdict":"obvious"'),
        (b'"calibration":"0123456789ab",', b""),
        (b'"calibration"', b'"calibrated"'),
        (b"prior-art-judgement/v1", b"prior-art-judgement/v2"),
        (b'"covered":true', b'"covered":1'),
        (b'"shared":["valve"]', b'"shared":"valve"'),
    ],
)
def test_other_bytes_are_refused(change: tuple[bytes, bytes]) -> None:
    data = OBVIOUS.to_bytes()
    assert change[0] in data
    with pytest.raises(RecordError):
        Judgement.from_bytes(data.replace(*change))


def test_the_chart_shows_each_element_with_its_passage_and_document() -> None:
    text = page(OBVIOUS)
    assert "**Obvious range (computed).**" in text
    assert "(at most with 33 % of them)" in text
    assert "US7048010, US5803111 together do with 95 %" in text
    chart = text[text.index("<tbody>") : text.index("</tbody>")]
    assert chart.count("<tr") == 3
    assert chart.count("press-covered") == 2
    assert "<mark>below</mark> the <mark>inlet</mark>, sediment settles in a <mark>chamber</mark>" in chart
    assert '<a href="https://patents.google.com/?oq=US5803111" rel="external">Google Patents</a>' in chart
    assert "cover" not in re.sub(r'class="[^"]*"|uncover', "", text[text.index("## How it was judged") :])
    assert "US7048010: Valve flusher (31 %; shares sediment, purge, diaphragm)" in text


@pytest.mark.parametrize(
    ("passage", "incomplete"),
    [
        (f"{MISSING} is a valve", True),
        (f"A valve, wherein R is {MISSING}", True),
        (f"{'word ' * 60}inlet {'word ' * 60}{MISSING}", True),  # not in the words that are shown
        ("A valve, wherein x is [2]", False),
        ("A valve ... of brass", False),
        ("A valve.", False),
    ],
)
def test_the_chart_says_which_passage_lost_a_part(passage: str, incomplete: bool) -> None:
    assert OBVIOUS.chart
    first, *others = OBVIOUS.chart.elements
    chart = replace(OBVIOUS.chart, elements=(replace(first, passage=passage), *others))
    assert page(replace(OBVIOUS, chart=chart)).count("(incomplete: this passage lost a formula") == incomplete


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (ANTICIPATED, "**One document shares words with every element of claim 1 (computed):** US7048010."),
        (
            FAR,
            "**Outside the obvious range (computed).** The three nearest documents together share enough words with",
        ),
        (UNASSESSED, "Not assessed: no reference corpus was asked"),
    ],
)
def test_the_other_verdicts(judgement: Judgement, said: str) -> None:
    assert said in page(judgement)
    assert "Obvious range" not in page(judgement)


def test_without_a_judgement_nothing_is_said_of_gates() -> None:
    assert "## How it was judged" not in page(None)


@given(LINES)
@example("</td></table><script>alert(1)</script>")
@example("{: onclick=alert(1) }")
def test_text_of_documents_is_inert_wherever_a_judgement_puts_it(text: str) -> None:
    source = page(judgements.hostile(text)).split("\n---\n", 1)[1]
    part = source[source.index("## How it was judged") : source.index("## Cite")]
    reader = Reader()
    reader.feed(markdown.markdown(part, extensions=["attr_list"]))
    reader.close()
    assert {tag for tag, _ in reader.tags} <= {
        *(
            "h2",
            "h3",
            "p",
            "a",
            "div",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "span",
            "strong",
            "ul",
            "li",
            "mark",
        )
    }
    hrefs = [attributes["href"] for tag, attributes in reader.tags if tag == "a"]
    assert hrefs == ["../../docs/judgement.html"]
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert " ".join(text.split()) in " ".join(reader.text.split())


def test_the_scheme_counts_every_volume_once() -> None:
    items = [logged(patents()[0], judgement=judgement) for judgement in (OBVIOUS, FAR, UNASSESSED, None)]
    branches = [branch for number in (0, 1) for branch in summarise(number, items, settings()).branches]
    assert [(branch.symbol, branch.volume, branch.count) for branch in branches] == [
        ("A01G", 0, 1), ("E05D", 0, 2), ("A01G", 1, 1), ("E05D", 1, 2)
    ]  # fmt: skip
    found: list[Any] = [[(h.symbol, h.title, h.count) for h in headings(branches, length)] for length in (1, 3, 4)]
    assert found[0] == [("A", "Human necessities", 2), ("E", "Fixed constructions", 4)]
    assert [entry[0] for entry in found[1]] == ["A01", "E05"]
    assert [len(heading.parts) for heading in headings(branches, 4)] == [2, 2]
    assert [len(heading.parts) for heading in headings(branches, 3)] == [0, 0]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("LOCKS; KEYS; WINDOW OR DOOR FITTINGS; SAFES", "Locks; keys; window or door fittings; safes"),
        (
            "ELECTRIC DIGITAL DATA PROCESSING (computer systems G06N)",
            "Electric digital data processing (computer systems G06N)",
        ),
        ("HEALTHCARE INFORMATICS [ICT] FOR DNA AND X-RAY DATA", "Healthcare informatics [ICT] for DNA and X-ray data"),
        ("Already in sentence case, e.g. of RNA", "Already in sentence case, e.g. of RNA"),
        ("", ""),
    ],
)
def test_titles_of_the_scheme_are_in_sentence_case(title: str, said: str) -> None:
    assert sentence_case(title) == said


@pytest.mark.parametrize(("score", "listed"), [(1000, "A01G"), (500, "A01G"), (499, ""), (0, "")])
def test_a_class_that_is_likelier_wrong_than_right_is_not_assigned(score: int, listed: str) -> None:
    found = OBVIOUS.classification
    unsure = replace(OBVIOUS, classification=replace(found, subclasses=(replace(found.subclasses[0], score=score),)))
    item = logged(patents()[0], judgement=unsure)
    assert subclass(item) == listed
    values = metadata(item, settings())
    assert [one["symbol"] for one in values["cpc"]] == ["A", "A01", "A01G"][: 3 if listed else 2]
    assert values["filed_under"] == (listed or "unclassified")
    assert "guess" in values or listed, "the figure of what is not assigned is shown"
    volume = summarise(0, [item], settings())
    assert volume.unclassified == (not listed)
    names = [name for name, _ in listing_pages(volume, [item], settings(), TEMPLATES)]
    assert (f"cpc-{listed or 'unclassified'}.md") in names


@given(st.text(max_size=200), st.text(max_size=2000))
def test_an_excerpt_is_words_of_the_passage_in_their_order(element: str, passage: str) -> None:
    found = "".join(part.text for part in excerpt(element, passage)).removeprefix("… ").removesuffix(" …")
    assert found in " ".join(passage.split())
    assert len(placed(found)) <= EXCERPT_WORDS
    shared = [part.text for part in excerpt(element, passage) if part.shared]
    assert {stem(word) for text in shared for word in words(text)} <= {stem(word) for word in words(element)}


def test_the_excerpt_is_where_the_shared_words_are() -> None:
    filler = "lorem " * 40
    parts = excerpt("a settling chamber below the inlet", f"{filler}the chamber, below its inlets, {filler}")
    assert [part.text for part in parts if part.shared] == ["chamber", "below", "inlets"]
    assert parts[0].text == "… "
    assert parts[-1].text == " …"


@pytest.mark.parametrize(
    ("number", "espacenet"),
    [
        ("US7048010", "US7048010"),
        ("US20160374580", "US2016374580"),
        ("US20160374580A1", "US2016374580A1"),
        ("EP1234567B1", "EP1234567B1"),
        ("WO2019012345A1", "WO2019012345A1"),
    ],
)
def test_a_patent_number_leads_to_the_places_where_it_can_be_read(number: str, espacenet: str) -> None:
    (_, google), (_, other) = document_links(number)
    assert google == f"https://patents.google.com/?oq={number}"
    assert other == f"https://worldwide.espacenet.com/patent/search?q=pn%3D{espacenet}"


@pytest.mark.parametrize("number", ["", "#3", "sha256:ab", "known-1", "US12<b>", "us7048010", "US7048010 B2"])
def test_what_is_no_patent_number_has_no_link(number: str) -> None:
    assert document_links(number) == ()


def test_before_and_after_in_a_class() -> None:
    judged = [OBVIOUS, FAR, OBVIOUS, None, OBVIOUS]
    items = [replace(logged(patents()[0], judgement=one), serial=n) for n, one in enumerate(judged)]
    near = around(items)
    assert (near[0], near[2], near[4]) == (Around(None, 2), Around(0, 4), Around(2, None))
    assert near[1] == near[3] == Around()


def test_the_class_is_in_the_front_matter_for_the_header_and_the_filter() -> None:
    front = page(OBVIOUS).split("\n---\n", 1)[0]
    assert re.findall(r"symbol: (\w+)", front) == ["A", "A01", "A01G"]
    assert "cpc: []" in page(
        replace(OBVIOUS, classification=replace(OBVIOUS.classification, sections=(), classes=(), subclasses=()))
    )
    assert html.escape("LOCKS; KEYS") not in front
