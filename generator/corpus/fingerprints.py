"""Fingerprints of texts: hashed word sequences for copied runs, MinHash signatures for near duplicates.

A text is a list of words (`words.words`). Each word becomes 64 bits of BLAKE2b, a sequence of words a polynomial in
those, mixed: the same on every machine, which Python's own `hash` is not. Sources: Broder 1997 (shingles); Schleimer,
Wilkerson and Aiken 2003 (winnowing); Broder, Charikar, Frieze and Mitzenmacher 1998 (MinHash). NumPy is loaded when
something is first counted.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from generator.base.words import spelling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

GRAM = 13  # words in a hashed sequence
RUN = 25  # words of a run that counts as copied
SHINGLE = 5  # words in a sequence of a signature
PERMUTATIONS = 128
BANDS, ROWS = 21, 6  # texts with similarity 0.8 share a band with probability 0.998, with 0.5 with 0.28
AT_ONCE = 1 << 16  # sequences that a signature takes in one step, of which each needs half a kilobyte
SEED = 1  # of the permutations

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of one text: `grams` (uint64, one for each GRAM words in order), `signature` (uint32, PERMUTATIONS), and `terms`
    (uint64, one for each term by which neighbours are found; none where an index of passages finds them)."""

    grams: "Array"
    signature: "Array"
    terms: "Array"


def fingerprint(words: Sequence[str], terms: Collection[str] = ()) -> Fingerprint:
    hashes = word_hashes(words)
    return Fingerprint(sequences(hashes, GRAM), signature(hashes), word_hashes(terms))


@lru_cache(maxsize=1 << 18)
def _word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def word_hashes(words: Collection[str]) -> "Array":
    import numpy as np

    return np.fromiter(map(_word, words), np.uint64, len(words))


@cache
def _powers(base: int, count: int) -> "Array":
    import numpy as np

    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    made: Array = np.multiply.accumulate(powers)
    return made


def _power(base: int, count: int) -> "Array":
    """The first `count` powers of a base modulo 2**64; made for a power of two of them, so that few are made."""
    return _powers(base, max(1024, 1 << (count - 1).bit_length()))[:count]


def sequences(hashes: "Array", width: int) -> "Array":
    """The hash of every `width` consecutive words, in order; empty when there are fewer. Time: linear in the words."""
    import numpy as np

    count = len(hashes) - width + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    sums = np.zeros(len(hashes) + 1, np.uint64)
    np.cumsum(hashes * _power(_BASE, len(hashes)), out=sums[1:])
    return _mixed((sums[width:] - sums[:count]) * _power(_INVERSE, count))


def _mixed(values: "Array") -> "Array":
    """Every bit of the result depends on every bit of the value. Source: splitmix64, Steele, Lea and Flood 2014."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = values ^ (values >> np.uint64(31))
    return mixed


def winnowed(grams: "Array") -> "Array":
    """About one gram in seven: of every RUN - GRAM + 1 consecutive ones at least one, the smallest.

    A run of RUN words has just so many grams, so each such run shares a kept gram with whoever looks for all of his.
    """
    import numpy as np

    window = RUN - GRAM + 1
    if len(grams) <= window:
        return grams[[int(grams.argmin())]] if len(grams) else grams
    windows = np.lib.stride_tricks.sliding_window_view(grams, window)
    kept = np.zeros(len(grams), bool)
    kept[windows.argmin(axis=1) + np.arange(len(windows))] = True
    chosen: Array = grams[kept]
    return chosen


@cache
def permutations() -> "Array":
    """Factors, which are odd, and summands of bijections of 32 bits: uint32, shape (2, PERMUTATIONS).

    They are those of datasketch 2.0 (`affine32`), which made the corpora of earlier versions. NumPy keeps the numbers
    of RandomState for ever (NEP 19).
    """
    import numpy as np

    random = np.random.RandomState(SEED)
    factors = random.randint(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.array([factors, random.randint(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)])


@cache
def family() -> str:
    """A digest of everything on which stored fingerprints rest: others cannot be compared with them."""
    sample = fingerprint([f"word{n}" for n in range(40)])
    exact = (permutations().tobytes(), sample.grams.tobytes(), sample.signature.tobytes(), bytes((BANDS, ROWS)))
    parts = (spelling().encode(), *exact)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def signature(hashes: "Array") -> "Array":
    """The MinHash signature of the set of the SHINGLE-word sequences; of a shorter text, of the whole of it."""
    import numpy as np

    shingles = sequences(hashes, min(SHINGLE, max(1, len(hashes))))
    factors, summands = permutations()
    least = np.full(PERMUTATIONS, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(shingles), AT_ONCE):
        mixed = _mixed32((shingles[start : start + AT_ONCE] >> np.uint64(32)).astype(np.uint32))
        least = np.minimum(least, (mixed[:, None] * factors + summands).min(axis=0))
    return least


def _mixed32(values: "Array") -> "Array":
    """As `_mixed`, of 32 bits. Source: the finalizer of MurmurHash3, Appleby 2011."""
    import numpy as np

    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed: Array = values ^ (values >> np.uint32(16))
    return mixed


def band_hashes(signature: "Array") -> "Array":
    """One hash for each band of a signature; texts that share one are worth comparing."""
    import numpy as np

    rows = signature[: BANDS * ROWS].astype(np.uint64).reshape(BANDS, ROWS)
    return _mixed((rows * _power(_BASE, ROWS + 1)[1:]).sum(axis=1, dtype=np.uint64) + np.arange(BANDS, dtype=np.uint64))


def similarity(signature: "Array", others: "Array") -> "Array":
    """Estimated Jaccard similarities, 0 to 1, with the rows of `others`; standard error at most 0.044."""
    shares: Array = (others == signature).mean(axis=1)
    return shares


def longest_run(ours: "Array", theirs: "Array", least: int = GRAM) -> tuple[int, int, int]:
    """The longest common run of at least `least` words: its place in `ours`, in `theirs`, its length; else (0, 0, 0).

    Both are `word_hashes`, of 64 bits, so that equal hashes are equal words. Bisects on the length, because a common
    run of n words holds common runs of all lengths below. Of equally long runs the first in `ours`. Time: linear in
    the words but for sorting, times the logarithm of the length.
    """
    shared, length = _shared(ours, theirs, least), least
    if shared is None:
        return 0, 0, 0
    limit = min(len(ours), len(theirs)) + 1
    step = 1
    while limit - length > 1:  # doubling first: most runs are short
        tried = min(length + step, (length + limit) // 2) if limit <= length + step else length + step
        found = _shared(ours, theirs, tried)
        if found is None:
            limit, step = tried, 1 << 62
        else:
            shared, length, step = found, tried, step * 2
    start, place = shared
    same = bool((ours[start : start + length] == theirs[place : place + length]).all())
    return (start, place, length) if same else (0, 0, 0)  # two sequences with one hash


def _shared(one: "Array", other: "Array", width: int) -> tuple[int, int] | None:
    """The first sequence of `width` words of `one` that `other` holds, and its first place there."""
    import numpy as np

    ours, theirs = sequences(one, width), sequences(other, width)
    held = np.isin(ours, theirs)
    if not held.any():
        return None
    start = int(held.argmax())
    return start, int((theirs == ours[start]).argmax())
