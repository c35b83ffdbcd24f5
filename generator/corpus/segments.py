"""A segment of the corpus: up to 32,768 documents, their texts, prints and passages, in one folder that never changes.

`documents.bin` holds blocks of canonical JSON lines, each a Zstandard frame; `places.npy` says for each document its
block's place in the file, and its own place in the block. `files.json` lists the SHA-256 of every other file.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import CorpusError
from generator.base.words import words
from generator.corpus.documents import Document, compared_words
from generator.corpus.fingerprint_set import FingerprintSet
from generator.corpus.fingerprints import GRAM, Fingerprint, fingerprint, sequences, winnowed, word_hashes
from generator.corpus.passages import Cut, Passages, PassageWriter

if TYPE_CHECKING:
    from generator.corpus.fingerprints import Array

MOST = 32_768  # documents
MOST_GRAMS = 1 << 25  # and no more grams than that, which bounds the memory of a build
BLOCK_BYTES = 1 << 16
LEVEL = 9
LISTED, TEXTS, PLACES, NUMBERS, PASSAGES = "files.json", "documents.bin", "places.npy", "numbers.npy", "passages"
HINT = "Delete the corpus folder and add its files again."


def number_hash(number: str) -> int:
    return int.from_bytes(hashlib.blake2b(number.encode(), digest_size=8).digest(), "big")


def document_line(document: Document, cut: Cut) -> bytes:
    """One line that stands for a document, its claims and its description in passages; no line feed but the last."""
    value = {**asdict(document), **asdict(cut)}
    for name in ("family", "tier", "left_out", *(() if document.incomplete else ("incomplete",))):
        del value[name]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _parsed(line: bytes) -> tuple[Document, Cut]:
    """The document as it is kept: white space in claims is single, the paragraphs of its description are passages."""
    value = json.loads(line)
    cut = Cut(value.pop("head"), value["claims"], value["description"])
    joined = {"claims": tuple(" ".join(claim) for claim in cut.claims), "description": "\n".join(cut.description)}
    listed = {"cpc": tuple(value["cpc"]), "incomplete": tuple(value.get("incomplete", ()))}
    return Document(**{**value, **joined, **listed}), cut


def _fingerprint(document: Document) -> Fingerprint:
    """Of descriptions, ten times as long as the rest, about one gram in seven is kept: enough for every copied run."""
    import numpy as np

    exact = fingerprint(compared_words(document))
    described = winnowed(sequences(word_hashes(words(document.description)), GRAM))
    return Fingerprint(np.concatenate((exact.grams, described)), exact.signature, exact.terms)


class SegmentWriter:
    """Writes the documents numbered from `first` on into an existing, empty folder; `full` says when to finish."""

    def __init__(self, folder: Path, first: int) -> None:
        (folder / PASSAGES).mkdir()
        self._folder, self._first = folder, first
        self._passages = PassageWriter(folder / PASSAGES)
        self._texts = (folder / TEXTS).open("wb")
        self._block = bytearray()
        self._places: list[tuple[int, int, int]] = []
        self._blocks = [0]
        self._fingerprints: list[Fingerprint] = []
        self._numbers: list[int] = []
        self._digest = hashlib.sha256()
        self._grams = 0

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def full(self) -> bool:
        return len(self) >= MOST or self._grams >= MOST_GRAMS

    def add(self, document: Document) -> None:
        cut = Cut.of(document)
        line = document_line(document, cut)
        self._digest.update(line)
        self._passages.add(len(self), cut.passages)
        one = _fingerprint(document)
        self._grams += len(one.grams)
        self._fingerprints.append(one)
        self._numbers.append(number_hash(document.number))
        self._places.append((len(self._blocks) - 1, len(self._block), len(self._block) + len(line)))
        self._block += line
        if len(self._block) >= BLOCK_BYTES:
            self._write_block()

    def _write_block(self) -> None:
        import zstandard

        self._texts.write(zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(bytes(self._block)))
        self._blocks.append(self._texts.tell())
        self._block.clear()

    def finish(self) -> str:
        """Write what is left; the SHA-256 of the documents' lines."""
        import numpy as np

        if self._block:
            self._write_block()
        self._texts.close()
        places = np.array(self._places, np.uint64).reshape(-1, 3)
        blocks = np.array(self._blocks, np.uint64)
        rows = np.stack((blocks[places[:, 0]], blocks[places[:, 0] + 1], places[:, 1], places[:, 2]), axis=1)
        np.save(self._folder / PLACES, rows)
        np.save(self._folder / NUMBERS, np.sort(np.array(self._numbers, np.uint64)))
        self._passages.finish()
        FingerprintSet.of(self._first, self._fingerprints).save(self._folder)
        self._fingerprints.clear()
        listed = {name: _sha256(self._folder / name) for name in _names(self._folder)}
        files.write(self._folder / LISTED, json.dumps(listed, indent=1, sort_keys=True).encode())
        return self._digest.hexdigest()

    def close(self) -> None:
        self._texts.close()


def _names(folder: Path) -> list[str]:
    found = (
        p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and not p.name.endswith(".lock")
    )
    return sorted(path.relative_to(folder).as_posix() for path in found if path.name != LISTED)


def _sha256(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


@dataclass(frozen=True)
class Segment:
    """A segment that is read. Threads may share it."""

    folder: Path
    prints: FingerprintSet
    passages: Passages
    numbers: "Array"
    _places: "Array"

    @classmethod
    def open(cls, folder: Path, first: int, documents: int) -> "Segment":
        """Raises CorpusError for a folder that is not whole; `damage` looks at every byte."""
        import numpy as np

        try:
            listed = json.loads((folder / LISTED).read_bytes())
            for name, one in listed.items():
                if (folder / name).stat().st_size != one["bytes"]:
                    raise ValueError(f"{name} has another size")
            places, numbers = (np.load(folder / name, mmap_mode="r") for name in (PLACES, NUMBERS))
            prints = FingerprintSet.open(folder, first)
            if not len(places) == len(numbers) == len(prints) == documents:
                raise ValueError("the number of documents differs")
            return cls(folder, prints, Passages.open(folder / PASSAGES), numbers, places)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorpusError(f"{folder}: the corpus is damaged: {error}", hint=HINT) from error

    def damage(self) -> str:
        """The first file whose bytes are not those that were written, or an empty string."""
        listed = json.loads((self.folder / LISTED).read_bytes())
        return next((name for name, one in listed.items() if _sha256(self.folder / name) != one), "")

    def __len__(self) -> int:
        return len(self._places)

    def documents(self) -> Iterator[Document]:
        return (self.document(place) for place in range(len(self)))

    def document(self, place: int) -> Document:
        """The document at a place of this segment, from 0."""
        return self._read(place)[0]

    def cut(self, place: int) -> tuple[Document, list[str]]:
        """The document at a place, and its passages, by the ordinals that a search gives."""
        document, cut = self._read(place)
        return document, cut.passages

    def _read(self, place: int) -> tuple[Document, Cut]:
        start, end, first, last = map(int, self._places[place])
        return _parsed(_block(self.folder / TEXTS, start, end)[first:last])


@lru_cache(maxsize=64)
def _block(path: Path, start: int, end: int) -> bytes:
    import zstandard

    try:
        with path.open("rb") as file:
            file.seek(start)
            data: bytes = zstandard.ZstdDecompressor().decompress(file.read(end - start))
            return data
    except (OSError, zstandard.ZstdError) as error:
        raise CorpusError(f"{path}: the corpus is damaged: {error}", hint=HINT) from error
