"""Making the classifier: ridge regression of CPC subclasses on TF-IDF, calibrated and measured on unseen records.

Chosen among nearest neighbours, centroids, titles alone, logistic regression and support vectors
(tests/benchmarks/classification).
The weights have a closed form, and so have the scores that each record would get without itself (Allen 1974, PRESS).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import CorpusError
from generator.base.intervals import shown, wilson
from generator.corpus.patent_text import clean, held_out, read_lines
from generator.judge.classification import (
    LEVELS,
    MANIFEST,
    SCHEMA,
    WEIGHTS,
    Classifier,
    features,
    manifest,
    spelling,
    text,
    titles,
)

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

HELD_OUT = 1 / 3
MOST_TERMS = 20_000
LEAST_DOCUMENTS = 8  # a term of fewer says nothing of a class
PENALTY = 1.0
TITLE_WEIGHT = 0.5  # of a subclass's title, as if it were half a record: 1 in 3 subclasses has no record at all
DROPPED = 1  # quantised weights up to this are left out: the file is half as large, no figure changes
KNOTS = 24


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record's text and its subclasses; without subclasses it only counts towards the weight of words."""

    id: str
    text: str
    subclasses: tuple[str, ...]


def read_labelled(folder: Path) -> tuple[list[Labelled], str]:
    """All `patents*` records of the clean tier and the SHA-256 of their files. Raises CorpusError.

    Symbols of section Y are left out: they tag what has another symbol already. So are symbols that are in no scheme.
    """
    known = {symbol for symbol in titles() if len(symbol) == 4 and symbol[0] != "Y"}
    digest, records = hashlib.sha256(), []
    paths = sorted(folder.glob("patents*.jsonl*"))
    for path in paths:
        digest.update(files.read(path, "the records"))
        for number, line in enumerate(read_lines(path), 1):
            if line.get("tier", "clean") != "clean":
                continue
            claims = tuple(clean(claim) for claim in line.get("claims") or ())
            written = text(clean(line.get("title") or ""), clean(line.get("abstract") or ""), claims)
            subclasses = dict.fromkeys(symbol[:4] for symbol in line.get("cpc") or () if symbol[:4] in known)
            records.append(Labelled(str(line.get("id") or f"{path.name}:{number}"), written, tuple(subclasses)))
    if sum(bool(record.subclasses) for record in records) < 100:
        raise CorpusError(
            f"{folder}: fewer than 100 records with CPC symbols in patents*.jsonl or patents*.jsonl.zst",
            hint='A record is a JSON line with "abstract" and "cpc": ["A01B33/08", ...].',
        )
    return records, digest.hexdigest()


def fit(records: Sequence[Labelled]) -> Classifier:
    """A classifier of all records with symbols; the weight of words comes from all records."""
    import numpy
    from scipy.linalg import inv
    from scipy.sparse import vstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    labelled = [record for record in records if record.subclasses]
    words = TfidfVectorizer(
        analyzer=features, sublinear_tf=True, min_df=min(LEAST_DOCUMENTS, len(labelled) // 20), max_features=MOST_TERMS
    ).fit([record.text for record in records])
    known = titles()
    symbols = [symbol for symbol in known if len(symbol) == 4 and symbol[0] != "Y"]
    column = {symbol: index for index, symbol in enumerate(symbols)}
    heads = words.transform([f"{known[symbol]} {known[symbol[:3]]}" for symbol in symbols])
    rows = vstack([words.transform([record.text for record in labelled]), TITLE_WEIGHT * heads]).tocsr()
    truth = numpy.zeros((rows.shape[0], len(symbols)))
    for index, record in enumerate(labelled):
        truth[index, [column[symbol] for symbol in record.subclasses]] = 1
    truth[len(labelled) :] = TITLE_WEIGHT * numpy.eye(len(symbols))
    # With K the products of rows: weights = rows' (K + penalty)^-1 truth.
    products = (rows @ rows.T).toarray()
    products[numpy.diag_indices_from(products)] += PENALTY
    inverse = inv(products, overwrite_a=True, check_finite=False)
    dual = inverse @ truth
    without = (truth - dual / inverse.diagonal()[:, None])[: len(labelled)]
    weights = numpy.asarray(rows.T @ dual)
    scales = numpy.abs(weights).max(axis=0) / 127 + 1e-12
    quantised = numpy.round(weights / scales)
    quantised[numpy.abs(quantised) <= DROPPED] = 0
    knots, shares = calibrated(without, symbols, [record.subclasses for record in labelled])
    return Classifier(
        dict(words.vocabulary_),
        words.idf_.astype(numpy.float32),
        quantised.astype(numpy.int8),
        scales.astype(numpy.float32),
        tuple(symbols),
        knots,
        shares,
        known,
    )


def calibrated(scores: Any, symbols: Sequence[str], truth: Sequence[tuple[str, ...]]) -> tuple[Any, Any]:
    """Knots of the scores, and at each level the share of right symbols there: isotonic, and no less than below it.

    `scores` (records, symbols) are of records that the weights have not seen. The three best of each count.
    """
    import numpy
    from sklearn.isotonic import IsotonicRegression

    plain = Classifier(
        {}, None, None, None, tuple(symbols), numpy.array([0.0, 1.0]), numpy.array([[0.0, 1.0]] * 3), titles()
    )
    found: list[list[tuple[float, bool]]] = [[], [], []]
    for row, own in zip(scores, truth, strict=True):
        ranked = plain.ranked(row)
        value = {symbol: float(score) for symbol, score in zip(symbols, row, strict=True)}
        for level, classes in enumerate((ranked.sections, ranked.classes, ranked.subclasses)):
            length = LEVELS[level][1]
            for item in classes:
                best = max(v for symbol, v in value.items() if symbol[:length] == item.symbol)
                found[level].append((best, any(symbol[:length] == item.symbol for symbol in own)))
    every = numpy.array([score for level in found for score, _ in level])
    knots = numpy.unique(numpy.quantile(every, numpy.linspace(0, 1, KNOTS)).astype(numpy.float32))
    shares = numpy.zeros((3, len(knots)))
    for level in (2, 1, 0):
        values, right = zip(*found[level], strict=True)
        shares[level] = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(values, right).predict(knots)
        if level < 2:
            shares[level] = numpy.maximum(shares[level], shares[level + 1])
    return knots, shares.astype(numpy.float32)


def measure(classifier: Classifier, records: Sequence[Labelled], majority: Sequence[Labelled]) -> dict[str, Any]:
    """Shares of `records` where the symbol shown first, and one of the three shown, is among their own.

    Beside it the same for always saying what is most frequent in `majority`; and how often scores held, in tenths.
    """
    from collections import Counter

    ranked = [classifier.ranked(classifier.scores(record.text)) for record in records]
    figures: dict[str, Any] = {}
    for level, (name, length) in enumerate(LEVELS):
        frequent = Counter(s for record in majority for s in {symbol[:length] for symbol in record.subclasses})
        always = [symbol for symbol, _ in frequent.most_common(3)]
        bins = [[0, 0, 0] for _ in range(10)]
        hits = {"first": 0, "top3": 0, "majority_first": 0, "majority_top3": 0}
        for record, classification in zip(records, ranked, strict=True):
            own = {symbol[:length] for symbol in record.subclasses}
            classes = (classification.sections, classification.classes, classification.subclasses)[level]
            shown = [item.symbol for item in classes]
            hits["first"] += bool(own & set(shown[:1]))
            hits["top3"] += bool(own & set(shown))
            hits["majority_first"] += always[0] in own
            hits["majority_top3"] += bool(own & set(always))
            for item in classes:
                tenth = bins[min(item.score // 100, 9)]
                for place, more in enumerate((1, item.symbol in own, item.score)):
                    tenth[place] += more
        figures[name] = {
            **{what: _share(count, len(records)) for what, count in hits.items()},
            "reliability": [
                {"shown": shown, "mean_score": round(total / shown / 1000, 3), "right": _share(right, shown)}
                for shown, right, total in bins
                if shown
            ],
        }
    return figures


def _share(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n)
    return {"hits": hits, "n": n, "share": round(hits / n, 4), "low": round(low, 4), "high": round(high, 4)}


def to_bytes(classifier: Classifier) -> bytes:
    """The file of `load_classifier`; the same classifier gives the same bytes with the same Python and zlib."""
    import numpy

    order = sorted(classifier.terms, key=classifier.terms.__getitem__)
    archive = BytesIO()
    numpy.savez_compressed(
        archive,
        terms=numpy.frombuffer("\n".join(order).encode(), numpy.uint8),
        symbols=numpy.frombuffer("\n".join(classifier.symbols).encode(), numpy.uint8),
        **{name: getattr(classifier, name) for name in ("idf", "weights", "scales", "knots", "shares")},
    )
    return archive.getvalue()


def train_classifier(publication: "Publication", data: Path, folder: Path | None = None) -> "Outcome":
    """Measure on a held-out third, then fit to all records and write both files into `folder` (output/classifier)."""
    import numpy
    import scipy
    import sklearn

    from generator.base.publication import Outcome

    folder = folder or publication.output / "classifier"
    records, sha256 = read_labelled(data)
    labelled = [record for record in records if record.subclasses]
    unseen = [record for record in labelled if held_out(record.id, HELD_OUT)]
    kept = {record.id for record in unseen}
    rest = [record for record in records if record.id not in kept]
    publication.report(
        f"classifier: {len(labelled)} of {len(records)} records have symbols; {len(unseen)} are held out"
    )
    figures = measure(fit(rest), unseen, [record for record in rest if record.subclasses])
    publication.report("classifier: measured; now fitted to all records")
    final = fit(records)
    value = {
        "schema": SCHEMA,
        "corpus": {"sha256": sha256, "records": len(records), "labelled": len(labelled), "held_out": len(unseen)},
        "method": "ridge regression on TF-IDF of stems and pairs of stems, int8",
        "spelling": spelling(),
        "terms": len(final.terms),
        "subclasses": len(final.symbols),
        "subclasses_with_records": len({symbol for record in labelled for symbol in record.subclasses}),
        "accuracy": figures,
        "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "weights_sha256": hashlib.sha256(data_bytes := to_bytes(final)).hexdigest(),
    }
    files.write(folder / WEIGHTS, data_bytes)
    files.write(folder / MANIFEST, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
    return Outcome((*_table(figures), f"classifier: written to {folder}"), manifest(folder))


def _table(figures: dict[str, Any]) -> list[str]:
    lines = [f"{'level':9}  {'first right':>24}  {'one of three right':>24}  {'most frequent, first':>24}"]
    for name, _ in LEVELS:
        cells = (figures[name][what] for what in ("first", "top3", "majority_first"))
        rates = (shown(cell["share"], cell["low"], cell["high"]) for cell in cells)
        lines.append("  ".join((f"{name:9}", *(f"{rate:>24}" for rate in rates))))
    return lines
