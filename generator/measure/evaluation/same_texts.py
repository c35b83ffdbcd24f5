"""The task `reading`: how well several models foretell the very same texts, in bits a character.

The texts are known patents as drafted, with their first six claims, in both layouts. A text that does not fit the
context of one model counts for none of them. Differences are taken text by text, so their intervals are far narrower
than those of the figures themselves (Cochran 1977, 6.13).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator.base.intervals import Z, ratio_error
from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.held_out import HeldOut
from generator.measure.evaluation.multiple_choice import Comparison
from generator.measure.evaluation.reading import DRAFTED, Loss, Reader
from generator.measure.evaluation.score_cache import Kept, Pace
from generator.measure.evaluation.table import cell, table
from generator.record.layouts import DIRECTIONS

SCHEMA = "prior-art-evaluation-reading/v1"
REMARK = (
    "As drafted: the first six claims. The opening of the layout is read and not counted. Intervals are of 95 %; those "
    "of differences are of the same texts one by one."
)
NOTHING = "No text fits the context of every model. Leave out the model that most texts do not fit."


def compare_reading(
    found: Sequence[Contender],
    held_out: HeldOut,
    items: int | None,
    file: str,
    out: Path,
    threads: int,
    report: Callable[[str], None],
) -> Comparison:
    """Have each model read the first `items` patents (all: None). Raises PressError."""
    count = len(held_out.documents[:items])
    losses = {one.name: _losses(one, held_out, count, out, threads, report) for one in found}
    layouts = [same_texts(direction, losses) for direction in DIRECTIONS]
    figures = {
        "schema": SCHEMA,
        "task": "reading",
        "file": file,
        "documents_sha256": held_out.sha256,
        "documents": count,
        "documents_in_file": len(held_out.documents),
        "claims_as_drafted": DRAFTED,
        "models": [{"name": one.name, **one.identity()} for one in found],
        "layouts": layouts,
    }
    return Comparison(held_out.sha256, figures, _markdown(figures), any(one["n"] for one in layouts))


def same_texts(direction: str, losses: dict[str, list[list[Loss]]]) -> dict[str, Any]:
    """Figures of one layout on the texts that all models have room for. `losses`: of each model, by patent."""
    rows = {name: [loss for read in of for loss in read if loss.direction == direction] for name, of in losses.items()}
    texts = [every for every in zip(*rows.values(), strict=True) if all(loss.nats is not None for loss in every)]
    characters = [every[0].characters for every in texts]
    bits = {name: [(every[place].nats or 0.0) / math.log(2) for every in texts] for place, name in enumerate(rows)}
    first = next(iter(bits.values()))
    models = []
    for place, (name, own) in enumerate(bits.items()):
        less = [mine - other for mine, other in zip(own, first, strict=True)]
        tokens = sum(every[place].tokens for every in texts)
        models.append(
            {
                "name": name,
                "tokens": tokens,
                "do_not_fit": sum(loss.nats is None for loss in rows[name]),
                "bits_per_character": _ratio(own, characters),
                "nats_per_token": math.fsum(own) * math.log(2) / tokens if tokens else None,
                "against_first": _ratio(less, characters) if place else None,
            }
        )
    return {"direction": direction, "n": len(texts), "characters": sum(characters), "models": models}


def _ratio(bits: Sequence[float], characters: Sequence[int]) -> dict[str, float | None]:
    """Sum by sum, with its 95 % interval; None of no text, and no interval of one."""
    value = math.fsum(bits) / sum(characters) if characters else None
    error = ratio_error(list(zip(bits, characters, strict=True)))
    if value is None or error is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": value - Z * error, "high": value + Z * error}


def _losses(
    one: Contender, held_out: HeldOut, count: int, out: Path, threads: int, report: Callable[[str], None]
) -> list[list[Loss]]:
    """Of each patent in both layouts: those that are kept, then what is missing, each kept at once."""
    prompts = {"prompts": dict(one.profile.prompts), "end": one.profile.end_token}
    head = {"schema": SCHEMA, "documents_sha256": held_out.sha256, **one.identity(), **prompts}
    kept = Kept(out, one.name, "texts", head, report)
    with kept.opened(lambda line: [Loss(**loss) for loss in line["losses"]]) as found:
        if len(found) < count:
            reader = Reader.open(one, threads, report)
            pace = Pace(report, one.name, "patents read", len(found), count)
            for item in range(len(found), count):
                found.append(reader.drafted(held_out.documents[item]))
                kept.append(item, {"losses": [asdict(loss) for loss in found[-1]]})
                pace.done(item + 1)
    return found[:count]


def _markdown(figures: dict[str, Any]) -> list[str]:
    first = figures["models"][0]["name"]
    columns = ("layout", "model", "bits a character", f"difference to {first}", "nats a token", "n", "do not fit")
    rows = [
        (
            layout["direction"],
            model["name"],
            _shown(model["bits_per_character"]),
            _shown(model["against_first"]) if model["against_first"] else "",
            "" if model["nats_per_token"] is None else f"{model['nats_per_token']:.4f}",
            layout["n"],
            model["do_not_fit"],
        )
        for layout in figures["layouts"]
        for model in layout["models"]
    ]
    heading = f"# {cell(figures['file'])}: {figures['documents']} of {figures['documents_in_file']} known patents, read"
    nothing = () if any(layout["n"] for layout in figures["layouts"]) else ("", NOTHING)
    return [heading, "", *table(columns, rows), "", REMARK, *nothing]


def _shown(found: dict[str, float | None]) -> str:
    if found["value"] is None:
        return ""
    within = "" if found["low"] is None else f" ({found['low']:.4f} to {found['high']:.4f})"
    return f"{found['value']:.4f}{within}"
