"""Figures of diversity against values by hand, published examples and plain definitions."""

import math
from collections import Counter

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.base.words import content, words
from generator.measure import diversity

CLAIM = (
    "A valve comprising a body with an inlet and an outlet, a chamber below the inlet in which sediment settles, a "
    "purge port at the lower end of the chamber, and a diaphragm that closes the port while the pressure is high."
)
OTHER = (
    "A method of scheduling robots, in which a server predicts when each battery will be empty and assigns a station "
    "and a time to each robot, so that no two robots arrive at one station within the time that a swap takes."
)
TEXTS = st.lists(st.text("abcde ", min_size=1, max_size=40), min_size=1, max_size=12)


def test_effective_number_gives_the_published_examples():
    """The examples of the package vendi-score by the authors of the measure (its README)."""
    samples = numpy.array([0, 0, 10, 10, 20, 20])
    assert diversity.effective_number(numpy.exp(-abs(samples[:, None] - samples))) == pytest.approx(2.9999, abs=1e-4)
    matrix = numpy.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    assert diversity.effective_number(matrix) == pytest.approx(2.1573, abs=1e-4)


def test_vendi_of_copies_is_one_and_of_strangers_their_number():
    assert diversity.vendi([CLAIM] * 5) == pytest.approx(1)
    assert diversity.vendi(["valve", "robot", "hinge"]) == pytest.approx(3)
    assert diversity.vendi(["valve", "robot", "", "1 2"]) == pytest.approx(4)
    assert diversity.vendi([]) is None


def test_vendi_is_that_of_scikit_learn():
    """The weights of terms against the library's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [f"{CLAIM if n % 3 else OTHER} part{n % 7} spring{n % 5} {'bench ' * (n % 4)}" for n in range(40)]
    rows = TfidfVectorizer(analyzer=content, sublinear_tf=True).fit_transform(texts)
    expected = diversity.effective_number((rows @ rows.T).toarray())
    assert diversity.vendi(texts) == pytest.approx(expected, rel=1e-9)


def test_distinct_by_hand():
    assert diversity.distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert diversity.distinct(["a b c", "a b d"], 3) == 1
    assert diversity.distinct(["a", ""], 2) is None


def plain_bleu(own, others):
    """BLEU-4 as Papineni et al. define it, method 1 of Chen and Cherry for no match; nothing shared with the code."""
    score = 0.0
    for n in range(1, 5):
        grams = [tuple(own[at : at + n]) for at in range(len(own) - n + 1)]
        most = Counter()
        for other in others:
            most |= Counter(tuple(other[at : at + n]) for at in range(len(other) - n + 1))
        matched = sum((Counter(grams) & most).values())
        score += math.log((matched or 0.1) / max(1, len(grams))) / 4
    nearest = min((abs(len(other) - len(own)), len(other)) for other in others)[1]
    return math.exp(score) * (1 if len(own) > nearest else math.exp(1 - nearest / len(own)))


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_self_bleu_is_the_mean_of_the_definition(texts):
    tokens = [words(text) for text in texts if words(text)]
    if len(tokens) < 2:
        assert diversity.self_bleu(texts) is None
        return
    plain = [plain_bleu(own, [x for j, x in enumerate(tokens) if j != i]) for i, own in enumerate(tokens)]
    assert diversity.self_bleu(texts) == pytest.approx(sum(plain) / len(plain))


def test_self_bleu_of_copies_is_one():
    assert diversity.self_bleu([CLAIM, CLAIM]) == pytest.approx(1)
    assert diversity.self_bleu([CLAIM, OTHER]) < 0.1


def test_entropy_in_bits():
    assert diversity.entropy(["A", "A", "B", "B"]) == 1
    assert diversity.entropy(["A", "A", "A", "B"]) == pytest.approx(0.8112781)
    assert diversity.entropy(["A", "A"]) == 0
    assert diversity.entropy([]) is None


def test_good_turing_and_chao_by_hand():
    sizes = [1, 1, 2]
    assert diversity.chance_new(sizes) == 0.5
    assert diversity.chao1(sizes) == pytest.approx(3 + 3 / 4 * 2 * 1 / (2 * 2))
    assert diversity.chance_new([]) is None
    assert diversity.chao1([]) is None


def test_refused_copies_lower_the_chance_of_something_new():
    """Ten different texts say 'all new'; ten more that were refused as copies say that nothing may be new."""
    assert diversity.chance_new([1] * 10) == 1
    assert diversity.chance_new([1] * 10, refused=5) == pytest.approx(5 / 15)
    assert diversity.chance_new([1] * 10, refused=50) == 0
    assert diversity.chao1([1] * 10, refused=5) < diversity.chao1([1] * 10)


def test_near_duplicates_are_one_cluster_wherever_they_stand():
    near = f"{CLAIM} Always"
    assert diversity.clusters([CLAIM, OTHER, near, CLAIM]) == [0, 1, 0, 0]
    assert list(diversity.repeated([CLAIM, OTHER, near, CLAIM])) == [[], [], [0], [0, 2]]


def test_the_whole_account():
    near = f"{CLAIM} Always"
    made = diversity.diversity([CLAIM, CLAIM, near, OTHER], ["F16K", "F16K", "F16K", "G06Q"], refused=2, seed=1)
    assert made.exact_duplicate_share == 0.25
    assert made.near_duplicate_share == 0.5
    assert (made.disclosures, made.clusters, made.sections, made.subclasses) == (4, 2, 2, 2)
    assert made.chance_new == 0
    assert made == diversity.diversity([CLAIM, CLAIM, near, OTHER], ["F16K"] * 3 + ["G06Q"], refused=2, seed=1)


def test_of_nothing_nothing_is_said():
    made = diversity.diversity([], [], refused=0, seed=1)
    assert made.vendi is made.self_bleu is made.chance_new is made.exact_duplicate_share is made.chao1 is None
    assert made.longer == "Too little is accepted to say: 0 of at least 30."


def test_samples_follow_the_seed_and_say_their_size():
    texts = [f"device number {n} with part {n * 7} and spring {n * 13} on a bench" for n in range(520)]
    one, two, again = (diversity.diversity(texts, [], refused=0, seed=seed) for seed in (1, 2, 1))
    assert one == again
    assert one.self_bleu != two.self_bleu
    assert (one.ngram_sample, one.vendi_sample, one.self_bleu_sample) == (500, 520, 200)


@pytest.mark.parametrize(
    ("n", "chance", "begins"),
    [
        (29, 1.0, "Too little"),
        (30, 0.9, "Yes: 90 %"),
        (99, 0.5, "Yes, at a price: 50 %"),
        (99, 0.1, "Hardly: 10 %"),
        (99, 0.0, "No:"),
    ],
)
def test_the_answer_in_words(n, chance, begins):
    assert diversity.worth_running_longer(n, chance).startswith(begins)


def test_the_price_of_something_new_is_named():
    assert "costs 4.0 times as much" in diversity.worth_running_longer(100, 0.25)
