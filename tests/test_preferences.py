"""Preference tuning: pairs by the gates, exact token ids, kills at any point, and what goes wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from taught_model import save_taught
from training_runs import RECIPE, begun, silent

from generator.base.errors import ConfigError, ModelError
from generator.judge.calibration import load_calibration
from generator.model.interface import Brief
from generator.model.sampling_settings import Sampling
from generator.record.layouts import DIRECTIONS, PROMPTS
from generator.train import dpo, preferences
from generator.train.curve import read_curve
from generator.train.fitting import last_checkpoint
from generator.train.models import loaded, new_model, store, tokenizer_of
from generator.train.preferences import prefer
from generator.train.recipe import read_recipe
from generator.train.run import Run, open_run

PREFER = """
[prefer]
pairs = 9
drafts = 60
rate = 1e-3
corrupted_share = 0
chosen_weight = 0
step_pairs = 3
memory_pairs = 2
warmup_steps = 1
context = 250
new_tokens = 120
temperature = 1.35
min_p = 0.02
"""
CALIBRATION = load_calibration()
HERE = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
Preferred = tuple[Run, dict[str, Any]]


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose stage finetune left the taught model: of its drafts the gates accept some and refuse some."""
    folder = tmp_path_factory.mktemp("finetuned")
    begun(folder, RECIPE + PREFER)
    save_taught(folder / "finetune" / "model")
    return folder


def another(finetuned: Path, folder: Path, drafts: bytes = b"", recipe: str = RECIPE + PREFER, **options: Any) -> Run:
    """Another run from the same data and the same model, perhaps with drafts written already."""
    for name in ("data", "finetune"):
        shutil.copytree(finetuned / name, folder / name)
    if drafts:
        (folder / "prefer.part").mkdir()
        (folder / "prefer.part" / "drafts.jsonl").write_bytes(drafts)
    return begun(folder, recipe, **options)


@pytest.fixture(scope="module")
def preferred(finetuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Preferred:
    run = another(finetuned, tmp_path_factory.mktemp("preferred"))
    return run, prefer(run)


def drafts_of(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.folder / "prefer" / "drafts.jsonl").read_text().splitlines()]


def pairs_of(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.folder / "prefer" / "pairs.jsonl").read_text().splitlines()]


def margin(model: Any, pair: dict[str, Any]) -> float:
    """By how many nats the chosen text is likelier than the rejected one, without any trainer."""
    import torch

    def likelihood(own: list[int]) -> float:
        ids = torch.tensor([pair["prompt"] + own])
        with torch.inference_mode():
            scores = model.float()(input_ids=ids).logits[0, :-1].log_softmax(-1)
        return float(scores.gather(1, ids[0, 1:, None])[-len(own) :].sum())

    return likelihood(pair["chosen"]) - likelihood(pair["rejected"])


def encoder(folder: Path) -> Any:
    tokenizer = loaded(folder, 16)[0]
    return lambda text: tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids


def test_the_model_moves_towards_what_the_gates_accept(preferred: Preferred) -> None:
    run, facts = preferred
    assert facts["pairs"] == {"drafts": 9, "corrupted": 0}
    assert facts["steps"] == 3
    assert sum(facts["gates"].values()) == 60
    assert facts["chosen_share"] == round(facts["gates"]["accepted"] / 60, 4)
    curve = read_curve(run.folder / "prefer" / "curve.csv")
    assert [(line[0], int(line[1])) for line in curve] == [("prefer", 1), ("prefer", 2), ("prefer", 3)]
    assert curve[0][3] == "0.6931"  # the logarithm of 2: the reference is the model itself
    assert (
        int(curve[-1][2])
        == facts["tokens"]
        == sum(2 * len(pair["prompt"]) + len(pair["chosen"]) + len(pair["rejected"]) for pair in pairs_of(run))
    )
    _, model = loaded(run.folder / "prefer" / "model", 256)
    _, before = loaded(run.folder / "finetune" / "model", 256)
    assert model.state_dict().keys() == before.state_dict().keys()
    gained = [margin(model, pair) - margin(before, pair) for pair in pairs_of(run)]
    assert sum(gain > 0 for gain in gained) >= 7
    assert sum(gained) > 5
    left = {path.name for path in (run.folder / "prefer").iterdir()}
    assert left - {"begun.json"} == {"curve.csv", "drafts.jsonl", "facts.json", "model", "pairs.json", "pairs.jsonl"}


def test_training_has_the_threads_that_it_had_before_the_drafts(finetuned: Path, tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        prefer(replace(another(finetuned, tmp_path), threads=0))  # the engine that writes the drafts takes one
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_what_is_finished_is_not_done_again(preferred: Preferred) -> None:
    run, facts = preferred
    before = (run.folder / "prefer" / "model").stat().st_mtime_ns
    assert prefer(run) == facts
    assert (run.folder / "prefer" / "model").stat().st_mtime_ns == before


def test_a_pair_has_the_ids_that_the_model_reads_and_should_write(preferred: Preferred) -> None:
    run, _ = preferred
    encode = encoder(run.folder / "prefer" / "model")
    tokenizer = loaded(run.folder / "prefer" / "model", 16)[0]
    end = tokenizer.eos_token_id
    openings = [encode(PROMPTS[direction]) for direction in DIRECTIONS]
    raw = Counter((*encode(draft["text"]), *[end] * (draft["stop"] == "end")) for draft in drafts_of(run))
    for pair in pairs_of(run):
        chosen, rejected = pair["prompt"] + pair["chosen"], tuple(pair["prompt"] + pair["rejected"])
        assert any(pair["prompt"][: len(opening)] == opening for opening in openings)
        assert pair["chosen"][0] != pair["rejected"][0]
        assert chosen.count(end) == 1
        assert chosen[-1] == end
        text = tokenizer.decode(chosen[:-1])
        assert encode(text) == chosen[:-1]
        assert raw[rejected]
        assert not raw[tuple(chosen)] or text in {draft["text"] for draft in drafts_of(run)}


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(os.pathsep)
from generator.model.sampling_settings import Sampling
from generator.train import dpo, preferences
from generator.train.preferences import prefer
from generator.train.run import open_run
real = dpo._logged
def kill(run, stage, curve, step, tokens, logs):
    real(run, stage, curve, step, tokens, logs)
    if step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
dpo._logged = kill
prefer(open_run(Path(sys.argv[1]), print, threads=1, every=0))
"""


@pytest.mark.slow
def test_a_killed_stage_goes_on_to_the_same_model_by_the_same_curve(
    finetuned: Path, preferred: Preferred, tmp_path: Path
) -> None:
    done = (preferred[0].folder / "prefer" / "drafts.jsonl").read_bytes()
    lines = done.splitlines(keepends=True)
    run = another(finetuned, tmp_path, b"".join(lines[:37]) + lines[37][:50])  # killed while it wrote drafts
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), HERE], capture_output=True, check=False, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert "writing 23 drafts" in killed.stdout
    work = tmp_path / "prefer.part"
    assert (work / "checkpoint-2").is_dir()
    (work / "checkpoint-3").mkdir(exist_ok=True)  # torn: without its state
    said: list[str] = []
    facts = prefer(replace(run, report=said.append))
    assert any("going on at step 2 of 3" in line for line in said)
    assert not any("drafts" in line for line in said)
    theirs = preferred[0].folder / "prefer"
    assert (tmp_path / "prefer/model/model.safetensors").read_bytes() == (
        theirs / "model/model.safetensors"
    ).read_bytes()
    curves = [read_curve(folder / "curve.csv") for folder in (tmp_path / "prefer", theirs)]
    assert [line[:4] for line in curves[0]] == [line[:4] for line in curves[1]]
    assert {**facts, "seconds": 0} == {**preferred[1], "seconds": 0}
    assert pairs_of(run) == pairs_of(preferred[0])


def test_adapters_of_low_rank_become_part_of_the_weights_and_nobody_is_told(
    finetuned: Path, preferred: Preferred, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl.trainer import base_trainer

    told: list[object] = []
    monkeypatch.delenv("CI", raising=False)  # there trl tells nothing by itself
    monkeypatch.setattr(base_trainer, "send_telemetry", lambda **said: told.append(said))
    shape = '[model]\nbase = "./finetune/model"\nlora_rank = 2\ncontext = 256\n'
    recipe = RECIPE[: RECIPE.index("[model]")].replace("vocabulary = 400", "") + shape
    recipe += RECIPE[RECIPE.index("[broad]") :] + PREFER.replace("chosen_weight = 0", "chosen_weight = 0.2")
    drafts = (preferred[0].folder / "prefer" / "drafts.jsonl").read_bytes()
    run = another(finetuned, tmp_path, drafts, recipe)
    assert prefer(run)["steps"] == 3
    assert not told
    _, model = loaded(tmp_path / "prefer" / "model", 256)
    _, before = loaded(tmp_path / "finetune" / "model", 256)
    changed = {name for name, value in model.state_dict().items() if not value.equal(before.state_dict()[name])}
    assert "model.layers.0.self_attn.q_proj.weight" in changed
    assert "model.embed_tokens.weight" not in changed
    assert model.state_dict().keys() == before.state_dict().keys()


def test_a_loss_that_is_no_number_stops_and_only_memory_may_change(
    finetuned: Path, preferred: Preferred, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = (preferred[0].folder / "prefer" / "drafts.jsonl").read_bytes()
    run, real = another(finetuned, tmp_path, drafts, every=0), dpo._logged

    def spoilt(run, stage, curve, step, tokens, logs):  # type: ignore[no-untyped-def]
        real(run, stage, curve, step, tokens, {**logs, "loss": float("nan")} if step == 2 else logs)

    monkeypatch.setattr(dpo, "_logged", spoilt)
    with pytest.raises(ModelError, match="the loss at step 2 is nan") as caught:
        prefer(run)
    monkeypatch.setattr(dpo, "_logged", real)
    assert "rate of [prefer]" in caught.value.hint
    assert last_checkpoint(tmp_path / "prefer.part").name == "checkpoint-1"  # type: ignore[union-attr]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE + PREFER.replace("1e-3", "1e-4"))
    with pytest.raises(ConfigError, match="begun with another recipe"):
        prefer(open_run(tmp_path, silent, threads=1))
    recipe.write_text(RECIPE + PREFER.replace("memory_pairs = 2", "memory_pairs = 3"))
    assert prefer(open_run(tmp_path, silent, threads=1))["pairs"] == preferred[1]["pairs"]


def test_bad_files_and_too_few_pairs(finetuned: Path, preferred: Preferred, tmp_path: Path) -> None:
    run = another(finetuned, tmp_path / "damaged", b'{"index": 0}\n')
    with pytest.raises(ModelError, match="damaged") as caught:
        prefer(run)
    assert "Delete the file" in caught.value.hint
    refused = [json.dumps({**draft, "text": "# Patent"}) + "\n" for draft in drafts_of(preferred[0])]
    run = another(finetuned, tmp_path / "refused", "".join(refused).encode())
    with pytest.raises(ModelError, match="the gates made 0 pairs") as caught:
        prefer(run)
    assert "[prefer] drafts" in caught.value.hint
    with pytest.raises(ConfigError, match=r"it has no \[prefer\]"):
        prefer(another(finetuned, tmp_path / "without", recipe=RECIPE))
    with pytest.raises(ConfigError, match="the stage finetune is not finished"):
        prefer(begun(tmp_path / "early", RECIPE + PREFER))


def test_what_the_engine_cannot_run_transformers_writes(tmp_path: Path) -> None:
    told: list[str] = []
    run = replace(begun(tmp_path, RECIPE.replace("hidden = 32", "hidden = 24") + PREFER), report=told.append)
    tokenizer, preference = tokenizer_of(run), run.recipe.prefer
    assert preference
    store(new_model(run.recipe, len(tokenizer), tokenizer.eos_token_id), tokenizer, tmp_path / "narrow")
    model = preferences._open(run, preference, tmp_path / "narrow")
    (draft,) = model.drafts([Brief(0, "top-down", "", "", 1)], Sampling())
    assert draft.generation.stop
    assert any("heads of 12 columns" in line and "transformers' generate writes the drafts" in line for line in told)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pairs = 9", "pairs = 0", "above 0"),
        ("pairs = 9", "pairs = 2", "step_pairs at most pairs"),
        ("context = 250", "context = 500", "at most the model's 256"),
        ("new_tokens = 120", "new_tokens = 250", "below context"),
        ("warmup_steps = 1", "warmup_steps = 4", "at most the steps"),
        ("chosen_weight = 0", "beta = 0", "beta is above 0"),
        ("chosen_weight = 0", "chosen = 0", "chosen: not known"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE + PREFER.replace(f"\n{old}\n", f"\n{new}\n", 1))
    with pytest.raises(ConfigError, match=said):
        read_recipe(path)
