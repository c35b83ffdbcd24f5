"""Stage 4: preference tuning. Drafts of the fine-tuned model, pairs made by the gates, training on them.

Each of the three is kept in the stage's folder when it is done: drafts.jsonl a line at a time, pairs.jsonl as a whole.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError, ModelError
from generator.judge.calibration import load_calibration
from generator.judge.parsing import stop_of
from generator.model.interface import Brief, EngineChoice, LanguageModel
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import DIRECTIONS, PROMPTS
from generator.run.plan import draft_seed
from generator.train.dpo import REFERENCE, fit_preferences, in_steps
from generator.train.fitting import explained
from generator.train.models import loaded, store, trained
from generator.train.pairs import (
    DRAFTS,
    REPEATS,
    Judged,
    Pair,
    Written,
    corrupted_pairs,
    draft_pairs,
    judge_drafts,
    known_texts,
)
from generator.train.recipe import Preference
from generator.train.run import Run, StageFolder
from generator.train.stages import before, stage_facts, write_facts
from generator.train.texts import encoder

DRAFTS_FILE, PAIRS_FILE = "drafts.jsonl", "pairs.jsonl"
REPORTED = 250  # drafts between two lines about progress
SHOWN = 8  # reasons of refusal in a line


def prefer(run: Run) -> dict[str, Any]:
    """The whole stage; what is done already is not done again. Returns its facts.

    Facts: `pairs` by kind; `gates`: how many of the `drafts` were accepted, or refused for which reason; `tokens` of
    each text of a pair on average; `loss`, `accuracy`, `margin` and rewards of the last steps. Raises PressError.
    """
    preference = run.recipe.prefer
    if preference is None:
        raise ConfigError(
            f"{run.folder / 'recipe.toml'}: it has no [prefer], so there is no stage prefer",
            hint="The model is complete after: prior-art train finetune",
        )
    settled = {
        "prefer": {key: value for key, value in asdict(preference).items() if key != "memory_pairs"},
        "model": asdict(run.recipe.model),
        "seed": run.recipe.seed,
        "before": before(run, "finetune"),
    }
    with run.stage("prefer").begun(settled) as stage:
        if stage.finished:
            return stage_facts(stage)
        folder = run.stage("finetune").needed() / "model"
        drafts = _drafts(run, stage, preference, folder)
        tokenizer, model = loaded(folder, run.recipe.model.context)
        pairs, made = _pairs(run, stage, preference, tokenizer, drafts)
        model = trained(model.float(), run.recipe.model, run.recipe.seed)
        model, figures = fit_preferences(run, stage, preference, model, tokenizer, pairs)
        with explained("prefer", "memory_pairs"):
            store(model, tokenizer, stage.work / "model")
        facts = {
            "name": "prefer",
            "steps": len(pairs) // preference.step_pairs,
            "tokens": sum(pair.tokens for pair in pairs),
            **made,
            **figures,
            "seconds": round(figures["seconds"] + sum(draft.seconds for draft in drafts)),
        }
        write_facts(stage.work, facts)
        (stage.work / REFERENCE).unlink()
        stage.finish()
    return facts


def _drafts(run: Run, stage: StageFolder, preference: Preference, folder: Path) -> list[Written]:
    """As many drafts as the recipe says, both directions in turn; those of an earlier start are not written again."""
    import torch

    path = stage.work / DRAFTS_FILE
    done = {draft.index: draft for draft in _read_drafts(path)}
    if len(done) < preference.drafts:
        files.write(path, b"".join(map(_line, done.values())))  # without a last line that a kill has torn
        run.report(f"train prefer: writing {preference.drafts - len(done)} drafts")
        missing = (
            Brief(index, DIRECTIONS[index % 2], "", "", draft_seed(run.recipe.seed % 2**64, index))
            for index in range(preference.drafts)
            if index not in done
        )
        threads = torch.get_num_threads()  # an engine keeps one of them, and training wants them all
        model = _open(run, preference, folder)
        with path.open("ab") as file:
            for draft in model.drafts(missing, _sampling(preference)):
                stop = stop_of(draft.generation.stop)
                written = Written(draft.brief.index, draft.brief.direction, draft.text, stop, draft.seconds)
                file.write(_line(written))
                file.flush()
                done[written.index] = written
                if len(done) % REPORTED == 0:
                    run.report(f"train prefer: {len(done)} of {preference.drafts} drafts")
        torch.set_num_threads(threads)
    return [done[index] for index in range(preference.drafts)]


def _read_drafts(path: Path) -> Iterator[Written]:
    """Whole lines. Raises ModelError for what is no draft."""
    text = files.read(path, "drafts of a stage") if path.exists() else b""
    for line in text[: text.rfind(b"\n") + 1].splitlines():
        try:
            yield Written(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ModelError(
                f"{path}: damaged: {error}", hint="Delete the file: the drafts are written again."
            ) from error


def _line(value: Written | Pair) -> bytes:
    return json.dumps(asdict(value)).encode() + b"\n"


def _sampling(preference: Preference) -> Sampling:
    return Sampling(
        temperature=f"{preference.temperature:g}",
        min_p=f"{preference.min_p:g}",
        loop_tokens=str(preference.loop_tokens),
        most_claims=str(preference.most_claims),
    )


def _open(run: Run, preference: Preference, folder: Path) -> LanguageModel:
    """The project's engine, or transformers' generate for an architecture that it cannot run."""
    from generator.model.loading import open_model

    profile = ModelProfile(
        name=run.recipe.name, model=str(folder), revision="", license="", attribution="",
        demonstration=True, context=min(run.recipe.model.context, 2 * preference.context),
        max_new_tokens=preference.new_tokens, end_token="", prompts=tuple(PROMPTS.items()),
        sampling=_sampling(preference), folder=folder,
    )  # fmt: skip
    try:
        return open_model(profile, EngineChoice(threads=run.threads), report=run.report)
    except ModelError as error:
        run.report(f"train prefer: {error}; transformers' generate writes the drafts")
        return open_model(profile, EngineChoice("generate", threads=run.threads), report=run.report)


def _pairs(
    run: Run, stage: StageFolder, preference: Preference, tokenizer: Any, drafts: list[Written]
) -> tuple[list[Pair], dict[str, Any]]:
    """The pairs in training order, and what the facts say of them; made once and kept. Raises ModelError."""
    path, facts = stage.work / PAIRS_FILE, stage.work / "pairs.json"
    if not path.exists():
        run.report("train prefer: judging the drafts and making pairs")
        pairs, made = _make_pairs(run, preference, tokenizer, drafts)
        run.report(f"train prefer: pairs {_counts(made['pairs'])}; drafts {_counts(made['gates'])}")
        if len(pairs) < preference.step_pairs:
            raise ModelError(
                f"train prefer: the gates made {len(pairs)} pairs, fewer than the {preference.step_pairs} of one step",
                hint="Train the stages before for longer, or write more drafts: [prefer] drafts in a recipe.",
            )
        write_facts(stage.work, made, facts.name)
        files.write(path, b"".join(map(_line, pairs)))
    try:
        lines = map(json.loads, files.read(path, "pairs of a stage").splitlines())
        names = ("prompt", "chosen", "rejected")
        return [Pair(line["kind"], *(tuple(line[name]) for name in names)) for line in lines], json.loads(
            files.read(facts, "facts of pairs")
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: damaged: {error}", hint="Delete the file: the pairs are made again.") from error


def _make_pairs(
    run: Run, preference: Preference, tokenizer: Any, drafts: list[Written]
) -> tuple[list[Pair], dict[str, Any]]:
    data, calibration = run.stage("data").needed(), load_calibration()
    corrupted, end = round(preference.pairs * preference.corrupted_share), tokenizer.eos_token_id
    judged: list[Judged] = judge_drafts(drafts, known_texts(data), calibration) if corrupted < preference.pairs else []
    dice, context, encode = random.Random(f"{run.recipe.seed} pairs"), preference.context, encoder(tokenizer)
    pairs = draft_pairs(judged, encode, end, most=preference.pairs - corrupted, context=context, dice=dice)
    pairs += corrupted_pairs(data, encode, end, calibration, most=corrupted, context=context, dice=dice)
    pairs = in_steps(pairs, preference, run.recipe.seed)
    kinds = Counter(pair.kind for pair in pairs)
    gates = Counter(one.refused or "accepted" for one in judged)
    own = [pair for pair in pairs if pair.kind == DRAFTS]
    return pairs, {
        "pairs": {"drafts": kinds[DRAFTS], "corrupted": kinds.total() - kinds[DRAFTS]},
        "kinds": dict(sorted(kinds.items())),
        "gates": dict(sorted(gates.items())),
        "chosen_share": round(gates["accepted"] / max(1, len(judged)), 4),
        "repeated_share": round(gates[REPEATS] / max(1, len(judged)), 4),
        "chosen_tokens": round(sum(len(pair.prompt) + len(pair.chosen) for pair in own) / max(1, len(own))),
        "rejected_tokens": round(sum(len(pair.prompt) + len(pair.rejected) for pair in own) / max(1, len(own))),
    }


def _counts(found: dict[str, int]) -> str:
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    return ", ".join(f"{name} {count}" for name, count in most)
