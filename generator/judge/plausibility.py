"""What a language model that did not write a disclosure is surprised by: the figures of `reading` in the sense gate.

Surprise alone misleads: loops surprise less than real claims. So the figures are differences. How much do title and
abstract lower the surprise of claim 1, and claim 1 that of the others? Does the reader prefer the claim as it stands to
the claim with two of its terms exchanged?
"""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from generator.judge.damage import exchanged, term_pairs
from generator.record.disclosure import Disclosure
from generator.record.layouts import ABSTRACT, CLAIMS, HEAD, TITLE

if TYPE_CHECKING:
    from generator.model.reader import Reader, Surprise

HEAD_CHARACTERS = 900  # of title and abstract that are read
CLAIM_CHARACTERS = 640  # of a claim
ALL_CHARACTERS = 1900  # of the claims
PAIRS = 4  # of terms that are exchanged
END = ".\n\n"  # of a claim
MOST_AT_END = 12.0  # nats
WITHOUT = 0.5  # nats a token: the gain of further claims where there is but one


def plausibility(disclosure: Disclosure, reader: "Reader") -> dict[str, float]:
    """Figures by name, in nats a token but for the ends.

    `surprise` of the claims after title and abstract, and of the claim that surprises most; `end_worst`: nats of the
    full stop that surprises most, which tells claims that are cut; `gain_first`, `gain_rest`: by how much what stands
    before lowers the surprise of claim 1 and of the others; `exchange`: by how much claim 1 with two terms exchanged
    surprises more, on average and at least.
    """
    head = f"{HEAD}\n\n{TITLE}\n{disclosure.title}\n\n{ABSTRACT}\n{disclosure.abstract}"[:HEAD_CHARACTERS]
    head += f"\n\n{CLAIMS}\n"
    alone = f"{HEAD}\n\n{CLAIMS}\n"
    first, *rest = _claims(disclosure)
    swapped = [exchanged(first, *pair) for pair in _exchanges(first)]
    rows = [[head, *(piece for claim in (first, *rest) for piece in (claim, END))], [alone, first, END]]
    rows += [[alone, "".join(claim + END for claim in rest)]]
    whole, lone, lone_rest, *others = reader.read([*rows, *([head, text, END] for text in swapped)])
    claims = whole[1::2]
    ends = [end for end, claim in zip(whole[2::2], disclosure.claims, strict=False) if _fits(claim.text)]
    worse = [(one[1].nats - claims[0].nats) / max(1, claims[0].tokens) for one in others]
    known = _sum(whole[3:])
    return {
        "surprise": _sum(whole[1:]).each,
        "surprise_worst": max(one.each for one in claims),
        "end_worst": min(MOST_AT_END, max((one.nats for one in ends), default=0.0)),
        "end_mean": sum(min(MOST_AT_END, one.nats) for one in ends) / max(1, len(ends)),
        "gain_first": lone[1].each - claims[0].each,
        "gain_rest": lone_rest[1].each - known.each if rest else WITHOUT,
        "exchange": max(-1.0, min(1.0, sum(worse) / len(worse))) if worse else 0.1,
        "exchange_least": max(-1.0, min(1.0, min(worse))) if worse else 0.05,
    }


def _sum(found: Sequence["Surprise"]) -> "Surprise":
    from generator.model.reader import Surprise

    return Surprise(sum(one.nats for one in found), sum(one.tokens for one in found))


def _fits(text: str) -> bool:
    """Whether a claim is read to its end."""
    return len(text) <= CLAIM_CHARACTERS


def _claims(disclosure: Disclosure) -> list[str]:
    """Claim 1, and as many of the others as are read, each without its end."""
    texts = [f"{claim.number}. {claim.text.rstrip(' .')[:CLAIM_CHARACTERS]}" for claim in disclosure.claims]
    kept = texts[:1]
    for text in texts[1:]:
        if sum(map(len, kept)) + len(text) <= ALL_CHARACTERS:
            kept.append(text)
    return kept


def _exchanges(text: str) -> list[tuple[str, str]]:
    """PAIRS pairs of terms, drawn by the text itself, so that every machine draws the same."""
    pairs = term_pairs(text)
    return random.Random(text).sample(pairs, min(PAIRS, len(pairs)))
