"""Sitemaps (sitemaps.org 0.9) and robots.txt: every page of the site at its canonical address.

A disclosure stands in none before it is published; its time is its publication time, and a listing has none.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from generator.base import files
from generator.base.settings import Settings
from generator.log.archive import LoggedRecord
from generator.site.citation import permalink

SITEMAP_LIMIT = 50_000

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LASTMOD = re.compile(r"<lastmod>([^<]+)</lastmod>")


def address(settings: Settings, path: str) -> str:
    """The public address of a file of the site; a folder's own page has the folder's."""
    return settings.site_url.rstrip("/") + "/" + quote(re.sub(r"(^|/)index\.html$", r"\1", path))


def write_sitemaps(site: Path, settings: Settings, volumes: set[int], published: Iterable[LoggedRecord]) -> None:
    """Write sitemap.xml, sitemap-front-*.xml, robots.txt, and d/<volume>/sitemap.xml for each of `volumes`, whose
    published disclosures `published` holds; the sitemaps of other volumes stay as they are.
    """
    (site / "sitemap.xml.gz").unlink(missing_ok=True)  # the site builder's, with the time of the build
    for path in site.glob("sitemap-front-*.xml"):
        path.unlink()
    front = [address(settings, path) for path in _front_pages(site)]
    for part in range(0, len(front), SITEMAP_LIMIT):
        name = f"sitemap-front-{part // SITEMAP_LIMIT}.xml"
        _write_sitemap(site / name, [(url, "") for url in front[part : part + SITEMAP_LIMIT]])
    by_volume: dict[int, list[tuple[str, str]]] = {volume: [] for volume in volumes}
    for item in published:
        by_volume[item.volume].append((permalink(item.serial, item.volume, settings), item.published_at))
    for volume, urls in by_volume.items():
        urls += [(address(settings, path), "") for path in _listings(site, volume)]
        if urls:
            _write_sitemap(site / "d" / str(volume) / "sitemap.xml", urls)
        else:
            (site / "d" / str(volume) / "sitemap.xml").unlink(missing_ok=True)
    of_volumes = sorted(site.glob("d/*/sitemap.xml"), key=lambda path: int(path.parent.name))
    parts = []
    for path in [*sorted(site.glob("sitemap-front-*.xml"), key=lambda path: (len(path.name), path.name)), *of_volumes]:
        times = _LASTMOD.findall(path.read_text(encoding="utf-8"))
        parts.append(_entry("sitemap", address(settings, path.relative_to(site).as_posix()), max(times, default="")))
    index = f"{_HEAD}<sitemapindex {_SITEMAP}>\n{''.join(parts)}</sitemapindex>\n"
    files.write(site / "sitemap.xml", index.encode())
    robots = f"User-agent: *\nAllow: /\n\nSitemap: {address(settings, 'sitemap.xml')}\n"
    files.write(site / "robots.txt", robots.encode())


def _listings(site: Path, volume: int) -> list[str]:
    """The pages of a volume that are no disclosures: of days, of classes, of the whole volume."""
    pages = (site / "d" / str(volume)).glob("*.html")
    return sorted(f"d/{volume}/{page.name}" for page in pages if not page.stem.isdecimal())


def _front_pages(site: Path) -> list[str]:
    """Paths of the pages outside d/; the error page is none."""
    pages = (path.relative_to(site) for folder in sorted(site.iterdir()) for path in _pages(folder))
    names = (path.as_posix() for path in pages if path.name != "404.html")
    return sorted(names)


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
