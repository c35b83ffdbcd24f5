"""Corrupted claims have the fault that their name says, by the project's own checks."""

import random
from functools import cache

import pytest
from real_patents import patents

from generator.corpus.documents import Document, as_disclosure
from generator.judge.calibration import load_calibration
from generator.judge.checks import Passed, check, coherent
from generator.judge.parsing import Rejected
from generator.record.disclosure import Disclosure
from generator.train.corruption import COHERENCE, CORRUPTIONS, corrupt, faults

CALIBRATION = load_calibration()


@cache
def clean() -> tuple[Disclosure, ...]:
    return tuple(one for one in patents() if not faults(one, CALIBRATION) and len(one.claims) > 3)


def made(kind: str, most: int = 12, seed: int = 1) -> list[tuple[Disclosure, Disclosure]]:
    dice, found = random.Random(seed), []
    for true in clean()[:60]:
        other = dice.choice(patents())
        if other is not true and (worse := corrupt(kind, true, other, dice, CALIBRATION)):
            found.append((true, worse))
        if len(found) == most:
            break
    return found


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("repeated", {"C10"}),
        ("misreferred", {"C4"}),
        ("unfounded", {"antecedents"}),
        ("chimera", COHERENCE),
        ("looping", {"C11"}),
        ("cut", {"C2"}),
    ],
)
def test_each_corruption_has_its_fault_and_the_original_has_none(kind: str, codes: set[str]) -> None:
    pairs = made(kind, most=6)
    assert len(pairs) == 6
    for true, worse in pairs:
        assert codes & faults(worse, CALIBRATION)
        assert not faults(true, CALIBRATION)
        assert (worse.title, worse.abstract) == (true.title, true.abstract)
        assert [claim.number for claim in worse.claims] == list(range(1, len(worse.claims) + 1))


def test_every_kind_is_named_above() -> None:
    assert set(CORRUPTIONS) == {"repeated", "misreferred", "unfounded", "chimera", "looping", "cut"}


@pytest.mark.parametrize("kind", ["looping", "unfounded", "chimera"])
def test_the_gates_refuse_what_is_wrong_as_a_whole(kind: str) -> None:
    for _, worse in made(kind, most=6):
        passed = check(worse)
        assert not isinstance(passed, Passed) or isinstance(coherent(passed.disclosure, CALIBRATION), Rejected)


def test_a_document_that_has_a_fault_already_is_left_alone() -> None:
    faulty = next(one for one in patents() if faults(one, CALIBRATION))
    for kind in CORRUPTIONS:
        assert corrupt(kind, faulty, clean()[0], random.Random(1), CALIBRATION) is None


def test_claims_that_cannot_have_a_fault_get_none() -> None:
    alone = as_disclosure(Document("", "Valve", "A valve has a body.", ("A valve, comprising a body.",)))
    assert not faults(alone, CALIBRATION)
    for kind in ("repeated", "misreferred"):
        assert corrupt(kind, alone, clean()[0], random.Random(1), CALIBRATION) is None
    assert corrupt("chimera", clean()[0], alone, random.Random(1), CALIBRATION) is None


def test_names_that_were_never_introduced_stand_behind_their_article_and_references_stay() -> None:
    for true, worse in made("unfounded", most=6):
        for claim, spoilt in zip(true.claims, worse.claims, strict=True):
            assert claim.depends_on == spoilt.depends_on
            assert claim.text[:12] == spoilt.text[:12]


def test_the_dependents_of_a_chimera_are_another_documents() -> None:
    for true, worse in made("chimera", most=6):
        assert worse.claims[0] == true.claims[0]
        assert not {claim.text for claim in worse.claims[1:]} & {claim.text for claim in true.claims}
        assert all(claim.depends_on for claim in worse.claims[1:])


def test_the_same_seed_makes_the_same() -> None:
    assert made("looping", most=3) == made("looping", most=3)
    assert made("looping", most=3) != made("looping", most=3, seed=2)
