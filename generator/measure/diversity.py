"""How different accepted disclosures are from one another, and whether the next one would be new.

Near duplicates: the fingerprints of G3, estimated Jaccard similarity of at least 0.8. Their clusters are the "species"
of Good-Turing and Chao1. docs/report-format.md says what each figure means.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from generator.base.words import content, words
from generator.corpus.fingerprints import signature, word_hashes
from generator.corpus.near_duplicates import NearDuplicates
from generator.judge.classification import tf_idf

SIMILAR = 0.8
VENDI_SAMPLE, BLEU_SAMPLE, NGRAM_SAMPLE = 1000, 200, 500
ENOUGH = 30  # accepted disclosures; below it the chance of something new has no meaning


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of `disclosures` texts. `refused`: drafts refused as copies of these; `clusters`: near duplicates count as one.

    `distinct_2`, `distinct_3`, `vendi`, `self_bleu` are of seeded samples, whose sizes stand beside them. Entropies are
    in bits. None where there is too little text.
    """

    disclosures: int
    refused: int
    exact_duplicate_share: float | None
    near_duplicate_share: float | None
    clusters: int
    distinct_2: float | None
    distinct_3: float | None
    ngram_sample: int
    vendi: float | None
    vendi_sample: int
    self_bleu: float | None
    self_bleu_sample: int
    section_entropy: float | None
    subclass_entropy: float | None
    sections: int
    subclasses: int
    chance_new: float | None
    chao1: float | None
    longer: str


def diversity(texts: Sequence[str], subclasses: Sequence[str], *, refused: int, seed: int) -> Diversity:
    """`texts`: title and claims of each accepted disclosure; `subclasses`: the CPC symbols of those that have one."""
    n = len(texts)
    kinds = clusters(texts)
    sizes = sorted(Counter(kinds).values())
    chance = chance_new(sizes, refused)
    samples = [_sample(texts, most, seed) for most in (NGRAM_SAMPLE, VENDI_SAMPLE, BLEU_SAMPLE)]
    return Diversity(
        disclosures=n,
        refused=refused,
        exact_duplicate_share=1 - len({tuple(words(text)) for text in texts}) / n if n else None,
        near_duplicate_share=1 - len(sizes) / n if n else None,
        clusters=len(sizes),
        distinct_2=distinct(samples[0], 2),
        distinct_3=distinct(samples[0], 3),
        ngram_sample=len(samples[0]),
        vendi=vendi(samples[1]),
        vendi_sample=len(samples[1]),
        self_bleu=self_bleu(samples[2]),
        self_bleu_sample=len(samples[2]),
        section_entropy=entropy([symbol[:1] for symbol in subclasses]),
        subclass_entropy=entropy(subclasses),
        sections=len({symbol[:1] for symbol in subclasses}),
        subclasses=len(set(subclasses)),
        chance_new=chance,
        chao1=chao1(sizes, refused),
        longer=worth_running_longer(n + refused, chance),
    )


def _sample(texts: Sequence[str], most: int, seed: int) -> Sequence[str]:
    """`most` of the texts, or all, in their order."""
    if len(texts) <= most:
        return texts
    return [texts[index] for index in sorted(Random(seed).sample(range(len(texts)), most))]


def clusters(texts: Sequence[str]) -> list[int]:
    """For each text the index of the first text of its cluster: near duplicates, and near duplicates of those."""
    first = list(range(len(texts)))

    def root(index: int) -> int:
        while first[index] != index:
            first[index] = index = first[first[index]]
        return index

    for place, earlier in enumerate(repeated(texts)):
        for other in earlier:
            low, high = sorted((root(other), root(place)))
            first[high] = low
    return [root(place) for place in range(len(texts))]


def repeated(texts: Sequence[str]) -> Iterator[list[int]]:
    """For each text the indices of the earlier texts that it is a near duplicate of."""
    seen = NearDuplicates(SIMILAR)
    for place, text in enumerate(texts):
        mine = signature(word_hashes(words(text)))
        yield list(seen.find(mine))
        seen.add(place, mine)


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Different word n-grams of all n-grams. Source: Li et al. 2016, "A diversity-promoting objective function"."""
    grams = [gram for text in texts for gram in _grams(words(text), n)]
    return len(set(grams)) / len(grams) if grams else None


def _grams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[at:] for at in range(n)), strict=False))


def vendi(texts: Sequence[str]) -> float | None:
    """Effective number of different texts, by the cosines of their TF-IDF. A text without words is like no other."""
    import numpy

    if not texts:
        return None
    stems = [content(text) or [f"\0{place}"] for place, text in enumerate(texts)]
    terms = {term: row for row, term in enumerate(sorted({term for text in stems for term in text}))}
    counts = [Counter(terms[term] for term in text) for text in stems]
    held = numpy.bincount([row for count in counts for row in count], minlength=len(terms))
    idf = 1 + numpy.log((1 + len(texts)) / (1 + held))
    vectors = numpy.zeros((len(texts), len(terms)))
    for vector, count in zip(vectors, counts, strict=True):
        rows, values = tf_idf(count, idf)
        vector[rows] = values
    return effective_number(vectors @ vectors.T)


def effective_number(similarities: Any) -> float:
    """The Vendi score of an array (n, n) with ones on its diagonal: exp of the entropy of the eigenvalues of K / n.

    Source: Friedman and Dieng 2023, "The Vendi score", definition 3.1.
    """
    import numpy

    values = numpy.linalg.eigvalsh(similarities / len(similarities))
    positive = values[values > 1e-12]
    return float(numpy.exp(-(positive * numpy.log(positive)).sum()))


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text against all the others: 1 where they are copies of one another.

    Source: Zhu et al. 2018, "Texygen", with the smoothing it uses: method 1 of Chen and Cherry 2014 (0.1 for no match).
    """
    tokens = [words(text) for text in texts]
    tokens = [text for text in tokens if text]
    if len(tokens) < 2:
        return None
    counts = [[Counter(_grams(text, n)) for text in tokens] for n in range(1, 5)]
    totals = [0.0] * len(tokens)
    for order in counts:
        best: dict[
            tuple[str, ...], tuple[int, int, int]
        ] = {}  # highest count, which text has it, highest of the others
        for place, grams in enumerate(order):
            for gram, count in grams.items():
                top, owner, second = best.get(gram, (0, -1, 0))
                best[gram] = (count, place, top) if count > top else (top, owner, max(second, count))
        for place, grams in enumerate(order):
            others = ((count, best[gram]) for gram, count in grams.items())
            matched = sum(min(count, second if owner == place else top) for count, (top, owner, second) in others)
            totals[place] += math.log((matched or 0.1) / max(1, grams.total())) / 4
    lengths = [len(text) for text in tokens]
    scores = [math.exp(total) * _brevity(place, lengths) for place, total in enumerate(totals)]
    return sum(scores) / len(scores)


def _brevity(place: int, lengths: list[int]) -> float:
    """The penalty against the length nearest to that of text `place`, the shorter of two. Papineni et al. 2002."""
    own = lengths[place]
    nearest = min((abs(other - own), other) for at, other in enumerate(lengths) if at != place)[1]
    return 1.0 if own > nearest else math.exp(1 - nearest / own)


def entropy(symbols: Sequence[str]) -> float | None:
    """Shannon entropy of the symbols' shares, in bits."""
    shares = [count / len(symbols) for count in Counter(symbols).values()]
    return abs(sum(share * math.log2(share) for share in shares)) if shares else None


def chance_new(sizes: Sequence[int], refused: int = 0) -> float | None:
    """The chance that the next accepted text is unlike all before: f1 / n. Source: Good 1953, equation 9.

    `sizes` of clusters. Of drafts `refused` as copies it is not known which texts they repeat: each is taken to repeat
    another one, which makes this the lowest chance that is possible.
    """
    n = sum(sizes) + refused
    return max(0, sum(size == 1 for size in sizes) - refused) / n if n else None


def chao1(sizes: Sequence[int], refused: int = 0) -> float | None:
    """At least so many different texts are within reach: S + f1 (f1 - 1) / 2 (f2 + 1), bias-corrected.

    Source: Chao 2005, "Species estimation and applications", equation 4, times (n - 1) / n. Refused drafts count as
    in `chance_new`.
    """
    n = sum(sizes) + refused
    if not n:
        return None
    singles = sum(size == 1 for size in sizes)
    repeated = min(refused, singles)
    f1, f2 = singles - repeated, sum(size == 2 for size in sizes) + repeated
    return len(sizes) + (n - 1) / n * f1 * (f1 - 1) / (2 * (f2 + 1))


def worth_running_longer(n: int, chance: float | None) -> str:
    """The answer in words: by the chance that what is accepted next is new. Each new one costs 1 / chance as much."""
    if chance is None or n < ENOUGH:
        return f"Too little is accepted to say: {n} of at least {ENOUGH}."
    share = f"{100 * chance:.0f} % of what is accepted next would be new"
    if chance >= 0.9:
        return f"Yes: {share}."
    if chance >= 0.5:
        return f"Yes, at a price: {share}, so a new disclosure costs {1 / chance:.1f} times as much as an accepted one."
    if chance > 0:
        return (
            f"Hardly: {share}, so a new disclosure costs {1 / chance:.1f} times as much as an accepted one. "
            "Another model, other topics or a higher temperature reach further."
        )
    return "No: everything that is accepted has been seen before. Change the model, the topics or the sampling."
