"""A language model that reads: how surprised it is by a text, given what stands before. It writes nothing.

Numbers are nats. CPUs differ in their last digits, so who uses them rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from generator.base.errors import ModelError

MOST_TOKENS = 2048  # of rows that are read at once: what bounds memory
AT_ONCE = 512  # positions whose logits exist at a time
SHARED = 48  # tokens that two rows begin with, from which on they are read once


@dataclass(frozen=True, slots=True)
class Surprise:
    """Of a piece of text after what stands before it: the sum over its `tokens`, in nats."""

    nats: float
    tokens: int

    @property
    def each(self) -> float:
        """Nats a token."""
        return self.nats / max(1, self.tokens)


class Reader(Protocol):
    """Reads rows of pieces of text, which follow one another; the surprise of each piece, row by row.

    Rows that all begin as a single row did that was read just before cost what they do not share with it.
    Raises ModelError.
    """

    @property
    def name(self) -> str: ...

    def read(self, rows: Sequence[Sequence[str]]) -> list[list[Surprise]]: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row that was read: its tokens, their nats, and the cache of transformers with what was made of them."""

    row: list[int]
    nats: list[float]
    cache: Any


class ModelReader:
    """A causal model of transformers. Rows of like length are read together; the first token of a row tells nothing."""

    def __init__(self, name: str, tokenizer: Any, model: Any) -> None:
        self.name = name
        self._tokenizer, self._model = tokenizer, model.eval()
        self._kept: _Kept | None = None

    @classmethod
    def open(cls, name: str, folder: Path, *, threads: int = 0) -> "ModelReader":
        """The model in a folder that save_pretrained wrote, in the number format of its file. Raises ModelError."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from generator.model.attention import register

        if threads:
            torch.set_num_threads(threads)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, dtype="auto", attn_implementation=register()
            )
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder}: no model that can read: {str(error)[:200]}") from error
        return cls(name, tokenizer, model)

    def read(self, rows: Sequence[Sequence[str]]) -> list[list[Surprise]]:
        pieces = [[self._ids(piece) for piece in row] for row in rows]
        ids = [[token for piece in row for token in piece] for row in pieces]
        shared = min((_common(self._kept.row, row) for row in ids), default=0) if self._kept else 0
        # The last token that they share is read anew, as it foretells the next.
        nats = self._branches(ids, shared - 1) if self._kept and shared >= SHARED else self._alone(ids)
        return [_by_piece(nats[place], row) for place, row in enumerate(pieces)]

    def _alone(self, ids: Sequence[list[int]]) -> dict[int, list[float]]:
        """The nats of each row by its place; what was read of a single row is kept for rows that begin as it does."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self._model.config) if len(ids) == 1 else None
        nats: dict[int, list[float]] = {}
        waiting = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        while waiting:
            batch = [waiting.pop(0)]
            while waiting and len(ids[waiting[0]]) * (len(batch) + 1) <= MOST_TOKENS:
                batch.append(waiting.pop(0))
            nats.update(self._batch({place: ids[place] for place in batch}, cache))
        self._kept = _Kept(ids[0], nats[0], cache) if cache else None
        return nats

    def _branches(self, ids: Sequence[list[int]], shared: int) -> dict[int, list[float]]:
        """The same for rows that begin with `shared` tokens of the row that is kept."""
        assert self._kept is not None
        kept, self._kept = self._kept, None
        kept.cache.crop(shared - len(kept.row))  # by how much it becomes shorter
        kept.cache.batch_repeat_interleave(len(ids))
        found = self._batch({place: row[shared:] for place, row in enumerate(ids)}, kept.cache)
        return {place: [*kept.nats[: shared + 1], *nats[1:]] for place, nats in found.items()}

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _batch(self, rows: dict[int, list[int]], before: Any = None) -> dict[int, list[float]]:
        """The nats of each token of each row; 0 for the first, of which nothing is known.

        `before` is a cache of transformers with a line for each row: what it holds was read, and these are added.
        """
        import torch

        ids = torch.zeros(len(rows), max(1, *map(len, rows.values()), 1), dtype=torch.long)
        for line, row in enumerate(rows.values()):
            ids[line, : len(row)] = torch.tensor(row, dtype=torch.long)
        with torch.inference_mode():
            read = self._model.base_model(input_ids=ids, cache=before, use_cache=before is not None)
            return {
                place: [*([0.0] if row else []), *self._nats(read.last_hidden_state[line], row)]
                for line, (place, row) in enumerate(rows.items())
            }

    def _nats(self, hidden: Any, row: Sequence[int]) -> list[float]:
        """Of each token of a row but the first, from the states (positions, width) of those before it."""
        import torch

        table, told = self._model.get_output_embeddings().weight, []
        for at in range(1, len(row), AT_ONCE):
            stop = min(len(row), at + AT_ONCE)
            logits = (hidden[at - 1 : stop - 1] @ table.T).float()
            chosen = logits.gather(1, torch.tensor(row[at:stop])[:, None])[:, 0]
            told += (logits.logsumexp(1) - chosen).tolist()
        return told


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two rows begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _by_piece(nats: list[float], pieces: list[list[int]]) -> list[Surprise]:
    found, start = [], 0
    for piece in pieces:
        found.append(Surprise(sum(nats[start : start + len(piece)]), len(piece)))
        start += len(piece)
    return found
