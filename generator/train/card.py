"""The model card of a trained model: README.md beside its weights, from training.json and from what was measured.

A card says nothing that these do not hold: what is missing is `not stated` or `not measured`. Texts in them come from
recipes and files of anybody, and reach the card escaped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.escaping import escape
from generator.train.card_figures import (
    NOT_STATED,
    Table,
    drafting_tables,
    number,
    of_model,
    questions_table,
    text,
)
from generator.train.rows import times_seen

TEMPLATE = Path(__file__).with_name("card.md")
STAGES = {
    "broad": "pre-training, broad",
    "balanced": "pre-training, balanced",
    "finetune": "fine-tuning, both directions as one task",
    "prefer": "preference tuning",
}
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def model_card(
    facts: Mapping[str, Any], drafting: Mapping[str, Any] | None = None, choices: Sequence[Mapping[str, Any]] = ()
) -> str:
    """`facts` is the content of training.json. `drafting` and `choices` are figures that `prior-art evaluate` wrote:
    of `--task drafting`, and of each set of questions. Of several models in them, the one with the facts'
    `weights_sha256` is meant.

    Facts: `name`, `date`, `parameters`, `recipe` (as read), `stages` (name, tokens, steps, seconds, epochs by format,
    loss), `held_out_loss` (nats a token by format), `data` (`records` or `train`, `held_out`, `families`, `dropped`,
    `tiers`, `attributions`, and `sources` with name, sha256, documents, kept, license, attribution), `threads`,
    `device`, `torch`, `transformers`; of the weights `license`, `attribution`, `weights_sha256`; `base`
    (model, sha256, data) of a continued model. Any may be missing. Raises ConfigError where something is of another
    form, or the figures are not those of this model.
    """
    from jinja2 import Environment, StrictUndefined

    values = _read("training.json", lambda: _facts(facts))
    digest = facts.get("weights_sha256")
    what = "the figures of drafts"
    model = _read(what, lambda: of_model(drafting or {}, "drafting", digest)) if drafting is not None else None
    values |= _read(what, lambda: drafting_tables(drafting, model))
    values["questions"] = _read(
        "the figures of questions", lambda: [questions_table(one, of_model(one, "", digest)) for one in choices]
    )
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,  # the output is Markdown, and all values are escaped already
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(values)


def _read(what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ConfigError(
            f"{what}: not of the form that a model card is made of: {type(error).__name__}: {str(error)[:200]}",
            hint="Train or evaluate the model again with this version.",
        ) from error


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    recipe, data = facts.get("recipe") or {}, facts.get("data") or {}
    settings, shape = recipe.get("data") or {}, recipe.get("model") or {}
    losses, parameters = facts.get("held_out_loss") or {}, facts.get("parameters")
    return {
        "front": _front(facts.get("license"), shape.get("base")),
        "adapter": shape.get("output") == "adapter",
        "base": _base(facts.get("base") or {}),
        "name": text(facts.get("name") or recipe.get("name")),
        "millions": number(parameters / 1e6, 1) if parameters is not None else NOT_STATED,
        "beginning": _beginning(shape, facts.get("base") or {}),
        "shape": _shape(shape, settings),
        "about": _about(facts, recipe),
        "stages": _stages(recipe, facts.get("stages") or []),
        "counts": _counts(data, recipe, facts.get("stages") or []),
        "sources": _sources(data.get("sources") or []),
        "attributions": tuple(map(escape, data.get("attributions") or recipe.get("attributions") or ())),
        "license": text(facts.get("license")),
        "attribution": text(facts.get("attribution")),
        "losses": Table(
            ("format", "nats a token"), tuple((text(name), number(loss, 4)) for name, loss in sorted(losses.items()))
        )
        if losses
        else None,
    }


def _front(license_: Any, base: Any) -> dict[str, str]:
    """Members of the front matter, and only such values as mean nothing else in YAML."""
    hub = str(base or "") if "/" in str(base or "") else ""
    found = {"license": str(license_ or "").lower(), "base_model": hub}
    return {name: f'"{value}"' for name, value in found.items() if _IDENTIFIER.fullmatch(value)}


def _beginning(shape: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    if not shape:
        return f"what it was trained from is {NOT_STATED}"
    if not shape.get("base"):
        return "trained from random weights"
    rank = shape.get("lora_rank")
    how = f"low-rank additions (LoRA) of rank {text(rank)}" if rank else "all weights"
    kept = ", kept apart from the weights" if shape.get("output") == "adapter" else ""
    named = text(base["model"]) if base else f"{text(shape['base'])}, revision {text(shape.get('revision'))}"
    return f"continued from {named}, {how}{kept}"


def _base(base: Mapping[str, Any]) -> dict[str, str]:
    """Where the base comes from and what its data are; empty where the model is a new one."""
    return {name: text(base.get(name)).rstrip(".") for name in ("model", "sha256", "data")} if base else {}


def _shape(shape: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The architecture in words; of a continued model it is that of its base."""
    parts = [f"context {text(shape.get('context'))} tokens"]
    if shape and not shape.get("base"):
        names = {
            "hidden": "width", "intermediate": "inner width", "layers": "layers", "heads": "attention heads",
            "kv_heads": "heads of keys and values",
        }  # fmt: skip
        sizes = ", ".join(f"{name} {text(shape.get(key))}" for key, name in names.items())
        parts += [f"byte-level BPE of {text(settings.get('vocabulary'))} entries", f"Llama architecture ({sizes})"]
    return ", ".join(parts)


def _about(facts: Mapping[str, Any], recipe: Mapping[str, Any]) -> Table:
    machine = f"{text(facts.get('device'))}, {text(facts.get('threads'))} CPU threads"
    versions = ", ".join(f"{name} {text(facts.get(name))}" for name in ("torch", "transformers"))
    rows = (
        ("recipe", text(recipe.get("name"))),
        ("seed", str(text(recipe.get("seed"))).replace(",", "")),
        ("date", text(facts.get("date"))),
        ("machine", machine),
        ("versions", versions),
    )
    return Table(("", ""), rows)


def _stages(recipe: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> Table | None:
    rows = []
    for stage in stages:
        settings = recipe.get(stage["name"]) or {}
        seconds = stage.get("seconds")
        rows.append(
            (
                text(STAGES.get(stage["name"], stage["name"])),
                text(stage.get("tokens")),
                text(stage.get("steps")),
                number(seconds / 60, 0, missing=NOT_STATED) if seconds is not None else NOT_STATED,
                number(stage.get("loss"), 4, missing=NOT_STATED),
                _shares(dict(settings.get("mix") or {}), percent=True),
                _shares(stage.get("epochs") or {}, percent=False),
                _rates(settings),
            )
        )
    columns = ("stage", "tokens", "steps", "minutes", "last loss", "mix of tokens", "times seen", "settings")
    return Table(columns, tuple(rows)) if rows else None


def _shares(found: Mapping[str, Any], *, percent: bool) -> str:
    shown = (
        f"{text(name)} {number(100 * share, 1)} %" if percent else f"{text(name)} {number(share, 2)}"
        for name, share in sorted(found.items())
    )
    return ", ".join(shown) or NOT_STATED


def _rates(settings: Mapping[str, Any]) -> str:
    """What decides a stage besides its data: numbers of its recipe, by the names that they have there."""
    left = ("mix", "tokens", "row_tokens", "memory_pairs")
    parts = []
    for name, value in settings.items():
        if name not in left and value not in (None, "", 0, 0.0):
            shown = f"{value:g}" if isinstance(value, float) else text(value)
            parts.append(f"{text(name.replace('_', ' '))} {shown}")
    return ", ".join(parts) or NOT_STATED


def _counts(data: Mapping[str, Any], recipe: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> Table:
    settings, limit = recipe.get("data") or {}, recipe.get("times_seen")
    share = settings.get("held_out")
    epochs = [stage["epochs"] for stage in stages if stage.get("epochs")]
    times = times_seen(epochs) if epochs else None
    allowed = f"; the recipe allows {number(limit, 2)}" if limit else ""
    rows = (
        ("to train on", _kinds(data.get("records", data.get("train")))),
        ("kept out", _kinds(data.get("held_out", data.get("held-out")))),
        ("families, none of them on both sides", text(data.get("families"))),
        ("share of families kept out", f"{number(100 * share, 1)} %" if share is not None else NOT_STATED),
        ("left out", _kinds(data.get("dropped"))),
        ("times that a whole patent was seen, in all formats", number(times, 2, missing=NOT_STATED) + allowed),
        ("tiers of licence", text(data.get("tiers") or settings.get("tiers"))),
    )
    return Table(("", ""), rows)


def _kinds(found: Any) -> str:
    """A count, or counts by kind."""
    if isinstance(found, Mapping):
        parts = (f"{text(name.replace('_', ' '))} {text(count)}" for name, count in found.items())
        return ", ".join(parts) or "none"
    return text(found)


def _sources(sources: Sequence[Mapping[str, Any]]) -> Table | None:
    columns = ("file", "SHA-256", "documents", "kept", "licence", "attribution")
    names = ("name", "sha256", "documents", "kept", "license", "attribution")
    rows = tuple(tuple(text(one.get(name)) for name in names) for one in sources)
    return Table(columns, rows) if rows else None
