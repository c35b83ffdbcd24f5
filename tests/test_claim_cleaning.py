"""What of a patent's file becomes its text: claims without numbers and notices, reissues, codes, formulas, families."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import CorpusError
from generator.commands import corpus as commands
from generator.corpus.adding import add
from generator.corpus.claim_texts import DANGLING, MISSING, claim_texts
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import resolve, undot
from generator.corpus.green_book import read_green_book
from generator.corpus.json_lines import document_of_line
from generator.corpus.numbers import one_number
from generator.corpus.patent_text import clean, dated, read_lines
from generator.corpus.reading import read_documents
from generator.corpus.store import Corpus
from generator.corpus.uspto import read_uspto
from generator.measure.evaluation.choices import read_questions
from generator.record.claim_references import find_references
from generator.train.gathering import gather, kept
from generator.train.recipe import Data

CASES = Path(__file__).parent / "cases" / "reading"


def one(path: Path) -> Document:
    ((_, item),) = read_documents(path)
    assert isinstance(item, Document)
    return item


def xml(body: str, root: str = "us-patent-grant", encoding: str = "UTF-8") -> Document:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<{root}><publication-reference><document-id><doc-number>7000000'
        f"</doc-number></document-id></publication-reference>{body}</{root}>"
    )
    ((_, item),) = read_uspto(iter([text.encode(encoding)]), 0)
    assert isinstance(item, Document), item
    return item


def aps(text: str) -> Document:
    ((_, item),) = read_green_book(iter([f"PATN\nWKU  0400000019\n{text}\n".encode("latin-1")]), 0)
    assert isinstance(item, Document), item
    return item


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


# Names from the USPTO's table of special characters (Patent Full-Text APS), and what is meant.
CODES = [
    "RTM",
    "®",
    "TM",
    "™",
    "SM",
    "℠",
    "COPYRG",
    "©",
    "uparw",
    "↑",
    "dwnarw",
    "↓",
    "fwdarw",
    "→",
    "rarw",
    "←",
    "ALPHA",
    "Α",
    "BETA",
    "Β",
    "MU",
    "Μ",
    "CHI",
    "Χ",
    "lambda",
    "λ",
    "OMEGA",
    "Ω",
    "iota",
    "ι",
    "differential",
    "∂",
    "increment",
    "∆",
    "gradient",
    "∇",
    "-+",
    "∓",
    "+-",
    "±",
    "sqroot",
    "√",
    "cuberoot",
    "∛",
    "fourthroot",
    "∜",
    "ltoreq",
    "≤",
    "gtoreq",
    "≥",
    "lmtoreq",
    "≤",
    "congruent",
    "≅",
    "times",
    "×",
    "div",
    "÷",
    "notlessthan",
    "≮",
    "notgreaterthan",
    "≯",
    "infin",
    "∞",
    "multidot",
    "·",
    "angle",
    "∠",
    "parallel",
    "∥",
    "vertline",
    "|",
    "perp",
    "⊥",
    "intg",
    "∫",
    "andgate",
    "∩",
    "orgate",
    "∪",
    "thrfore",
    "∴",
    "because",
    "∵",
    "noteq",
    "≠",
    "ident",
    "≡",
    "notident",
    "≢",
    "varies",
    "∝",
    "sym",
    "⊕",
    "crclbar",
    "⊖",
    "lmorsim",
    "≲",
    "gtorsim",
    "≳",
    "ANG",
    "Å",
    "degree",
    "°",
    "cent",
    "¢",
    "permill",
    "‰",
    "female",
    "♀",
    "male",
    "♂",
    "music-sharp",
    "♯",
    "music-flat",
    "♭",
    "dbd",
    "=",
    "tbd",
    "≡",
    "sctn",
    "§",
    "cndot",
    "•",
    "quadrature",
    "□",
    "largecircle",
    "◯",
    "circle-solid",
    "●",
    "circleincircle",
    "◎",
    "circle-w/dot",
    "⊙",
    "prime",
    "′",
    "dblprime",
    "″",
    "dagger",
    "†",
    "dagger-dbl",
    "‡",
    "diamond",
    "⋄",
    "star-solid",
    "★",
    "A-inverted",
    "∀",
    "E-backward",
    "∃",
    "function",
    "ƒ",
    "hoarfrost",
    "⊔",
    "dottedcircle",
    "◌",
    "lhalfcircle",
    "◐",
    "rhalfcircle",
    "◑",
    "revreaction",
    "⇌",
    "LT",
    "<",
    "GT",
    ">",
    "AMP",
    "&",
]


@pytest.mark.parametrize(("name", "letter"), list(zip(CODES[::2], CODES[1::2], strict=True)))
def test_codes_of_1976_to_2000_are_characters(name: str, letter: str) -> None:
    assert undot(f"10.{name}.x.sup..{name}..") == f"10{letter}x{letter}."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A.brket open-st.n.brket close-st..", "A⟦n⟧."),
        ("x.di-elect cons.S, .4th root.x, a .not <. b", "x∈S, ∜x, a ≮ b"),
        ("FIG. 1.0. It is.so. U.S.A. e.g. this", "FIG. 1.0. It is.so. U.S.A. e.g. this"),
        ("3.English Pound. or .ae butted.", "3£ or æ"),
    ],
)
def test_codes_of_more_words_and_none(text: str, expected: str) -> None:
    assert undot(text) == expected


def test_entities_of_the_iso_sets() -> None:
    assert resolve("&phis;&thetas;&epsis;&b.phis;&aacgr;&OHacgr;&idiagr;&sigmas;&jnodot;") == "ϕθεϕάΏΐςȷ"
    assert xml("<abstract><p>a&#151;b &#x92;c&#146;</p></abstract>").abstract == "a—b ’c’"
    for encoding in ("UTF8", "utf_8", "Latin-1", "ISO8859-1", "Windows-1252", "ascii"):
        assert xml("<abstract><p>A pot.</p></abstract>", encoding=encoding).abstract == "A pot."


def test_placeholders_of_images_are_no_text() -> None:
    found = one(CASES / "codes.txt")
    assert found.abstract == "Kettle® resin of the formula at 10′ has X⊖ and A∩B ⟦n⟧."
    assert found.description == "It boils."
    assert (found.claims, found.incomplete) == ((f"A resin of the formula {MISSING} wherein m is 2.",), (1,))
    for mark in ("##STR1##", "##EQU00012##", "##STR00001-2##", "##SPC1##", "##TBL1##"):
        line = json.dumps(
            {"id": "US7", "claims": [f"A pot of {mark}, m being 2."], "abstract": f"A {mark} pot."}
        ).encode()
        found = document_of_line(line, "")
        assert isinstance(found, Document)
        assert (found.claims, found.incomplete) == ((f"A pot of {MISSING}, m being 2.",), (1,))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<math><mi>x</mi><mo>=</mo><mn>2</mn></math>", "x = 2"),
        ("<maths id='M1'><math><mi>y</mi></math><img file='a.tif'/></maths>", "y"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac></math>", "(a + b)/c"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "x^2"),
        ("<math><msub><mi>x</mi><mi>i</mi></msub></math>", "x_i"),
        ("<math><msqrt><mi>x</mi></msqrt></math>", "√x"),
        ("<math><mi>f</mi><mo>(</mo><mi>x</mi><mo>,</mo><mi>y</mi><mo>)</mo></math>", "f(x, y)"),
        ("<math><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable></math>", "a, b"),
        ("<tables><table><tgroup><row><entry>Cu</entry><entry>5 wt %</entry></row></tgroup></table></tables>",
         "Cu 5 wt %"),
        ("<table><row><entry>Cu</entry><entry>5</entry></row><row><entry>Fe</entry><entry>95</entry></row></table>",
         "Cu 5; Fe 95"),
    ],
)  # fmt: skip
def test_formulas_and_tables_keep_their_text(inside: str, expected: str) -> None:
    found = xml(f"<claims><claim><claim-text>1. A pot, wherein {inside}, and z is 3.</claim-text></claim></claims>")
    assert (found.claims, found.incomplete) == ((f"A pot, wherein {expected}, and z is 3.",), ())


@pytest.mark.parametrize(
    "inside",
    ["<maths><img/></maths>", "<chemistry><img/></chemistry>", "<img/>", "<maths/>", "<tables><img/></tables>"],
)  # fmt: skip
def test_a_claim_that_lost_a_part_is_marked(inside: str) -> None:
    body = f"1. A pot, wherein {inside}, and z is 3."
    found = xml(
        f"<claims><claim><claim-text>{body}</claim-text></claim></claims><abstract><p>A{inside}.</p></abstract>"
    )
    assert (found.claims, found.incomplete) == ((f"A pot, wherein {MISSING}, and z is 3.",), (1,))
    assert found.abstract == "A."


def test_case_of_formulas_and_tables() -> None:
    expected = "An alloy consisting of: Cu 5 wt % the rest being Fe, wherein x = 2, and y is 3."
    assert one(CASES / "formulas.xml").claims == (expected,)


def test_formulas_in_one_another_without_end() -> None:
    deep = f"<math>{'<mrow>' * 3000}<mi>x</mi>{'</mrow>' * 3000}</math>"
    assert xml(f"<claims><claim>A pot of {deep}.</claim></claims>").claims == ("A pot of x.",)


def test_families_before_2005() -> None:
    for name in ("application-2002.xml", "grant-2003.xml"):
        assert set(one(CASES / name).family) == {"09999999", "09888888"}
    found = aps(
        "SRC  5\nAPN  5184541\nAPD  19741029\nRLAP\nCOD  71\nAPN  328961\nAPD  19730202\nRLAP\nCOD  72\n"
        "APN  07/123,456\n"
        "APD  19880101\nREIS\nCOD  50\nAPN  617133\nAPD  19751001\nPNO  4000000\nPRIR\nCNT  JPX\nAPN  49-85342\nUREF\n"
        "PNO  2542907\nAPN  111111\nCLMS\nNUM  1.\nPAR  1. A pot."
    )
    assert set(found.family) == {"05518454", "05328961", "07123456", "05617133", "49-85342"}


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ("<B200><B210><DNUM><PDAT>09999999</PDAT></DNUM></B210></B200>", "09999999"),
        ("<B300><B310><DNUM><PDAT>11-123456</PDAT></DNUM></B310></B300>", "11-123456"),
        ("<B600><B620><B621><PARENT-US><PDOC><DOC><DNUM><PDAT>08111111</PDAT></DNUM></DOC></PDOC></PARENT-US></B621></B620></B600>",
         "08111111"),
        ("<B600><B640><DOC><DNUM><PDAT>08/222,222</PDAT></DNUM></DOC></B640></B600>", "08222222"),
        ("<B560><B561><PCIT><DOC><DNUM><PDAT>5422489</PDAT></DNUM></DOC></PCIT></B561></B560>", ""),
    ],
)  # fmt: skip
def test_families_in_sgml(body: str, family: str) -> None:
    text = f"<PATDOC><SDOBI><B110><DNUM><PDAT>06500000</PDAT></DNUM></B110>{body}</SDOBI></PATDOC>"
    ((_, found),) = read_uspto(iter([text.encode()]), 0)
    assert isinstance(found, Document)
    assert found.family == ((family,) if family else ())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("US-10999997-B2", "US10999997"),
        ("US10999997B2", "US10999997"),
        ("US 10,999,997", "US10999997"),
        ("10999997", "US10999997"),
        ("10,999,997", "US10999997"),
        ("US010999997", "US10999997"),
        ("us 10999997 b2", "US10999997"),
        ("US-2019/0123456-A1", "US20190123456"),
        ("US2019123456A1", "US20190123456"),
        ("20190123456", "US20190123456"),
        ("USD0719732S1", "USD719732"),
        ("US RE41,234 E", "USRE41234"),
        ("USPP021234P2", "USPP21234"),
        ("EP-1234567-B1", "EP1234567B1"),
        ("EP 1 234 567 A1", "EP1234567A1"),
        ("WO 2019/123456 A1", "WO2019123456A1"),
        ("example.org/log#123", "example.org/log#123"),
        ("sha256:00ff", "sha256:00ff"),
        ("US1", "US1"),
        ("document 7", "document 7"),
    ],
)
def test_one_number_for_one_patent(text: str, number: str) -> None:
    assert one_number(text) == number
    assert one_number(number) == number


def test_one_patent_is_added_once(tmp_path: Path) -> None:
    manifest = add(tmp_path / "k", [CASES / "one-patent-five-times.jsonl"], lambda _: None)
    assert (manifest.documents, manifest.files[0].duplicates) == (1, 4)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ((CASES / "nothing.jsonl").read_bytes(), "line 1: it has no id"),
        (b'{"id": "US1"}\n', "US1 has no text"),
        (b"{broken\n", "not a JSON object"),
        (b'<?xml version="1.0"?><us-patent-grant><abstract>', "malformed XML"),
        (b"PATN\nTTL  Pot\n", "without a number"),
    ],
)
def test_a_file_without_a_document_is_an_error_and_adds_nothing(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "file").write_bytes(data)
    for _ in range(2):
        with pytest.raises(CorpusError, match="there is no document in it") as caught:
            add(tmp_path / "k", [tmp_path / "file"], lambda _: None)
        assert why in str(caught.value)
    assert not (tmp_path / "k" / "manifest.json").exists()


def test_what_was_added_before_an_empty_file_stays(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no document in it"):
        add(tmp_path / "k", [CASES / "numbered.jsonl", CASES / "nothing.jsonl"], lambda _: None)
    assert [added.name for added in Corpus.open(tmp_path / "k").manifest.files] == ["numbered.jsonl"]


def test_the_corpus_tells_what_each_source_held(tmp_path: Path) -> None:
    sources = [CASES / name for name in ("numbered.jsonl", "cancelled.xml", "reissue.txt", "grant-2003.xml")]
    manifest = add(tmp_path / "k", sources, lambda _: None)
    told = [(f.documents, f.claims, f.incomplete, f.families, dict(f.left_out)) for f in manifest.files]
    assert told == [
        (1, 3, 0, 1, {"cancelled": 4}),
        (1, 2, 0, 1, {"cancelled": 3}),
        (1, 2, 1, 1, {"deleted": 1}),
        (1, 1, 0, 1, {}),
    ]
    lines = commands._described(Corpus.open(tmp_path / "k")).lines
    assert "    3 claims, 0 of them incomplete; 1 families" in lines
    assert "    left out: 4 claims, cancelled" in lines
    assert Corpus.open(tmp_path / "k").document(2).incomplete == (2,)


def test_families_are_counted_over_a_source(tmp_path: Path) -> None:
    both = tmp_path / "both.xml"
    both.write_text("".join((CASES / name).read_text() + "\n" for name in ("application-2002.xml", "cancelled.xml")))
    assert add(tmp_path / "k", [both], lambda _: None).files[0].families == 2
    two = tmp_path / "two.xml"
    two.write_text("".join((CASES / name).read_text() + "\n" for name in ("application-2002.xml", "grant-2003.xml")))
    found = add(tmp_path / "k2", [two], lambda _: None).files[0]
    assert (found.documents, found.families) == (2, 1)


def test_training_leaves_incomplete_claims_out(tmp_path: Path) -> None:
    source, data = [CASES / "reissue.txt"], Data()
    gathered = gather(source, data, lambda _: None)
    ((_, document),) = kept(source, gathered, lambda _: None)
    assert document.claims == ("A kettle comprising a lid and a hinged handle.",)
    assert gathered.by_source[0]["claims incomplete"] == 1


def tarred(data: bytes, name: str = "a.jsonl") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, content in (("readme.txt", b"text"), (name, data)):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", data)
    return file.getvalue()


PACKED = [
    bytes, gzip.compress, lzma.compress, bz2.compress, zstandard.compress, tarred, zipped,
    lambda data: gzip.compress(tarred(data)), lambda data: lzma.compress(tarred(data)),
    lambda data: zipped(gzip.compress(data)), lambda data: tarred(lzma.compress(data)),
    lambda data: zstandard.compress(tarred(gzip.compress(data))),
    lambda data: b"\xef\xbb\xbf\r\n" + data.replace(b"\n", b"\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("pack", PACKED)
def test_packed_files_and_archives_are_read_alike_and_from_any_place(tmp_path: Path, pack) -> None:
    lines = b"".join(json.dumps({"id": f"US{n}", "title": f"Pot {n}"}).encode() + b"\n" for n in range(1, 4))
    (tmp_path / "file").write_bytes(pack(lines))
    whole = list(read_documents(tmp_path / "file"))
    assert [item.number for _, item in whole if isinstance(item, Document)] == ["US1", "US2", "US3"]
    for number, (position, _) in enumerate(whole, 1):
        assert list(read_documents(tmp_path / "file", position)) == whole[number:]


@pytest.mark.parametrize("pack", [*PACKED[:5], zipped, PACKED[-1]])
def test_questions_and_lines_are_read_from_the_same_files(tmp_path: Path, pack) -> None:
    data = (CASES / "questions-bom.jsonl").read_bytes()
    (tmp_path / "file").write_bytes(pack(data + b"\n\r\n" + data.removeprefix(b"\xef\xbb\xbf")))
    assert len(read_questions(tmp_path / "file", "multiple-choice")) == 2
    assert len(list(read_lines(tmp_path / "file"))) == 2


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2012-01-03", "2012-01-03"),
        ("20120103", "2012-01-03"),
        ("2012/01/03", "2012-01-03"),
        ("2012/1/3", "2012-01-03"),
        ("2012.01.03", "2012-01-03"),
        ("2012-01-03T00:00:00Z", "2012-01-03"),
        ("2012-01-03 12:30", "2012-01-03"),
        ("", ""),
    ],
)
def test_dates_are_read(text: str, date: str) -> None:
    assert dated(text) == (date, ())


@pytest.mark.parametrize("text", ["soon", "2012-02-31", "01/03/2012", "2012", "2012-13-01", "201213"])
def test_a_date_that_is_not_read_is_named(text: str) -> None:
    assert dated(text) == ("", ("a date that is not read",))
    found = document_of_line(json.dumps({"id": "US7", "title": "Pot", "date": text}).encode(), "")
    assert not isinstance(found, Skipped)
    assert found.left_out == (("a date that is not read", 1),)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b'{\n  "id": "US1",\n  "title": "Pot"\n}\n', "jq -c . FILE"),
        (b'[\n{"id": "US1"}]', "jq -c '.[]' FILE"),
        ('{"id": "US1"}'.encode("utf-16"), "iconv -f UTF-16"),
    ],
)
def test_json_of_another_form_has_a_hint_that_works(tmp_path: Path, data: bytes, hint: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        list(read_documents(tmp_path / "file"))
    assert hint in caught.value.hint


def test_a_broken_first_line_does_not_refuse_the_rest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b'{broken\n{"id": "US1", "title": "Pot"}\n')
    first, second = (item for _, item in read_documents(tmp_path / "file"))
    assert isinstance(first, Skipped)
    assert second == Document("US1", "Pot", "")
