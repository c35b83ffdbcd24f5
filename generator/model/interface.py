"""What a model is asked to write and what it gives back, and the one narrow interface between them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from generator.model.sampling_settings import Sampling
from generator.record.layouts import Direction
from generator.record.record import Generation
from generator.record.topic_rules import PUBLISHER_LIST


@dataclass(frozen=True, slots=True)
class Brief:
    """One draft to write. `topic` begins its title (top-down) or its first claim (bottom-up); `cpc` are the topic's
    symbols between blanks, `rule` says how it was chosen (record/topic_rules). `seed` has 64 bits. `written` is a whole
    text in the top-down layout, whose description is to be written; only a model opened for descriptions takes it.
    """

    index: int
    direction: Direction
    topic: str
    cpc: str
    seed: int
    rule: str = PUBLISHER_LIST
    written: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """Raw text from the layout's head on, and its provenance. `seconds`: its share, by tokens, of its batch's time.

    `stopped` is the reason of a watcher that ended it early, or empty; its provenance has the stop reason `limit` then.
    """

    brief: Brief
    text: str
    generation: Generation
    seconds: float
    words: int
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights ran, in what, on what: the members of record.Generation that do not change from draft to draft."""

    model: str
    revision: str
    weights_sha256: str
    tokenizer_sha256: str
    model_license: str
    model_attribution: str
    engine: str
    number_format: str
    torch_version: str
    transformers_version: str
    cpu_capability: str
    demonstration: bool
    adapter_sha256: str = ""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """How a model is run. Nothing here but the formats changes a draft.

    `batch`: drafts at a time (0: as many as memory holds and speed gains from); `threads`: CPU cores (0: all);
    `number_format`: bf16, int8, fp32 or auto; `cache_format`: int8, or auto: that of the numbers; `memory`: bytes for
    slots and pages (0: half of what is free); `most`: no more drafts than these will be asked for (0: nobody knows);
    `address`: of the Ray cluster ("": one on this machine).
    """

    engine: Literal["prior-art", "generate", "ray"] = "prior-art"
    address: str = ""
    batch: int = 0
    threads: int = 0
    number_format: str = "auto"
    cache_format: str = "auto"
    memory: int = 0
    most: int = 0

    def settled(self, formats: str) -> "EngineChoice":
        """This choice, where it is `auto`, with the formats that a ModelIdentity names: `bf16`, `bf16 cache int8`."""
        numbers, _, cache = formats.partition(" cache ")
        return replace(
            self,
            number_format=numbers if self.number_format == "auto" else self.number_format,
            cache_format=(cache or "auto") if self.cache_format == "auto" else self.cache_format,
        )


Tick = Callable[[int], None]  # how many tokens were made since it was last called
Watch = Callable[[Brief, str], str]  # a brief and its text so far: why it is hopeless, or an empty string


class LanguageModel(Protocol):
    """The seam behind which engines are exchanged.

    `drafts` takes briefs as it needs them and yields each draft when it is complete, not always in the order of the
    briefs. A draft's chance comes from its brief's seed alone. `tick` is called during the work, on the caller's
    thread, with the number of tokens made since the last call. Raises ModelError. Closing the iterator drops the
    drafts in progress. `watch` sees each draft at every 64th new token, on any thread or machine, and ends it with a
    reason; an engine that cannot stop a draft ignores it. `account` says how the engine ran, as canonical JSON allows
    it: texts, integers, lists.
    """

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def account(self) -> Mapping[str, Any]: ...

    def drafts(
        self, briefs: Iterable[Brief], sampling: Sampling, *, tick: Tick | None = None, watch: Watch | None = None
    ) -> Iterator[Draft]: ...
