"""Every forged fact of a page is refused and named: by `prior-art verify` of the saved file, and in Chromium."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from browsing import Server, Visit, serve
from forgeries import FORGERIES, Forgery
from site_fixture import KEY, PUBLISHED, build_site, patents, write_archive
from test_verify import no_network

from generator.base.errors import PressError, VerificationError
from generator.verify.audit import Step
from generator.verify.page_words import CITATION, LABELS, SHOWN
from generator.verify.verify import verify

VKEY = KEY.verification_key.text
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("forged")
    write_archive(output, patents(), [(PUBLISHED, [0, 1])])
    folder = build_site(output).folder
    page = (folder / "d" / "0" / "0.html").read_text(encoding="utf-8")
    for number, one in enumerate(FORGERIES):
        forged = one.forge(page)
        assert forged != page
        (folder / "d" / "0" / f"forged-{number}.html").write_text(forged, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    with serve(site) as running:
        yield running


def steps(path: Path) -> list[Step]:
    return list(verify(str(path), path.parent, VKEY, fetch=no_network))


def test_there_are_fifty() -> None:
    assert len({one.name for one in FORGERIES}) >= 50


def test_a_saved_page_is_enough(site: Path, tmp_path: Path) -> None:
    """As HTML, with other line ends, and as MHTML; alone in a folder, and without a network."""
    page = (site / "d" / "0" / "0.html").read_bytes()
    archive = EmailMessage()
    archive.set_content(page.decode(), subtype="html", cte="quoted-printable")
    saved = {
        "0.html": page,
        "crlf.html": page.replace(b"\n", b"\r\n"),
        "bom.HTM": b"\xef\xbb\xbf" + page,
        "0.mhtml": archive.as_bytes(),
    }
    for name, data in saved.items():
        (tmp_path / name).write_bytes(data)
        found = {step.name: step for step in steps(tmp_path / name)}
        assert found["published"].text == f"{PUBLISHED} (the publisher's clock, entry 3, evidence)"
        assert {name for name, step in found.items() if not step.holds} == {
            "not compared", "existed by", "public by", "created",
        }  # fmt: skip


@pytest.mark.parametrize("number", range(len(FORGERIES)), ids=lambda number: FORGERIES[number].name)
def test_the_program_names_what_is_forged(site: Path, number: int) -> None:
    with pytest.raises(VerificationError) as caught:
        steps(site / "d" / "0" / f"forged-{number}.html")
    assert any(word in str(caught.value) for word in FORGERIES[number].fact.split()), caught.value


@pytest.mark.parametrize("number", range(len(FORGERIES)), ids=lambda number: FORGERIES[number].name)
def test_the_page_turns_red_and_names_it(visit: Visit, server: Server, number: int) -> None:
    one: Forgery = FORGERIES[number]
    visit.open(f"{server.url}d/0/forged-{number}.html")
    assert visit.state() == "failed", visit.status()
    assert any(word in visit.status() for word in one.fact.split()), visit.status()


def test_a_true_page_verifies_after_a_forged_one(visit: Visit, server: Server) -> None:
    for name, state in (("forged-0", "failed"), ("0", "verified"), ("forged-1", "failed"), ("0", "verified")):
        visit.open(f"{server.url}d/0/{name}.html")
        assert visit.state() == state, visit.status()


def test_a_page_that_carries_nothing_is_no_answer(site: Path, tmp_path: Path) -> None:
    text = (site / "d" / "0" / "0.html").read_text(encoding="utf-8")
    (tmp_path / "0.html").write_text(text.replace("data-evidence=", "data-other="), encoding="utf-8")
    for suffix in (".json", ".proof"):
        (tmp_path / f"0{suffix}").write_bytes((site / "d" / "0" / f"0{suffix}").read_bytes())
    for name in ("0.html", "empty.html", "absent.html", "0.md"):
        if name.startswith("empty"):
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(PressError) as caught:
            steps(tmp_path / name)
        assert caught.value.exit_code == 2
    assert steps(tmp_path / "0.json")


TITLES = (
    'A hinge <a href="https://other.example/x_1?a=1#b">of</a> {braces} \\ and ~ 100 % & $5 #3 ^2',
    "Straße of 2019-03-04, Disclosure PAP and claim 1",
    "Not yet published: a valve [online]",
    "\\textbraceleft and {\\textbackslash}",
    "漢字 ǅ ﬁ İ ß",
)


def test_a_record_may_hold_anything_that_a_citation_escapes(tmp_path: Path, visit: Visit) -> None:
    """Both verifiers read citations of titles, abstracts and publishers with marks of BibTeX, JSON, RIS and HTML."""
    first = patents()[0]
    hard = [
        replace(
            first,
            disclosure=replace(first.disclosure, title=title, abstract=f"It is {title}."),
            publisher=title.replace("ß", "SS")[:60].strip(),
        )
        for title in TITLES
    ]
    write_archive(tmp_path, hard, [(PUBLISHED, list(range(len(hard))))])
    site = build_site(tmp_path).folder
    with serve(site) as running:
        for number in range(len(hard)):
            assert {step.name for step in steps(site / "d" / "0" / f"{number}.html")} >= {"page", "published"}
            visit.open(f"{running.url}d/0/{number}.html")
            assert visit.state() == "verified", (TITLES[number], visit.status())


def test_evidence_of_another_log_or_of_an_invented_date(site: Path, tmp_path: Path) -> None:
    """The page and its evidence agree on a date that no log has."""
    text = (site / "d" / "0" / "0.html").read_text(encoding="utf-8")
    evidence = (site / "d" / "0" / "0.evidence").read_text(encoding="utf-8")
    entry = next(line for line in evidence.split("\n") if line.startswith("entry 3 "))
    forged = base64.b64decode(entry.split()[2]).decode().replace(PUBLISHED, "2019-01-02T03:04:05Z")
    other = evidence.replace(entry, f"entry 3 {base64.b64encode(forged.encode()).decode()}")
    page = text.replace(evidence, other)
    assert page != text
    (tmp_path / "0.html").write_text(page, encoding="utf-8")
    with pytest.raises(VerificationError, match="does not lead from entry 3"):
        steps(tmp_path / "0.html")


def test_the_two_lists_of_words_are_one() -> None:
    script = (ROOT / "site_templates" / "assets" / "verify-page.js").read_text(encoding="utf-8")
    words = script.partition("LABELS = new Set([")[2].partition("]);")[0]
    assert set(json.loads(f"[{words.strip().removesuffix(',')}]")) == LABELS
    for name, own in (("CITATION = new Set(", CITATION), ("SHOWN = ", SHOWN)):
        words = script.partition(f"const {name}(")[2].partition(").split(")[0]
        assert set("".join(re.findall('"([^"]*)"', words)).split()) == own
