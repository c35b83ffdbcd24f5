"""Markdown pages: model text is inert whatever it holds, and a page is a pure function of its inputs."""

import html.parser
import re
from pathlib import Path
from typing import Any

import judgements
import markdown
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mkdocs.utils.meta import get_data
from site_fixture import DOCS, PUBLISHED, ROOT, TEMPLATES, patents, record, settings

from generator.base.canonical import text_problem
from generator.base.errors import ConfigError
from generator.log.archive import LoggedRecord
from generator.record.disclosure import Claim, Finding, Paragraph
from generator.record.judgement import Judgement
from generator.record.record import Record
from generator.site.metadata import claim_tree, front_matter, metadata
from generator.site.pages import escape, link_claims, minute, own_paragraphs, render, render_page, render_text

EXTENSIONS = ["toc", "tables", "fenced_code", "attr_list", "admonition", "def_list", "footnotes", "abbr", "md_in_html"]
PROOF = "c2sp.org/tlog-proof@v1\n"
CASES = ROOT / "tests" / "cases" / "pages"

# Pieces that mean something to Markdown, its extensions, HTML, YAML or Jinja, mixed with ordinary text.
PIECES = st.sampled_from(
    [
        *(
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<!--",
            "-->",
            "</h1>",
            "<?php",
            "<![CDATA[",
            "&lt;",
        ),
        *(
            "&#60;",
            "&copy",
            "&amp;",
            "[x](http://evil.example)",
            "![x](http://evil.example/x.png)",
            "](javascript:alert(1))",
        ),
        *(
            "<http://evil.example>",
            "[x]: http://evil.example",
            "[^1]: note",
            "*[HTML]: x",
            "[TOC]",
            "{: onclick=alert(1) }",
        ),
        *(
            "{: #id .class }",
            "{{ 7*7 }}",
            "{% raw %}",
            "{# x #}",
            "---",
            "***",
            "___",
            "===",
            "- a",
            "+ b",
            "* c",
            "1. d",
        ),
        *(
            "2) e",
            "# f",
            "> g",
            "~~~",
            "```",
            "`code`",
            "**bold**",
            "_it_",
            "\\*",
            "\\",
            "| a | b |",
            "!!! note",
            ": def",
        ),
        *(
            "\u00a0",
            "  ",
            " ",
            "a",
            "claim 1",
            "klzzwxh:0001",
            "wzxhzdk:0",
            "é",
            "漢字",
            "\U0001f600",
            "\u200b",
            "'",
            '"',
            "$x$",
        ),
    ]
)
LINES = (
    st.lists(st.one_of(PIECES, st.text(max_size=8)), min_size=1, max_size=12)
    .map(lambda parts: "".join(parts).strip())
    .filter(lambda t: t and not text_problem(t) and "\n" not in t)
)


class Reader(html.parser.HTMLParser):
    """The text of HTML, and the start tags in it with their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def read(source: str) -> Reader:
    reader = Reader()
    reader.feed(markdown.markdown(source, extensions=EXTENSIONS))
    reader.close()
    return reader


def logged(
    item: Record, published: str = PUBLISHED, findings: tuple[Finding, ...] = (), judgement: Judgement | None = None
) -> LoggedRecord:
    return LoggedRecord(5, item.to_bytes(), item, PROOF, 6, published, findings, judgement)


@given(LINES)
@example("1986. A great year")
@example("{: onclick=alert(1) }")
@example("x {: #title }")
@example("-")
@example("&#x3c;script&#x3e;")
def test_escaped_text_is_shown_exactly_and_makes_no_element(text: str) -> None:
    reader = read(escape(text))
    assert reader.text == text
    assert reader.tags == [("p", {})]


@given(LINES, LINES, LINES)
def test_escaped_text_is_inert_wherever_a_page_puts_it(title: str, claim: str, paragraph: str) -> None:
    source = (
        f"# {escape(title)} {{: #title }}\n\n1. {escape(claim)}\n{{: #claim-1 }}\n2. second\n{{: #claim-2 }}\n\n"
        f"{escape(paragraph)}\n{{: #p-0001 .para }}\n"
    )
    reader = read(source)
    assert reader.tags == [
        ("h1", {"id": "title"}),
        ("ol", {}),
        ("li", {"id": "claim-1"}),
        ("li", {"id": "claim-2"}),
        ("p", {"class": "para", "id": "p-0001"}),
    ]
    assert reader.text.replace("\n", "") == f"{title}{claim}second{paragraph}"


def test_ordinary_patent_text_stays_readable_in_markdown() -> None:
    text = "A valve (10), e.g. of EPDM - 50 µm; see claim 1, wherein p > 20 kPa."
    assert escape(text) == text.replace(">", "&gt;")


def test_control_characters_and_line_feeds_cannot_reach_markdown() -> None:
    assert escape("a\n\n# b\x02c") == "a  &#35; b\ufffdc"


def test_mentions_of_the_claims_that_a_claim_depends_on_are_links() -> None:
    claim = Claim(9, "The valve of any one of claims 1 to 3 or 7, as in claim 8, having claim 4's <mesh>.", (1, 3, 7))
    assert link_claims(claim) == (
        "The valve of any one of [claims 1](#claim-1) to [3](#claim-3) or [7](#claim-7), as in claim 8, "
        "having claim 4's &lt;mesh&gt;."
    )


def test_a_claim_that_begins_with_its_reference_is_linked_and_inert() -> None:
    assert link_claims(Claim(2, "claim 1. A valve", (1,))) == "[claim 1](#claim-1). A valve"
    assert link_claims(Claim(2, "- of claim 1", (1,))) == "&#45; of [claim 1](#claim-1)"
    assert link_claims(Claim(2, "claim 99999999999999999999 and claim 1", (1,))).endswith("[claim 1](#claim-1)")


@given(LINES, st.sets(st.integers(1, 9), max_size=4))
def test_linking_never_changes_the_text(text: str, parents: set[int]) -> None:
    for mention in ("", " of claim 1", " of claims 2, 3 and 4"):
        reader = read(link_claims(Claim(10, text + mention, tuple(sorted(parents)))))
        assert reader.text == text + mention
        assert {tag for tag, _ in reader.tags} <= {"p", "a"}
        for tag, attributes in reader.tags:
            assert tag == "p" or re.fullmatch(r"#claim-[1-9]", attributes["href"] or "")


VALUES = st.recursive(
    st.one_of(LINES, st.text(max_size=30).filter(lambda t: not text_problem(t)), st.integers(), st.booleans()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, min_size=1, max_size=5))
def test_front_matter_gives_back_what_went_in_when_mkdocs_reads_it(values: dict[str, Any]) -> None:
    body, read_back = get_data(front_matter(values) + "# Body\n")
    assert read_back == values
    assert body == "# Body\n"


@pytest.mark.parametrize("name", ["irrigation", "unpublished"])
def test_golden_pages(name: str) -> None:
    """A page's source and text form, byte for byte; a wanted change is copied into the file from the failure."""
    first, second, _ = patents()
    finding = Finding("C7", "warn", 2, "“the <valve>” has no antecedent")
    page = {"irrigation": logged(first, judgement=judgements.OBVIOUS), "unpublished": logged(second, "", (finding,))}[
        name
    ]
    assert render_page(page, settings(), TEMPLATES) == (CASES / f"{name}.md").read_text(encoding="utf-8")
    assert render_text(page, settings(), TEMPLATES) == (CASES / f"{name}-text.md").read_text(encoding="utf-8")


def test_no_publication_date_is_anywhere_on_an_unpublished_page() -> None:
    page = render_page(logged(patents()[0], published=""), settings(), TEMPLATES)
    assert "not_yet_published: true" in page
    assert "\npublished:" not in page
    left = page.replace("created: '2026-11-21T22:40:00Z'", "").replace("model_revision: '2026-11-20'", "")
    assert re.findall(r"20\d\d-\d\d", left) == []


def test_the_page_is_the_same_whatever_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    page = render_page(logged(patents()[0]), settings(), TEMPLATES)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert render_page(logged(patents()[0]), settings(), TEMPLATES) == page


def test_metadata_names_everything_that_the_header_shows() -> None:
    values = metadata(logged(patents()[0]), settings(prefix="XYZ"))
    assert values["id"] == "XYZ-0000005"
    assert values["record_sha256"] == patents()[0].sha256
    assert values["record"] == "http://127.0.0.1:8123/repo/d/0/5.json"
    assert len(values["summary"]) <= 300
    assert (values["log_index"], values["checkpoint_size"], values["seed"]) == (5, 6, "00000000000001f4")


def test_paragraphs_keep_their_numbers_and_restatements_are_not_shown() -> None:
    paragraphs = [
        Paragraph("model", "a"),
        Paragraph("restated", "b"),
        Paragraph("restated", "c"),
        Paragraph("model", "*d"),
    ]
    assert own_paragraphs(paragraphs) == ((1, "a"), (4, "&#42;d"))
    page = render_page(logged(record("T", "An abstract.", ["A thing."], paragraphs)), settings(), TEMPLATES)
    assert "{: #p-0004 .para data-fact=paragraph }" in page
    assert "p-0002" not in page
    assert "Its other 2 paragraphs only restate the claims and are not shown; the record has them." in page


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ([], "This disclosure gives no description of its own.\n"),
        ([Paragraph("restated", "A.")], "The 1 paragraph in its record only restates the claims."),
        ([Paragraph("restated", "A."), Paragraph("restated", "B.")], "The 2 paragraphs in its record only restate the"),
    ],
)
def test_a_page_without_a_description_of_its_own_says_so(description: list[Paragraph], said: str) -> None:
    item = logged(record("T", "An abstract.", ["A thing."], description))
    for text in (render_page(item, settings(), TEMPLATES), render_text(item, settings(), TEMPLATES)):
        assert "## Description" not in text
        assert said in text


def test_the_claim_tree_has_each_claim_below_the_first_that_it_depends_on() -> None:
    claims = (Claim(1, "A valve, comprising a body."), Claim(2, "x", (1,)), Claim(3, "y", (2, 1)), Claim(4, "z", (1,)))
    tree = [(item["number"], item["depth"], item["parent"]) for item in claim_tree((*claims, Claim(5, "A method.")))]
    assert tree == [(1, 0, 0), (2, 1, 1), (3, 2, 2), (4, 1, 1), (5, 0, 0)]
    assert claim_tree(claims)[0]["head"] == "A valve, comprising a body"


@given(st.lists(st.lists(st.integers(0, 600), max_size=3), min_size=1, max_size=500))
def test_no_dependence_hides_a_claim_or_ends_the_tree(parents: list[list[int]]) -> None:
    """Claims that depend on themselves, on later ones or on none that there is stand at the root."""
    claims = tuple(Claim(n, f"Claim {n}", tuple(p)) for n, p in enumerate(parents, 1))
    tree = claim_tree(claims)
    numbers = [item["number"] for item in tree]
    assert len(numbers) == len(set(numbers)) <= 60
    if len(claims) <= 60:
        assert set(numbers) == set(range(1, len(claims) + 1))


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"disclosure\.md\.j2: this template is missing"):
        render_page(logged(patents()[0]), settings(), tmp_path)


def test_a_faulty_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.md.j2").write_text("{{ nothing.here }}")
    with pytest.raises(ConfigError, match=r"x\.md\.j2: 'nothing' is undefined"):
        render(tmp_path, "x.md.j2", settings())


def test_minutes_are_shown_in_utc() -> None:
    assert minute(PUBLISHED) == "2026-11-22 03:14 UTC"


def test_how_we_publish_exists_for_the_link_in_the_header() -> None:
    assert (DOCS / "about.md").read_text(encoding="utf-8").startswith("# How we publish\n")
