"""CPC symbols assigned by machine: TF-IDF of title, abstract and claim 1, and one linear score for each subclass.

docs/judgement.md has the measured accuracy; `prior-art classifier` builds the files that are read here anew. Titles and
symbols are those of the Cooperative Patent Classification (EPO and USPTO, public), its notes in brackets left out.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from generator.base.errors import CorpusError
from generator.base.words import content
from generator.record.disclosure import Disclosure
from generator.record.judgement import Class, Classification

SHIPPED = Path(__file__).parent / "cpc"
WEIGHTS, MANIFEST, TITLES = "classifier.npz", "classifier.json", "titles.tsv"
SCHEMA = "prior-art-classifier/v1"
LEVELS = (("section", 1), ("class", 3), ("subclass", 4))  # each with the length of its symbols
SHOWN = 3
ARRAYS = {"terms": "u1", "idf": "f4", "weights": "i1", "scales": "f4", "symbols": "u1", "knots": "f4", "shares": "f4"}


def text(title: str, abstract: str, claims: tuple[str, ...]) -> str:
    """What a document is classified by: its first claim defines the invention, its other claims repeat that one."""
    return "\n".join((title, abstract, *claims[:1]))


def features(written: str) -> list[str]:
    """Stems of content words, and pairs of neighbours among them."""
    stems = content(written)
    return [*stems, *(f"{first} {second}" for first, second in pairwise(stems))]


def tf_idf(counts: Mapping[int, int], idf: Any) -> tuple[Any, Any]:
    """The numbers of a text's terms, int64, and their weights in the type of `idf`: together of length 1.

    A weight is the term's value in `idf` times 1 + ln of how often the term stands in the text.
    """
    import numpy

    rows = numpy.fromiter(counts, numpy.int64, len(counts))
    values = numpy.array([1 + math.log(count) for count in counts.values()], idf.dtype) * idf[rows]
    values /= max(float(numpy.sqrt((values * values).sum())), 1e-9)
    return rows, values


@cache
def titles(path: Path = SHIPPED / TITLES) -> dict[str, str]:
    """Title of each section, class and subclass, in the order of the scheme. Raises CorpusError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("\t") for line in lines)
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{path}: the titles of CPC cannot be read: {error}", hint="Install the program anew."
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """`weights`: int8 (terms, subclasses), times `scales` (subclasses); `idf`: (terms).

    `shares` (3 levels, knots): at each score in `knots` the share of symbols that were right among real patents'.
    """

    terms: dict[str, int]
    idf: Any
    weights: Any
    scales: Any
    symbols: tuple[str, ...]
    knots: Any
    shares: Any
    titles: dict[str, str]

    def scores(self, written: str) -> Any:
        """One score for each subclass, float32; all zero when no word of the text is known."""
        import numpy

        counts = Counter(self.terms[term] for term in features(written) if term in self.terms)
        rows, values = tf_idf(counts, self.idf)
        return (values @ self.weights[rows].astype(numpy.float32)) * self.scales

    def classify(self, disclosure: Disclosure) -> Classification:
        """At each level the three best, scored by the share of real patents that bear a symbol of that score.

        A class ranks as its best subclass does, a section as its best class: so the first of each level lie in one
        another, and a symbol is never more certain than the one above it. Nothing where no word is known.
        """
        written = text(disclosure.title, disclosure.abstract, tuple(claim.text for claim in disclosure.claims))
        return self.ranked(self.scores(written))

    def ranked(self, scores: Any) -> Classification:
        import numpy

        order = [int(i) for i in numpy.argsort(-scores, kind="stable") if scores[i] > 0]
        levels = []
        for level, (_, length) in enumerate(LEVELS):
            best: dict[str, float] = {}
            for index in order:
                best.setdefault(self.symbols[index][:length], float(scores[index]))
                if len(best) == SHOWN:
                    break
            shares = numpy.interp(list(best.values()), self.knots, self.shares[level])
            levels.append(
                tuple(
                    Class(symbol, self.titles[symbol], round(1000 * float(share)))
                    for symbol, share in zip(best, shares, strict=True)
                )
            )
        return Classification(*levels)


def spelling() -> str:
    """A digest of how `features` cuts the scheme's titles: a classifier is of use only with that of its training."""
    cut = "\n".join(term for title in titles().values() for term in features(title))
    return hashlib.sha256(cut.encode()).hexdigest()


@cache
def load_classifier(folder: Path = SHIPPED) -> Classifier:
    """The classifier in `folder`, by default the one that is shipped. Raises CorpusError."""
    import zipfile
    import zlib

    import numpy

    path = folder / WEIGHTS
    try:
        with path.open("rb") as file, numpy.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAYS}
        for name, kind in ARRAYS.items():
            if arrays[name].dtype != numpy.dtype(kind):
                raise ValueError(f"{name}: {kind} is expected")
        terms = bytes(arrays.pop("terms")).decode().split("\n")
        symbols = bytes(arrays.pop("symbols")).decode().split("\n")
        shapes = {name: array.shape for name, array in arrays.items()}
        knots = len(arrays["knots"])
        expected = {
            "idf": (len(terms),),
            "weights": (len(terms), len(symbols)),
            "scales": (len(symbols),),
            "knots": (knots,),
            "shares": (len(LEVELS), knots),
        }
        if shapes != expected or not knots:
            raise ValueError(f"the shapes {shapes} do not fit {len(terms)} terms and {len(symbols)} symbols")
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        hint = "Install the program anew, or build the file with: prior-art classifier DATA"
        raise CorpusError(f"{path}: the classifier cannot be read: {error}", hint=hint) from error
    known = titles()
    if missing := [symbol for symbol in symbols if not {symbol[:n] for _, n in LEVELS} <= known.keys()]:
        raise CorpusError(f"{path}: {missing[0]!r} has no title in {TITLES}")
    return Classifier({term: row for row, term in enumerate(terms)}, symbols=tuple(symbols), titles=known, **arrays)


def manifest(folder: Path = SHIPPED) -> dict[str, Any]:
    """How the classifier was made and how often it was right. Raises CorpusError."""
    path = folder / MANIFEST
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if value.get("schema") != SCHEMA:
            raise ValueError(f"the schema {SCHEMA!r} is expected")
    except (OSError, ValueError, AttributeError) as error:
        raise CorpusError(f"{path}: cannot be read: {error}", hint="Install the program anew.") from error
    return value
