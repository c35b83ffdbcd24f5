"""Measures of degeneration: repeating lowers or raises each of them, and nothing else does."""

from hypothesis import given
from hypothesis import strategies as st

from generator.judge.checks.degeneration import compressed_size, distinct_triples, echoes, new_content
from generator.record.disclosure import Claim

REAL = (
    Claim(1, "A bicycle lock comprising: a shackle; a radio receiver; and a motor that opens the shackle."),
    Claim(2, "The bicycle lock of claim 1, wherein a battery in the frame feeds the motor.", (1,)),
)
LOOP = tuple(
    Claim(n, "A field of a magnetic field of a magnetic field of a magnetic field.", () if n == 1 else (1,))
    for n in (1, 2, 3)
)


def test_a_loop_is_told_from_a_claim() -> None:
    assert distinct_triples(LOOP) < 500 < distinct_triples(REAL)
    assert compressed_size(LOOP) < compressed_size(REAL)
    assert echoes(LOOP) > 400 > echoes(REAL)
    assert new_content(LOOP) == 0 < new_content(REAL)


def test_without_words_nothing_is_wrong() -> None:
    empty = (Claim(1, "."),)
    assert (distinct_triples(empty), echoes(empty), new_content(empty)) == (1000, 0, 1000)


@given(st.lists(st.text(alphabet="abcdefg ", min_size=1, max_size=60), min_size=1, max_size=4))
def test_every_measure_is_a_share(texts: list[str]) -> None:
    claims = tuple(Claim(n, text, () if n == 1 else (1,)) for n, text in enumerate(texts, 1))
    for measure in (distinct_triples, compressed_size, echoes, new_content):
        assert 0 <= measure(claims) <= 1000


@given(st.lists(st.sampled_from(["lock", "shackle", "motor", "frame", "battery", "code"]), min_size=4, max_size=30))
def test_saying_everything_twice_never_raises_variety(words: list[str]) -> None:
    once, twice = " ".join(words), " ".join([*words, *words])
    assert distinct_triples((Claim(1, twice),)) <= distinct_triples((Claim(1, once),))
