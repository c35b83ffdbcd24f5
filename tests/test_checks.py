import ast
import json
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.judge.checks import DECIDING, REMARKING, Passed, c8_antecedent_basis, check, coherent, run_checks
from generator.judge.checks.form import inner_sentence_end
from generator.judge.checks.repetition import find_loop, looping
from generator.judge.checks.thresholds import Calibration
from generator.judge.parsing import Parsed, Rejected, parse
from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure

CASES = Path(__file__).parent / "cases" / "drafts"
ALL = Calibration("all", 1000, 0, 0, 0)  # so that golden files show the findings of gate G2 and not its thresholds
FIRST = "A valve, comprising a body and a seat."


def disclosure(*claims, title="Valve with a seat", abstract="A valve has a body and a seat."):
    made = tuple(Claim(n, text, depends_on(text, n)) for n, text in enumerate(claims, 1))
    return Disclosure(title, abstract, (), made)


def remarks(code, *claims, **parts):
    return [(f.severity, f.claim) for f in run_checks(disclosure(*claims, **parts)) if f.check == code]


@pytest.mark.parametrize("path", sorted(CASES.glob("*.md")), ids=lambda path: path.stem)
def test_golden_drafts(path):
    """Each case is a draft, its direction and stop in the file's name, and what is made of it in a .json beside it."""
    _, direction, stop = path.stem.split("__")
    assert outcome(path.read_text(encoding="utf-8"), direction, stop) == json.loads(
        path.with_suffix(".json").read_text()
    )


def outcome(text, direction, stop):
    """What the gates make of a draft, in a form that a golden file can hold."""
    parsed = parse(text, direction, stop)
    result = parsed if isinstance(parsed, Rejected) else check(parsed.disclosure)
    if isinstance(result, Rejected):
        return {"gate": result.gate, "reason": result.reason, "findings": _written(result.findings)}
    assert isinstance(parsed, Parsed)
    coherence = coherent(result.disclosure, ALL)
    return {
        "title": result.disclosure.title,
        "abstract": result.disclosure.abstract,
        "claims": [{"text": c.text, "depends_on": list(c.depends_on)} for c in result.disclosure.claims],
        "removed": list(result.removed_claims),
        "findings": _written((*parsed.findings, *result.findings, *coherence.findings)),
    }


def _written(findings):
    return [f"{f.check} {f.severity} {f.claim}: {f.message}" for f in findings]


def test_every_code_has_its_golden_draft():
    """For each check some golden draft on which it speaks, and one draft on which nothing speaks."""
    texts = [path.read_text() for path in CASES.glob("*.json")]
    for code in ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "G0"):
        assert any(f'"{code} ' in text for text in texts), code
    assert any(json.loads(text).get("findings") == [] for text in texts)


def test_checks_are_in_the_order_of_their_codes_and_name_their_source():
    every = (*DECIDING, *REMARKING, c8_antecedent_basis)
    assert {one.__name__.split("_")[0] for one in every} == {f"c{n}" for n in range(1, 15)}
    assert all("Source: " in (one.__doc__ or "") for one in every)
    monstrous = run_checks(disclosure("the said the body, about a means for holding", "The method of claim 2."))
    codes = [int(finding.check[1:]) for finding in monstrous]
    assert codes == sorted(codes)
    assert len(set(codes)) > 3


def test_c1_numbers():
    wrong = Disclosure("T", "A.", (), (Claim(1, FIRST), Claim(3, "The valve of claim 1.", (1,))))
    assert [(f.check, f.claim) for f in run_checks(wrong) if f.check == "C1"] == [("C1", None)]
    assert remarks("C1", FIRST) == []


@pytest.mark.parametrize(
    "claim",
    [
        "A valve as in Fig. 3, comprising a body, e.g. Brass or No. 5 steel, i.e. Iron.",
        "A method of U.S. Pat. No. 5,000,000, comprising approx. Two parts of 3.5 mm.",
        "A strain of E. coli or S. Typhimurium, comprising a gene.",
        "A compound of 1.5 to 2.0 wt. Percent, comprising N.",
        "3-methyl-1,2-butanediol, comprising water.",
        "(S)-Ibuprofen, comprising a salt.",
        "A valve, comprising: a. a body; b. a seat; and c. a spring.",
        "A system comprising www.example.com. and node.js of Dr. Who.",
        "A valve of Smith et al. Journal, comprising a body.",
        'A valve, comprising a mark "A.B.C."',
    ],
)
def test_c2_lets_through_what_real_claims_write(claim):
    assert remarks("C2", claim) == []


@pytest.mark.parametrize(
    "claim",
    [
        "a valve, comprising a body.",
        "A valve, comprising a body",
        "A valve, comprising a body;",
        "A valve, comprising a body. The body is round.",
        "A valve, comprising a body! The body is round.",
        "A valve, comprising a body (round). It has a seat.",
        "12 valves, comprising a body.",
    ],
)
def test_c2_sees_what_is_not_one_sentence(claim):
    assert remarks("C2", claim) == [("fail", 1)]


def test_c2_says_where():
    assert inner_sentence_end("A valve. The body.") == 7
    (finding,) = [f for f in run_checks(disclosure("A valve, comprising a body. The body is red.")) if f.check == "C2"]
    assert "'A valve, comprising a body. The body is red.'"[1:20] in finding.message


def test_c3_first_claim():
    assert remarks("C3", "The valve of claim 2, comprising a body.", FIRST) == [("fail", 1)]
    assert remarks("C3") == [("fail", None)]
    assert remarks("C3", FIRST) == []


def test_c4_references():
    assert remarks("C4", FIRST, "The valve of claim 2.", "The valve of claim 4.", "The valve of claim 9.") == [
        ("fail", 2),
        ("fail", 3),
        ("fail", 4),
    ]
    assert remarks("C4", FIRST, "The valve of any preceding claim.") == []


def test_c5_multiple_dependency():
    second = "The valve of claim 1, wherein the seat is flat."
    either = "The valve of claim 1 or 2, wherein the body is round."
    assert remarks("C5", FIRST, second, either) == []
    assert remarks("C5", FIRST, second, "The valve of claims 1 and 2, wherein it leaks.") == [("warn", 3)]
    assert remarks("C5", FIRST, second, either, "The valve of any one of claims 1 to 3, wherein it leaks.") == [
        ("warn", 4)
    ]


def test_c6_category():
    method = "A method of testing the valve, comprising a step."
    assert remarks("C6", method, "The method of claim 1, wherein the device is hot.") == []
    assert remarks("C6", method, "The device of claim 1, wherein it is hot.") == [("warn", 2)]
    assert remarks("C6", method, "The device according to any one of claims 1 to 1, being hot.") == [("warn", 2)]
    assert remarks("C6", method, "The method of claim 1, being hot.", "The system as claimed in claim 2.") == [
        ("warn", 3)
    ]
    # A claim of another category that uses the first one says what it uses rightly.
    assert remarks("C6", "A composition comprising water.", "A method of using the composition of claim 1.") == []
    assert remarks("C6", FIRST, "The method of claim 1, being hot.") == []  # a valve is in no list: nothing is known
    assert remarks("C6", "A device for a method, comprising a body.", "The device of claim 1, being hot.") == []


def test_c9_functional_and_relative_wording():
    found = [
        finding.message
        for finding in run_checks(disclosure("A valve, comprising means for closing, a module configured to turn."))
        if finding.check == "C9"
    ]
    assert found == [
        "'means for closing' at character 20 is defined by what it does.",
        "'module configured to turn' at character 41 is defined by what it does.",
    ]
    assert remarks("C9", "A valve of about 3 mm, for example of brass, comprising a body.") == [("info", 1)] * 2
    assert remarks("C9", "A valve that means well, comprising such a body for an example element.") == []
    assert len(remarks("C9", "A valve, comprising about about about about about a body.")) == 3


def test_c7_transition():
    assert remarks("C7", "A valve of brass.") == [("fail", 1)]
    assert remarks("C7", FIRST, "The valve of claim 1, made of brass.") == []
    for phrase in ("comprising", "consisting of", "which includes", "characterised by", "having", "containing"):
        assert remarks("C7", f"A valve {phrase} brass.") == []


def test_c7_and_c2_let_through_forms_of_chemistry():
    assert remarks("C7", "A compound selected from: ethanol; or a salt of it.") == []
    assert remarks("C2", r"A valve, comprising a ratio of \\(\\frac{a}{b}.\\)") == []


def test_c10_repetition():
    other = "The valve of claim 1, wherein the seat is flat."
    assert remarks("C10", FIRST, other, other.replace("seat is", "SEAT,  is")) == [("fail", 3)]
    assert remarks("C10", FIRST, other, "The valve of claim 2, wherein the seat is flat.") == [("warn", 3)]
    assert remarks("C10", FIRST, "The valve of claim 1.") == [("warn", 2)]
    assert remarks("C10", FIRST, "The valve of claim 1, comprising a body.") == [("warn", 2)]
    assert remarks("C10", FIRST, "A pump comprising the valve of claim 1.") == []
    long = "A valve, comprising one two three four five six seven eight nine ten eleven twelve"
    assert remarks("C10", f"{long}.", f"{long} thirteen.") == [("warn", 2)]


@pytest.mark.parametrize(
    "claim",
    [
        "A valve, comprising a body of a body of a body of a seat.",
        "A valve, comprising very very very very much.",
        "A valve, comprising # Patent text.",
        "A valve, comprising ## Claims here.",
        "A valve, comprising <|start|> a body.",
        "A valve, comprising \ufffd a body.",
        "A valve, comprising 2D-3D-2D-3D-2D-3D-2D-3D bodies.",
        "A valve, comprising "
        + " ".join(["a first body that is held by a second body which turns about the first,"] * 3)
        + ".",
    ],
)
def test_c11_faults(claim):
    assert remarks("C11", claim)[0] == ("fail", 1)


def test_c11_lets_through_what_only_looks_alike():
    assert remarks("C11", "A valve, comprising a body #3, a seat and a seat, very very well made of C# and <b>.") == []
    assert find_loop(list("ababac")) == ""
    assert find_loop(list("ababab")) == "a b"
    assert find_loop([]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "A waveguide having a cap on the tapered waveguide region, the tapered waveguide region being of glass.",
        "a module sending it to said feature extraction module; said feature extraction module is a circuit.",
        "outputs of each of the learning units, each of the learning units being a circuit",
        "A peptide of the sequence Ser Pro Arg Arg Arg Arg (SPRRRR).",
        "a seat row of one of 1-2-1, 2-4-2, 2-2-2 and 2-5-2 seats",
        "at a pressure of at least about 1 mTorr, at least about 1 mTorr or at least about 5 mTorr",
        "Glu at position 233 with Asp by EU numbering, Glu at position 233 with Asp by EU numbering and His",
    ],
)
def test_c11_lets_real_claims_say_a_term_again(text):
    assert looping(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a layer on the tapered waveguide region the tapered waveguide region being of glass",
        "on the tapered waveguide region, the tapered waveguide region, the tapered waveguide region, being of glass",
        "a first layer of a material, a first layer of a material and a substrate",
        "the the the the valve",
        "Arg Arg Arg Arg Arg Arg Arg Arg",
        "in the presence of the test compound in the presence of the test compound",
    ],
)
def test_c11_still_finds_loops_that_look_like_terms(text):
    assert looping(text)


def test_c12_title_and_abstract():
    assert remarks("C12", FIRST) == []
    assert remarks("C12", FIRST, title="Beer") == [("warn", None)]
    assert remarks("C12", FIRST, title="A novel valve") == [("warn", None)]
    assert remarks("C12", FIRST, title="Novella printing valve") == []
    assert remarks("C12", FIRST, abstract="valve body seat " * 51) == [("warn", None), ("fail", None)][:1]
    assert remarks("C12", FIRST, abstract="Beer is brewed from malt, hops and yeast.") == [("warn", None)]


def numbered(*bodies):
    return [FIRST, *(f"The valve of claim 1, wherein the {body}." for body in bodies)]


def test_the_gate_removes_failing_claims_and_their_dependents_and_renumbers():
    claims = numbered("seat is flat", "body is round", "lid is oval", "pin is long", "nut is hexagonal", "rod is thin")
    claims[2] = claims[2].rstrip(".")
    claims += [
        "The valve of claim 3, wherein the ring is split.",
        "The valve of any one of claims 4 to 6, wherein it is red.",
    ]
    passed = check(disclosure(*claims))
    assert isinstance(passed, Passed)
    assert passed.removed_claims == (3, 8)
    kept = passed.disclosure.claims
    assert [claim.number for claim in kept] == list(range(1, 8))
    assert kept[-1] == Claim(7, "The valve of any one of claims 3 to 5, wherein it is red.", (3, 4, 5))
    assert all(finding.severity != "fail" for finding in passed.findings)


def test_the_gate_takes_repeated_claims_out_and_counts_them_as_none():
    claims = [*numbered("seat is flat", "Seat, is flat", "seat is  flat"), "The valve of claim 2, wherein it is red."]
    passed = check(disclosure(*claims))
    assert isinstance(passed, Passed)
    assert passed.removed_claims == (3, 4)
    assert [claim.text for claim in passed.disclosure.claims] == [claims[0], claims[1], claims[4]]
    one = check(disclosure(FIRST, FIRST, FIRST))
    assert isinstance(one, Passed)
    assert one.removed_claims == (2, 3)
    wrong = check(disclosure(*claims[:3], claims[4].rstrip(".")))  # one of three fails
    assert isinstance(wrong, Rejected)
    assert wrong.reason == "few_pass"
    behind = check(disclosure(*claims[:3], "The valve of claim 3, wherein it is blue."))
    assert isinstance(behind, Passed)
    assert behind.removed_claims == (3, 4)


def test_the_gate_holds_four_fifths():
    claims = numbered("seat is flat", "body is round", "lid is oval", "pin is long")
    one_wrong = [*claims[:4], claims[4].rstrip(".")]
    assert isinstance(check(disclosure(*one_wrong)), Passed)
    two_wrong = check(disclosure(*claims[:3], *(claim.rstrip(".") for claim in claims[3:])))
    assert isinstance(two_wrong, Rejected)
    assert (two_wrong.gate, two_wrong.reason) == ("G1", "few_pass")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (["a valve, comprising a body.", *numbered("seat is flat")[1:]], "c2"),
        (["A valve of brass.", *numbered("seat is flat")[1:]], "c7"),
        (["A valve of claim 2, comprising a body.", FIRST], "c3"),
        ([FIRST, "The valve of claim 1 of the valve of the valve of the valve of the valve."], "c11"),
    ],
)
def test_the_gate_refuses(claims, reason):
    result = check(disclosure(*claims))
    assert isinstance(result, Rejected)
    assert result.reason == reason
    assert result.findings


WORDS = "A The the said of claim claims 1 2 3, valve means for about or any. to"
texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(WORDS.split(" "))).map(" ".join),
)


@given(st.lists(texts, max_size=6), texts, texts)
def test_checks_never_raise_and_name_claims_that_there_are(claims, title, abstract):
    made = disclosure(*claims, title=title, abstract=abstract)
    numbers = {None, *(claim.number for claim in made.claims)}
    for finding in run_checks(made):
        assert finding.claim in numbers
        assert finding.message.endswith(".")
        if place := re.search(r"^(['\"].*['\"]) at character (\d+)", finding.message, re.DOTALL):
            text = made.claims[finding.claim - 1].text
            assert text.startswith(ast.literal_eval(place[1]), int(place[2]))
    result = check(made)
    assert isinstance(result, Passed | Rejected)


@given(st.lists(st.sampled_from("xbc"), max_size=24))
def test_loops_are_those_that_a_slow_search_finds(tokens):
    def stands(width, times):
        return any(
            tokens[at : at + width * times] == tokens[at : at + width] * times
            for at in range(len(tokens) - width * times + 1)
        )

    assert bool(find_loop(tokens)) == (stands(1, 6) or any(stands(width, 3) for width in range(2, 9)))


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 3))
def test_a_loop_is_found_wherever_it_stands(numbers, width):
    tokens = [str(number) for number in numbers]
    phrase = [f"word{n}" for n in range(width)]
    assert find_loop([*tokens, *phrase * (4 if width == 1 else 3), *tokens])
    plain = [f"y{n}" for n in range(60)]
    assert find_loop([*plain, *plain, *phrase, *phrase]) == ""


def test_monstrous_disclosures_are_checked_quickly():
    dice = random.Random(1)
    long = [" ".join(f"w{dice.randrange(500)}" for _ in range(4000)) for _ in range(45)]
    many = [
        f"The valve of claim 1, wherein part {n} is {' '.join(str(dice.random()) for _ in range(40))}."
        for n in range(499)
    ]
    for claims in (long, [FIRST, *many], ["A valve, comprising " + "a. B" * 4900], ["A " + "of claim 1 " * 1800]):
        started = time.process_time()
        check(disclosure(*claims))
        assert time.process_time() - started < 10
