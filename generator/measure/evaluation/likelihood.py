"""How likely a causal language model finds each answer of a question. It writes nothing, so nothing is parsed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generator.base.errors import ModelError
from generator.measure.evaluation.choices import LETTERS, Question

AFTER = "\nAnswer:"
ROWS = 256  # of log-probabilities at a time
BETWEEN = "\n\n"  # an option and the text that is to be foretold from it


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one question: for each option a score in nats, higher is likelier; empty where the question does not fit.

    `alone` is log p(text) with no option before it. Both counts are in tokens, of the longest row of that way.
    """

    letter: tuple[float, ...]
    conditional: tuple[float, ...]
    alone: float
    letter_tokens: int
    conditional_tokens: int


class Likelihood:
    """A loaded model and its tokenizer; `context` is the most tokens that a row may have."""

    def __init__(self, tokenizer: Any, model: Any, context: int) -> None:
        self.tokenizer, self.model, self.context = tokenizer, model, context
        begin = tokenizer.bos_token_id
        self._begin: list[int] = [] if begin is None else [begin]
        first = begin if begin is not None else tokenizer.eos_token_id
        if first is None:
            raise ModelError(
                "the model's tokenizer names neither a token that begins a text nor one that ends it",
                hint="Set bos_token or eos_token in its tokenizer_config.json.",
            )
        self._first = [int(first)]

    def scores(self, question: Question) -> Scores:
        """Raises ModelError when the model cannot be run or gives something that is no probability."""
        letter, letter_tokens = self._letters(question)
        conditional, alone, conditional_tokens = self._conditional(question)
        return Scores(letter, conditional, alone, letter_tokens, conditional_tokens)

    def _letters(self, question: Question) -> tuple[tuple[float, ...], int]:
        """Mean log-likelihood of an option's letter, each option standing once at each letter.

        What a model likes of a letter itself is thus added to every option alike. Rows: k turns of k options.
        """
        turns = range(len(question.options))
        rows = []
        for first in turns:
            prompt = question.asked(first) + AFTER
            rows.append([self._begin + self._ids(f"{prompt} {letter}") for letter in LETTERS[: len(turns)]])
        longest = max(len(row) for several in rows for row in several)
        if longest > self.context:
            return (), longest
        found: list[list[float]] = [[] for _ in turns]
        for first, several in zip(turns, rows, strict=True):
            # Tokens that all share say nothing of which letter it is; where a letter is one token, one pass is enough.
            shared = _shared(several)
            tails = [row[len(shared) :] for row in several]
            if not shared or not all(tails) or len({tuple(tail) for tail in tails}) < len(tails):
                raise ModelError(
                    "the model's tokenizer does not tell the letters of the options apart",
                    hint="The tokenizer belongs to another kind of text; use a model with Latin letters.",
                )
            for place, score in enumerate(self._after(shared, tails)):
                found[(first + place) % len(turns)].append(score)
        return tuple(math.fsum(scores) / len(turns) for scores in found), longest

    def _conditional(self, question: Question) -> tuple[tuple[float, ...], float, int]:
        """log p(text | option) - log p(text), over the very same tokens of the text, and log p(text)."""
        text = self._ids(question.text)
        before = [self._first + self._ids(option + BETWEEN) for option in question.options]
        longest = max(map(len, before)) + len(text)
        if longest > self.context:
            return (), 0.0, longest
        alone = self._after(self._first, [text])[0]
        return tuple(self._after(row, [text])[0] - alone for row in before), alone, longest

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _after(self, before: list[int], tails: Sequence[list[int]]) -> list[float]:
        """log p(tail | before) for each tail, in nats; one pass when all tails are single tokens."""
        if all(len(tail) == 1 for tail in tails):
            row = self._log_probabilities(before, 1)[0]
            found = [float(row[tail[0]]) for tail in tails]
        else:
            return [self.log_likelihood([*before, *tail], len(before)) for tail in tails]
        _check(found)
        return found

    def row(self, before: str, tail: str) -> tuple[list[int], int]:
        """The tokens of both texts in a row, as a prompt is tokenized, and the place of the first that is of `tail`.

        A token that holds the end of one and the start of the other is of `tail`.
        """
        whole, first = (list(self.tokenizer(text)["input_ids"]) for text in (before + tail, before))
        place = len(_shared([first, whole]))
        return (whole, place) if place else (self._first + whole, 1)

    def log_likelihood(self, ids: list[int], first: int) -> float:
        """log p(ids[first:] | ids[:first]) in nats."""
        import torch

        logits = self._logits(ids[:-1], len(ids) - first)
        wanted = torch.tensor(ids[first:])
        found = []
        for at in range(0, len(wanted), ROWS):  # in float32, so not all of a long text at once
            part = torch.log_softmax(logits[at : at + ROWS].float(), dim=-1)
            found += part.gather(1, wanted[at : at + ROWS, None])[:, 0].tolist()
        _check(found)
        return math.fsum(found)

    def _log_probabilities(self, ids: list[int], last: int) -> Any:
        """[last, vocabulary] in float32: the log-probabilities of what follows each of the `last` positions."""
        import torch

        return torch.log_softmax(self._logits(ids, last).float(), dim=-1)

    def _logits(self, ids: list[int], last: int) -> Any:
        """[last, vocabulary] in the model's own numbers. Raises ModelError."""
        import inspect

        import torch

        able = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        kept = {"logits_to_keep": last} if able else {}
        try:
            with torch.inference_mode():
                logits = self.model(input_ids=torch.tensor([ids]), use_cache=False, **kept).logits
                return logits[0, -last:]
        except (RuntimeError, MemoryError, IndexError) as error:
            raise ModelError(
                f"the model cannot be run on {len(ids)} tokens: {' '.join(str(error).split())[:200]}",
                hint="When memory ran out, use --format bf16 or a smaller model; the same command goes on.",
            ) from error


def _check(found: Sequence[float]) -> None:
    if not all(map(math.isfinite, found)):
        raise ModelError(
            "the model gives a probability that is no number",
            hint="Its weights are damaged, or --format bf16 is too coarse for it; try --format fp32.",
        )


def _shared(rows: Sequence[list[int]]) -> list[int]:
    """The longest beginning that all rows have."""
    length = 0
    for tokens in zip(*rows, strict=False):
        if len(set(tokens)) > 1:
            break
        length += 1
    return rows[0][:length]
