"""The search page in a real Chromium, under /repo/: five volumes, of which the first is a real build."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import site_fixture
from test_search import page as disclosure_page
from test_search import write_pages

from generator.log.archive import VOLUME
from generator.site import bundles

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script></mark>&lt;b&gt;'
MANY = 12


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Volume 0: real pages. 1 to 4: written by hand; volume 4 has twelve pages with one word in common."""
    output = tmp_path_factory.mktemp("output")
    hostile = site_fixture.record(
        f"Quoin {HOSTILE}", f"Quoin abstract {HOSTILE}", [f"A quoin {HOSTILE} of stone."], salt=9
    )
    site_fixture.write_archive(output, [*site_fixture.patents(), hostile], [(site_fixture.PUBLISHED, (0, 1, 3))])
    site = site_fixture.build_site(output).folder
    counts = {0: 4}
    for volume in range(1, 5):
        counts[volume] = MANY if volume == 4 else 2
        days = (f"2026-12-{volume:02d}", f"2026-12-{volume + 10:02d}")
        pages = [
            (
                volume * VOLUME + n,
                disclosure_page(
                    volume * VOLUME + n,
                    days[n % 2],
                    ("top-down", "bottom-up")[n % 2],
                    f"A sprocket in volume{volume}."
                    + " Diaphragm." * (volume == 2)
                    + " Common ratchet." * (volume == 4),
                ),
            )
            for n in range(counts[volume])
        ]
        write_pages(site, pages)
    bundles.index(site, counts, expected=counts, report=print)
    bundles.write_catalogue(site)
    return site


@pytest.fixture
def server(built: Path) -> Iterator[site_fixture.Server]:
    with site_fixture.serve(built) as running:
        yield running


@pytest.fixture
def tab(chromium: Any, server: site_fixture.Server) -> Iterator[Any]:
    """A fresh profile. Whatever a test does: no other host is asked and no script of a page fails."""
    context = chromium.new_context()
    asked: list[str] = []
    faults: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    opened = context.new_page()
    opened.set_default_timeout(120_000)  # a busy machine is no defect
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("dialog", lambda dialog: faults.append(dialog.message))
    yield opened
    context.close()
    assert not [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert faults == []


def status(tab: Any) -> str:
    """The announced result, once there is one."""
    tab.locator('[data-search="status"]', has_text=re.compile("match|did not|could not|Nothing|No |records")).wait_for()
    text: str = tab.locator('[data-search="status"]').inner_text()
    return text


def ids(tab: Any) -> list[str]:
    found: list[str] = tab.locator(".search-id").all_inner_texts()
    return found


def look_for(tab: Any, server: site_fixture.Server, query: str) -> str:
    tab.goto("about:blank")
    tab.goto(f"{server.url}search.html#{query}")
    return status(tab)


def test_from_the_home_page_to_the_claim(tab: Any, server: site_fixture.Server) -> None:
    tab.goto(server.url)
    tab.get_by_label("Search titles").fill("converge purge port")
    tab.keyboard.press("Enter")
    assert status(tab) == "0 disclosures match converge purge port in the newest 3 of 5 volumes"
    tab.get_by_role("button", name="Search older volumes").click()
    tab.locator(".search-result").wait_for()
    assert status(tab) == "1 disclosure matches converge purge port"
    result = tab.locator(".search-result")
    assert result.locator("h2").inner_text() == "Irrigation valve with a sediment trap that cleans itself"
    assert result.locator(".search-meta").inner_text() == "PAP-0000000 · published 2026-11-22"
    passage = result.locator(".search-passage")
    assert "walls that converge toward the purge port at an angle" in passage.inner_text()
    assert passage.locator("mark").all_inner_texts() == ["converge", "purge", "port"]
    passage.get_by_role("link", name="Claim 3").click()
    tab.wait_for_url(f"{server.url}d/0/0.html#claim-3")
    assert "converge toward" in tab.locator("#claim-3:target").inner_text()


def test_a_search_in_the_address_gives_the_same_again(tab: Any, server: site_fixture.Server) -> None:
    tab.goto(f"{server.url}search.html")
    tab.get_by_label("Words, a number").fill("sprocket")
    tab.get_by_text("Filters", exact=True).click()
    tab.get_by_label("Before (critical date)").fill("2026-12-04")
    tab.get_by_label("Order").select_option("old")
    tab.get_by_role("button", name="Search", exact=True).click()
    assert status(tab) == "3 disclosures match sprocket (before 2026-12-04) in the newest 3 of 4 volumes"
    assert tab.url == f"{server.url}search.html#q=sprocket&before=2026-12-04&sort=old"
    first = ids(tab)
    assert first == ["PAP-0008192", "PAP-0016384", "PAP-0024576"]
    tab.reload()
    assert status(tab).startswith("3 disclosures")
    assert ids(tab) == first
    assert tab.get_by_label("Before (critical date)").input_value() == "2026-12-04"
    assert tab.get_by_label("Order").input_value() == "old"


def test_back_and_forward_go_through_searches(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=ratchet")
    tab.get_by_label("Words, a number").fill("diaphragm")
    tab.keyboard.press("Enter")
    tab.locator('[data-search="status"]', has_text="match diaphragm").wait_for()
    tab.go_back()
    tab.locator('[data-search="status"]', has_text="match ratchet").wait_for()
    assert tab.get_by_label("Words, a number").input_value() == "ratchet"
    tab.go_forward()
    tab.locator('[data-search="status"]', has_text="match diaphragm").wait_for()


def test_the_newest_volumes_first_and_older_ones_on_demand(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=diaphragm") == "2 disclosures match diaphragm in the newest 3 of 5 volumes"
    assert not [path for path in server.paths if path.startswith(("/repo/d/0/", "/repo/d/1/"))]
    tab.get_by_role("button", name="Search older volumes").click()
    tab.locator('[data-search="status"]', has_text=re.compile("^3 disclosures match diaphragm$")).wait_for()
    assert sorted(ids(tab)) == ["PAP-0000000", "PAP-0016384", "PAP-0016385"]
    assert tab.get_by_role("button", name="Search older volumes").is_hidden()
    assert tab.url.endswith("#q=diaphragm&volumes=6")
    tab.reload()
    assert status(tab) == "3 disclosures match diaphragm"


def test_a_date_reaches_old_volumes_at_once(tab: Any, server: site_fixture.Server) -> None:
    assert (
        look_for(tab, server, "q=diaphragm&before=2026-11-23") == "1 disclosure matches diaphragm (before 2026-11-23)"
    )
    assert look_for(tab, server, "q=diaphragm&before=2026-11-22").startswith("0 disclosures")
    assert look_for(tab, server, "q=diaphragm&from=2026-11-22&before=2026-11-23").startswith("1 disclosure ")
    assert look_for(tab, server, "q=sprocket&from=2026-12-14").startswith("6 disclosures match")


def test_of_the_vocabulary_only_the_first_letters_are_fetched(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=sprocket+AND+ratchet")
    look_for(tab, server, "q=sprocket")
    assert not [path for path in server.paths if "hashes.json" in path]
    assert {path.split("/")[-1].partition("?")[0] for path in server.paths if "/words/" in path} == {"s.json", "r.json"}


def test_what_is_not_published_says_so_and_has_no_date(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=eccentric&volumes=6")
    assert "not yet published" in tab.locator(".search-meta").inner_text()
    assert tab.locator(".search-meta time").count() == 0
    assert look_for(tab, server, "q=eccentric&volumes=6&from=2000-01-01").startswith("0 disclosures")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("aardvark", 0),  # Pagefind alone would read "a"
        ("sprocket aardvark", 0),
        ("sprocket blorp", 0),  # Pagefind alone would drop the word that it does not know
        ("sprock", 16),
        ("sprockets", 16),
        ("SPROCKET, ratchet", 12),
        ('"common ratchet"', 12),
        ('"ratchet common"', 0),
        ("sprocket volume3", 2),
    ],
)
def test_every_word_has_to_stand_in_a_result(tab: Any, server: site_fixture.Server, words: str, count: int) -> None:
    assert look_for(tab, server, f"q={words}").startswith(f"{count} disclosures match")


def test_a_word_known_in_one_volume_does_not_count_in_another(tab: Any, server: site_fixture.Server) -> None:
    """ "Ratchet" stands in volume 4 alone: pages of volumes 2 and 3 hold the sprocket, and must not be shown."""
    look_for(tab, server, "q=sprocket+ratchet")
    assert all(int(found.removeprefix("PAP-")) // VOLUME == 4 for found in ids(tab))


def test_no_result_says_which_word_is_missing_and_what_would_work(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=sprocket+blorp")
    notice = tab.locator('[data-search="notice"]')
    notice.get_by_text("No disclosure searched here holds “blorp”.").wait_for()
    notice.get_by_role("link", name="Only “sprocket”").click()
    tab.wait_for_url("**/search.html#q=sprocket")
    assert status(tab).startswith("16 disclosures")
    look_for(tab, server, "q=%22ratchet+common%22&sort=new")
    notice.get_by_role("link", name="The same words in any order").wait_for()
    look_for(tab, server, "q=volume2+volume3")
    assert notice.get_by_role("link", name="Without “volume3”").get_attribute("href").endswith("#q=volume2")
    look_for(tab, server, "q=sprocket&before=2026-11-22")
    notice.get_by_role("link", name="The same search without filters").wait_for()


def test_a_passage_of_the_text_comes_before_the_title(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=irrigation+mesh&volumes=6")
    assert tab.locator(".search-place").inner_text() == "Claim 4"
    assert tab.locator(".search-passage mark").all_inner_texts() == ["irrigation", "mesh", "mesh"]
    also = tab.locator(".search-also a")
    assert also.all_inner_texts() == ["abstract", "claim 1", "claim 2", "claim 3"]
    assert also.first.get_attribute("href") == f"{server.url}d/0/0.html#abstract"
    look_for(tab, server, "q=itself&volumes=6")
    assert tab.locator(".search-place").count() == 0, "the word stands in the title alone"
    assert tab.locator(".search-passage mark").all_inner_texts() == ["itself"]


def test_more_results_are_shown_on_demand(tab: Any, server: site_fixture.Server) -> None:
    assert look_for(tab, server, "q=ratchet").startswith("12 disclosures")
    assert len(ids(tab)) == 10
    assert len({path for path in server.paths if "/fragment/" in path}) == 10
    tab.get_by_role("button", name="Show more results").click()
    tab.locator(".search-result").nth(11).wait_for()
    assert len(set(ids(tab))) == MANY
    assert tab.url.endswith("#q=ratchet&shown=20")
    assert tab.evaluate("document.activeElement.closest('li') === document.querySelectorAll('.search-result')[10]")
    assert tab.get_by_role("button", name="Show more results").is_hidden()
    tab.reload()
    tab.locator(".search-result").nth(11).wait_for()


def test_text_of_a_model_is_text(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=quoin&volumes=6")
    result = tab.locator(".search-result")
    assert HOSTILE in result.locator("h2").inner_text()
    assert '<img src=x onerror="document.title=1">' in result.locator(".search-passage").inner_text()
    assert result.locator("img, script, b").count() == 0
    assert tab.title() == "quoin - Search"
    look_for(tab, server, "q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&volumes=6")
    assert "<img src=x onerror=alert(1)>" in tab.locator('[data-search="status"]').inner_text()
    assert tab.locator("#search img").count() == 0
    assert not [path for path in server.paths if path.endswith("/x")]


def test_nothing_of_the_index_is_loaded_before_a_search(tab: Any, server: site_fixture.Server) -> None:
    for path in ("", "d/0/0.html", "search.html"):
        tab.goto(server.url + path, wait_until="networkidle")
    assert not [path for path in server.paths if "pagefind" in path or "catalogue" in path]
    assert tab.get_by_role("heading", name="How a search is read").is_visible()


def test_a_slash_goes_to_the_search_box(tab: Any, server: site_fixture.Server) -> None:
    for path, label in (("d/0/0.html", "Search disclosures"), ("search.html", "Words, a number")):
        tab.goto(server.url + path)
        tab.keyboard.press("/")
        tab.keyboard.type("a/b")
        assert tab.get_by_label(label).input_value() == "a/b"


@pytest.mark.parametrize(
    "missing", ["catalogue.json", "pagefind/pagefind.js", "pagefind/wasm.en.pagefind", "d/4/pagefind/index"]
)
def test_an_index_that_cannot_be_loaded_is_an_error_not_an_empty_result(
    chromium: Any, built: Path, tmp_path: Path, missing: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(built, site)
    target = site / missing
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    with site_fixture.serve(site) as server:
        tab = chromium.new_page()
        assert look_for(tab, server, "q=sprocket") == "The search did not work."
        notice = tab.locator('[data-search="notice"]')
        assert "could not be loaded" in notice.inner_text()
        assert (
            notice.get_by_role("link", name="Browse by volume and day").get_attribute("href")
            == f"{server.url}browse.html"
        )
        assert notice.get_by_role("link", name="Load this page again").get_attribute("href") == tab.url
        assert ids(tab) == []
        tab.close()


def test_after_an_error_the_next_search_starts_afresh(chromium: Any, built: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(built, site)
    chunks = site / "d/4/pagefind/index"
    chunks.rename(tmp_path / "away")
    with site_fixture.serve(site) as server:
        tab = chromium.new_page()
        assert look_for(tab, server, "q=sprocket") == "The search did not work."
        (tmp_path / "away").rename(chunks)
        tab.get_by_role("button", name="Search", exact=True).click()
        tab.locator('[data-search="status"]', has_text="16 disclosures match").wait_for()
        tab.close()


def test_without_script_the_page_says_what_to_do(chromium: Any, server: site_fixture.Server) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{server.url}search.html#q=sprocket")
    assert "needs JavaScript" in tab.locator(".search-noscript").inner_text()
    assert tab.locator(".search-noscript").is_visible()
    assert tab.get_by_label("Words, a number").is_hidden()
    assert tab.get_by_text("Paste a claim").is_hidden(), "it works by script alone"
    tab.locator(".search-noscript").get_by_role("link", name="browse by volume and day").click()
    assert tab.url == f"{server.url}browse.html"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Any, server: site_fixture.Server, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    for query in ("", "q=sprocket", "q=sprocket+blorp&sort=new"):
        tab.goto(f"{server.url}search.html#{query}", wait_until="networkidle")
        if query:
            status(tab)
        report = Axe().run(tab)
        assert report.violations_count == 0, report.generate_report()
    context.close()


def test_a_printed_search_names_query_count_and_date(tab: Any, server: site_fixture.Server) -> None:
    look_for(tab, server, "q=ratchet")
    tab.emulate_media(media="print")
    assert tab.locator('[data-search="status"]').is_visible()
    when = tab.locator('[data-search="when"]')
    assert when.is_visible()
    assert re.fullmatch(rf"Retrieved \d{{4}}-\d\d-\d\d \d\d:\d\d UTC · {re.escape(tab.url)}", when.inner_text())
    assert tab.locator(".search-form").is_hidden()
    assert tab.get_by_role("button", name="Show more results").is_hidden()


def test_a_phone_needs_no_sideways_scrolling(chromium: Any, server: site_fixture.Server) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    tab = context.new_page()
    for query in ("", "q=quoin&volumes=6", "q=sprocket&sort=new"):
        tab.goto(f"{server.url}search.html#{query}", wait_until="networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
