"""Sitemaps, Atom feed, robots.txt: what they list, what they never list, and that no title can break them."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import facts
import feedparser
import judgements
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.base import canonical
from generator.base.errors import ConfigError
from generator.base.settings import Settings
from generator.log.archive import VOLUME, LoggedRecord
from generator.record.unicode_version import unassigned
from generator.site import feeds, sitemaps

SITE = Settings(site_url="https://example.org/repo/", title="Example & Sons", publisher="Example <Press>")
ATOM = {"a": "http://www.w3.org/2005/Atom"}
MAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
# https://www.w3.org/TR/xml/#charsets
XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def logged(serial: int, published_at: str = "2026-11-22T03:20:00Z", **text: object) -> LoggedRecord:
    record = facts.record(serial, disclosure=facts.disclosure(serial, **text))
    return LoggedRecord(serial, record.to_bytes(), record, "", serial + 1, published_at, ())


def entries(site: Path) -> list[ET.Element]:
    return ET.parse(site / "feed.atom").getroot().findall("a:entry", ATOM)


def listed(path: Path) -> dict[str, str | None]:
    found = {}
    for element in ET.parse(path).getroot():
        loc = element.find("s:loc", MAP)
        assert loc is not None
        assert loc.text
        found[loc.text] = element.findtext("s:lastmod", None, MAP)
    return found


def front(site: Path) -> None:
    for name in ("index.html", "404.html", "search.html", "browse/index.html", "browse/2026-11-22.html", "d/0/0.html"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("<p>page</p>")


def test_sitemaps_list_published_pages_with_their_publication_time(tmp_path: Path) -> None:
    front(tmp_path)
    (tmp_path / "sitemap.xml.gz").write_bytes(b"of the site builder")
    late = logged(VOLUME + 3, "2026-12-01T04:00:00Z")
    feeds.write_feeds(tmp_path, SITE, [logged(0), logged(1, ""), late])
    assert listed(tmp_path / "sitemap.xml") == {
        "https://example.org/repo/sitemap-front-0.xml": None,
        "https://example.org/repo/d/0/sitemap.xml": "2026-11-22T03:20:00Z",
        "https://example.org/repo/d/1/sitemap.xml": "2026-12-01T04:00:00Z",
    }
    assert listed(tmp_path / "d/0/sitemap.xml") == {"https://example.org/repo/d/0/0.html": "2026-11-22T03:20:00Z"}
    assert listed(tmp_path / "d/1/sitemap.xml") == {
        f"https://example.org/repo/d/1/{VOLUME + 3}.html": "2026-12-01T04:00:00Z"
    }
    assert listed(tmp_path / "sitemap-front-0.xml") == dict.fromkeys(
        f"https://example.org/repo/{path}" for path in ("", "browse/", "browse/2026-11-22.html", "search.html")
    )
    assert not (tmp_path / "sitemap.xml.gz").exists()


def test_front_sitemap_is_split_at_the_limit_and_old_parts_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front(tmp_path)
    monkeypatch.setattr(sitemaps, "SITEMAP_LIMIT", 3)
    feeds.write_feeds(tmp_path, SITE, [])
    assert [len(listed(tmp_path / f"sitemap-front-{part}.xml")) for part in range(2)] == [3, 1]
    monkeypatch.setattr(sitemaps, "SITEMAP_LIMIT", 50_000)
    feeds.write_feeds(tmp_path, SITE, [])
    assert list(listed(tmp_path / "sitemap.xml")) == ["https://example.org/repo/sitemap-front-0.xml"]


def test_a_volume_stays_below_the_limit_of_a_sitemap() -> None:
    assert VOLUME <= sitemaps.SITEMAP_LIMIT


def test_the_sitemap_of_another_volume_is_kept(tmp_path: Path) -> None:
    feeds.write_feeds(tmp_path, SITE, [logged(5)])
    before = (tmp_path / "d/0/sitemap.xml").read_bytes()
    feeds.write_feeds(tmp_path, SITE, [logged(VOLUME)])
    assert (tmp_path / "d/0/sitemap.xml").read_bytes() == before
    assert len(listed(tmp_path / "sitemap.xml")) == 2
    feeds.write_feeds(tmp_path, SITE, [logged(5, "")])
    assert list(listed(tmp_path / "sitemap.xml")) == ["https://example.org/repo/d/1/sitemap.xml"]


def serials(path: Path) -> list[int]:
    found = ET.parse(path).getroot().findall("a:entry", ATOM)
    return [int(entry.findtext("a:id", "", ATOM).rpartition("/")[2]) for entry in found]


def test_the_feed_holds_everything_that_no_archive_document_holds(tmp_path: Path) -> None:
    """A night of 300, of which a reader that asks once a day loses none."""
    feeds.write_feeds(tmp_path, SITE, [logged(n) for n in range(300)])
    assert serials(tmp_path / "feed.atom") == list(range(299, -1, -1)), "all are of the last seven days"
    assert serials(tmp_path / "d/0/feed-0.atom") == list(range(255, -1, -1))
    assert not (tmp_path / "d/0/feed-1.atom").exists(), "a bundle that still grows is no archive"


def test_archive_documents_and_the_feed_hold_each_disclosure(tmp_path: Path) -> None:
    items = [logged(n, f"2026-{1 + n // 100:02d}-01T03:20:00Z") for n in range(700)] + [logged(700, "")]
    feeds.write_feeds(tmp_path, SITE, items)
    found: set[int] = set()
    path = tmp_path / "feed.atom"
    for place in range(3):
        found |= set(serials(path))
        read = feedparser.parse(path.read_bytes())
        assert read.bozo == 0
        links = {link.rel: link.href for link in read.feed.links}
        assert links.get("current") == ("https://example.org/repo/feed.atom" if place else None)
        if place < 2:
            path = tmp_path / links["prev-archive"].removeprefix("https://example.org/repo/")
    assert found == set(range(700))
    assert "prev-archive" not in links


def test_an_archive_document_never_changes(tmp_path: Path) -> None:
    feeds.write_feeds(tmp_path, SITE, [logged(n) for n in range(300)])
    before = (tmp_path / "d/0/feed-0.atom").read_bytes()
    feeds.write_feeds(
        tmp_path,
        SITE,
        [logged(n, f"2026-12-{1 + n // 256:02d}T00:00:00Z" if n > 299 else "2026-11-22T03:20:00Z") for n in range(600)],
    )
    assert (tmp_path / "d/0/feed-0.atom").read_bytes() == before
    feeds.write_feeds(tmp_path, SITE, [logged(VOLUME)])
    (link,) = [
        e.get("href")
        for e in ET.parse(tmp_path / "feed.atom").getroot().findall("a:link", ATOM)
        if e.get("rel") == "prev-archive"
    ]
    assert link == "https://example.org/repo/d/0/feed-1.atom", "what other volumes have stays, and is led to"


def test_old_disclosures_leave_the_feed_of_a_class_and_the_newest_ten_stay(tmp_path: Path) -> None:
    items = [replace(logged(n, f"2026-11-{1 + n:02d}T03:20:00Z"), judgement=judgements.OBVIOUS) for n in range(25)]
    other = replace(logged(25, "2026-11-25T04:00:00Z"), judgement=judgements.FAR)
    feeds.write_feeds(tmp_path, SITE, [*items, other])
    for symbol in ("A", "A01", "A01G"):
        assert serials(tmp_path / f"feeds/{symbol}.atom") == list(range(24, 14, -1))
    assert serials(tmp_path / "feeds/E05D.atom") == [25]
    feeds.write_feeds(tmp_path, SITE, [other])
    assert serials(tmp_path / "feeds/A01G.atom") == list(range(24, 14, -1)), "a class without news keeps its feed"


def test_feedparser_reads_classes_with_their_scheme(tmp_path: Path) -> None:
    feeds.write_feeds(tmp_path, SITE, [replace(logged(0), judgement=judgements.OBVIOUS)])
    read = feedparser.parse((tmp_path / "feed.atom").read_bytes())
    assert read.bozo == 0
    assert [(tag.term, tag.scheme) for tag in read.entries[0].tags] == [
        (symbol, "https://www.cooperativepatentclassification.org/") for symbol in ("A", "A01", "A01G")
    ]


def test_json_feed_says_what_the_atom_feed_says(tmp_path: Path) -> None:
    """The members that https://www.jsonfeed.org/version/1.1/ asks for."""
    feeds.write_feeds(tmp_path, SITE, [replace(logged(n), judgement=judgements.OBVIOUS) for n in range(3)])
    for stem in ("feed", "feeds/A01G"):
        value = json.loads((tmp_path / f"{stem}.json").read_text())
        read = feedparser.parse((tmp_path / f"{stem}.atom").read_bytes())
        assert value["version"] == "https://jsonfeed.org/version/1.1"
        assert value["title"] == read.feed.title
        assert value["feed_url"] == f"https://example.org/repo/{stem}.json"
        assert [(i["id"], i["url"], i["title"], i["content_text"], i["date_published"]) for i in value["items"]] == [
            (e.id, e.link, e.title, e.summary, e.published) for e in read.entries
        ]
        assert value["items"][0]["tags"] == ["CPC A", "CPC A01", "CPC A01G"]


def test_every_listing_of_a_volume_is_in_its_sitemap(tmp_path: Path) -> None:
    for name in ("index.html", "2026-11-22.html", "cpc-A01G.html", "0.html"):
        (tmp_path / "d/0").mkdir(parents=True, exist_ok=True)
        (tmp_path / "d/0" / name).write_text("<p>page</p>")
    feeds.write_feeds(tmp_path, SITE, [logged(0)])
    assert listed(tmp_path / "d/0/sitemap.xml") == {
        "https://example.org/repo/d/0/0.html": "2026-11-22T03:20:00Z",
        "https://example.org/repo/d/0/": None,
        "https://example.org/repo/d/0/2026-11-22.html": None,
        "https://example.org/repo/d/0/cpc-A01G.html": None,
    }


def test_the_feed_is_valid_atom(tmp_path: Path) -> None:
    """The elements that RFC 4287, sections 4.1.1 and 4.1.2, asks for, each once and of the right form."""
    feeds.write_feeds(tmp_path, SITE, [logged(123, "2026-11-22T03:20:00Z"), logged(124, "2026-11-23T03:20:00Z")])
    root = ET.parse(tmp_path / "feed.atom").getroot()
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert root.findtext("a:title", "", ATOM) == "Example & Sons"
    assert root.findtext("a:author/a:name", "", ATOM) == "Example <Press>"
    assert root.findtext("a:updated", "", ATOM) == "2026-11-23T03:20:00Z"
    links = {link.get("rel"): link.get("href") for link in root.findall("a:link", ATOM)}
    assert links == {"self": "https://example.org/repo/feed.atom", "alternate": "https://example.org/repo/"}
    newest, older = entries(tmp_path)
    for name in ("id", "title", "updated", "published", "summary"):
        assert len(newest.findall(f"a:{name}", ATOM)) == 1
    assert older.findtext("a:id", "", ATOM) == "tag:example.org,2026-11-22:repo/log/123"
    assert older.findtext("a:title", "", ATOM) == f"PAP-0000123: {logged(123).record.disclosure.title}"
    assert older.findtext("a:updated", "", ATOM) == older.findtext("a:published", "", ATOM) == "2026-11-22T03:20:00Z"
    assert {link.get("href") for link in older.findall("a:link", ATOM)} == {
        "https://example.org/repo/d/0/123.html",
        "https://example.org/repo/d/0/123.json",
    }


def test_text_of_a_demonstration_model_says_so(tmp_path: Path) -> None:
    real = replace(logged(1).record, generation=facts.generation(demonstration=False))
    feeds.write_feeds(tmp_path, SITE, [logged(0), replace(logged(1), record=real, data=real.to_bytes())])
    after, first = (entry.findtext("a:summary", "", ATOM) for entry in entries(tmp_path))
    assert first.startswith(feeds.DEMONSTRATION)
    assert after == real.disclosure.abstract


def test_a_feed_without_publications_has_no_entry(tmp_path: Path) -> None:
    feeds.write_feeds(tmp_path, SITE, [logged(0, "")])
    assert entries(tmp_path) == []
    assert list(listed(tmp_path / "sitemap.xml")) == []
    assert "d/0/0" not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_robots_names_the_sitemap(tmp_path: Path) -> None:
    feeds.write_feeds(tmp_path, SITE, [])
    lines = (tmp_path / "robots.txt").read_text().splitlines()
    assert "Sitemap: https://example.org/repo/sitemap.xml" in lines
    assert "Disallow: /" not in lines


def test_the_same_records_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    items = [logged(n) for n in range(5)]
    for name, order in (("one", items), ("two", items[::-1])):
        front(tmp_path / name)
        feeds.write_feeds(tmp_path / name, SITE, iter(order))
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir() if p.is_file()} for name in ("one", "two"))
    assert one == two


def test_an_origin_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="host name"):
        feeds.write_feeds(tmp_path, replace(SITE, origin="/log"), [logged(0)])


def test_no_text_of_a_record_can_hold_what_xml_forbids() -> None:
    """Every code point: one that a record may hold is one that XML 1.0 may hold."""
    for point in range(sys.maxunicode + 1):
        if XML_ILLEGAL.match(chr(point)):
            assert canonical.text_problem(chr(point)), f"U+{point:04X}"


def recordable(text: str) -> bool:
    return (
        bool(text)
        and text == text.strip()
        and "\n" not in text
        and not canonical.text_problem(text)
        and not unassigned(text)
    )


HOSTILE = st.sampled_from(
    [
        "]]><script>alert(1)</script>",
        "</title></entry>",
        "&lt;&amp;&#0;",
        "\"'><x a='",
        "<!DOCTYPE x [<!ENTITY e 'x'>]>&e;",
    ]
)
TEXT = st.text(max_size=60).filter(recordable) | HOSTILE


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXT, abstract=TEXT)
def test_any_text_arrives_as_text(tmp_path: Path, title: str, abstract: str) -> None:
    feeds.write_feeds(tmp_path, SITE, [logged(0, title=title, abstract=abstract)])
    (entry,) = entries(tmp_path)
    assert entry.findtext("a:title", "", ATOM) == f"PAP-0000000: {title}"
    assert entry.findtext("a:summary", "", ATOM) == feeds.DEMONSTRATION + abstract
    assert not list(entry.find("a:summary", ATOM) or ())
