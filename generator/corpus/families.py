"""Patent families: documents that share the number of an application, a parent or a priority, joined (union-find)."""

from collections.abc import Iterator

from generator.corpus.documents import Document


class Kin:
    """Families as a forest of joined names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        while parent != (above := self._parent[parent]):
            self._parent[name] = above
            name, parent = parent, above
        return parent

    def join(self, first: str, *others: str) -> None:
        root = self.root(first)
        for name in others:
            self._parent[self.root(name)] = root


def family_names(document: Document) -> Iterator[str]:
    """By what a document is of one family with others: its own number, and those of its application and relatives.

    A relative that was published is named by the number that it has as a document ("US5700647").
    """
    yield f"number {document.number}"
    yield from (f"{'number' if number.startswith('US') else 'family'} {number}" for number in document.family)


class Families:
    """How many families the documents of one source are of."""

    def __init__(self) -> None:
        self._kin, self._numbers = Kin(), set[str]()

    def add(self, document: Document) -> None:
        first, *others = family_names(document)
        self._kin.join(first, *others)
        self._numbers.add(first)

    def __len__(self) -> int:
        return len({self._kin.root(number) for number in self._numbers})
