"""What `prior-art evaluate` measured of a model, as tables of its card."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.base.escaping import inline

NOT_STATED, NOT_MEASURED = "not stated", "not measured"
GATES = ("G0", "G1", "G2", "G3")
BUCKETS = ("1k", "2k", "4k")


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are Markdown already: `text` and `number` make them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def text(value: Any) -> str:
    """A text, a whole number or several of them from outside within a line. Raises TypeError for anything else."""
    if value is None or value == "":
        return NOT_STATED
    if isinstance(value, str):
        return inline(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value)) or NOT_STATED
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    raise TypeError(f"{str(value)[:40]!r} is neither a text nor a whole number")


def number(value: Any, digits: int = 0, *, missing: str = NOT_MEASURED) -> str:
    """Raises TypeError for what is no finite number."""
    if value is None:
        return missing
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return f"{value:,.{digits}f}"


def of_model(figures: Mapping[str, Any], task: str, weights_sha256: Any) -> Mapping[str, Any]:
    """What `figures` say of the model with these weights. Raises ValueError when they are of another task or model."""
    if task and figures["task"] != task:
        raise ValueError(f"they are of the task {figures['task']!r}, not {task!r}")
    models: Sequence[Mapping[str, Any]] = figures["models"]
    if weights_sha256 is not None:
        models = [model for model in models if model["weights_sha256"] == weights_sha256]
    if len(models) != 1:
        raise ValueError(f"{len(models)} models in them can be meant, and one is needed")
    return models[0]


def drafting_tables(figures: Mapping[str, Any] | None, model: Mapping[str, Any] | None) -> dict[str, Any]:
    """Tables of held-out loss, gates and memorisation; None for what was not measured."""
    if figures is None or model is None:
        return {"reading": None, "gates": None, "memorisation": None, "corpus": "", "held_out_texts": "", "known": ""}
    corpora = sorted({str(one["corpus"]) for one in model["drafts"] if one["corpus"]})
    known = figures["known"]
    return {
        "reading": _reading(model["losses"]),
        "gates": _gates(model["drafts"]),
        "memorisation": _memorisation(figures["held_out"]["memorisation"], model["memorisation"]),
        "corpus": text(corpora) if corpora else "",
        "held_out_texts": text(figures["documents"]),
        "known": text(known["documents"]) if known else "",
    }


def questions_table(figures: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """Title and table of one set of questions, with its baselines; published rows are others' and not repeated."""
    rows = []
    for way, found in model["ways"].items():
        able = found["n"] > 0
        accuracy = _percent(found["accuracy"]) if able else f"cannot: context {text(model['context'])} tokens"
        rows.append(
            (f"this model, by {text(way)}", accuracy, _interval(found), text(found["n"]), text(found["overflow"]))
        )
    for one in figures["baselines"]:
        n = text(one["n"]) if "n" in one else ""
        rows.append((f"baseline: {text(one['name'])}", _percent(one["accuracy"]), _interval(one), n, ""))
    asked, every = figures["questions"], figures["questions_in_file"]
    return {
        "title": text(figures["file"]),
        "asked": f"all {text(every)}" if asked == every else f"the first {text(asked)} of {text(every)}",
        "table": Table(("system", "accuracy", "95 % interval", "n", "do not fit"), tuple(rows)),
    }


def _reading(losses: Sequence[Mapping[str, Any]]) -> Table | None:
    rows = []
    for loss in losses:
        each, low, high = loss["bits_per_character"], loss["low"], loss["high"]
        between = f"{number(low, 3)} to {number(high, 3)}" if low is not None else ""
        nats = number(loss["nats_per_token"], 4)
        buckets = (_bucket(loss["buckets"][name]) for name in BUCKETS)
        cells = (number(each, 3), between, nats, text(loss["n"]), *buckets, text(loss["do_not_fit"]))
        rows.append((text(loss["direction"]), text(loss["text"]), *cells))
    lengths = (f"bits, {name}" for name in BUCKETS)
    columns = ("layout", "text", "bits a character", "95 % interval", "nats a token", "n", *lengths, "do not fit")
    return Table(columns, tuple(rows)) if rows else None


def _bucket(found: Mapping[str, Any]) -> str:
    if found["n"]:
        return f"{number(found['bits_per_character'], 3)} (n {text(found['n'])})"
    return f"{text(found['do_not_fit'])} do not fit" if found["do_not_fit"] else "no text"


def _gates(drafts: Sequence[Mapping[str, Any]]) -> Table | None:
    rows = tuple(
        (
            text(one["direction"]),
            text(one["drafts"]),
            *(_rate(one["gates"][gate]) for gate in GATES),
            _rate(one["g4"]) if one["g4"] else NOT_MEASURED,
        )
        for one in drafts
    )
    return Table(("direction", "drafts", *GATES, "G4"), rows) if rows else None


def _memorisation(held_out: Mapping[str, Any] | None, drafts: Mapping[str, Any] | None) -> Table | None:
    if not held_out or not drafts:
        return None
    several = [("held-out patents", held_out), *((f"{text(name)} drafts", found) for name, found in drafts.items())]
    rows = []
    for name, found in several:
        share, (low, high) = found["share_of_grams"], found["grams_interval"]
        (least, most), texts = found["texts_interval"], found["share_of_texts"]
        grams = ("none so long", "")
        if share is not None:
            between = f"{number(100 * low, 2)} to {number(100 * high, 2)} %" if found["error"] is not None else ""
            grams = (f"{number(100 * share, 2)} %", between)
        runs = _rate({"share": texts, "low": least, "high": most})
        rows.append((name, text(found["texts"]), *grams, runs, text(found["longest_run"])))
    columns = ("texts", "n", "13-word sequences", "95 % interval", "texts with a run of 25 words", "longest run")
    return Table(columns, tuple(rows))


def _rate(found: Mapping[str, Any]) -> str:
    if found["share"] is None:
        return NOT_MEASURED
    low, high = number(100 * found["low"], 1), number(100 * found["high"], 1)
    return f"{number(100 * found['share'], 1)} % ({low} to {high})"


def _percent(share: Any) -> str:
    return NOT_MEASURED if share is None else f"{number(100 * share, 1)} %"


def _interval(found: Mapping[str, Any]) -> str:
    return f"{number(100 * found['low'], 1)} to {number(100 * found['high'], 1)} %" if found.get("n") else ""
