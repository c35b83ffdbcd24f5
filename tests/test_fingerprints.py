"""Hashed word sequences, winnowing, signatures and sorted prints, against naive references."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.corpus import fingerprints as f
from generator.corpus.fingerprint_set import MOST_DOCUMENTS, FingerprintSet, Postings

FEW = st.lists(st.sampled_from("abc"), max_size=60)  # few different words: many repeats and overlaps


def naive_longest(ours, theirs, least):
    """Every pair of places, word by word."""
    best = (0, 0, 0)
    for i in range(len(ours)):
        for j in range(len(theirs)):
            n = 0
            while i + n < len(ours) and j + n < len(theirs) and ours[i + n] == theirs[j + n]:
                n += 1
            if n >= least and n > best[2]:
                best = (i, j, n)
    return best


@given(FEW, FEW, st.integers(1, 6))
@settings(max_examples=300)
def test_the_longest_run_is_the_one_that_a_naive_search_finds(ours, theirs, least):
    found = f.longest_run(f.word_hashes(ours), f.word_hashes(theirs), least)
    assert found == naive_longest(ours, theirs, least)


@given(FEW, st.integers(1, 15))
def test_sequences_hash_alike_exactly_where_the_words_are_alike(words, width):
    hashes = f.sequences(f.word_hashes(words), width).tolist()
    windows = [tuple(words[i : i + width]) for i in range(len(words) - width + 1)]
    assert len(hashes) == len(windows)
    assert len(set(hashes)) == len(set(windows))
    assert len(set(zip(hashes, windows, strict=True))) == len(set(windows))


def test_sequences_of_long_texts_do_not_depend_on_where_they_stand():
    words = [f"w{n}" for n in range(5000)]
    tail = f.sequences(f.word_hashes(words[3000:]), 13)
    assert (f.sequences(f.word_hashes(words), 13)[3000:] == tail).all()


def test_hashes_stay_what_they_are():
    """Stored fingerprints rest on them: whoever changes one makes every stored corpus another family."""
    assert [hex(n) for n in f.word_hashes(["valve", "Ventil-körper"]).tolist()] == [
        "0x79b076a48144980",
        "0xac8b2a413908a040",
    ]
    assert f.family() == "aae6fda8310de88df78e70f4c3f2519e00f615dc00d32e1c82b8f7fe17e838c5"


def test_signatures_are_those_that_datasketch_made():
    """Recorded with datasketch 2.0.0 (`affine32`, seed 1), whose values lie in the corpora of 0.3 to 0.6."""
    assert f.signature(f.word_hashes(["a", "valve", "comprising", "a", "body", "and", "a", "seat"]))[:6].tolist() == [
        70120093,
        680607366,
        363860975,
        95914136,
        322760853,
        413839266,
    ]
    texts = [[f"word{k * k % (n + 7)}" for k in range(3 * n)] for n in range(200)]
    texts.append([f"word{k}" for k in range(70_000)])  # more than is taken in one step
    made = b"".join(f.signature(f.word_hashes(text)).tobytes() for text in texts)
    assert hashlib.sha256(made).hexdigest() == "39a9f8d422be72b93732e52ef897c08ca7b27e7dc43d8ada61fbb33cdeeb6660"


@given(st.lists(st.sampled_from("abcdef"), min_size=25, max_size=80), st.data())
def test_winnowing_keeps_a_gram_of_every_run_that_counts_as_copied(words, data):
    """Whatever stands around the run, whoever looks for all of its grams meets one that was kept."""
    start = data.draw(st.integers(0, len(words) - f.RUN))
    run = words[start : start + f.RUN]
    kept = set(f.winnowed(f.sequences(f.word_hashes(words), f.GRAM)).tolist())
    assert kept & set(f.sequences(f.word_hashes(run), f.GRAM).tolist())


def test_winnowing_keeps_about_one_in_seven():
    grams = f.sequences(f.word_hashes([f"w{n}" for n in range(20_000)]), f.GRAM)
    assert 0.13 < len(f.winnowed(grams)) / len(grams) < 0.156
    assert len(f.winnowed(grams[:5])) == 1
    assert len(f.winnowed(grams[:0])) == 0


@pytest.mark.parametrize("changed", [0, 10, 40, 120])
def test_signatures_estimate_the_jaccard_similarity_of_shingles(changed):
    words = [f"w{n}" for n in range(600)]
    other = [f"x{n}" if changed and n % (600 // changed) == 0 else w for n, w in enumerate(words)]
    one, two = ({tuple(t[i : i + 5]) for i in range(596)} for t in (words, other))
    true = len(one & two) / len(one | two)
    mine, theirs = (f.fingerprint(t).signature for t in (words, other))
    assert abs(float(f.similarity(mine, theirs[None])[0]) - true) < 0.13
    assert (true > 0.75) <= bool(set(f.band_hashes(mine).tolist()) & set(f.band_hashes(theirs).tolist()))


def test_short_and_empty_texts_have_fingerprints_too():
    assert len(f.fingerprint([]).grams) == 0
    assert (f.fingerprint(["a", "b"]).signature == f.fingerprint(["a", "b"]).signature).all()
    assert (f.fingerprint(["a", "b"]).signature != f.fingerprint(["a", "c"]).signature).any()
    assert f.longest_run(f.word_hashes([]), f.word_hashes(["a"])) == (0, 0, 0)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=60), st.lists(st.integers(0, 45), max_size=30)
)
def test_postings_name_exactly_the_documents_that_have_a_hash(held, wanted):
    spread = np.uint64(0x05D1B3A7C9E40001)  # neighbours, and hashes with the same leading bits
    keys = np.array([(h * int(spread)) % 2**64 >> 24 << 24 | d for h, d in held], np.uint64)
    places, documents = Postings.of(keys).find(np.array([h * int(spread) % 2**64 for h in wanted], np.uint64))
    expected = [(i, d) for i, h in enumerate(wanted) for d in sorted({d for k, d in held if k == h})]
    assert list(zip(places.tolist(), documents.tolist(), strict=True)) == expected


def test_postings_find_among_many():
    random = np.random.default_rng(5)
    hashes = random.integers(0, 1 << 64, 200_000, dtype=np.uint64)
    postings = Postings.of((hashes & ~np.uint64(MOST_DOCUMENTS - 1)) | np.uint64(9))
    places, documents = postings.find(hashes[:500])
    assert places.tolist() == list(range(500))
    assert set(documents.tolist()) == {9}
    assert len(postings.find(random.integers(0, 1 << 64, 500, dtype=np.uint64))[0]) == 0


def test_prints_are_the_same_in_memory_on_disk_and_merged(tmp_path):
    texts = [[f"{t}-{n}" for n in range(40)] for t in range(6)]
    made = [f.fingerprint(text) for text in texts]
    made[2] = None
    whole = FingerprintSet.of(100, made)
    merged = FingerprintSet.of(100, made[:4]).with_next(FingerprintSet.of(104, made[4:]))
    whole.save(tmp_path)
    for prints in (whole, merged, FingerprintSet.open(tmp_path, 100)):
        assert len(prints) == 6
        assert prints.grams.find(made[5].grams)[1].tolist() == [105] * 28
        documents, similarities = prints.alike(made[4].signature, f.band_hashes(made[4].signature))
        assert (documents.tolist(), similarities.tolist()) == ([104], [1.0])
        assert prints.grams.keys.tolist() == whole.grams.keys.tolist()


def test_prints_of_nothing_are_empty_and_can_be_kept(tmp_path):
    FingerprintSet.of(0, ()).save(tmp_path)
    prints = FingerprintSet.open(tmp_path, 0)
    assert len(prints) == 0
    assert prints.grams.find(f.fingerprint(["a"] * 20).grams)[0].tolist() == []


@pytest.mark.parametrize("name", ["grams.npy", "bands-starts.npy", "signatures.npy"])
def test_a_cut_file_of_prints_is_no_prints(tmp_path, name):
    FingerprintSet.of(0, [f.fingerprint([f"w{n}" for n in range(50)])]).save(tmp_path)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) - 5])
    with pytest.raises((OSError, ValueError)):
        FingerprintSet.open(tmp_path, 0)
