"""The engines, and what a module that runs one has to offer. Nothing heavy is imported here or at a module's top.

A module has

    NAMES: tuple[str, ...]                 distributions whose versions are stated, the engine's own first
    FORMATS: dict[str, tuple[int, ...]]    number formats (and variants), each with the batch sizes to try
    CACHE_VALUE_BYTES: dict[str, int]      bytes that a key's or value's number takes in the cache, by format
    SAMPLING: str                          how it draws tokens
    prepare(model, folder, format)         convert the model into `folder`; called once, not timed
    open_engine(job)                       load; gives an `Engine`

and perhaps

    EACH_FORMAT = True                     the best batch of every format is measured, not only the best of all
    FIXED_BATCH = True                     the batch sizes belong to the engine; options do not change them
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tests.benchmarks.engine.jobs import Job

OURS = "prior-art"
SAME_SAMPLING = "temperature 0.7 over the whole vocabulary"
# engine -> module of this folder, in the order of the table
MODULES = {
    OURS: "ours",
    "openvino-genai": "peer_openvino",
    "llama-cpp": "peer_llama_cpp",
    "ctranslate2": "peer_ctranslate2",
    "transformers": "peer_transformers",
    "model-card": "peer_snippet",
}


class Engine(Protocol):
    def write(self, prompts: list[list[int]], new_tokens: int, deadline: float | None) -> list[list[int]]:
        """The new tokens of each prompt, exactly `new_tokens` each: an end of sequence ends nothing.

        `deadline` is a value of time.monotonic(). After it the engine stops at the next token of the batch and gives
        what it has; then all rows are shorter by about as much.
        """


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    formats: dict[str, tuple[int, ...]]
    cache_value_bytes: dict[str, int]
    sampling: str
    each_format: bool
    fixed_batch: bool
    names: tuple[str, ...]
    prepare: Callable[[Path, Path, str], None]
    open_engine: Callable[[Job], Engine]


def peer(name: str) -> Peer:
    """Raises ImportError for a module that is missing or needs at its top what is not installed."""
    module: ModuleType = importlib.import_module(f"tests.benchmarks.engine.{MODULES[name]}")
    found: dict[str, Any] = vars(module)
    return Peer(
        name,
        found["FORMATS"],
        found["CACHE_VALUE_BYTES"],
        found["SAMPLING"],
        found.get("EACH_FORMAT", False),
        found.get("FIXED_BATCH", False),
        found["NAMES"],
        found["prepare"],
        found["open_engine"],
    )
