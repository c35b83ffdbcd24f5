"""Claim charts, CPC pages and the search by class in Chromium, as an examiner goes through them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import judgements
import pytest
import site_fixture
from axe_playwright_python.sync_playwright import Axe
from browsing import Server, Visit
from site_fixture import PUBLISHED, build_site, patents, record, write_archive
from test_browser_search import ids, status

from generator.site import bundles

HOSTILE = (
    '</td></tr></table><img src="http://evil.example/a.png" onerror="window.hacked=1"><script>window.hacked=1</script>'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Charts of two verdicts, a text that was not assessed, one whose documents are hostile, one of before 0.3."""
    output = tmp_path_factory.mktemp("judged")
    hostile = replace(judgements.hostile(HOSTILE), classification=judgements.classification("E05D"))
    more = [record(f"Thing {n}", "A thing.", ["A thing that comprises a part."], salt=10 + n) for n in range(2)]
    judged = (judgements.OBVIOUS, judgements.FAR, judgements.UNASSESSED, hostile, None)
    write_archive(output, [*patents(), *more], [(PUBLISHED, range(5))], judged)
    built = build_site(output)
    bundles.index(built.folder, {0: 5}, expected={0: 5}, report=print)
    bundles.write_catalogue(built.folder)
    return built.folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    with site_fixture.serve(site) as running:
        yield running


def test_the_chart_is_a_table_that_leads_from_element_to_passage(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "verified", visit.status()
    assert not visit.page.get_by_role("table").is_visible(), "it is folded until somebody asks for it"
    visit.page.get_by_text("How it was judged").last.click()
    chart = visit.page.get_by_role("table")
    headers = chart.get_by_role("columnheader").all_inner_texts()
    assert headers == ["Element of claim 1", "Shares words with", "Share"]
    rows = chart.locator("tbody tr")
    assert rows.count() == 3
    assert rows.nth(1).get_by_role("rowheader").inner_text() == "a settling chamber arranged below the inlet"
    assert "below the inlet, sediment settles" in rows.nth(1).inner_text()
    assert rows.nth(1).locator("td").last.inner_text() == "78 %"
    assert rows.nth(1).locator("mark").all_inner_texts() == ["below", "inlet", "chamber"]
    assert rows.nth(1).get_by_role("link", name="Espacenet").get_attribute("href", timeout=1000)
    said = visit.page.locator(".press-judged")
    assert "Obvious range (computed). No single document of the corpus shares enough words" in said.inner_text()
    assert "US patents 2001 to 2023" in said.inner_text()
    said.get_by_role("link", name="PAP-0000001").click()
    visit.page.wait_for_url(f"{server.url}d/0/1.html")
    assert visit.errors == []


def test_without_a_corpus_the_page_says_so(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}d/0/2.html")
    assert "Not assessed: no reference corpus" in str(visit.page.locator(".press-judged").text_content())
    visit.open(f"{server.url}d/0/4.html")
    assert visit.page.locator(".press-judged").count() == 0
    assert visit.state() == "verified"


def test_hostile_documents_stay_text(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}d/0/3.html")
    assert visit.state() == "verified"
    assert visit.page.evaluate("window.hacked") is None
    shown = visit.page.locator(".press-chart tbody tr").text_content()
    assert HOSTILE in str(shown)
    assert [url for url in visit.requests if not url.startswith(server.url)] == []
    assert visit.errors == []


def test_from_the_section_to_the_disclosure(visit: Visit, server: Server) -> None:
    page = visit.page
    visit.open(f"{server.url}browse.html")
    page.get_by_role("link", name="E", exact=True).click()
    page.wait_for_url(f"{server.url}cpc/E.html")
    page.get_by_role("link", name="E05", exact=True).click()
    page.wait_for_url(f"{server.url}cpc/E05.html")
    page.get_by_role("link", name="3 disclosures").click()
    page.wait_for_url(f"{server.url}d/0/cpc-E05D.html")
    assert page.locator("#listing + p + ul > li").count() == 3
    page.get_by_role("link", name="Method for scheduling battery swaps").click()
    page.wait_for_url(f"{server.url}d/0/1.html")
    page.locator(".press-cpc").get_by_role("link", name="E05D").click()
    page.wait_for_url(f"{server.url}d/0/cpc-E05D.html")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=a&cpc=E", {"PAP-0000001", "PAP-0000002", "PAP-0000003"}),
        ("q=a&cpc=e05d", {"PAP-0000001", "PAP-0000002", "PAP-0000003"}),
        ("q=a&cpc=A01", {"PAP-0000000"}),
        ("cpc=A01G", {"PAP-0000000"}),
        ("q=A01G", {"PAP-0000000"}),
        ("q=a01g+25/00", {"PAP-0000000"}),
        ("q=E05D.cpc.", {"PAP-0000001", "PAP-0000002", "PAP-0000003"}),
        ("q=a&cpc=nonsense", set()),
        ("q=a&cpc=A01G+25/00", set()),
    ],
)
def test_the_class_is_a_filter_of_the_search(visit: Visit, server: Server, query: str, found: set[str]) -> None:
    visit.open(f"{server.url}search.html#{query}")
    status(visit.page)
    assert set(ids(visit.page)) == found


def test_a_class_without_a_match_offers_the_search_without_it(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}search.html")
    form = visit.page.locator("form.search-form")
    form.locator("summary").click()
    form.get_by_label("Words, a number").fill("irrigation")
    form.get_by_label("CPC class").fill("H04")
    form.get_by_role("button", name="Search").click()
    assert status(visit.page) == "0 disclosures match irrigation (CPC H04)"
    assert visit.page.url.endswith("search.html#q=irrigation&cpc=H04")
    visit.page.get_by_role("link", name="The same search without filters").click()
    visit.page.locator(".search-result").wait_for()
    assert ids(visit.page) == ["PAP-0000000"]
    assert "CPC A01G" in visit.page.locator(".search-meta").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["d/0/0.html", "cpc/E.html", "cpc/E05.html", "d/0/cpc-E05D.html", "search.html#cpc=E"])
def test_axe_finds_nothing(chromium: Any, server: Server, scheme: str, name: str) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 380, "height": 800})
    try:
        page = context.new_page()
        page.goto(f"{server.url}{name}")
        found = Axe().run(page).response["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
    finally:
        context.close()
