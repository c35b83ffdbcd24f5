"""Gate G4, obvious range: which passages of known documents cover the elements of claim 1, and how few documents do.

An element's score in a passage is the share of the element's content stems that stand in the passage, each weighted
by how rare it is in the corpus: anybody can check it by reading. Covered means a score of THRESHOLD or more. Obvious
range (computed): no one document covers every element, and at most three together cover nine tenths of them. It is no
legal conclusion.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.corpus.elements import elements
from generator.corpus.passages import passages, stems
from generator.disclosure import Disclosure
from generator.judgement import ClaimChart, Element, Verdict

if TYPE_CHECKING:
    from generator.corpus.store import Corpus

# Thousandths. Calibrated by `python -m tests.benchmarks.corpus calibrate`; docs/corpus.md has the figures.
THRESHOLD = 600
UNION = 900  # thousandths of the elements that at most MOST_DOCUMENTS documents cover
MOST_DOCUMENTS = 3
TERMS = 24  # the weightiest stems of an element that are searched for; all of them are scored
HITS = 24  # passages that a search for one element gives
READ = 32  # documents that are read to be scored
WHOLE = 40  # passages of a document that are scored without having been found


@dataclass(frozen=True, slots=True)
class _Asked:
    """An element, its stems and their weights."""

    text: str
    weights: Mapping[str, float]

    def score(self, held: frozenset[str]) -> int:
        """Thousandths, rounded down: 1000 only where every stem is held."""
        whole = sum(self.weights.values())
        shared = sum(weight for stem, weight in self.weights.items() if stem in held)
        return 1000 if held.issuperset(self.weights) else min(999, int(1000 * shared / whole))


@dataclass(frozen=True, slots=True)
class _Best:
    """For one document and one element: the score of its best passage, and the passage."""

    score: int
    passage: str


def claim_chart(disclosure: Disclosure, corpus: "Corpus", *, but: frozenset[str] = frozenset()) -> ClaimChart:
    """The chart of the first claim; documents whose numbers are in `but` are not consulted.

    A row shows the best passage of the chosen documents if that covers the element, else the best one that was found.
    """
    asked = _asked(elements(disclosure.claims[0].text), corpus)
    if not asked:
        return ClaimChart((), 0, 0, (), "not covered")
    read = {number: best for number, best in _read(asked, corpus, but).items() if any(one.score for one in best)}
    covers = {
        number: frozenset(i for i, one in enumerate(best) if one.score >= THRESHOLD) for number, best in read.items()
    }
    chosen = _greedy(covers)
    union = frozenset[int]().union(*(covers[number] for number in chosen))
    single = 1000 * max(map(len, covers.values()), default=0) // len(asked)
    union3 = 1000 * len(union) // len(asked)
    names = {number: corpus.document(number) for number in read}
    rows = []
    for i, asks in enumerate(asked):
        among = [number for number in chosen if i in covers[number]] or list(read)
        near = min(among, key=lambda n: (-read[n][i].score, n), default=None)
        if near is None or not read[near][i].score:
            rows.append(Element(asks.text, "", "", "", 0, False))
            continue
        best, document = read[near][i], names[near]
        rows.append(
            Element(asks.text, document.number, document.title, best.passage, best.score, best.score >= THRESHOLD)
        )
    return ClaimChart(tuple(rows), single, union3, tuple(names[n].number for n in chosen), verdict(single, union3))


def verdict(single: int, union3: int) -> Verdict:
    if single == 1000:
        return "single document"
    return "obvious range" if union3 >= UNION else "not covered"


def weights(terms: Iterable[str], corpus: "Corpus") -> dict[str, float]:
    """The weight of each stem: the logarithm of how many passages there are to each that has it."""
    total, counts = corpus.frequencies(frozenset(terms))
    return {stem: math.log((total + 1) / (counts[stem] + 0.5)) for stem in sorted(terms)}


def _asked(texts: tuple[str, ...], corpus: "Corpus") -> list[_Asked]:
    """Elements with their weights; one without a content word asks nothing and is left out."""
    found = [(text, stems(text)) for text in texts]
    known = weights({stem for _, terms in found for stem in terms}, corpus)
    return [_Asked(text, {stem: known[stem] for stem in sorted(terms)}) for text, terms in found if terms]


def _read(asked: list[_Asked], corpus: "Corpus", but: frozenset[str]) -> dict[int, list[_Best]]:
    """The documents most worth reading, and for each of them its best passage for each element."""
    near: dict[int, float] = defaultdict(float)
    ordinals: dict[int, set[int]] = defaultdict(set)
    first: set[int] = set()
    for one in asked:
        terms = sorted(one.weights, key=lambda stem: (-one.weights[stem], stem))[:TERMS]
        hits = corpus.search(terms, HITS)
        first.update(document for _, document, _ in hits[:2])
        best: dict[int, float] = {}
        for score, document, ordinal in hits:
            ordinals[document].add(ordinal)
            best[document] = max(best.get(document, 0.0), score / hits[0][0])
        for document, share in best.items():
            near[document] += share
    order = sorted(near, key=lambda document: (document not in first, -near[document], document))
    kept = order[: max(READ, len(first))]
    read = {}
    for number in sorted(kept):
        text = corpus.document(number)
        if text.number not in but:
            cut = passages(text)
            some = range(len(cut)) if len(cut) <= WHOLE else sorted(ordinals[number])
            read[number] = _scored(asked, [cut[ordinal] for ordinal in some])
    return read


def _scored(asked: list[_Asked], texts: list[str]) -> list[_Best]:
    held = [stems(text) for text in texts]
    found = []
    for one in asked:
        scores = [one.score(some) for some in held]
        top = max(range(len(texts)), key=lambda i: (scores[i], -i))
        found.append(_Best(scores[top], texts[top]))
    return found


def _greedy(covers: Mapping[int, frozenset[int]]) -> list[int]:
    """At most three documents, each adding the most elements; of equal ones the one added to the corpus first."""
    chosen: list[int] = []
    covered: frozenset[int] = frozenset()
    while len(chosen) < MOST_DOCUMENTS:
        best = min(covers, key=lambda n: (-len(covers[n] - covered), n), default=None)
        if best is None or not covers[best] - covered:
            break
        chosen.append(best)
        covered |= covers[best]
    return chosen
