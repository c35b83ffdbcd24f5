"""OpenVINO GenAI's continuous batching pipeline, the fastest peer that was found.

The model is exported by optimum-intel; 8-bit weights come from NNCF's weight compression, one scale a row. Activations
are quantised by the runtime (its default for such weights under a 32-bit hint); the cache is 8-bit in every format.
"""

import math
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peers import SAME_SAMPLING, Engine

NAMES = ("openvino-genai", "openvino", "nncf", "optimum-intel", "transformers")
FORMATS = {"int8 sym": (32, 64, 128), "int8 asym": (64, 128), "bf16": (64, 128)}
CACHE_VALUE_BYTES = dict.fromkeys(FORMATS, 1)
SAMPLING = SAME_SAMPLING
MODEL_FILE = "openvino_model.xml"
CACHE_SLACK = 1.25  # scales of the 8-bit cache, blocks that are not full


def prepare(model: Path, folder: Path, format: str) -> None:
    from optimum.intel import OVModelForCausalLM

    OVModelForCausalLM.from_pretrained(model, export=True, load_in_8bit=False, compile=False).save_pretrained(folder)
    if format == "bf16":
        return
    import nncf
    import openvino

    mode = {"int8 sym": nncf.CompressWeightsMode.INT8_SYM, "int8 asym": nncf.CompressWeightsMode.INT8_ASYM}[format]
    whole = openvino.Core().read_model(folder / MODEL_FILE)
    small = nncf.compress_weights(whole, mode=mode)
    openvino.save_model(small, folder / f"small_{MODEL_FILE}")
    del whole, small  # they hold the files that are replaced
    for old in (folder / MODEL_FILE, (folder / MODEL_FILE).with_suffix(".bin")):
        (folder / f"small_{old.name}").replace(old)


def open_engine(job: Job) -> Engine:
    return _Pipeline(job)


class _Pipeline:
    def __init__(self, job: Job) -> None:
        import openvino_genai as genai

        scheduler = genai.SchedulerConfig()
        needed = job.batch * (shape.PROMPT_TOKENS + job.new_tokens) * shape.CACHE_VALUES * CACHE_SLACK
        scheduler.cache_size = max(1, math.ceil(needed / 2**30))
        scheduler.max_num_seqs = 256
        scheduler.enable_prefix_caching = False
        properties = {
            "INFERENCE_PRECISION_HINT": "bf16" if job.format == "bf16" else "f32",
            "KV_CACHE_PRECISION": "u8",
            "INFERENCE_NUM_THREADS": job.threads,
        }
        self._pipeline = genai.ContinuousBatchingPipeline(job.converted, scheduler, "CPU", properties)
        self._seed = job.seed

    def _settings(self, new_tokens: int, row: int) -> Any:
        import openvino_genai as genai

        settings = genai.GenerationConfig()
        settings.max_new_tokens = new_tokens
        settings.ignore_eos = True
        settings.do_sample = True
        settings.temperature = shape.TEMPERATURE
        settings.top_k = 0
        settings.top_p = 1.0
        settings.rng_seed = self._seed + row
        return settings

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        import numpy
        import openvino

        handles = [
            self._pipeline.add_request(row, openvino.Tensor(numpy.array([ids])), self._settings(new_tokens, row))
            for row, ids in enumerate(prompts)
        ]
        while self._pipeline.has_non_finished_requests():
            self._pipeline.step()
            if deadline is not None and time.monotonic() > deadline:
                return [_so_far(handle) for handle in handles]
        return [list(handle.read_all()[0].generated_ids) for handle in handles]


def _so_far(handle: Any) -> list[int]:
    """The tokens of a sequence that is not complete; `read_all` would wait for the rest for ever."""
    ids: list[int] = []
    while handle.can_read():
        for output in handle.read().values():
            ids += output.generated_ids
    return ids
