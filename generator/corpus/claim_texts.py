"""Claims as offices print them, with their numbers, as claims numbered by their place."""

import re
from collections.abc import Sequence

from generator.record.claim_references import rewrite

_NUMBERED = re.compile(r"(\d{1,4})\s?[.)](?!\d)\s?")
_CANCELLED = re.compile(
    r"(?:\d{1,4}(?:\s?(?:[-–—]|to|through|and|,)\s?\d{1,4})*\s?[.)]?\s?)?[(\[]?\s?cancell?ed", re.IGNORECASE
)


def claim_texts(printed: Sequence[str]) -> tuple[str, ...]:
    """The texts without their numbers and without claims that were cancelled. Where that moves a claim to another
    place, references to it ("of claim 21") name its place.
    """
    kept, places = [], {}
    number = 0
    for text in printed:
        found = _NUMBERED.match(text)
        number = int(found[1]) if found else number + 1
        body = text[found.end() :] if found else text
        if not body or _CANCELLED.match(text) or _CANCELLED.match(body):
            continue
        kept.append((number, body))
        places[number] = len(kept)
    if all(old == new for old, new in places.items()):
        return tuple(body for _, body in kept)
    return tuple(rewrite(body, old, places) for old, body in kept)
