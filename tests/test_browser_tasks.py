"""Twelve tasks of an examiner in Chromium, from the home page, with their steps counted.

A step is a click, or a field that is filled and left by Enter. `docs/searching.md` sets the counts beside the fewest
that the documentation of three other systems allows; a test holds its column of this site.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import judgements
import pytest
import site_fixture
from browsing import Server, Visit
from site_fixture import DOCS, PUBLISHED, build_site, patents, settings, write_archive

from generator.log import archive
from generator.site import bundles
from generator.site.feeds import write_feeds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    output = tmp_path_factory.mktemp("tasks")
    write_archive(
        output, patents(), [(PUBLISHED, range(3))], (judgements.OBVIOUS, judgements.FAR, judgements.UNASSESSED)
    )
    site = build_site(output).folder
    bundles.index(site, {0: 3}, expected={0: 3}, report=print)
    bundles.write_catalogue(site)
    write_feeds(site, settings(), archive.read_volume(output, 0, archive.read_ledger(output, None)))
    with site_fixture.serve(site) as running:
        yield running


class Reader:
    """Somebody on the home page, who counts steps."""

    def __init__(self, chromium: Any, server: Server) -> None:
        self.visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
        self.page = self.visit.open(server.url)
        self.page.set_default_timeout(60_000)
        self.server, self.steps = server, 0

    def click(self, place: Any) -> None:
        self.steps += 1
        place.click()

    def ask(self, text: str) -> None:
        """Into the header's box, or the search page's."""
        self.steps += 1
        box = self.page.get_by_label(re.compile("^Search titles|^Search disclosures|^Words, a number"))
        box.fill(text)
        box.press("Enter")

    def hits(self) -> list[str]:
        self.page.locator('[data-search="status"]', has_text="match").wait_for()
        found: list[str] = self.page.locator(".search-id").all_inner_texts()
        return found

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name)

    def link(self, name: str) -> Any:
        return self.page.get_by_role("link", name=name, exact=True)


def two_words_near_each_other(reader: Reader) -> None:
    reader.ask("diaphragm NEAR4 spring")
    assert reader.hits() == ["PAP-0000000"]


def a_phrase_in_a_claim(reader: Reader) -> None:
    reader.ask('"converge toward the purge port".clm.')
    assert reader.hits() == ["PAP-0000000"]
    reader.click(reader.page.get_by_role("link", name="Claim 3"))
    reader.page.locator("#claim-3:target").wait_for()


def a_number_from_a_citation(reader: Reader) -> None:
    reader.ask("PAP-0000001")
    reader.page.wait_for_url("**/d/0/1.html")


def a_class_before_a_critical_date(reader: Reader) -> None:
    reader.ask("A01G.cpc. @pd<20261123")
    assert reader.hits() == ["PAP-0000000"]


def a_class_by_browsing(reader: Reader) -> None:
    reader.click(reader.page.locator(".press-ways").get_by_role("link", name="A Human necessities"))
    reader.click(reader.link("A01"))
    reader.click(reader.page.get_by_role("link", name="1 disclosure"))
    reader.page.get_by_role("link", name="Irrigation valve").wait_for()


def a_misspelt_word(reader: Reader) -> None:
    reader.ask("diafragm")
    reader.page.locator('[data-search="status"]', has_text="0 disclosures").wait_for()
    reader.click(reader.page.locator('[data-search="notice"]').get_by_role("link", name="diaphragm"))
    reader.page.locator('[data-search="status"]', has_text="1 disclosure matches").wait_for()


def newest_first(reader: Reader) -> None:
    reader.ask("comprising")
    assert len(reader.hits()) == 3
    reader.steps += 1
    reader.page.get_by_label("Order").select_option("new")
    reader.page.wait_for_url("**sort=new")
    assert reader.hits() == ["PAP-0000002", "PAP-0000001", "PAP-0000000"]


def hits_as_a_table(reader: Reader) -> None:
    reader.ask("comprising")
    reader.hits()
    with reader.page.expect_download() as waiting:
        reader.click(reader.button("CSV"))
    assert "PAP-0000002" in Path(waiting.value.path()).read_text(encoding="utf-8")


def the_history_for_the_file(reader: Reader) -> None:
    reader.ask("hinge")
    reader.hits()
    with reader.page.expect_download() as waiting:
        reader.click(reader.button("Export as search notes"))
    assert "hinge" in Path(waiting.value.path()).read_text(encoding="utf-8")


def a_pasted_claim(reader: Reader) -> None:
    reader.click(reader.link("paste a claim"))
    reader.steps += 1
    reader.page.locator("#search-claim").fill(
        "A hinge that has: a cup; an arm; and a bush, which is eccentric and joins both, with a knurled rim."
    )
    reader.click(reader.button("Compare"))
    reader.page.locator('[data-search="claim-status"]', has_text="compared with 3 disclosures").wait_for()
    first = reader.page.locator('[data-search="claim-results"] > li').first
    assert first.locator("h2").inner_text().startswith("Adjustable hinge")
    assert first.locator("tbody tr").count() >= 3


def a_citation_with_a_passage(reader: Reader) -> None:
    reader.ask("PAP-0000000")
    reader.page.wait_for_url("**/d/0/0.html")
    reader.steps += 1
    reader.page.get_by_label("Claims or paragraphs relied on").fill("1, 3")
    reader.click(reader.button("Copy Examiner (PTO-892)"))
    assert reader.page.evaluate("navigator.clipboard.readText()").endswith("claims 1, 3.")


def the_feed_of_a_class(reader: Reader) -> None:
    with reader.page.expect_response("**/feeds/A.atom") as waiting:
        reader.click(reader.page.get_by_role("link", name="Feed of section A"))
    assert waiting.value.ok
    reader.page.wait_for_load_state("networkidle")
    reader.visit.errors.clear()  # beside a feed a browser asks for favicon.ico


TASKS: dict[str, Callable[[Reader], None]] = {
    "two words near each other": two_words_near_each_other,
    "a phrase in a claim, to the claim": a_phrase_in_a_claim,
    "a number from a citation": a_number_from_a_citation,
    "a class before a critical date": a_class_before_a_critical_date,
    "a class by browsing": a_class_by_browsing,
    "a misspelt word": a_misspelt_word,
    "newest first": newest_first,
    "hits as a table": hits_as_a_table,
    "the search history, for the file": the_history_for_the_file,
    "a pasted claim, charted": a_pasted_claim,
    "a citation with a passage": a_citation_with_a_passage,
    "the feed of a class": the_feed_of_a_class,
}


def table() -> dict[str, list[str]]:
    """Of docs/searching.md: task, then steps here and in three other systems."""
    text = (DOCS / "searching.md").read_text(encoding="utf-8").partition("## Steps")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows[2:]}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_takes_the_steps_that_the_table_tells(chromium: Any, server: Server, task: str) -> None:
    reader = Reader(chromium, server)
    TASKS[task](reader)
    assert reader.visit.errors == []
    reader.visit.context.close()
    assert str(reader.steps) == table()[task][0]


def test_no_task_takes_more_steps_than_the_best_of_the_others() -> None:
    rows = table()
    assert rows.keys() == TASKS.keys()
    for task, (ours, *others) in rows.items():
        assert len(others) == 3
        assert int(ours) <= min((int(count) for count in others if count.isdecimal()), default=99), task
