"""The claims as the checks read them: each claim's words, what it refers to, and the words of all claims above it.

Made once for each set of claims; several checks share it.
"""

from dataclasses import dataclass
from functools import lru_cache

from generator.disclosure import Claim
from generator.references import Reference, find_references
from generator.words import COMMON, placed, stem


@dataclass(frozen=True, slots=True)
class Word:
    """A word in lower case, its stem, and the places in the claim's text where it starts and ends."""

    text: str
    stem: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A claim with its words. `parents` are the earlier claims that it names; `above` are the stems of these and of all
    claims above them, empty for an independent claim. `own` are its content stems, each once.
    """

    claim: Claim
    words: tuple[Word, ...]
    references: tuple[Reference, ...]
    parents: tuple[int, ...]
    above: frozenset[str]
    own: frozenset[str]


@lru_cache(maxsize=8)
def chains(claims: tuple[Claim, ...]) -> tuple[Chain, ...]:
    """The claims in their order. Only references to claims that stand earlier count, so that there is no circle."""
    made: dict[int, Chain] = {}
    result = []
    for claim in claims:
        words = tuple(Word(text, stem(text), start, end) for text, start, end in placed(claim.text))
        parents = tuple(n for n in claim.depends_on if n in made)
        above: frozenset[str] = frozenset().union(*(made[n].above for n in parents))
        above = above.union(*((w.stem for w in made[n].words) for n in parents))
        own = frozenset(w.stem for w in words if w.text not in COMMON and not w.text.isdigit())
        chain = Chain(claim, words, find_references(claim.text, claim.number), parents, above, own)
        made.setdefault(claim.number, chain)
        result.append(chain)
    return tuple(result)
