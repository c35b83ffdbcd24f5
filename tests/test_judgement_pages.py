"""Claim chart, neighbours, copying and classes on the page of a disclosure, and the pages of the CPC scheme."""

import html
import re
from dataclasses import replace
from typing import Any

import judgements
import markdown
import pytest
from hypothesis import example, given
from judgements import ANTICIPATED, FAR, OBVIOUS, UNASSESSED
from site_fixture import TEMPLATES, patents, settings
from test_pages import LINES, Reader, logged

from generator.base.errors import RecordError
from generator.record.judgement import Judgement
from generator.site.cpc_pages import headings
from generator.site.listings import summarise
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
    assert "33 % of its elements at most" in text
    assert "US7048010, US5803111 together cover 95 %" in text
    chart = text[text.index("<tbody>") : text.index("</tbody>")]
    assert chart.count("<tr") == 3
    assert chart.count("press-covered") == 2
    assert "below the inlet, sediment settles in a chamber" in chart
    assert "US7048010: Valve flusher (31 %; shares sediment, purge, diaphragm)" in text


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (ANTICIPATED, "**One document covers claim 1 (computed):** US7048010."),
        (FAR, "**Not covered (computed).** The three nearest documents together cover 33 %"),
        (UNASSESSED, "Not assessed: no reference corpus was asked"),
    ],
)
def test_the_other_verdicts(judgement: Judgement, said: str) -> None:
    assert said in page(judgement)
    assert "Obvious range" not in page(judgement)


def test_without_a_judgement_nothing_is_said_of_gates() -> None:
    assert "## Judgement" not in page(None)


@given(LINES)
@example("</td></table><script>alert(1)</script>")
@example("{: onclick=alert(1) }")
def test_text_of_documents_is_inert_wherever_a_judgement_puts_it(text: str) -> None:
    source = page(judgements.hostile(text)).split("\n---\n", 1)[1]
    part = source[source.index("## Judgement") : source.index("## Cite")]
    reader = Reader()
    reader.feed(markdown.markdown(part, extensions=["attr_list"]))
    reader.close()
    assert {tag for tag, _ in reader.tags} <= {
        *("h2", "h3", "p", "a", "div", "table", "thead", "tbody", "tr", "th", "td", "span", "strong", "ul", "li")
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
    assert found[0] == [("A", "HUMAN NECESSITIES", 2), ("E", "FIXED CONSTRUCTIONS", 4)]
    assert [entry[0] for entry in found[1]] == ["A01", "E05"]
    assert [len(heading.parts) for heading in headings(branches, 4)] == [2, 2]
    assert [len(heading.parts) for heading in headings(branches, 3)] == [0, 0]


def test_the_class_is_in_the_front_matter_for_the_header_and_the_filter() -> None:
    front = page(OBVIOUS).split("\n---\n", 1)[0]
    assert re.findall(r"symbol: (\w+)", front) == ["A", "A01", "A01G"]
    assert "cpc: []" in page(
        replace(OBVIOUS, classification=replace(OBVIOUS.classification, sections=(), classes=(), subclasses=()))
    )
    assert html.escape("LOCKS; KEYS") not in front
