"""Known patents that a model is measured by: those of a file that have a title, an abstract and claims."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from generator.base.errors import CorpusError
from generator.corpus.documents import Document, Skipped, titled
from generator.corpus.reading import read_documents

OPTIONS = 4  # to choose from: the right one and three others
HINT = "Each needs a title, an abstract and claims. docs/evaluation.md says which kinds of files are read."


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The documents of a file in its order, each once. `sha256` is of their texts; the rest was left out.

    `incomplete`: without title, abstract or claims; `repeated`: a title with the claims of an earlier one; `unread`:
    damaged. `names`: numbers, and titles with abstracts.
    """

    documents: tuple[Document, ...]
    sha256: str
    incomplete: int
    repeated: int
    unread: int
    names: frozenset[str]

    def holds(self, one: Document) -> bool:
        """Whether a document is one of these, by its number or by title and abstract."""
        return one.number in self.names or _name(one) in self.names

    def others(self, place: int, purpose: str, able: Callable[[Document], bool] = lambda _: True) -> list[Document]:
        """Three documents other than the one at `place`, drawn by its text and `purpose`; fewer where there are not.

        They share neither title, abstract nor first claim with it: such a one would be right too.
        """
        own = self.documents[place]
        found: list[Document] = []
        for at in self._chance(place, purpose).sample(range(len(self.documents)), len(self.documents)):
            one = self.documents[at]
            if len(found) < OPTIONS - 1 and able(one) and not any(_alike(one, other) for other in (own, *found)):
                found.append(one)
        return found

    def drawn(self, place: int, purpose: str, below: int) -> int:
        """A number from 0 on, drawn by the text of the document at `place` and `purpose`."""
        return self._chance(place, purpose).randrange(below)

    def _chance(self, place: int, purpose: str) -> random.Random:
        seed = f"{_text(self.documents[place])}{purpose}".encode("utf-8", "surrogatepass")
        return random.Random(hashlib.sha256(seed).digest())


def read_held_out(path: Path) -> HeldOut:
    """Raises CorpusError for a file that cannot be read, and for data without claims."""
    documents: dict[str, Document] = {}
    counts = {"incomplete": 0, "repeated": 0, "unread": 0}
    for _, one in read_documents(path):
        if isinstance(one, Skipped):
            counts["unread"] += 1
        elif not (one.title and one.abstract and one.claims):
            counts["incomplete"] += 1
        else:
            whole = replace(titled(one), description="", date="", cpc=())
            key = json.dumps([whole.title, whole.claims])
            counts["repeated"] += key in documents
            documents.setdefault(key, whole)
    kept = tuple(documents.values())
    if not kept:
        raise CorpusError(f"{path}: data without claims: {sum(counts.values())} documents, none complete", hint=HINT)
    if len(kept) < OPTIONS:
        raise CorpusError(f"{path}: {len(kept)} complete documents, at least {OPTIONS} are needed", hint=HINT)
    digest = hashlib.sha256("\n".join(map(_text, kept)).encode("utf-8", "surrogatepass")).hexdigest()
    names = frozenset(name for one in kept for name in (one.number, _name(one)))
    return HeldOut(kept, digest, **counts, names=names)


def _name(one: Document) -> str:
    return json.dumps([one.title.casefold(), one.abstract])


def _text(one: Document) -> str:
    return json.dumps([one.title, one.abstract, one.claims], ensure_ascii=False)


def _alike(one: Document, other: Document) -> bool:
    return one.title == other.title or one.abstract == other.abstract or one.claims[0] == other.claims[0]
