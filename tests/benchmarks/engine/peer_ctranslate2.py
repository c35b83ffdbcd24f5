"""CTranslate2, whose converter takes the model from transformers' form."""

import time
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peers import SAME_SAMPLING, Engine

NAMES = ("ctranslate2", "transformers")
FORMATS = {"int8": (16, 32, 64)}  # on CPUs the only other one is float32, which took some six times as long
CACHE_VALUE_BYTES = dict.fromkeys(FORMATS, 4)
SAMPLING = SAME_SAMPLING


def prepare(model: Path, folder: Path, format: str) -> None:
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        def load_model(self, *arguments: Any, **named: Any) -> Any:
            """The converter reads a name that transformers 5 gave up."""
            loaded = super().load_model(*arguments, **named)
            loaded.config.rotary_pct = shape.ROTARY_SHARE
            return loaded

    Converter(str(model)).convert(str(folder), quantization=format, force=True)


def open_engine(job: Job) -> Engine:
    return _Generator(job)


class _Generator:
    def __init__(self, job: Job) -> None:
        import ctranslate2

        ctranslate2.set_random_seed(job.seed)
        self._generator = ctranslate2.Generator(
            str(job.converted), device="cpu", compute_type=job.format, inter_threads=1, intra_threads=job.threads
        )

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        rows: list[list[int]] = [[] for _ in prompts]

        def seen(step: Any) -> bool:
            """Called for each token; True ends its sequence."""
            rows[step.batch_id].append(step.token_id)
            return deadline is not None and time.monotonic() > deadline

        self._generator.generate_batch(
            [shape.words(ids) for ids in prompts],
            max_length=new_tokens,
            min_length=new_tokens,
            end_token=[],
            include_prompt_in_result=False,
            sampling_topk=0,
            sampling_temperature=shape.TEMPERATURE,
            callback=seen,
        )
        return rows
