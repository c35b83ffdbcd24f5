"""Continuing a model that exists: all of its weights, or low-rank additions; and bases that do not fit."""

import json
import shutil
from pathlib import Path

import pytest
from training_runs import RECIPE, begun

from generator.base.errors import ModelError
from generator.train.curve import read_curve
from generator.train.finishing import finish, read_facts
from generator.train.models import first_model, new_model, store, tokenizer_of
from generator.train.run import Run
from generator.train.stages import finetune, pretrain

SHAPE = "hidden = 32\nlayers = 2\nheads = 2\nkv_heads = 1\nintermediate = 64\n"
CONTINUED = (
    RECIPE.replace(SHAPE, 'base = "./base"\n').replace("vocabulary = 400\n", "").replace("muon_rate = 0.02\n", "")
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of no training, stored as transformers stores one."""
    run = begun(tmp_path_factory.mktemp("new"))
    tokenizer = tokenizer_of(run)
    store(new_model(run.recipe, len(tokenizer), tokenizer.eos_token_id), tokenizer, run.folder / "base")
    return run.folder / "base"


def continued(folder: Path, base: Path, more: str = "") -> Run:
    shutil.copytree(base, folder / "base")
    return begun(folder, CONTINUED.replace('base = "./base"\n', f'base = "./base"\n{more}'))


@pytest.mark.parametrize("more", ["", "lora_rank = 4\n"], ids=["all weights", "LoRA"])
def test_a_model_is_continued(base: Path, tmp_path: Path, more: str) -> None:
    import torch
    from safetensors.torch import load_file

    run = continued(tmp_path, base, more)
    assert not (tmp_path / "data" / "tokenizer.json").exists()
    pretrain(run)
    finetune(run)
    finish(run, "finetune", "2026-11-22")
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "model"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    if more:
        assert changed
        assert all("_proj" in name for name in changed)  # embeddings and norms are as they were
    else:
        assert changed == set(before)
    assert after["model.norm.weight"].dtype == torch.float32  # as the base is stored
    assert (tmp_path / "model" / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    curve = [float(line[3]) for line in read_curve(tmp_path / "broad" / "curve.csv")]
    assert curve[-1] < curve[0]
    assert read_facts(tmp_path / "model")["recipe"]["model"]["base"] == "./base"
    assert "./base" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.slow
def test_low_rank_additions_go_on_after_a_kill(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from generator.train import fitting

    class Killed(BaseException):
        pass

    whole = continued(tmp_path / "whole", base, "lora_rank = 4\n")
    pretrain(whole)
    real = fitting._logged

    def kill(run, stage, phase, curve, step, loss):  # type: ignore[no-untyped-def]
        real(run, stage, phase, curve, step, loss)
        if step == 30:
            raise Killed

    halves = continued(tmp_path / "halves", base, "lora_rank = 4\n")
    monkeypatch.setattr(fitting, "_logged", kill)
    with pytest.raises(Killed):
        pretrain(Run(halves.folder, halves.recipe, halves.report, threads=1, every=0))
    monkeypatch.undo()
    said: list[str] = []
    pretrain(Run(halves.folder, halves.recipe, said.append, threads=1))
    assert any("going on at step 20" in line for line in said)
    curves = [[line[:4] for line in read_curve(run.folder / "balanced" / "curve.csv")] for run in (whole, halves)]
    assert curves[0] == curves[1]


def test_a_tokenizer_that_is_not_the_models_is_refused(base: Path, tmp_path: Path) -> None:
    run = continued(tmp_path, base)
    path = tmp_path / "base" / "tokenizer.json"
    value = json.loads(path.read_text())
    value["model"]["vocab"]["unheard"] = 5000
    value["added_tokens"] += [
        {"id": 400 + n, "content": f"<more{n}>", "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True} for n in range(9)
    ]  # fmt: skip
    path.write_text(json.dumps(value))
    with pytest.raises(ModelError, match=r"the tokenizer has ids up to \d+, the embedding 400 rows"):
        pretrain(run)


def test_a_base_with_fewer_positions_than_the_recipe_wants(base: Path, tmp_path: Path) -> None:
    run = continued(tmp_path, base)
    path = tmp_path / "base" / "config.json"
    path.write_text(path.read_text().replace('"max_position_embeddings": 256', '"max_position_embeddings": 128'))
    with pytest.raises(ModelError, match="the model has 128 positions") as caught:
        first_model(run, None)
    assert "Lower context to 128" in caught.value.hint


def test_corrupt_weights_of_a_base_are_named(base: Path, tmp_path: Path) -> None:
    run = continued(tmp_path, base)
    path = tmp_path / "base" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="do not load"):
        pretrain(run)
