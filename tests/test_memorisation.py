"""What of a text stands in the training data: against a naive search, at borders, and with hashes that collide."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.base.errors import CorpusError
from generator.base.intervals import Z, wilson
from generator.base.words import words
from generator.corpus.documents import Document
from generator.corpus.fingerprints import GRAM, RUN
from generator.measure import memorisation
from generator.measure.memorisation import Memory, text_of


def numbered(first: int, count: int) -> str:
    return " ".join(f"w{n}" for n in range(first, first + count))


def passages(text: str) -> list[list[str]]:
    return [words(line) for line in text.split("\n")]


def naive(known: list[str], text: str) -> tuple[int, int, int]:
    """Sequences, known sequences, longest run; every pair of passages, word by word."""
    held = {tuple(p[i : i + GRAM]) for one in known for p in passages(one) for i in range(len(p) - GRAM + 1)}
    ours = [tuple(p[i : i + GRAM]) for p in passages(text) for i in range(len(p) - GRAM + 1)]
    longest = 0
    for mine in passages(text):
        for theirs in (p for one in known for p in passages(one)):
            for i in range(len(mine)):
                for j in range(len(theirs)):
                    n = 0
                    while i + n < len(mine) and j + n < len(theirs) and mine[i + n] == theirs[j + n]:
                        n += 1
                    longest = max(longest, n if n >= GRAM else 0)
    return len(ours), sum(one in held for one in ours), longest


FEW = st.lists(st.lists(st.sampled_from("ab"), max_size=40).map(" ".join), min_size=1, max_size=4).map("\n".join)


@given(st.lists(FEW, min_size=1, max_size=3), FEW)
@settings(max_examples=200, deadline=None)
def test_it_finds_what_a_naive_search_finds(known: list[str], text: str) -> None:
    """Words from so few letters repeat and overlap, so that one sequence has many places."""
    memory = Memory.of(Document(f"d{n}", "", "", description=one) for n, one in enumerate(known))
    found = memory.measure([text])
    assert (found.grams, found.known_grams, found.longest_run) == naive(known, text)
    assert found.texts_with_long_run == (found.longest_run >= RUN)
    if found.longest_run:
        held = known[int(found.run_in.removeprefix("d"))]
        assert any(f" {found.run} " in f" {' '.join(p)} " for p in passages(held))
        assert any(f" {found.run} " in f" {' '.join(p)} " for p in passages(text))


def test_small_steps_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [Document(f"d{n}", "", "", (f"{numbered(n, 40)} a b c {numbered(0, 20)}",)) for n in range(30)]
    texts = [numbered(n, 37) for n in range(0, 60, 7)]
    whole = Memory.of(documents).measure(texts)
    monkeypatch.setattr(memorisation, "AT_ONCE", 16)
    assert Memory.of(documents).measure(texts) == whole
    assert whole.longest_run == 37


def test_a_run_is_long_from_25_words_on_and_the_longest_is_named() -> None:
    memory = Memory.of(
        [
            Document("US1", "A valve", "An abstract.", (numbered(0, 24), numbered(100, 25))),
            Document("US2", "A seal", "Another.", description=numbered(200, 60)),
        ]
    )
    short = memory.measure([f"x {numbered(0, 24)} y"])
    assert (short.texts_with_long_run, short.longest_run, short.run_in) == (0, 24, "US1")
    long = memory.measure([f"x {numbered(0, 24)} y", f"x {numbered(100, 25).upper()}, y", numbered(210, 30)])
    assert (long.texts, long.texts_with_long_run, long.longest_run, long.run_in) == (3, 2, 30, "US2")
    assert long.run == numbered(210, 30)
    assert long.share_of_texts == pytest.approx(2 / 3)
    assert long.texts_interval == wilson(2, 3)


def test_no_sequence_crosses_a_border_of_either_side() -> None:
    """Title, abstract, each claim and each paragraph are passages; so is each line of a text."""
    thirds = [numbered(start, 12) for start in (0, 12, 24, 36, 48)]
    document = Document("US1", thirds[0], thirds[1], (thirds[2], thirds[3]), thirds[4])
    memory = Memory.of([document, replace(document, number="US2", title=numbered(60, 12))])
    assert memory.measure([numbered(0, 72)]).known_grams == 0
    whole = Memory.of([Document("US1", "", "", (numbered(0, 72),))])
    cut = whole.measure([text_of(document)])
    assert (cut.grams, cut.known_grams, cut.share_of_grams) == (0, 0, None)
    assert whole.measure([numbered(0, 72)]).share_of_grams == 1.0


def test_a_line_feed_within_a_title_or_claim_is_no_border() -> None:
    document = Document("US1", "", "", (f"{numbered(0, 10)}\n{numbered(10, 10)}",))
    assert Memory.of([document]).measure([text_of(document)]).known_grams == 20 - GRAM + 1


def test_a_number_before_a_claim_is_passed_over() -> None:
    memory = Memory.of([Document("US1", "", "", (f"A valve {numbered(0, 20)}",))])
    draft = f"# Patent\n\n## Claims\n\n1. A valve {numbered(0, 20)}\n\n12. A valve {numbered(0, 20)}"
    found = memory.measure([draft])
    assert found.grams == found.known_grams == 2 * (22 - GRAM + 1)


def test_equal_hashes_of_other_words_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """All words hash alike, so every sequence is a candidate and words alone decide."""
    import numpy as np

    def alike(some: Any) -> Any:
        return np.full(len(some), 7, np.uint64)

    monkeypatch.setattr(memorisation, "word_hashes", alike)
    memory = Memory.of([Document("US1", "", "", (numbered(0, 40),)), Document("US2", "", "", (numbered(0, 30),))])
    found = memory.measure([" ".join(reversed(numbered(0, 40).split()))])
    assert (found.grams, found.known_grams, found.longest_run) == (28, 0, 0)


def test_words_that_no_document_has_are_in_no_known_sequence() -> None:
    memory = Memory.of([Document("US1", "", "", (numbered(0, 30),))])
    found = memory.measure([f"{numbered(0, 15)} unheard {numbered(16, 14)}", "unheard " * 20, ""])
    assert (found.texts, found.grams, found.known_grams, found.longest_run) == (3, 18 + 8, 3 + 2, 15)


def test_the_interval_is_that_of_texts_drawn_not_of_sequences() -> None:
    memory = Memory.of([Document("US1", "", "", (numbered(0, 40),))])
    copied, new = numbered(0, 22), " ".join(f"n{n}" for n in range(22))
    found = memory.measure([copied, new] * 8)
    assert found.share_of_grams == 0.5
    assert found.error == pytest.approx(math.sqrt(0.25 / 15))  # of 16 texts that are all or nothing
    assert found.grams_interval == pytest.approx((0.5 - Z * found.error, 0.5 + Z * found.error))
    assert memory.measure([copied]).grams_interval == (0.0, 1.0)  # one text says nothing of others
    assert memory.measure([new] * 8).grams_interval == wilson(0, 8)  # and eight without any no more than eight can
    assert memory.measure([copied] * 8).grams_interval == wilson(8, 8)


def test_of_no_texts_no_share_is_told() -> None:
    found = Memory.of([Document("US1", "A valve", "")]).measure([])
    assert (found.share_of_grams, found.share_of_texts, found.run, found.run_in) == (None, None, "", "")
    assert found.figures()["texts_interval"] == [0.0, 1.0]
    assert found.figures()["grams"] == 0


def test_no_documents_and_too_many_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorpusError, match="no document"):
        Memory.of([])
    monkeypatch.setattr(memorisation, "MOST_WORDS", 20)
    with pytest.raises(CorpusError, match=r"US2: .* more than 20 words"):
        Memory.of([Document("US1", numbered(0, 10), ""), Document("US2", numbered(0, 10), "")])
