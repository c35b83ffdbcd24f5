"""The Quality page in Chromium: figures in light and dark, their text alternatives, hostile texts of run files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Server, Visit, serve
from run_reports import SELFTEST, old_report, row, run_report, write_reports
from site_fixture import PUBLISHED, build_site, patents, write_archive

from generator.base import canonical, files
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.measure.report import report

HOSTILE = '</figure><script>window.hacked = 1</script><img src=x onerror="window.hacked=1"> $\\alpha$ {: #x }'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("quality")
    output = root / "output"
    write_archive(output, patents()[:2], [(PUBLISHED, (0, 1))])
    evil = [{"gate": "G1", "reason": HOSTILE, "drafts": 30}]
    ladder = [row(HOSTILE, 100, 90, 50, 30, 10, 4, assessed=10), row("top-down", 100, 80, 50, 30, 20, 8, assessed=20)]
    write_reports(
        output, old_report(1), run_report(2), run_report(3, temperature="0.8", reason_gates=evil, ladder=ladder)
    )
    files.write(output / "selftest.json", canonical.dumps(SELFTEST))
    report(Publication(root, Settings(), lambda _: None, now=lambda: PUBLISHED))
    build_site(output)
    with serve(output / "site") as server:
        yield server


@pytest.mark.parametrize(("scheme", "light"), [("light", False), ("dark", True)])
def test_figures_have_the_colour_of_the_text_and_are_seen(
    site: Server, chromium: Any, scheme: str, light: bool
) -> None:
    visit = Visit(chromium, color_scheme=scheme)
    page = visit.open(site.url + "quality.html")
    colours = page.evaluate(
        """() => [...document.querySelectorAll("svg.press-figure text")].map((text) => getComputedStyle(text).fill)"""
    )
    (colour,) = set(colours)
    assert colour == page.evaluate("getComputedStyle(document.querySelector('article p')).color")
    assert (sum(map(int, colour.strip("rgb()").split(","))) > 3 * 128) is light
    boxes = [figure.bounding_box() for figure in page.query_selector_all("svg.press-figure")]
    assert len(boxes) == 4
    assert all(box["width"] > 400 and box["height"] > 100 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.errors == []
    assert all(address.startswith(site.url) for address in visit.requests)


def test_figures_that_only_engineers_read_have_a_page_of_their_own(site: Server, chromium: Any) -> None:
    visit = Visit(chromium)
    page = visit.open(site.url + "quality.html")
    for word in ("Vendi", "Chao1", "Self-BLEU", "Good-Turing"):
        assert word not in page.inner_text("article")
    page.get_by_role("link", name="Diversity, runs and machines, for engineers").click()
    page.wait_for_url("**/engineering.html")
    for word in ("Vendi", "Chao1", "Self-BLEU", "Good-Turing"):
        assert word in page.inner_text("article")
    assert page.locator("svg.press-figure").count() == 1
    assert Axe().run(page).response["violations"] == []
    assert visit.errors == []


def test_text_of_run_files_stays_text(site: Server, chromium: Any) -> None:
    page = Visit(chromium).open(site.url + "quality.html")
    assert page.evaluate("window.hacked") is None
    assert page.locator("article script, article img").count() == 0
    assert page.locator("td, th").filter(has_text="</figure><script>window.hacked = 1</script>").count() == 2
    assert page.locator("#x").count() == 0


def test_figures_are_read_aloud_and_tables_can_be_scrolled_on_a_phone(site: Server, chromium: Any) -> None:
    visit = Visit(chromium, viewport={"width": 360, "height": 740})
    page = visit.open(site.url + "quality.html")
    figure = page.get_by_role("img", name="Share of drafts that pass each gate", exact=True)
    assert "G3 top-down: 20.0 %" in figure.locator("desc").text_content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Axe().run(page).response["violations"] == []


def test_the_page_offers_every_figure_as_json(site: Server, chromium: Any) -> None:
    visit = Visit(chromium)
    page = visit.open(site.url + "quality.html")
    with page.expect_response("**/report.json") as caught:
        page.goto(page.get_by_role("link", name="Every figure as JSON").evaluate("link => link.href"))
    assert json.loads(caught.value.text())["drafts"] == 600


def test_a_site_without_a_report_says_what_to_run(tmp_path: Path, chromium: Any) -> None:
    write_archive(tmp_path / "output", patents()[:1])
    build_site(tmp_path / "output")
    with serve(tmp_path / "output" / "site") as server:
        text = Visit(chromium).open(server.url + "quality.html").text_content("article")
    assert "No report has been written yet." in text
