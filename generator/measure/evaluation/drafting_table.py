"""The figures of the task `drafting` as Markdown: one table for each thing measured, the models under each other."""

from collections.abc import Iterator, Sequence
from typing import Any

from generator.measure.evaluation.drafting_figures import BUCKETS
from generator.measure.evaluation.remarks import CHOICE, COST, LADDER, LENGTH, LOSS, MEMORY, OWN, REPEAT
from generator.measure.evaluation.table import cell, interval, percent, percent_with_interval, table

GATES = ("G0", "G1", "G2", "G3")


def markdown(figures: dict[str, Any]) -> list[str]:
    part = figures["documents"] < figures["documents_in_file"]
    which = f"the first {figures['documents']} of {figures['documents_in_file']}" if part else figures["documents"]
    models = figures["models"]
    lines = [f"# {cell(figures['file'])}: {which} known patents, and drafts", ""]
    left = {name: count for name, count in figures["left_out"].items() if count}
    machine = figures["machine"]
    lines += [f"CPU: {cell(machine['cpu'])}; threads: {machine['threads']}.", ""]
    if left:
        lines += [f"Left out of the file: {', '.join(f'{name} {count}' for name, count in left.items())}.", ""]
    sections = (
        ("Held-out loss", _losses(models), LOSS),
        ("What belongs together", _choices(models), CHOICE),
        ("Gates", _gates(models), LADDER),
        ("Cost of drafts", _cost(models), COST),
        ("Drafts by length", _drafts_by_length(models), ""),
        ("What length costs", _lengths(models), LENGTH),
        ("Repetition", _repetition(figures), REPEAT),
        ("Memorisation", _memorisation(figures), _known_files(figures["known"])),
    )
    for title, shown, remark in sections:
        if shown:
            lines += [f"## {title}", "", *shown, *(["", remark] if remark else []), ""]
    return [*lines, *_cannot(models)]


def _per_bucket(found: dict[str, Any], show: Any) -> list[str]:
    return [show(found["buckets"][name]) for name in BUCKETS]


def _losses(models: Sequence[dict[str, Any]]) -> list[str]:
    columns = ("model", "layout", "text", "bits a character", "95 % interval", "nats a token", "n", "do not fit")
    rows = [
        (
            model["name"],
            loss["direction"],
            loss["text"],
            _number(loss["bits_per_character"], 4),
            f"{loss['low']:.4f} to {loss['high']:.4f}" if loss["low"] is not None else "",
            _number(loss["nats_per_token"], 4),
            loss["n"],
            loss["do_not_fit"],
            *_per_bucket(loss, _bits),
            loss["longer"],
        )
        for model in models
        for loss in model["losses"]
    ]
    return table((*columns, *BUCKETS, "longer"), rows) if rows else []


def _bits(found: dict[str, Any]) -> str:
    if found["n"]:
        return f"{found['bits_per_character']:.4f} (n {found['n']})"
    return f"{found['do_not_fit']} beyond the context" if found["do_not_fit"] else "n 0"


def _choices(models: Sequence[dict[str, Any]]) -> list[str]:
    columns = ("model", "question", "right", "95 % interval", "n", "do not fit", "gain", "nats a token")
    rows = [
        (
            model["name"],
            QUESTION[choice["question"]],
            percent(choice["share"]) if choice["n"] else f"cannot: context {model['context']} tokens",
            interval(choice),
            choice["n"],
            choice["do_not_fit"],
            _number(choice["gain_per_token"], 4),
            _number(choice["nats_per_token"], 4),
            *_per_bucket(choice, _hits),
        )
        for model in models
        for choice in model["choices"]
    ]
    return table((*columns, *BUCKETS), rows) if rows else []


QUESTION = {
    "top-down": "top-down: claims by title and abstract",
    "bottom-up": "bottom-up: abstract and title by claims",
    "next claim": "next claim",
}


def _hits(found: dict[str, Any]) -> str:
    return f"{found['hits']} of {found['n']}" if found["n"] else "n 0"


def _gates(models: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            model["name"],
            one["direction"],
            one["drafts"],
            *(percent_with_interval(one["gates"][gate]) for gate in GATES),
            percent_with_interval(one["g4"]) if one["g4"] else "no corpus",
        )
        for model, one in _each_direction(models)
    ]
    columns = ("model", "direction", "drafts", *GATES, "G4 obvious range (computed)")
    return table(columns, rows) if rows else []


def _each_direction(models: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return ((model, one) for model in models for one in model["drafts"])


def _cost(models: Sequence[dict[str, Any]]) -> list[str]:
    columns = (
        "model",
        "direction",
        "accepted, distinct",
        "words a second",
        "CPU seconds a draft",
        "distinct accepted in a CPU-hour",
        "95 % interval",
        "stopped early",
        "cut by the limit",
        "memory",
        "numbers",
    )
    rows = []
    for model, one in _each_direction(models):
        hour = one["distinct_accepted_per_cpu_hour"]
        rows.append(
            (
                model["name"],
                one["direction"],
                f"{one['accepted']}, {one['accepted'] - one['near_repeats']}",
                _number(one["words_per_second"], 1),
                _number(one["cpu_seconds"] / one["drafts"], 3),
                _number(hour["value"], 0),
                f"{hour['low']:,.0f} to {hour['high']:,.0f}" if hour["value"] is not None else "",
                one["stopped_early"],
                one["cut_by_limit"],
                _mebibytes(one["peak_bytes"]),
                ", ".join(one["formats"]),
            )
        )
    return table(columns, rows) if rows else []


def _drafts_by_length(models: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            model["name"],
            one["direction"],
            model["most_new_tokens"],
            *_per_bucket(one["by_length"], lambda found: f"{found['hits']} of {found['n']}" if found["n"] else "n 0"),
        )
        for model, one in _each_direction(models)
    ]
    columns = ("model", "direction", "most tokens of a draft", *(f"accepted of {name}" for name in BUCKETS))
    return table(columns, rows) if rows else []


def _lengths(models: Sequence[dict[str, Any]]) -> list[str]:
    columns = (
        "model",
        "tokens",
        "words a second, writing",
        "CPU seconds for 1,000 words",
        "tokens a second, writing",
        "memory, writing",
        "tokens a second, reading",
        "CPU seconds for 1,000 tokens",
        "texts read",
        "memory, reading",
    )
    rows = []
    for model in models:
        written = {one["limit"]: one for one in model["lengths"]}
        for name, (_, most) in BUCKETS.items():
            beyond = "beyond the context" if most > model["context"] else "cannot"
            one = written.get(most)
            read = model["reading"]["buckets"][name] if model["reading"] else None
            rows.append((model["name"], name, *(_written(one) if one else (beyond, "", "", "")), *_read(read)))
    return table(columns, rows)


def _written(found: dict[str, Any]) -> tuple[str, ...]:
    rates = (("words_per_second", 1), ("cpu_seconds_per_thousand_words", 2), ("tokens_per_second", 1))
    return (*(_number(found[name], digits) for name, digits in rates), _mebibytes(found["peak_bytes"]))


def _read(found: dict[str, Any] | None) -> tuple[Any, ...]:
    if not found or not found["n"]:
        return "", "", 0, ""
    speed = (_number(found["tokens_per_second"], 1), _number(found["cpu_seconds_per_thousand_tokens"], 2))
    return (*speed, found["n"], _mebibytes(found["peak_bytes"]))


def _repetition(figures: dict[str, Any]) -> list[str]:
    rows = []
    several = [("held-out patents", figures["held_out"]["repetition"])]
    several += [(model["name"], model["repetition"]) for model in figures["models"] if model["repetition"]]
    for name, found in several:
        faults = percent_with_interval(found["faults"])
        shares = (percent(found["repeated_share"]), _number(found["distinct_3"], 3))
        rows.append((name, found["texts"], faults, *shares, _number(found["mean_words"], 0)))
    return table(("texts of", "n", "refused for repeating", "rep-4", "distinct 3-grams of all", "words a text"), rows)


def _memorisation(figures: dict[str, Any]) -> list[str]:
    if not (held_out := figures["held_out"]["memorisation"]):
        return []
    rows = [_known("held-out patents", "", held_out)]
    for model in figures["models"]:
        for which, found in (model["memorisation"] or {}).items():
            rows.append(_known(model["name"], f"{which} drafts", found))
    columns = (
        "texts of",
        "which",
        "n",
        "known 13-grams",
        "95 % interval",
        "with a known run of 25 words",
        "longest run",
    )
    return table(columns, rows)


def _known_files(known: dict[str, int] | None) -> str:
    if known is None:
        return ""
    own = OWN.format(known["held_out"]) if known["held_out"] else ""
    return MEMORY.format(f"{known['documents']:,}") + own


def _known(name: str, which: str, found: dict[str, Any]) -> tuple[Any, ...]:
    low, high = found["grams_interval"]
    share, (least, most) = found["share_of_texts"], found["texts_interval"]
    texts = {"share": share, "low": least, "high": most}
    grams = f"{100 * low:.2f} to {100 * high:.2f} %" if found["error"] is not None else ""
    known = f"{100 * found['share_of_grams']:.2f} %" if found["share_of_grams"] is not None else ""
    return name, which, found["texts"], known, grams, percent_with_interval(texts), found["longest_run"]


def _cannot(models: Sequence[dict[str, Any]]) -> list[str]:
    """What a model cannot do, each as a sentence."""
    lines = []
    for model in models:
        for what, why in model["cannot"].items():
            lines.append(f"{cell(model['name'])} cannot {what}: {cell(why)}")
        if model["losses"] and not any(loss["n"] for loss in model["losses"]):
            lines.append(
                f"{cell(model['name'])} cannot read any of these patents: none fits its context of "
                f"{model['context']} tokens."
            )
    return lines


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _mebibytes(size: int | None) -> str:
    return "" if size is None else f"{size / (1 << 20):,.0f} MiB"
