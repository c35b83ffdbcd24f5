"""Claims without numbers and notices, references that follow, reissues: the same in every kind of file."""

import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patents_read import CASES, aps, one, xml

from generator.corpus.claim_texts import DANGLING, claim_texts
from generator.corpus.documents import Document
from generator.corpus.json_lines import document_of_line
from generator.corpus.patent_text import clean
from generator.corpus.uspto import read_uspto
from generator.record.claim_references import find_references
from generator.record.judgement import MISSING

REST = ("A pot of 5 mm.", "The pot of claim 1.")
PRINTED = ["21. A pot of 5 mm.", "22. The pot of claim 21."]


@pytest.mark.parametrize(
    ("notice", "number", "why"),
    [
        ("1.-20. (canceled)", 20, "cancelled"),
        ("1. - 20. (canceled)", 20, "cancelled"),
        ("1.–20. (Cancelled).", 20, "cancelled"),
        ("1\u201120. (CANCELED)", 20, "cancelled"),
        ("1 through 20. [cancelled]", 20, "cancelled"),
        ("1., 2. (canceled)", 2, "cancelled"),
        ("1, 3 and 5-7. (Cancelled herein)", 5, "cancelled"),
        ("Claims 1-20 (canceled)", 20, "cancelled"),
        ("Claims 1-20 are canceled.", 20, "cancelled"),
        ("Claims 1 to 20 have been cancelled without prejudice.", 20, "cancelled"),
        ("Claim 1 was cancelled by preliminary amendment.", 1, "cancelled"),
        ("1. This claim has been canceled.", 1, "cancelled"),
        ("1. (previously canceled)", 1, "cancelled"),
        ("(Canceled)", 1, "cancelled"),
        ("Canceled.", 1, "cancelled"),
        ("1. (Canceled) A saw with teeth.", 1, "cancelled"),
        ("1. - 20.", 20, "cancelled"),
        ("1. (deleted)", 1, "deleted"),
        ("1-2. (not entered)", 2, "not entered"),
        ("1. (not-entered)", 1, "not entered"),
        ("2-5. (withdrawn)", 4, "withdrawn"),
        ("1. (Withdrawn from consideration)", 1, "withdrawn"),
        ("1. (abandoned)", 1, "abandoned"),
        ("1.", 1, "without a text"),
        ("1. (Non-elected)", 1, "not elected"),
        ("1-3. (Not Elected)", 3, "not elected"),
        ("1. (Cancel)", 1, "cancelled"),
        ("1. (Reserved)", 1, "reserved"),
        ("1. [Reserved]", 1, "reserved"),
        ("1.-4. (intentionally left blank)", 4, "left blank"),
    ],
)
def test_what_is_no_claim_is_left_out_and_counted(notice: str, number: int, why: str) -> None:
    found = claim_texts([notice, *PRINTED])
    assert found.texts == REST
    assert found.left_out == ((why, number),)


@pytest.mark.parametrize(
    "text",
    [
        "Cancelled stamps are detected by a method comprising a step.",
        "Cancellation device comprising a lamp.",
        "Withdrawn fluid is pumped in a method of pumping.",
        "Deleted records are restored by a method comprising a step.",
        "Void detector comprising a coil.",
        "Reserved seats are assigned by a method comprising a step.",
        "Cancel button of a user interface.",
        "(Formerly frozen) fish in a can.",
        "Claim form printer comprising a roll.",
        "(Meth)acrylic polymer.",
        "(S)-2-amino acid.",
        "(a) A pot and (b) a lid.",
        "(New) Zealand is named by a system."[6:],
        "2,4-Dinitrophenol.",
        "2.5 parts of salt.",
        "3-Hydroxy acid.",
        "10 mm thick plate.",
        "1,3-Butadiene in a pot.",
        "[1,2-a]Pyridine of a pot.",
    ],
)
def test_a_claim_that_truly_begins_so_stays(text: str) -> None:
    for printed in (text, f"1. {text}", f"1. (Original) {text}", f"(Currently Amended) {text}", f"1) {text}"):
        assert claim_texts([printed]).texts == (text,)
        assert claim_texts([printed]).left_out == ()


@pytest.mark.parametrize(
    "printed",
    [
        ["1. A pot.", "2. The pot of claim 1."],
        ["1 . A pot.", "2 . The pot of claim 1."],
        ["1.) A pot.", "2.) The pot of claim 1."],
        ["1.A pot.", "2.The pot of claim 1."],
        ["1 A pot.", "2 The pot of claim 1."],
        ["1: A pot.", "2: The pot of claim 1."],
        ["1 - A pot.", "2 - The pot of claim 1."],
        ["[1] A pot.", "[2] The pot of claim 1."],
        ["Claim 1. A pot.", "Claim 2 (original): The pot of claim 1."],
        ["1. 1. A pot.", "2. 2. The pot of claim 1."],
        ["What is claimed is: 1. A pot.", "2. The pot of claim 1."],
        ["(Original) A pot.", "(Previously Presented) The pot of claim 1."],
        ["1. (Original) A pot.", "2. (Currently amended; withdrawn) The pot of claim 1."],
        ["(Twice Amended) 1. A pot.", "[NEW] 2. The pot of claim 1."],
        ["1.-3. (canceled) 4. A pot.", "5. The pot of claim 4."],
        ["7. A pot.", "9. The pot of claim 7."],
        ["1. (Reinstated - formerly claim 3) A pot.", "2. (Re-presented – formerly claim #4) The pot of claim 1."],
        ["1. (Non-elected) A pot.", "2. (Reinstated – formerly dependent claim 5) The pot of claim 1."],
        ["1. (Original claim) A pot.", "2. (Previously re-presented) The pot of claim 1."],
        ["1-2. Cancelled; 3. A pot.", "4. The pot of claim 3."],
        ["1. Canceled. 2. (canceled) 3. A pot.", "4. The pot of claim 3."],
        ["What is claimed is: A pot.", "The pot of claim 1."],
        ["We claim: A pot.", "2. The pot of claim 1."],
        ["Claim 1 A pot.", "Claim 2 The pot of claim 1."],
    ],
)
def test_printed_numbers_and_status_words_go(printed: list[str]) -> None:
    assert claim_texts(printed).texts == ("A pot.", "The pot of claim 1.")


def test_references_follow_and_what_refers_to_nothing_is_left_out() -> None:
    printed = [
        "1. A pot.",
        "2. (canceled)",
        "3. The pot of claim 2.",
        "4. The pot of claim 3 or 1.",
        "5. The pot of 4.",
    ]
    found = claim_texts([*printed, "6. The pot of the preceding claim.", "7. The pot of any one of claims 1 to 4."])
    assert found.texts == (
        "A pot.",
        "The pot of claim 1.",
        "The pot of 4.",
        "The pot of the preceding claim.",
        "The pot of any one of claims 1 to 2.",
    )
    assert dict(found.left_out) == {"cancelled": 1, DANGLING: 1}
    assert claim_texts(["Ein Topf.", "Topf nach Anspruch 1."]) == claim_texts([]).__class__((), (("in German", 2),))


WORDS = st.lists(
    st.sampled_from(
        [
            "pot",
            "lid",
            "(a)",
            "5",
            "mm",
            "2,4-di",
            "claim",
            "claims",
            "of",
            "1",
            "2",
            "and",
            "or",
            "-",
            "##",
            "[x]",
            "Ab",
        ]
    ),
    min_size=1,
)
TEXTS = st.one_of(
    WORDS.map(" ".join),
    st.sampled_from(["(canceled)", "1.-3. (canceled)", "Claims 2-4 are deleted.", "", "1. - 5.", "(New) A pot."]),
    st.builds(
        "{}. The pot of {} {}.".format, st.integers(1, 12), st.sampled_from(["claim", "claims"]), st.integers(1, 9)
    ),
    st.builds("The pot of any one of claims {} to {}.".format, st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(["The pot of the preceding claim.", "A pot as claimed in any preceding claim."]),
    st.text(max_size=30).map(clean),
)


@given(st.lists(TEXTS, max_size=8))
def test_cleaning_is_idempotent_and_every_reference_exists(printed: list[str]) -> None:
    found = claim_texts(printed)
    assert claim_texts(found.texts).texts == found.texts
    for number, text in enumerate(found.texts, 1):
        for reference in find_references(text, number):
            assert set(reference.numbers) <= set(range(1, len(found.texts) + 1))


LETTERS = st.lists(st.text("abcdeäß", min_size=1, max_size=8), min_size=1, max_size=12).map(" ".join)


@given(st.lists(LETTERS.map(lambda text: f"A {text}."), min_size=1, max_size=6), st.booleans())
def test_no_letter_is_lost(texts: list[str], numbered: bool) -> None:
    printed = [f"{number}. {text}" if numbered else text for number, text in enumerate(texts, 1)]
    assert claim_texts(printed).texts == tuple(texts)


INLINE = st.recursive(
    LETTERS.map(lambda text: (escape(text), text)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["b", "i", "sup", "sub", "u", "claim-text", "math", "mi"]), inner).map(
            lambda pair: (f"<{pair[0]}>{pair[1][0]}</{pair[0]}>", pair[1][1])
        ),
        inner.map(lambda pair: (f"<table><row><entry>{pair[0]}</entry></row></table>", pair[1])),
        st.tuples(inner, inner).map(lambda pair: (f"{pair[0][0]} {pair[1][0]}", f"{pair[0][1]} {pair[1][1]}")),
        inner.map(lambda pair: (f"{pair[0]}<?insert-start id='1'?> <?insert-end id='1'?>", pair[1])),
    ),
    max_leaves=8,
)


@given(INLINE)
def test_no_letter_of_a_marked_up_claim_is_lost(pair: tuple[str, str]) -> None:
    (text,) = xml(f"<claims><claim><claim-text>1. A {pair[0]}.</claim-text></claim></claims>").claims
    assert [c for c in text if c.isalpha()] == [c for c in f"A{pair[1]}" if c.isalpha()]


def test_every_reader_cleans_claims() -> None:
    expected = (
        "A widget comprising a knob.",
        "The widget of claim 1, wherein the knob is red.",
        "The widget of claim 2.",
    )
    assert one(CASES / "numbered.jsonl").claims == expected
    assert one(CASES / "cancelled.xml").claims == (
        "A kettle comprising a lid.",
        "The kettle of claim 1, comprising a spout.",
    )
    printed = ["1.-3. (canceled)", "4. (Original) A pot.", "5. The pot of claim 4."]
    wanted = ("A pot.", "The pot of claim 1.")
    red = "".join(f"<claim><claim-text>{text}</claim-text></claim>" for text in printed)
    assert xml(f"<claims>{red}</claims>").claims == wanted
    assert aps("CLMS\n" + "".join(f"NUM  {n}.\nPAR  {text}\n" for n, text in enumerate(printed))).claims == wanted
    line = json.dumps({"id": "US7", "claims": printed}).encode()
    found = document_of_line(line, "line 1")
    assert isinstance(found, Document)
    assert (found.claims, found.left_out) == (wanted, (("cancelled", 3),))


def test_a_reissue_says_what_it_says_now() -> None:
    for name in ("reissue.xml", "reissue.txt"):
        found = one(CASES / name)
        assert found.claims[0] == "A kettle comprising a lid and a hinged handle."
        assert found.left_out == (("deleted", 1),)
        assert found.description == "The handle is hinged to the lid."
        assert found.abstract.startswith("A kettle whose handle folds flat")
    assert (
        one(CASES / "reissue.txt").claims[1] == f"The kettle of claim 1, wherein the formula is {MISSING} and m is 2."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A <?delete-start id='R1'?>round <?delete-end id='R1'?>pot.", "A pot."),
        ("A <?insert-start id='R1'?>red <?insert-end id='R1'?>pot.", "A red pot."),
        ("A <?delete-start?>pot</claim-text><claim-text>with a <?delete-end?>lid.", "A lid."),
        ("A <b><?delete-start?>round</b> big<?delete-end?> pot.", "A pot."),
        ("A pot<?delete-start?><maths><img/></maths><?delete-end?>.", "A pot."),
        ("A <?in-line-formulae description='x'?>pot<?in-line-formulae description='y'?>.", "A pot."),
    ],
)
def test_reissues_in_xml(text: str, expected: str) -> None:
    found = xml(f"<claims><claim><claim-text>{text}</claim-text></claim></claims>")
    assert (found.claims, found.incomplete) == ((expected,), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A .[.round .].pot.", "A pot."),
        ("A .Iadd.red .Iaddend.pot.", "A red pot."),
        (".Iadd.1. A pot..Iaddend.", "A pot."),
        ("A .Badd.red .Baddend.pot.", "A red pot."),
        ("A .[.round\nPA1  or square .].pot.", "A pot."),
        ("A .[.round pot.", "A .[.round pot."),
    ],
)
def test_reissues_in_text(text: str, expected: str) -> None:
    assert aps(f"CLMS\nNUM  1.\nPAR  {text}").claims == (expected,)


def test_reissues_in_sgml() -> None:
    text = (
        "<PATDOC><B110><DNUM><PDAT>RE038000</PDAT></DNUM></B110><SDOCL><CL><CLM><PARA><PTEXT><PDAT>1. A "
        '</PDAT><DEL-S ID="D1"><PDAT>round </PDAT><DEL-E ID="D1"><INS-S ID="I1"><PDAT>red '
        '</PDAT><INS-E ID="I1"><PDAT>pot.</PDAT></PTEXT></PARA></CLM></CL></SDOCL></PATDOC>'
    )
    ((_, found),) = read_uspto(iter([text.encode()]), 0)
    assert isinstance(found, Document)
    assert found.claims == ("A red pot.",)
