"""The snippet on the model's card, as it stands there: three sequences, 32-bit floats, no cache.

Of its call only the number of tokens is changed, and that an end of sequence ends nothing; its prompt is one of the
benchmark's. The card's files say `use_cache: false`, hence so does the copy of the model that it runs here; the second
format is the same snippet for who has found that setting. Temperature 0.5 and the library's default of the 50 most
likely tokens are the card's.
"""

import json
import shutil
from pathlib import Path

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peer_transformers import late
from tests.benchmarks.engine.peers import Engine

NAMES = ("transformers", "torch")
FORMATS = {"fp32": (3,), "fp32, cache turned on": (3,)}
CACHE_VALUE_BYTES = dict.fromkeys(FORMATS, 8)  # four, and as much again while the cache is copied to grow
EACH_FORMAT = FIXED_BATCH = True
SAMPLING = "the card's: temperature 0.5, 50 most likely tokens"


def prepare(model: Path, folder: Path, format: str) -> None:
    shutil.copytree(model, folder, dirs_exist_ok=True)
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**settings, "use_cache": "cache" in format}, indent=2), encoding="utf-8")


def open_engine(job: Job) -> Engine:
    return _Snippet(job)


class _Snippet:
    def __init__(self, job: Job) -> None:
        import torch
        from transformers import pipeline

        torch.set_num_threads(job.threads)
        torch.manual_seed(job.seed)
        self._pipeline = pipeline("text-generation", str(job.converted), device="cpu")

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        from transformers import StoppingCriteriaList

        made = self._pipeline(
            " ".join(shape.words(prompts[0])),
            do_sample=True,
            temperature=0.5,
            num_return_sequences=len(prompts),
            max_new_tokens=new_tokens,
            min_new_tokens=new_tokens,
            return_tensors=True,
            stopping_criteria=StoppingCriteriaList([late(deadline)]),
        )
        return [item["generated_token_ids"][shape.PROMPT_TOKENS :] for item in made]
