import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base import words as module
from generator.base.words import COMMON, FOLDS, _remembered, content, fold, placed, spelling, stem, words


def test_words_are_folded_and_cut_at_hyphens():
    assert words("A quick-release valve, 1,2-diol; the user's hand.") == [
        "a", "quick", "release", "valve", "1", "2", "diol", "the", "user", "hand",
    ]  # fmt: skip


BASE = "The users’ hand-grip is 5 µm thick, of H₂O and CO₂, and the body’s non-slip flow ﬁts Müller’s façade."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("’", one) for one in "'‘ʼ′`"),
        *(("-", one) for one in "\u2010\u2011–— −－/"),
        ("-", "\u00ad-"), ("µ", "μ"), ("₂", "2"), ("₂", "²"), ("ﬁ", "fi"), ("fl", "ﬂ"), (" ", "\u00a0"), ("ç", "c"),
        ("h", "h\u200b"), ("t", "t\u00ad"), ("ü", "u\u0308"), ("i", "\u2060i"), ("5", "５"), ("thick", "ＴＨＩＣＫ"),
    ],
)  # fmt: skip
def test_another_spelling_has_the_same_words(old, new):
    assert old in BASE
    assert words(BASE.replace(old, new)) == words(BASE)
    assert words(BASE.replace(old, new).upper()) == words(BASE)


def test_each_sign_of_chinese_and_japanese_is_a_word():
    assert words("a 基板ガラス・x'y") == ["a", "基", "板", "カ", "ラ", "ス", "xy"]


def test_a_mark_of_trade_is_no_part_of_a_word():
    assert words("a Kevlar™ cord") == ["a", "kevlar", "cord"]


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)
    assert words(fold(text)) == words(text)


def test_places_are_those_of_the_words():
    text = "The İ‑valve’s Seat, ﬁve"
    assert [(word, text[a:b]) for word, a, b in placed(text)] == [
        ("the", "The"), ("i-valve's", "İ‑valve’s"), ("seat", "Seat"), ("five", "ﬁve"),
    ]  # fmt: skip


def test_the_digest_of_the_spelling_tells_rules_apart(monkeypatch):
    before = spelling.__wrapped__()
    assert before == spelling()
    monkeypatch.setitem(FOLDS, "ß", "s")
    monkeypatch.setattr(module, "_TABLE", type(module._TABLE)())
    assert spelling.__wrapped__() != before


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
        assert last - 1 <= start < end <= len(text)  # a character such as one half holds two words
        assert fold(text[start:end]).find(word) >= 0
        assert stem(word)
        last = end
