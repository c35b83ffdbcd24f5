"""Records to a static site: what is built when, and where its parts go.

Each volume is built on its own, in a scratch folder, and moved into the site in one step; a volume whose inputs did
not change is not built again. A build that was cut off anywhere leaves no `built.json` for the volume it was at, so
the same command goes on from there. The same facts, templates and tools give the same bytes.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generator import __version__
from generator.base import files
from generator.base.errors import ConfigError, PressError, ToolError
from generator.base.settings import Settings
from generator.base.values import read
from generator.log import archive
from generator.log.anchors.statements import Statements, read_statements
from generator.log.entries import Disclosed
from generator.log.ledger import Ledger
from generator.site import builder, sources
from generator.site.carried import carry, evidences
from generator.site.citation import citation_files
from generator.site.coverage import picture
from generator.site.cpc_pages import headings, scheme_pages
from generator.site.feeds import CLASS_FEEDS
from generator.site.identity import MARK, STYLE, mark, style
from generator.site.listings import Site, Volume, around, listing_pages, summarise, totals
from generator.site.pages import render, render_page, render_text
from generator.site.placing import clear, put, remove
from generator.site.plots import figures
from generator.site.report_facts import read_report
from generator.site.tombstones import tombstone_pages, write_evidence

WAIT_SECONDS = 60.0  # for another build of the same site
SHOWN = ("title", "prefix", "site_url", "vkey", *builder.FOOTER)  # the settings that pages of volumes show
REPORT = "report.json"
READERS = {  # of the documents, by stem; those that are not named are for developers
    "examiners": ("about", "judgement", "searching", "review"),
    "verifiers": ("verify-by-hand", "record-format", "observing"),
    "publishers": ("publishing", "hosts", "settings", "models", "corpus", "machines", "report-format", "taking-part"),
}
KEPT_THEME = ("assets/stylesheets",)
UNUSED_THEME = "assets/stylesheets/palette.*.css"


@dataclass(frozen=True, slots=True)
class _Workshop:
    """What every part of one build needs."""

    output: Path
    settings: Settings
    templates: Path
    inputs: str
    report: Callable[[str], None]
    ledger: Ledger
    identity: tuple[tuple[str, bytes], ...]
    statements: Statements

    @property
    def site(self) -> Path:
        return self.output / "site"

    def work(self, name: str) -> Path:
        return self.output / "pages" / name


def build(
    output: Path,
    settings: Settings,
    *,
    docs: Path,
    templates: Path,
    ledger: Ledger | None = None,
    report: Callable[[str], None] = lambda _: None,
    workers: int | None = None,
    root: Path = Path(),
) -> Site:
    """Build `output/site` from the facts in `output`. The search index and the feeds are added afterwards, from Site.

    `root` is the folder that the setting `mark` starts from. Raises ToolError when mkdocs fails, ConfigError for
    missing templates or docs and for an accent or a mark that cannot be shown, PressError for a full disk.
    """
    if not (templates / "overrides" / "main.html").is_file() or not docs.is_dir():
        missing = docs if templates.is_dir() else templates
        raise ConfigError(f"{missing}: not a folder of the site's sources", hint="Restore site_templates/ and docs/.")
    inputs, newest = _inputs(settings, templates), archive.read_ledger(output, ledger)
    own = [(STYLE, style(settings).encode()), *([(MARK, mark(root / settings.mark))] if settings.mark else [])]
    given = (settings, templates.resolve(), inputs, report, newest, tuple(own), read_statements(output / "log"))
    shop = _Workshop(output.resolve(), *given)
    try:
        shop.site.mkdir(parents=True, exist_ok=True)
        with _alone(shop):
            site = _build(shop, docs.resolve(), workers or min(4, os.cpu_count() or 1))
    except OSError as error:
        raise PressError(
            f"{error.filename or shop.site}: the site cannot be written: {error.strerror or error}",
            hint="Free space or fix permissions, then run the same command again; facts were not touched.",
        ) from error
    report(f"build: {site.disclosures} disclosures in {shop.site}")
    return site


def _build(shop: _Workshop, docs: Path, workers: int) -> Site:
    with ThreadPoolExecutor(workers) as pool:
        built = list(pool.map(lambda item: _volume(shop, *item), _fingerprints(shop).items()))
    current, (drafts, accepted) = shop.ledger.checkpoint, totals(shop.output)
    site = Site(
        folder=shop.site,
        volumes=tuple(volume for volume, _ in built),
        rebuilt=tuple(volume.number for volume, rebuilt in built if rebuilt),
        checkpoint=(shop.output / "log" / "checkpoint").read_text(encoding="utf-8") if current else "",
        checkpoint_size=current.size if current else 0,
        vkey=shop.settings.vkey,
        drafts=drafts,
        accepted=accepted,
        report=read_report(shop.output),
        left_out=tuple(shop.ledger.left_out.values()),
    )
    _front(shop, site, docs)
    return site


def _alone(shop: _Workshop) -> AbstractContextManager[None]:
    """One build at a time. A killed build's mkdocs goes on for a while, and holds the lock as long."""
    path = shop.output / "pages" / ".lock"
    return files.lock(
        path, "another process is building this site", shop.report, wait_seconds=WAIT_SECONDS, inherited=True
    )


def _volume(shop: _Workshop, number: int, fingerprint: str) -> tuple[Volume, bool]:
    """The volume's summary, and whether it was built anew."""
    work, target = shop.work(str(number)), shop.site / "d" / str(number)
    mark = work / "built.json"
    if (target / "index.html").is_file() and (known := _known(mark, fingerprint)) is not None:
        return known, False
    mark.unlink(missing_ok=True)
    logged = tuple(archive.read_volume(shop.output, number, shop.ledger))
    volume = summarise(number, logged, shop.settings)
    shop.report(f"build: volume {number}, {volume.count} pages")
    folder = work / "docs" / "d" / str(number)
    clear(work)
    folder.mkdir(parents=True)
    near = around(logged)
    for item in logged:
        told = replace(near[item.serial], told=shop.statements.of(item.serial, item.dated_by))
        page = render_page(item, shop.settings, shop.templates, told)
        (folder / f"{item.serial}.md").write_text(page, encoding="utf-8", newline="\n")
    gone = tombstone_pages(number, shop.ledger, shop.settings, shop.templates)
    for name, text in (*listing_pages(volume, logged, shop.settings, shop.templates), *gone):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    builder.build(work, shop.settings, shop.templates, f"volume {number}")
    made = work / "site" / "d" / str(number)
    proofs = evidences(shop.output, number, shop.ledger)
    for item in logged:
        (made / f"{item.serial}.json").write_bytes(item.data)
        (made / f"{item.serial}.proof").write_text(item.proof, encoding="utf-8", newline="\n")
        (made / f"{item.serial}.evidence").write_text(proofs[item.serial].text, encoding="utf-8", newline="\n")
        text = render_text(item, shop.settings, shop.templates)
        (made / f"{item.serial}.md").write_text(text, encoding="utf-8", newline="\n")
        for suffix, form in citation_files(item, shop.settings).items():
            (made / f"{item.serial}{suffix}").write_text(form, encoding="utf-8", newline="\n")
        if not (made / f"{item.serial}.html").is_file():
            raise ToolError(f"mkdocs made no page of disclosure {item.serial}", hint=f"Its source is in {folder}.")
        carry(made / f"{item.serial}.html", item.data, proofs[item.serial], shop.settings.vkey)
    write_evidence(made, number, shop.output, shop.ledger, proofs)
    put(made, target)
    shutil.rmtree(work / "site")
    files.write(mark, json.dumps({"fingerprint": fingerprint, "volume": volume.to_dict()}).encode())
    return volume, True


def _front(shop: _Workshop, site: Site, docs: Path) -> None:
    """Home, listings of listings, documentation, assets and the log; then the site holds these and the volumes only."""
    work = shop.work("front")
    clear(work)
    folder = work / "docs"
    shutil.copytree(docs, folder / "docs", ignore=shutil.ignore_patterns("images"))  # the README's
    if not (folder / "docs" / "index.md").exists():
        (folder / "docs" / "index.md").write_text(_docs_index(docs), encoding="utf-8")
    sections, plots = headings(site.branches, 1), figures(site.report) if site.report else {}
    covered = picture(site.coverage)
    for template in sorted((shop.templates / "pages").glob("*.md.j2")):
        stem = template.name.removesuffix(".md.j2")
        shown = {"site": site, "sections": sections, "figures": plots, "coverage": covered}
        text = render(shop.templates, f"pages/{template.name}", shop.settings, **shown)
        (folder / f"{'index' if stem == 'home' else stem}.md").write_text(text, encoding="utf-8", newline="\n")
    for name, text in scheme_pages(site, shop.settings, shop.templates):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    builder.build(work, shop.settings, shop.templates, "the front pages", documents=True)
    made = work / "site"
    _thin(made)
    shutil.copytree(shop.templates / "assets", made / "assets", dirs_exist_ok=True)
    for name, data in shop.identity:
        (made / name).write_bytes(data)
    if site.report:
        shutil.copyfile(shop.output / REPORT, made / REPORT)
    log = shop.output / "log"
    if log.is_dir():
        shutil.copytree(log, made / "log", ignore=shutil.ignore_patterns(".*"))
    if site.vkey:
        (made / "log").mkdir(exist_ok=True)
        (made / "log" / "vkey").write_text(site.vkey.strip() + "\n", encoding="utf-8")
    wanted = {path.name for path in made.iterdir()}
    for stale in [path for path in shop.site.iterdir() if path.name not in wanted | {"d", CLASS_FEEDS}]:
        remove(stale)
    for path in sorted(made.iterdir()):
        put(path, shop.site / path.name)
    numbers = {str(volume.number) for volume in site.volumes}
    (shop.site / "d").mkdir(exist_ok=True)
    for stale in [*(path for path in (shop.site / "d").iterdir() if path.name not in numbers), made]:
        remove(stale)


def _thin(made: Path) -> None:
    """Drop what no page asks for: the theme's scripts and images, source maps, and sitemaps with build dates."""
    for path in [*made.glob("sitemap.xml*"), *made.rglob("*.map"), *made.glob(UNUSED_THEME)]:
        path.unlink()
    kept = {made / name for name in KEPT_THEME}
    for path in [path for path in (made / "assets").iterdir() if path not in kept]:
        remove(path)


def _docs_index(docs: Path) -> str:
    """The documents by who reads them, each once; examiners come first."""
    titles = {}
    for path in sorted(docs.glob("*.md")):
        first = path.read_text(encoding="utf-8").lstrip().split("\n", 1)[0]
        titles[path.stem] = f"- [{first.removeprefix('#').strip() or path.stem}]({path.name})"
    groups = {who: [titles.pop(stem) for stem in stems if stem in titles] for who, stems in READERS.items()}
    groups["developers"] = list(titles.values())
    parts = [f"## For {who}\n\n" + "\n".join(listed) for who, listed in groups.items() if listed]
    return "\n\n".join(["# Documentation", *parts]) + "\n"


def _inputs(settings: Settings, templates: Path) -> str:
    """A digest of all that shapes a page besides its record: tools, code, templates, settings."""
    digest = hashlib.sha256(json.dumps([__version__, *(version(tool) for tool in builder.TOOLS)]).encode())
    digest.update(json.dumps([settings.log_origin, *(getattr(settings, name) for name in SHOWN)]).encode())
    for name, path in [*sources.code().items(), *sources.templates(templates).items()]:
        digest.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _fingerprints(shop: _Workshop) -> dict[int, str]:
    """For each volume with a disclosure, a digest of all that its pages are made of.

    The log names every record by its hash and holds the times; what lies beside a record is written once, before the
    log is signed. So the log, and what others say of it, tell whether a volume changed: no sealed one is read.
    """
    ledger = shop.ledger
    joined: dict[int, str] = {}
    for old, new in ledger.successor_of.items():
        joined[old] = f"{joined.get(old, '')} by {new}"
        joined[new] = f"{joined.get(new, '')} of {old}"
    digests: dict[int, Any] = {}
    for serial, entry in enumerate(ledger.entries):
        if isinstance(entry, Disclosed):
            digest = digests.setdefault(serial // archive.VOLUME, hashlib.sha256(shop.inputs.encode()))
            if (by := ledger.withdrawn.get(serial)) is not None:
                digest.update(f"{serial} {entry.sha256} {ledger.dated.get(serial, '')} {ledger.entries[by]}".encode())
            else:
                time = ledger.dated.get(serial, "")
                told = "".join(
                    f" {one}"
                    for one in (joined.get(serial, ""), *shop.statements.of(serial, ledger.dated_by.get(serial)))
                    if one
                )
                digest.update(f"{serial} {entry.sha256} {time}{told}\n".encode())
    return {number: digest.hexdigest() for number, digest in digests.items()}


def _known(mark: Path, fingerprint: str) -> Volume | None:
    """The summary of a volume that was built from exactly these inputs."""
    try:
        value = json.loads(mark.read_bytes())
        known: Volume | None = read(Volume, value["volume"]) if value["fingerprint"] == fingerprint else None
        return known
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None  # absent or torn: both mean that the volume is to be built


def shipped_folders() -> tuple[Path, Path]:
    """Folders of the documents and of the site's templates: of the checkout, or inside the installed package."""
    package = Path(__file__).parent.parent
    base = package if (package / "site_templates").is_dir() else package.parent
    return base / "docs", base / "site_templates"
