import pytest

from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure
from generator.record.record import MAX_TEXT
from generator.run.restate import restate


def texts(*claims):
    made = tuple(Claim(n, text, depends_on(text, n)) for n, text in enumerate(claims, 1))
    paragraphs = restate(Disclosure("Valve", "A valve.", (), made))
    assert {paragraph.origin for paragraph in paragraphs} == {"restated"}
    return [paragraph.text for paragraph in paragraphs]


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (
            "A valve, the valve comprising: a body; a seat in it; and a spring.",
            "One embodiment is a valve (claim 1). It comprises: (a) a body; (b) a seat in it; and (c) a spring.",
        ),
        ("A valve comprising a body.", "One embodiment is a valve comprising a body (claim 1)."),
        (
            "A method for tea, comprising the steps of: heating water; and adding tea.",
            "One embodiment is a method for tea (claim 1). It comprises: (a) heating water; and (b) adding tea.",
        ),
        (
            "A mix consisting essentially of tin; and lead.",
            "One embodiment is a mix (claim 1). It consists essentially of: (a) tin; and (b) lead.",
        ),
        (
            "A kit comprising: a. a cup; and b. a lid.",
            "One embodiment is a kit comprising: a. a cup; and b. a lid (claim 1).",
        ),
        ("DNA having SEQ ID NO: 1.", "One embodiment is DNA having SEQ ID NO: 1 (claim 1)."),
    ],
)
def test_independent_claims(claim, sentence):
    assert texts(claim)[1] == sentence


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (
            "The valve of claim 1, wherein the body is round.",
            "In some embodiments of the valve of claim 1, the body is round (claim 2).",
        ),
        (
            "The valve according to claim 1, further comprising a lid.",
            "In some embodiments, the valve according to claim 1 further comprises a lid (claim 2).",
        ),
        (
            "The valve as claimed in any preceding claim, wherein it leaks.",
            "In some embodiments of the valve as claimed in any preceding claim, it leaks (claim 2).",
        ),
        (
            "A kit comprising the valve of claim 1.",
            "A further embodiment is a kit comprising the valve of claim 1 (claim 2).",
        ),
        ("The valve of claim 1.", "A further embodiment is the valve of claim 1 (claim 2)."),
    ],
)
def test_dependent_claims(claim, sentence):
    assert texts("A valve comprising a body.", claim)[2] == sentence


def test_the_opening_says_what_the_text_is():
    assert texts("A valve comprising a body.")[0] == (
        "This description restates the claim in plain sentences and adds nothing to it. "
        "Claim numbers stand in brackets."
    )
    assert "the 2 claims" in texts("A valve comprising a body.", "The valve of claim 1.")[0]


def test_a_claim_that_fills_a_paragraph_is_named_and_not_repeated():
    long = texts("A valve comprising " + "x" * (MAX_TEXT - 20) + ".")
    assert long[1] == "A further embodiment is stated in full in claim 1 and is not repeated here."


def test_the_same_claims_give_the_same_description():
    assert texts("A valve comprising: a; and b.") == texts("A valve comprising: a; and b.")
