"""The whole road with every real part: the shipped model, checks, log, site, index, Chromium, verify."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import facts
import jsonschema
import pytest
from browsing import Visit, serve

from generator.commands.cli import main
from generator.log.archive import record_path

COUNT = 2


def command(*words: object) -> int:
    """The exit code; a command that returns has said yes."""
    try:
        main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("road") / "demo"
    assert command("demo", "--root", folder, "--count", COUNT, "--no-serve", "--profile", "starter") == 0
    return folder


def test_every_disclosure_verifies_offline_by_serial_by_file_and_all_at_once(root: Path) -> None:
    assert command("verify", root / "output", "--root", root) == 0
    assert command("verify", root / "output" / "site", "--root", root) == 0
    assert command("check", "--root", root) == 0
    for serial in range(COUNT):
        assert command("verify", serial, "--root", root) == 0
        assert command("verify", root / "output" / "site" / "d" / "0" / f"{serial}.html", "--root", root) == 0


def test_a_changed_record_does_not_verify(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "demo"))
    path = record_path(copy / "output", 1)
    path.write_bytes(path.read_bytes().replace(b"method", b"mathod", 1).replace(b" the ", b" tha ", 1))
    assert command("verify", 1, "--root", copy) == 1
    assert command("verify", copy / "output", "--root", copy) == 1
    assert "names another record" in "".join(capsys.readouterr())


def test_the_texts_come_from_the_shipped_model_and_say_so(root: Path) -> None:
    for serial in range(COUNT):
        record = json.loads(record_path(root / "output", serial).read_bytes())
        assert record["generation"]["demonstration"]
        assert record["generation"]["model"] == "starter"
        assert record["generation"]["new_tokens"] > 50
        page = (root / "output" / "site" / "d" / "0" / f"{serial}.html").read_text("utf-8")
        assert "demonstration model" in page
    assert len(list((root / "output" / "runs").glob("*.json"))) == 1


def test_every_gate_has_judged_what_is_published(root: Path) -> None:
    (report,) = ((json.loads(path.read_bytes())) for path in (root / "output" / "runs").glob("*.json"))
    assert report["corpus"]["documents"] == 160
    assert sum(row["assessed"] for row in report["ladder"]) == COUNT
    for logged in facts.logged(root / "output", 0):
        assert logged.judgement is not None
        assert logged.judgement.chart is not None
        assert logged.judgement.copying.longest_run < 25
        assert logged.judgement.copying.similarity < 800
        assert logged.judgement.classification.subclasses
        page = (root / "output" / "site" / "d" / "0" / f"{logged.serial}.html").read_text("utf-8")
        assert "press-chart" in page
        assert "reference corpus of 160 documents" in page


def test_the_quality_page_tells_what_the_run_came_to(root: Path, chromium: Any) -> None:
    with serve(root / "output" / "site") as server:
        visit = Visit(chromium)
        visit.open(f"{server.url}quality.html")
        text = visit.page.locator("article").inner_text()
        drafts = json.loads(next((root / "output" / "runs").glob("*.json")).read_bytes())["drafts"]
        assert f"from 1 run: {drafts} drafts, {COUNT} accepted" in text
        assert "near chimera" in text
        assert visit.page.locator("figure svg[role=img]").count() >= 3
        assert visit.errors == []


def test_the_catalogue_fits_its_schema(root: Path) -> None:
    site = root / "output" / "site"
    data = (site / "catalogue.json").read_bytes()
    validator = jsonschema.Draft202012Validator(json.loads((site / "assets" / "catalogue.schema.json").read_bytes()))
    validator.validate(json.loads(data))
    for wrong in (b'"volume":-1', b'"volume":0,"more":1', b'"volume":"0"'):
        assert not validator.is_valid(json.loads(data.replace(b'"volume":0', wrong)))


def rarest(root: Path) -> tuple[int, str]:
    """A disclosure and a word of its claims; no other has a form of that word, which a search would find too."""
    claims, whole = {}, {}
    for serial in range(COUNT):
        record = json.loads(record_path(root / "output", serial).read_bytes())
        texts = [claim["text"] for claim in record["claims"]]
        claims[serial] = set(re.findall(r"\b[a-z]{5,}\b", " ".join(texts)))
        texts += [record["title"], record["abstract"], *(paragraph["text"] for paragraph in record["description"])]
        whole[serial] = " ".join(texts).lower()
    for serial, words in claims.items():
        others = [text for other, text in whole.items() if other != serial]
        if own := sorted(word for word in words if not any(word[:5] in text for text in others)):
            return serial, own[0]
    raise AssertionError("the two disclosures have the same words")


def test_from_the_home_page_to_a_verified_claim_and_its_citation(root: Path, chromium: Any) -> None:
    serial, word = rarest(root)
    with serve(root / "output" / "site") as server:
        visit = Visit(chromium, permissions=["clipboard-read", "clipboard-write"])
        page = visit.open(server.url)
        page.get_by_label("Search titles").fill(word)
        page.keyboard.press("Enter")
        result = page.locator(".search-result")
        result.first.wait_for()
        assert result.count() == 1
        result.locator("h2 a").click()
        page.wait_for_url(re.compile(rf"/d/0/{serial}\.html"))
        assert visit.state() == "verified", visit.status()
        page.hover("#claim-1")
        page.get_by_role("button", name="Copy citation of claim 1", exact=True).click()
        cited = page.evaluate("navigator.clipboard.readText()")
        assert cited.startswith(f"DEMO-{serial:07d}, claim 1, http")
        assert cited.endswith(f"/d/0/{serial}.html#claim-1")
        page.goto(f"{server.url}d/0/{serial}.html#claim-1")
        assert page.locator("#claim-1:target").is_visible()
        page.get_by_role("button", name="Copy Examiner (PTO-892)").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert f"DEMO-{serial:07d}" in copied
        assert "[retrieved on 20" in copied
        assert all(url.startswith(server.url) for url in visit.requests if url.startswith("http"))
        visit.context.close()


def test_the_box_names_what_is_not_the_records(root: Path, tmp_path: Path, chromium: Any) -> None:
    site = Path(shutil.copytree(root / "output" / "site", tmp_path / "site"))
    path = site / "d" / "0" / "0.html"
    text = path.read_text(encoding="utf-8")
    published = re.search(r'<time data-fact="published" datetime="([^"]*)"', text)
    assert published is not None
    path.write_text(text.replace(published[1], "2019-01-02T03:04:05Z"), encoding="utf-8")
    with serve(site) as server:
        visit = Visit(chromium)
        visit.open(f"{server.url}d/0/0.html")
        assert visit.state() == "failed"
        assert visit.status().startswith("Verification failed: published 1 on this page is not the record's")
        visit.context.close()
