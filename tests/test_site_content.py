"""What stands on the pages of a built site: facts, links, dates, metadata, weight, and the same bytes each time."""

import gzip
import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import extruct
import pytest
from browsing import Links, tree
from site_fixture import DOCS, KEY, PUBLISHED, TEMPLATES, build_site, patents, write_archive

from generator.base import canonical, files
from generator.base.errors import PressError
from generator.log import archive
from generator.site.build import READERS, _docs_index
from generator.site.listings import totals


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("press")
    write_archive(folder, patents(), [(PUBLISHED, [0, 1])])
    shutil.copytree(DOCS, folder / "docs")
    for name, drafts, accepted in (("a", 70, 20), ("b", 6, 1)):
        files.write(folder / "runs" / f"{name}.json", canonical.dumps({"drafts": drafts, "accepted": accepted}))
    build_site(folder, docs=folder / "docs")
    return folder


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
    # These are added after the build; so is what the search page needs.
    later = {"catalogue.json", "feed.atom", "feed.json", "opensearch.xml", "search.html"}
    for name, page in pages.items():
        for link in [*page.links, *page.loaded]:
            address, fragment = urldefrag(urljoin(base + name, link))
            if urlsplit(address).netloc != "127.0.0.1:8123":
                assert link in page.links, f"{name} loads {link} from another host"
                continue
            assert address.startswith(base), f"{name}: {link} leaves the sub-path"
            target = unquote(address[len(base) :])
            if target in later or target.startswith("feeds/"):
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
    shown = re.sub(r" data-(?:record|evidence)='[^']*'", "", source)
    left = shown.replace(work["dateCreated"], "").replace(PUBLISHED, "").replace(">2026-11-20<", "")
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
    assert work["encoding"][0]["sha256"] == digest == work["identifier"][1]["value"]
    assert work["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    source = (output / "site/d/0/0.html").read_text()
    assert '<link rel="canonical" href="http://127.0.0.1:8123/repo/d/0/0.html">' in source
    assert '<link rel="cite-as" href="http://127.0.0.1:8123/repo/d/0/0.html">' in source


def test_extruct_reads_linked_data_and_dublin_core(output: Path) -> None:
    source = (output / "site/d/0/0.html").read_text()
    found = extruct.extract(
        source, base_url="http://127.0.0.1:8123/repo/d/0/0.html", syntaxes=["json-ld", "dublincore"]
    )
    (work,) = found["json-ld"]
    assert work["@type"] == ["TechArticle", "Report"]
    assert [one["encodingFormat"] for one in work["encoding"]] == ["application/json", "text/markdown"]
    core = found["dublincore"][0]
    assert core["namespaces"] == {"DC": "http://purl.org/dc/elements/1.1/"}
    said = {one["name"]: one["content"] for one in core["elements"] if "name" in one}
    assert said["DC.date"] == PUBLISHED
    assert said["DC.title"] == patents()[0].disclosure.title


def test_the_home_page_says_how_the_site_is_searched(output: Path) -> None:
    """The address that it names works: the search page reads what stands behind "#q=" (test_browser_search.py)."""
    found = extruct.extract((output / "site/index.html").read_text(), syntaxes=["json-ld"])
    (site,) = found["json-ld"]
    assert (site["@type"], site["url"]) == ("WebSite", "http://127.0.0.1:8123/repo/")
    assert site["potentialAction"]["@type"] == "SearchAction"
    assert site["potentialAction"]["target"]["urlTemplate"] == (
        "http://127.0.0.1:8123/repo/search.html#q={search_term_string}"
    )
    for path in ("browse.html", "d/0/index.html", "docs/about.html"):
        assert "SearchAction" not in (output / "site" / path).read_text(encoding="utf-8")


def test_signposting_leads_to_files_of_the_types_that_it_names(output: Path) -> None:
    """FAIR Signposting, level 1: cite-as, type, license, describedby and item, each with its type."""
    source = (output / "site/d/0/0.html").read_text()
    links = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<link ([^>]*)>", source)]
    by_relation: dict[str, list[dict[str, str]]] = {}
    for link in links:
        by_relation.setdefault(link["rel"], []).append(link)
    assert {"cite-as", "type", "license", "describedby", "item", "collection"} <= by_relation.keys()
    suffixes = {link["type"]: link["href"] for link in [*by_relation["describedby"], *by_relation["item"]]}
    assert suffixes == {
        "application/x-bibtex": "0.bib",
        "application/x-research-info-systems": "0.ris",
        "application/vnd.citationstyles.csl+json": "0.csl.json",
        "application/json": "0.json",
        "text/markdown": "0.md",
    }
    assert all((output / "site/d/0" / name).is_file() for name in suffixes.values())


def test_no_page_of_a_disclosure_claims_more_than_was_checked(output: Path) -> None:
    for path in (output / "site/d").rglob("*.html"):
        shown = re.sub(r"<[^>]*>", " ", path.read_text()).lower()
        for word in ("coherent", "coherence", "could cite", "covered", "near_chimera"):
            assert word not in shown, f"{path.name}: {word}"
        if path.stem.isdecimal():
            assert "passed the checks of form; no person has reviewed it" in shown


def test_pages_are_lean(output: Path) -> None:
    """Bytes per disclosure decide how many fit into a site of 1 GB; no script, map or icon of the theme is shipped."""
    page = (output / "site/d/0/2.html").read_text(encoding="utf-8")
    carried = sum(len(match.encode()) for match in re.findall(r" data-(?:record|evidence)='[^']*'", page))
    record, evidence = ((output / f"site/d/0/2{suffix}").stat().st_size for suffix in (".json", ".evidence"))
    assert record + evidence < carried < record + evidence + 200
    assert len(page.encode()) - record - carried < 17_000
    for path in (output / "site/d/0").glob("[0-9].html"):
        data = path.read_bytes()
        assert len(data) < 60_000
        assert len(gzip.compress(data)) < 12_000
    served = set(tree(output / "site"))
    assert not [name for name in served if name.endswith((".map", ".png"))]
    assert not [name for name in served if "javascripts" in name or name.startswith("sitemap")]


def test_the_same_facts_give_the_same_bytes_also_elsewhere(output: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another" / "place"
    elsewhere.mkdir(parents=True)
    for part in ("records", "log", "runs"):
        shutil.copytree(output / part, elsewhere / part)
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.copytree(output / "docs", tmp_path / "docs")
    build_site(elsewhere, docs=tmp_path / "docs", templates=tmp_path / "templates")
    assert tree(elsewhere / "site") == tree(output / "site")


def test_site_summary_counts(output: Path) -> None:
    site = build_site(output, docs=output / "docs")
    assert (site.disclosures, site.claims, site.published, site.checkpoint_size) == (3, 12, 2, 4)
    assert site.demonstration
    assert [row.serial for row in site.latest] == [2, 1, 0]


def test_the_statistics_tell_how_many_drafts_passed(output: Path, tmp_path: Path) -> None:
    """The sums of all finished runs; a damaged report stops the build, it is not passed over."""
    assert totals(tmp_path) == (0, 0)
    assert totals(output) == (76, 21)
    assert "<td>21 (28 %)</td>" in (output / "site/statistics.html").read_text()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "c.json").write_bytes(b"{}")
    with pytest.raises(PressError, match=r"c\.json: the report is damaged"):
        totals(tmp_path)


def test_the_documents_are_listed_by_who_reads_them() -> None:
    """Each document once, none forgotten; those that no other group names are for developers."""
    listed = _docs_index(DOCS)
    assert re.findall(r"(?m)^## For (\w+)$", listed) == ["examiners", "verifiers", "publishers", "developers"]
    links = re.findall(r"\((\S+)\)$", listed, re.MULTILINE)
    assert sorted(links) == sorted(path.name for path in DOCS.glob("*.md"))
    assert {stem for stems in READERS.values() for stem in stems} <= {path.stem for path in DOCS.glob("*.md")}
    order = [listed.index(f"({name}.md)") for name in ("about", "verify-by-hand", "publishing", "engine")]
    assert order == sorted(order)
