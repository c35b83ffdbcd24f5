"""This project's engine, below its prompts and texts: token ids in, token ids out."""

import time
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peers import SAME_SAMPLING, Engine

NAMES = ("prior-art-press", "torch", "transformers", "numba")
FORMATS = {"bf16": (64, 128, 256), "int8": (64, 128, 256), "bf16 cache int8": (128, 256)}
CACHE_VALUE_BYTES = {"bf16": 2, "int8": 1, "bf16 cache int8": 1}
SAMPLING = SAME_SAMPLING
EACH_FORMAT = True


def prepare(model: Path, folder: Path, format: str) -> None:
    """Nothing to convert: weights are packed when the engine opens."""


def open_engine(job: Job) -> Engine:
    return _Ours(job)


def greedy(job: Job, folder: Path, prompts: list[list[int]]) -> list[list[int]]:
    """The most probable tokens, for `exactness`."""
    return _Ours(job, 0, folder).write(prompts, job.new_tokens, None)


class _Ours:
    def __init__(self, job: Job, temperature: float = shape.TEMPERATURE, folder: Path | None = None) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        from generator.model.engine.engine import Engine as Whole
        from generator.model.engine.memory import free_memory, plan
        from generator.model.engine.opening import pack

        numbers, _, cache = job.format.partition(" cache ")
        model = AutoModelForCausalLM.from_pretrained(folder or job.model, dtype=torch.float32).eval()
        decoder, _, measured = pack(model, numbers, cache or "auto", _sample(model))
        planned = plan(
            limit=free_memory(),
            lanes=min(job.threads, job.batch),
            batch=job.batch,
            longest=shape.PROMPT_TOKENS + job.new_tokens,
            page_bytes=decoder.cache.page_bytes,
            weight_bytes=decoder.weight_bytes,
            row_bytes=decoder.row_bytes,
        )
        self._ask: Any = _Tokens(job.new_tokens)
        self._engine = Whole(self._ask, decoder, planned, measured)
        self._seed, self._temperature = job.seed, temperature

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        from generator.model.interface import Brief
        from generator.model.sampling_settings import Sampling

        self._ask.prompts, self._ask.most = prompts, new_tokens
        briefs = [Brief(row, "top-down", "", "", self._seed * 65_536 + row) for row in range(len(prompts))]
        rows: list[list[int]] = [[] for _ in prompts]

        def late(brief: Brief, tokens: Any) -> str:
            over = len(tokens) >= new_tokens or (deadline is not None and time.monotonic() > deadline)
            return "late" if over else ""

        sampling = Sampling(temperature=str(self._temperature))
        for written in self._engine.drafts(briefs, sampling, watch=late):
            row, tokens = written  # type: ignore[misc]  # what _Tokens.draft gives
            rows[row] = tokens[:new_tokens]
        return rows


def _sample(model: Any) -> list[int]:
    """A text by which engine and model are compared: ids of no special token."""
    least = len(shape.SPECIAL)
    return [least + (least * place) % (int(model.config.vocab_size) - least) for place in range(32)]


class _Tokens:
    """In the place of generator.model.prompting.Prompting: prompts are token ids, nothing ends a text but the limit."""

    end = (-2,)
    longest_prompt = shape.PROMPT_TOKENS

    def __init__(self, most_new: int) -> None:
        self.most_new, self.prompts, self.most = most_new, [], most_new  # type: ignore[var-annotated]

    def prompt(self, brief: Any) -> tuple[str, list[int]]:
        return "", self.prompts[brief.index]

    def so_far(self, _prompt: tuple[int, ...], written: list[int]) -> list[int]:
        return written

    def draft(self, brief: Any, _prompt: Any, ids: list[int], *_: Any) -> Any:
        return brief.index, ids
