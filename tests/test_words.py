from hypothesis import given
from hypothesis import strategies as st

from generator.base.words import COMMON, _remembered, content, placed, stem, words


def test_words_are_lower_case_and_keep_their_hyphens():
    assert words("A quick-release valve, 1,2-diol; the user's hand.") == [
        "a", "quick-release", "valve", "1", "2-diol", "the", "user's", "hand",
    ]  # fmt: skip


def test_places_are_those_of_the_words():
    text = "The İ-valve's Seat"
    assert [(text[a:b].lower(), word) for word, a, b in placed(text)] == [(w, w) for w, _, _ in placed(text)]


def test_stems_lose_the_plural_and_nothing_else():
    for plural, single in (
        ("valves", "valve"), ("bodies", "body"), ("boxes", "box"), ("glasses", "glass"), ("branches", "branch"),
        ("bus", "bus"), ("process", "process"), ("gas", "gas"), ("is", "is"), ("apparatus", "apparatus"),
    ):  # fmt: skip
        assert stem(plural) == single


def test_long_words_have_stems_and_are_not_remembered():
    assert stem("x" * 50 + "ies") == "x" * 50 + "y"
    before = _remembered.cache_info().currsize
    for length in range(41, 80):
        stem("y" * length)
    assert _remembered.cache_info().currsize == before


def test_content_leaves_out_grammar_numbers_and_the_word_claim():
    assert content("The valves of claim 1, wherein each of said bodies is round.") == ["valve", "body", "round"]
    assert {"the", "said", "claim", "wherein"} <= COMMON


@given(st.text())
def test_placed_words_lie_in_the_text_in_order(text):
    last = 0
    for word, start, end in placed(text):
        assert last <= start < end <= len(text)
        assert text[start:end].lower() == word
        assert stem(word)
        last = end
