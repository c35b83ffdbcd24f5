"""Passages of known documents: how a document is cut, and their index (tantivy, BM25).

The index holds stems of content words, cut here and not by tantivy, so that what is found is what is scored, and
no text of a draft is ever parsed as a query.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.words import content, spelling
from generator.corpus.documents import Document
from generator.corpus.elements import clauses, packed, sentences

if TYPE_CHECKING:
    import tantivy

ORDINAL_BITS = 16
MOST_PASSAGES = 1 << ORDINAL_BITS  # of one document; some five million words
HEAP_BYTES = 128_000_000
LONGEST_STEM = 64  # longer ones are sequences, formulas or noise


@dataclass(frozen=True, slots=True)
class Cut:
    """The passages of a document, each at most PASSAGE words. They are cut once, when it is added, and stored."""

    head: list[str]
    claims: list[list[str]]
    description: list[str]

    @classmethod
    def of(cls, document: Document) -> "Cut":
        return cls(
            list(packed([f"{document.title}.", *sentences(document.abstract)])),
            [list(packed(clauses(claim))) for claim in document.claims],
            list(packed(sentences(document.description))),
        )

    @property
    def passages(self) -> list[str]:
        """In order: title with abstract, each claim, the description."""
        return [*self.head, *(part for claim in self.claims for part in claim), *self.description][:MOST_PASSAGES]


@cache
def cutting() -> str:
    """A digest of how documents are cut and stemmed: an index that was made otherwise names other passages."""
    claim = "A valve comprising: bodies; (a) a seat, wherein boxes are matched, and a spring 12 mm long."
    text = "\n".join(f"Sentence {n} describes part-{n}. It moves; see Fig. {n}." for n in range(40))
    sample = Document("1", "Valves", "A valve. It has a body.", (claim, "The valve of claim 1."), text)
    found = [[passage, sorted(stems(passage))] for passage in Cut.of(sample).passages]
    return hashlib.sha256(json.dumps([spelling(), found]).encode()).hexdigest()


def stems(text: str) -> frozenset[str]:
    """What of a text is compared with a passage."""
    return frozenset(stem for stem in content(text) if len(stem) <= LONGEST_STEM)


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("stems", tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("place", fast=True)
    return builder.build()


class PassageWriter:
    """Writes the index of some documents into an existing, empty folder."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._index = tantivy.Index(_schema(), path=str(folder))
        self._writer = self._index.writer(HEAP_BYTES, num_threads=1)
        self.count = 0

    def add(self, number: int, cut: list[str]) -> None:
        """The passages of a document. `number` counts the documents of this index from 0."""
        import tantivy

        for ordinal, passage in enumerate(cut):
            kept = " ".join(stem for stem in content(passage) if len(stem) <= LONGEST_STEM)
            entry = tantivy.Document()
            entry.add_text("stems", kept)
            entry.add_unsigned("place", number << ORDINAL_BITS | ordinal)
            self._writer.add_document(entry)
            self.count += 1

    def finish(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()


@dataclass(frozen=True, slots=True)
class Passages:
    """An index that is read. Threads may share it."""

    _index: "tantivy.Index"

    @classmethod
    def open(cls, folder: Path) -> "Passages":
        """Raises OSError or ValueError for a folder that holds no index of this version."""
        import tantivy

        return cls(tantivy.Index.open(str(folder)))

    def frequencies(self, terms: frozenset[str]) -> tuple[int, dict[str, int]]:
        """How many passages there are, and in how many each stem stands."""
        searcher = self._index.searcher()
        return searcher.num_docs, {term: searcher.doc_freq("stems", term) for term in terms}

    def search(self, terms: Iterable[str], limit: int) -> list[tuple[float, int, int]]:
        """The passages that hold most of the stems, by BM25: (score, document, ordinal), best first."""
        import tantivy

        schema, searcher = self._index.schema, self._index.searcher()
        wanted = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "stems", t, index_option="freq")) for t in terms
        ]
        hits = searcher.search(tantivy.Query.boolean_query(wanted), limit, count=False).hits
        places = searcher.fast_field_values("place", [address for _, address in hits]) if hits else []
        return [
            (score, place >> ORDINAL_BITS, place & (MOST_PASSAGES - 1))
            for (score, _), place in zip(hits, places, strict=True)
        ]
