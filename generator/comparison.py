"""Two records of one draft: the first place where what comes from the model is not the same."""

from collections.abc import Iterator
from itertools import zip_longest

from generator.layouts import ABSTRACT, CLAIMS, ORDER, TITLE, Direction
from generator.record import Generation, Record

SHOWN = 60  # characters of a text that differs
MADE = ("direction", "prompt", "topic", "removed_claims", "prompt_tokens", "new_tokens", "stop")


def first_difference(record: Record, again: Record) -> str:
    """The place and both texts there, in the order in which the model writes; empty when there is none."""
    for place, there, here in _places(record, again):
        if there == here:
            continue
        same = next(
            (n for n, (a, b) in enumerate(zip(there, here, strict=False)) if a != b), min(len(there), len(here))
        )
        since, where = (same - 20, f" from character {same + 1} on") if same > 20 else (0, "")
        return f"{place} differs{where}: {_shown(there[since:])} in the record, {_shown(here[since:])} here"
    return ""


def direction(generation: Generation) -> Direction:
    return "top-down" if generation.direction == "top-down" else "bottom-up"


def _shown(text: str) -> str:
    return f'"{text[:SHOWN]}"' + (" ..." if len(text) > SHOWN else "") if text else "nothing"


def _places(record: Record, again: Record) -> Iterator[tuple[str, str, str]]:
    """Name and both texts of everything in a record that comes from the model."""
    there, here = record.disclosure, again.disclosure
    for heading in ORDER[direction(record.generation)]:
        if heading == TITLE:
            yield "title", there.title, here.title
        elif heading == ABSTRACT:
            yield "abstract", there.abstract, here.abstract
        elif heading == CLAIMS:
            for number, (a, b) in enumerate(zip_longest(there.claims, here.claims), 1):
                yield f"claim {number}", a.text if a else "", b.text if b else ""
                yield f"what claim {number} depends on", _listed(a.depends_on if a else ()), _listed(b.depends_on if b else ())
    for number, (c, d) in enumerate(zip_longest(there.description, here.description), 1):
        yield f"paragraph {number}", c.text if c else "", d.text if d else ""
        yield f"the origin of paragraph {number}", c.origin if c else "", d.origin if d else ""
    yield "language", there.language, here.language
    for name in MADE:
        yield name, *(_listed(getattr(one.generation, name)) for one in (record, again))


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
