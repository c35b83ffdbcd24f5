"""Near duplicates among texts that come one after the other."""

from typing import TYPE_CHECKING

from generator.corpus.fingerprints import band_hashes, similarity

if TYPE_CHECKING:
    from generator.corpus.fingerprints import Array


class NearDuplicates:
    """Signatures of the texts so far, by the number that each was added with. `least`: estimated Jaccard similarity."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._banded: dict[int, list[int]] = {}
        self._signatures: dict[int, Array] = {}

    def add(self, number: int, signature: "Array") -> None:
        self._signatures[number] = signature
        for band in band_hashes(signature).tolist():
            self._banded.setdefault(band, []).append(number)

    def find(self, signature: "Array") -> dict[int, float]:
        """The similarity of each text that is alike enough, by number."""
        import numpy as np

        near = sorted({number for band in band_hashes(signature).tolist() for number in self._banded.get(band, ())})
        if not near:
            return {}
        alike = similarity(signature, np.stack([self._signatures[number] for number in near])).tolist()
        return {number: share for number, share in zip(near, alike, strict=True) if share >= self._least}
