"""Damage: each kind does what it says to real claims, by its seed alone."""

import random

import pytest
from real_patents import patents

from generator.judge.checks.repetition import looping
from generator.judge.damage import DAMAGES, damaged, exchanged, term_pairs


@pytest.mark.parametrize("kind", sorted(DAMAGES))
def test_the_same_seed_gives_the_same_damage(kind: str) -> None:
    real = list(patents())
    first, again = (damaged(real, kind, random.Random(5)) for _ in range(2))
    assert first == again
    assert len(first) > len(real) // 2
    for one, texts in first:
        assert len(texts) == len(one.claims)
        assert texts != tuple(claim.text for claim in one.claims)


def test_loops_are_loops() -> None:
    found = damaged(list(patents()), "loops", random.Random(1))
    assert all(any(looping(text) for text in texts) for _, texts in found)


def test_exchanging_twice_gives_the_text_again() -> None:
    text = "A bicycle lock comprising a shackle and a radio receiver, wherein the radio receiver moves the shackle."
    pairs = term_pairs(text)
    assert ("radio receiver", "shackle") in pairs
    for one, other in pairs:
        assert exchanged(exchanged(text, one, other), one, other).lower() == text.lower()
        assert exchanged(text, one, other).lower() != text.lower()
