"""The built site against the facts: every page, every date, every link. Reads files only; knows no template.

Each check is a Step that holds; the first that does not raises VerificationError.
"""

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from generator.base import files
from generator.base.errors import VerificationError
from generator.base.settings import Settings
from generator.log.anchors.statements import Statements, read_statements
from generator.log.archive import VOLUME, LoggedRecord, read_volume, volumes
from generator.log.ledger import Ledger
from generator.site.tombstones import require_tombstones
from generator.verify.audit import Step

REBUILD = "Run: prior-art build"
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "audio": "src",
    "video": "src",
    "object": "data",
}
LOADED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}


@dataclass(slots=True)
class Page:
    """What a browser and a harvester would read from one HTML file."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    meta: dict[str, str] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    linked_data: list[Any] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._script: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        page = self.page
        page.anchors.update(filter(None, (at.get("id"), at.get("name") if tag == "a" else None)))
        if tag == "meta" and "name" in at:
            page.meta[at["name"]] = at.get("content", "")
        if tag == "time":
            page.times.append(at.get("datetime", ""))
        if "data-told" in at:
            page.told.append(at["data-told"])
        if tag == "script" and at.get("type") == "application/ld+json":
            self._script = []
        if at.get(LOADED.get(tag, "")):
            page.loaded.append(at[LOADED[tag]])
        if "href" in at:
            relations = set(at.get("rel", "").split())
            (page.loaded if tag == "link" and relations & LOADED_RELATIONS else page.links).append(at["href"])

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            self.page.linked_data.append(json.loads("".join(self._script)))
            self._script = None


def read_page(data: bytes) -> Page:
    """Raises ValueError for linked data that is no JSON."""
    reader = _Reader()
    reader.feed(data.decode("utf-8", "replace"))
    reader.close()
    return reader.page


def check_site(output: Path, settings: Settings, ledger: Ledger) -> Iterator[Step]:
    """Pages are the records and are indexed; dates agree; links lead somewhere; nothing is loaded from elsewhere.

    `ledger` is what the log in `output` says.
    """
    site = output / "site"
    if not (site / "index.html").is_file():
        raise VerificationError(f"site: {site} holds no built site", hint=REBUILD)
    pages: dict[str, Page] = {}
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        try:
            pages[name] = read_page(path.read_bytes())
        except ValueError as error:
            raise VerificationError(f"site: {name}: its linked data is no JSON: {error}", hint=REBUILD) from error
    logged = [item for number in volumes(ledger) for item in read_volume(output, number, ledger)]
    yield _log(output, site)
    yield _records(site, pages, logged, ledger)
    yield _indexed(site, logged)
    yield _dates(site, pages, logged, settings)
    yield _told(pages, logged, read_statements(site / "log"))  # what was said since is shown by the next build
    yield _links(site, pages, settings)
    yield _self_contained(pages, settings)


def _log(output: Path, site: Path) -> Step:
    checkpoint = output / "log" / "checkpoint"
    ours = checkpoint.read_bytes() if checkpoint.exists() else b""
    served = site / "log" / "checkpoint"
    if (served.read_bytes() if served.exists() else b"") != ours:
        raise VerificationError("site: log/checkpoint is not the newest one", hint=REBUILD)
    hidden = list((site / "log").rglob(".*")) if (site / "log").exists() else []
    if hidden:
        raise VerificationError(f"site: {hidden[0].relative_to(site)} has no place in a site", hint=REBUILD)
    return Step("log", "the site's log is the newest one")


def _records(site: Path, pages: dict[str, Page], logged: list[LoggedRecord], ledger: Ledger) -> Step:
    require_tombstones(site, ledger, REBUILD)
    gone = {f"d/{serial // VOLUME}/{serial}.html" for serial in ledger.withdrawn}
    wanted = {f"d/{item.volume}/{item.serial}.html" for item in logged} | gone
    built = {name for name in pages if name.startswith("d/") and Path(name).stem.isdecimal()}
    if wanted != built:
        raise VerificationError(
            f"pages: {len(wanted)} disclosures, {len(built)} pages; the first that differs is {min(wanted ^ built)}",
            hint=REBUILD,
        )
    for item in logged:
        place = site / "d" / str(item.volume) / str(item.serial)
        for suffix, data in ((".json", item.data), (".proof", item.proof.encode())):
            if files.read(place.with_suffix(suffix), "a served file") != data:
                raise VerificationError(f"pages: {place.name}{suffix} is not the fact", hint=REBUILD)
        if item.record.sha256 not in files.read(place.with_suffix(".html"), "a page").decode("utf-8", "replace"):
            raise VerificationError(f"pages: {place.name}.html does not show its record's SHA-256", hint=REBUILD)
        files.read(place.with_suffix(".md"), "a page as text")
    return Step("pages", f"{len(logged)} pages, one for each disclosure, with the very bytes of record and proof")


def _indexed(site: Path, logged: list[LoggedRecord]) -> Step:
    catalogue = json.loads(files.read(site / "catalogue.json", "the catalogue"))
    counts = {volume["volume"]: volume["pages"] for volume in catalogue["volumes"]}
    for number in sorted({item.volume for item in logged} | counts.keys()):
        pages = sum(item.volume == number for item in logged)
        entry = json.loads(files.read(site / "d" / str(number) / "pagefind" / "pagefind-entry.json", "a search index"))
        indexed = sum(language["page_count"] for language in entry["languages"].values())
        if not pages == counts.get(number) == indexed:
            raise VerificationError(
                f"index: volume {number}: {pages} pages, {indexed} indexed, {counts.get(number)} catalogued",
                hint=REBUILD,
            )
    return Step("index", f"{len(logged)} pages are indexed")


def _dates(site: Path, pages: dict[str, Page], logged: list[LoggedRecord], settings: Settings) -> Step:
    """One publication time in page, meta tags, linked data, text form, sitemap and feed; none where there is none."""
    base, sitemap, feed = settings.site_url, _sitemap(site), _feed(site)
    published = 0
    for item in logged:
        name, time = f"d/{item.volume}/{item.serial}.html", item.published_at
        page = pages[name]
        text = files.read(site / name.replace(".html", ".md"), "a page as text").decode("utf-8", "replace")
        shown = {
            "linked data": next((v["datePublished"] for v in page.linked_data if "datePublished" in v), ""),
            "DC.date": page.meta.get("DC.date", ""),
            "citation_publication_date": page.meta.get("citation_publication_date", ""),
            "text form": next(
                (x.partition(": ")[2].strip("'\"") for x in text.split("\n") if x.startswith("published: ")), ""
            ),
            "sitemap": sitemap.get(base + name, ""),
        }
        if base + name in feed:
            shown["feed"] = feed[base + name]
        for place, value in shown.items():
            if value != (time[:10].replace("-", "/") if place == "citation_publication_date" else time):
                raise VerificationError(
                    f"dates: {name}: {place} says {value or 'nothing'}, the log {time or 'not yet published'}",
                    hint=REBUILD,
                )
        if time and time not in page.times:
            raise VerificationError(f"dates: {name} does not show {time}", hint=REBUILD)
        published += bool(time)
    known = {f"{base}d/{item.volume}/{item.serial}.html" for item in logged if item.published_at}
    if strange := {url for url in sitemap.keys() | feed.keys() if _is_disclosure(url)} - known:
        raise VerificationError(
            f"dates: {min(strange)} stands in the sitemap or the feed, but is not published", hint=REBUILD
        )
    return Step(
        "dates", f"{published} publication times are the log's in page, meta tags, linked data, text, sitemap and feed"
    )


def _told(pages: dict[str, Page], logged: list[LoggedRecord], statements: Statements) -> Step:
    """The rows "existed by" and "public by" are what the files of the log say."""
    count = 0
    for item in logged:
        name = f"d/{item.volume}/{item.serial}.html"
        wanted = [str(one) for one in statements.of(item.serial, item.dated_by)]
        if pages[name].told != wanted:
            shown = ", ".join(pages[name].told) or "nothing"
            raise VerificationError(
                f"dates: {name} says {shown}, the files below its log/anchors {', '.join(wanted) or 'nothing'}",
                hint=REBUILD,
            )
        count += len(wanted)
    return Step("statements", f"{count} statements of others on pages are those below log/anchors")


def _is_disclosure(url: str) -> bool:
    *_, folder, _, name = ("", "", *urlsplit(url).path.split("/"))
    return folder == "d" and name.removesuffix(".html").isdecimal()


def _sitemap(site: Path) -> dict[str, str]:
    times = {}
    for path in site.glob("d/*/sitemap.xml"):
        for url in ElementTree.fromstring(files.read(path, "a sitemap")):
            times[url.findtext(f"{SITEMAP}loc", "")] = url.findtext(f"{SITEMAP}lastmod", "")
    return times


def _feed(site: Path) -> dict[str, str]:
    from generator.site.feeds import FEED

    times = {}
    for entry in ElementTree.fromstring(files.read(site / FEED, "the feed")).iter(f"{ATOM}entry"):
        times.update({a.get("href", ""): entry.findtext(f"{ATOM}published", "") for a in entry.iter(f"{ATOM}link")})
    return {url: time for url, time in times.items() if url.endswith(".html")}


def _links(site: Path, pages: dict[str, Page], settings: Settings) -> Step:
    count = 0
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    for name, page in pages.items():
        for link in (*page.links, *page.loaded):
            target = _inside(name, link, settings)
            if target is None:
                continue
            path, anchor = target
            path = next((p for p in (path, posixpath.join(path, "index.html").lstrip("/")) if p in there), path)
            if path not in there:
                raise VerificationError(f"links: {name} links to {link}, which is not there", hint=REBUILD)
            if anchor and path in pages and anchor not in pages[path].anchors:
                raise VerificationError(f"links: {name} links to {link}, which has no such anchor", hint=REBUILD)
            count += 1
    return Step("links", f"{count} links inside the site lead somewhere")


def _inside(name: str, link: str, settings: Settings) -> tuple[str, str] | None:
    """Path in the site and anchor of a link; None when it leads elsewhere."""
    site, parts = urlsplit(settings.site_url), urlsplit(link)
    if parts.scheme not in ("", "http", "https") or (parts.netloc and parts.netloc != site.netloc):
        return None
    path = unquote(parts.path)
    if not parts.netloc and not path.startswith("/"):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    elif path.startswith(site.path):
        path = path[len(site.path) :]
    elif parts.netloc:
        return None  # another site of the same host
    return (path.removeprefix("./") if path != "." else ""), unquote(parts.fragment)


def _self_contained(pages: dict[str, Page], settings: Settings) -> Step:
    for name, page in pages.items():
        for address in page.loaded:
            if urlsplit(address).netloc and not address.startswith(settings.site_url):
                raise VerificationError(f"site: {name} loads {address} from another host")
    return Step("self-contained", f"{len(pages)} pages load nothing from other hosts")
