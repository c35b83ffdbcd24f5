"""The text form and the citations beside a page: `verify` of a site compares them, and names what is forged."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from site_fixture import KEY, PUBLISHED, build_site, patents, write_archive
from test_forged_pages import TITLES
from test_verify import no_network

from generator.base.errors import VerificationError
from generator.base.escaping import escape
from generator.log.superseding import queue_review
from generator.record.disclosure import Paragraph
from generator.site.metadata import front_matter
from generator.verify.audit import Step
from generator.verify.page_files import _facts, _plain
from generator.verify.verify import verify

VKEY = KEY.verification_key.text
REVIEWED = "Ada Example: mechanical engineer, #1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Titles that each format escapes, a disclosure that supersedes another, descriptions, and one without a date."""
    output = tmp_path_factory.mktemp("files")
    first = patents()[0]
    hard = [
        replace(
            first,
            disclosure=replace(
                first.disclosure,
                title=title,
                abstract=f"- {title}",
                description=(Paragraph("model", f"1. {title}"), Paragraph("restated", "A claim again.")),
            ),
            publisher=f"{title[:40].strip()}: #1",
        )
        for title in TITLES
    ]
    write_archive(output, [*patents(), *hard], [(PUBLISHED, [0, *range(3, 3 + len(hard))])])
    queue_review(output, 0, REVIEWED)
    facts.append(output, KEY)
    return build_site(output).folder


def steps(site: Path) -> dict[str, Step]:
    return {step.name: step for step in verify(str(site), site, VKEY, fetch=no_network)}


def test_true_files_hold(site: Path) -> None:
    assert steps(site)["files"].text.startswith(f"{4 * (4 + len(TITLES))} text forms and citations")


def _swap(old: str, new: str) -> Callable[[str], str]:
    def forge(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return forge


def _line(before: str, line: str) -> Callable[[str], str]:
    return _swap(before, f"{line}\n{before}")


TEXT_FORM = {
    "date": _swap("published: '2026", "published: '2019"),
    "date in words": _line("record_sha256:", "published_on: 1 May 2019"),
    "not yet published": _line("record_sha256:", "not_yet_published: true"),
    "title of the facts": _swap("title: ", "title: Granted "),
    "comment": _swap("license: CC0-1.0", "license: CC0-1.0 # reviewed by the Patent Office"),
    "licence": _swap("license: CC0-1.0", "license: MIT"),
    "publisher": _swap("publisher: ", "publisher: The "),
    "hash": _swap("record_sha256: ", "record_sha256: 0"),
    "number": _swap("id: PAP-0000000", "id: PAP-0000001"),
    "superseding": _swap("id: PAP-0000009", "id: PAP-0000001"),
    "what supersedes it is left out": lambda text: (
        text.replace(text[text.index("superseded_by") : text.index("record_sha256")], "", 1)
    ),
    "address": _swap("page: http://127", "page: http://evil.example/http://127"),
    "address of the record": _swap("/d/0/0.json", "/d/0/1.json"),
    "title": _swap("# Irrigation", "# Granted irrigation"),
    "abstract": _swap("needs neither", "needs"),
    "claim": _swap("20 kPa", "10 kPa"),
    "claim added": _line("## Description", "7. A wheel.\n{: #claim-7 data-fact=claim }\n"),
    "claim lost": lambda text: re.sub(r"6\. The method .*\n", "", text),
    "number of a claim": _swap("2. The irrigation", "3. The irrigation"),
    "reference of a claim": _swap("[claim 3](#claim-3)", "[claim 1](#claim-3)"),
    "paragraph": _swap("1.2 N/mm", "1.3 N/mm"),
    "number of a paragraph": _swap(r"[\[0002\]](#p-0002)", r"[\[0003\]](#p-0002)"),
    "paragraph added": lambda text: text + "\nReviewed by the Patent Office.\n",
    "mark": _swap("{: #title }", "{: #title title=granted }"),
    "style": _swap("{: #title }", '{: #title style="display: none" }'),
    "link": _swap("(#claim-1)", "(https://evil.example)"),
    "link of one's own": _swap("## Abstract", "## [Abstract](https://evil.example)"),
    "picture": _swap("## Abstract", "![Granted](x.png)\n\n## Abstract"),
    "emphasis": _swap("A valve for", "A **valve** for"),
    "markup": _swap("A valve for", "A <b>valve</b> for"),
    "comment of HTML": _swap("## Abstract", "<!-- granted -->\n## Abstract"),
    "entity": _swap("A valve for", "A&nbsp;valve for"),
    "no facts": lambda text: text.partition("---\n\n")[2],
    "text before the facts": lambda text: "Granted.\n" + text,
    "nothing": lambda _: "",
    "CR LF": lambda text: text.replace("\n", "\r\n"),
}  # fmt: skip
CITED = {
    ".bib": {
        "year": _swap("year = {2026}", "year = {2019}"),
        "month": _swap("month = nov", "month = jan"),
        "day": _swap("date = {2026-11-22}", "date = {2019-11-22}"),
        "time": _swap("T03:14:07Z", "T03:14:08Z"),
        "title": _swap("Irrigation valve", "Granted valve"),
        "note": _swap("Machine-generated by starter.", "Reviewed by the EPO."),
        "address": _swap("http://127", "http://evil.example/127"),
        "second entry": lambda text: text + text.replace("PAP-0000000", "PAP-0000001"),
        "words after": lambda text: text + "Granted\n",
        "nothing": lambda _: "",
    },
    ".ris": {
        "year": _swap("PY  - 2026", "PY  - 2019"),
        "day": _swap("DA  - 2026/11/22", "DA  - 2026/01/02"),
        "author": _swap("AU  - Prior Art Press", "AU  - Bell"),
        "keyword": _swap("ER  -", "KW  - perpetual motion\nER  -"),
        "number": _swap("PAP-0000000", "PAP-0000001"),
    },
    ".csl.json": {
        "day": _swap("[[2026, 11, 22]]", "[[2019, 11, 22]]"),
        "title": _swap("Irrigation valve", "Granted valve"),
        "editor": _swap('"genre": "Disclosure"', '"genre": "Disclosure", "editor": "Bell"'),
        "genre": _swap('"genre": "Disclosure"', '"genre": "Patent"'),
        "hash": _swap("SHA-256 ", "SHA-256 0"),
    },
}  # fmt: skip
FORGED = [(".md", name, forge) for name, forge in TEXT_FORM.items()]
FORGED += [(suffix, name, forge) for suffix, forms in CITED.items() for name, forge in forms.items()]


@pytest.mark.parametrize(
    ("suffix", "forge"),
    [(suffix, forge) for suffix, _, forge in FORGED],
    ids=[f"{suffix} {name}" for suffix, name, _ in FORGED],
)
def test_what_is_forged_is_named(site: Path, suffix: str, forge: Callable[[str], str]) -> None:
    refused(site / "d" / "0" / f"0{suffix}", forge, site)


def refused(place: Path, forge: Callable[[str], str], site: Path) -> None:
    text = place.read_text(encoding="utf-8")
    forged = forge(text)
    assert forged != text
    place.write_text(forged, encoding="utf-8", newline="")
    try:
        with pytest.raises(VerificationError) as caught:
            steps(site)
    finally:
        place.write_text(text, encoding="utf-8", newline="")
    assert f"{place.name}: " in str(caught.value)


def test_a_date_before_there_is_one(site: Path) -> None:
    """Disclosure 1 is in the log and not yet dated."""
    for suffix, old, new in ((".md", "not_yet_published: true", "published: '2026-11-22T03:14:07Z'"),
                             (".bib", "Not yet published", "Published 2026-11-22")):  # fmt: skip
        refused(site / "d" / "0" / f"1{suffix}", _swap(old, new), site)


LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).map(str.strip).filter(bool)


@given(LINES, LINES)
def test_what_the_site_writes_is_what_is_read(title: str, publisher: str) -> None:
    """YAML's quotes and Markdown's entities are undone to the letter, whatever a text holds."""
    values = {"title": title, "publisher": publisher, "superseded_by": {"id": "PAP-0000001", "path": "d/0/1.html"}}
    front = front_matter(values).split("---\n")[1] if "---\n" not in title + publisher else None
    if front is not None:
        wanted = [f"title: {title}", f"publisher: {publisher}", "superseded_by: ", "    id: PAP-0000001"]
        assert _facts(front) == [*wanted, "    path: d/0/1.html"]
    assert _plain(f"{escape(title)} {{: #abstract-text data-fact=abstract }}") == title
