"""The reference corpus on disk, read: a manifest and segments.

    <corpus>/manifest.json                     what is in it
    <corpus>/segments/<first>-<n>-<digest>/    n documents from number `first` on

Nothing in the manifest depends on time or machine: the same files, added in the same order, give the same manifest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from generator.base.errors import CorpusError
from generator.base.values import read
from generator.corpus.documents import Document
from generator.corpus.fingerprint_set import FingerprintSet
from generator.corpus.fingerprints import family
from generator.corpus.passages import cutting
from generator.corpus.segments import HINT, Segment
from generator.record.judgement import CorpusName

SCHEMA = "prior-art-corpus/v1"
MANIFEST, SEGMENTS = "manifest.json", "segments"


@dataclass(frozen=True, slots=True)
class AddedFile:
    """A file and what came of it. `next` is where reading goes on, -1 when it is read to its end.

    `claims` and `incomplete` (claims that lost a part) are of its new documents, `left_out` counts what all its
    documents do not have, by reason, `families` the families that they are of. -1: read by a version without counts.
    """

    name: str
    sha256: str
    documents: int = 0
    duplicates: int = 0
    skipped: int = 0
    places: tuple[tuple[str, str], ...] = ()
    next: int = 0
    claims: int = -1
    incomplete: int = 0
    families: int = 0
    left_out: tuple[tuple[str, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        value: dict[str, Any] = asdict(self)
        if self.claims < 0:  # the manifest of an earlier version stays as it was written
            for name in ("claims", "incomplete", "families", "left_out"):
                del value[name]
        return value


@dataclass(frozen=True, slots=True)
class SegmentName:
    """`sha256` is of the documents themselves, one JSON line each, not of the files, which may differ by version."""

    first: int
    documents: int
    sha256: str

    @property
    def folder(self) -> str:
        return f"{self.first:08d}-{self.documents}-{self.sha256[:16]}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a corpus holds; `years` counts the documents by the year of their date, "" for none."""

    name: str
    segments: tuple[SegmentName, ...] = ()
    files: tuple[AddedFile, ...] = ()
    years: tuple[tuple[str, int], ...] = ()

    @property
    def documents(self) -> int:
        return sum(segment.documents for segment in self.segments)

    def to_bytes(self) -> bytes:
        value: dict[str, Any] = {
            "schema": SCHEMA,
            "family": family(),
            "cutting": cutting(),
            "documents": self.documents,
            **asdict(self),
        }
        value |= {"years": dict(self.years), "files": [one.as_json() for one in self.files]}
        return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises CorpusError where there is none, or another version's."""
        path = folder / MANIFEST
        if not path.is_file():
            raise CorpusError(f"{folder}: there is no reference corpus", hint="Make one: prior-art corpus add FILE...")
        try:
            value = json.loads(path.read_bytes())
            if (value["schema"], value.get("family"), value.get("cutting")) != (SCHEMA, family(), cutting()):
                raise CorpusError(f"{folder}: the corpus was made by another version", hint=HINT)
            years = sorted(read(dict[str, int], value["years"], "years").items())
            manifest: Manifest = read(
                cls, {**{name: value[name] for name in ("name", "segments", "files")}, "years": years}
            )
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise CorpusError(f"{path}: the manifest is damaged: {error}", hint=HINT) from error
        if manifest.to_bytes() != path.read_bytes():
            raise CorpusError(f"{path}: the manifest is not as it was written", hint=HINT)
        return manifest


@dataclass(frozen=True)
class Corpus:
    """A corpus that is read. Documents are numbered from 0 in the order in which they were added."""

    folder: Path
    manifest: Manifest
    segments: tuple[Segment, ...]

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Looks at every file's size. Raises CorpusError for a damaged corpus or another version's."""
        manifest = Manifest.read(folder)
        opened = [Segment.open(folder / SEGMENTS / one.folder, one.first, one.documents) for one in manifest.segments]
        return cls(folder, manifest, tuple(opened))

    def __len__(self) -> int:
        return self.manifest.documents

    @cached_property
    def name(self) -> CorpusName:
        return CorpusName(self.manifest.name, len(self), hashlib.sha256(self.manifest.to_bytes()).hexdigest())

    @property
    def prints(self) -> tuple[FingerprintSet, ...]:
        return tuple(segment.prints for segment in self.segments)

    def document(self, number: int) -> Document:
        """A document by its place in the corpus."""
        segment, place = self._place(number)
        return segment.document(place)

    def cut(self, number: int) -> tuple[Document, list[str]]:
        """A document by its place, and its passages."""
        segment, place = self._place(number)
        return segment.cut(place)

    def _place(self, number: int) -> tuple[Segment, int]:
        for segment, name in zip(self.segments, self.manifest.segments, strict=True):
            if name.first <= number < name.first + name.documents:
                return segment, number - name.first
        raise IndexError(number)

    def frequencies(self, terms: frozenset[str]) -> tuple[int, Counter[str]]:
        """How many passages there are, and in how many each stem stands."""
        total, counts = 0, Counter[str]()
        for segment in self.segments:
            some, found = segment.passages.frequencies(terms)
            total += some
            counts.update(found)
        return total, counts

    def search(self, terms: Iterable[str], limit: int) -> list[tuple[float, int, int]]:
        """The passages nearest by BM25: (score, document, ordinal of its passage), best first."""
        wanted = list(terms)
        found = [
            (score, name.first + place, ordinal)
            for segment, name in zip(self.segments, self.manifest.segments, strict=True)
            for score, place, ordinal in segment.passages.search(wanted, limit)
        ]
        return sorted(found, key=lambda hit: (-hit[0], hit[1], hit[2]))[:limit]

    def damage(self) -> str:
        """The first file with other bytes than were written, or an empty string. Reads everything."""
        for segment in self.segments:
            if name := segment.damage():
                return str(segment.folder / name)
        return ""
