"""Stages 2 and 3: pre-training in two phases, broad and balanced, and fine-tuning on both layouts as one task."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError
from generator.model.weights import file_sha256
from generator.train.adapters import go_on, store_adapter
from generator.train.curve import read_curve
from generator.train.fitting import explained, fit_phase, last_checkpoint
from generator.train.models import base_facts, first_model, stage_model, store, tokenizer_of, trained
from generator.train.recipe import ADAPTER, WHOLE, Phase
from generator.train.rows import Rows, times_seen, token_rows
from generator.train.run import Run, StageFolder
from generator.train.texts import encoder

FACTS = "facts.json"


def pretrain(run: Run) -> list[dict[str, Any]]:
    """Its phases in the recipe, if any; what is finished already is not done again. Returns the facts of each.

    Raises PressError.
    """
    return [_phase(run, name) for name in run.recipe.phases if name != "finetune"]


def finetune(run: Run) -> dict[str, Any]:
    return _phase(run, "finetune")


def stage_facts(stage: StageFolder) -> dict[str, Any]:
    """What a finished stage wrote of itself: tokens, steps, seconds, last loss, epochs by format."""
    return files.read_object(stage.needed() / FACTS, hint="Delete the stage's folder and run it again.")


def write_facts(folder: Path, value: Any, name: str = FACTS) -> None:
    files.write(folder / name, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def before(run: Run, stage: str) -> str:
    """A digest of what a stage begins with: the data's manifest, and the weights of the stage before it."""
    parts = [run.stage("data").needed() / "manifest.json"]
    if stage:
        parts += sorted((run.stage(stage).needed() / "model").glob("*.safetensors"))
    return hashlib.sha256(b"".join(bytes.fromhex(file_sha256(path)) for path in parts)).hexdigest()


def _phase(run: Run, name: str) -> dict[str, Any]:
    phase, shape = run.recipe.phases[name], run.recipe.model
    done = list(run.recipe.phases)[: list(run.recipe.phases).index(name)]
    earlier = done[-1] if done else ""
    base = base_facts(run) if shape.output == ADAPTER else {}
    settled = {
        "phase": {key: value for key, value in asdict(phase).items() if key != "row_tokens"},
        "model": asdict(run.recipe.model),
        "seed": run.recipe.seed,
        "before": before(run, earlier),
        **({"base": base["sha256"]} if base else {}),
    }
    with run.stage(name).begun(settled) as stage:
        if stage.finished:
            return stage_facts(stage)
        tokenizer = tokenizer_of(run)
        rows = _rows(run, stage, phase, tokenizer)
        _not_too_often(run, stage, rows, done)
        model = stage_model(run, earlier) if earlier else first_model(run, tokenizer)
        model = trained(model, shape, run.recipe.seed)
        if base and earlier:
            go_on(model, run.stage(earlier).result / "model")
        seconds = fit_phase(run, stage, phase, model, rows)
        with explained(name, "row_tokens"):
            if base:
                store_adapter(model, stage.work / "model", base)
            else:
                store(model, tokenizer, stage.work / "model")
        facts = {
            "name": name,
            "steps": phase.steps,
            "tokens": phase.steps * phase.step_tokens,
            "seconds": round(seconds),
            "epochs": rows.epochs,
            "loss": float(read_curve(stage.work / "curve.csv")[-1][3]),
        }
        write_facts(stage.work, facts)
        (stage.work / "rows.npz").unlink()
        stage.finish()
    return facts


def _not_too_often(run: Run, stage: StageFolder, rows: Rows, done: Sequence[str]) -> None:
    """Say how often whole patents are seen up to the end of this phase. Raises ConfigError above the recipe's limit."""
    seen = times_seen([*(stage_facts(run.stage(name))["epochs"] for name in done), rows.epochs])
    limit = run.recipe.times_seen
    if limit and seen > limit:
        if not last_checkpoint(stage.work):
            shutil.rmtree(stage.work)  # so that a changed recipe may begin here
        raise ConfigError(
            f"train {stage.name}: a whole patent would be seen {seen:.2f} times, and times_seen is {limit:g}",
            hint=f"Give more patents; or lower tokens, or the shares of {', '.join(WHOLE)}, of [{stage.name}] in "
            f"{run.folder / 'recipe.toml'}; or raise its times_seen.",
        )
    run.report(f"train {stage.name}: by its end a whole patent is seen {seen:.2f} times")


def _rows(run: Run, stage: StageFolder, phase: Phase, tokenizer: Any) -> Rows:
    """The rows of a phase; made once and kept until the phase is finished."""
    import numpy as np

    path = stage.work / "rows.npz"
    if path.exists():
        with np.load(path) as kept:
            return Rows(kept["tokens"], json.loads(kept["epochs"].tobytes()))
    run.report(f"train {stage.name}: tokenizing {phase.steps * phase.step_tokens} tokens")
    data = run.stage("data").needed()
    rows = token_rows(data, phase, stage.name, run.recipe.seed, encoder(tokenizer), tokenizer.eos_token_id)
    epochs = np.frombuffer(json.dumps(rows.epochs).encode(), dtype=np.uint8)
    part = path.with_suffix(".part.npz")
    np.savez(part, tokens=rows.tokens.astype(np.uint32), epochs=epochs)
    part.replace(path)
    return rows
