"""References from one claim to others ("of claim 1", "any one of claims 1 to 3"): find them, rewrite their numbers.

Source of the forms: 37 CFR 1.75(c) and MPEP 608.01(n), sections I and II. Every pattern is linear in the text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

MOST = 1000  # a range is not expanded beyond this many numbers

_JOIN = r"(?:\s?(?:,|/|-|–|—|\bto\b|\bthrough\b|\bor\b|\band\b)){1,3}\s?"
_MORE = rf"{_JOIN}(?:claims?\s)?\d{{1,4}}(?![\d.]\d|\d|\s?%)"  # no decimal number and no percentage
_NUMBERED = re.compile(rf"\b(claims?)\s(\d{{1,4}}(?!\d)(?:{_MORE})*)", re.IGNORECASE)
_PRECEDING = re.compile(
    r"\b(?:(?:any|one|either|each) (?:one )?(?:or more )?(?:of )?)?(?:the |its )?"
    r"(?:preceding|previous|foregoing|above|prior|aforementioned) claims?\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\b(?:any|one|either)\b[\w\s]{0,30}$", re.IGNORECASE)
_RANGE = re.compile(r"-|–|—|\bto\b|\bthrough\b", re.IGNORECASE)
_CONJUNCTION = re.compile(r"\bor\b|\band\b|/", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: where it stands in the text, the claims it names (ascending), whether in the alternative.

    `preceding` marks "any preceding claim", which names no number: its numbers are all below the claim's own.
    """

    start: int
    end: int
    numbers: tuple[int, ...]
    alternative: bool
    preceding: bool = False


def find_references(text: str, number: int) -> tuple[Reference, ...]:
    """All references in the text of claim `number`, in the order of the text. White space must be single spaces."""
    found = []
    for match in _NUMBERED.finditer(text):
        end, numbers, alternative = _listed(match[1], match[2])
        before = text[max(0, match.start() - 60) : match.start()]
        alternative = alternative or len(numbers) == 1 or _ALTERNATIVE.search(before) is not None
        found.append(Reference(match.start(2), match.start(2) + end, numbers, alternative))
    for match in _PRECEDING.finditer(text):
        numbers = tuple(range(1, min(number, MOST + 1)))
        alternative = re.match(r"any|one|either", match[0], re.IGNORECASE) is not None or match[0].endswith("claim")
        found.append(Reference(match.start(), match.end(), numbers, alternative, preceding=True))
    return tuple(sorted(found, key=lambda reference: reference.start))


def depends_on(text: str, number: int) -> tuple[int, ...]:
    """The claims that the text of claim `number` names, ascending, each once; also such as cannot be right."""
    return tuple(sorted({n for reference in find_references(text, number) for n in reference.numbers}))


def rewrite(text: str, number: int, new: Mapping[int, int]) -> str:
    """The text with each claim number `n` that it refers to written as `new[n]`; numbers not in `new` stay."""
    pieces, last = [], 0
    for reference in find_references(text, number):
        if reference.preceding:
            continue
        inside = text[reference.start : reference.end]
        pieces += [text[last : reference.start], _NUMBER.sub(lambda m: str(new.get(int(m[0]), m[0])), inside)]
        last = reference.end
    return "".join((*pieces, text[last:]))


def _listed(word: str, inside: str) -> tuple[int, tuple[int, ...], bool]:
    """Length of the list in `inside`, its numbers, and whether "or" joins them."""
    matches = list(_NUMBER.finditer(inside))
    joins = [inside[a.end() : b.start()] for a, b in pairwise(matches)]
    if word.lower() == "claim" and joins and not any(_CONJUNCTION.search(j) or _RANGE.search(j) for j in joins):
        matches, joins = matches[:1], []  # "of claim 1, 3 parts by weight": the comma ends the reference
    numbers = {int(matches[0][0])}
    for join, one, other in zip(joins, matches, matches[1:], strict=False):
        low, high = int(one[0]), int(other[0])
        if _RANGE.search(join) and low < high:
            numbers.update(range(low, min(high, low + MOST)))
        numbers.add(high)
    return matches[-1].end(), tuple(sorted(numbers)), any(re.search(r"\bor\b", j, re.IGNORECASE) for j in joins)
