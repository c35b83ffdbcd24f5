"""Drafts and known patents side by side as texts: how far each repeats itself, and what of it is in training data.

A patent stands there with as many claims as drafts have, for what repeats grows with length.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from generator.base.words import words
from generator.corpus.documents import Document, as_disclosure, as_document
from generator.judge.checks import check
from generator.judge.parsing import Parsed, Rejected, parse, stop_of
from generator.measure.diversity import distinct
from generator.measure.evaluation.reading import DRAFTED
from generator.measure.evaluation.table import rate
from generator.measure.evaluation.trial import Tried
from generator.record.disclosure import Disclosure

if TYPE_CHECKING:
    from generator.measure.memorisation import Memory

LOOPS = "c11"  # the reason of drafts that repeat a phrase over and over
GRAM = 4


@dataclass(frozen=True, slots=True)
class ComparedTexts:
    """Training data: `documents` of it are in `memory`; `held_out` others are the patents to compare with."""

    memory: "Memory"
    documents: int
    held_out: int


def parsed(draft: Tried) -> Disclosure | None:
    """The disclosure of a draft that passed G0; of one that was stopped early nobody knows whether it would have."""
    line = draft.line
    if line.stop == "stopped":
        return None
    found = parse(draft.text, "top-down" if line.direction == "top-down" else "bottom-up", stop_of(line.stop))
    return found.disclosure if isinstance(found, Parsed) else None


def accepted(draft: Tried) -> Disclosure | None:
    """What an accepted draft would publish: without the claims that G1 took out."""
    disclosure = parsed(draft) if draft.line.accepted else None
    passed = check(disclosure) if disclosure else None
    return None if passed is None or isinstance(passed, Rejected) else passed.disclosure


def as_drafted(document: Document) -> Document:
    return replace(document, claims=document.claims[:DRAFTED])


def repetition_of_drafts(drafts: Sequence[Tried], compared: int) -> dict[str, Any]:
    """Drafts that were refused for it first of all, and what all drafts repeat, those that were stopped early too."""
    faults = sum(draft.line.reason == LOOPS for draft in drafts)
    return {"faults": rate(faults, len(drafts)), **_repetition([draft.text for draft in drafts], compared)}


def repetition_of_documents(documents: Sequence[Document], compared: int) -> dict[str, Any]:
    """The same of known patents. Like drafts, they are refused for other faults before."""
    faults = 0
    for document in map(as_drafted, documents):
        passed = check(as_disclosure(document))
        faults += isinstance(passed, Rejected) and passed.reason == LOOPS
    texts = ["\n".join((one.title, one.abstract, *one.claims)) for one in map(as_drafted, documents)]
    return {"faults": rate(faults, len(documents)), **_repetition(texts, compared)}


def _repetition(texts: Sequence[str], compared: int) -> dict[str, Any]:
    """`repeated_share`: of the 4-word sequences of a text those that stood in it before, the mean of all texts (rep-4:
    Welleck et al. 2020, "Neural text generation with unlikelihood training"). `distinct_3` is across the first
    `compared` texts: the more there are, the fewer are new.
    """
    shares, counts = [], []
    for text in texts:
        tokens = words(text)
        counts.append(len(tokens))
        grams = list(zip(*(tokens[at:] for at in range(GRAM)), strict=False))
        if grams:
            shares.append(1 - len(set(grams)) / len(grams))
    return {
        "texts": len(texts),
        "mean_words": sum(counts) / len(counts) if counts else None,
        "repeated_share": math.fsum(shares) / len(shares) if shares else None,
        "distinct_3": distinct(texts[:compared], 3),
    }


def memorised_by_drafts(drafts: Sequence[Tried], memory: "Memory") -> dict[str, Any]:
    """Of all drafts that passed G0, and of the accepted ones."""
    every = [one for draft in drafts if (one := parsed(draft))]
    published = [one for draft in drafts if (one := accepted(draft))]
    return {
        "parsed": memory.measure(_text(as_document("", one)) for one in every).figures(),
        "accepted": memory.measure(_text(as_document("", one)) for one in published).figures(),
    }


def memorised_by_documents(documents: Sequence[Document], memory: "Memory") -> dict[str, Any]:
    return memory.measure(_text(as_drafted(one)) for one in documents).figures()


def _text(document: Document) -> str:
    from generator.measure.memorisation import text_of

    return text_of(document)
