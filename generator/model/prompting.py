"""Between briefs and tokens: prompts, the token limit, what ends a text, and the draft that new tokens make."""

from dataclasses import asdict
from functools import cached_property
from typing import Any

from generator import __version__
from generator.base.errors import ConfigError
from generator.model.chat import before_description, opening
from generator.model.interface import Brief, Draft, ModelIdentity
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import (
    ABSTRACT,
    CLAIMS,
    DESCRIPTION,
    DIRECTIONS,
    HEAD,
    ORDER,
    Direction,
    begun,
    write_layout,
)
from generator.record.record import STOPS, SYMBOL, Generation

TOPIC_TOKENS = 32  # room for a topic in the context


class Prompting:
    """One profile with its tokenizer. `end` are the ids that end a text, `most_new` is the token limit of every draft.

    The limit is the same for all: were it that of a batch, a draft would depend on its neighbours. Raises ConfigError.
    """

    def __init__(
        self, profile: ModelProfile, identity: ModelIdentity, tokenizer: Any, end: tuple[int, ...], positions: int
    ) -> None:
        self.identity, self.tokenizer, self.end = identity, tokenizer, end
        self._profile = profile
        if profile.context > positions:
            raise ConfigError(f"{profile.name}: context = {profile.context}, but the model has {positions} positions")
        self._openings = {direction: opening(profile, direction, tokenizer) for direction in DIRECTIONS}
        self._check_prompts()
        longest = max(len(self._ids(prompt)) for prompt in self._openings.values())
        self.most_new = min(profile.max_new_tokens, profile.context - longest - TOPIC_TOKENS)
        if self.most_new < 1:
            raise ConfigError(f"{profile.name}: a prompt of {longest} tokens fills the context of {profile.context}")
        self.longest_prompt = profile.context - self.most_new if profile.describing else longest + TOPIC_TOKENS

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text)["input_ids"])

    def _check_prompts(self) -> None:
        """A prompt must end where a token of the layout ends, else the model continues a text that it never saw."""
        for direction in DIRECTIONS:
            prompt = self._openings[direction]
            whole = prompt[: prompt.rindex(HEAD)] + write_layout(
                direction, "Sample title", "An abstract.", ["A device."]
            )
            start = self._ids(prompt)
            if self._ids(whole)[: len(start)] != start:
                raise ConfigError(
                    f"{self._profile.name}: the {direction} prompt does not end where a token of the layout ends",
                    hint="Most often a line feed at its end is too many or too few.",
                )

    def sample(self) -> list[int]:
        """Token ids of a short text in the layout, such as the model will write."""
        text = write_layout("top-down", "Valve with a spring", "A valve has a body.", ["A valve, comprising a body."])
        return self._ids(text)

    def prompt(self, brief: Brief) -> tuple[str, list[int]]:
        """Prompt and token ids of a brief; a topic begins the title, or the first claim where claims come first."""
        if self._profile.describing:
            return self._before_description(brief.written)
        prompt = begun(self._openings[brief.direction], brief.direction, brief.topic)
        ids = self._ids(prompt)
        after = "\n\n" if brief.direction == "top-down" else " a"
        if brief.topic and self._ids(prompt + after)[: len(ids)] != ids:
            raise ConfigError(
                f"The topic {brief.topic!r} does not end where a token ends", hint="End it with a whole word."
            )
        if len(ids) > self.longest_prompt:
            raise ConfigError(f"The topic {brief.topic!r} has more than {TOPIC_TOKENS} tokens", hint="Shorten it.")
        return prompt, ids

    def _before_description(self, written: str) -> tuple[str, list[int]]:
        """The prompt of a description: the text, its end, and the heading; of a chat model one turn more.

        As in training, as many claims are read as there is room for; of claim 1 too, no more than that.
        """
        read = written
        while len((found := self._described(read))[1]) > self.longest_prompt and "\n\n2. " in read:
            read = read.rpartition("\n\n")[0]
        text, ids = found
        return text, ids[-self.longest_prompt :]

    def _described(self, read: str) -> tuple[str, list[int]]:
        if self._profile.chat:
            text = f"{before_description(self._profile, read, self.tokenizer)}{DESCRIPTION}\n"
            return text, self._ids(text)
        heading = list(self.tokenizer(f"{DESCRIPTION}\n", add_special_tokens=False)["input_ids"])
        return f"{read}{DESCRIPTION}\n", [*self._ids(read), self.end[0], *heading]

    def after_claims(self, direction: Direction) -> tuple[int, ...]:
        """The tokens of what follows the claims: the next heading, or the end of the text."""
        if ORDER[direction][-1] == CLAIMS:
            return self.end[:1]
        return tuple(self.tokenizer(f"{ABSTRACT}\n", add_special_tokens=False)["input_ids"])

    @cached_property
    def line_breaks(self) -> Any:
        """The ids (an array) of the tokens whose text holds a line feed: after no other can a claim end."""
        import numpy

        texts = self.tokenizer.batch_decode([[token] for token in range(len(self.tokenizer))])
        return numpy.asarray([token for token, text in enumerate(texts) if "\n" in text], dtype=numpy.int32)

    def decoded(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def so_far(self, prompt: tuple[int, ...], written: list[int]) -> str:
        """The unfinished draft of a prompt's and its new tokens, from the layout's head on, without the examples."""
        return self.decoded([*prompt, *written])[self.decoded(list(prompt)).rindex(HEAD) :]

    def draft(
        self, brief: Brief, prompt: tuple[str, list[int]], ids: list[int], stop: str, sampling: Sampling, seconds: float
    ) -> Draft:
        """The draft of `ids`, new tokens up to and with the end token. `stop`: `end`, `limit` or a watcher's reason."""
        text, prompt_ids = prompt
        stopped = "" if stop in STOPS else stop
        completion = self.decoded(prompt_ids + ids)[len(self.decoded(prompt_ids)) :]
        if sampling.most_claims != "0":  # where another patent began, the sampler ended the text
            completion = completion.removesuffix(f"\n\n{HEAD}\n\n")
        symbols = tuple(symbol for symbol in brief.cpc.split() if brief.topic and SYMBOL.fullmatch(symbol))
        generation = Generation(
            **asdict(self.identity),
            direction=brief.direction,
            prompt=text,
            topic=brief.topic,
            topic_symbols=symbols,
            topic_rule=brief.rule if brief.topic else "",
            seed=f"{brief.seed:016x}",
            sampling=sampling.pairs(),
            prompt_tokens=len(prompt_ids),
            new_tokens=len(ids),
            stop="limit" if stopped else stop,
            removed_claims=(),
            generator_version=__version__,
        )
        return Draft(
            brief, text[text.rindex(HEAD) :] + completion, generation, seconds, len(completion.split()), stopped
        )


def end_tokens(profile: ModelProfile, tokenizer: Any, model: Any) -> tuple[int, ...]:
    """The ids that end a text: the profile's end token, or those of the model's own files. Raises ConfigError."""
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
