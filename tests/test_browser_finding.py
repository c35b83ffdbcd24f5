"""Finding by number, class, date and claim in a real Chromium; what leaves the page, and what does not."""

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import site_fixture
from test_browser_search import built, ids, look_for, server, status, tab

from generator.site.opensearch import write_opensearch

__all__ = ["built", "server", "tab"]
NOTICE = '[data-search="notice"]'


def test_no_request_holds_the_words(chromium: Any, server: site_fixture.Server) -> None:
    """From the home page, the header, the 404 page and the search page; by reload; with a claim."""
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url + (request.post_data or "") + str(request.headers)))
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    for path, label in (
        ("", "Search titles"),
        ("d/0/0.html", "Search disclosures"),
        ("nowhere", "Words, or the number"),
    ):
        tab.goto(server.url + path)
        tab.get_by_label(label).fill("diaphragm quoinzz")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/search.html#q=diaphragm+quoinzz")
        status(tab)
    tab.reload()
    status(tab)
    tab.get_by_label("Words, a number").fill("diaphragm NEAR3 sprocketzz")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**NEAR3**")
    status(tab)
    tab.locator("details.search-claim > summary").click()
    tab.locator("#search-claim").fill("A diaphragm comprising: a sprocketzz; and a quoinzz biased by a spring.")
    tab.get_by_role("button", name="Compare").click()
    tab.locator('[data-search="claim-status"]', has_text="elements, compared").wait_for()
    context.close()
    assert len(asked) > 20
    assert not [line for line in asked if re.search("diaphragm|quoin|sprocket|biased", line)]


def test_without_script_no_form_sends_words(chromium: Any, server: site_fixture.Server) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(server.url)
    tab.get_by_label("Search titles").fill("diaphragm")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html*")
    assert "diaphragm" not in tab.url
    context.close()


def test_an_old_address_is_read_once_and_rewritten(tab: Any, server: site_fixture.Server) -> None:
    tab.goto(f"{server.url}search.html?q=sprocket&before=2026-12-04&direction=top-down")
    assert status(tab).startswith("3 disclosures match sprocket (before 2026-12-04)")
    assert tab.url == f"{server.url}search.html#q=sprocket&before=2026-12-04"
    asked = len(server.paths)
    tab.reload()
    assert status(tab).startswith("3 disclosures")
    assert not [path for path in server.paths[asked:] if "sprocket" in path]


@pytest.mark.parametrize("text", ["PAP-0008192", "pap-8192", "0008192", "press.example/log%238192"])
def test_a_number_opens_its_disclosure(tab: Any, server: site_fixture.Server, text: str) -> None:
    tab.goto(f"{server.url}search.html#q={text}")
    tab.wait_for_url(f"{server.url}d/1/8192.html")


@pytest.mark.parametrize("path", ["n/8192", "PAP-0008192", "0008192", "docs/PAP-0008192.html", "n/8192/"])
def test_the_page_for_lost_addresses_resolves_a_number(tab: Any, server: site_fixture.Server, path: str) -> None:
    tab.goto(server.url + path)
    tab.wait_for_url(f"{server.url}d/1/8192.html")


@pytest.mark.parametrize("path", ["n/999999", "PAP-0000009", "n/40959"])
def test_a_number_that_nothing_has_is_said(tab: Any, server: site_fixture.Server, path: str) -> None:
    tab.goto(server.url + path)
    tab.get_by_text("No disclosure has the number PAP-").wait_for()
    assert tab.url == server.url + path
    tab.goto("about:blank")
    tab.goto(f"{server.url}search.html#q=PAP-0000009")
    assert status(tab) == "No disclosure has the number PAP-0000009. The newest is PAP-0032779."
    assert ids(tab) == []


def test_another_publications_number_is_searched_as_words(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=DEMO-0008192").startswith("0 disclosures match")


def test_a_hash_opens_its_record(tab: Any, server: site_fixture.Server, built: Path) -> None:
    import hashlib

    whole = hashlib.sha256((built / "d/1/8193.json").read_bytes()).hexdigest()
    for text in (whole, whole[:12].upper(), f"sha256:{whole[:40]}"):
        if not re.search("[a-f]", text) or not re.search(r"\d", text[:8]):
            continue
        tab.goto("about:blank")
        tab.goto(f"{server.url}search.html#q={text}")
        tab.wait_for_url(f"{server.url}d/1/8193.html")
    assert look_for(tab, server, f"q={whole[:30]}00000000") == "No record has a SHA-256 that begins so."


def test_filters_work_without_words_and_the_order_is_chosen(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "before=2026-12-03").startswith("5 disclosures match (before 2026-12-03)")
    assert ids(tab) == ["PAP-0016384", "PAP-0008192", "PAP-0000003", "PAP-0000001", "PAP-0000000"]
    look_for(tab, server, "before=2026-12-03&sort=old")
    assert ids(tab)[0] == "PAP-0000000"
    assert "before 2026-12-03 by the publisher's clock" in tab.locator(".search-meta").first.inner_text()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=sprocket&cpc=Z99", "cpc=Z99: it is no section"),
        ("q=sprocket&cpc=A61K+31/00", "write A61K"),
        ("q=sprocket&before=12/04/2026", "before=12/04/2026: it is no day"),
        ("q=sprocket&from=2026-02-30", "from=2026-02-30: it is no day"),
        ("q=sprocket&sort=best", "sort=best: there is no such order"),
        ("q=sprocket&colour=red", "colour=red: there is no such filter"),
        ("q=sprocket&shown=many", "shown=many: it is no number"),
        ("cpc=Z99", "cpc=Z99"),
    ],
)
def test_a_filter_that_is_not_understood_widens_nothing(
    tab: Any, server: site_fixture.Server, query: str, said: str
) -> None:
    assert look_for(tab, server, query) == "Nothing was searched."
    assert said in tab.locator(NOTICE).inner_text()
    assert ids(tab) == []


def test_a_rule_that_the_index_cannot_decide_is_said(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=sprocket&before=2026-12-04&rule=public") == "Nothing was searched."
    assert "the publisher's dates" in tab.locator(NOTICE).inner_text()


def test_a_query_that_cannot_be_read_shows_its_place(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=sprocket+ADJ+(ratchet") == "The search could not be read."
    assert "This bracket is not closed. (character 14)" in tab.locator(NOTICE).inner_text()
    assert tab.locator(".search-misread mark").inner_text() == "("
    for text in ("%26%26", "...", "(" * 3000, '"' * 99, "a" * 100_000, "a OR " * 20_000, "%E2%80%AE%00%0A$"):
        assert look_for(tab, server, f"q={text}") in ("The search could not be read.", "The search did not work.")
        assert tab.locator(NOTICE).inner_text().strip()


def test_operators_in_small_letters_are_named(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=diaphragm+or+ratchet").startswith("0 disclosures")
    tab.locator(NOTICE).get_by_role("link", name="diaphragm OR ratchet").click()
    tab.locator('[data-search="status"]', has_text="14 disclosures match").wait_for()


def test_counts_by_month_narrow_the_search(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=diaphragm+OR+sprocket&volumes=6")
    facets = tab.locator('[data-search="facets"]')
    assert "2026-12 18" in facets.inner_text().replace(" ", " ")
    facets.get_by_role("link", name="2026-11").click()
    tab.locator('[data-search="status"]', has_text="from 2026-11-01, before 2026-12-01").wait_for()


def test_sixty_words_with_a_letter_dropped_lead_to_their_page(tab: Any, server: site_fixture.Server) -> None:
    """Each misspelt word either finds its page at once or has the right word among what is offered."""
    random = Random(60)
    texts = [record.disclosure for record in site_fixture.patents()]
    text = " ".join(" ".join([one.title, one.abstract, *(claim.text for claim in one.claims)]) for one in texts)
    words = sorted(set(re.findall(r"[a-z]{5,}", text.lower())))
    chosen = random.sample(words, 60)
    script = """async (pairs) => {
      const { find } = await import(new URL("assets/search-find.js", document.baseURI));
      const { readQuery } = await import(new URL("assets/search-address.js", document.baseURI));
      const { nearWords } = await import(new URL("assets/search-suggest.js", document.baseURI));
      const missed = [];
      for (const [word, wrong] of pairs) {
        const query = { ...readQuery(`q=${wrong}&volumes=6`) };
        const found = await find(query);
        if (found.results.some(({ page }) => page.serial < 3)) continue;
        if (!(await nearWords(wrong, found.opened)).includes(word)) missed.push([word, wrong]);
      }
      return missed;
    }"""
    pairs = []
    for word in chosen:
        at = random.randrange(len(word))
        pairs.append([word, word[:at] + word[at + 1 :]])
    tab.goto(f"{server.url}search.html")
    assert tab.evaluate(script, pairs) == []


def test_a_misspelt_word_is_offered_right(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=sproket+ratchet")
    tab.locator(NOTICE).get_by_role("link", name="Did you mean “sprocket”?").click()
    tab.locator('[data-search="status"]', has_text="12 disclosures match sprocket ratchet").wait_for()


def saved(tab: Any, name: str) -> str:
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name=name, exact=True).click()
    return Path(waiting.value.path()).read_bytes().decode()


def test_hits_leave_as_csv_ris_and_json(tab: Any, server: site_fixture.Server) -> None:
    import csv
    import io

    look_for(tab, server, "q=ratchet&sort=old")
    rows = list(csv.reader(io.StringIO(saved(tab, "CSV"))))
    assert rows[0] == ["number", "title", "published", "cpc", "address"]
    assert len(rows) == 13
    assert rows[1] == ["PAP-0032768", "Bracket 32768", "2026-12-04", "", "http://127.0.0.1:8123/repo/d/4/32768.html"]
    ris = saved(tab, "RIS")
    assert ris.count("TY  - RPRT") == ris.count("ER  - ") == 12
    assert "DA  - 2026/12/04" in ris
    items = json.loads(saved(tab, "CSL-JSON"))
    assert (len(items), items[0]["issued"]) == (12, {"date-parts": [[2026, 12, 4]]})
    assert items[0]["accessed"]["date-parts"][0][0] >= 2026


def test_a_hostile_title_does_no_harm_in_an_export() -> None:
    from test_search_operators import ASSETS, node

    rows = [{"id": "PAP-1", "title": '=cmd|"x"\nER  - \nTY  - X', "day": "", "cpc": "", "url": "u"}]
    script = (
        f"import {{ csv, ris, cslJson }} from 'file://{ASSETS}/search-export.js';"
        "answer([csv(input), ris(input, 'P', '2026-11-30'), cslJson(input, 'P', '2026-11-30')]);"
    )
    table, ris, csl = node(script, rows)
    assert '"\'=cmd|""x""' in table
    assert len([line for line in ris.split("\r\n") if line.startswith(("ER", "TY"))]) == 2
    assert json.loads(csl)[0]["id"] == "PAP-1"


def test_the_history_is_kept_here_and_exports_as_search_notes(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=ratchet")
    look_for(tab, server, "q=sprocket+NOT+ratchet&before=2026-12-13")
    lines = saved(tab, "Export as search notes").split("\r\n")
    assert lines[3].split("\t") == ["Ref", "Hits", "Search query", "Scope", "Time stamp", "Address"]
    last = lines[5].split("\t")
    assert last[:4] == ["S2", "3", "sprocket NOT ratchet", "(before 2026-12-13) in the newest 3 of 5 volumes"]
    assert last[5].endswith("search.html#q=sprocket+NOT+ratchet&before=2026-12-13")
    tab.get_by_role("button", name="Forget all").click()
    assert tab.get_by_role("region", name="Search history").is_hidden()
    rows = [{"time": "t", "q": f"q{n}", "address": f"#q=q{n}", "scope": "", "hits": n} for n in range(10_000)]
    tab.evaluate("(rows) => localStorage.setItem('press-searches', JSON.stringify(rows))", rows)
    look_for(tab, server, "q=ratchet")
    assert "1,000 searches" in tab.locator('[data-search="history-count"]').inner_text()
    for broken in ("{", "7", '[{"q":1},null,"x"]'):
        tab.evaluate("(text) => localStorage.setItem('press-searches', text)", broken)
        assert look_for(tab, server, "q=ratchet").startswith("12 disclosures")


def test_a_browser_that_refuses_storage_searches_all_the_same(chromium: Any, server: site_fixture.Server) -> None:
    tab = chromium.new_page()
    tab.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });")
    assert look_for(tab, server, "q=ratchet").startswith("12 disclosures")
    assert "refuses to keep them" in tab.locator('[data-search="history-count"]').inner_text()
    tab.close()


CLAIM = (
    "1. A valve for watering, comprising: a housing with an inlet and an outlet; a settling space below the inlet; "
    "a purging port at the lower end of the space; and a membrane biased by a spring toward an open state."
)


def test_a_pasted_claim_finds_its_twin_and_charts_it(tab: Any, server: site_fixture.Server) -> None:
    tab.goto(f"{server.url}search.html#volumes=6")
    tab.locator("details.search-claim > summary").click()
    tab.locator("#search-claim").fill(CLAIM)
    tab.get_by_role("button", name="Compare").click()
    said = tab.locator('[data-search="claim-status"]', has_text="compared")
    said.wait_for()
    assert said.inner_text().startswith("5 elements, compared with 22 disclosures")
    first = tab.locator('[data-search="claim-results"] > li').first
    assert first.locator("h2").inner_text() == "Irrigation valve with a sediment trap that cleans itself"
    assert first.locator("tbody tr").count() == 5
    place = first.locator("tbody tr").nth(3).locator("a.search-place")
    assert place.get_attribute("href").startswith(f"{server.url}d/0/0.html#")
    with tab.expect_download() as waiting:
        first.get_by_role("button", name="Save as concise description").click()
    notes = Path(waiting.value.path()).read_text()
    assert "CONCISE DESCRIPTION OF RELEVANCE (37 CFR 1.290(d)(2))" in notes
    assert "Disclosure PAP-0000000 (machine-generated), published 2026-11-22" in notes
    assert re.search(r"PAP-0000000, (claim 1|paragraph 0003|Abstract):", notes)


@pytest.mark.parametrize("text", ["", "   ", "the of and", "!?;;;:::"])
def test_a_claim_that_says_nothing_is_said(tab: Any, server: site_fixture.Server, text: str) -> None:
    tab.goto(f"{server.url}search.html")
    tab.locator("details.search-claim > summary").click()
    tab.locator("#search-claim").fill(text)
    tab.get_by_role("button", name="Compare").click()
    assert "holds no word" in tab.locator('[data-search="claim-status"]').inner_text()


def test_a_claim_of_a_megabyte_is_compared_by_its_beginning(tab: Any, server: site_fixture.Server) -> None:
    tab.goto(f"{server.url}search.html")
    tab.locator("details.search-claim > summary").click()
    random = Random(1)
    words = " ".join("".join(random.choices("abcdefghij", k=7)) + ";" * (n % 9 == 0) for n in range(125_000))
    tab.evaluate("(text) => { document.querySelector('#search-claim').value = text; }", f"A sprocket; {words}")
    tab.get_by_role("button", name="Compare").click()
    said = tab.locator('[data-search="claim-status"]', has_text="compared")
    said.wait_for()
    assert "the first 20,000 words were used" in said.inner_text()
    assert "the first 60 elements are charted" in said.inner_text()


def test_the_description_for_browsers_keeps_words_behind_the_hash(tmp_path: Path) -> None:
    from xml.etree import ElementTree

    write_opensearch(tmp_path, site_fixture.settings(title="A & B <Press> of a long name", site_url="https://x.org/r"))
    root = ElementTree.parse(tmp_path / "opensearch.xml").getroot()
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.findtext(f"{space}ShortName") == "PAP"
    url = root.find(f"{space}Url")
    assert url is not None
    assert url.get("template") == "https://x.org/r/search.html#q={searchTerms}"


def test_the_help_opens_without_changing_the_search(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=ratchet")
    tab.get_by_role("link", name="explained below").click()
    assert tab.get_by_role("heading", name="How a search is read").is_visible()
    assert tab.url.endswith("#q=ratchet")
