"""Which claims a claim refers to: forms of MPEP 608.01(n), of the EPO, of machine translation, and what is none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.judge.checks import Passed, check, run_checks
from generator.record.claim_references import depends_on, find_references, follow, other_language, rewrite
from generator.record.disclosure import Claim, Disclosure

FORMS = [
    ("A widget as claimed in any preceding claim.", 4, (1, 2, 3)),
    ("A widget as claimed in any of the preceding claims.", 4, (1, 2, 3)),
    ("A widget according to at least one of the preceding claims.", 4, (1, 2, 3)),
    ("A widget according to one or more of the preceding claims.", 4, (1, 2, 3)),
    ("A widget as claimed in any claim above.", 4, (1, 2, 3)),
    ("A widget as claimed in any one of the claims above.", 4, (1, 2, 3)),
    ("A widget according to any one of the aforesaid claims.", 4, (1, 2, 3)),
    ("A widget according to any of the earlier claims.", 4, (1, 2, 3)),
    ("A widget according to one of claims 1\u20133.", 4, (1, 2, 3)),
    ("A widget according to claims 1 through 3.", 4, (1, 2, 3)),
    ("A widget according to any one of claims 1 until 3.", 4, (1, 2, 3)),
    ("A widget according to claims 1 to 3, inclusive.", 4, (1, 2, 3)),
    ("A widget according to any one of claims 1 and 2 to 3.", 4, (1, 2, 3)),
    ("A widget according to claim 1 or claim 2.", 4, (1, 2)),
    ("A widget according to claim 1 or according to claim 2.", 4, (1, 2)),
    ("A widget as in claim 1, claim 2, or claim 3.", 4, (1, 2, 3)),
    ("A widget as in claim 1 and/or 2.", 4, (1, 2)),
    ("A widget as in claim 1, 2 or 3.", 4, (1, 2, 3)),
    ("A widget as in claims 1, 2 & 3.", 4, (1, 2, 3)),
    ("A widget as in claims 1 & 2.", 4, (1, 2)),
    ("A widget as in CLAIM 1.", 4, (1,)),
    ("A widget as in claim #1.", 4, (1,)),
    ("A widget as in claim no. 1.", 4, (1,)),
    ("A widget as in claim number 1.", 4, (1,)),
    ("A widget as in claim one.", 4, (1,)),
    ("A widget as in claim1.", 4, (1,)),
    ("A widget as claimed in 1.", 4, ()),
    ("A widget as in claim\xa01.", 4, (1,)),
    ("A widget as in claim 1a.", 4, (1,)),
    ("A widget of claim 1, 3 parts by weight", 4, (1,)),
    ("A widget of claim 1 or 2 layers thereof", 4, (1, 2)),
    ("A widget of claims 1-3 or 5, wherein", 6, (1, 2, 3, 5)),
    ("A widget of claim 1 to 3", 4, (1, 2, 3)),
    ("A widget of claim 2, wherein 1 or 2 holes", 4, (2,)),
    ("A method in which the user claims 3 coupons from the server", 4, ()),
    ("A system that displays patent claims 1 to 5", 4, ()),
    ("A widget of any of claims from 1 to 3", 4, (1, 2, 3)),
    ("A widget of any claim of claims 1-3", 4, (1, 2, 3)),
    ("A widget of claims 1- 3", 4, (1, 2, 3)),
    ("A widget of claims 1 \u2212 3", 4, (1, 2, 3)),
    ("A widget of claims 1\u20113", 4, (1, 2, 3)),
    ("A widget of claims 1~3", 4, (1, 2, 3)),
    ("A widget of claim 1 and 2, 3 and 4", 5, (1, 2, 3, 4)),
    ("A widget of claims 1 or 2 or 3", 4, (1, 2, 3)),
    ("The composition of claim 1, 2.5 wt%", 4, (1,)),
    ("The composition of claims 1 or 2, 10% by weight", 12, (1, 2)),
    ("A widget according to claim 1 respectively 2", 4, (1, 2)),
    ("A widget according to claim 1 as well as 2", 4, (1, 2)),
    ("A widget, as recited in claim 9999", 4, (9999,)),
    ("Use of a widget of claim 1 in the method of claim 2.", 4, (1, 2)),
    ("A widget of any of claim 1-3", 4, (1, 2, 3)),
    ("The product of the process of claims 1, 2, and 3, respectively", 4, (1, 2, 3)),
    ("The widget of the preceding claim 1", 2, (1,)),
    ("The widget of preceding claims 1 or 2", 3, (1, 2)),
    ("The widget of any preceding claim, wherein", 1, ()),
    ("A non-transitory medium storing instructions to perform the method of claims 1-20", 21, tuple(range(1, 21))),
]

OTHERS = [
    ("A widget according to the immediately preceding claim.", 4, (3,)),
    ("A widget according to the preceding claim.", 4, (3,)),
    ("A widget as claimed in either of claims 1 and 2.", 4, (1, 2)),
    ("A widget according to one of the preceding claims.", 4, (1, 2, 3)),
    ("A widget of either of the two preceding claims", 5, (3, 4)),
    ("A widget as in any of the last three claims", 6, (3, 4, 5)),
    ("A method in which a patient claims 2 benefits.", 4, ()),
    ("A system that displays patent claims 1 to 5.", 4, ()),
    ("A device according to patent claims 1 to 3, wherein", 5, (1, 2, 3)),
    ("Device according to patent claim 1", 2, (1,)),
    ("A system comprising: a display of the text of insurance claims 1 to 5; and", 7, ()),
    ("A method, comprising: letting a user claim 3 coupons.", 5, ()),
    ("A method of enabling users to claim 2 prizes.", 5, ()),
    ("A claim processing system that processes previous claims of a policyholder.", 5, ()),
    ("The composition as claimed in claim 1 of U.S. Pat. No. 5,123,456.", 5, ()),
    ("A device as recited in claims 1, 2, 3.", 5, (1, 2, 3)),
    ("A device as recited in claim 1, 2, wherein", 5, (1, 2)),
    ("A kit comprising the widget of claim 1.", 5, (1,)),
    ("A computer comprising: a bus; and the widget of claim 1.", 5, ()),
    ("The widget of claims 1 and/or 2.", 5, (1, 2)),
    ("The widget of claim(s) 1-3.", 5, (1, 2, 3)),
    ("The widget as in Claim No 3", 5, (3,)),
    ("The widget of claims nos. 1 and 2", 5, (1, 2)),
    ("The widget of claims one to three", 5, (1, 2, 3)),
    ("The widget of claim two or three", 5, (2, 3)),
    ("The widget of any one of claims (1) to (3).", 5, (1, 2, 3)),
    ("The widget of claims 1, 2 and 4-6 inclusive", 8, (1, 2, 4, 5, 6)),
    ("The widget as defined by claim 1 or by claim 3", 8, (1, 3)),
    ("Apparatus when dependent on claim 2", 8, (2,)),
    ("Process according to claim 1 in which the user claims 2 coupons", 5, (1,)),
    ("The widget as described in the claim 1, it is characterized in that", 5, (1,)),
    ("The claim 1 described widget", 5, (1,)),
    ("as the claim 1 described widget", 5, (1,)),
    ("Nach einem der Anspr\xfcche 1 bis 3", 4, ()),
    ("The widget of claim 1 of 5 mm", 4, (1,)),
    ("The widget of claim 1 and 20 mm long", 30, (1,)),
    ("The widget of claims 1-3, or of any one of claims 5 through 7", 9, (1, 2, 3, 5, 6, 7)),
    ("The widget as claimed in all preceding claims", 4, (1, 2, 3)),
    ("The widget of the foregoing claims", 4, (1, 2, 3)),
    ("The widget of any above claim", 4, (1, 2, 3)),
    ("The widget of the claims hereinabove", 4, (1, 2, 3)),
    ("The widget of each of claims 1 to 3", 4, (1, 2, 3)),
    ("The widget as in claim 1,2 or 3", 4, (1, 2, 3)),
    ("A widget as in preceding claims 2 or 3", 9, (2, 3)),
    ("The patent foramen closure of claim 1 in a patent foramen", 3, (1,)),
    ("In a widget as set forth in claim 1, a lid", 3, (1,)),
    ("Claim 1 wherein the lid is red", 3, (1,)),
    ("A widget according to claims 1 \u2012 3 or 1\u20142", 9, (1, 2, 3)),
    ("A widget according to claims 1 \uff5e 3", 9, (1, 2, 3)),
    ("A widget according to claim Nos. 1, 2 & 4", 9, (1, 2, 4)),
    ("A widget according to claim # 7", 9, (7,)),
    ("A widget according to claims number 3 till 5", 9, (3, 4, 5)),
    ("A widget according to claims (2), (3) or (5)", 9, (2, 3, 5)),
    ("A widget according to claim 2(b) or 3(c)", 9, (2, 3)),
    ("A widget according to claim four", 9, (4,)),
    ("A widget according to any of claims two, three and five", 9, (2, 3, 5)),
    ("A widget according to claims between 2 and 4", 9, (2, 4)),
    ("A widget as in claims 2 up to 4", 9, (2, 3, 4)),
    ("A widget as in claims 2 up to and including 4", 9, (2, 3, 4)),
    ("A widget as in claim 2 or alternatively 4", 9, (2, 4)),
    ("A widget as in claims 2 + 4", 9, (2, 4)),
    ("A widget as in claim 2, 4, 6, characterised in that", 9, (2, 4, 6)),
    ("A widget as in claim 2, 4 holes being drilled", 9, (2,)),
    ("A widget as in claim 2 and 4 % of tin", 9, (2,)),
    ("A polymer as claimed in any one of claims 1 and 2 to 3 and 90-0% by weight of tin", 9, (1, 2, 3)),
    ("A plate as in claim 2 and 3 to 5 mm thick", 9, (2,)),
    ("A plate as in claim 2 or 4", 9, (2, 4)),
    ("The widget claim 3, wherein the lid is red", 9, (3,)),
    ("The widget of claim claim 3", 9, (3,)),
    ("The widget of claim: 3", 9, (3,)),
    ("The widget according claim 3 having a lid", 9, (3,)),
    ("The widget as claimed claim 3", 9, (3,)),
    ("The widget of the directly preceding claim", 9, (8,)),
    ("The widget of the claim immediately above", 9, (8,)),
    ("The widget of the previous claim, wherein", 9, (8,)),
    ("The widget of the last three claims", 9, (6, 7, 8)),
    ("The widget of any of the two foregoing claims", 9, (7, 8)),
    ("The widget of a preceding claim", 4, (1, 2, 3)),
    ("The widget of every earlier claim", 4, (1, 2, 3)),
    ("The widget of at least one of the above-mentioned claims", 4, (1, 2, 3)),
    ("The widget of the preceeding claims", 4, (1, 2, 3)),
    ("The widget of any one of the claims hereinbefore", 4, (1, 2, 3)),
    ("Customers claims 4 rebates", 9, ()),
    ("A server with which users claim 4 coupons each", 9, ()),
    ("A server letting them claim 4", 9, ()),
    ("A method of auditing insurance claims 100 to 200", 9, ()),
    ("A method of settling patent claims 1 to 3", 9, ()),
    ("A search engine that shows independent claims 1 and 7 of a patent", 9, ()),
    ("The compound disclosed in claim 3 of European Patent No. 123456", 9, ()),
    ("The compound of claims 1 to 3 of the patent application US 12/345,678", 9, ()),
    ("A set comprising: a pot; and a lid as defined in claim 2", 9, ()),
    ("A set with a pot, wherein the pot is as defined in claim 2", 9, ()),
    ("Ein Topf nach Anspruch 1", 2, ()),
]


@pytest.mark.parametrize(("claim", "number", "expected"), [*FORMS, *OTHERS])
def test_what_a_claim_depends_on(claim: str, number: int, expected: tuple[int, ...]) -> None:
    assert depends_on(claim, number) == expected


@pytest.mark.parametrize(
    ("claim", "language"),
    [
        ("Vorrichtung nach einem der Ansprüche 1 bis 3", "German"),
        ("Vorrichtung nach Patentanspruch 2", "German"),
        ("Dispositif selon l'une quelconque des revendications 1 à 3", "French"),
        ("Dispositivo según la reivindicación 1", "Spanish"),
        ("Dispositivo de acordo com a reivindicação 1", "Portuguese"),
        ("Dispositivo secondo una delle rivendicazioni 1-3", "Italian"),
        ("Inrichting volgens conclusie 1", "Dutch"),
        ("Anordning enligt krav 1", "Swedish, Danish or Norwegian"),
        ("Устройство по п. 1", "Russian"),
        ("根据权利要求1所述的装置", "Chinese"),
        ("請求項1に記載の装置", "Japanese"),
        ("제1항에 있어서", "Korean"),
        ("A device according to claim 1", ""),
        ("A conclusion of claim 1", ""),
    ],
)
def test_a_reference_in_another_language_is_named(claim: str, language: str) -> None:
    assert other_language(claim) == language
    if language:
        assert depends_on(claim, 4) == ()
        found = run_checks(disclosure("A device, comprising a lid.", f"{claim}."))
        assert any(f.check == "C4" and language in f.message and f.severity == "fail" for f in found)


def disclosure(*texts: str) -> Disclosure:
    return Disclosure("Valve", "A valve.", (), tuple(Claim(n, t, depends_on(t, n)) for n, t in enumerate(texts, 1)))


def test_a_mention_in_the_body_must_name_an_earlier_claim_and_makes_no_dependency() -> None:
    body = disclosure("A valve, comprising a body.", "A pump, comprising: a rotor; and the valve of claim 9.")
    assert body.claims[1].depends_on == ()
    assert [(f.check, f.claim) for f in run_checks(body) if f.severity == "fail"] == [("C4", 2)]
    first = disclosure("A pump, comprising: a rotor; and the valve of claim 2.", "A valve, comprising a body.")
    assert {f.check for f in run_checks(first) if f.severity == "fail"} == {"C3", "C4"}


def test_the_preceding_claim_goes_with_the_claim_that_it_means() -> None:
    texts = ["A valve, comprising a body."]
    texts += [f"The valve of claim 1, wherein the body has {n} holes." for n in "abcdefghijklm"]
    texts[4] = "the valve of claim 1."  # begins small and is removed
    texts[5] = "The valve of the immediately preceding claim, wherein the body is red."
    texts[7] = "The valve of the preceding claim, wherein the body is blue."
    passed = check(disclosure(*texts))
    assert isinstance(passed, Passed)
    assert passed.removed_claims == (5, 6)
    assert passed.disclosure.claims[5].text == "The valve of the preceding claim, wherein the body is blue."
    assert passed.disclosure.claims[5].depends_on == (5,)


def test_the_preceding_claim_becomes_a_number_where_another_claim_stands_before() -> None:
    text = "The valve of the immediately preceding claim."
    assert rewrite(text, 5, {4: 3, 5: 4}) == text
    assert rewrite(text, 5, {4: 2, 5: 4}) == "The valve of claim 2."
    assert follow("The valve of either of the two preceding claims.", 5, {3: 1, 4: 2, 5: 4}) == (
        "The valve of any one of claims 1 or 2."
    )


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ("The valve of claim 4.", {4: 1, 9: 2}, "The valve of claim 1."),
        ("The valve of claim 3.", {4: 1, 9: 2}, None),
        ("The valve of claims 3 or 4.", {4: 1, 9: 2}, "The valve of claims 1."),
        (
            "The valve of any one of claims 1 to 5.",
            {1: 1, 2: 2, 4: 3, 9: 4},
            "The valve of any one of claims 1, 2 or 3.",
        ),
        ("The valve of claims 2, 3 and 5.", {2: 1, 5: 2, 9: 3}, "The valve of claims 1 and 2."),
        ("The valve of claim four.", {4: 1, 9: 2}, "The valve of claim 1."),
        ("The valve of the preceding claim.", {7: 1, 9: 2}, None),
        ("The valve of any preceding claim.", {9: 1}, None),
        ("The valve of any preceding claim.", {3: 1, 9: 2}, "The valve of any preceding claim."),
        ("The pump with: the valve of claim 8.", {7: 1, 9: 2}, None),
        ("The user claims 8 coupons.", {9: 1}, "The user claims 8 coupons."),
    ],
)
def test_references_follow_when_claims_are_gone(text: str, new: dict[int, int], expected: str | None) -> None:
    assert follow(text, 9, new) == expected


NUMBERS = st.lists(st.integers(1, 30), min_size=1, max_size=5)
JOINS = st.sampled_from([", ", " or ", " and ", " & ", "-", " to ", "\u2013", " thru ", " as well as "])
LEADS = st.sampled_from(["of", "according to any one of", "as claimed in one of", "as recited in"])
WORDS = st.sampled_from(["claims ", "Claims ", "claims nos. ", "the claims ", "the preceding claims "])


@given(LEADS, WORDS, NUMBERS, st.lists(JOINS, min_size=4, max_size=4), st.sets(st.integers(1, 30)))
def test_numbers_that_follow_are_numbers_that_are_there(
    lead: str, word: str, numbers: list[int], joins: list[str], gone: set[int]
) -> None:
    listed = "".join(f"{n}{join}" for n, join in zip(numbers[:-1], joins, strict=False)) + str(numbers[-1])
    text = f"The valve {lead} {word}{listed}, wherein it is red."
    named = set(depends_on(text, 40))
    assert set(numbers) <= named
    assert rewrite(text, 40, {n: n for n in range(1, 41)}) == text
    new = {old: place for place, old in enumerate((n for n in range(1, 41) if n not in gone), 1)}
    followed = follow(text, 40, new)
    if named <= gone:
        assert followed is None
    else:
        assert followed is not None
        assert set(depends_on(followed, new[40])) == {new[n] for n in named - gone}


@given(st.text(max_size=80), st.integers(1, 50))
def test_no_text_raises_and_places_are_right(text: str, number: int) -> None:
    for one in find_references(f"A valve of claims 1 or {text} of claim 2", number):
        assert 0 <= one.start < one.end


def test_no_text_takes_more_time_than_its_length() -> None:
    before = time.process_time()
    for run in (
        "claim 1, " * 60_000,
        "any one of the " * 40_000,
        "of claims 1 or " * 30_000,
        "preceding claim " * 30_000,
    ):
        depends_on(run, 9)
        other_language(run)
    assert time.process_time() - before < 10
