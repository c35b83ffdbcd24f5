"""Two records of one draft: the first place where what comes from the model is not the same."""

from collections.abc import Iterator
from itertools import zip_longest

from generator.record.layouts import ABSTRACT, CLAIMS, ORDER, TITLE, Direction
from generator.record.record import Generation, Record

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
            for number, claims in enumerate(zip_longest(there.claims, here.claims), 1):
                texts, parents = zip(*((c.text, _listed(c.depends_on)) if c else ("", "") for c in claims), strict=True)
                yield f"claim {number}", *texts
                yield f"what claim {number} depends on", *parents
    for number, paragraphs in enumerate(zip_longest(there.description, here.description), 1):
        texts, origins = zip(*((p.text, p.origin) if p else ("", "") for p in paragraphs), strict=True)
        yield f"paragraph {number}", *texts
        yield f"the origin of paragraph {number}", *origins
    yield "language", there.language, here.language
    for name in MADE:
        yield name, _listed(getattr(record.generation, name)), _listed(getattr(again.generation, name))


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
