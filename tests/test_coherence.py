import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_patents import patents

from generator.judge.calibration import load_calibration
from generator.judge.checks import Coherent, c8_antecedent_basis, coherent, measure
from generator.judge.checks.antecedents import all_terms
from generator.judge.checks.chains import chains
from generator.judge.checks.thresholds import Calibration
from generator.judge.parsing import Rejected
from generator.record.claim_references import depends_on, rewrite
from generator.record.disclosure import Claim, Disclosure
from generator.record.judgement import Coherence

FIRST = "A valve, comprising a body and two flat seats."
LAX = Calibration("lax", 1000, 0, 0, 0)


def disclosure(*claims, title="Valve with a seat", abstract="A valve has a body and a seat."):
    made = tuple(Claim(n, text, depends_on(text, n)) for n, text in enumerate(claims, 1))
    return Disclosure(title, abstract, (), made)


def bases(*claims):
    """For each term of the claims its text and its basis."""
    made = disclosure(*claims).claims
    return [
        (claim.text[term.start : term.end], term.basis)
        for claim, found in zip(made, all_terms(made), strict=True)
        for term in found
    ]


def loose(*claims):
    return [(text, basis) for text, basis in bases(FIRST, *claims) if basis != "grounded"]


@pytest.mark.parametrize(
    "claim",
    [
        "The valve of claim 1, wherein the body is round.",
        "The valve according to claim 1, wherein said seats are round.",
        "The valve of claim 1, wherein the seat is round.",
        "The valve of claim 1, wherein one of the seats is round.",
        "The valve of claim 1, wherein each of the two seats touches at least one of the bodies.",
        "The valve of claim 1, wherein the same body is round and is the same as or different from a seat.",
        "The valve of claim 1, wherein the at least one body is round.",
        "The valve of claim 1, wherein the body opens, the body opened by hand, and the body opening.",
        "The valve of claim 1, wherein the top of the body, the outer surface and the length of the seats are equal.",
        "The valve of claim 1, wherein the body is selected from the group consisting of brass and steel.",
        "The valve of claim 1, wherein the largest seat is the first one, and the latter the smallest.",
        "The valve of claim 1, further comprising a spring, wherein the spring holds the valve's body.",
        "The valve of claim 1, wherein the respective body is of the size R1, the (i+1)-th block being steel.",
        "The valve of claim 1, wherein group A is a body in vitro, as tested in an in vivo model.",
        "The valve of claim 1, wherein the corresponding seat is by the selected body.",
        "A kit comprising the valve of claim 1 and a hose, wherein the hose fits the valve.",
    ],
)
def test_terms_that_have_their_basis(claim):
    assert loose(claim) == []


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("The valve of claim 1, wherein the spring is long.", [("the spring", "certain")]),
        ("The valve of claim 1, wherein said first spring is long.", [("said first spring", "certain")]),
        ("The pump of claim 1, wherein the body is round.", [("The pump", "certain")]),
        ("The valve of claim 1, wherein the body lid is round.", [("the body lid", "likely")]),
        ("The valve of claim 1, wherein the rotation of the body is slow.", [("the rotation", "likely")]),
        ("The valve of claim 1, wherein the spring is held by a spring.", [("the spring", "certain")]),
        ("The valve of claim 1, wherein one or more of the at least two springs bend.",
         [("the at least two springs bend", "certain")]),
        ("The valve of claim 1, wherein the of body.", [("the of", "certain")]),
        ("The valve of claim 1, wherein a which.", [("a which", "certain")]),
        ("The valve of claim 1, wherein the the body is by of a.",
         [("the the body", "certain"), ("by of", "certain"), ("a", "certain")]),
        ("The valve of claim 1, wherein a the body is round.", [("a the", "certain")]),
    ],
)  # fmt: skip
def test_terms_without_basis(claim, expected):
    assert loose(claim) == expected


def test_basis_comes_from_the_whole_chain_and_from_nowhere_else():
    spring = "The valve of claim 1, further comprising a spring."
    lid = "The valve of claim 1, further comprising a lid."
    assert loose(spring, lid, "The valve of claim 2, wherein the lid is flat.") == [("the lid", "certain")]
    assert loose(spring, lid, "The valve of claim 2 or 3, wherein the lid and the spring are flat.") == []
    assert loose(spring, "The valve of claim 2.", "The valve of claim 3, wherein the spring is flat.") == []
    # A reference that goes forward or nowhere gives no basis, and makes no circle.
    assert ("the lid", "certain") in loose("The valve of claim 3, wherein the lid is flat.", lid)
    assert ("the lid", "certain") in loose("The valve of claim 2, wherein the lid is flat.")


def test_c8_says_which_phrase_and_where():
    found = c8_antecedent_basis(disclosure(FIRST, "The valve of claim 1, wherein the spring has the body lid."))
    assert [(f.check, f.severity, f.claim, f.message) for f in found] == [
        ("C8", "warn", 2, "'the spring' at character 30 has no antecedent."),
        ("C8", "info", 2, "'the body lid' at character 45 has likely no antecedent."),
    ]


def test_measures_by_hand():
    second = "The valve of claim 1, wherein the spring and the body lid are round."
    found = measure(disclosure(FIRST, second, title="Valve for a garden", abstract="A round valve cuts water."))
    # Terms: The valve, the spring (1), the body lid (1/2). Stems of claim 2: valve, spring, body, lid, are, round.
    assert found.antecedent_share == 500
    dependents = chains(disclosure(FIRST, second).claims)[1]
    assert dependents.own - dependents.top == {"spring", "lid", "round"}
    assert found.cohesion == round(1000 * len(dependents.own & dependents.top) / len(dependents.own))
    assert found.title_support == 500
    assert found.abstract_support == 500


def test_cohesion_is_with_the_independent_claim_of_a_dependent():
    lamp = "A lamp, comprising a bulb."
    mine = measure(disclosure(FIRST, lamp, "The lamp of claim 2, wherein the bulb is red."))
    alien = measure(disclosure(FIRST, lamp, "The lamp of claim 1, wherein the bulb is red."))
    assert alien.cohesion == 0 < mine.cohesion
    chained = "The lamp of claim 2, wherein the bulb is red."
    deep = measure(disclosure(FIRST, "A device of claim 1 with a lamp and a bulb.", chained))
    assert deep.cohesion < 200


def test_what_says_nothing_is_not_held_against_a_disclosure():
    assert measure(disclosure("A valve, comprising a body.", title="1", abstract="2")) == Coherence(0, 1000, 1000, 1000)


@pytest.mark.parametrize(
    ("calibration", "reason"),
    [
        (Calibration("c", 499, 0, 0, 0), "antecedents"),
        (Calibration("c", 500, 501, 0, 0), "cohesion"),
        (Calibration("c", 500, 500, 501, 0), "title_support"),
        (Calibration("c", 500, 500, 500, 501), "abstract_support"),
        (Calibration("c", 500, 500, 500, 500), ""),
    ],
)
def test_thresholds_are_inclusive_and_named(calibration, reason):
    assert calibration.refuses(Coherence(500, 500, 500, 500)) == reason


def test_the_gate_gives_measures_and_findings_or_the_reason():
    loose = disclosure(FIRST, "The valve of claim 1, wherein the spring is long.")
    passed = coherent(loose, LAX)
    assert isinstance(passed, Coherent)
    assert passed.coherence == measure(loose)
    assert [finding.check for finding in passed.findings] == ["C8"]
    refused = coherent(loose, Calibration("strict", 0, 0, 0, 0))
    assert isinstance(refused, Rejected)
    assert (refused.gate, refused.reason, refused.findings) == ("G2", "antecedents", passed.findings)
    nothing = disclosure(FIRST, "The valve of claim 1, wherein brass.", abstract="Beer is brewed of malt.")
    assert coherent(nothing, load_calibration()).reason == "abstract_support"


WORDS = "the said a of claim claims 1 2 3 valve body, seats or any one to wherein same user's"
claims = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(WORDS.split()),
            max_size=25,
        ).map(" ".join),
    ),
    max_size=5,
)


@given(claims, st.text(max_size=40), st.text(max_size=40))
def test_every_measure_is_a_share_and_every_place_lies_in_its_text(texts, title, abstract):
    made = disclosure(*texts, title=title, abstract=abstract)
    found = measure(made)
    assert all(0 <= getattr(found, name) <= 1000 for name in found.__slots__)
    for claim, terms in zip(made.claims, all_terms(made.claims), strict=True):
        last = 0
        for term in terms:
            assert last <= term.start < term.end <= len(claim.text)
            last = term.start


@given(st.randoms(use_true_random=False))
def test_renumbering_changes_nothing(dice):
    """Independent claims in front push all numbers up; what follows is measured as before."""
    one = dice.choice(patents())
    shift = dice.randrange(1, 4)
    new = {claim.number: claim.number + shift for claim in one.claims}
    front = tuple(Claim(n, "A hammer.", ()) for n in range(1, shift + 1))
    moved = []
    for claim in one.claims:
        text = rewrite(claim.text, claim.number, new)
        moved.append(Claim(new[claim.number], text, depends_on(text, new[claim.number])))
    if any("preceding" in c.text or "any" in c.text for c in one.claims):
        return  # "any preceding claim" then means the hammers as well
    assert [len(t) for t in all_terms(one.claims)] == [len(t) for t in all_terms((*front, *moved))[shift:]]
    changed = Disclosure(one.title, one.abstract, (), (*front, *moved))
    assert measure(changed).cohesion == measure(one).cohesion
    assert measure(changed).antecedent_share == measure(one).antecedent_share


def test_hostile_text_is_measured_in_linear_time():
    dice = random.Random(3)
    for claim in (
        "the " * 5000,
        "said one or more of the at least " * 600,
        "of a the " * 2200,
        "the " + "x" * 19000,
        " ".join(f"the w{dice.randrange(10**6)}" for _ in range(2200)),
        "the valve's user's " * 1000,
    ):
        made = disclosure(*[f"The valve of claim 1, {claim}"] * 20)
        started = time.process_time()
        measure(made)
        assert time.process_time() - started < 3
