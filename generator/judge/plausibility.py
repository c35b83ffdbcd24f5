"""What a language model that did not write a disclosure is surprised by: the figures of `reading` in the sense gate.

Surprise alone misleads: loops surprise less than real claims. So the figures are differences. Does the reader prefer
claim 1 as it stands to claim 1 with two of its terms exchanged? How much does what stands before lower the surprise of
the further claims? A text is read in three steps, so that one that is refused early costs less.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from generator.judge.damage import exchanged, term_pairs
from generator.record.disclosure import Disclosure
from generator.record.layouts import ABSTRACT, CLAIMS, HEAD, TITLE

if TYPE_CHECKING:
    from generator.model.reader import Reader, Surprise

HEAD_CHARACTERS = 600  # of title and abstract that are read
CLAIM_CHARACTERS = 640  # of a claim
ALL_CHARACTERS = 1900  # of the claims
REST_CHARACTERS = 600  # of the further claims that are read a second time, without what stands before
PAIRS = 2  # of terms that are exchanged
END = ".\n\n"  # of a claim
MOST_AT_END = 12.0  # nats
WITHOUT = 0.5  # nats a token: the gain of further claims where there is but one
_BRACKETS = re.compile(r"(?<=\w)[^\w\s]{1,4}$")
NO_TERMS = 0.1, 0.05  # nats a token: the figures of a claim that has no two terms to exchange


def plausibility(disclosure: Disclosure, reader: "Reader") -> Iterator[dict[str, float]]:
    """Figures by name, in nats a token but for the ends, in three steps of reading.

    First `surprise` of the claims after title and abstract, and of the claim that surprises most; `end_worst` and
    `end_mean`: nats of the full stop that surprises most, which tells claims that are cut, and of the average one.
    Then `exchange`, `exchange_least`: by how much claim 1 surprises more with two terms exchanged, on average and at
    least; the terms are those that surprise most where they stand. Last `gain_rest`: by how much what stands before
    lowers the surprise of the further claims. Raises ModelError.
    """
    head = f"{HEAD}\n\n{TITLE}\n{disclosure.title}\n\n{ABSTRACT}\n{disclosure.abstract}"[:HEAD_CHARACTERS]
    claims, stops = _claims(disclosure)
    pieces = [piece for words, stop in zip(claims, stops, strict=True) for piece in (*words, stop)]
    found = reader.read([[f"{head}\n\n{CLAIMS}\n", *pieces]])[0][1:]
    read, ends = [], []
    for words in claims:
        read.append(found[: len(words)])
        ends.append(found[len(words)])
        found = found[len(words) + 1 :]
    nats = [
        min(MOST_AT_END, end.nats) for end, claim in zip(ends, disclosure.claims, strict=False) if _fits(claim.text)
    ]
    yield {
        "surprise": _each(one for words in read for one in words),
        "surprise_worst": max(map(_each, read)),
        "end_worst": max(nats, default=0.0),
        "end_mean": sum(nats) / max(1, len(nats)),
    }
    swapped = _exchanges(claims[0], read[0])
    others = reader.read([[f"{head}\n\n{CLAIMS}\n", *words] for words in swapped]) if swapped else []
    worse = [_each(other[1:]) - _each(read[0]) for other in others]
    yield {
        "exchange": max(-1.0, min(1.0, sum(worse) / len(worse))) if worse else NO_TERMS[0],
        "exchange_least": max(-1.0, min(1.0, min(worse))) if worse else NO_TERMS[1],
    }
    further = _first(claims[1:], REST_CHARACTERS)
    rest = [piece for words, stop in zip(further, stops[1:], strict=False) for piece in (*words, stop)]
    gain = WITHOUT
    if rest:
        alone = reader.read([[f"{HEAD}\n\n{CLAIMS}\n", *rest]])[0][1:]
        known = [one for words, end in zip(read[1:], ends[1:], strict=True) for one in (*words, end)]
        gain = _each(alone) - _each(known[: len(rest)])
    yield {"gain_rest": gain}


def _each(found: "Iterable[Surprise]") -> float:
    """Nats a token of pieces."""
    known = list(found)
    return sum(one.nats for one in known) / max(1, sum(one.tokens for one in known))


def _fits(text: str) -> bool:
    """Whether a claim is read to its end."""
    return len(text) <= CLAIM_CHARACTERS


def _claims(disclosure: Disclosure) -> tuple[list[list[str]], list[str]]:
    """Claim 1, and as many of the others as are read, each in words and without its end; and the ends.

    Brackets and the like before the full stop belong to the end: "(ROM)." has its last two signs in one token.
    """
    texts = [f"{claim.number}. {claim.text.rstrip(' .')[:CLAIM_CHARACTERS]}" for claim in disclosure.claims]
    bare = [_BRACKETS.sub("", text) for text in texts]
    first, *rest = map(_words, bare)
    claims = [first, *_first(rest, ALL_CHARACTERS - len(texts[0]))]
    return claims, [text[len(one) :] + END for text, one in zip(texts, bare, strict=True)][: len(claims)]


def _first(claims: Sequence[list[str]], characters: int) -> list[list[str]]:
    """The first claims that have room, one at least."""
    kept = list(claims[:1])
    for claim in claims[1:]:
        if sum(len(word) for one in (*kept, claim) for word in one) > characters:
            break
        kept.append(claim)
    return kept


def _words(text: str) -> list[str]:
    """A text in pieces of a word each, with the blanks before it."""
    return re.findall(r"\s*\S+", text)


def _exchanges(words: Sequence[str], read: "Sequence[Surprise]") -> list[list[str]]:
    """A claim in words, with two terms exchanged: the PAIRS pairs that surprise most where they stand."""
    text = "".join(words)
    pairs = term_pairs(text)
    ends = list(accumulate(map(len, words)))
    surprise = {}
    for term in {term for pair in pairs for term in pair}:
        spans = [match.span() for match in re.finditer(rf"\b{re.escape(term)}\b", text, re.IGNORECASE)]
        surprise[term] = _each(read[at] for start, end in spans for at in _touched(ends, start, end))
    pairs.sort(key=lambda pair: -surprise[pair[0]] - surprise[pair[1]])
    return [_words(exchanged(text, *pair)) for pair in pairs[:PAIRS]]


def _touched(ends: Sequence[int], start: int, end: int) -> range:
    """Places of the words of a span of characters, and of the one behind it: a wrong term surprises there, too."""
    first, last = bisect_right(ends, start), bisect_left(ends, end)
    return range(first, min(last + 2, len(ends)))
