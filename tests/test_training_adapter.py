"""A run that ends as an adapter: the base of a profile, continued, killed, stored, opened; and what is refused."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from test_training_recipe import read
from tiny_model import save_tiny
from training_runs import RECIPE, begun, sources

from generator.base.errors import ConfigError, ModelError
from generator.model.loading import load
from generator.model.profiles import load_profile
from generator.model.weights import weights_of, weights_sha256
from generator.train.curve import read_curve
from generator.train.finishing import finish, held_out_losses, read_facts
from generator.train.models import stage_model
from generator.train.preparing import prepare
from generator.train.rows import times_seen
from generator.train.run import Run
from generator.train.stages import finetune, pretrain, stage_facts

PROFILE = """
name = "tiny"
model = "./base"
license = "CC0-1.0"
attribution = "Random weights made for a test"
data = "None; the weights are random."
context = 256
"""
FINETUNE = RECIPE[RECIPE.index("[finetune]") :]
ALONE = f"""
name = "small"
seed = 3
license = "CC0-1.0"
attribution = "Nobody"
[data]
held_out = 0.1
[model]
base = "./tiny.toml"
context = 256
lora_rank = 4
output = "adapter"
{FINETUNE}"""
PREFER = "[prefer]\npairs = 40\ndrafts = 40\nrate = 1e-4\ncontext = 256\nnew_tokens = 99\nstep_pairs = 4\n"


def folder_with_base(folder: Path, *, seed: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    save_tiny(folder / "base", seed=seed)
    (folder / "tiny.toml").write_text(PROFILE)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = begun(folder_with_base(tmp_path_factory.mktemp("adapter")), ALONE)
    assert pretrain(run) == []
    finetune(run)
    finish(run, "finetune", "2026-12-01")
    return run


def opened(run: Run, adapter: Path):  # type: ignore[no-untyped-def]
    """By a profile of a user, as it is opened to write."""
    path = run.folder / "mine.toml"
    path.write_text(f'{PROFILE}adapter = "{adapter}"\n')
    profile = load_profile("mine.toml", run.folder)
    return profile, *load(profile, run.folder / "base")


def test_the_adapter_is_opened_by_a_profile_and_has_learnt(trained: Run) -> None:
    folder, base = trained.folder / "model", trained.folder / "base"
    facts = read_facts(folder)
    profile, tokenizer, model = opened(trained, folder)
    again = held_out_losses(model.float(), tokenizer, trained.folder / "data", 256)
    assert facts["held_out_loss"] == again
    plain_tokenizer, plain = load(load_profile("tiny.toml", trained.folder), base)
    before = held_out_losses(plain.float(), plain_tokenizer, trained.folder / "data", 256)
    assert again["top-down"] < before["top-down"] - 0.3
    digests = weights_of(profile, base)
    assert facts["weights_sha256"] == digests.sha256
    assert facts["base"] == {"model": "base", "sha256": weights_sha256(base), "data": "None; the weights are random."}
    assert facts["adapter_sha256"] == hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_only_the_additions_are_stored_and_no_path_of_the_machine(trained: Run) -> None:
    from safetensors.torch import load_file

    for stage, numbers in (("model", "torch.bfloat16"), ("finetune/model", "torch.float32")):
        folder = trained.folder / stage
        tensors = load_file(folder / "adapter_model.safetensors")
        assert {str(tensor.dtype) for tensor in tensors.values()} == {numbers}
        assert all(".lora_" in name for name in tensors)
        assert not list(folder.glob("model*.safetensors"))
        config = json.loads((folder / "adapter_config.json").read_text())
        assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 8, "base")
        assert config["target_modules"] == sorted(config["target_modules"])
    for path in (trained.folder / "model").iterdir():
        assert str(trained.folder).encode() not in path.read_bytes(), path.name


def test_peft_itself_reads_the_adapter(trained: Run) -> None:
    import warnings

    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    ids = torch.tensor([[1, 7, 30, 2, 9]])
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(trained.folder / "base", dtype=torch.float32)
        theirs = PeftModel.from_pretrained(base, str(trained.folder / "model"))(input_ids=ids).logits
        ours = opened(trained, trained.folder / "model")[2].float()(input_ids=ids).logits
    assert torch.allclose(theirs, ours, atol=1e-4)


def test_shards_are_read_back_whole(trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from generator.train import adapters
    from generator.train.models import trained as with_additions

    model = with_additions(stage_model(trained, "finetune"), trained.recipe.model, 3)
    adapters.go_on(model, trained.folder / "finetune" / "model")
    monkeypatch.setattr(adapters, "SHARD", "4KB")
    adapters.store_adapter(model, tmp_path / "cut", read_facts(trained.folder / "model")["base"], weights="bfloat16")
    shards = list((tmp_path / "cut").glob("adapter_model-*.safetensors"))
    assert len(shards) > 2
    assert {path.stat().st_mode & 0o044 for path in shards} == {0o044}  # all may read
    _, _, one = opened(trained, trained.folder / "model")
    _, _, other = opened(trained, tmp_path / "cut")
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_the_card_says_what_the_base_was_trained_on_and_how_often_patents_were_seen(trained: Run) -> None:
    card = (trained.folder / "model" / "README.md").read_text()
    facts = read_facts(trained.folder / "model")
    assert "continued from base, low-rank additions (LoRA) of rank 4, kept apart from the weights" in card
    assert "Training data of the base, base: None; the weights are random." in card
    assert f"refused on any other base than the one with the SHA-256 `{facts['base']['sha256']}`" in card
    assert "AutoModelForCausalLM" not in card
    seen = times_seen([stage_facts(trained.stage("finetune"))["epochs"]])
    assert seen > 1
    assert f"| times that a whole patent was seen, in all formats | {seen:,.2f} |" in card


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(os.pathsep)
from generator.train import fitting
from generator.train.stages import finetune
from test_training_adapter import ALONE, folder_with_base
from training_runs import begun
real = fitting._logged
def kill(run, stage, phase, curve, step, loss):
    real(run, stage, phase, curve, step, loss)
    if step == 20:
        os.kill(os.getpid(), signal.SIGKILL)
fitting._logged = kill
finetune(begun(folder_with_base(Path(sys.argv[1])), ALONE, every=0))
"""


def test_a_killed_run_goes_on_to_the_same_adapter_bit_for_bit(trained: Run, tmp_path: Path) -> None:
    here = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), here], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert (tmp_path / "finetune.part" / "checkpoint-10").is_dir()
    said: list[str] = []
    run = begun(tmp_path, ALONE, report=said.append)
    finetune(run)
    finish(run, "finetune", "2026-12-01")
    assert any("going on at step 10 of 20" in line for line in said)
    for name in ("finetune/model/adapter_model.safetensors", "model/adapter_model.safetensors", "model/base.json"):
        assert (tmp_path / name).read_bytes() == (trained.folder / name).read_bytes(), name
    curves = [read_curve(folder / "model" / "curve.csv") for folder in (tmp_path, trained.folder)]
    assert [line[:4] for line in curves[0]] == [line[:4] for line in curves[1]]


def test_another_base_is_refused_when_it_goes_on_and_when_it_is_opened(trained: Run, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(trained.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "base")
    shutil.rmtree(tmp_path / "run" / "model")
    other = Run(folder_with_base(tmp_path / "run", seed=2), trained.recipe, trained.report, threads=1)
    with pytest.raises(ConfigError, match="begun with another recipe or other data"):
        finetune(other)
    with pytest.raises(ModelError, match="the adapter is of another base: base with the SHA-256"):
        opened(other, trained.folder / "model")


@pytest.mark.slow
def test_an_adapter_goes_through_all_phases(tmp_path: Path) -> None:
    """The second phase begins with the additions of the first: its first losses are not those of the base."""
    import torch
    from safetensors.torch import load_file

    phases = RECIPE[RECIPE.index("[broad]") :].replace("muon_rate = 0.02\n", "")
    phases = phases.replace("tokens = 10_240", "tokens = 5_120").replace("tokens = 20_480", "tokens = 10_240")
    recipe = ALONE.replace(FINETUNE, phases)
    run = begun(folder_with_base(tmp_path), recipe)
    assert [facts["name"] for facts in pretrain(run)] == ["broad", "balanced"]
    finetune(run)
    facts = finish(run, "finetune", "2026-12-01")
    assert [stage["name"] for stage in facts["stages"]] == ["broad", "balanced", "finetune"]
    files = [tmp_path / stage / "model" / "adapter_model.safetensors" for stage in ("broad", "balanced", "finetune")]
    changes = [load_file(path) for path in files]
    name = next(name for name in changes[0] if "lora_A" in name)
    steps = [float((one[name] - other[name]).norm()) for one, other in pairwise(changes)]
    assert all(0 < step < float(changes[0][name].norm()) for step in steps)  # moved on, not begun anew
    assert torch.isfinite(changes[2][name]).all()


def test_the_quick_ways_are_the_same_sums(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loss and gradients of additions, by blocks and a frozen table, against transformers' own, all in fp32."""
    import torch

    from generator.train import fitting
    from generator.train.adapters import only_adapters
    from generator.train.loss import next_token_loss
    from generator.train.models import trained as with_additions

    monkeypatch.setattr(fitting, "half", lambda _: False)
    ids = torch.randint(1, 200, (2, 150), generator=torch.Generator().manual_seed(1))
    found = []
    for quick in (False, True):
        model = with_additions(stage_model(trained, "finetune"), trained.recipe.model, 3)
        if quick:
            only_adapters(model, in_blocks=torch.float32)
            inside = model.get_base_model()
            assert inside.config._attn_implementation == "blocks"
            hidden = inside.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
            loss = next_token_loss(
                hidden.reshape(-1, 32), inside.get_output_embeddings().weight, ids[:, 1:].reshape(-1)
            )
        else:
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        found.append((loss.item(), gradients))
    (one, theirs), (other, ours) = found
    assert one == pytest.approx(other, abs=1e-5)
    assert theirs.keys() == ours.keys()
    assert all(".lora_" in name for name in ours)
    for name, gradient in theirs.items():
        assert torch.allclose(gradient, ours[name], atol=1e-5), name


def test_more_rounds_than_the_recipe_allows_are_refused_before_training(tmp_path: Path) -> None:
    run = begun(folder_with_base(tmp_path), ALONE.replace("seed = 3", "seed = 3\ntimes_seen = 0.5"))
    with pytest.raises(ConfigError, match=r"a whole patent would be seen \d+\.\d\d times, and times_seen is"):
        finetune(run)
    assert not (tmp_path / "finetune.part").exists()
    said: list[str] = []
    more = begun(tmp_path, ALONE.replace("seed = 3", "seed = 3\ntimes_seen = 50"), said.append)
    prepare(more, sources(tmp_path))  # the data do not hang on the limit
    finetune(more)
    assert any("by its end a whole patent is seen" in line for line in said)


def test_times_are_those_of_all_whole_formats_and_phases() -> None:
    first = {"top-down": 1.5, "bottom-up": 0.5, "specification": 0.25, "head": 9.0, "description": 4.0}
    assert times_seen([first, {"top-down": 0.75}]) == 3.0


@pytest.mark.parametrize(
    ("change", "into", "said"),
    [
        (FINETUNE, "", "finetune: missing"),
        ("lora_rank = 4\n", "", r"lora_rank: 1 or more where output is \"adapter\""),
        ("lora_rank = 4", "lora_rank = 0", r"lora_rank: 1 or more where output is \"adapter\""),
        ("lora_rank = 4", "lora_rank = -4", "lora_rank is 0 or more"),
        ('output = "adapter"', 'output = "both"', "output one of merged, adapter"),
        ('base = "./tiny.toml"', 'base = "scribble"', "base = 'scribble': neither a path nor owner/name nor one of"),
        ('base = "./tiny.toml"', 'base = "scribe"\nrevision = "0.1.2"', "revision: a profile names its own"),
        ("seed = 3", "seed = 3\ntimes_seen = -1", "times_seen: 0 for no limit"),
        ("seed = 3", "seed = 3\ntimes_seen = nan", "times_seen: 0 for no limit"),
        ("[finetune]", f"{PREFER}[finetune]", r"\[prefer\]: a recipe whose output is .adapter. ends after fine-tuning"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, change: str, into: str, said: str) -> None:
    assert change in ALONE
    with pytest.raises(ConfigError, match=said) as caught:
        read(tmp_path, ALONE.replace(change, into, 1))
    assert "recipe.toml" in str(caught.value)


@pytest.mark.parametrize("phase", ["broad", "balanced"])
def test_a_new_model_needs_all_phases(tmp_path: Path, phase: str) -> None:
    start = RECIPE.index(f"[{phase}]")
    without = RECIPE[:start] + RECIPE[RECIPE.index("\n[", start) + 1 :]
    with pytest.raises(ConfigError, match=rf"\[{phase}\]: a new model needs this phase"):
        read(tmp_path, without)


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = begun(tmp_path, ALONE)
    with pytest.raises(ConfigError, match=r"\./tiny\.toml: neither a built-in model profile nor a TOML file"):
        finetune(run)


def test_the_allocator_is_told_once_and_a_users_choice_stays() -> None:
    program = "from generator.train.allocation import keep_freed_memory; print(keep_freed_memory())"
    found = []
    for more in ({}, {"MALLOC_TOP_PAD_": "65536"}):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
        done = subprocess.run([sys.executable, "-c", program], env=clean | more, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    glibc = sys.platform.startswith("linux") and "glibc" in os.confstr("CS_GNU_LIBC_VERSION")  # type: ignore[operator]
    assert ("MALLOC_MMAP_THRESHOLD_" in found[0]) == glibc
    assert ("MALLOC_TOP_PAD_" in found[0]) == glibc
    assert "MALLOC_TOP_PAD_" not in found[1]
