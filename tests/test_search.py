"""The search index, with the real Pagefind: complete, deterministic, made once, refused when a page is missing."""

import gzip
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import facts
import pytest
import site_fixture
from hypothesis import given
from hypothesis import strategies as st

from generator.base import canonical
from generator.base.errors import PressError, ToolError
from generator.log.archive import VOLUME
from generator.site import bundles as search
from generator.site import pagefind


def page(serial: int, day: str = "2026-11-22", direction: str = "top-down", text: str = "A damped hinge.") -> str:
    """A disclosure page in the markup that site_templates/overrides/partials/disclosure.html makes."""
    return (
        f'<!doctype html><html lang="en"><head><title>x</title></head><body><nav>Menu</nav><article>'
        f'<div data-pagefind-body data-pagefind-filter="direction:{direction}">'
        f'<h1 id="title">Bracket {serial}</h1></div>'
        f"<p>{facts.SHA}</p>"
        f'<div data-pagefind-body data-pagefind-filter="published:{day}"><h2 id="abstract">Abstract</h2><p>{text}</p>'
        f'<ol><li id="claim-1">A bracket of kind{serial}.</li></ol></div></article></body></html>'
    )


def write_pages(site: Path, pages: Iterable[tuple[int, str]]) -> Path:
    for serial, text in pages:
        path = site / "d" / str(serial // VOLUME) / f"{serial}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.with_suffix(".json").write_text(f"record {serial}", encoding="utf-8")
    return site


def index(site: Path, count: int, volume: int = 0, **choice: object) -> tuple[search.Bundle, list[str]]:
    lines: list[str] = []
    (bundle,) = search.index(site, [volume], expected={volume: count}, report=lines.append, **choice)  # type: ignore[arg-type]
    return bundle, lines


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fragments(site: Path, volume: int = 0) -> list[dict[str, object]]:
    folder = site / "d" / str(volume) / "pagefind" / "fragment"
    return [json.loads(pagefind.unpack(path)) for path in sorted(folder.iterdir())]


def broken_pagefind(folder: Path, after: str) -> tuple[str, str]:
    """The real Pagefind, followed by damage: `after` is Python that sees the output folder as `out`."""
    script = folder / "pagefind.py"
    script.write_text(
        f"import subprocess, sys, pathlib\n"
        f"code = subprocess.run([{pagefind.find_program()[0]!r}, *sys.argv[1:]]).returncode\n"
        f"if '--output-path' in sys.argv and 'd' in pathlib.Path(sys.argv[2]).parts:\n"
        f"    out = pathlib.Path(sys.argv[sys.argv.index('--output-path') + 1])\n"
        f"    {after}\n"
        f"sys.exit(code)\n"
    )
    return sys.executable, str(script)


def test_two_runs_over_the_same_pages_give_the_same_bytes(tmp_path: Path) -> None:
    """Twelve days and two directions: Pagefind alone writes their order anew each time."""
    pages = [(n, page(n, f"2026-11-{1 + n % 12:02d}", ("top-down", "bottom-up")[n % 2])) for n in range(40)]
    one, two = write_pages(tmp_path / "one", pages), write_pages(tmp_path / "two", pages[::-1])
    for site in (one, two):
        index(site, 40)
        search.write_catalogue(site)
    assert contents(one) == contents(two)


def test_pagefind_alone_is_not_deterministic(tmp_path: Path) -> None:
    """When this fails, Pagefind has become deterministic, and `canonicalise` may go."""
    site = write_pages(tmp_path, [(n, page(n, f"2026-11-{1 + n % 12:02d}")) for n in range(12)])
    runs = []
    for run in range(2):
        pagefind.run(pagefind.find_program(), site / "d" / "0", tmp_path / f"run{run}", "the test", 60)
        runs.append(contents(tmp_path / f"run{run}"))
    assert runs[0] != runs[1]


def test_a_bundle_holds_the_index_alone_and_the_reader_stands_once(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0)), (VOLUME, page(VOLUME))])
    search.index(site, [0, 1], expected={0: 1, 1: 1}, report=print)
    for volume in (0, 1):
        names = contents(site / "d" / str(volume) / "pagefind")
        assert {name.partition("/")[0] for name in names if "/" in name} == {"fragment", "index", "words"}
        flat = {name for name in names if "/" not in name}
        assert {"pagefind-entry.json", "volume.json", "pages.json", "hashes.json"} < flat
        assert len(flat) == 5
        assert not [name for name in names if name.endswith((".js", ".css", ".pagefind"))]
    reader = contents(site / "pagefind")
    assert set(reader) > {"pagefind.js", "pagefind-worker.js", "wasm.en.pagefind", "pagefind-entry.json"}
    assert len(reader) == 6
    assert json.loads(reader["pagefind-entry.json"])["languages"]["en"]["page_count"] == 0
    assert not list(site.glob(".pagefind-*"))


def test_only_the_marked_text_is_indexed(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(7, page(7))])
    (site / "d" / "0" / "index.html").write_text("<html lang=en><body><h1>Volume 0</h1></body></html>")
    index(site, 1)
    (fragment,) = fragments(site)
    assert fragment["url"] == "/7.html"
    assert fragment["content"] == "Bracket 7. Abstract. A damped hinge. A bracket of kind7."
    assert fragment["meta"] == {"title": "Bracket 7"}
    assert fragment["filters"] == {"direction": ["top-down"], "published": ["2026-11-22"]}


def test_no_hash_time_or_id_of_a_real_page_is_indexed(tmp_path: Path) -> None:
    site_fixture.write_archive(tmp_path, site_fixture.patents(), [(site_fixture.PUBLISHED, (0, 1))])
    site = site_fixture.build_site(tmp_path)
    bundle, _ = index(site.folder, 3)
    assert (bundle.unpublished, bundle.days) == (1, (("2026-11-22", 2),))
    text = json.dumps([[fragment["content"], fragment["meta"]] for fragment in fragments(site.folder)])
    assert "settling chamber" in text
    assert "settling" in json.loads((site.folder / "d/0/pagefind/words/s.json").read_text())
    for stamp in ("2026", "PAP-", "4f4f", site_fixture.patents()[0].sha256, "[0001]", "Restated", "Machine-generated"):
        assert stamp not in text
    assert {tuple(fragment["meta"]) for fragment in fragments(site.folder)} == {("title",)}


def test_a_volume_is_indexed_again_only_when_a_page_changed(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0)), (1, page(1))])
    first, _ = index(site, 2)
    before = (site / "d/0/pagefind").stat().st_ino
    again, lines = index(site, 2)
    assert again == first
    assert lines == ["volume 0: 2 pages, search index unchanged"]
    assert (site / "d/0/pagefind").stat().st_ino == before
    write_pages(site, [(1, page(1, "2026-11-23"))])
    changed, lines = index(site, 2)
    assert lines == ["volume 0: 2 pages indexed"]
    assert changed.days == (("2026-11-22", 1), ("2026-11-23", 1))


@pytest.mark.parametrize(
    "damage", ["fragment", "volume.json", "pagefind-entry.json", "pages.json", "version", "format"]
)
def test_an_incomplete_or_older_bundle_is_made_anew(tmp_path: Path, damage: str) -> None:
    site = write_pages(tmp_path, [(0, page(0)), (1, page(1))])
    index(site, 2)
    bundle = site / "d/0/pagefind"
    whole = contents(bundle)
    if damage == "fragment":
        next((bundle / "fragment").iterdir()).unlink()
    elif damage == "version":
        (bundle / "volume.json").write_bytes(whole["volume.json"].replace(b"1.5.2", b"1.4.0"))
    elif damage == "format":
        (bundle / "volume.json").write_bytes(whole["volume.json"].replace(b'"format":2', b'"format":1'))
    else:
        (bundle / damage).write_bytes(b"{")
        if damage != "volume.json":
            (bundle / damage).unlink()
    _, lines = index(site, 2)
    assert lines == ["volume 0: 2 pages indexed"]
    assert contents(bundle) == whole


def test_pages_that_are_missing_or_unmarked_stop_the_build(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0)), (1, page(1))])
    with pytest.raises(ToolError, match="2 pages stand for 3 disclosures"):
        index(site, 3)
    write_pages(site, [(2, "<html lang=en><body><h1>Unmarked</h1></body></html>")])
    with pytest.raises(ToolError, match=r"2\.html: no element carries data-pagefind-body"):
        index(site, 3)
    assert not (site / "d/0/pagefind").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("listing.html", page(0), "listing.html is indexed and is no disclosure"),
        ("sub/3.html", page(3), "sub/3.html is indexed and is no disclosure"),
        ("9000.html", page(9000), "9000.html is indexed and is no disclosure of this volume"),
        ("1.html", page(1).replace("published:2026-11-22", "day:1"), "not one direction and one publication day"),
        ("1.html", page(1, day="22 November"), "not one direction and one publication day"),
        ("1.html", page(1).replace('"direction:top-down"', '"kind:x"'), "not one direction and one publication day"),
        (
            "1.html",
            page(1).replace("<nav>", "<nav data-pagefind-filter='published:2026-11-23'>"),
            "one publication day",
        ),
    ],
)
def test_a_page_that_does_not_belong_stops_the_build(tmp_path: Path, name: str, text: str, message: str) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    target = site / "d" / "0" / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(text)
    count = sum(1 for path in (site / "d/0").glob("*.html") if path.stem.isdigit())
    with pytest.raises(ToolError, match=message):
        index(site, count)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("next((out / 'fragment').iterdir()).unlink()", "2 pages, 2 indexed pages, 1 fragments"),
        ("next((out / 'fragment').iterdir()).write_bytes(b'torn')", "damaged file"),
        ("p = next((out / 'index').iterdir()); p.write_bytes(p.read_bytes()[:-9])", "damaged file"),
        (
            "p = next((out / 'index').iterdir()); import gzip; p.write_bytes(gzip.compress(b'x'))",
            "signature is missing",
        ),
        ("(out / 'pagefind-entry.json').write_text('{}')", "no usable index"),
        ("next(out.glob('*.pf_meta')).unlink()", "damaged file"),
        ("code = 3", "failed on volume 0 with exit status 3"),
    ],
)
def test_what_pagefind_breaks_is_refused_and_the_old_bundle_stays(tmp_path: Path, after: str, message: str) -> None:
    site = write_pages(tmp_path / "site", [(0, page(0)), (1, page(1))])
    index(site, 2)
    before = contents(site)
    write_pages(site, [(1, page(1, text="A new text."))])
    with pytest.raises(ToolError, match=message):
        index(site, 2, program=broken_pagefind(tmp_path, after))
    changed = contents(site)
    assert {name for name in before if before[name] != changed[name]} == {"d/0/1.html"}
    assert set(changed) == set(before)


def test_a_hanging_pagefind_is_stopped(tmp_path: Path) -> None:
    site = write_pages(tmp_path / "site", [(0, page(0))])
    index(site, 1)
    write_pages(site, [(0, page(0, text="New."))])
    script = tmp_path / "hangs"
    script.write_text('#!/bin/sh\n[ "$1" = --version ] && echo pagefind 1.5.2 && exit\nexec sleep 60\n')
    script.chmod(0o755)
    with pytest.raises(ToolError, match=r"did not finish volume 0 within 0\.5 seconds") as caught:
        index(site, 1, program=(str(script),), timeout=0.5)
    assert "disk is full" in caught.value.hint


def test_a_missing_pagefind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    with pytest.raises(ToolError, match="cannot be started: No such file"):
        index(site, 1, program=(str(tmp_path / "nothing"),))
    with pytest.raises(ToolError, match="does not tell its version"):
        index(site, 1, program=("true",))
    monkeypatch.setitem(sys.modules, "pagefind_bin", None)
    with pytest.raises(ToolError, match="is not installed") as caught:
        index(site, 1)
    assert "pip install" in caught.value.hint


def test_the_lists_of_a_volume_say_what_stands_where(tmp_path: Path) -> None:
    texts = {3: "A self-closing hinge, a hinge of steel.", 5: "A closing lever. Steel/brass hinges.", 9: "Brass."}
    pages = [(n, page(n, "not-yet" if n == 9 else f"2026-11-2{n}", text=text)) for n, text in texts.items()]
    site = write_pages(tmp_path, [*pages, (VOLUME + 2, page(VOLUME + 2))])
    search.index(site, [0, 1], expected={0: 3, 1: 1}, report=print)
    bundle = site / "d/0/pagefind"
    listed = json.loads((bundle / "pages.json").read_text())
    assert [row[0] for row in listed["pages"]] == [3, 5, 9]
    assert [listed["days"][row[2]] for row in listed["pages"]] == ["2026-11-23", "2026-11-25", ""]
    assert {row[1] for row in listed["pages"]} == {path.stem for path in (bundle / "fragment").iterdir()}
    digits = [hashlib.sha256(f"record {n}".encode()).hexdigest()[:16] for n in texts]
    assert json.loads((bundle / "hashes.json").read_text()) == digits
    words = {k: v for path in (bundle / "words").iterdir() for k, v in json.loads(path.read_text()).items()}
    assert (words["hinge"], words["hinges"], words["lever"]) == (1, 1, 1)
    assert words["closing"] == [2, 3], "two pages; on page 3 it stands in a form that Pagefind may cut otherwise"
    assert words["brass"] == [2, 5]
    later = json.loads((site / "d/1/pagefind/pages.json").read_text())
    assert (later["first"], later["pages"][0][0]) == (VOLUME, 2)


def test_a_page_without_its_record_stops_the_build(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    (site / "d/0/0.json").unlink()
    with pytest.raises(PressError, match=r"0\.json"):
        index(site, 1)
    (site / "d/0/0.json").write_text("")
    with pytest.raises(ToolError, match=r"0\.json: the record is empty"):
        index(site, 1)


def test_settings_of_pagefind_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = write_pages(tmp_path / "site", [(0, page(0))])
    monkeypatch.setenv("PAGEFIND_EXCLUDE_SELECTORS", "#claim-1")
    monkeypatch.chdir(tmp_path)
    Path("pagefind.yml").write_text('exclude_selectors: ["h1"]\n')
    index(site, 1)
    assert fragments(site)[0]["content"] == "Bracket 0. Abstract. A damped hinge. A bracket of kind0."


def test_scratch_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    (site / ".pagefind-abcd").mkdir()
    index(site, 1)
    assert not list(site.glob(".pagefind-*"))


def test_the_catalogue_lists_what_can_be_searched(tmp_path: Path) -> None:
    pages = [(3, page(3, "2026-11-22")), (5, page(5, "2026-11-21")), (9, page(9, "not-yet")), (VOLUME, page(VOLUME))]
    site = write_pages(tmp_path, pages)
    bundles = search.index(site, [1, 0], expected={0: 3, 1: 1}, report=print)
    data = search.write_catalogue(site).read_bytes()
    assert canonical.loads(data.removesuffix(b"\n")) == {
        "schema": "prior-art-catalogue/v1",
        "pagefind": "1.5.2",
        "volumes": [
            {
                "volume": 0, "first": 3, "last": 9, "pages": 3, "unpublished": 1, "bundle": "d/0/pagefind/",
                "days": [{"day": "2026-11-21", "pages": 1}, {"day": "2026-11-22", "pages": 1}],
                "tag": bundles[0].source_sha256[:16],
            },
            {
                "volume": 1, "first": VOLUME, "last": VOLUME, "pages": 1, "unpublished": 0, "bundle": "d/1/pagefind/",
                "days": [{"day": "2026-11-22", "pages": 1}], "tag": bundles[1].source_sha256[:16],
            },
        ],
    }  # fmt: skip
    shutil.rmtree(site / "d" / "0" / "pagefind" / "fragment")
    search.write_catalogue(site)
    assert b'"volume":0' not in (site / "catalogue.json").read_bytes()


def test_a_catalogue_of_an_empty_site_lists_nothing(tmp_path: Path) -> None:
    assert canonical.loads(search.write_catalogue(tmp_path).read_bytes().removesuffix(b"\n"))["volumes"] == []


def test_bundles_of_two_versions_are_refused(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0)), (VOLUME, page(VOLUME))])
    search.index(site, [0, 1], expected={0: 1, 1: 1}, report=print)
    mark = site / "d/1/pagefind/volume.json"
    mark.write_bytes(mark.read_bytes().replace(b"1.5.2", b"1.5.1"))
    with pytest.raises(ToolError, match=r"1\.5\.1, 1\.5\.2"):
        search.write_catalogue(site)


def test_a_volume_without_disclosures_has_no_bundle(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    index(site, 1)
    (site / "d/0/0.html").unlink()
    assert search.index(site, [0], expected={0: 0}, report=print) == ()
    assert not (site / "d/0/pagefind").exists()


VALUES = st.recursive(st.integers(0, 2**64 - 1) | st.text(max_size=300), lambda inner: st.lists(inner, max_size=30))


@given(value=VALUES)
def test_cbor_round_trip(value: object) -> None:
    assert pagefind._decode(pagefind._encode(value)) == value


@given(value=VALUES, cut=st.integers(0, 10_000))
def test_torn_cbor_is_refused(value: object, cut: int) -> None:
    data = pagefind._encode(value)
    with pytest.raises(ValueError, match=r"CBOR|utf-8"):
        pagefind._decode(data[: cut % len(data)])
    with pytest.raises(ValueError, match=r"CBOR|utf-8"):
        pagefind._decode(data + b"\x00")


def test_what_pagefind_writes_is_the_shortest_cbor(tmp_path: Path) -> None:
    """Our encoder and Pagefind's agree byte for byte, so nothing but order is changed."""
    site = write_pages(tmp_path, [(n, page(n)) for n in range(300)])
    pagefind.run(pagefind.find_program(), site / "d" / "0", tmp_path / "run", "the test", 60)
    packed = [*(tmp_path / "run").glob("*.pf_meta"), *(tmp_path / "run" / "filter").iterdir()]
    assert len(packed) == 3
    for path in packed:
        data = pagefind.unpack(path)
        assert pagefind._encode(pagefind._decode(data)) == data


def test_the_guard_stands_before_the_worker(tmp_path: Path) -> None:
    site = write_pages(tmp_path, [(0, page(0))])
    index(site, 1)
    assert (site / "pagefind/pagefind-worker.js").read_text().startswith(pagefind.WORKER_GUARD)
    assert os.access(site / "pagefind/pagefind-worker.js", os.R_OK)
    assert gzip.decompress((site / "pagefind/wasm.en.pagefind").read_bytes())[:12] == pagefind.SIGNATURE
