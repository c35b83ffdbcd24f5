"""The claims as the checks read them: each claim's words, what it refers to, and the words of all claims above it.

Made once for each set of claims; the checks share it.
"""

from dataclasses import dataclass
from functools import lru_cache

from generator.base.words import content, placed, stem, words
from generator.record.claim_references import Reference, find_references
from generator.record.disclosure import Claim


@dataclass(frozen=True, slots=True)
class Chain:
    """A claim and its words, hyphenated ones whole; `places` are their starts and ends in its text.

    `stems` are the words' stems. `named` are all claims that it refers to, anywhere in its text; `parents` those of
    them that stand earlier. Sets of stems: `own` are those of its content words, in parts; `above` those of all words,
    whole and in parts, of all claims above it; `top` those of the independent claims that it goes back to, of its own
    when it is independent.
    """

    claim: Claim
    words: tuple[str, ...]
    stems: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    references: tuple[Reference, ...]
    named: tuple[int, ...]
    parents: tuple[int, ...]
    own: frozenset[str]
    above: frozenset[str]
    top: frozenset[str]


@lru_cache(maxsize=8)
def chains(claims: tuple[Claim, ...]) -> tuple[Chain, ...]:
    """The claims in their order. Only references to claims that stand earlier count, so that there is no circle."""
    made: dict[int, tuple[frozenset[str], frozenset[str]]] = {}  # number -> stems of it and all above it, and `top`
    result = []
    for claim in claims:
        found = placed(claim.text)
        whole = tuple(word for word, _, _ in found)
        stems = tuple(map(stem, whole))
        references = find_references(claim.text, claim.number)
        named = sorted({*claim.depends_on, *(n for one in references for n in one.numbers)})
        parents = tuple(n for n in named if n in made)
        every = frozenset((*stems, *map(stem, words(claim.text))))
        own = frozenset(content(claim.text))
        above = frozenset[str]().union(*(made[n][0] for n in parents))
        top = frozenset[str]().union(*(made[n][1] for n in parents)) if parents else every
        places = tuple((start, end) for _, start, end in found)
        result.append(Chain(claim, whole, stems, places, references, tuple(named), parents, own, above, top))
        made.setdefault(claim.number, (every | above, top))
    return tuple(result)
