"""A LanguageModel on transformers' `generate()`.

Four settings of a model's own files are never used: `use_cache` (always on here), `max_new_tokens`,
`no_repeat_ngram_size` and the pad token (both directions of a batch are padded on the left under an attention mask).

A draft's random numbers come from its own seed, one for each token. The rounding of matrix products can differ with the
shape of a batch, so two runs give the same draft for sure only in the same batch, format, versions and CPU kind.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from generator import __version__
from generator.brief import Brief, Draft, LanguageModel, ModelIdentity
from generator.errors import ConfigError, ModelError
from generator.layouts import DIRECTIONS, HEAD, write_layout
from generator.profiles import ModelProfile
from generator.record import Generation
from generator.sampler import ClaimLimit, Sampler
from generator.sampling import Sampling
from generator.weights import file_sha256, model_folder, not_installed, weights_sha256

ENGINE = "transformers-generate"
TOPIC_TOKENS = 32  # room for a topic in the context
FORMATS = ("auto", "bf16", "fp32")


def open_model(profile: ModelProfile, *, batch: int, threads: int, number_format: str = "auto") -> LanguageModel:
    """Load a profile's model for `batch` drafts at once on `threads` CPU threads (0: torch's choice).

    `number_format` is bf16, fp32, or auto: bf16 where the CPU multiplies bf16. Raises ModelError, ConfigError.
    """
    if number_format not in FORMATS or batch < 1 or threads < 0:
        raise ConfigError(
            f"batch = {batch}, threads = {threads}, number format = {number_format!r}: not possible",
            hint=f"Batch is at least 1, threads at least 0, the format one of {', '.join(FORMATS)}.",
        )
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise not_installed(error) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if threads:
        torch.set_num_threads(threads)
    folder, revision = model_folder(profile)
    if number_format == "auto":
        number_format = "bf16" if _multiplies_bf16(torch) else "fp32"
    identity = ModelIdentity(
        model=profile.name if profile.folder else profile.model,
        revision=revision,
        weights_sha256=weights_sha256(folder),
        tokenizer_sha256=file_sha256(folder / "tokenizer.json"),
        model_license=profile.license,
        model_attribution=profile.attribution,
        demonstration=profile.demonstration,
        engine=ENGINE,
        number_format=number_format,
        torch_version=torch.__version__,
        transformers_version=transformers.__version__,
        cpu_capability=torch.backends.cpu.get_cpu_capability() + (" bf16" if _multiplies_bf16(torch) else ""),
    )
    dtype = torch.bfloat16 if number_format == "bf16" else torch.float32
    return _TransformersModel(profile, identity, *_loaded(profile, folder, dtype), batch=batch)


def _multiplies_bf16(torch: Any) -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _loaded(profile: ModelProfile, folder: Path, dtype: Any) -> tuple[Any, Any]:
    """Tokenizer and model from local files alone; code that lies beside weights is never run."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{profile.name}: the files in {folder} do not load: {' '.join(str(error).split())[:300]}",
            hint="Fetch or train the model again; the weights may be cut short or of another architecture.",
        ) from error
    if missing := sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"]):
        raise ModelError(
            f"{profile.name}: the weights in {folder} lack {missing[0]} and {len(missing) - 1} more of config.json",
            hint="Weights and config.json belong to different models; fetch both again.",
        )
    tokenizer.clean_up_tokenization_spaces = False
    model.eval()
    model.config.use_cache = True
    return tokenizer, model


class _TransformersModel:
    """One model in memory. Not safe to use from two threads."""

    def __init__(
        self, profile: ModelProfile, identity: ModelIdentity, tokenizer: Any, model: Any, *, batch: int
    ) -> None:
        self._profile, self._identity, self._batch = profile, identity, batch
        self._tokenizer, self._model = tokenizer, model
        self._end = _end_tokens(profile, tokenizer, model)
        positions = getattr(model.config, "max_position_embeddings", profile.context)
        if profile.context > positions:
            raise ConfigError(f"{profile.name}: context = {profile.context}, but the model has {positions} positions")
        self._check_prompts()
        # The limit is the same for every draft: were it that of the batch, a draft would depend on its neighbours.
        longest = max(len(tokenizer(prompt)["input_ids"]) for _, prompt in profile.prompts)
        self._steps = min(profile.max_new_tokens, profile.context - longest - TOPIC_TOKENS)
        if self._steps < 1:
            raise ConfigError(f"{profile.name}: a prompt of {longest} tokens fills the context of {profile.context}")

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    def drafts(
        self, briefs: Iterable[Brief], sampling: Sampling, *, tick: Callable[[int], None] | None = None
    ) -> Iterator[Draft]:
        """Drafts batch by batch, each batch when its longest draft is done."""
        waiting = iter(briefs)
        while batch := list(islice(waiting, self._batch)):
            yield from self._write(batch, sampling, tick or (lambda _: None))

    def _check_prompts(self) -> None:
        """A prompt must end where a token of the layout ends, else the model continues a text that it never saw."""
        for direction in DIRECTIONS:
            prompt = self._profile.prompt(direction)
            whole = prompt[: prompt.rindex(HEAD)] + write_layout(
                direction, "Sample title", "An abstract.", ["A device."]
            )
            start = self._tokenizer(prompt)["input_ids"]
            if self._tokenizer(whole)["input_ids"][: len(start)] != start:
                raise ConfigError(
                    f"{self._profile.name}: the {direction} prompt does not end where a token of the layout ends",
                    hint="Most often a line feed at its end is too many or too few.",
                )

    def _prompt(self, brief: Brief) -> tuple[str, list[int]]:
        """Prompt and token ids of a brief; a topic goes into the title, which only top-down prompts begin with."""
        prompt = self._profile.prompt(brief.direction)
        if brief.topic and brief.direction == "top-down":
            prompt += brief.topic
            ids: list[int] = self._tokenizer(prompt)["input_ids"]
            if self._tokenizer(prompt + "\n\n")["input_ids"][: len(ids)] != ids:
                raise ConfigError(
                    f"The topic {brief.topic!r} does not end where a token ends", hint="End it with a whole word."
                )
        else:
            ids = self._tokenizer(prompt)["input_ids"]
        if len(ids) > self._profile.context - self._steps:
            raise ConfigError(f"The topic {brief.topic!r} has more than {TOPIC_TOKENS} tokens", hint="Shorten it.")
        return prompt, ids

    def _write(self, briefs: list[Brief], sampling: Sampling, tick: Callable[[int], None]) -> list[Draft]:
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        started = time.monotonic()
        prompts = [self._prompt(brief) for brief in briefs]
        width, steps, pad = max(len(ids) for _, ids in prompts), self._steps, self._end[0]
        rows = torch.tensor([[pad] * (width - len(ids)) + ids for _, ids in prompts])
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for _, ids in prompts])
        config = GenerationConfig(
            do_sample=False,
            num_beams=1,
            use_cache=True,
            max_new_tokens=steps,
            eos_token_id=list(self._end),
            pad_token_id=pad,
        )
        self._model.generation_config = config
        limit = ClaimLimit([b.direction for b in briefs], int(sampling.most_claims), self._tokenizer, pad)
        sampler = Sampler(sampling, [brief.seed for brief in briefs], steps, self._end, limit, tick)
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
            self._draft(brief, prompt, ids, stop, sampling, seconds * len(ids) / total)
            for brief, prompt, (ids, stop) in zip(briefs, prompts, written, strict=True)
        ]

    def _until_end(self, ids: list[int]) -> tuple[list[int], str]:
        """New tokens up to and with the end token, and why they end."""
        place = next((position for position, token in enumerate(ids) if token in self._end), None)
        return (ids, "limit") if place is None else (ids[: place + 1], "end")

    def _draft(
        self, brief: Brief, prompt: tuple[str, list[int]], ids: list[int], stop: str, sampling: Sampling, seconds: float
    ) -> Draft:
        text, prompt_ids = prompt
        before = self._decoded(prompt_ids)
        completion = self._decoded(prompt_ids + ids)[len(before) :]
        generation = Generation(
            **asdict(self._identity),
            direction=brief.direction,
            prompt=text,
            topic=brief.topic if brief.direction == "top-down" else "",
            seed=f"{brief.seed:016x}",
            sampling=sampling.pairs(),
            prompt_tokens=len(prompt_ids),
            new_tokens=len(ids),
            stop=stop,
            removed_claims=(),
            generator_version=__version__,
        )
        return Draft(brief, text[text.rindex(HEAD) :] + completion, generation, seconds, len(completion.split()))

    def _decoded(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _end_tokens(profile: ModelProfile, tokenizer: Any, model: Any) -> tuple[int, ...]:
    if profile.end_token:
        token = tokenizer.convert_tokens_to_ids(profile.end_token)
        if not isinstance(token, int) or tokenizer.convert_ids_to_tokens(token) != profile.end_token:
            raise ConfigError(f"{profile.name}: end_token = {profile.end_token!r} is no token of the model")
        return (token,)
    own = model.generation_config.eos_token_id
    own = model.config.eos_token_id if own is None else own
    if own is None:
        raise ConfigError(f"{profile.name}: the model names no end-of-text token", hint="Set end_token in the profile.")
    return tuple(own) if isinstance(own, list) else (own,)
