"""llama.cpp through llama-cpp-python's binding of its C interface; the high-level class writes one sequence at a time.

One `llama_decode` a step for all sequences; tokens are drawn by llama.cpp's own chain (temperature, then distribution),
one chain a sequence, either after the step, on one core, as its server does, or inside the graph (its newer way).
"""

import ctypes
import json
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.peers import SAME_SAMPLING, Engine

NAMES = ("llama-cpp-python", "gguf")
GRAPH = "drawn in the graph"
FORMATS = {"BF16": (32, 64, 128), f"BF16, {GRAPH}": (64,), "Q8_0": (8, 32), "Q4_0": (32,)}
CACHE_VALUE_BYTES = dict.fromkeys(FORMATS, 2)
SAMPLING = SAME_SAMPLING
FILE = "model.gguf"
CONTEXT_STEP = 256  # llama.cpp rounds a sequence's context up to it


class LlamaError(Exception):
    """A call of llama.cpp returned an error."""


def prepare(model: Path, folder: Path, format: str) -> None:
    import llama_cpp

    whole, kind = folder / "f32.gguf", format.partition(",")[0]
    _write_gguf(model, whole)
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    if llama_cpp.llama_model_quantize(str(whole).encode(), str(folder / FILE).encode(), settings):
        raise LlamaError(f"llama_model_quantize to {kind} failed")
    whole.unlink()


def _write_gguf(model: Path, path: Path) -> None:
    """What llama.cpp's own conversion script does for this architecture; that script is in no package."""
    import gguf
    from safetensors.numpy import load_file

    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.GPTNEOX])
    writer.add_context_length(shape.POSITIONS)
    writer.add_embedding_length(shape.HIDDEN)
    writer.add_block_count(shape.LAYERS)
    writer.add_feed_forward_length(shape.INTERMEDIATE)
    writer.add_rope_dimension_count(int(shape.ROTARY_SHARE * shape.HIDDEN / shape.HEADS))
    writer.add_head_count(shape.HEADS)
    writer.add_parallel_residual(settings["use_parallel_residual"])
    writer.add_layer_norm_eps(settings["layer_norm_eps"])
    writer.add_vocab_size(shape.VOCABULARY)
    writer.add_tokenizer_model("none")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPTNEOX, shape.LAYERS)
    for name, tensor in load_file(model / "model.safetensors").items():
        if "query_key_value" in name:  # a head's query, key and value lie together; here all queries come first
            parts = tensor.reshape(shape.HEADS, 3, shape.HIDDEN // shape.HEADS, *tensor.shape[1:])
            tensor = parts.swapaxes(0, 1).reshape(tensor.shape)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def open_engine(job: Job) -> Engine:
    return _Llama(job)


class _Llama:
    def __init__(self, job: Job) -> None:
        import llama_cpp

        self._api, self._batch_size = llama_cpp, job.batch
        llama_cpp.llama_backend_init()
        self._in_graph = GRAPH in job.format
        self._chains = [self._chain(job.seed + row) for row in range(job.batch)]
        self._model = llama_cpp.llama_model_load_from_file(
            str(job.converted / FILE).encode(), llama_cpp.llama_model_default_params()
        )
        settings = llama_cpp.llama_context_default_params()
        needed = -(-(shape.PROMPT_TOKENS + job.new_tokens) // CONTEXT_STEP) * CONTEXT_STEP
        settings.n_ctx, settings.n_seq_max = needed * job.batch, job.batch
        settings.n_batch, settings.n_ubatch = max(2048, job.batch * shape.PROMPT_TOKENS), 512
        settings.n_threads = settings.n_threads_batch = job.threads
        settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
        settings.kv_unified = False
        if self._in_graph:
            # One output a step keeps a chain's random numbers in step with the tokens that were taken.
            settings.n_outputs_max_per_seq = 1
            self._attached = (llama_cpp.llama_sampler_seq_config * job.batch)(
                *(
                    llama_cpp.llama_sampler_seq_config(row, ctypes.cast(chain, ctypes.c_void_p))
                    for row, chain in enumerate(self._chains)
                )
            )
            settings.samplers, settings.n_samplers = self._attached, job.batch
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._model or not self._context:
            raise LlamaError("llama.cpp did not load the model")

    def _chain(self, seed: int) -> Any:
        api = self._api
        chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_temp(shape.TEMPERATURE))
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_dist(seed))
        return chain

    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        api = self._api
        api.llama_memory_clear(api.llama_get_memory(self._context), False)
        self._tokens = api.llama_batch_init(len(prompts) * shape.PROMPT_TOKENS, 0, 1)
        try:
            return self._steps(prompts, new_tokens, deadline)
        finally:
            api.llama_batch_free(self._tokens)

    def _steps(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        outputs = self._decode([(row, place, t) for row, ids in enumerate(prompts) for place, t in enumerate(ids)])
        rows: list[list[int]] = [[] for _ in prompts]
        for step in range(new_tokens):
            for row, output in enumerate(outputs):
                rows[row].append(self._draw(row, output))
            if step + 1 == new_tokens or (deadline is not None and time.monotonic() > deadline):
                break
            outputs = self._decode([(row, shape.PROMPT_TOKENS + step, ids[-1]) for row, ids in enumerate(rows)])
        return rows

    def _draw(self, row: int, output: int) -> int:
        token: int
        if self._in_graph:
            token = self._api.llama_get_sampled_token_ith(self._context, output)
            if token < 0:
                raise LlamaError("the graph drew no token")
            return token
        token = self._api.llama_sampler_sample(self._chains[row], self._context, output)
        return token

    def _decode(self, entries: list[tuple[int, int, int]]) -> list[int]:
        """Run (sequence, position, token), sequences in order; the index of each sequence's last entry."""
        batch, last = self._tokens, {row: index for index, (row, _, _) in enumerate(entries)}
        batch.n_tokens = len(entries)
        for index, (row, place, token) in enumerate(entries):
            batch.token[index], batch.pos[index] = token, place
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, row
            batch.logits[index] = last[row] == index
        if code := self._api.llama_decode(self._context, batch):
            raise LlamaError(f"llama_decode returned {code}")
        return [last[row] for row in sorted(last)]
