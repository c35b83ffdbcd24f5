"""The site build: real mkdocs over a real log. What is built again and when, crashes, listings, errors."""

import fcntl
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import facts
import pytest
from browsing import Links, tree
from site_fixture import KEY, PUBLISHED, TEMPLATES, build_site, record, write_archive

from generator.base import files
from generator.base.errors import ConfigError, PressError, ToolError
from generator.log import archive
from generator.log.entries import Withdrawn
from generator.site import build as website
from generator.site import builder, listings, placing
from generator.site.listings import Site

SECOND = "2026-11-23T03:11:42Z"


def build(output: Path, **changes: Any) -> Site:
    """Build with a documentation of one page."""
    docs = output.parent / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "about.md").write_text("# How we publish\n")
    return build_site(output, **{"docs": docs, **changes})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An archive of two volumes and its site: the size of a volume is lowered to 4 leaves, so that one is sealed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "VOLUME", 4)
        output = tmp_path_factory.mktemp("original") / "output"
        items = [record(f"Thing {n}", f"A thing number {n}.", [f"A thing of kind {n}."], salt=n) for n in range(5)]
        write_archive(output, items, [(PUBLISHED, [0, 1, 2]), (SECOND, [3])])
        assert build(output).rebuilt == (0, 1)
        yield output


@pytest.fixture
def built(original: Path, tmp_path: Path) -> Path:
    """A copy of the archive and its site, to be changed."""
    shutil.copytree(original, tmp_path / "output")
    return tmp_path / "output"


@pytest.fixture
def small(built: Path) -> Path:
    """A copy of the archive without its site."""
    shutil.rmtree(built / "site")
    shutil.rmtree(built / "pages")
    return built


def test_an_unchanged_volume_is_not_built_again_and_a_new_one_is(built: Path) -> None:
    first = tree(built / "site")
    assert build(built).rebuilt == ()
    assert tree(built / "site") == first
    before = (built / "site/d/0/0.html").stat().st_mtime_ns
    files.write(built / "queue/new.json", record("Thing 5", "New.", ["A thing of kind 5."], salt=5).to_bytes())
    facts.append(built, KEY)
    site = build(built)
    assert site.rebuilt == (1,)
    assert (built / "site/d/0/0.html").stat().st_mtime_ns == before
    assert "Thing 5" in (built / "site/index.html").read_text()
    assert [volume.count for volume in site.volumes] == [4, 2]


def test_what_shapes_a_page_makes_its_volume_new(built: Path, tmp_path: Path) -> None:
    assert build(built, prefix="NEW").rebuilt == (0, 1)
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    template = tmp_path / "templates/body.md.j2"
    template.write_text(template.read_text().replace("## Abstract", "## Summary"))
    assert build(built, prefix="NEW", templates=tmp_path / "templates").rebuilt == (0, 1)
    assert "Summary</h2>" in (built / "site/d/0/0.html").read_text()
    facts.publish(built, SECOND, [4], with_key=KEY)
    assert build(built, prefix="NEW", templates=tmp_path / "templates").rebuilt == (1,)


def test_the_same_command_goes_on_after_a_crash_at_any_step(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rename, removal and finished subprocess of a build is made to be the last thing that happens."""
    wanted = tree(built / "site")
    steps = ((builder, "build"), (placing, "remove"), (website, "put"), (website, "remove"), (website, "_thin"))
    originals = [getattr(module, name) for module, name in steps]

    class Killed(BaseException):
        pass

    def dying(original: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return original(*arguments, **options)

        return step

    for deaths in (0, 1, 5):
        (built / "pages" / "1" / "built.json").unlink()
        left = [deaths]
        with monkeypatch.context() as patched:
            for (module, name), original in zip(steps, originals, strict=True):
                patched.setattr(module, name, dying(original, left))
            with pytest.raises(Killed):
                build(built)
        build(built)
        assert tree(built / "site") == wanted


def test_a_deleted_site_is_built_from_the_facts(built: Path) -> None:
    wanted = tree(built / "site")
    shutil.rmtree(built / "site")
    assert build(built).rebuilt == (0, 1)
    assert tree(built / "site") == wanted
    shutil.rmtree(built / "pages")
    build(built)
    assert tree(built / "site") == wanted


def test_days_and_volumes_are_listed(built: Path) -> None:
    browse = (built / "site/browse.html").read_text()
    assert 'href="d/0/2026-11-22.html">3 disclosures' in browse
    assert 'href="d/0/2026-11-23.html">1 disclosure<' in browse
    assert 'Not yet published <a href="d/1/unpublished.html">1 disclosure<' in browse
    assert browse.index("Volume 1") < browse.index("Volume 0"), "newest first"
    volume = (built / "site/d/0/index.html").read_text()
    assert [int(n) for n in re.findall(r'<li><a href="(\d+)\.html">Thing', volume)] == [0, 1, 2, 3]


def test_a_listing_is_split_into_pages(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MAX_ROWS", 2)
    build(small)
    first = Links((small / "site/d/0/index.html").read_text())
    second = Links((small / "site/d/0/index-2.html").read_text())
    assert {"0.html", "1.html", "index-2.html"} <= set(first.links)
    assert "2.html" not in first.links
    assert {"2.html", "3.html", "index.html"} <= set(second.links)
    assert (small / "site/d/0/2026-11-22-2.html").is_file()


def test_a_volume_that_is_gone_from_the_log_leaves_the_site(built: Path) -> None:
    (built / "site/d/77").mkdir()
    (built / "site/old-page.html").write_text("gone")
    build(built)
    assert not (built / "site/d/77").exists()
    assert not (built / "site/old-page.html").exists()


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
        build(small, templates=tmp_path / "templates")
    assert "mend what it names" in caught.value.hint
    assert not (small / "pages/0/built.json").exists()
    header.write_text("{# mended #}")
    assert build(small, templates=tmp_path / "templates").rebuilt == (0, 1)


def test_missing_sources_are_named(small: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-templates: not a folder of the site's sources"):
        build(small, templates=tmp_path / "no-templates")
    with pytest.raises(ConfigError, match="no-docs: not a folder of the site's sources"):
        build(small, docs=tmp_path / "no-docs")


def test_a_folder_that_cannot_be_written_is_one_clear_error(small: Path) -> None:
    (small / "pages").write_text("a file where a folder must be")
    with pytest.raises(PressError, match="the site cannot be written") as caught:
        build(small)
    assert "facts were not touched" in caught.value.hint


def test_two_builds_at_once_are_refused(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(website, "WAIT_SECONDS", 0)
    (small / "pages").mkdir()
    with (small / "pages" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PressError, match="another process is building this site"):
            build(small)
    assert build(small).rebuilt == (0, 1)


def test_a_withdrawn_disclosure_leaves_the_site(built: Path) -> None:
    entry = Withdrawn(1, "court-order", "ab" * 32)
    facts.add(built, entry, with_key=KEY)
    assert build(built).rebuilt == (0,)
    assert not (built / "site/d/0/1.md").exists()
    page = (built / "site/d/0/1.html").read_text()
    assert "court-order" in page
    assert "comprising" not in page
    assert "Thing 1<" not in (built / "site/d/0/index.html").read_text()


def test_a_sealed_volume_is_not_even_read(built: Path) -> None:
    archive.record_path(built, 0).unlink()
    assert build(built).rebuilt == ()


def test_damaged_facts_stop_the_build(small: Path) -> None:
    path = archive.record_path(small, 1)
    path.write_bytes(path.read_bytes().replace(b"Thing 1", b"Thing X"))
    with pytest.raises(PressError, match="not the record that entry 1 of the log names"):
        build(small)


def test_settings_text_cannot_break_pages(small: Path) -> None:
    title = '</title><script src="//evil.example/x.js"></script>{{ 7*7 }}'
    build(small, title=title, publisher=title, contact=title)
    for name in ("index.html", "d/0/0.html", "404.html"):
        page = Links((small / "site" / name).read_text())
        assert not [path for path in page.loaded if "evil" in path]
    work = json.loads(Links((small / "site/d/0/0.html").read_text()).work)
    assert work["isPartOf"]["name"] == f"{title}, volume 0"
