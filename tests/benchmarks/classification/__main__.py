"""Which method finds the CPC symbols of unseen patents best, on the same words and the same held-out third.

    python tests/benchmarks/classification DATA

DATA is a folder as `prior-art classifier` reads it. A method gives each subclass a score; a class ranks as its best
subclass does. A symbol is right when it is among the record's own. Takes some minutes on one core.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from generator.base.intervals import wilson
from generator.corpus.patent_text import held_out
from generator.judge.classification import LEVELS, features, titles
from generator.train.classifier import HELD_OUT, LEAST_DOCUMENTS, MOST_TERMS, Labelled, fit, read_labelled

SYMBOLS = [symbol for symbol in titles() if len(symbol) == 4 and symbol[0] != "Y"]
COLUMN = {symbol: index for index, symbol in enumerate(SYMBOLS)}


class Words:
    """TF-IDF of both parts, and the subclasses of the part that is seen, as an array (records, subclasses)."""

    def __init__(self, rest: Sequence[Labelled], unseen: Sequence[Labelled]) -> None:
        self.rest, self.unseen = rest, unseen
        self.seen = [record for record in rest if record.subclasses]
        library = TfidfVectorizer(
            analyzer=features, sublinear_tf=True, min_df=LEAST_DOCUMENTS, max_features=MOST_TERMS
        ).fit([record.text for record in rest])
        self.train = library.transform([record.text for record in self.seen])
        self.test = library.transform([record.text for record in unseen])
        self.heads = library.transform([f"{titles()[symbol]} {titles()[symbol[:3]]}" for symbol in SYMBOLS])
        self.truth = numpy.zeros((len(self.seen), len(SYMBOLS)), numpy.float32)
        for row, record in enumerate(self.seen):
            self.truth[row, [COLUMN[symbol] for symbol in record.subclasses]] = 1


def majority(words: Words) -> Any:
    return numpy.tile(words.truth.sum(axis=0), (len(words.unseen), 1))


def titles_only(words: Words) -> Any:
    return (words.test @ words.heads.T).toarray()


def centroids(words: Words) -> Any:
    means = normalize(numpy.asarray(words.train.T @ words.truth), axis=0)
    return words.test @ means


def neighbours(words: Words, count: int = 40) -> Any:
    likeness = (words.test @ words.train.T).toarray()
    nearest = numpy.argpartition(-likeness, count, axis=1)[:, :count]
    weight = numpy.take_along_axis(likeness, nearest, axis=1) ** 2
    return numpy.stack([w @ words.truth[rows] for w, rows in zip(weight, nearest, strict=True)])


def linear(model: Any, words: Words) -> Any:
    """One against the rest; a record of several subclasses stands once for each."""
    rows, columns = numpy.nonzero(words.truth)
    model.fit(words.train[rows], columns)
    scores = numpy.full((len(words.unseen), len(SYMBOLS)), -1e9)
    scores[:, model.classes_] = model.decision_function(words.test)
    return scores


def support_vectors(words: Words) -> Any:
    return linear(LinearSVC(C=0.3, random_state=0), words)


def logistic(words: Words) -> Any:
    return linear(SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0), words)


def shipped(words: Words) -> Any:
    made = fit(words.rest)
    return numpy.stack([made.scores(record.text) for record in words.unseen])


METHODS: tuple[tuple[str, Callable[[Words], Any]], ...] = (
    ("always the most frequent", majority),
    ("titles of the scheme", titles_only),
    ("nearest centroid", centroids),
    ("40 nearest neighbours", neighbours),
    ("support vectors", support_vectors),
    ("logistic regression", logistic),
    ("ridge regression in int8 (shipped)", shipped),
)


def figures(scores: Any, unseen: Sequence[Labelled]) -> list[str]:
    """For each level the first right, and one of three right."""
    cells = []
    order = numpy.argsort(-scores, axis=1, kind="stable")
    for _, length in LEVELS:
        hits = [0, 0]
        for row, record in zip(order, unseen, strict=True):
            own = {symbol[:length] for symbol in record.subclasses}
            best: dict[str, None] = {}
            for index in row:
                best[SYMBOLS[index][:length]] = None
                if len(best) == 3:
                    break
            hits[0] += next(iter(best)) in own
            hits[1] += bool(own & best.keys())
        for count in hits:
            low, high = wilson(count, len(unseen))
            cells.append(f"{100 * count / len(unseen):.1f} ({100 * low:.1f} to {100 * high:.1f})")
    return cells


def main() -> None:
    records, digest = read_labelled(Path(sys.argv[1]))
    unseen = [record for record in records if record.subclasses and held_out(record.id, HELD_OUT)]
    kept = {record.id for record in unseen}
    words = Words([record for record in records if record.id not in kept], unseen)
    print(f"{len(words.seen)} records with symbols to learn from, {len(unseen)} unseen; data {digest}\n")
    names = [f"{level}, {what}" for level, _ in LEVELS for what in ("first", "one of three")]
    print(f"| method | {' | '.join(names)} | CPU s |")
    print("| --- |" + " --- |" * (len(names) + 1))
    for name, method in METHODS:
        began = time.process_time()
        scores = method(words)
        spent = time.process_time() - began
        print(f"| {name} | {' | '.join(figures(scores, unseen))} | {spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()
