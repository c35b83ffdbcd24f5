"""Gate G4, obvious range: which passages of known documents cover the elements of claim 1, and how few documents do.

An element's score in a passage is the share of the element's content stems that stand in the passage, each weighted
by how rare it is in the corpus: anybody can check it by reading. Covered means a score of THRESHOLD or more, in a
document that is related: it has RELATED of what of the claim stands in any document that was read, for nobody puts
together documents that have nothing to do with one another (MPEP 2141.01(a), analogous art). Obvious range (computed):
no one document covers every element, and at most three together cover nine tenths of them. It is no legal conclusion.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.corpus.documents import Document
from generator.corpus.elements import elements
from generator.corpus.passages import stems
from generator.record.disclosure import Disclosure
from generator.record.judgement import ClaimChart, Element, Verdict

if TYPE_CHECKING:
    from generator.corpus.store import Corpus

# Thousandths. The lowest step of 50 at which held-out real claims are found in a single document no more often than
# they share a copied run with one (7 of 200: relatives). Figures and how to repeat them: docs/corpus.md.
THRESHOLD = 500
RELATED = 300
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
class _Read:
    """A document that was read: for each element its best passage and that one's score; the elements that it covers."""

    document: Document
    passages: tuple[str, ...]
    scores: tuple[int, ...]
    covers: frozenset[int]


def claim_chart(disclosure: Disclosure, corpus: "Corpus", *, but: frozenset[str] = frozenset()) -> ClaimChart:
    """The chart of the first claim; documents whose numbers are in `but` are not consulted.

    A row shows the best passage of the chosen documents if that covers the element, else the best one that was found.
    """
    asked = _asked(elements(disclosure.claims[0].text), corpus)
    if not asked:
        return ClaimChart((), 0, 0, (), "not covered")
    read = _read(asked, corpus, but)
    chosen = _greedy(read)
    union = frozenset[int]().union(*(one.covers for one in chosen))
    single = 1000 * max((len(one.covers) for one in read), default=0) // len(asked)
    union3 = 1000 * len(union) // len(asked)
    rows = tuple(_row(i, asks.text, chosen, read) for i, asks in enumerate(asked))
    return ClaimChart(rows, single, union3, tuple(one.document.number for one in chosen), verdict(single, union3))


def _row(i: int, text: str, chosen: list[_Read], read: list[_Read]) -> Element:
    among = [one for one in chosen if i in one.covers] or [one for one in read if one.scores[i]]
    if not among:
        return Element(text, "", "", "", 0, False)
    best = min(among, key=lambda one: (i not in one.covers, -one.scores[i]))
    return Element(text, best.document.number, best.document.title, best.passages[i], best.scores[i], i in best.covers)


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


def _read(asked: list[_Asked], corpus: "Corpus", but: frozenset[str]) -> list[_Read]:
    """The documents most worth reading, as they stand in the corpus."""
    near: dict[int, float] = defaultdict(float)
    ordinals: dict[int, set[int]] = defaultdict(set)
    first: set[int] = set()
    for one in asked:
        terms = sorted(one.weights, key=lambda stem: (-one.weights[stem], stem))[:TERMS]
        hits = corpus.search(terms, HITS)
        first.update(place for _, place, _ in hits[:2])
        best: dict[int, float] = {}
        for score, place, ordinal in hits:
            ordinals[place].add(ordinal)
            best[place] = max(best.get(place, 0.0), score / hits[0][0])
        for place, share in best.items():
            near[place] += share
    order = sorted(near, key=lambda place: (place not in first, -near[place], place))
    read = []
    for place in sorted(order[: max(READ, len(first))]):
        document, cut = corpus.cut(place)
        if document.number not in but:
            some = range(len(cut)) if len(cut) <= WHOLE else sorted(ordinals[place])
            read.append((document, [(cut[ordinal], stems(cut[ordinal])) for ordinal in some]))
    return _scored(asked, read)


def _scored(asked: list[_Asked], read: list[tuple[Document, list[tuple[str, frozenset[str]]]]]) -> list[_Read]:
    """Each document's best passages. Words of the claim that no document has tell nothing of which are related."""
    held = [frozenset[str]().union(*(some for _, some in texts)) for _, texts in read]
    known = frozenset[str]().union(*held)
    whole = _Asked("", {stem: w for one in asked for stem, w in one.weights.items() if stem in known})
    made = []
    for (document, texts), stems_held in zip(read, held, strict=True):
        best = [max((one.score(some), -i) for i, (_, some) in enumerate(texts)) for one in asked]
        scores = tuple(score for score, _ in best)
        related = bool(whole.weights) and whole.score(stems_held) >= RELATED
        covers = frozenset(i for i, score in enumerate(scores) if related and score >= THRESHOLD)
        made.append(_Read(document, tuple(texts[-i][0] for _, i in best), scores, covers))
    return made


def _greedy(read: list[_Read]) -> list[_Read]:
    """At most three documents, each adding the most elements; of equal ones the one added to the corpus first."""
    chosen: list[_Read] = []
    covered: frozenset[int] = frozenset()
    while len(chosen) < MOST_DOCUMENTS and read:
        best = max(read, key=lambda one: len(one.covers - covered))
        if not best.covers - covered:
            break
        chosen.append(best)
        covered |= best.covers
    return chosen
