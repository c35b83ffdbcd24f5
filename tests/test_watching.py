import random
import time

from hypothesis import given
from hypothesis import strategies as st
from real_patents import patents

from generator.judge.calibration import load_calibration
from generator.judge.checks import Passed, check, coherent
from generator.judge.checks.thresholds import Calibration
from generator.judge.early_stop import REMEMBERED, EarlyStop, gate_of
from generator.judge.parsing import Rejected, parse
from generator.model.interface import Brief
from generator.record.judgement import GATES
from generator.record.layouts import ABSTRACT, CLAIMS, DIRECTIONS, HEAD, PROMPTS, TITLE, write_layout

FIRST = "A valve, comprising a body and a seat."
SECOND = "The valve of claim 1, wherein the seat is flat."
CALIBRATION = load_calibration()


def brief(direction, index=0):
    return Brief(index, direction, "", "", 1)


def layout(direction="top-down", claims=(FIRST, SECOND), title="Valve", abstract="A valve has a body and a seat."):
    return write_layout(direction, title, abstract, claims)


def stopped(text, direction="top-down", watch=None):
    return (watch or EarlyStop(CALIBRATION))(brief(direction), text)


def refused(text, direction, stop):
    """The gate that refuses a whole draft, or an empty string."""
    parsed = parse(text, direction, stop)
    if isinstance(parsed, Rejected):
        return parsed.gate
    passed = check(parsed.disclosure)
    if not isinstance(passed, Passed):
        return passed.gate
    found = coherent(passed.disclosure, CALIBRATION)
    return found.gate if isinstance(found, Rejected) else ""


def test_good_drafts_are_let_go_on_at_every_character():
    for direction in DIRECTIONS:
        text, watch = layout(direction), EarlyStop(CALIBRATION)
        assert not refused(text, direction, "end")
        for end in range(len(text) + 1):
            assert watch(brief(direction), text[:end]) == ""


def test_each_reason_stops_as_soon_as_it_is_decided():
    top, bottom = PROMPTS["top-down"], PROMPTS["bottom-up"]
    following = "\n\n3. "
    for reason, text, direction in (
        ("unknown_heading", f"{top}Valve\n\n## Summary\n", "top-down"),
        ("repeated_heading", f"{top}Valve\n\n{ABSTRACT}\nA valve.\n\n{TITLE}\n", "top-down"),
        ("section_order", f"{top}Valve\n\n{CLAIMS}\n", "top-down"),
        ("stray_text", f"{top}Valve\n\nA second paragraph\n", "top-down"),
        ("stray_text", f"{HEAD}\nA preface\n", "top-down"),
        ("stray_text", f"{bottom}\n\nA valve", "bottom-up"),
        ("empty_section", f"{top}\n\n{ABSTRACT}\n", "top-down"),
        ("empty_section", layout(claims=(FIRST, " ")) + following, "top-down"),
        ("no_whole_claim", f"{bottom}\n\n{ABSTRACT}\n", "bottom-up"),
        ("too_long", f"{top}{'word ' * 101}", "top-down"),
        ("c1", layout(claims=(FIRST,)) + f"\n\n3. {SECOND}\n\n4. ", "top-down"),
        ("c2", layout(claims=("a valve, comprising a body.", "")), "top-down"),
        ("c3", layout(claims=("A valve of claim 2, comprising a body.", "")), "top-down"),
        ("c7", layout(claims=("A valve of brass.", "")), "top-down"),
        ("c11", layout(claims=(FIRST, f"{SECOND[:-1]} of a seat of a seat of a seat of a seat.", "")), "top-down"),
        ("c11", f"{top}Valve\n\n{ABSTRACT}\nA valve of a valve of a valve of a valve of ", "top-down"),
        ("few_pass", f"{bottom}\n\n1. {FIRST}\n\n2. {SECOND[:-1]}\n\n{ABSTRACT}\n", "bottom-up"),
        (
            "cohesion",
            f"{bottom}\n\n1. {FIRST}\n\n2. A lamp as in claim 1, with red light.\n\n{ABSTRACT}\n",
            "bottom-up",
        ),
        ("antecedents", f"{bottom}\n\n1. {FIRST[:-1]}, the lamp, the cup and the hat.\n\n{ABSTRACT}\n", "bottom-up"),
        ("abstract_support", layout("bottom-up", abstract="Beer is brewed of malt.")[: -len("Valve")], "bottom-up"),
    ):
        assert stopped(text, direction) == reason, (reason, text)
        assert gate_of(reason) in GATES
        for continuation in ("", " a body.", f"\n\n{CLAIMS}\n\n1. {FIRST}\n\n2. {SECOND}", "\n\nValve"):
            for stop in ("end", "limit"):
                assert refused(text + continuation, direction, stop), (reason, continuation)


def test_an_unfinished_claim_decides_nothing():
    assert stopped(layout(claims=(FIRST, "the the the the the the"))) == ""
    assert stopped(layout(claims=(FIRST, SECOND, SECOND))) == ""
    assert stopped(layout(claims=(FIRST, SECOND)) + "\n\n9.") == ""


def test_a_prompt_that_holds_an_example_stops_nothing():
    assert stopped(layout() + "\n\n" + PROMPTS["top-down"] + "Valve\n\n## Summary\n") == ""
    assert stopped("Write a patent.\n") == ""


def test_half_a_character_at_the_end_is_no_fault():
    watch = EarlyStop(CALIBRATION)
    text = layout(abstract="A valve has a body and a seat �")
    for end in range(len(text)):
        if text[:end].endswith("�"):
            assert watch(brief("top-down"), text[:end]) == ""


def test_copies_are_looked_for_where_a_part_was_completed():
    asked = []

    def copied(text):
        asked.append(len(text))
        return "flat" in text

    watch, text = EarlyStop(CALIBRATION, copied), layout(claims=(FIRST, SECOND, SECOND))
    stops = [end for end in range(0, len(text), 3) if watch(brief("top-down"), text[:end])]
    assert not stops  # claim 2 is none that stays for sure
    assert len(asked) == 3  # title, abstract, claim 1
    bottom = layout("bottom-up", claims=(FIRST, SECOND))
    assert stopped(bottom, "bottom-up", EarlyStop(CALIBRATION, copied)) == "copied_run"
    assert gate_of("copied_run") == "G3"


def test_drafts_are_told_apart_forgotten_and_written_again():
    watch = EarlyStop(CALIBRATION)
    bad = layout(claims=(FIRST, f"{SECOND[:-1]} of a seat of a seat of a seat of a seat.", ""))
    for index in range(REMEMBERED + 10):
        watch(brief("top-down", index), layout(claims=(FIRST, SECOND, "")))
    assert len(watch._drafts) == REMEMBERED
    assert watch(brief("top-down", 3), bad) == "c11"
    assert watch(brief("top-down", 5000), bad) == "c11"
    assert 5000 not in watch._drafts
    # The same brief, begun again with another text: what was seen before is of no account.
    assert watch(brief("top-down", REMEMBERED), layout(claims=(FIRST, SECOND))) == ""
    assert watch(brief("top-down", REMEMBERED), layout(claims=(SECOND, SECOND))) == "c3"


def test_the_calibration_that_is_given_decides():
    lax = Calibration("lax", 1000, 0, 0, 0)
    text = f"{PROMPTS['bottom-up']}\n\n1. {FIRST}\n\n2. A lamp as in claim 1, with red light.\n\n{ABSTRACT}\n"
    assert stopped(text, "bottom-up", EarlyStop(lax)) == ""
    assert stopped(text, "bottom-up") == "cohesion"


@given(st.text(), st.sampled_from(DIRECTIONS))
def test_never_raises(text, direction):
    watch = EarlyStop(CALIBRATION)
    for candidate in (text, PROMPTS[direction] + text, layout(direction) + text):
        assert isinstance(watch(brief(direction), candidate), str)


def damaged(text, dice):
    """A draft with one or two of the faults that models make."""
    lines = text.split("\n")
    for _ in range(dice.randrange(1, 3)):
        at = dice.randrange(len(lines))
        match dice.randrange(8):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[dice.randrange(len(lines))])
            case 2:
                lines[at] = lines[at].rstrip(".")
            case 3:
                lines[at] = lines[at].replace("claim 1", f"claim {dice.randrange(1, 9)}")
            case 4:
                parts = lines[at].split(" ")
                lines[at] = " ".join(parts + parts[-2:] * 3)
            case 5:
                lines[at] = lines[at][:1].lower() + lines[at][1:]
            case 6:
                parts = lines[at].split(" ")
                dice.shuffle(parts)
                lines[at] = " ".join(parts)
            case _:
                lines[at : at + 1] = [lines[at], "", dice.choice(("## Abstract", "# Patent", "A line", "9. A line."))]
    return "\n".join(lines)


def test_what_is_stopped_is_refused_by_the_full_gates():
    """Real and damaged drafts, at every 40th character, against the verdict on the whole draft, ended or cut."""
    dice = random.Random(5)
    watch, stops, drafts = EarlyStop(CALIBRATION), 0, 0
    for number, one in enumerate(patents()[:36]):
        for direction in DIRECTIONS:
            whole = write_layout(direction, one.title, one.abstract, [claim.text for claim in one.claims[:6]])
            for text in (whole, damaged(whole, dice), damaged(damaged(whole, dice), dice)):
                drafts += 1
                for end in range(40, len(text) + 40, 40):
                    if watch(brief(direction, number), text[:end]):
                        stops += 1
                        assert refused(text, direction, "end"), text
                        assert refused(text, direction, "limit"), text
                        break
    assert drafts / 4 < stops < drafts


def test_watching_costs_little():
    """All looks at a draft, one each 250 characters, cost less than judging it three times over."""
    texts = [layout(claims=[c.text for c in one.claims[:6]], abstract=one.abstract) for one in patents()[:20]]
    watch = EarlyStop(CALIBRATION)
    started = time.process_time()
    for number, text in enumerate(texts):
        for end in range(250, len(text), 250):
            watch(brief("top-down", number), text[:end])
    watching = time.process_time() - started
    started = time.process_time()
    for text in texts:
        refused(text, "top-down", "end")
    assert watching < 3 * (time.process_time() - started)
