"""How much of some texts stands verbatim in a model's training data: sequences of 13 words, and runs of 25 or more.

Patents repeat each other's legal phrases, so a share by itself says nothing. The yardstick is what the same measure
finds in real patents that were kept out of training, cut to the length of the texts. Sources: Carlini et al. 2023,
"Quantifying memorization across neural language models"; Cochran 1977, "Sampling techniques", 2.11 and 6.4.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from generator.base.errors import CorpusError
from generator.base.intervals import Z, ratio_error, wilson
from generator.base.words import words
from generator.corpus.documents import Document
from generator.corpus.fingerprints import GRAM, RUN, sequences, word_hashes

if TYPE_CHECKING:
    from generator.corpus.fingerprints import Array

BORDER = 0  # stands between passages, as a word that no text has
AT_ONCE = 1 << 20  # words hashed, and pairs of places compared, in one step
MOST_WORDS = (1 << 32) - 1
_NUMBER = re.compile(r"^\d{1,4}\. ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memorised:
    """What `Memory.measure` found in some texts. `known_grams` of all their `grams` stand in the training data.

    `longest_run` is in words, `run` are those words, `run_in` is the number of the document that has them; 0 and
    empty when no sequence of GRAM words is known. `error`: standard error of `share_of_grams` when texts are drawn,
    as the sequences of one text depend on each other; None of fewer than two texts.
    """

    texts: int
    grams: int
    known_grams: int
    texts_with_long_run: int
    longest_run: int
    run: str
    run_in: str
    error: float | None

    @property
    def share_of_grams(self) -> float | None:
        return self.known_grams / self.grams if self.grams else None

    @property
    def grams_interval(self) -> tuple[float, float]:
        """95 %, both ends from 0 to 1; (0, 1) where nothing can be said. Of none or all known, that of as many texts,
        as an error of 0 would claim certainty."""
        share = self.share_of_grams
        if share is None or self.error is None:
            return 0.0, 1.0
        if self.known_grams in (0, self.grams):
            return wilson(self.texts if self.known_grams else 0, self.texts)
        return max(0.0, share - Z * self.error), min(1.0, share + Z * self.error)

    @property
    def share_of_texts(self) -> float | None:
        return self.texts_with_long_run / self.texts if self.texts else None

    @property
    def texts_interval(self) -> tuple[float, float]:
        return wilson(self.texts_with_long_run, self.texts)

    def figures(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {
            **asdict(self),
            "share_of_grams": self.share_of_grams,
            "grams_interval": list(self.grams_interval),
            "share_of_texts": self.share_of_texts,
            "texts_interval": list(self.texts_interval),
        }


@dataclass(frozen=True, slots=True)
class _Found:
    grams: int
    known: int
    run: tuple[str, ...]
    place: int  # of the run, in words of the training data


@dataclass(frozen=True, slots=True)
class Memory:
    """All sequences of GRAM words of the training data, and the data itself as numbers of words.

    `ids` (uint32): the words in order, BORDER before and after each passage. `grams` (uint64): hashes of the
    sequences, sorted; `places` (uint32): where in `ids` each begins. `starts`: where the documents `numbers` begin.
    Memory: some 16 bytes a word; 40 while it is made.
    """

    vocabulary: dict[str, int]
    hashes: "Array"
    ids: "Array"
    grams: "Array"
    places: "Array"
    starts: "Array"
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Memory":
        """Time: linear in the words but for sorting; 29 million took 17 seconds and 1.2 GiB. Raises CorpusError when
        there are no documents, or more than MOST_WORDS words."""
        import numpy as np

        vocabulary = {"": BORDER}
        ids, starts, numbers = array("I", [BORDER]), array("Q"), []
        for document in documents:
            numbers.append(document.number)
            starts.append(len(ids))
            for passage in text_of(document).split("\n"):
                ids.extend(vocabulary.setdefault(word, len(vocabulary)) for word in words(passage))
                ids.append(BORDER)
            if len(ids) > MOST_WORDS:
                raise CorpusError(
                    f"{document.number}: the training data has more than {MOST_WORDS} words up to here",
                    hint="Measure against a part of it.",
                )
        if not numbers:
            raise CorpusError(
                "the training data holds no document", hint="Name the files that the model was trained on."
            )
        held = np.frombuffer(ids, np.uint32)
        hashes = word_hashes(vocabulary)
        grams, places = _grams(held, hashes)
        order = np.argsort(grams)
        return cls(
            vocabulary, hashes, held, grams[order], places[order], np.frombuffer(starts, np.uint64), tuple(numbers)
        )

    def measure(self, texts: Iterable[str]) -> Memorised:
        """Each line of a text is a passage by itself; `text_of` lays a document out so. A number before a claim is
        passed over. Time: a millisecond or so a text."""
        found = []
        longest = _Found(0, 0, (), 0)
        for text in texts:
            one = self._found(text)
            found.append((one.known, one.grams, len(one.run)))
            if len(one.run) > len(longest.run):
                longest = one
        known, grams = sum(one[0] for one in found), sum(one[1] for one in found)
        return Memorised(
            texts=len(found),
            grams=grams,
            known_grams=known,
            texts_with_long_run=sum(length >= RUN for _, _, length in found),
            longest_run=len(longest.run),
            run=" ".join(longest.run),
            run_in=self._document(longest.place) if longest.run else "",
            error=ratio_error([one[:2] for one in found]),
        )

    def _found(self, text: str) -> _Found:
        import numpy as np

        unknown = len(self.vocabulary)
        read = [""]
        for passage in _NUMBER.sub("", text).split("\n"):
            read += [*words(passage), ""]
        ours = np.fromiter((self.vocabulary.get(word, unknown) for word in read), np.int64, len(read))
        whole = _within(ours == BORDER)
        able = whole[~_crossing(ours == unknown)[whole]]
        # An unknown word has the hash of a border here; sequences with it are left out.
        mine = sequences(self.hashes[np.where(ours == unknown, BORDER, ours)], GRAM)[able]
        first, last = np.searchsorted(self.grams, mine), np.searchsorted(self.grams, mine, side="right")
        hit = np.flatnonzero(last > first)
        span = np.arange(GRAM)
        theirs = self.ids[self.places[first[hit]].astype(np.int64)[:, None] + span]
        hit = hit[(theirs == ours[able[hit][:, None] + span]).all(axis=1)]  # words, not hashes, decide
        length, start, place = self._longest(ours, able[hit], first[hit], last[hit])
        return _Found(len(whole), len(hit), tuple(read[start : start + length]), place)

    def _longest(self, ours: "Array", at: "Array", first: "Array", last: "Array") -> tuple[int, int, int]:
        """The longest run of equal words: length, place in `ours`, place in the training data; the first of equals.

        `at`: places of known sequences, whose occurrences are places[first] to places[last - 1]. A run is followed
        from its beginning alone, word by word; BORDER stands at both ends of both, so no index leaves the arrays.
        """
        import numpy as np

        best = (0, 0, 0)
        for begin, end in _portions(last - first):
            counts = last[begin:end] - first[begin:end]
            offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            places = self.places[np.repeat(first[begin:end], counts) + offsets].astype(np.int64)
            starts = np.repeat(at[begin:end], counts)
            before = ours[starts - 1]
            new = (before == BORDER) | (self.ids[places - 1] != before)
            starts, places = starts[new], places[new]
            alive, length = np.arange(len(starts)), 0
            while True:
                word = ours[starts[alive] + length]
                following = alive[(word != BORDER) & (self.ids[places[alive] + length] == word)]
                if not len(following):
                    break
                alive, length = following, length + 1
            if length > best[0]:
                one = alive[np.lexsort((places[alive], starts[alive]))[0]]
                best = (length, int(starts[one]), int(places[one]))
        return best

    def _document(self, place: int) -> str:
        import numpy as np

        return self.numbers[int(np.searchsorted(self.starts, np.uint64(place), side="right")) - 1]


def text_of(document: Document) -> str:
    """Title, abstract, claims and paragraphs of the description, each on a line of its own."""
    passages = (document.title, document.abstract, *document.claims)
    return "\n".join((*(" ".join(passage.split()) for passage in passages), document.description))


def _grams(ids: "Array", hashes: "Array") -> "tuple[Array, Array]":
    """Hash and place of every sequence that crosses no border."""
    import numpy as np

    grams, places = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE + GRAM - 1]
        inside = _within(part == BORDER)
        grams.append(sequences(hashes[part], GRAM)[inside])
        places.append((inside + start).astype(np.uint32))
    return np.concatenate(grams), np.concatenate(places)


def _crossing(marked: "Array") -> "Array":
    """For each sequence of GRAM words whether one of them is marked."""
    import numpy as np

    sums = np.zeros(len(marked) + 1, np.int64)
    np.cumsum(marked, out=sums[1:])
    crossing: Array = sums[GRAM:] > sums[: max(0, len(sums) - GRAM)]
    return crossing


def _within(border: "Array") -> "Array":
    """Places of the sequences of GRAM words without a border."""
    import numpy as np

    return np.flatnonzero(~_crossing(border))


def _portions(counts: "Array") -> Iterator[tuple[int, int]]:
    """Consecutive portions with about AT_ONCE pairs each, at least one place in each."""
    import numpy as np

    total = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + AT_ONCE, side="right")))
        yield begin, end
        begin = end
