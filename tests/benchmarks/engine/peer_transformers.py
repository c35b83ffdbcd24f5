"""transformers' own `generate` in bf16: what a user gets who loads the model and sets a batch."""

import time
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peers import SAME_SAMPLING, Engine

NAMES = ("transformers", "torch")
FORMATS = {"bf16": (16, 32, 64), "bf16, static cache": (32,)}
CACHE_VALUE_BYTES = dict.fromkeys(FORMATS, 4)  # two, and as much again while a cache is copied to grow
SAMPLING = SAME_SAMPLING


def prepare(model: Path, folder: Path, format: str) -> None:
    """Nothing to convert."""


def open_engine(job: Job) -> Engine:
    return _Generate(job)


class _Generate:
    def __init__(self, job: Job) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(job.threads)
        torch.manual_seed(job.seed)
        self._static = "static" in job.format
        self._model = AutoModelForCausalLM.from_pretrained(job.model, dtype=torch.bfloat16)
        self._model.eval()

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        import torch
        from transformers import StoppingCriteriaList

        ids = torch.tensor(prompts)
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                temperature=shape.TEMPERATURE,
                top_k=0,
                top_p=1.0,
                min_new_tokens=new_tokens,
                max_new_tokens=new_tokens,
                use_cache=True,
                cache_implementation="static" if self._static else None,
                stopping_criteria=StoppingCriteriaList([late(deadline)]),
            )
        rows: list[list[int]] = output[:, shape.PROMPT_TOKENS :].tolist()
        return rows


def late(deadline: float | None) -> Any:
    """A criterion that stops every sequence after the deadline."""
    import torch
    from transformers import StoppingCriteria

    class Late(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, ids: Any, _scores: Any, **_: Any) -> Any:
            stop = deadline is not None and time.monotonic() > deadline
            return torch.full((ids.shape[0],), stop)

    return Late()
