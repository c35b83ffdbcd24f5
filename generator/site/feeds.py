"""What tells readers of new disclosures: Atom (RFC 4287) and JSON Feed (1.1), of all and of each CPC symbol.

A disclosure stands in none before it is published, and its only time here is its publication time. The feed of all
holds whatever stands in no archive document (RFC 5005): that is a full bundle of 256 serials, all of them published, so
it changes only when one is withdrawn, and a reader that follows `prev-archive` gets every disclosure.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from generator.base import files
from generator.base.errors import ConfigError
from generator.base.settings import Settings
from generator.log.archive import BUNDLE, VOLUME, LoggedRecord
from generator.site.citation import display_id, permalink
from generator.site.classes import assigned
from generator.site.oai import write_repositories
from generator.site.opensearch import write_opensearch
from generator.site.sitemaps import address, write_sitemaps

FEED = "feed.atom"
JSON_FEED = "feed.json"
CLASS_FEEDS = "feeds"  # folder of the feeds of CPC symbols
FEED_LENGTH = 50  # at least so many of all
CLASS_LENGTH = 10  # and so many of a symbol
DAYS = 7  # and everything of so many days before the newest
CPC_SCHEME = "https://www.cooperativepatentclassification.org/"
# RFC 4287 asks for a time even of a feed without entries; this one cannot be taken for a publication time.
NEVER = "1970-01-01T00:00:00Z"
DEMONSTRATION = "Text of a demonstration model. "

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its path without suffix, its title, its entries newest first, the archive document before it."""

    path: str
    title: str
    entries: Sequence[LoggedRecord]
    home: str = ""
    archive: str = ""
    is_archive: bool = False


def write_feeds(site: Path, settings: Settings, logged: Iterable[LoggedRecord]) -> None:
    """Write feeds, archive documents, sitemaps, robots.txt, opensearch.xml and OAI repositories of a built site.

    `logged` holds whole volumes: those that were built anew, and the newest ones. What belongs to a volume, or to a CPC
    symbol, of which `logged` has nothing stays as it is.
    """
    records = sorted(logged, key=attrgetter("serial"))
    published = [item for item in records if item.published_at]
    write_opensearch(site, settings)
    volumes = {item.volume for item in records}
    write_sitemaps(site, settings, volumes, published)
    write_repositories(site, settings, volumes, published)
    archived = _write_archives(site, settings, records)
    newest = sorted(published, key=lambda item: (item.published_at, item.serial), reverse=True)
    latest = _archives(site)
    open_ones = {item.serial for item in published} - archived
    entries = [item for i, item in enumerate(newest) if item.serial in open_ones or _recent(newest, i, FEED_LENGTH)]
    whole = Feed("feed", settings.title, entries, settings.site_url, latest[-1] if latest else "")
    files.write(site / FEED, _atom(settings, whole).encode())
    files.write(site / JSON_FEED, _json_feed(settings, whole).encode())
    for feed in _of_symbols(settings, newest):
        files.write(site / f"{feed.path}.atom", _atom(settings, feed).encode())
        files.write(site / f"{feed.path}.json", _json_feed(settings, feed).encode())


def _recent(newest: Sequence[LoggedRecord], place: int, least: int) -> bool:
    """Whether an entry is one of the `least` newest, or of the last days before the newest one."""
    first, this = (datetime.fromisoformat(newest[i].published_at) for i in (0, place))
    return place < least or first - this <= timedelta(days=DAYS)


def _of_symbols(settings: Settings, newest: Sequence[LoggedRecord]) -> Iterable[Feed]:
    """A feed for each section, class and subclass."""
    found: dict[str, tuple[str, list[LoggedRecord]]] = {}
    for item in newest:
        for symbol in assigned(item):
            found.setdefault(symbol.symbol, (symbol.title, []))[1].append(item)
    for name, (title, items) in sorted(found.items()):
        recent = [item for i, item in enumerate(items) if _recent(items, i, CLASS_LENGTH)]
        home = address(settings, f"cpc/{name[:3]}.html")
        yield Feed(f"{CLASS_FEEDS}/{name}", f"{settings.title}: CPC {name}, {title}", recent, home)


def _write_archives(site: Path, settings: Settings, records: Sequence[LoggedRecord]) -> set[int]:
    """Write the archive document of each bundle that is closed; the serials in them."""
    bundles: dict[int, list[LoggedRecord]] = {}
    for item in records:
        bundles.setdefault(item.serial // BUNDLE, []).append(item)
    newest = max(bundles, default=0)
    closed = [b for b, items in bundles.items() if b < newest and all(item.published_at for item in items)]
    for bundle in bundles:
        if bundle not in closed:
            (site / _archive(bundle)).with_suffix(".atom").unlink(missing_ok=True)
    known = [int(Path(path).stem.removeprefix("feed-")) for path in _archives(site)]
    for bundle in sorted(closed):
        before = max((other for other in {*known, *closed} if other < bundle), default=None)
        feed = Feed(
            _archive(bundle),
            f"{settings.title}: archive of {display_id(bundle * BUNDLE, settings)} and on",
            sorted(bundles[bundle], key=lambda item: (item.published_at, item.serial), reverse=True),
            settings.site_url,
            "" if before is None else f"{_archive(before)}.atom",
            is_archive=True,
        )
        files.write(site / f"{feed.path}.atom", _atom(settings, feed).encode())
    return {item.serial for bundle in closed for item in bundles[bundle]}


def _archive(bundle: int) -> str:
    return f"d/{bundle * BUNDLE // VOLUME}/feed-{bundle}"


def _archives(site: Path) -> list[str]:
    """Paths of the archive documents that stand in a site, oldest first."""
    paths = site.glob("d/*/feed-*.atom")
    return [
        path.relative_to(site).as_posix()
        for path in sorted(paths, key=lambda path: int(path.stem.removeprefix("feed-")))
    ]


def _atom(settings: Settings, feed: Feed) -> str:
    self_ = address(settings, f"{feed.path}.atom")
    links = [("self", "application/atom+xml", self_), ("alternate", "text/html", feed.home)]
    if feed.is_archive:
        links.append(("current", "application/atom+xml", address(settings, FEED)))
    if feed.archive:
        links.append(("prev-archive", "application/atom+xml", address(settings, feed.archive)))
    shown = "".join(f"<link rel={quoteattr(r)} type={quoteattr(t)} href={quoteattr(a)}/>\n" for r, t, a in links)
    history = ' xmlns:fh="http://purl.org/syndication/history/1.0"' if feed.is_archive else ""
    return (
        f'{_HEAD}<feed xmlns="http://www.w3.org/2005/Atom"{history} xml:lang="en">\n'
        f"<id>{escape(settings.site_url if feed.path == 'feed' else self_)}</id>\n"
        f"<title>{escape(feed.title)}</title>\n"
        f"<updated>{feed.entries[0].published_at if feed.entries else NEVER}</updated>\n"
        f"<author><name>{escape(settings.publisher)}</name></author>\n"
        f"{shown}{'<fh:archive/>' if feed.is_archive else ''}"
        "<rights>CC0 1.0. Written by a language model, checked by programs.</rights>\n"
        f"{''.join(_entry(settings, item) for item in feed.entries)}</feed>\n"
    )


def _entry(settings: Settings, item: LoggedRecord) -> str:
    page = permalink(item.serial, item.volume, settings)
    record = permalink(item.serial, item.volume, settings, ".json")
    categories = "".join(
        f"<category scheme={quoteattr(CPC_SCHEME)} term={quoteattr(one.symbol)} label={quoteattr(one.title)}/>\n"
        for one in assigned(item)
    )
    return (
        "<entry>\n"
        f"<id>{escape(_tag(settings, item))}</id>\n"
        f"<title>{escape(_title(settings, item))}</title>\n"
        f"<updated>{item.published_at}</updated>\n"
        f"<published>{item.published_at}</published>\n"
        f"{_author(settings, item)}"
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>\n'
        f'<link rel="related" type="application/json" title="Record" href={quoteattr(record)}/>\n'
        f"{categories}"
        f"<summary>{escape(_summary(item))}</summary>\n"
        "</entry>\n"
    )


def _author(settings: Settings, item: LoggedRecord) -> str:
    """An entry without an author has the feed's."""
    name = item.record.publisher
    return "" if name == settings.publisher else f"<author><name>{escape(name)}</name></author>\n"


def _json_feed(settings: Settings, feed: Feed) -> str:
    """https://www.jsonfeed.org/version/1.1/"""
    items: list[dict[str, Any]] = [
        {
            "id": _tag(settings, item),
            "url": permalink(item.serial, item.volume, settings),
            "title": _title(settings, item),
            "content_text": _summary(item),
            "date_published": item.published_at,
            **({} if item.record.disclosure.language == "en" else {"language": item.record.disclosure.language}),
            **({} if item.record.publisher == settings.publisher else {"authors": [{"name": item.record.publisher}]}),
            "tags": [f"CPC {one.symbol}" for one in assigned(item)],
        }
        for item in feed.entries
    ]
    value = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": address(settings, f"{feed.path}.json"),
        "authors": [{"name": settings.publisher}],
        "language": "en",
        "items": items,
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _title(settings: Settings, item: LoggedRecord) -> str:
    return f"{display_id(item.serial, settings)}: {item.record.disclosure.title}"


def _summary(item: LoggedRecord) -> str:
    return DEMONSTRATION * item.record.generation.demonstration + item.record.disclosure.abstract


def _tag(settings: Settings, item: LoggedRecord) -> str:
    """RFC 4151: made of the log and the serial, so that it survives a move of the site to another address."""
    origin = settings.log_origin
    if not (host := re.match(r"[A-Za-z0-9][A-Za-z0-9.-]*(?=[:/]|$)", origin)):
        raise ConfigError(
            f"origin = {origin!r}: it begins with no host name", hint="Begin it with one, as in example.org/log."
        )
    return f"tag:{host[0]},{item.published_at[:10]}:{quote(origin[host.end() :].lstrip('/'), safe='/:')}/{item.serial}"
