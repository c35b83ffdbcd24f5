"""Codes of 1976 to 2000, entities, formulas, tables and images: what of them becomes text."""

import json

import pytest
from patents_read import CASES, one, xml

from generator.corpus.documents import Document
from generator.corpus.entities import resolve, undot
from generator.corpus.json_lines import document_of_line
from generator.record.judgement import MISSING

CODES = [
    line.split("\t")
    for line in (CASES / "dot-codes.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_codes_of_1976_to_2000_are_characters() -> None:
    """The USPTO's own table, whole: in a text, raised, at the end of a sentence, and twice in a row."""
    assert len(CODES) > 168
    for name, letter in CODES:
        before = "x" if name == "0" else "10"  # "1.0." is a number
        assert undot(f"{before}.{name}.x.sup..{name}..") == f"{before}{letter}x{letter}.", name
        assert undot(f"(.{name}..{name}.)") == f"({letter}{letter})", name
        assert len(letter) == 1 or name.startswith("dott"), name


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
