"""Citations: exact texts, what real parsers read of them, and that no title can break out of its field in any form."""

import json
import re
from dataclasses import replace
from typing import Any

import bibtexparser
import judgements
import pytest
import rispy
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from hypothesis import given
from hypothesis import strategies as st
from site_fixture import PUBLISHED, patents, settings

from generator.base.canonical import text_problem
from generator.log.archive import LoggedRecord
from generator.record.record import Record
from generator.record.unicode_version import unassigned
from generator.site.citation import bibtex, citation_files, citations, csl_json, ris

TITLES = (
    st.text(min_size=1, max_size=60)
    .map(lambda t: " ".join(t.split()))
    .filter(lambda t: t and not text_problem(t) and not unassigned(t))
)
PAGE = "http://127.0.0.1:8123/repo/d/0/123.html"
TITLE = "Method for scheduling battery swaps of delivery robots"


def logged(record: Record, published: str = PUBLISHED, serial: int = 123) -> LoggedRecord:
    return LoggedRecord(serial, record.to_bytes(), record, "", 124, published, (), judgements.OBVIOUS)


def titled(title: str, published: str = PUBLISHED) -> LoggedRecord:
    record = patents()[1]
    return logged(replace(record, disclosure=replace(record.disclosure, title=title)), published)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "examiner",
            f"PRIOR ART PRESS, “{TITLE}”, Disclosure PAP-0000123 (machine-generated) [online], Prior Art Press, "
            f"published 2026-11-22T03:14:07Z, [retrieved on YYYY-MM-DD]. Retrieved from the Internet: <URL: {PAGE}>|.",
        ),
        (
            "applicant",
            f"PRIOR ART PRESS, “{TITLE}”, Disclosure PAP-0000123 (machine-generated), 2026-11-22|, Prior Art Press, "
            f"{PAGE} [retrieved on YYYY-MM-DD].",
        ),
        (
            "third-party",
            f"Author (if any): Prior Art Press\nTitle: {TITLE}\nItem: Disclosure PAP-0000123 (machine-generated)\n"
            "Publication date: 11/22/2026\nPages or passages: |whole document|\nPublisher: Prior Art Press\n"
            f"Place of publication: {PAGE} [retrieved on YYYY-MM-DD]",
        ),
        (
            "epo",
            f"PRIOR ART PRESS: “{TITLE}”, Disclosure PAP-0000123 (machine-generated), 22 November 2026 (2026-11-22)|, "
            f"Retrieved from the Internet: URL:{PAGE} [retrieved on YYYY-MM-DD]",
        ),
        (
            "st14",
            f"PRIOR ART PRESS. {TITLE} [online]. Disclosure PAP-0000123 (machine-generated). Prior Art Press, "
            f"2026-11-22 [retrieved on YYYY-MM-DD]. Retrieved from the Internet: <URL: {PAGE}>|.",
        ),
    ],
)
def test_prose_forms_have_what_they_ask_for_and_a_place_for_a_pin_cite(key: str, text: str) -> None:
    (form,) = (form for form in citations(logged(patents()[1]), settings()) if form.key == key)
    first, last = form.pin
    marked = form.text[:first] + "|" + (form.text[first:last] + "|" if last > first else "") + form.text[last:]
    assert marked == text


def test_bibtex_of_a_plain_title() -> None:
    text = bibtex(logged(patents()[1]), settings())
    assert text.startswith("@techreport{PAP-0000123,\n  author = {{Prior Art Press}},\n  title = {{Method for")
    assert "  year = {2026},\n  month = nov,\n  date = {2026-11-22},\n" in text
    assert text.endswith(",\n}")


def test_bibtex_escapes_what_tex_reads() -> None:
    text = bibtex(titled("100% of $5 & a_b {x} \\end #1 ~^"), settings())
    expected = (
        r"100\% of \$5 \& a\_b {\textbraceleft}x{\textbraceright} {\textbackslash}end \#1 "
        r"{\textasciitilde}{\textasciicircum}"
    )
    assert f"  title = {{{{{expected}}}}},\n" in text


@given(TITLES)
def test_bibtexparser_reads_the_file(title: str) -> None:
    library = bibtexparser.parse_string(citation_files(titled(title), settings())[".bib"])
    assert library.failed_blocks == []
    (entry,) = library.entries
    assert (entry.entry_type, entry.key) == ("techreport", "PAP-0000123")
    fields = {field.key: field.value for field in entry.fields}
    assert list(fields) == [
        *("author", "title", "institution", "type", "number"),
        *("year", "month", "date", "url", "note"),
    ]
    assert fields["url"] == PAGE


@given(TITLES)
def test_bibtex_keeps_its_braces_balanced(title: str) -> None:
    for line in bibtex(titled(title), settings()).split("\n")[1:-1]:
        depth = 0
        for character in line:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
        assert depth == 0
        assert line.endswith(",")


@given(TITLES)
def test_rispy_reads_the_file(title: str) -> None:
    item = titled(title)
    (entry,) = rispy.loads(citation_files(item, settings())[".ris"])
    assert entry["type_of_reference"] == "RPRT"
    assert entry["title"] == title
    assert entry["authors"] == ["Prior Art Press"]
    assert (entry["year"], entry["date"]) == ("2026", "2026/11/22")
    assert entry["urls"] == [PAGE]
    assert entry["keywords"] == ["A01G"]
    assert entry["abstract"] == item.record.disclosure.abstract
    assert "access_date" not in entry, "a file does not know when it is read"


@given(TITLES)
def test_ris_has_one_line_per_field(title: str) -> None:
    lines = ris(titled(title), settings()).split("\n")
    assert [line[:6] for line in lines] == [
        f"{tag}  - " for tag in ("TY", "AU", "TI", "PY", "DA", "PB", "M3", "SN", "LA", "UR", "AB", "KW", "N1", "ER")
    ]
    assert lines[2] == f"TI  - {title}"


@given(TITLES)
def test_csl_json_gives_the_title_back(title: str) -> None:
    (item,) = json.loads(csl_json(titled(title), settings()))
    assert item["title"] == title
    assert item["issued"] == {"date-parts": [[2026, 11, 22]]}
    assert "accessed" not in item, "a file does not know when it is read"
    assert item["author"] == [{"literal": "Prior Art Press"}]


def test_citeproc_prints_the_file() -> None:
    items: list[dict[str, Any]] = json.loads(citation_files(logged(patents()[1]), settings())[".csl.json"])
    items[0]["id"] = "one"
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON(items), formatter.plain)
    bibliography.register(Citation([CitationItem("one")]))
    (printed,) = (str(entry) for entry in bibliography.bibliography())
    assert TITLE in printed
    assert PAGE in printed


def test_what_is_not_published_has_no_publication_date() -> None:
    item = logged(patents()[1], published="")
    shown = [form.text for form in citations(item, settings())]
    for text in (*shown, *citation_files(item, settings()).values()):
        assert "not yet published" in text.lower()
        assert re.findall(r"\b20\d\d\b", text.replace(patents()[1].sha256, "")) == []


def test_a_site_address_cannot_end_the_bibtex_field() -> None:
    text = bibtex(logged(patents()[1]), settings(site_url="https://press.example/a}b{c/"))
    assert "  url = {https://press.example/a%7Db%7Bc/d/0/123.html},\n" in text


@given(TITLES)
def test_no_title_moves_the_place_of_the_pin_cite(title: str) -> None:
    for form in citations(titled(title), settings()):
        assert form.text[slice(*form.pin)] in ("", "whole document")
        assert form.text[form.pin[1]] in ",.\n"
