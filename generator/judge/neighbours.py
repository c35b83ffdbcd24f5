"""The disclosures and documents nearest to a disclosure, and the terms that make them near.

A neighbour's score is the share of the disclosure's content stems (title, abstract, first claim) that stand in the
same parts of the neighbour, each weighted by its rarity: the measure of the claim chart, on whole texts. Documents of
the corpus are found by the index of passages; disclosures of this publication by the terms in their prints, in the
newest volumes alone, so that the cost does not grow with the archive.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from generator.base.words import stem, words
from generator.corpus.documents import as_document, gist
from generator.corpus.fingerprints import word_hashes
from generator.corpus.passages import stems
from generator.judge.chart import weights
from generator.judge.copying import KnownTexts
from generator.record.disclosure import Disclosure
from generator.record.judgement import Neighbour

if TYPE_CHECKING:
    from generator.corpus.store import Corpus

MOST = 5
SHOWN = 6  # shared terms that are named
TERMS = 32  # the weightiest stems that the corpus is searched for; all of them are scored
HITS = 20  # passages that the search gives


def nearest(
    disclosure: Disclosure, corpus: "Corpus | None" = None, known: KnownTexts | None = None, *, but: str = ""
) -> tuple[Neighbour, ...]:
    """At most MOST neighbours, the nearest first: documents of the corpus and disclosures that are known, but not the
    one that is numbered `but`. Without a corpus the weights come from the disclosures."""
    text = gist(as_document("", disclosure))
    terms = sorted(stems(text))
    if not terms:
        return ()
    weighed = weights(terms, corpus) if corpus else _weights(terms, known)
    shown = {stem(word): word for word in reversed(words(text))}
    found = [*_documents(weighed, corpus, shown), *_disclosures(weighed, known, shown)]
    near = sorted(found, key=lambda one: (-one.score, one.number))
    return tuple(one for one in near if one.number != but and one.shared)[:MOST]


def _neighbour(
    number: str, title: str, shared: Sequence[str], weighed: Mapping[str, float], shown: Mapping[str, str]
) -> Neighbour:
    score = int(1000 * sum(weighed[one] for one in shared) / sum(weighed.values()))
    best = sorted(shared, key=lambda one: (-weighed[one], one))[:SHOWN]
    return Neighbour(number, title, score, tuple(shown[one] for one in best))


def _documents(weighed: Mapping[str, float], corpus: "Corpus | None", shown: Mapping[str, str]) -> list[Neighbour]:
    if corpus is None:
        return []
    asked = sorted(weighed, key=lambda one: (-weighed[one], one))[:TERMS]
    found = []
    for place in sorted({place for _, place, _ in corpus.search(asked, HITS)}):
        document = corpus.document(place)
        shared = sorted(stems(gist(document)) & weighed.keys())
        found.append(_neighbour(document.number, document.title, shared, weighed, shown))
    return found


def _weights(terms: Sequence[str], known: KnownTexts | None) -> dict[str, float]:
    """The weight of each stem by the disclosures that are known."""
    import numpy as np

    counts = np.zeros(len(terms))
    total = 0
    for shelf in known.newest if known else ():
        total += len(shelf.prints)
        counts += np.bincount(shelf.prints.terms.find(word_hashes(terms))[0], minlength=len(terms))
    return {term: math.log((total + 1) / (count + 0.5)) for term, count in zip(terms, counts.tolist(), strict=True)}


def _disclosures(weighed: Mapping[str, float], known: KnownTexts | None, shown: Mapping[str, str]) -> list[Neighbour]:
    """The nearest of each shelf. Their scores come from the prints; only their titles are read."""
    import numpy as np

    terms = list(weighed)
    weight = np.array([weighed[term] for term in terms])
    found = []
    for shelf in known.newest if known else ():
        prints = shelf.prints
        places, documents = prints.terms.find(word_hashes(terms))
        sums = np.bincount(documents - prints.first, weights=weight[places], minlength=len(prints))
        for row in np.argsort(-sums, kind="stable")[: MOST + 1].tolist():
            document = shelf.read(prints.first + row) if sums[row] > 0 else None
            if document is not None:
                shared = [terms[place] for place in places[documents == prints.first + row].tolist()]
                found.append(_neighbour(document.number, document.title, shared, weighed, shown))
    return found
