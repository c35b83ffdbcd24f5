"""What a model is asked to write and what it gives back, and the one narrow interface between them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from generator.layouts import Direction
from generator.record import Generation
from generator.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Brief:
    """One draft to write: `topic` begins its title (top-down only), `cpc` is the topic's class, `seed` has 64 bits."""

    index: int
    direction: Direction
    topic: str
    cpc: str
    seed: int


@dataclass(frozen=True, slots=True)
class Draft:
    """Raw text from the layout's head on, and its provenance. `seconds`: its share, by tokens, of its batch's time."""

    brief: Brief
    text: str
    generation: Generation
    seconds: float
    words: int


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights ran, in what, on what: the members of record.Generation that do not change from draft to draft."""

    model: str
    revision: str
    weights_sha256: str
    tokenizer_sha256: str
    model_license: str
    model_attribution: str
    demonstration: bool
    engine: str
    number_format: str
    torch_version: str
    transformers_version: str
    cpu_capability: str


class LanguageModel(Protocol):
    """The seam behind which engines are exchanged.

    `drafts` takes briefs as it needs them and yields each draft when it is complete, not always in the order of the
    briefs. A draft's chance comes from its brief's seed alone. `tick` is called during the work with the number of
    tokens made since the last call. Raises ModelError. Closing the iterator drops the drafts in progress.
    """

    @property
    def identity(self) -> ModelIdentity: ...

    def drafts(
        self, briefs: Iterable[Brief], sampling: Sampling, *, tick: Callable[[int], None] | None = None
    ) -> Iterator[Draft]: ...
