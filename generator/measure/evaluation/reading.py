"""What a model makes of known patents: how well it foretells them, and which parts it holds to belong together.

It writes nothing here. Every text stands in one of the two layouts after the examples of the model's prompt, where its
profile has some, and is tokenized whole, as drafts are.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generator.corpus.documents import Document
from generator.measure.evaluation.contenders import Contender, open_contender
from generator.measure.evaluation.held_out import HeldOut
from generator.measure.evaluation.likelihood import Likelihood
from generator.measure.evaluation.memory import Peak
from generator.model.prompting import end_tokens
from generator.record.layouts import ABSTRACT, CLAIMS, DIRECTIONS, HEAD, ORDER, PROMPTS, Direction, write_layout

DRAFTED = 6  # claims of a text "as drafted", and those by which claims are told apart
TEXTS = ("whole", "as drafted")
NEXT = "next claim"
QUESTIONS = (*DIRECTIONS, NEXT)


@dataclass(frozen=True, slots=True)
class Loss:
    """How a text was foretold. `length`: its tokens, without examples; `row`: with them; `tokens` and `characters`
    after the opening of the layout. `nats` is None where the row does not fit the context.
    """

    direction: str
    text: str
    length: int
    row: int
    tokens: int
    characters: int
    nats: float | None
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Choice:
    """log-likelihoods in nats of the same text after four, the right one first, or of four texts, by their tokens.

    `length` is that of the longest row without examples. `scores` are empty where a row does not fit. `tokens`: of the
    right text.
    """

    question: str
    length: int
    row: int
    scores: tuple[float, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Read:
    """Of one document. `peak_bytes`: the most memory of the process meanwhile, None where nobody tells."""

    losses: tuple[Loss, ...]
    choices: tuple[Choice, ...]
    peak_bytes: int | None

    @classmethod
    def of(cls, line: dict[str, Any]) -> "Read":
        choices = tuple(Choice(**{**one, "scores": tuple(map(float, one["scores"]))}) for one in line["choices"])
        return cls(tuple(Loss(**one) for one in line["losses"]), choices, line["peak_bytes"])

    def value(self) -> dict[str, Any]:
        return asdict(self)


class Reader:
    """A loaded model that reads. `end` are the tokens that end a text."""

    def __init__(self, model: Likelihood, examples: dict[Direction, str], end: tuple[int, ...]) -> None:
        self._model, self._examples, self._end = model, examples, list(end[:1])

    @classmethod
    def open(cls, one: Contender, threads: int, report: Callable[[str], None]) -> "Reader":
        """Raises ModelError, ConfigError."""
        model = open_contender(one, threads, report)
        examples = {direction: prompt[: prompt.rindex(HEAD)] for direction, prompt in one.profile.prompts}
        return cls(model, examples, end_tokens(one.profile, model.tokenizer, model.model))

    def read(self, held_out: HeldOut, place: int) -> Read:
        peak = Peak()
        document = held_out.documents[place]
        losses = []
        for direction in DIRECTIONS:
            whole = self._loss(document, direction, TEXTS[0], len(document.claims))
            losses += [whole, self._loss(document, direction, TEXTS[1], DRAFTED, whole)]
        return Read(tuple(losses), tuple(self._choices(held_out, place)), peak.bytes())

    def drafted(self, document: Document) -> list[Loss]:
        """Of the text with its first claims, in each direction."""
        return [self._loss(document, direction, TEXTS[1], DRAFTED) for direction in DIRECTIONS]

    def _loss(self, one: Document, direction: Direction, text: str, claims: int, same: Loss | None = None) -> Loss:
        """`same`: the loss of the whole text, which is this one where there are no more claims."""
        if same and len(one.claims) <= claims:
            return Loss(**{**asdict(same), "text": text})
        started, spent = time.monotonic(), time.process_time()
        laid_out = write_layout(direction, one.title, one.abstract, one.claims[:claims])
        opening, tail = laid_out[: len(PROMPTS[direction])], laid_out[len(PROMPTS[direction]) :]
        ids, first, length = self._row(direction, opening, tail)
        ids, length = ids + self._end, length + len(self._end)
        nats = -self._model.log_likelihood(ids, first) if len(ids) <= self._model.context else None
        seconds, cpu = round(time.monotonic() - started, 4), round(time.process_time() - spent, 4)
        return Loss(direction, text, length, len(ids), len(ids) - first, len(tail), nats, seconds, cpu)

    def _row(self, direction: Direction, before: str, tail: str) -> tuple[list[int], int, int]:
        """Tokens, the place of the tail's first, and how many there are without the examples."""
        examples = self._examples[direction]
        ids, first = self._model.row(examples + before, tail)
        shown = len(self._model.tokenizer(examples)["input_ids"]) if examples else 0
        return ids, first, len(ids) - shown

    def _choices(self, held_out: HeldOut, place: int) -> list[Choice]:
        own = held_out.documents[place]
        found = []
        others = held_out.others(place, "head")
        if len(others) == 3:
            for direction in DIRECTIONS:
                rows = [self._pair(direction, one, own) for one in (own, *others)]
                found.append(self._choice(direction, rows))
        if len(own.claims) > 1:
            number = held_out.drawn(place, "claim", len(own.claims) - 1) + 2
            others = held_out.others(place, "claim", lambda one: len(one.claims) > 1)
            if len(others) == 3:
                found.append(self._next(own, number, others))
        return found

    def _pair(self, direction: Direction, one: Document, own: Document) -> tuple[list[int], int, int]:
        """The second part of `own` in the layout of `direction`, after the first part of `one`."""
        head_first = ORDER[direction][-1] == CLAIMS
        head, claims = (one, own) if head_first else (own, one)
        laid_out = write_layout(direction, head.title, head.abstract, claims.claims[:DRAFTED])
        cut = laid_out.index(f"\n\n{CLAIMS if head_first else ABSTRACT}\n") + 2
        return self._row(direction, laid_out[:cut], laid_out[cut:])

    def _next(self, own: Document, number: int, others: Sequence[Document]) -> Choice:
        """Claim `number` of `own` and of the others (their last where they have fewer), after what comes before it."""
        before = write_layout("top-down", own.title, own.abstract, own.claims[: number - 1])
        texts = [own.claims[number - 1], *(one.claims[min(number, len(one.claims)) - 1] for one in others)]
        rows = [self._row("top-down", f"{before}\n\n", f"{number}. {text}") for text in texts]
        return self._choice(NEXT, rows)

    def _choice(self, question: str, rows: Sequence[tuple[list[int], int, int]]) -> Choice:
        length, longest = max(length for _, _, length in rows), max(len(ids) for ids, _, _ in rows)
        scores: tuple[float, ...] = ()
        if longest <= self._model.context:
            scores = tuple(self._model.log_likelihood(ids, first) for ids, first, _ in rows)
            if question == NEXT:  # other texts, so of other lengths
                scores = tuple(score / (len(ids) - first) for score, (ids, first, _) in zip(scores, rows, strict=True))
        return Choice(question, length, longest, scores, len(rows[0][0]) - rows[0][1])
