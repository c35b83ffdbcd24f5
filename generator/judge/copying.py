"""Gate G3, not copied: a disclosure against everything known: the reference corpus, the archive, the queue, the batch.

Refused are a run of 25 words that stands verbatim in one known text, and an estimated similarity of 0.8 (Jaccard, of
5-word sequences). Both thresholds: of 1,386 real applications 1.5 % share such a run with another (families included).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from generator.base.errors import PressError
from generator.base.words import words
from generator.corpus.archived import printed, published, volume_prints
from generator.corpus.documents import Document, as_document, compared_words
from generator.corpus.fingerprint_set import MOST_DOCUMENTS, FingerprintSet
from generator.corpus.fingerprints import (
    GRAM,
    RUN,
    Fingerprint,
    band_hashes,
    fingerprint,
    longest_run,
    sequences,
    word_hashes,
)
from generator.judge.parsing import Rejected
from generator.log.archive import queued, unnumbered
from generator.record.disclosure import Disclosure, Finding
from generator.record.judgement import Copying
from generator.record.layouts import ABSTRACT, CLAIMS, TITLE, claims, sections
from generator.record.record import Record

if TYPE_CHECKING:
    from generator.corpus.fingerprints import Array
    from generator.corpus.store import Corpus

SIMILAR = 800  # thousandths
LOOKED_BACK = 2000  # characters before the end of an unfinished draft; `copied` is asked more often than that
NEWEST = 4  # volumes in which neighbours are looked for
MOST_READ = 256  # texts read for one disclosure, those that share the most first; most share with none or a few


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """Fingerprints of some documents, and how to read one by its number in them; None for a text that is gone."""

    prints: FingerprintSet
    read: Callable[[int], Document | None]


class KnownTexts:
    """Everything that a disclosure may not repeat. `add` what is accepted; measuring and adding share no lock, as
    one thread judges while others may ask `copied`."""

    def __init__(self, corpus: tuple[DocumentSet, ...], archive: tuple[DocumentSet, ...]) -> None:
        self._corpus, self._archive = corpus, archive
        self._batch: tuple[DocumentSet, ...] = ()
        self._added: list[Document] = []

    @classmethod
    def open(cls, output: Path | None, corpus: "Corpus | None") -> "KnownTexts":
        """The corpus, the archive of `output` and its queue. A disclosure of the archive is named by its serial number
        (`archive.own`), one that has none yet by the SHA-256 of its record (`archive.unnumbered`).

        Cost: the records that are new since the last time, and a small constant per volume.
        """
        known = tuple(DocumentSet(prints, corpus.document) for prints in corpus.prints) if corpus else ()
        if output is None:
            return cls(known, ())
        read = partial(published, output)
        opened = cls(known, tuple(DocumentSet(prints, read) for prints in volume_prints(output)))
        for path in queued(output):
            record = Record.from_bytes(path.read_bytes())
            opened.add(unnumbered(record.sha256), record.disclosure)
        return opened

    def add(self, name: str, disclosure: Disclosure) -> None:
        """Later disclosures may not repeat this one. Shelves of equal size are merged, so that there are few."""
        document = as_document(name, disclosure)
        if len(self._added) + 1 >= MOST_DOCUMENTS:
            raise PressError(
                f"{name}: a batch holds at most {MOST_DOCUMENTS} disclosures", hint="Append the queue first."
            )
        shelf = DocumentSet(FingerprintSet.of(len(self._added), [printed(document)]), self._added.__getitem__)
        self._added.append(document)
        shelves = list(self._batch)
        while shelves and len(shelves[-1].prints) == len(shelf.prints):
            shelf = replace(shelf, prints=shelves.pop().prints.with_next(shelf.prints))
        self._batch = (*shelves, shelf)

    @property
    def newest(self) -> tuple[DocumentSet, ...]:
        """Batch, queue and the newest NEWEST volumes: enough for neighbours, and no more when the archive grows."""
        return (*self._batch, *self._archive[-NEWEST:])

    def measure(self, disclosure: Disclosure, *, but: str = "") -> Copying:
        """Title, abstract and claims against every known text except the one named `but`.

        The run is the longest that is verified on the stored texts, or the first of RUN words; `known_share` counts
        sequences of GRAM words.
        """
        compared = compared_words(as_document("", disclosure))
        mine = fingerprint(compared)
        shelves = (*self._corpus, *self._archive, *self._batch)
        run, run_in, share = _copied_run(compared, mine, shelves, but)
        similar, similar_to = _most_similar(mine, shelves, but)
        return Copying(len(run), " ".join(run), run_in, share, similar, similar_to)

    def copied(self, text: str) -> bool:
        """Whether the raw text of an unfinished draft already holds a run that `not_copied` will refuse.

        Asks the corpus and the archive alone, so that the answer does not depend on what else runs, and looks at the
        title, the abstract and the first claim alone: gate G1 may take away other claims, but never these.
        """
        return any(self._holds_run(piece) for piece in _settled(text) if len(piece) >= RUN)

    def _holds_run(self, compared: list[str]) -> bool:
        import numpy as np

        hashes = word_hashes(compared)
        grams = np.unique(sequences(hashes, GRAM))
        shelves = (*self._corpus, *self._archive)
        return any(longest_run(hashes, _all_hashes(text), RUN)[2] for _, text in _sharing(grams, shelves))


def not_copied(copying: Copying) -> Rejected | None:
    """Gate G3: None when it passes. Reasons: copied_run, near_duplicate."""
    if copying.longest_run >= RUN:
        text = f"{copying.longest_run} words in a row stand in {copying.run_in}: {copying.run[:200]!r}."
        return Rejected("G3", "copied_run", (Finding("G3", "fail", None, text),))
    if copying.similarity >= SIMILAR:
        text = f"The text is nearly that of {copying.similar_to}: similarity {copying.similarity / 1000:.2f}."
        return Rejected("G3", "near_duplicate", (Finding("G3", "fail", None, text),))
    return None


def _all_hashes(document: Document) -> "Array":
    return word_hashes(compared_words(document) + words(document.description))


def _sharing(grams: "Array", shelves: tuple[DocumentSet, ...]) -> "Iterator[tuple[Array, Document]]":
    """Known texts that share a gram, with its places in `grams`, unique ones; those that share the most first."""
    import numpy as np

    found = []
    for number, shelf in enumerate(shelves):
        places, documents = shelf.prints.grams.find(grams)
        if len(places):
            who, inverse, counts = np.unique(documents, return_inverse=True, return_counts=True)
            order = np.argsort(inverse, kind="stable")
            parts = np.split(places[order], np.cumsum(counts)[:-1])
            found += [(-int(n), number, int(one), part) for one, n, part in zip(who, counts, parts, strict=True)]
    for _, number, document, part in sorted(found, key=lambda one: one[:3])[:MOST_READ]:
        if (text := shelves[number].read(document)) is not None:
            yield part, text


def _copied_run(
    compared: list[str], mine: Fingerprint, shelves: tuple[DocumentSet, ...], but: str
) -> tuple[list[str], str, int]:
    """The longest verified run, the name of its text, and the thousandths of the grams that are known.

    Reading ends with the first run that the gate refuses: of texts that share as much, none has a say any more.
    """
    import numpy as np

    run: list[str] = []
    run_in = ""
    hashes = word_hashes(compared)
    grams, inverse = np.unique(mine.grams, return_inverse=True)  # a text that repeats itself is looked up once
    known = np.zeros(len(grams), bool)
    for places, document in _sharing(grams, shelves):
        if document.number == but:
            continue
        known[places] = True
        start, _, length = longest_run(hashes, _all_hashes(document), max(GRAM, len(run) + 1))
        if length:
            run, run_in = compared[start : start + length], document.number
        if length >= RUN:
            break
    return run, run_in, round(1000 * float(known[inverse].mean())) if run else 0


def _most_similar(mine: Fingerprint, shelves: tuple[DocumentSet, ...], but: str) -> tuple[int, str]:
    """The highest similarity in thousandths and the name of its text; (0, "") when nothing comes near."""
    bands = band_hashes(mine.signature)
    found = []
    for number, shelf in enumerate(shelves):
        documents, similarities = shelf.prints.alike(mine.signature, bands)
        found += [(-round(1000 * s), number, d) for d, s in zip(documents.tolist(), similarities.tolist(), strict=True)]
    for thousandths, number, document in sorted(found):
        text = shelves[number].read(document)
        if text is not None and text.number != but:
            return -thousandths, text.number
    return 0, ""


def _settled(text: str) -> Iterator[list[str]]:
    """Words of title, abstract and first claim as far as they are written, near the end of the text.

    Without words that may be cut in two: the last one, which may go on, and the first one looked at.
    """
    for section in sections(text, whole=False):
        if section.name not in (TITLE, ABSTRACT, CLAIMS):
            continue
        for part in claims(text, section)[:1] if section.name == CLAIMS else (section,):
            cut = max(part.start, len(text) - LOOKED_BACK)
            piece = words(text[cut : part.end])
            yield piece[cut > part.start : len(piece) - (part.end == len(text))]
