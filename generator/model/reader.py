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

    Raises ModelError.
    """

    @property
    def name(self) -> str: ...

    def read(self, rows: Sequence[Sequence[str]]) -> list[list[Surprise]]: ...


class ModelReader:
    """A causal model of transformers. Rows of like length are read together; the first token of a row tells nothing."""

    def __init__(self, name: str, tokenizer: Any, model: Any) -> None:
        self.name = name
        self._tokenizer, self._model = tokenizer, model.eval()

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
        nats: dict[int, list[float]] = {}
        waiting = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        while waiting:
            batch = [waiting.pop(0)]
            while waiting and len(ids[waiting[0]]) * (len(batch) + 1) <= MOST_TOKENS:
                batch.append(waiting.pop(0))
            nats.update(self._batch({place: ids[place] for place in batch}))
        return [_by_piece(nats[place], row) for place, row in enumerate(pieces)]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _batch(self, rows: dict[int, list[int]]) -> dict[int, list[float]]:
        """The nats of each token of each row; 0 for the first."""
        import torch

        ids = torch.zeros(len(rows), max(1, *map(len, rows.values()), 1), dtype=torch.long)
        for line, row in enumerate(rows.values()):
            ids[line, : len(row)] = torch.tensor(row, dtype=torch.long)
        found = {}
        with torch.inference_mode():
            hidden = self._model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            table = self._model.get_output_embeddings().weight
            for line, (place, row) in enumerate(rows.items()):
                told = [0.0] if row else []
                for at in range(1, len(row), AT_ONCE):
                    stop = min(len(row), at + AT_ONCE)
                    logits = (hidden[line, at - 1 : stop - 1] @ table.T).float()
                    chosen = logits.gather(1, ids[line, at:stop, None])[:, 0]
                    told += (logits.logsumexp(1) - chosen).tolist()
                found[place] = told
        return found


def _by_piece(nats: list[float], pieces: list[list[int]]) -> list[Surprise]:
    found, start = [], 0
    for piece in pieces:
        found.append(Surprise(sum(nats[start : start + len(piece)]), len(piece)))
        start += len(piece)
    return found
