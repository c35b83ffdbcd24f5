"""Rows of tokens in training order: what a phase reads, made from the data by its mix of formats."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import CorpusError
from generator.corpus.documents import Document
from generator.train.preparing import TRAIN, documents, kind, specified
from generator.train.recipe import WHOLE, Phase
from generator.train.texts import Encode, fit, head, pieces, specification

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rows:
    """`tokens`: (rows, context), uint32. `epochs`: how often each format's documents were seen, on average."""

    tokens: "NDArray[Any]"
    epochs: dict[str, float]


def times_seen(epochs: Iterable[Mapping[str, float]]) -> float:
    """How often a whole patent with a description was seen on average, in all its formats; `epochs` of each stage."""
    return sum(one.get(layout, 0.0) for one in epochs for layout in WHOLE)


def token_rows(data: Path, phase: Phase, name: str, seed: int, encode: Encode, end: int) -> Rows:
    """The rows of a phase from the folder of stage 1. Each begins where a text begins, as every prompt does; the rest
    of a row's last text is dropped. Raises CorpusError where the data have no document for a format of the mix.
    """
    import numpy as np

    found = list(documents(data / TRAIN))
    count = phase.steps * phase.step_rows
    rows: list[list[int]] = []
    epochs = {}
    for place, (layout, share) in enumerate(phase.mix):
        wanted = count - len(rows) if place == len(phase.mix) - 1 else round(count * share)
        dice = random.Random(f"{seed} {name} {layout}")
        source = _Source(found, layout, phase, encode, end, dice)
        rows += _packed(iter(source), phase.context, wanted)
        epochs[layout] = round(source.passes, 3)
    random.Random(f"{seed} {name}").shuffle(rows)
    return Rows(np.array(rows, dtype=np.uint32), epochs)


class _Source:
    """The texts of one format, without end, in a new order in each pass over the documents."""

    def __init__(
        self, found: Sequence[Document], layout: str, phase: Phase, encode: Encode, end: int, dice: random.Random
    ) -> None:
        self._layout, self._phase, self._encode, self._end, self._dice = layout, phase, encode, end, dice
        self._documents = serving(found, layout)
        self._done = 0

    @property
    def passes(self) -> float:
        return self._done / max(1, len(self._documents))

    def __iter__(self) -> Iterator[list[int]]:
        while True:
            self._dice.shuffle(self._documents)
            empty = True
            for document in self._documents:
                self._done += 1
                for ids in self._texts(document, self._longest()):
                    empty = False
                    yield ids
            if empty:
                raise CorpusError(
                    f"the data have no document for the format {self._layout}",
                    hint="Take the format out of the recipe's mix, or add such documents to the data.",
                )

    def _longest(self) -> int:
        """Tokens of the next text at most."""
        short = self._phase.text_tokens and self._dice.random() < self._phase.short_share
        return self._phase.text_tokens if short else self._phase.context

    def _texts(self, document: Document, longest: int) -> Iterator[list[int]]:
        if self._layout == "description":
            chosen = list(pieces(document.description, chars=longest * 5))
            self._dice.shuffle(chosen)
            yield from (self._encode(piece) for piece in chosen[:2])
        elif self._layout == "head":
            yield [*self._encode(head(document)), *([self._end] if document.title else [])]
        elif self._layout == "specification":
            layout = fit(self._encode, self._end, "top-down", document, longest // 2)
            if layout and (rest := specification(document)):
                yield [*layout, *self._encode(rest), self._end]
        elif ids := fit(self._encode, self._end, self._layout, document, longest):  # type: ignore[arg-type]
            yield ids


def serving(found: Sequence[Document], layout: str) -> list[Document]:
    """The documents that a format can be made of, but for length."""
    if layout == "specification":
        return specified(found)
    if layout == "description":
        return [document for document in found if document.description]
    wanted = "head" if layout == "head" else "full"
    return [document for document in found if kind(document) == wanted]


def _packed(texts: Iterator[list[int]], width: int, count: int) -> Iterator[list[int]]:
    row: list[int] = []
    while count > 0:
        row += next(texts)
        if len(row) >= width:
            yield row[:width]
            row, count = [], count - 1
