"""The end of a run: the folder `model`, which users load, with what was measured on documents that were kept out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from generator.base import files
from generator.corpus.documents import Document
from generator.train.card import model_card
from generator.train.curve import picture, whole_curve
from generator.train.fitting import cuda
from generator.train.models import base_dtype, base_facts, base_folder, base_profile, loaded, store
from generator.train.preparing import HELD_OUT, documents, read_manifest
from generator.train.recipe import ADAPTER, FORMATS
from generator.train.rows import serving
from generator.train.run import Run, StageFolder
from generator.train.stages import before, stage_facts, write_facts
from generator.train.texts import Encode, encoder, fit, head, pieces, specification

FACTS = "training.json"
MEASURED = 300  # documents of a format


def finish(run: Run, last: str, today: str) -> dict[str, Any]:
    """Make the run's `model` of the stage `last`; returns the content of training.json.

    `today`, YYYY-MM-DD, is the date of the card. Raises PressError.
    """
    with run.stage("model").begun({"before": before(run, last), "recipe": run.recipe.as_json()}) as stage:
        if stage.finished:
            return read_facts(stage.result)
        _write(run, stage, last, today)
        stage.finish()
    return read_facts(stage.result)


def read_facts(folder: Path) -> dict[str, Any]:
    """training.json of a model's folder. Raises PressError."""
    return files.read_object(folder / FACTS, hint="Name a folder `model` that `prior-art train` wrote.")


def held_out_losses(model: Any, tokenizer: Any, data: Path, context: int) -> dict[str, float]:
    """Mean cross-entropy, nats a token, of each format on the documents that were kept out, or a `spread` of them; at
    most `context` tokens of each. A format that none of them can be written in is left out."""
    import torch

    encode = encoder(tokenizer)
    found = list(documents(data / HELD_OUT))
    losses = {}
    model.eval()
    with torch.inference_mode():
        for layout in FORMATS:
            total, count = 0.0, 0
            for document in spread(serving(found, layout)):
                ids = _ids(document, layout, encode, tokenizer.eos_token_id, context)
                if len(ids) > 1:
                    row = torch.tensor([ids], device=model.device)
                    total += float(model(input_ids=row, labels=row).loss) * (len(ids) - 1)
                    count += len(ids) - 1
            if count:
                losses[layout] = round(total / count, 4)
    return losses


def spread(found: Sequence[Document]) -> Sequence[Document]:
    """All of them, or from MEASURED on to fewer than twice as many, each as far behind the one before."""
    return found[:: max(1, len(found) // MEASURED)]


def _ids(document: Document, layout: str, encode: Encode, end: int, context: int) -> list[int]:
    """A document in a format, as rows of training have it; empty where it cannot be."""
    if layout == "description":
        first = next(pieces(document.description, chars=5 * context), "")
        return encode(first)[:context]
    if layout == "head":
        ids = [*encode(head(document)), end] if document.title else []
        return ids if len(ids) <= context else []
    if layout == "specification":
        first_half, rest = fit(encode, end, "top-down", document, context // 2), specification(document)
        return [*first_half, *encode(rest), end][:context] if first_half and rest else []
    return fit(encode, end, layout, document, context)  # type: ignore[arg-type]


def _stored(run: Run, stage: StageFolder, last: str) -> tuple[dict[str, Any], Any, Any]:
    """Store what users load; returns its digests, and tokenizer and model loaded from there."""
    from generator.model.loading import load
    from generator.model.weights import weights_of, weights_sha256
    from generator.train.adapters import go_on, store_adapter
    from generator.train.models import stage_model, tokenizer_of, trained

    recipe = run.recipe
    base = {"base": base_facts(run)} if recipe.model.base else {}
    if recipe.model.output != ADAPTER:
        numbers = base_dtype(run) if base else "bfloat16"
        store(stage_model(run, last), tokenizer_of(run), stage.work, weights=numbers)
        return {**base, "weights_sha256": weights_sha256(stage.work)}, *loaded(stage.work, recipe.model.context)
    model = trained(stage_model(run, last), recipe.model, recipe.seed)
    go_on(model, run.stage(last).needed() / "model")
    store_adapter(model, stage.work, base["base"], weights="bfloat16")
    profile, folder = replace(base_profile(run), adapter=stage.work), base_folder(run)
    found = weights_of(profile, folder)
    digests = {**base, "weights_sha256": found.sha256, "adapter_sha256": found.adapter}
    return digests, *load(profile, folder)


def _write(run: Run, stage: StageFolder, last: str, today: str) -> None:
    import torch
    import transformers

    recipe, data = run.recipe, run.stage("data").needed()
    names = [*recipe.phases, *(["prefer"] if last == "prefer" else [])]
    digests, tokenizer, model = _stored(run, stage, last)
    run.report("train: measuring on what was kept out")
    losses = held_out_losses(model.float(), tokenizer, data, recipe.model.context)  # in fp32 on every CPU
    manifest = read_manifest(data)
    facts = {
        "name": recipe.name,
        "date": today,
        "license": recipe.license,
        "attribution": recipe.attribution,
        **digests,
        "recipe": recipe.as_json(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "stages": [stage_facts(run.stage(name)) for name in names],
        "held_out_loss": losses,
        "data": {
            **{name: manifest[name] for name in ("sources", "families", "dropped", "train")},
            "held_out": manifest["held-out"],
            "attributions": list(recipe.attributions),
        },
        "device": "cuda" if cuda(run) else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    curve = whole_curve([run.stage(name).result / "curve.csv" for name in names])
    files.write(stage.work / "curve.csv", curve)
    files.write(stage.work / "curve.svg", picture(curve))
    write_facts(stage.work, facts, FACTS)
    files.write(stage.work / "README.md", model_card(facts).encode())
