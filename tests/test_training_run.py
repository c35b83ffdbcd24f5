"""Runs of training, from data to model: what comes out, kills at any point, and what goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training_runs import RECIPE, begun, silent

from generator.base.errors import ConfigError, ModelError
from generator.corpus.documents import Document
from generator.train import fitting
from generator.train.curve import read_curve
from generator.train.finishing import MEASURED, finish, held_out_losses, read_facts, spread
from generator.train.fitting import explained, last_checkpoint
from generator.train.models import loaded
from generator.train.run import END, Run, begin_run, open_run
from generator.train.stages import finetune, pretrain

TODAY = "2026-11-22"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = begun(tmp_path_factory.mktemp("run"))
    pretrain(run)
    finetune(run)
    finish(run, "finetune", TODAY)
    return run


def test_the_model_loads_with_the_auto_classes_and_has_learnt(trained: Run) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = trained.folder / "model"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.config.use_cache
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o044 != 0o044} == set()  # all may read
    assert str(model.dtype) == "torch.bfloat16"
    assert tokenizer.eos_token == END
    text = "# Patent\n\n## Title\nFolding bracket"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    facts = read_facts(folder)
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert set(facts["held_out_loss"]) == {"description", "head", "top-down", "bottom-up", "specification"}
    for layout in ("head", "top-down", "bottom-up"):
        assert facts["held_out_loss"][layout] < 4.5  # 6.0 is what an untrained model has: the logarithm of 400


def test_held_out_losses_are_those_of_the_stored_weights_in_fp32(trained: Run) -> None:
    tokenizer, model = loaded(trained.folder / "model", trained.recipe.model.context)
    again = held_out_losses(model.float(), tokenizer, trained.folder / "data", trained.recipe.model.context)
    assert read_facts(trained.folder / "model")["held_out_loss"] == again


def test_everything_that_was_done_is_written_down(trained: Run) -> None:
    facts = read_facts(trained.folder / "model")
    assert [(stage["name"], stage["steps"], stage["tokens"]) for stage in facts["stages"]] == [
        ("broad", 40, 20_480), ("balanced", 20, 10_240), ("finetune", 20, 20_480),
    ]  # fmt: skip
    assert facts["stages"][0]["loss"] > facts["stages"][2]["loss"]
    assert facts["data"]["attributions"] == ["The town archive, CC0"]
    assert facts["recipe"]["model"]["hidden"] == 32
    curve = read_curve(trained.folder / "model" / "curve.csv")
    assert [(line[0], int(line[1])) for line in curve] == [
        *(("broad", step) for step in (10, 20, 30, 40)), ("balanced", 10), ("balanced", 20), ("finetune", 10),
        ("finetune", 20),
    ]  # fmt: skip
    assert float(curve[0][3]) > float(curve[3][3]) > float(curve[-1][3])
    card = (trained.folder / "model" / "README.md").read_text()
    for piece in (TODAY, "The town archive, CC0", str(facts["held_out_loss"]["top-down"]), "curve.svg"):
        assert piece in card
    assert (trained.folder / "model" / "curve.svg").read_bytes().startswith(b"<?xml")


def test_what_is_finished_is_not_done_again(trained: Run) -> None:
    folders = [trained.folder / name for name in ("broad", "balanced", "finetune", "model")]
    before = [folder.stat().st_mtime_ns for folder in folders]
    assert pretrain(trained)[0]["steps"] == 40
    assert finetune(trained)["steps"] == 20
    assert finish(trained, "finetune", "2030-01-01")["date"] == TODAY
    assert [folder.stat().st_mtime_ns for folder in folders] == before
    assert not list(trained.folder.glob("*.part"))
    assert not list(trained.folder.rglob("checkpoint-*"))


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(os.pathsep)
from generator.train import fitting
from generator.train.stages import finetune, pretrain
from training_runs import begun
real = fitting._logged
def kill(run, stage, phase, curve, step, loss):
    real(run, stage, phase, curve, step, loss)
    if (stage.name, step) == ("broad", 30):
        os.kill(os.getpid(), signal.SIGKILL)
fitting._logged = kill
run = begun(Path(sys.argv[1]), every=0)
pretrain(run)
"""


def test_a_killed_run_goes_on_to_the_same_model_by_the_same_curve(trained: Run, tmp_path: Path) -> None:
    here = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), here], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert (tmp_path / "broad.part" / "checkpoint-20").is_dir()
    (tmp_path / "broad.part" / "checkpoint-30").mkdir(exist_ok=True)  # torn: without its state
    said: list[str] = []
    run = begun(tmp_path, report=said.append)
    pretrain(run)
    finetune(run)
    finish(run, "finetune", TODAY)
    assert any("going on at step 20 of 40" in line for line in said)
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "model" / name).read_bytes() == (trained.folder / "model" / name).read_bytes()
    curves = [read_curve(folder / "model" / "curve.csv") for folder in (tmp_path, trained.folder)]
    assert [line[:4] for line in curves[0]] == [line[:4] for line in curves[1]]


def test_two_processes_do_not_train_one_stage(trained: Run, tmp_path: Path) -> None:
    from generator.base.errors import LogError

    run = begun(tmp_path)
    with (
        run.stage("broad").begun({"a": 1}),
        pytest.raises(LogError, match="another process"),
        run.stage("broad").begun({"a": 1}),
    ):
        pass


def test_stages_come_in_order(tmp_path: Path) -> None:
    run = begun(tmp_path)
    with pytest.raises(ConfigError, match="the stage balanced is not finished") as caught:
        finetune(run)
    assert "prior-art train pretrain" in caught.value.hint
    with pytest.raises(ConfigError, match="no training run begins here") as caught:
        open_run(tmp_path / "nowhere", silent)
    assert "prior-art train data" in caught.value.hint


def test_a_changed_recipe_is_refused_but_for_memory(trained: Run, tmp_path: Path) -> None:
    path = trained.folder / "recipe.toml"
    try:
        path.write_text(RECIPE.replace("row_tokens = 256", "row_tokens = 128"))
        assert pretrain(open_run(trained.folder, silent, threads=1))[0]["steps"] == 40
        path.write_text(RECIPE.replace("muon_rate = 0.02", "muon_rate = 0.01"))
        with pytest.raises(ConfigError, match="begun with another recipe") as caught:
            pretrain(open_run(trained.folder, silent, threads=1))
        assert "delete" in caught.value.hint
    finally:
        path.write_text(RECIPE)
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.replace("seed = 3", "seed = 4"))
    with pytest.raises(ConfigError, match="a run with another recipe is here"):
        begin_run(trained.folder, other, silent)


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fitting._logged

    def spoilt(run, stage, phase, curve, step, loss):  # type: ignore[no-untyped-def]
        real(run, stage, phase, curve, step, loss if step < 20 else float("nan"))

    monkeypatch.setattr(fitting, "_logged", spoilt)
    run = begun(tmp_path, every=0)
    with pytest.raises(ModelError, match="the loss at step 20 is nan") as caught:
        pretrain(run)
    assert "rates" in caught.value.hint
    assert last_checkpoint(tmp_path / "broad.part").name == "checkpoint-10"  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_middle_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    """A real full disk: the process may write files of at most 100 kB, and then not even finish a checkpoint."""
    here = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
    run = begun(tmp_path)
    program = KILLED.replace('("broad", 30)', '("broad", 99)').replace(
        "pretrain(run)\n",
        "import resource\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from transformers import TrainerCallback\n"
        "logged = fitting._logged\n"
        "def full(run, stage, phase, curve, step, loss):\n"
        "    if step == 20:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "    logged(run, stage, phase, curve, step, loss)\n"
        "fitting._logged = full\n"
        "from generator.base.errors import PressError\n"
        "try:\n"
        "    pretrain(run)\n"
        "except PressError as error:\n"
        "    print(error, '|', error.hint)\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), here], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "cannot be written" in done.stdout
    assert "same command again" in done.stdout
    assert last_checkpoint(tmp_path / "broad.part").name == "checkpoint-10"  # type: ignore[union-attr]
    said: list[str] = []
    pretrain(Run(tmp_path, run.recipe, said.append, threads=1))
    assert any("going on at step 10" in line for line in said)


def test_too_little_memory_says_what_to_lower() -> None:
    import torch

    with pytest.raises(ModelError, match="too little memory") as caught, explained("broad", "row_tokens"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
    assert "row_tokens of [broad]" in caught.value.hint
    assert "last checkpoint" in caught.value.hint


def test_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    run = Run(tmp_path, begun(tmp_path).recipe, silent, device="cuda")
    with pytest.raises(ModelError, match="finds no GPU"):
        pretrain(run)


def test_corrupt_weights_of_a_stage_are_named(trained: Run, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(trained.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "model")
    shutil.rmtree(tmp_path / "run" / "finetune")
    (tmp_path / "run" / "finetune.json").unlink()
    weights = tmp_path / "run" / "balanced" / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="do not load"):
        finetune(open_run(tmp_path / "run", silent, threads=1))


def test_checkpoints_are_made_by_time(tmp_path: Path) -> None:
    run = begun(tmp_path, every=1e9)
    began = time.time()
    pretrain(run)
    assert time.time() - began < 60
    assert json.loads((tmp_path / "broad" / "facts.json").read_text())["steps"] == 40


def test_of_many_documents_some_are_measured_from_all_over() -> None:
    some = [Document(str(number), "Valve", "", ()) for number in range(1_000)]
    assert spread(some[:MEASURED]) == some[:MEASURED]
    assert spread(some) == some[::3]
