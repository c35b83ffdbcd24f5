"""What the scores of several models come to in the task `drafting`: figures for machines. A function of its arguments.

Shares are from 0 to 1. Lengths are in tokens of each model's own tokenizer, in buckets by their upper end.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from generator.base.intervals import Z, ratio_error
from generator.measure.diversity import repeated
from generator.measure.evaluation.compared_texts import (
    ComparedTexts,
    accepted,
    memorised_by_documents,
    memorised_by_drafts,
    repetition_of_documents,
    repetition_of_drafts,
)
from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.held_out import HeldOut
from generator.measure.evaluation.reading import DRAFTED, NEXT, QUESTIONS, TEXTS, Choice, Loss, Read
from generator.measure.evaluation.standings import chosen
from generator.measure.evaluation.table import rate
from generator.measure.evaluation.trial import LENGTHS, Length, Tried
from generator.model.profiles import ModelProfile
from generator.record.judgement import CorpusName
from generator.record.layouts import DIRECTIONS
from generator.run.lines import summary

SCHEMA = "prior-art-evaluation-drafting/v1"
BUCKETS = {f"{most >> 10}k": (least, most) for least, most in zip((0, *LENGTHS), LENGTHS, strict=False)}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one model did. `cannot`: what it could not do, and why.

    `profile`: how it wrote. `corpus`: what gates G3 and G4 knew.
    """

    contender: Contender
    read: list[Read]
    drafts: dict[Any, list[Tried]]
    lengths: list[Length]
    cannot: dict[str, str]
    profile: ModelProfile
    corpus: CorpusName | None

    @property
    def written(self) -> list[Tried]:
        """Of both directions by turns."""
        return [draft for pair in zip_longest(*self.drafts.values()) for draft in pair if draft]

    @property
    def able(self) -> bool:
        fits = any(loss.nats is not None for one in self.read for loss in one.losses)
        return fits or bool(self.written)


def figures_of(
    measured: Sequence[Measured],
    held_out: HeldOut,
    items: int,
    file: str,
    known: ComparedTexts | None,
    machine: dict[str, Any],
) -> dict[str, Any]:
    """The result as JSON. `items`: the first so many documents were read."""
    documents = held_out.documents[:items]
    compared = min([items, *(len(one.written) for one in measured if one.written)])
    return {
        "schema": SCHEMA,
        "task": "drafting",
        "file": file,
        "documents_sha256": held_out.sha256,
        "documents": items,
        "documents_in_file": len(held_out.documents),
        "left_out": {"incomplete": held_out.incomplete, "repeated": held_out.repeated, "unread": held_out.unread},
        "claims_as_drafted": DRAFTED,
        "machine": machine,
        "known": {"documents": known.documents, "held_out": known.held_out} if known else None,
        "models": [_model(one, known, compared) for one in measured],
        "held_out": {
            "repetition": repetition_of_documents(documents, compared),
            "memorisation": memorised_by_documents(documents, known.memory) if known else None,
        },
    }


def _model(one: Measured, known: ComparedTexts | None, compared: int) -> dict[str, Any]:
    losses = [loss for read in one.read for loss in read.losses]
    choices = [(choice, place) for place, read in enumerate(one.read) for choice in read.choices]
    return {
        "name": one.contender.name,
        **one.contender.identity(),
        "cannot": one.cannot,
        "sampling": dict(one.profile.sampling.pairs()),
        "most_new_tokens": one.profile.max_new_tokens,
        "losses": [
            {"direction": direction, "text": text, **_by_length(rows, _loss)}
            for direction in DIRECTIONS
            for text in TEXTS
            if (rows := [loss for loss in losses if (loss.direction, loss.text) == (direction, text)])
        ],
        "choices": [
            {"question": name, **_by_length(asked, _choice)}
            for name in QUESTIONS
            if (asked := [(choice, place) for choice, place in choices if choice.question == name])
        ],
        "reading": _by_length(one.read, _reading) if one.read else None,
        "drafts": [_drafts(name, drafts, one) for name, drafts in one.drafts.items() if drafts],
        "repetition": repetition_of_drafts(one.written, compared) if one.written else None,
        "lengths": [_length(length) for length in one.lengths],
        "memorisation": memorised_by_drafts(one.written, known.memory) if known and one.written else None,
    }


def _size(row: Any) -> int:
    """The length by which something measured belongs to a bucket."""
    if isinstance(row, tuple):
        return int(row[0].length)
    if isinstance(row, Read):
        return max(loss.length for loss in row.losses)
    return int(row.line.tokens if isinstance(row, Tried) else row.length)


def _by_length(rows: Sequence[Any], of: Callable[[Sequence[Any]], dict[str, Any]]) -> dict[str, Any]:
    """`of` all rows, and of those in each bucket; `longer`: how many are beyond the last bucket."""
    buckets = {name: [row for row in rows if least < _size(row) <= most] for name, (least, most) in BUCKETS.items()}
    beyond = sum(_size(row) > LENGTHS[-1] for row in rows)
    return {**of(rows), "buckets": {name: of(some) for name, some in buckets.items()}, "longer": beyond}


def _loss(rows: Sequence[Loss]) -> dict[str, Any]:
    """Means over all tokens and all characters of the texts that fit, the latter with a 95 % interval."""
    fit = [(row.nats, row) for row in rows if row.nats is not None]
    nats, tokens = math.fsum(n for n, _ in fit), sum(row.tokens for _, row in fit)
    characters, n = sum(row.characters for _, row in fit), len(fit)
    each = nats / characters / math.log(2) if characters else None
    error = ratio_error([(own / math.log(2), row.characters) for own, row in fit])
    return {
        "n": n,
        "do_not_fit": len(rows) - n,
        "tokens": tokens,
        "characters": characters,
        "nats_per_token": nats / tokens if tokens else None,
        "bits_per_character": each,
        "low": each - Z * error if each is not None and error is not None else None,
        "high": each + Z * error if each is not None and error is not None else None,
    }


def _choice(rows: Sequence[tuple[Choice, int]]) -> dict[str, Any]:
    """`gain_per_token`: by how much the right one is likelier than the mean of the others, in nats."""
    hits = ties = 0
    fit = [(choice, place) for choice, place in rows if choice.scores]
    for choice, place in fit:
        found, tied = chosen(choice.scores, f"{choice.question} {place}")
        hits, ties = hits + (found == 0), ties + tied
    nats = -math.fsum(_nats(choice)[0] for choice, _ in fit)
    gain = math.fsum(right - sum(others) / len(others) for right, *others in (_nats(choice) for choice, _ in fit))
    tokens = sum(choice.tokens for choice, _ in fit)
    return {
        **rate(hits, len(fit)),
        "do_not_fit": len(rows) - len(fit),
        "ties": ties,
        "gain_per_token": gain / tokens if tokens else None,
        "nats_per_token": nats / tokens if tokens else None,
    }


def _nats(choice: Choice) -> list[float]:
    """Scores by the right text's number of tokens; those of next claims are means over tokens."""
    times = choice.tokens if choice.question == NEXT else 1
    return [score * times for score in choice.scores]


def _reading(rows: Sequence[Read]) -> dict[str, Any]:
    """How fast whole texts were read."""
    whole = [loss for row in rows for loss in row.losses if loss.text == TEXTS[0] and loss.nats is not None]
    seconds, tokens = math.fsum(loss.seconds for loss in whole), sum(loss.row for loss in whole)
    cpu = math.fsum(loss.cpu_seconds for loss in whole)
    return {
        "n": len(whole),
        "tokens_per_second": tokens / seconds if seconds else None,
        "cpu_seconds_per_thousand_tokens": 1000 * cpu / tokens if tokens else None,
        "peak_bytes": _peak(row.peak_bytes for row in rows),
    }


def _drafts(direction: str, drafts: Sequence[Tried], one: Measured) -> dict[str, Any]:
    """The ladder of one direction, and what its drafts cost."""
    row = summary(draft.line for draft in drafts)["ladder"][0]
    n, seconds = len(drafts), math.fsum(draft.seconds for draft in drafts)
    spent = math.fsum(draft.cpu_seconds for draft in drafts)
    disclosures = [disclosure for draft in drafts if (disclosure := accepted(draft))]
    texts = ["\n".join((each.title, *(claim.text for claim in each.claims))) for each in disclosures]
    near = sum(bool(earlier) for earlier in repeated(texts))
    new = rate(len(texts) - near, n)
    hours = spent / n / 3600
    return {
        "direction": direction,
        "drafts": n,
        "gates": {gate: rate(row[gate.lower()], n) for gate in ("G0", "G1", "G2", "G3")},
        "g4": rate(row["g4"], n) if one.corpus else None,
        "corpus": one.corpus.name if one.corpus else None,
        "accepted": len(texts),
        "near_repeats": near,
        "stopped_early": sum(draft.line.stop == "stopped" for draft in drafts),
        "cut_by_limit": sum(draft.line.stop == "limit" for draft in drafts),
        "words": sum(draft.line.words for draft in drafts),
        "seconds": seconds,
        "words_per_second": sum(draft.line.words for draft in drafts) / seconds if seconds else None,
        "cpu_seconds": spent,
        "distinct_accepted_per_cpu_hour": {
            "value": new["share"] / hours if hours else None,
            "low": new["low"] / hours if hours else None,
            "high": new["high"] / hours if hours else None,
        },
        "formats": sorted({draft.formats for draft in drafts}),
        "peak_bytes": _peak(draft.peak_bytes for draft in drafts),
        "by_length": _by_length(drafts, _accepted),
    }


def _accepted(drafts: Sequence[Tried]) -> dict[str, Any]:
    return rate(sum(draft.line.accepted for draft in drafts), len(drafts))


def _length(length: Length) -> dict[str, Any]:
    return {
        "limit": length.limit,
        "tokens": length.tokens,
        "words_per_second": length.words / length.seconds if length.seconds else None,
        "tokens_per_second": length.tokens / length.seconds if length.seconds else None,
        "cpu_seconds_per_thousand_words": 1000 * length.cpu_seconds / length.words if length.words else None,
        "formats": length.formats,
        "peak_bytes": length.peak_bytes,
    }


def _peak(sizes: Iterable[int | None]) -> int | None:
    found = [size for size in sizes if size is not None]
    return max(found) if found else None
