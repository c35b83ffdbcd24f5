"""A set of fingerprints: the fingerprints of many documents as sorted arrays, in memory or mapped from disk.

A hash and the document that has it share one 64-bit number, 40 bits and 24. Sorted, those numbers answer "who has this
hash?", and a directory of their leading bits answers it in a few memory reads, whatever their number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.corpus.fingerprints import PERMUTATIONS, Fingerprint, band_hashes, similarity

if TYPE_CHECKING:
    from generator.corpus.fingerprints import Array

DOCUMENT_BITS = 24
MOST_DOCUMENTS = 1 << DOCUMENT_BITS
PARTS = ("grams", "bands", "terms")


@dataclass(frozen=True, slots=True)
class Postings:
    """`keys`: sorted, unique; `starts`: for each value of the leading bits the first key that has it, and the end."""

    keys: "Array"
    starts: "Array"

    @classmethod
    def of(cls, keys: "Array") -> "Postings":
        import numpy as np

        keys = np.sort(keys)
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys
        bits = min(28, max(1, len(keys).bit_length() - 2))  # some four keys to each value
        leading = np.arange((1 << bits) + 1, dtype=np.uint64)
        starts = np.empty(len(leading), np.uint32 if len(keys) < 1 << 32 else np.uint64)
        starts[:-1] = np.searchsorted(keys, leading[:-1] << np.uint64(64 - bits))
        starts[-1] = len(keys)
        return cls(keys, starts)

    def find(self, hashes: "Array") -> "tuple[Array, Array]":
        """Pairs (place in `hashes`, document), by place and document, for every document that has the hash."""
        import numpy as np

        wanted = _keys(hashes, 0)
        first = self._lower(wanted)
        candidates = self.keys[np.minimum(first, len(self.keys) - 1)] if len(self.keys) else wanted + np.uint64(1)
        places = np.flatnonzero((candidates ^ wanted) >> np.uint64(DOCUMENT_BITS) == 0)
        last = wanted[places] | np.uint64(MOST_DOCUMENTS - 1)
        counts = np.searchsorted(self.keys, last, side="right") - first[places]
        counts = np.maximum(counts, 0)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        keys = self.keys[np.repeat(first[places], counts) + offsets]
        return np.repeat(places, counts), (keys & np.uint64(MOST_DOCUMENTS - 1)).astype(np.int64)

    def _lower(self, wanted: "Array") -> "Array":
        """For each wanted key the place of the first one not below it."""
        import numpy as np

        bits = (len(self.starts) - 1).bit_length() - 1
        leading = (wanted >> np.uint64(64 - bits)).astype(np.int64)
        low = self.starts[leading].astype(np.int64)
        high = self.starts[leading + 1].astype(np.int64)
        left = np.flatnonzero(low < high)
        while len(left):
            middle = (low[left] + high[left]) >> 1
            below = self.keys[middle] < wanted[left]
            low[left[below]] = middle[below] + 1
            high[left[~below]] = middle[~below]
            left = left[low[left] < high[left]]
        return low


def _keys(hashes: "Array", document: int) -> "Array":
    import numpy as np

    return (hashes & ~np.uint64(MOST_DOCUMENTS - 1)) | np.uint64(document)


@dataclass(frozen=True, slots=True)
class FingerprintSet:
    """Of consecutive documents from number `first` on: who has a gram, a band, a term; and all signatures.

    `signatures` has one row for each document, uint32, shape (documents, PERMUTATIONS).
    """

    first: int
    grams: Postings
    bands: Postings
    terms: Postings
    signatures: "Array"

    @classmethod
    def of(cls, first: int, fingerprints: Iterable[Fingerprint | None]) -> "FingerprintSet":
        """None stands for a number without a document."""
        import numpy as np

        nothing = np.empty(0, np.uint64)
        grams, bands, terms, signatures = [nothing], [nothing], [nothing], []
        for number, one in enumerate(fingerprints, first):
            if one is None:
                signatures.append(np.zeros(PERMUTATIONS, np.uint32))
                continue
            grams.append(_keys(one.grams, number))
            bands.append(_keys(band_hashes(one.signature), number))
            terms.append(_keys(one.terms, number))
            signatures.append(one.signature)
        rows = np.array(signatures, np.uint32).reshape(-1, PERMUTATIONS)
        made = [Postings.of(np.concatenate(some)) for some in (grams, bands, terms)]
        return cls(first, made[0], made[1], made[2], rows)

    def __len__(self) -> int:
        return len(self.signatures)

    def with_next(self, other: "FingerprintSet") -> "FingerprintSet":
        """These prints and those of the documents that follow."""
        import numpy as np

        grams, bands, terms = (
            Postings.of(np.concatenate((getattr(self, name).keys, getattr(other, name).keys))) for name in PARTS
        )
        return FingerprintSet(self.first, grams, bands, terms, np.concatenate((self.signatures, other.signatures)))

    def alike(self, signature: "Array", bands: "Array") -> "tuple[Array, Array]":
        """Documents that share a band, and their similarities."""
        import numpy as np

        documents = np.unique(self.bands.find(bands)[1])
        return documents, similarity(signature, self.signatures[documents - self.first])

    def save(self, folder: Path) -> None:
        """Write the arrays into an existing folder."""
        import numpy as np

        for name in PARTS:
            postings = getattr(self, name)
            np.save(folder / f"{name}.npy", postings.keys)
            np.save(folder / f"{name}-starts.npy", postings.starts)
        np.save(folder / "signatures.npy", self.signatures)

    @classmethod
    def open(cls, folder: Path, first: int) -> "FingerprintSet":
        """Mapped, not read. Raises OSError or ValueError for files that are missing or cut."""
        import numpy as np

        grams, bands, terms = (
            Postings(*(_mapped(folder / f"{name}{end}.npy") for end in ("", "-starts"))) for name in PARTS
        )
        signatures = _mapped(folder / "signatures.npy")
        if signatures.ndim != 2 or signatures.shape[1] != PERMUTATIONS or signatures.dtype != np.uint32:
            raise ValueError("the signatures have another shape")
        return cls(first, grams, bands, terms, signatures)


def _mapped(path: Path) -> "Array":
    import numpy as np

    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
