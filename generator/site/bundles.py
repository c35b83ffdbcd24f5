"""The search index: one Pagefind bundle per volume, checked before it is used, and catalogue.json, which lists them.

A bundle holds the index alone. The program that reads it stands once, in /pagefind/, and assets/search.js merges the
volumes in the browser: the cost of a search grows with the square of the pages in one bundle.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from generator.base import canonical, files
from generator.base.errors import PressError, ToolError
from generator.base.values import read
from generator.log.archive import VOLUME
from generator.site import pagefind, word_lists
from generator.site.tombstones import MARK

CATALOGUE = "catalogue.json"
SCHEMA = "prior-art-catalogue/v1"
UNPUBLISHED = "not-yet"
# A new number, after a change to what a bundle holds, indexes every volume anew.
FORMAT = 2

BODY = b"data-pagefind-body"
PAGE = re.compile(r"(?:0|[1-9]\d*)\.html")
SUBCLASS = re.compile(r"[A-HY]\d\d[A-Z]")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
REBUILD = "Run: prior-art build"
TEMPLATE = "Mend the template of the disclosure page."


@dataclass(frozen=True, slots=True)
class Bundle:
    """The index of one volume. `days` holds (YYYY-MM-DD, pages published on it), oldest first."""

    volume: int
    first: int
    last: int
    pages: int
    unpublished: int
    days: tuple[tuple[str, int], ...]
    source_sha256: str
    pagefind: str


def index(
    site: Path,
    volumes: Iterable[int],
    *,
    expected: Mapping[int, int],
    report: Callable[[str], None],
    program: Sequence[str] = (),
    timeout: float = 0,
) -> tuple[Bundle, ...]:
    """Index `site`/d/<volume> for each of `volumes`, unless its pages are those of its present bundle.

    `expected` is the number of disclosures by volume; `program` and `timeout` (seconds) are chosen when not given.
    A bundle is replaced only by one that was checked. Raises ToolError when Pagefind is missing, hangs or fails, and
    when pages, indexed pages and fragments differ.
    """
    program = program or pagefind.find_program()
    version = pagefind.read_version(program)
    for abandoned in site.glob(".pagefind-*"):
        shutil.rmtree(abandoned)
    pagefind.write_reader(site, program, version)
    bundles = []
    for volume in sorted(set(volumes)):
        folder = site / "d" / str(volume)
        if not expected[volume]:
            shutil.rmtree(folder / "pagefind", ignore_errors=True)
            continue
        source = _source(folder, expected[volume])
        bundle = _present(folder / "pagefind")
        if bundle and (bundle.source_sha256, bundle.pagefind) == (source, version):
            report(f"volume {volume}: {bundle.pages} pages, search index unchanged")
        else:
            with pagefind.scratch_folder(site) as scratch:
                fresh = scratch / "pagefind"
                pagefind.run(program, folder, fresh, f"volume {volume}", timeout or 120 + expected[volume] * 0.2)
                bundle = _finish(fresh, folder, volume, expected[volume], source, version)
                pagefind.replace_folder(fresh, folder / "pagefind", scratch)
            report(f"volume {volume}: {bundle.pages} pages indexed")
        bundles.append(bundle)
    return tuple(bundles)


def write_catalogue(site: Path) -> Path:
    """Write `site`/catalogue.json from the bundles that stand in the site: what can be searched, and nothing else."""
    found = (_present(path.parent) for path in site.glob("d/*/pagefind/volume.json"))
    bundles = sorted((bundle for bundle in found if bundle), key=lambda bundle: bundle.volume)
    versions = {bundle.pagefind for bundle in bundles}
    if len(versions) > 1:
        raise ToolError(
            f"The volumes were indexed by different versions of Pagefind: {', '.join(sorted(versions))}.", hint=REBUILD
        )
    entries = [
        {
            "volume": bundle.volume,
            "first": bundle.first,
            "last": bundle.last,
            "pages": bundle.pages,
            "unpublished": bundle.unpublished,
            "days": [{"day": day, "pages": count} for day, count in bundle.days],
            "bundle": f"d/{bundle.volume}/pagefind/",
            "tag": bundle.source_sha256[:16],
        }
        for bundle in bundles
    ]
    value = {"schema": SCHEMA, "pagefind": "".join(versions), "volumes": entries}
    files.write(site / CATALOGUE, canonical.dumps(value) + b"\n")
    return site / CATALOGUE


def _source(folder: Path, expected: int) -> str:
    """SHA-256 over the disclosure pages of a volume. Raises ToolError unless they are `expected` and all are marked."""
    pages = sorted((path for path in folder.glob("*.html") if PAGE.fullmatch(path.name)), key=lambda p: int(p.stem))
    pages = [page for page in pages if MARK not in files.read(page, "the page")]
    if len(pages) != expected:
        raise ToolError(f"{folder}: {len(pages)} pages stand for {expected} disclosures.", hint=REBUILD)
    total = hashlib.sha256(b"%d\n" % FORMAT)
    for page in pages:
        data = files.read(page, "the page")
        if BODY not in data:
            raise ToolError(f"{page}: no element carries {BODY.decode()}.", hint=TEMPLATE)
        total.update(b"%s %s\n" % (page.name.encode(), hashlib.sha256(data).hexdigest().encode()))
    return total.hexdigest()


def _present(folder: Path) -> Bundle | None:
    """The bundle that stands in a folder; None when it is absent, incomplete or of an older form."""
    try:
        value = canonical.loads((folder / "volume.json").read_bytes().removesuffix(b"\n"))
        if value.pop("format") != FORMAT:
            return None
        bundle: Bundle = read(Bundle, value)
        complete = sum(1 for _ in (folder / "fragment").iterdir()) == bundle.pages
        parts = ("pagefind-entry.json", word_lists.PAGES, word_lists.HASHES)
        return bundle if complete and all((folder / name).exists() for name in parts) else None
    except (OSError, PressError, AttributeError, KeyError, ValueError):
        return None


def _finish(fresh: Path, folder: Path, volume: int, expected: int, source: str, version: str) -> Bundle:
    """Bring a bundle that Pagefind wrote into its published form. Raises ToolError when a page is missing from it."""
    meta, indexed = pagefind.canonicalise(fresh)
    for path in fresh.iterdir():
        if path.is_file() and path != meta and path.name != "pagefind-entry.json":
            path.unlink()
    for path in sorted((fresh / "index").iterdir()):
        pagefind.unpack(path)
    fragments = sorted((fresh / "fragment").iterdir())
    found = {page.serial: page for page in (_page(path, volume) for path in fragments)}
    pages = {serial: page.day for serial, page in found.items()}
    if not (expected == indexed == len(fragments) == len(pages)):
        raise ToolError(
            f"volume {volume}: {expected} pages, {indexed} indexed pages, {len(fragments)} fragments.",
            hint=pagefind.REINDEX,
        )
    days = Counter(pages.values())
    unpublished = days.pop("", 0)
    word_lists.write(fresh, folder, volume * VOLUME, [found[serial] for serial in sorted(found)])
    counts = tuple(sorted(days.items()))
    bundle = Bundle(volume, min(pages), max(pages), len(pages), unpublished, counts, source, version)
    files.write(fresh / "volume.json", canonical.dumps(asdict(bundle) | {"format": FORMAT}) + b"\n")
    return bundle


def _page(path: Path, volume: int) -> word_lists.Page:
    """What a fragment says of its page. Raises ToolError when it is no page of this volume with its filters."""
    fragment = json.loads(pagefind.unpack(path))
    name, filters = fragment["url"].removeprefix("/"), fragment["filters"]
    if not PAGE.fullmatch(name) or int(name.removesuffix(".html")) // VOLUME != volume:
        raise ToolError(f"volume {volume}: {name} is indexed and is no disclosure of this volume.", hint=REBUILD)
    day = filters.get("published", [])
    if len(filters.get("direction", [])) != 1 or len(day) != 1 or not (DAY.fullmatch(day[0]) or day[0] == UNPUBLISHED):
        raise ToolError(
            f"volume {volume}: {name} has not one direction and one publication day to filter by.", hint=TEMPLATE
        )
    return word_lists.Page(
        serial=int(name.removesuffix(".html")),
        fragment=path.name.partition(".")[0],
        day=str(day[0]) if day[0] != UNPUBLISHED else "",
        cpc=next((symbol for symbol in filters.get("cpc", []) if SUBCLASS.fullmatch(symbol)), ""),
        content=str(fragment["content"]),
    )
