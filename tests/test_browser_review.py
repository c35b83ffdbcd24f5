"""The form of a blind review in Chromium, from the file: filled by keyboard, kept, downloaded, scored."""

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Visit
from review_fixture import a_publication, real_patents

from generator.base.publication import Publication
from generator.commands.review import make, score


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return a_publication(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def folder(publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("form")
    make(publication, base / "out", (real_patents(base / "real.jsonl", 80),), sample=14, draws=1, seed=1)
    return base / "out"


def download(visit: Visit, path: Path) -> Path:
    with visit.page.expect_download() as started:
        visit.page.click("#download")
    started.value.save_as(path)
    assert started.value.suggested_filename.startswith("review-")
    return path


def test_two_raters_fill_the_form_and_are_scored(
    chromium: Any, publication: Publication, folder: Path, tmp_path: Path
) -> None:
    files = []
    key = json.loads((folder / "key.json").read_bytes())
    items = [item["id"] for item in key["items"]]
    for number, rater in enumerate(("Ada Ä. Example", "Ben <b>")):
        visit = Visit(chromium, accept_downloads=True)
        page = visit.open((folder / "form.html").as_uri())
        page.fill("#rater", rater)
        for place in range(len(items)):
            assert page.text_content("#place") == f"Text {place + 1} of {len(items)}"
            page.check(f"input[name=sense][value='{(place + number) % 4}']")
            if place == 5:
                page.fill("#remark", 'A "remark" </script> é')
            if place < len(items) - 1:
                page.click("#next")
        assert page.is_disabled("#next")
        assert page.text_content("#progress-text") == "34 of 34 texts answered"
        files.append(download(visit, tmp_path / f"{number}.json"))
        assert "Every text is answered" in page.text_content("#status")
        assert page.evaluate("window.hacked") is None
        assert visit.errors == []
        assert visit.requests == [(folder / "form.html").as_uri()] or all(
            url.startswith(("file:", "blob:")) for url in visit.requests
        )
        visit.context.close()
    said = json.loads(files[0].read_text())
    assert said["rater"] == "Ada Ä. Example"
    assert set(said["answers"]) == set(items)
    assert said["answers"][items[5]]["remark"] == 'A "remark" </script> é'
    outcome = score(publication, (folder / "key.json", files[0], files[1]))
    assert outcome.figures["raters"] == ["Ada Ä. Example", "Ben <b>"]
    assert (outcome.figures["texts"], outcome.figures["left"]) == (34, 0)
    sets = {item["id"]: item["set"] for item in key["items"]}
    for kind, found in outcome.figures["sets"].items():
        places = [place for place, item in enumerate(items) if sets[item] == kind]
        means = [sum((place + rater) % 4 for place in places) / len(places) for rater in (0, 1)]
        assert found["raters"] == pytest.approx(means)


def test_the_keyboard_alone_answers_and_goes_on(visit: Visit, folder: Path) -> None:
    page = visit.open((folder / "form.html").as_uri())
    page.focus("#rater")
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "remark"
    assert page.locator("input:checked").evaluate_all("all => all.map((one) => one.value)") == ["1"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "next"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "place"
    assert page.text_content("#place") == "Text 2 of 34"
    assert page.locator("input:checked").count() == 0
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.text_content("#progress-text") == "2 of 34 texts answered"
    assert visit.errors == []


def test_progress_is_kept_by_form_and_comes_back(
    chromium: Any, publication: Publication, folder: Path, tmp_path: Path
) -> None:
    visit = Visit(chromium, accept_downloads=True)
    page = visit.open((folder / "form.html").as_uri())
    page.click("#download")
    assert "Enter your name first" in page.text_content("#status")
    page.fill("#rater", "Ada")
    page.check("input[name=sense][value='0']")
    page.click("#next")
    page.check("input[name=sense][value='3']")
    page.fill("#remark", "odd")
    page.fill("#remark", "")
    for _ in range(10):  # a page of a file may come back in another process, and Chromium commits storage late
        page.wait_for_timeout(2000)
        page.reload()
        if page.text_content("#place") != "Text 1 of 34":
            break
    assert page.text_content("#place") == "Text 2 of 34"
    assert page.input_value("#rater") == "Ada"
    assert page.is_checked("input[name=sense][value='3']")
    page.click("#back")
    assert page.is_checked("input[name=sense][value='0']")
    page.click("#open")
    assert page.text_content("#place") == "Text 3 of 34"
    said = json.loads(download(visit, tmp_path / "1.json").read_text())
    assert list(said["answers"].values()) == [{"sense": "0"}, {"sense": "3"}]
    assert "32 texts are not answered in full" in page.text_content("#status")
    make(publication, tmp_path / "out", (real_patents(tmp_path / "real.jsonl", 80),), sample=14, draws=1, seed=2)
    visit.open((tmp_path / "out" / "form.html").as_uri())
    assert page.text_content("#progress-text") == "0 of 34 texts answered"
    assert page.input_value("#rater") == ""
    visit.context.close()


def test_hostile_text_is_shown_and_not_run(visit: Visit, folder: Path) -> None:
    page = visit.open((folder / "form.html").as_uri())
    seen = False
    for _ in range(33):
        seen = seen or 'onerror="window.hacked=1"' in (page.text_content("#title") or "")
        page.click("#next")
    assert seen
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert visit.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Any, folder: Path, scheme: str) -> None:
    visit = Visit(chromium, color_scheme=scheme, viewport={"width": 360, "height": 800}, bypass_csp=True)
    page = visit.open((folder / "form.html").as_uri())
    page.check("input[name=sense][value='0']")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    visit.context.close()


def test_a_browser_that_keeps_nothing_says_so(visit: Visit, folder: Path) -> None:
    visit.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    )
    page = visit.open((folder / "form.html").as_uri())
    page.check("input[name=sense][value='0']")
    assert "download your answers" in page.text_content("#status")
    assert visit.errors == []
