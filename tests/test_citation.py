"""Citations: exact texts, and that no title can break out of its field in any of the four formats."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from site_fixture import PUBLISHED, patents, settings

from generator.base.canonical import text_problem
from generator.log.archive import LoggedRecord
from generator.record.record import Record
from generator.site.citation import bibtex, citations, csl_json, examiner_line, ris

TITLES = st.text(min_size=1, max_size=60).map(lambda t: " ".join(t.split())).filter(lambda t: t and not text_problem(t))


def logged(record: Record, published: str = PUBLISHED, serial: int = 123) -> LoggedRecord:
    return LoggedRecord(serial, record.to_bytes(), record, "", 124, published, ())


def titled(title: str, published: str = PUBLISHED) -> LoggedRecord:
    record = patents()[1]
    return logged(replace(record, disclosure=replace(record.disclosure, title=title)), published)


def test_examiner_line_has_what_the_forms_ask_for() -> None:
    assert examiner_line(logged(patents()[1]), settings()) == (
        "PRIOR ART PRESS, “Method for scheduling battery swaps of delivery robots”, Disclosure PAP-0000123 "
        "(machine-generated), published 2026-11-22T03:14:07Z, Prior Art Press, "
        "http://127.0.0.1:8123/repo/d/0/123.html [retrieved on YYYY-MM-DD]."
    )


def test_bibtex_of_a_plain_title() -> None:
    text = bibtex(logged(patents()[1]), settings())
    assert text.startswith("@techreport{PAP-0000123,\n  author = {{Prior Art Press}},\n  title = {{Method for")
    assert "  year = {2026},\n  date = {2026-11-22},\n" in text
    assert text.endswith(",\n}")


def test_bibtex_escapes_what_tex_reads() -> None:
    text = bibtex(titled("100% of $5 & a_b {x} \\end #1 ~^"), settings())
    expected = (
        r"100\% of \$5 \& a\_b {\textbraceleft}x{\textbraceright} {\textbackslash}end \#1 "
        r"{\textasciitilde}{\textasciicircum}"
    )
    assert f"  title = {{{{{expected}}}}},\n" in text


@given(TITLES)
def test_bibtex_keeps_its_braces_balanced_and_its_fields_on_their_lines(title: str) -> None:
    lines = bibtex(titled(title), settings()).split("\n")
    assert [line.partition(" =")[0] for line in lines[1:-1]] == [
        *("  author", "  title", "  institution", "  type", "  number"),
        *("  year", "  date", "  url", "  urldate", "  note"),
    ]
    for line in lines[1:-1]:
        depth = 0
        for character in line:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
        assert depth == 0
        assert line.endswith("},")


@given(TITLES)
def test_ris_has_one_line_per_field(title: str) -> None:
    lines = ris(titled(title), settings()).split("\n")
    assert [line[:6] for line in lines] == [
        f"{tag}  - " for tag in ("TY", "AU", "TI", "PY", "DA", "PB", "M3", "SN", "LA", "UR", "Y2", "N1", "ER")
    ]
    assert lines[2] == f"TI  - {title}"


@given(TITLES)
def test_csl_json_gives_the_title_back(title: str) -> None:
    (item,) = json.loads(csl_json(titled(title), settings()))
    assert item["title"] == title
    assert item["issued"] == {"date-parts": [[2026, 11, 22]]}
    assert item["author"] == [{"literal": "Prior Art Press"}]


@pytest.mark.parametrize("form", ["examiner", "bibtex", "ris", "csl"])
def test_what_is_not_published_has_no_publication_date(form: str) -> None:
    (citation,) = (c for c in citations(logged(patents()[1], published=""), settings()) if c.key == form)
    assert "not yet published" in citation.text.lower()
    dates = re.findall(r"\b20\d\d\b", citation.text.replace(patents()[1].sha256, ""))
    assert dates == []


def test_a_site_address_cannot_end_the_bibtex_field() -> None:
    text = bibtex(logged(patents()[1]), settings(site_url="https://press.example/a}b{c/"))
    assert "  url = {https://press.example/a%7Db%7Bc/d/0/123.html},\n" in text
