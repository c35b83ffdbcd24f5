"""What machines read to learn of new disclosures: sitemaps (sitemaps.org 0.9), an Atom feed (RFC 4287), robots.txt.

A disclosure stands in none of them before it is published, and its only time here is its publication time.
"""

import re
from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from generator.base import files
from generator.base.errors import ConfigError
from generator.base.settings import Settings
from generator.log.archive import LoggedRecord
from generator.site.citation import display_id, permalink

SITEMAP_LIMIT = 50_000
FEED_LENGTH = 50
FEED = "feed.atom"
# RFC 4287 asks for a time even of a feed without entries; this one cannot be taken for a publication time.
NEVER = "1970-01-01T00:00:00Z"
DEMONSTRATION = "Text of a demonstration model. "

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LASTMOD = re.compile(r"<lastmod>([^<]+)</lastmod>")


def write_feeds(site: Path, settings: Settings, logged: Iterable[LoggedRecord]) -> None:
    """Write sitemap.xml, sitemap-front-*.xml, d/<volume>/sitemap.xml, feed.atom and robots.txt for a built site.

    `logged` holds whole volumes: those that were built anew, and the newest 50 published disclosures. The sitemap of
    a volume that is not in it stays as it is. Front pages are those that stand in `site` outside d/.
    """
    records = sorted(logged, key=attrgetter("serial"))
    published = [item for item in records if item.published_at]
    _write_sitemaps(site, settings, {item.volume for item in records}, published)
    newest = sorted(published, key=lambda item: (item.published_at, item.serial), reverse=True)[:FEED_LENGTH]
    files.write(site / FEED, _feed(settings, newest).encode())
    files.write(site / "robots.txt", f"User-agent: *\nAllow: /\n\nSitemap: {_url(settings, 'sitemap.xml')}\n".encode())


def _url(settings: Settings, path: str) -> str:
    return settings.site_url.rstrip("/") + "/" + quote(path)


def _write_sitemaps(site: Path, settings: Settings, volumes: set[int], published: list[LoggedRecord]) -> None:
    (site / "sitemap.xml.gz").unlink(missing_ok=True)  # the site builder's, with the time of the build
    for path in site.glob("sitemap-front-*.xml"):
        path.unlink()
    front = [_url(settings, path) for path in _front_pages(site)]
    for part in range(0, len(front), SITEMAP_LIMIT):
        name = f"sitemap-front-{part // SITEMAP_LIMIT}.xml"
        _write_sitemap(site / name, [(url, "") for url in front[part : part + SITEMAP_LIMIT]])
    by_volume: dict[int, list[tuple[str, str]]] = {volume: [] for volume in volumes}
    for item in published:
        by_volume[item.volume].append((permalink(item.serial, item.volume, settings), item.published_at))
    for volume, urls in by_volume.items():
        if urls:
            _write_sitemap(site / "d" / str(volume) / "sitemap.xml", urls)
        else:
            (site / "d" / str(volume) / "sitemap.xml").unlink(missing_ok=True)
    of_volumes = sorted(site.glob("d/*/sitemap.xml"), key=lambda path: int(path.parent.name))
    parts = []
    for path in [*sorted(site.glob("sitemap-front-*.xml"), key=lambda path: (len(path.name), path.name)), *of_volumes]:
        times = _LASTMOD.findall(path.read_text(encoding="utf-8"))
        parts.append(_entry("sitemap", _url(settings, path.relative_to(site).as_posix()), max(times, default="")))
    index = f"{_HEAD}<sitemapindex {_SITEMAP}>\n{''.join(parts)}</sitemapindex>\n"
    files.write(site / "sitemap.xml", index.encode())


def _front_pages(site: Path) -> list[str]:
    """Paths of the pages outside d/, as a reader's browser shows them; the error page is none."""
    pages = (path.relative_to(site) for folder in sorted(site.iterdir()) for path in _pages(folder))
    names = (path.as_posix() for path in pages if path.name != "404.html")
    return sorted(name.removesuffix("index.html") if Path(name).name == "index.html" else name for name in names)


def _pages(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return () if path.name == "d" or path.name.startswith(".") else path.rglob("*.html")
    return (path,) if path.suffix == ".html" else ()


def _write_sitemap(path: Path, urls: list[tuple[str, str]]) -> None:
    entries = "".join(_entry("url", url, time) for url, time in urls)
    files.write(path, f"{_HEAD}<urlset {_SITEMAP}>\n{entries}</urlset>\n".encode())


def _entry(kind: str, url: str, time: str) -> str:
    lastmod = f"<lastmod>{time}</lastmod>" if time else ""
    return f"<{kind}><loc>{escape(url)}</loc>{lastmod}</{kind}>\n"


def _feed(settings: Settings, newest: list[LoggedRecord]) -> str:
    home, self_ = settings.site_url, _url(settings, FEED)
    return (
        f'{_HEAD}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"<id>{escape(home)}</id>\n"
        f"<title>{escape(settings.title)}</title>\n"
        f"<updated>{newest[0].published_at if newest else NEVER}</updated>\n"
        f"<author><name>{escape(settings.publisher)}</name></author>\n"
        f'<link rel="self" type="application/atom+xml" href={quoteattr(self_)}/>\n'
        f'<link rel="alternate" type="text/html" href={quoteattr(home)}/>\n'
        "<rights>CC0 1.0. Written by a language model, checked by programs.</rights>\n"
        f"{''.join(_feed_entry(settings, item) for item in newest)}</feed>\n"
    )


def _feed_entry(settings: Settings, item: LoggedRecord) -> str:
    text, made = item.record.disclosure, item.record.generation
    page = permalink(item.serial, item.volume, settings)
    record = permalink(item.serial, item.volume, settings, ".json")
    summary = DEMONSTRATION * made.demonstration + text.abstract
    return (
        "<entry>\n"
        f"<id>{escape(_tag(settings, item))}</id>\n"
        f"<title>{escape(f'{display_id(item.serial, settings)}: {text.title}')}</title>\n"
        f"<updated>{item.published_at}</updated>\n"
        f"<published>{item.published_at}</published>\n"
        f"<author><name>{escape(item.record.publisher)}</name></author>\n"
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>\n'
        f'<link rel="related" type="application/json" title="Record" href={quoteattr(record)}/>\n'
        f"<category term={quoteattr(made.direction)} label={quoteattr('Direction: ' + made.direction)}/>\n"
        f"<summary>{escape(summary)}</summary>\n"
        "</entry>\n"
    )


def _tag(settings: Settings, item: LoggedRecord) -> str:
    """RFC 4151: made of the log and the serial, so that it survives a move of the site to another address."""
    origin = settings.log_origin
    if not (host := re.match(r"[A-Za-z0-9][A-Za-z0-9.-]*(?=[:/]|$)", origin)):
        raise ConfigError(
            f"origin = {origin!r}: it begins with no host name", hint="Begin it with one, as in example.org/log."
        )
    return f"tag:{host[0]},{item.published_at[:10]}:{quote(origin[host.end() :].lstrip('/'), safe='/:')}/{item.serial}"
