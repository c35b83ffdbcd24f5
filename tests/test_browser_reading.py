"""Reading the site in Chromium, under a sub-path: no script, keyboard, phone, paper, axe, copying."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import bibtexparser
import pikepdf
import pypdf
import pytest
import rispy
from axe_playwright_python.sync_playwright import Axe
from browsing import Server, Visit, serve
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from site_fixture import PUBLISHED, build_site, patents, record, write_archive


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    output = tmp_path_factory.mktemp("reading")
    long = record("Word" * 100, "W" * 2_000, ["V" * 5_000], salt=9, model="m" * 200)
    write_archive(output, [*patents(), long], [(PUBLISHED, [0, 1])])
    with serve(build_site(output).folder) as running:
        yield running


def test_without_script_the_page_is_complete(chromium: Any, server: Server) -> None:
    visit = Visit(chromium, java_script_enabled=False)
    page = visit.open(f"{server.url}d/0/0.html")
    assert page.locator(".press-text ol > li").count() == 6
    assert "prior-art verify 0.html" in visit.status()
    assert page.locator("#cite ~ details").count() == 5
    assert page.locator(".press-managers a").all_inner_texts() == ["BibTeX", "RIS", "CSL-JSON"]
    assert page.locator("pre", has_text="[retrieved on YYYY-MM-DD]").first.is_visible()
    assert page.locator("button:visible").count() == 1, "only the search form has a button"
    page.fill("#press-q", "diaphragm spring")
    page.press("#press-q", "Enter")
    page.wait_for_url("**/search.html*")
    assert "diaphragm" not in page.url, "without script no words are sent"
    visit.context.close()


def test_a_dependency_link_leads_to_its_claim(visit: Visit, server: Server) -> None:
    page = visit.open(f"{server.url}d/0/0.html")
    page.click("#claim-4 a")
    assert page.url.endswith("#claim-3")
    assert page.locator("#claim-3:target").is_visible()
    page.click("#p-0002 a.n")
    assert page.locator("#p-0002:target").is_visible()


def test_citations_and_links_are_copied(chromium: Any, server: Server) -> None:
    visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
    page = visit.open(f"{server.url}d/0/0.html")
    page.get_by_role("button", name="Copy Examiner (PTO-892)").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        r"PRIOR ART PRESS, “Irrigation valve .*\[retrieved on 20\d\d-\d\d-\d\d\]\. Retrieved .*>\.", copied
    ), "the day of reading is filled in"
    assert page.get_by_text("Copied: Examiner").count() == 1, "screen readers are told"
    page.get_by_label("Claims or paragraphs relied on").fill("1, 3-4, p 2")
    page.get_by_role("button", name="Copy Examiner (PTO-892)").click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(">, claims 1, 3, 4, para. [0002].")
    page.get_by_label("Claims or paragraphs relied on").fill("7")
    assert page.get_by_text("This disclosure has no claim 7").is_visible()
    page.hover("#claim-3")
    page.get_by_role("button", name="Copy citation of claim 3").click()
    assert page.evaluate("navigator.clipboard.readText()") == (
        "PAP-0000000, claim 3, http://127.0.0.1:8123/repo/d/0/0.html#claim-3"
    ), "the permalink is the publication's, whatever serves the page"
    visit.context.close()


def test_what_is_copied_for_a_reference_manager_names_the_day_of_reading(chromium: Any, server: Server) -> None:
    visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
    page = visit.open(f"{server.url}d/0/0.html")
    copied = {}
    for name in ("BibTeX", "RIS", "CSL-JSON"):
        page.get_by_role("button", name=f"Copy {name}").click()
        page.get_by_text(f"Copied: {name}").wait_for()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    (entry,) = bibtexparser.parse_string(copied["BibTeX"]).entries
    (reference,) = rispy.loads(copied["RIS"])
    (item,) = json.loads(copied["CSL-JSON"])
    day = str(entry.fields_dict["urldate"].value)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", day)
    assert reference["access_date"] == day.replace("-", "/")
    assert item["accessed"] == {"date-parts": [[int(part) for part in day.split("-")]]}
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON([{**item, "id": "one"}]), formatter.plain)
    bibliography.register(Citation([CitationItem("one")]))
    assert re.search(r"\(Accessed: \w+ \d+, 20\d\d\)", str(bibliography.bibliography()[0]))
    page.route("**/0.ris", lambda route: route.abort())
    page.get_by_role("button", name="Copy RIS").click()
    page.get_by_text("Could not fetch RIS: open the link and copy it by hand.").wait_for()
    visit.context.close()


PAGES = (
    "index.html", "browse.html", "verify.html", "log.html", "d/0/0.html", "d/0/2.html", "d/0/index.html",
    "docs/about.html", "docs/evaluation.html", "docs/record-format.html", "docs/settings.html", "docs/training.html",
    "no-such-page.html",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(chromium: Any, server: Server, scheme: str) -> None:
    visit = Visit(chromium, color_scheme=scheme)
    for path in PAGES:
        page = visit.open(server.url + path)
        if path.startswith("d/0/") and "index" not in path:
            visit.state()
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    visit.context.close()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_phone(chromium: Any, server: Server, width: int) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 800})
    for path in (*PAGES, "d/0/3.html"):
        page = visit.open(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    visit.context.close()


BROKEN_WORDS = """() => {
  const found = [], range = document.createRange();
  const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (!node.parentElement.closest("th, td")) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}.,]+/gu)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => box.top)).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""


@pytest.mark.parametrize("width", [320, 1300])
def test_tables_of_the_documentation_break_no_word_and_scroll_by_keyboard(
    chromium: Any, server: Server, width: int
) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 800})
    for name in ("training", "evaluation", "settings", "engine"):
        page = visit.open(f"{server.url}docs/{name}.html")
        assert page.locator("td").count() > 20
        assert page.evaluate(BROKEN_WORDS) == [], name
    wide = "[...document.querySelectorAll('.press-wide-table')].findIndex((box) => box.scrollWidth > box.clientWidth)"
    first = page.evaluate(wide)
    assert (first >= 0) is (width == 320)
    if first >= 0:
        box = page.locator(".press-wide-table").nth(first)
        box.evaluate("box => { box.focus(); window.moved = new Promise((done) => { box.onscroll = done; }); }")
        page.keyboard.press("ArrowRight")
        page.evaluate("window.moved.then(() => null)")
        assert box.evaluate("box => box.scrollLeft") > 0
    visit.context.close()


def test_the_choice_of_colours_is_kept(visit: Visit, server: Server) -> None:
    page = visit.open(f"{server.url}index.html")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    visit.open(f"{server.url}d/0/0.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_paper_carries_what_identifies_the_page(visit: Visit, server: Server) -> None:
    page = visit.open(f"{server.url}d/0/0.html")
    visit.state()
    page.emulate_media(media="print", color_scheme="dark")
    sheet = page.locator(".press-sheet")
    assert sheet.is_visible()
    for part in ("PAP-0000000", PUBLISHED, "http://127.0.0.1:8123/repo/d/0/0.html", patents()[0].sha256):
        assert part in sheet.inner_text()
    assert sheet.evaluate("e => getComputedStyle(e).display") == "table-footer-group", "repeated on every sheet"
    for hidden in (".press-header", ".press-footer", ".press-verify", ".press-copy >> nth=0"):
        assert not page.locator(hidden).is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 33, 37)", (
        "dark colours stay on the screen"
    )
    assert page.locator("#claim-6").is_visible()


PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "device_scale_factor": 3}


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_the_pdf_of_a_browser_is_a_file_for_the_wrapper(chromium: Any, server: Server, device: dict[str, Any]) -> None:
    """qpdf accepts it; each sheet has its count, number, address, date and hash; no claim breaks over sheets."""
    visit = Visit(chromium, **device)
    page = visit.open(f"{server.url}d/0/0.html")
    visit.state()
    data = page.pdf(prefer_css_page_size=True, tagged=True)  # as "Save as PDF" does
    visit.context.close()
    with pikepdf.open(BytesIO(data)) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert pdf.Root.MarkInfo.Marked, "tagged, for screen readers"
    sheets = [sheet.extract_text() for sheet in pypdf.PdfReader(BytesIO(data), strict=True).pages]
    assert 2 <= len(sheets) <= 4
    for number, sheet in enumerate(sheets, 1):
        for part in (
            f"sheet {number} of {len(sheets)}", "PAP-0000000", PUBLISHED, "http://127.0.0.1:8123/repo/d/0/0.html",
            patents()[0].sha256, "machine-generated, not a patent",
        ):  # fmt: skip
            assert part in sheet, (number, part)
    for label in (
        "(11) PAP-0000000",
        "(43) Published",
        "(54) Irrigation valve",
        "(57) Abstract",
        "This is not a patent",
    ):
        assert label in " ".join(sheets[0].split()), label
    flat = [" ".join(sheet.split()) for sheet in sheets]
    for claim in patents()[0].disclosure.claims:
        assert sum(claim.text in sheet for sheet in flat) == 1, claim.number


def test_the_keyboard_reaches_everything(visit: Visit, server: Server) -> None:
    page = visit.open(f"{server.url}d/0/0.html")
    visit.state()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to content"
    names = []
    for _ in range(90):
        page.keyboard.press("Tab")
        names.append(page.evaluate("(e => (e.ariaLabel || e.textContent || e.id).trim())(document.activeElement)"))
    wanted = [
        "Browse",
        "press-q",
        "Copy citation of claim 1",
        "claim 1",
        "Copy citation of paragraph 0001",
        "record",
        "BibTeX",
    ]
    assert set(wanted) <= set(names), sorted(set(wanted) - set(names))
    assert (
        names.index("Browse") < names.index("press-q") < names.index("BibTeX") < names.index("Copy citation of claim 1")
    )
    page.focus("#claim-3 .press-link")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)  # the mark fades in
    focused = "(e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).opacity])(document.activeElement)"
    assert page.evaluate(focused) == ["solid", "1"], "what has the focus is seen to have it"


def test_an_unknown_address_shows_the_sites_own_page(visit: Visit, server: Server) -> None:
    answer = visit.page.goto(f"{server.url}d/9/nothing.html")
    assert answer is not None
    assert answer.status == 404
    assert visit.page.text_content("h1") == "This page does not exist"
