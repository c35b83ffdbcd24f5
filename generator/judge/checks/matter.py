"""Title, abstract and claims are about one thing."""

import re

from generator.base.words import content
from generator.judge.checks.chains import chains
from generator.record.disclosure import Disclosure, Finding

ABSTRACT_WORDS = 150  # 37 CFR 1.72(b)
SUPPORT = 0.25  # share of the abstract's content words that the claims hold; one in seven real patents has less
_NOVEL = re.compile(r"(?:a |an |the )?(?:novel|new|improved)\b", re.IGNORECASE)


def c12_title_and_abstract(disclosure: Disclosure) -> tuple[Finding, ...]:
    """An abstract of 1 to 150 words that speaks of what is claimed; a title that does not praise and names the thing.

    Source: 37 CFR 1.72(a) and (b), MPEP 606; the agreement with the claims is own practice.
    """
    found = []
    count = len(disclosure.abstract.split())
    if count > ABSTRACT_WORDS:
        found.append(Finding("C12", "warn", None, f"The abstract has {count} words, more than {ABSTRACT_WORDS}."))
    if _NOVEL.match(disclosure.title):
        found.append(Finding("C12", "warn", None, "The title begins by calling the thing new."))
    claimed = frozenset[str]().union(*(chain.own for chain in chains(disclosure.claims)))
    told, named = frozenset(content(disclosure.abstract)), frozenset(content(disclosure.title))
    if told and len(told & claimed) < SUPPORT * len(told):
        found.append(Finding("C12", "warn", None, "Few words of the abstract occur in the claims."))
    if named and not named & claimed:
        found.append(Finding("C12", "warn", None, "No word of the title occurs in the claims."))
    return tuple(found)
