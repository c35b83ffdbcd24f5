import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.canonical import text_problem
from generator.judge.parsing import Parsed, Rejected, parse
from generator.record.claim_references import depends_on, find_references, rewrite
from generator.record.layouts import DIRECTIONS, PROMPTS, write_layout
from generator.record.record import MAX_BYTES, MAX_CLAIMS, MAX_TEXT, MAX_TITLE
from generator.record.unicode_version import unassigned

CLAIMS = ("A valve, comprising a body.", "The valve of claim 1, wherein the body is round.")

words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
lines = st.lists(words, min_size=1, max_size=12).map(lambda several: unicodedata.normalize("NFC", " ".join(several)))
plain = lines.filter(lambda line: not line.startswith("#") and not text_problem(line) and not unassigned(line))


def text(direction="top-down", title="Valve", abstract="A valve is told of.", claims=CLAIMS):
    return write_layout(direction, title, abstract, claims)


def reason(draft, direction="top-down", stop="end"):
    result = parse(draft, direction, stop)
    assert isinstance(result, Rejected), result
    assert result.gate == "G0"
    assert [finding.severity for finding in result.findings] == ["fail"]
    return result.reason


@given(st.sampled_from(DIRECTIONS), plain, plain, st.lists(plain, min_size=1, max_size=5))
def test_what_the_layout_writes_the_parser_reads(direction, title, abstract, claims):
    result = parse(write_layout(direction, title, abstract, claims), direction, "end")
    assert isinstance(result, Parsed)
    read = result.disclosure
    assert (read.title, read.abstract, [c.text for c in read.claims]) == (title, abstract, claims)
    assert [claim.number for claim in read.claims] == list(range(1, len(claims) + 1))


@given(st.text(), st.sampled_from(DIRECTIONS), st.sampled_from(["end", "limit"]))
def test_never_raises(draft, direction, stop):
    for candidate in (draft, PROMPTS[direction] + draft, text(direction) + draft):
        result = parse(candidate, direction, stop)
        if isinstance(result, Parsed):
            read = result.disclosure
            for part in (read.title, read.abstract, *(claim.text for claim in read.claims)):
                assert not text_problem(part)
                assert part
                assert part == " ".join(part.split())


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("", "no_head"),
        ("Preface\n" + text(), "no_head"),
        (text().replace("# Patent", "# Title", 1), "no_head"),
        (text().replace("## Abstract", "## Summary"), "unknown_heading"),
        (text() + "\n\n# Patent\n\n## Title\nAnother", "repeated_heading"),
        (text() + "\n\n## Claims", "repeated_heading"),
        (text("bottom-up"), "section_order"),
        (text().replace("\n\n## Abstract\nA valve is told of.", ""), "missing_section"),
        (text(title=""), "empty_section"),
        (text(abstract=" "), "empty_section"),
        (text(claims=("", "A valve.")), "empty_section"),
        (text(claims=()), "no_whole_claim"),
        (text().replace("1. A valve, comprising", "A valve, comprising"), "stray_text"),
        (text(title="Valve\n\nA second paragraph"), "stray_text"),
        (text().replace("# Patent\n", "# Patent\nstray", 1), "stray_text"),
        (text(claims=["A valve."] * (MAX_CLAIMS + 1)), "too_many_claims"),
        (text(title="x" * (MAX_TITLE + 1)), "too_long"),
        (text(abstract="x" * (MAX_TEXT + 1)), "too_long"),
        (text(claims=("x" * (MAX_TEXT + 1),)), "too_long"),
        (text(abstract="x" * MAX_BYTES), "too_long"),
        (text(abstract="a\x00b"), "character"),
        (text(abstract="a\x1fb"), "character"),
        (text(abstract="a\u202eb"), "character"),
        (text(abstract="a\ud800b"), "character"),
        (text(abstract="a\u2028b"), "character"),
        (text(abstract="a\U0001fae8b"), "character"),  # of Unicode 15
        (text(claims=("A valve of \u0378.",)), "character"),
        (text(abstract="a" + "\u0301" * 31), "character"),
    ],
)
def test_why_a_draft_is_refused(draft, expected):
    assert reason(draft) == expected


def test_a_cut_draft_loses_its_unfinished_claim_and_says_so():
    result = parse(text() + "\n\n3. The valve of claim 2, whe", "top-down", "limit")
    assert isinstance(result, Parsed)
    assert [claim.text for claim in result.disclosure.claims] == list(CLAIMS)
    (finding,) = result.findings
    assert (finding.check, finding.severity, finding.claim) == ("G0", "info", None)
    assert "cut claim 3" in finding.message


def test_what_is_cut_before_it_is_whole_is_refused():
    assert reason("# Patent\n\n## Title\nValve", "top-down", "limit") == "truncated"
    assert reason(text(claims=("A valve, com",)), "top-down", "limit") == "no_whole_claim"
    assert reason(text("bottom-up"), "bottom-up", "limit") == "truncated"
    assert reason("# Patent\n\n## Claims\n\n1. A valve", "bottom-up", "limit") == "truncated"


def test_white_space_becomes_single_spaces_and_text_nfc():
    result = parse(text(claims=("A \t valve,\r\n  comprising  a\n\n  body.", "e\u0301 x")), "top-down", "end")
    assert isinstance(result, Parsed)
    assert [claim.text for claim in result.disclosure.claims] == ["A valve, comprising a body.", "\u00e9 x"]


def test_numbers_are_those_of_the_draft():
    result = parse(text().replace("2. The", "7. The"), "top-down", "end")
    assert isinstance(result, Parsed)
    assert [claim.number for claim in result.disclosure.claims] == [1, 7]


@pytest.mark.parametrize(
    "draft",
    [
        text(claims=("A " * 500_000,)),
        text(claims=("claim 1, " * 100_000,)),
        text(claims=["x " * 50] * 9_000),
        text(claims=("claims 1 to 9999 " * 1_000,)),
        text(abstract="\n" * 900_000),
        text(title="#" * 500_000),
        text(claims=("any one of the " * 1_300,)),
        "# Patent\n" * 100_000,
        text(abstract="a\u0301\u0327" * 6_000),
    ],
)
def test_monstrous_drafts_are_judged_quickly(draft):
    started = time.process_time()
    parse(draft, "top-down", "end")
    assert time.process_time() - started < 3  # linear work takes a tenth of this


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("The valve of claim 1, wherein the body is round.", (1,)),
        ("The valve according to any one of claims 1-3.", (1, 2, 3)),
        ("The valve of any of claims 1 to 3 or 6.", (1, 2, 3, 6)),
        ("The valve of claims 1, 3, and 5.", (1, 3, 5)),
        ("The valve of claim 1 or 2.", (1, 2)),
        ("The valve of claim 1 or claim 4.", (1, 4)),
        ("The valve of Claim 7.", (7,)),
        ("The valve of claim 1, 10 parts by weight of which are tin.", (1,)),
        ("The alloy of claim 2 and 90% by weight of tin.", (2,)),
        ("The valve of claim 3 to 4.5 mm.", (3,)),
        ("The valve of any preceding claim.", tuple(range(1, 9))),
        ("The valve as claimed in any one of the preceding claims.", tuple(range(1, 9))),
        ("A claimed valve with 3 claims made.", ()),
        ("The proclaim 4 device.", ()),
        ("The valve of claims 3 through 5.", (3, 4, 5)),
        ("The valve of claims 5-3.", (3, 5)),
    ],
)
def test_references(claim, expected):
    assert depends_on(claim, 9) == expected


@pytest.mark.parametrize(
    ("claim", "alternative"),
    [
        ("The valve of claim 1 or 2.", True),
        ("The valve of any one of claims 1 to 3.", True),
        ("The valve of claims 1 and 2.", False),
        ("The valve of any preceding claim.", True),
        ("The valve of the preceding claims.", False),
    ],
)
def test_references_in_the_alternative(claim, alternative):
    (reference,) = find_references(claim, 9)
    assert reference.alternative is alternative


def test_numbers_are_rewritten_where_they_are_references_and_nowhere_else():
    old = "The 3 valves of any one of claims 3-5 or claim 7, having 5 seats of claim 4, 7 bolts and 3.5 mm."
    new = "The 3 valves of any one of claims 2-4 or claim 6, having 5 seats of claim 3, 7 bolts and 3.5 mm."
    assert rewrite(old, 9, {3: 2, 4: 3, 5: 4, 7: 6}) == new
    assert rewrite("The valve of any preceding claim.", 9, {1: 5}) == "The valve of any preceding claim."
