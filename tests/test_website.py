"""The site build: real mkdocs over a real log. Each test says what a reader or a publisher would lose without it."""

import hashlib
import html.parser
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from site_fixture import (
    DOCS,
    KEY,
    PUBLISHED,
    TEMPLATES,
    build_site,
    patents,
    record,
    settings,
    write_archive,
)

from generator import archive, files, listings, log, website
from generator.errors import ConfigError, PressError, ToolError
from generator.listings import Site

SECOND = "2026-11-23T03:11:42Z"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("press")
    write_archive(folder, patents(), [(PUBLISHED, [0, 1])])
    build_site(folder)
    return folder


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of two volumes: the size of a volume is lowered to 4 leaves, so that one is sealed."""
    monkeypatch.setattr(archive, "VOLUME", 4)
    items = [record(f"Thing {n}", f"A thing number {n}.", [f"A thing of kind {n}."], salt=n) for n in range(5)]
    write_archive(tmp_path / "output", items, [(PUBLISHED, [0, 1, 2]), (SECOND, [3])])
    return tmp_path / "output"


def tree(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class Links(html.parser.HTMLParser):
    """Identifiers, links and loaded addresses of a page, and its JSON-LD and meta tags."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.meta: list[tuple[str, str]] = []
        self.work = ""
        self._in_work = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert not [name for name in values if name.startswith("on")]
        self.ids |= {values["id"]} if "id" in values else set()
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in {"script", "img", "iframe", "source", "video"} and "src" in values:
            self.loaded.append(values["src"])
        if tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload", "preconnect", "modulepreload"}:
            self.loaded.append(values["href"])
        if tag == "meta" and "name" in values:
            self.meta.append((values["name"], values["content"]))
        self._in_work = tag == "script" and values.get("type") == "application/ld+json"
        assert tag != "script" or "src" in values or self._in_work, "an inline script"

    def handle_data(self, data: str) -> None:
        if self._in_work:
            self.work += data


def test_files_beside_a_page_are_the_facts(output: Path) -> None:
    for serial in range(3):
        for suffix in (".json", ".proof"):
            fact = archive.record_path(output, serial, suffix).read_bytes()
            assert (output / f"site/d/0/{serial}{suffix}").read_bytes() == fact
        assert (output / f"site/d/0/{serial}.md").read_text().startswith("---\ntitle: ")


def test_the_log_and_its_key_are_served(output: Path) -> None:
    assert (output / "site/log/checkpoint").read_bytes() == (output / "log/checkpoint").read_bytes()
    assert (output / "site/log/vkey").read_text() == KEY.verification_key.text + "\n"
    assert not list((output / "site").rglob(".*")), "locks and journals are no part of the site"


def test_every_link_inside_the_site_leads_somewhere(output: Path) -> None:
    site, base = output / "site", "http://127.0.0.1:8123/repo/"
    pages = {path.relative_to(site).as_posix(): Links(path.read_text()) for path in site.rglob("*.html")}
    later = {"feed.atom", "search.html"}  # the feed is added after the build; so is what the search page needs
    for name, page in pages.items():
        for link in [*page.links, *page.loaded]:
            address, fragment = urldefrag(urljoin(base + name, link))
            if urlsplit(address).netloc != "127.0.0.1:8123":
                assert link in page.links, f"{name} loads {link} from another host"
                continue
            assert address.startswith(base), f"{name}: {link} leaves the sub-path"
            target = unquote(address[len(base) :])
            if target in later:
                continue
            assert (site / target).is_file(), f"{name}: {link}"
            if fragment and target.endswith(".html"):
                assert fragment in pages[target].ids, f"{name}: {link}"


def test_a_page_has_one_publication_time_everywhere(output: Path) -> None:
    source = (output / "site/d/0/0.html").read_text()
    page = Links(source)
    meta = dict(page.meta)
    work = json.loads(page.work)
    assert meta["citation_publication_date"] == "2026/11/22"
    assert meta["DC.date"] == work["datePublished"] == PUBLISHED
    assert work["dateCreated"] == "2026-11-21T22:40:00Z"
    left = source.replace(work["dateCreated"], "").replace(PUBLISHED, "").replace("(2026-11-20)", "")
    left = left.replace("2026/11/22", "").replace("2026-11-22", "")
    assert not re.findall(r"20\d\d[-/]\d\d", left)


def test_an_unpublished_page_has_no_publication_date(output: Path) -> None:
    source = (output / "site/d/0/2.html").read_text()
    page = Links(source)
    assert not {"citation_publication_date", "DC.date"} & {name for name, _ in page.meta}
    assert "datePublished" not in json.loads(page.work)
    assert "2026-11-22" not in source
    assert "Not yet published" in source


def test_head_metadata(output: Path) -> None:
    page = Links((output / "site/d/0/0.html").read_text())
    digest = patents()[0].sha256
    work = json.loads(page.work)
    assert ("citation_technical_report_number", "PAP-0000000") in page.meta
    assert ("DC.identifier", f"sha256:{digest}") in page.meta
    assert work["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert work["encoding"]["sha256"] == digest == work["identifier"][1]["value"]
    assert work["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    source = (output / "site/d/0/0.html").read_text()
    assert '<link rel="canonical" href="http://127.0.0.1:8123/repo/d/0/0.html">' in source
    assert '<link rel="cite-as" href="http://127.0.0.1:8123/repo/d/0/0.html">' in source


def test_pages_are_lean(output: Path) -> None:
    """Bytes per disclosure decide how many fit into a site of 1 GB; no theme script, map, icon or font is shipped."""
    overhead = (output / "site/d/0/2.html").stat().st_size - (output / "site/d/0/2.json").stat().st_size
    assert overhead < 13_000
    served = set(tree(output / "site"))
    assert not [name for name in served if name.endswith((".map", ".woff2", ".png"))]
    assert not [name for name in served if "javascripts" in name or name.startswith("sitemap")]


def test_the_same_facts_give_the_same_bytes_also_elsewhere(output: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another" / "place"
    elsewhere.mkdir(parents=True)
    for part in ("records", "log"):
        shutil.copytree(output / part, elsewhere / part)
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.copytree(DOCS, tmp_path / "docs")
    build_site(elsewhere, docs=tmp_path / "docs", templates=tmp_path / "templates")
    assert tree(elsewhere / "site") == tree(output / "site")


def test_an_unchanged_volume_is_not_built_again_and_a_new_one_is(small: Path) -> None:
    assert build_site(small).rebuilt == (0, 1)
    first = tree(small / "site")
    assert build_site(small).rebuilt == ()
    assert tree(small / "site") == first
    before = (small / "site/d/0/0.html").stat().st_mtime_ns
    files.write(small / "queue/new.json", record("Thing 5", "New.", ["A thing of kind 5."], salt=5).to_bytes())
    log.append(small, KEY)
    site = build_site(small)
    assert site.rebuilt == (1,)
    assert (small / "site/d/0/0.html").stat().st_mtime_ns == before
    assert "Thing 5" in (small / "site/index.html").read_text()
    assert [volume.count for volume in site.volumes] == [4, 2]


def test_what_shapes_a_page_makes_its_volume_new(small: Path, tmp_path: Path) -> None:
    build_site(small)
    assert build_site(small, prefix="NEW").rebuilt == (0, 1)
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    template = tmp_path / "templates/disclosure.md.j2"
    template.write_text(template.read_text().replace("## Abstract", "## Summary"))
    assert build_site(small, prefix="NEW", templates=tmp_path / "templates").rebuilt == (0, 1)
    assert "Summary</h2>" in (small / "site/d/0/0.html").read_text()
    log.append_published(small, KEY, SECOND, [4])
    assert build_site(small, prefix="NEW", templates=tmp_path / "templates").rebuilt == (1,)


def test_the_same_command_goes_on_after_a_crash_at_any_step(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rename, removal and finished subprocess of a build is made to be the last thing that happens."""
    build_site(small)
    wanted = tree(small / "site")
    steps = ("_mkdocs", "_replace", "_remove", "_thin")
    originals = {name: getattr(website, name) for name in steps}

    class Killed(BaseException):
        pass

    def dying(name: str, left: list[int]):  # type: ignore[no-untyped-def]
        def step(*arguments):  # type: ignore[no-untyped-def]
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return originals[name](*arguments)

        return step

    for deaths in (0, 1, 3, 6):
        log_files = small / "pages" / "1" / "built.json"
        log_files.unlink()
        left = [deaths]
        for name in steps:
            monkeypatch.setattr(website, name, dying(name, left))
        with pytest.raises(Killed):
            build_site(small)
        for name in steps:
            monkeypatch.setattr(website, name, originals[name])
        build_site(small)
        assert tree(small / "site") == wanted


def test_a_deleted_site_is_built_from_the_facts(small: Path) -> None:
    build_site(small)
    wanted = tree(small / "site")
    shutil.rmtree(small / "site")
    assert build_site(small).rebuilt == (0, 1)
    assert tree(small / "site") == wanted
    shutil.rmtree(small / "pages")
    build_site(small)
    assert tree(small / "site") == wanted


def test_days_and_volumes_are_listed(small: Path) -> None:
    build_site(small)
    browse = (small / "site/browse.html").read_text()
    assert 'href="d/0/2026-11-22.html">3 disclosures' in browse
    assert 'href="d/0/2026-11-23.html">1 disclosure<' in browse
    assert 'Not yet published <a href="d/1/unpublished.html">1 disclosure<' in browse
    assert browse.index("Volume 1") < browse.index("Volume 0"), "newest first"
    volume = (small / "site/d/0/index.html").read_text()
    assert [int(n) for n in re.findall(r'<li><a href="(\d+)\.html">Thing', volume)] == [0, 1, 2, 3]


def test_a_listing_is_split_into_pages(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MAX_ROWS", 2)
    build_site(small)
    first = Links((small / "site/d/0/index.html").read_text())
    second = Links((small / "site/d/0/index-2.html").read_text())
    assert {"0.html", "1.html", "index-2.html"} <= set(first.links)
    assert "2.html" not in first.links
    assert {"2.html", "3.html", "index.html"} <= set(second.links)
    assert (small / "site/d/0/2026-11-22-2.html").is_file()


def test_a_volume_that_is_gone_from_the_log_leaves_the_site(small: Path) -> None:
    build_site(small)
    (small / "site/d/77").mkdir()
    (small / "site/old-page.html").write_text("gone")
    build_site(small)
    assert not (small / "site/d/77").exists()
    assert not (small / "site/old-page.html").exists()


def test_an_empty_publication_builds(tmp_path: Path) -> None:
    site = build_site(tmp_path, vkey="")
    assert site.disclosures == 0
    assert "Nothing has been published yet" in (tmp_path / "site/index.html").read_text()
    assert (tmp_path / "site/404.html").is_file()


def test_mkdocs_errors_are_said_in_one_message(small: Path, tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    header = tmp_path / "templates/overrides/partials/header.html"
    header.write_text("{% if %}")
    with pytest.raises(ToolError, match=r"mkdocs failed on volume [01]:") as caught:
        build_site(small, templates=tmp_path / "templates")
    assert "mend what it names" in caught.value.hint
    assert not (small / "pages/0/built.json").exists()
    header.write_text("{# mended #}")
    assert build_site(small, templates=tmp_path / "templates").rebuilt == (0, 1)


def test_missing_sources_are_named(small: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-templates: not a folder of the site's sources"):
        build_site(small, templates=tmp_path / "no-templates")
    with pytest.raises(ConfigError, match="no-docs: not a folder of the site's sources"):
        build_site(small, docs=tmp_path / "no-docs")


def test_a_folder_that_cannot_be_written_is_one_clear_error(small: Path) -> None:
    (small / "pages").write_text("a file where a folder must be")
    with pytest.raises(PressError, match="the site cannot be written") as caught:
        build_site(small)
    assert "facts were not touched" in caught.value.hint


def test_damaged_facts_stop_the_build(small: Path) -> None:
    path = archive.record_path(small, 1)
    path.write_bytes(path.read_bytes().replace(b"Thing 1", b"Thing X"))
    with pytest.raises(PressError, match="not the record that entry 1 of the log names"):
        build_site(small)


def test_site_summary_counts(output: Path) -> None:
    site: Site = build_site(output)
    assert (site.disclosures, site.claims, site.published, site.checkpoint_size) == (3, 12, 2, 4)
    assert site.demonstration
    assert [row.serial for row in site.latest] == [2, 1, 0]


def test_settings_text_cannot_break_pages(small: Path) -> None:
    title = '</title><script src="//evil.example/x.js"></script>{{ 7*7 }}'
    build_site(small, title=title, publisher=title, contact=title)
    for name in ("index.html", "d/0/0.html", "404.html"):
        page = Links((small / "site" / name).read_text())
        assert not [path for path in page.loaded if "evil" in path]
    assert (
        replace(settings(), title=title).title
        in json.loads(Links((small / "site/d/0/0.html").read_text()).work)["isPartOf"]["name"]
    )
