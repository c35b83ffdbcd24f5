"""Files are added to the reference corpus: streaming, each number once, able to go on after a kill at any point.

A segment is written in a scratch folder, renamed, and only then named by the manifest, which is replaced in one step;
what no manifest names is removed by the next `add`. The last segment, while it has room, is written anew together
with what follows it, so that there are few.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from generator.base import files
from generator.base.errors import CorpusError, LogError
from generator.corpus.documents import Document, Skipped
from generator.corpus.families import Families
from generator.corpus.fingerprint_set import MOST_DOCUMENTS
from generator.corpus.reading import read_documents, source_sha256
from generator.corpus.segments import MOST, MOST_GRAMS, Segment, SegmentWriter, number_hash
from generator.corpus.store import MANIFEST, SEGMENTS, AddedFile, Manifest, SegmentName

LOCK = "lock"
SHOWN = 100  # places of skipped documents that the manifest keeps for each file
EVERY = 2_000  # documents between two lines of progress


def add(folder: Path, paths: Iterable[Path], report: Callable[[str], None], *, name: str = "") -> Manifest:
    """Add the documents of files, each publication number once. A file that is in the corpus is not read again.

    `name` names a new corpus; by default it has its folder's name. Raises CorpusError for a file that cannot be read
    at all, once everything before it is kept, and when another process is adding.
    """
    with _alone(folder):
        manifest = Manifest.read(folder) if (folder / MANIFEST).exists() else Manifest(name or folder.resolve().name)
        if name and name != manifest.name:
            raise CorpusError(f"{folder}: the corpus is named {manifest.name!r}, not {name!r}")
        _remove_leftovers(folder, manifest)
        adding = _Adding(folder, manifest, report)
        try:
            for path in paths:
                adding.read(path)
        except CorpusError:
            adding.keep()
            raise
        else:
            return adding.keep()
        finally:
            adding.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with files.lock(folder / LOCK, "another process is adding to this corpus", lambda _: None, wait_seconds=0):
            yield
    except LogError as error:
        raise CorpusError(str(error), hint=error.hint) from error
    except OSError as error:
        raise CorpusError(
            f"{folder}: the corpus cannot be written: {error.strerror or error}",
            hint="Free space or fix permissions, then run the same command again: it goes on where it was.",
        ) from error


def _remove_leftovers(folder: Path, manifest: Manifest) -> None:
    """Remove what a killed run left, and the segments that were written anew."""
    (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
    named = {segment.folder for segment in manifest.segments}
    for path in (folder / SEGMENTS).iterdir():
        if path.name not in named:
            shutil.rmtree(path)


class _Adding:
    """The corpus while it grows: `manifest` is ahead of the file on disk by what the open segment holds."""

    def __init__(self, folder: Path, manifest: Manifest, report: Callable[[str], None]) -> None:
        self.folder, self.manifest, self._report = folder, manifest, report
        self._years = Counter(dict(manifest.years))
        self._writer: SegmentWriter | None = None
        self._first = True
        self._scratch = folder
        self._new: set[int] = set()  # numbers in the open segment
        self._kept = [Segment.open(folder / SEGMENTS / s.folder, s.first, s.documents) for s in manifest.segments]

    def read(self, path: Path) -> None:
        """Every document of a file from where reading ended the last time on."""
        digest = source_sha256(path)
        one = next(
            (added for added in self.manifest.files if added.sha256 == digest),
            AddedFile(path.name or path.resolve().name, digest, claims=0),
        )
        if one.next < 0:
            self._report(f"corpus: {path.name} is in the corpus already")
            return
        families = _families(path, one.next)
        try:
            for seen, (following, item) in enumerate(read_documents(path, one.next), 1):
                if isinstance(item, Document):
                    families.add(item)
                one = replace(self._taken(one, item), next=following)
                if self._writer and self._writer.full:
                    self._note(one)
                    self.keep()
                if seen % EVERY == 0:
                    self._report(f"corpus: {path.name}: {_said(one)}")
            one = replace(one, next=-1)
            if not one.documents and not one.duplicates:
                raise _empty(path, one)
        finally:
            if one.documents or one.duplicates:
                self._note(replace(one, families=len(families)) if one.claims >= 0 else one)
        self._report(f"corpus: {path.name}: {_said(one)}")

    def _taken(self, one: AddedFile, item: Document | Skipped) -> AddedFile:
        if isinstance(item, Skipped):
            places = one.places if len(one.places) >= SHOWN else (*one.places, (item.place, item.why))
            return replace(one, skipped=one.skipped + 1, places=places)
        left_out = tuple(sorted((Counter(dict(one.left_out)) + Counter(dict(item.left_out))).items()))
        one = replace(one, left_out=left_out) if one.claims >= 0 else one
        number = number_hash(item.number)
        if number in self._new or any(_has(segment, number) for segment in self._kept):
            return replace(one, duplicates=one.duplicates + 1)
        self._opened().add(item)
        self._new.add(number)
        self._years[item.date[:4]] += 1
        if one.claims < 0:
            return replace(one, documents=one.documents + 1)
        claims, incomplete = one.claims + len(item.claims), one.incomplete + len(item.incomplete)
        return replace(one, documents=one.documents + 1, claims=claims, incomplete=incomplete)

    def _opened(self) -> SegmentWriter:
        """The segment that is being written; the first one begins with the corpus's last one while that has room."""
        if self._writer is None:
            last = self._kept[-1] if self._first and self._kept else None
            room = last is not None and len(last) < MOST and len(last.prints.grams.keys) < MOST_GRAMS
            self._first = False
            if room:
                self._kept.pop()
                self.manifest = replace(self.manifest, segments=self.manifest.segments[:-1])
            self._scratch = Path(tempfile.mkdtemp(dir=self.folder / SEGMENTS, prefix=files.TEMPORARY))
            self._writer = SegmentWriter(self._scratch, self.manifest.documents)
            for document in last.documents() if last and room else ():
                self._writer.add(document)
                self._new.add(number_hash(document.number))
        if self.manifest.documents + len(self._writer) >= MOST_DOCUMENTS:
            raise CorpusError(f"{self.folder}: a corpus holds at most {MOST_DOCUMENTS} documents")
        return self._writer

    def _note(self, one: AddedFile) -> None:
        others = (added for added in self.manifest.files if added.sha256 != one.sha256)
        self.manifest = replace(self.manifest, files=(*others, one), years=tuple(sorted(self._years.items())))

    def keep(self) -> Manifest:
        """Finish the open segment, name it in the manifest, write the manifest."""
        if self._writer:
            name = SegmentName(self.manifest.documents, len(self._writer), self._writer.finish())
            target = self.folder / SEGMENTS / name.folder
            files.settle((path for path in self._scratch.rglob("*") if path.is_file()), self._scratch)
            if not target.exists():
                self._scratch.rename(target)
            self._writer = None
            self._new.clear()
            self.manifest = replace(self.manifest, segments=(*self.manifest.segments, name))
            self._kept.append(Segment.open(target, name.first, name.documents))
        if self.manifest.files or (self.folder / MANIFEST).exists():
            files.write(self.folder / MANIFEST, self.manifest.to_bytes())
        return self.manifest

    def close(self) -> None:
        """Remove what was not kept."""
        if self._writer:
            self._writer.close()
            shutil.rmtree(self._scratch, ignore_errors=True)


def _families(path: Path, start: int) -> Families:
    """Of the documents before byte `start`, which a killed run has read: the file is read once more up to there."""
    families = Families()
    for following, item in read_documents(path) if start else ():
        if following > start:
            break
        if isinstance(item, Document):
            families.add(item)
    return families


def _empty(path: Path, one: AddedFile) -> CorpusError:
    place, why = one.places[0] if one.places else ("", "")
    said = f": {one.skipped} skipped, the first at {place}: {why}" if place else ""
    return CorpusError(
        f"{path}: there is no document in it{said}",
        hint="docs/corpus.md says what a document needs. Nothing of this file was added.",
    )


def _has(segment: Segment, number: int) -> bool:
    import numpy as np

    place = int(np.searchsorted(segment.numbers, np.uint64(number)))
    return place < len(segment) and int(segment.numbers[place]) == number


def _said(one: AddedFile) -> str:
    parts = [f"{one.documents} documents"]
    parts += [f"{one.duplicates} known before"] if one.duplicates else []
    parts += [f"{one.skipped} skipped"] if one.skipped else []
    return ", ".join(parts)
