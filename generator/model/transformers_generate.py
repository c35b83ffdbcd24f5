"""A LanguageModel on transformers' own `generate()`: the slow way, for comparison and where Numba is missing.

Of a model's own settings four are never used: `use_cache` (always on here), `max_new_tokens`,
`no_repeat_ngram_size` and the pad token (both directions of a batch are padded on the left under an attention mask).

The rounding of matrix products can differ with the shape of a batch, so two runs give the same draft for sure only in
the same batch, format, versions and CPU kind.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from generator.model.interface import Brief, Draft, ModelIdentity, Watch
from generator.model.prompting import Prompting
from generator.model.sampler import ClaimLimit, Sampler
from generator.model.sampling_settings import Sampling

ENGINE = "transformers-generate"
BATCH = 16


class PlainModel:
    """One model in memory. Not safe to use from two threads."""

    def __init__(self, prompting: Prompting, model: Any, *, batch: int) -> None:
        self._prompting, self._model, self._batch = prompting, model, batch or BATCH

    @property
    def identity(self) -> ModelIdentity:
        return self._prompting.identity

    @property
    def account(self) -> Mapping[str, Any]:
        return {"engine": ENGINE, "number_format": self.identity.number_format, "slots": self._batch}

    def drafts(
        self,
        briefs: Iterable[Brief],
        sampling: Sampling,
        *,
        tick: Callable[[int], None] | None = None,
        watch: Watch | None = None,  # noqa: ARG002  # a batch goes on until its longest draft is done
    ) -> Iterator[Draft]:
        """Drafts batch by batch, each batch when its longest draft is done."""
        waiting = iter(briefs)
        while batch := list(islice(waiting, self._batch)):
            yield from self._write(batch, sampling, tick or (lambda _: None))

    def _write(self, briefs: list[Brief], sampling: Sampling, tick: Callable[[int], None]) -> list[Draft]:
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        started, ask = time.monotonic(), self._prompting
        prompts = [ask.prompt(brief) for brief in briefs]
        width, pad = max(len(ids) for _, ids in prompts), ask.end[0]
        rows = torch.tensor([[pad] * (width - len(ids)) + ids for _, ids in prompts])
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for _, ids in prompts])
        config = GenerationConfig(
            do_sample=False,
            num_beams=1,
            use_cache=True,
            max_new_tokens=ask.most_new,
            eos_token_id=list(ask.end),
            pad_token_id=pad,
        )
        self._model.generation_config = config
        limit = ClaimLimit([b.direction for b in briefs], int(sampling.most_claims), ask)
        sampler = Sampler(sampling, [brief.seed for brief in briefs], ask.most_new, ask.end, limit, tick)
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=rows,
                attention_mask=mask,
                generation_config=config,
                logits_processor=LogitsProcessorList([sampler]),
            )
        written = [self._until_end(row) for row in output[:, width:].tolist()]
        seconds = time.monotonic() - started
        total = sum(len(ids) for ids, _ in written)
        return [
            ask.draft(brief, prompt, ids, stop, sampling, seconds * len(ids) / total)
            for brief, prompt, (ids, stop) in zip(briefs, prompts, written, strict=True)
        ]

    def _until_end(self, ids: list[int]) -> tuple[list[int], str]:
        """New tokens up to and with the end token, and why they end."""
        place = next((position for position, token in enumerate(ids) if token in self._prompting.end), None)
        return (ids, "limit") if place is None else (ids[: place + 1], "end")
