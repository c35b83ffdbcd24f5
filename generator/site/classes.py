"""The CPC class of a disclosure as readers see it: titles in sentence case, none that is likelier wrong than right."""

import re
from dataclasses import replace

from generator.log.archive import LoggedRecord
from generator.record.judgement import Class, Classification

# Thousandths. A score is the share of real patents that bore a symbol of that score (docs/judgement.md), so below one
# half the symbol is more often wrong than right.
LEAST_SCORE = 500
UNCLASSIFIED = "unclassified"

_CAPITALS = re.compile(r"(?<![\[\w])[A-Z][A-Z'’-]+(?![\w\]])")
_KEPT = frozenset(["CPC", "DNA", "EDA", "GNSS", "HVAC", "ICT", "IT", "LED", "PCB", "RNA", "TV", "USA"])


def sentence_case(title: str) -> str:
    """`LOCKS; KEYS` as `Locks; keys`. Abbreviations, symbols such as G06N and what stands in brackets stay."""
    lowered = _CAPITALS.sub(lambda word: word[0] if word[0] in _KEPT else _lower(word[0]), title)
    return lowered[:1].upper() + lowered[1:]


def _lower(word: str) -> str:
    return word[0] + word[1:].lower() if word.startswith("X-") else word.lower()


def assigned(logged: LoggedRecord) -> tuple[Class, ...]:
    """The best section, class and subclass, one branch of the scheme from its root, as far as they are sure enough."""
    branch: list[Class] = []
    for item in _branch(logged):
        if item.score < LEAST_SCORE:
            break
        branch.append(item)
    return tuple(branch)


def best_guess(logged: LoggedRecord) -> Class | None:
    """The subclass that the program thinks likeliest, however unsure it is; None where none was asked."""
    found = _branch(logged)
    return found[-1] if found else None


def subclass(logged: LoggedRecord) -> str:
    """The CPC subclass that listings, feeds and search go by; empty for what is unclassified."""
    found = assigned(logged)
    return found[2].symbol if len(found) == 3 else ""


def _branch(logged: LoggedRecord) -> tuple[Class, ...]:
    found = logged.judgement.classification if logged.judgement else Classification((), (), ())
    best = (*found.sections[:1], *found.classes[:1], *found.subclasses[:1])
    return tuple(replace(item, title=sentence_case(item.title)) for item in best)
