"""Gathering training texts from files of known documents: clean, without duplicates, split by patent family.

Reads what the reference corpus reads. Documents are read twice, so that no more than their fingerprints is in memory.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from generator.base.errors import CorpusError
from generator.corpus.claim_texts import without
from generator.corpus.documents import Document, Skipped, compared_words, titled
from generator.corpus.families import Kin, family_names
from generator.corpus.fingerprints import signature, word_hashes
from generator.corpus.near_duplicates import NearDuplicates
from generator.corpus.patent_text import UNREAD_DATE, held_out
from generator.corpus.reading import read_documents
from generator.train.recipe import Data

FEW_WORDS = 40  # a shorter text has too few word sequences for its likeness to say anything
HINT = "docs/training.md lists the kinds of files."
EVERY = 10_000  # documents between two lines of progress


@dataclass(slots=True)
class Gathered:
    """What is known of the documents of some files: `family` of those that are kept, by place in reading order."""

    family: dict[int, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    by_source: list[Counter[str]] = field(default_factory=list)


def gather(sources: Sequence[Path], data: Data, report: Callable[[str], None]) -> Gathered:
    """Read all documents once and decide which are kept, and of which family each is. Raises CorpusError."""
    found, kin, seen, twins = Gathered(), Kin(), set[str](), _Twins(data.near_duplicate)
    for place, source, document in _documents(sources, found, report):
        if why := _unwanted(document, data, seen):
            found.dropped[why] += 1
            continue
        twin = twins.find(place, document)
        kin.join(str(place), *_keys(document), *([str(twin)] if twin is not None else ()))
        if twin is None:
            found.family[place] = document.number
            source["kept"] += 1
        else:
            found.dropped["near duplicate"] += 1
    names: dict[str, str] = {}
    for place, number in found.family.items():
        root = kin.root(str(place))
        names[root] = min(number, names.get(root, number))
    found.family = {place: names[kin.root(str(place))] for place in found.family}
    return found


def kept(sources: Sequence[Path], gathered: Gathered, report: Callable[[str], None]) -> Iterator[tuple[str, Document]]:
    """Family and document of each one that is kept, in order; a second reading of the same files."""
    for place, _, document in _documents(sources, None, report):
        if family := gathered.family.get(place):
            yield family, titled(document)


def is_held_out(family: str, data: Data) -> bool:
    return held_out(family, data.held_out)


def _documents(
    sources: Sequence[Path], found: Gathered | None, report: Callable[[str], None]
) -> Iterator[tuple[int, Counter[str], Document]]:
    place = 0
    for path in sources:
        counts: Counter[str] = Counter()
        if found is not None:
            found.by_source.append(counts)
        why = ""
        for _, item in read_documents(path):
            if isinstance(item, Skipped):
                why = why or f"; {item.place}: {item.why}"
                if found is not None:
                    report(f"train data: {path.name}: passed over {item.place}: {item.why}")
                    found.dropped["not readable"] += 1
                continue
            counts["documents"] += 1
            if item.incomplete:  # a model would learn "wherein , and is 3."
                whole = without(item.claims, item.incomplete)
                counts["claims incomplete"] += len(item.claims) - len(whole)
                item = replace(item, claims=whole, incomplete=())
            counts.update({f"claims {why}" if why != UNREAD_DATE else why: n for why, n in item.left_out})
            yield place, counts, item
            place += 1
            if place % EVERY == 0:
                report(f"train data: {place} documents read")
        if not counts["documents"]:
            raise CorpusError(
                f"{path}: there is no document in it{why}", hint="docs/training.md lists the kinds of files."
            )
    if not place:
        raise CorpusError("there is no document in the given files", hint="docs/training.md lists the kinds of files.")


def _unwanted(document: Document, data: Data, seen: set[str]) -> str:
    """Why a document is left out, or an empty text; `seen` are the digests of texts up to here."""
    if document.tier and document.tier not in data.tiers:
        return f"tier {document.tier}"
    if not document.description and not document.abstract:
        return "neither abstract nor description"
    text = "\n".join((document.title, document.abstract, *document.claims, document.description))
    digest = hashlib.sha256(text.lower().encode("utf-8", "replace")).hexdigest()
    if digest in seen:
        return "duplicate"
    seen.add(digest)
    return ""


def _keys(document: Document) -> Iterator[str]:
    """What only documents of one family have in common."""
    yield from family_names(document)
    for name, text in (("abstract", document.abstract), ("claims", "\n".join(document.claims))):
        if len(text.split()) >= FEW_WORDS:
            yield f"{name} {hashlib.sha256(text.lower().encode('utf-8', 'replace')).hexdigest()}"


class _Twins:
    """Finds an earlier document whose title, abstract and claims are nearly the same."""

    def __init__(self, least: float) -> None:
        self._seen = NearDuplicates(least)

    def find(self, place: int, document: Document) -> int | None:
        words = compared_words(document)
        if len(words) < FEW_WORDS:
            return None
        mine = signature(word_hashes(words))
        if found := self._seen.find(mine):
            return max(found, key=found.__getitem__)
        self._seen.add(place, mine)
        return None
