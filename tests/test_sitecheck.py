"""`check` on a real site: it holds, and each thing that can be wrong with it is found."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import facts
import nights
import pytest

from generator.base.errors import PressError, VerificationError
from generator.base.publication import Publication
from generator.commands import nightly
from generator.log.archive import read_ledger
from generator.site.check import check_site, read_page

TIME = "2026-11-22T03:17:00Z"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("press")
    facts.archive(root / "output", 3, published=TIME)
    facts.archive(root / "output", 1, first=3)
    nightly.build(publication(root))
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "press")
    return tmp_path / "press"


def publication(root: Path) -> Publication:
    return nights.at_night(root, nights.SETTINGS, 23, 0)


def test_a_site_that_was_just_built_holds(built: Path) -> None:
    outcome = nightly.check(publication(built))
    assert outcome.ok, outcome.lines
    text = "\n".join(outcome.lines)
    assert "pages: 4 pages, one for each disclosure" in text
    assert "index: 4 pages are indexed" in text
    assert "dates: 3 publication times" in text
    assert re.search(r"links: \d{2,} links", text)
    assert "self-contained" in text


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        text = (site / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old}"
        (site / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda site: (site / name).unlink()


def one_fewer_indexed(site: Path) -> None:
    path = site / "d" / "0" / "pagefind" / "pagefind-entry.json"
    value = json.loads(path.read_text())
    next(iter(value["languages"].values()))["page_count"] -= 1
    path.write_text(json.dumps(value))


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "a page is missing": (remove("d/0/1.html"), "4 disclosures, 3 pages; the first that differs is d/0/1.html"),
    "a page too many": (
        lambda site: (site / "d/0/9.html").write_text("x"),
        "4 disclosures, 5 pages; the first that differs is d/0/9.html",
    ),
    "a record differs": (edit("d/0/1.json", "hinge", "binge"), "1.json is not the fact"),
    "a proof differs": (edit("d/0/1.proof", "index 1", "index 2"), "1.proof is not the fact"),
    "a page shows another hash": (
        edit("d/0/1.html", facts.record(1).sha256, "0" * 64),
        "1.html does not show its record's SHA-256",
    ),
    "the log is old": (edit("log/checkpoint", facts.ORIGIN, "example.org/old"), "log/checkpoint is not the newest one"),
    "a journal is served": (lambda site: (site / "log/.batch.json").write_text("{}"), "has no place in a site"),
    "a page is not indexed": (one_fewer_indexed, "4 pages, 3 indexed, 4 catalogued"),
    "the visible date": (edit("d/0/1.html", f'datetime="{TIME}"', 'datetime="2026-11-21"'), "does not show"),
    "DC.date": (edit("d/0/1.html", f'name="DC.date" content="{TIME}"', 'name="DC.date" content="x"'), "DC.date says x"),
    "the citation date": (
        edit("d/0/1.html", 'content="2026/11/22"', 'content="2026/11/21"'),
        "citation_publication_date",
    ),
    "the linked data": (edit("d/0/1.html", f'"datePublished": "{TIME}"', '"datePublished": "x"'), "linked data says x"),
    "the text form": (edit("d/0/1.md", f"published: '{TIME}'", "published: 'x'"), "text form says x"),
    "the sitemap": (edit("d/0/sitemap.xml", TIME, "2026-11-21T03:17:00Z"), "sitemap says 2026-11-21T03:17:00Z"),
    "the feed": (
        edit("feed.atom", f"<published>{TIME}", "<published>2026-11-21T03:17:00Z"),
        "feed says 2026-11-21T03:17:00Z",
    ),
    "unpublished, but in the sitemap": (
        edit("d/0/sitemap.xml", "</urlset>", "<url><loc>https://example.org/repo/d/0/4.html</loc></url></urlset>"),
        "stands in the sitemap or the feed, but is not published",
    ),
    "unpublished, but dated": (
        edit("d/0/4.html", "</head>", f'<meta name="DC.date" content="{TIME}"></head>'),
        f"DC.date says {TIME}, the log not yet published",
    ),
    "a broken link": (edit("index.html", "</body>", '<a href="gone.html">x</a></body>'), "links to gone.html"),
    "a broken anchor": (
        edit("d/0/1.html", "</body>", '<a href="2.html#claim-99">x</a></body>'),
        "links to 2.html#claim-99, which has no such anchor",
    ),
    "an image of another host": (
        edit("index.html", "</body>", '<img src="https://elsewhere.example/x.png"></body>'),
        "loads https://elsewhere.example/x.png from another host",
    ),
    "a script of another host": (
        edit("d/0/1.html", "</head>", '<script src="//elsewhere.example/x.js"></script></head>'),
        "from another host",
    ),
    "linked data that is no JSON": (
        edit("d/0/1.html", '"datePublished"', "datePublished"),
        "its linked data is no JSON",
    ),
    "no site": (lambda site: (site / "index.html").unlink(), "holds no built site"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(root: Path, name: str) -> None:
    change, message = WRONG[name]
    change(root / "output" / "site")
    with pytest.raises(VerificationError, match=re.escape(message)) as caught:
        list(check_site(root / "output", nights.SETTINGS, read_ledger(root / "output")))
    assert name != "a page is missing" or caught.value.hint == "Run: prior-art build"


def test_check_ends_with_no_and_tells_what(root: Path) -> None:
    (root / "output" / "site" / "d" / "0" / "1.html").unlink()
    outcome = nightly.check(publication(root))
    assert not outcome.ok
    assert outcome.lines[-1].startswith("FAIL  pages: ")
    assert "failure" in outcome.figures


def test_a_missing_text_form_or_feed_cannot_be_checked(root: Path) -> None:
    (root / "output" / "site" / "d" / "0" / "1.md").unlink()
    with pytest.raises(PressError, match=r"1\.md: a page as text cannot be read"):
        list(check_site(root / "output", nights.SETTINGS, read_ledger(root / "output")))


def test_reading_a_page() -> None:
    page = read_page(
        b'<link rel="stylesheet" href="a.css"><link rel="canonical" href="b"><a href="c#d" id="e">'
        b'<meta name="f" content="g &amp; h"><time datetime="i"></time><script src="j"></script><h2 id=k>'
    )
    assert page.loaded == ["a.css", "j"]
    assert page.links == ["b", "c#d"]
    assert page.anchors == {"e", "k"}
    assert page.meta == {"f": "g & h"}
    assert page.times == ["i"]
