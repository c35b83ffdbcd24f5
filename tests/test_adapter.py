"""Adapters: merged when the model is opened, as peft merges them; refused where they are of another base or form."""

import json
import re

import pytest
import tiny_adapter
import tiny_model

from generator.base.errors import ModelError
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import load, open_model
from generator.model.profiles import read_profile
from generator.model.sampling_settings import Sampling
from generator.model.weights import Weights, weights_of, weights_sha256


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("adapter")
    model = tiny_model.save_tiny(root / "model")
    return model, tiny_adapter.save_adapter(model, root / "adapter")


@pytest.fixture
def here(made, tmp_path):
    """A copy of the adapter that a test may damage, and a profile with it."""
    import shutil

    model, adapter = made
    shutil.copytree(adapter, tmp_path / "adapter", ignore=shutil.ignore_patterns("merged"))
    path = tiny_model.write_profile(tmp_path / "p.toml", model)
    path.write_text('adapter = "./adapter"\n' + path.read_text())
    return read_profile(path), tmp_path / "adapter"


def test_merged_it_is_the_model_that_peft_merges(made, here):
    import torch
    from safetensors.torch import load_file

    model, adapter = made
    _, merged = load(here[0], model)
    expected, plain = load_file(adapter / "merged/model.safetensors"), load_file(model / "model.safetensors")
    found = merged.state_dict()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)
    changed = {name for name in expected if not torch.equal(expected[name], plain[name])}
    assert len(changed) == 2 * 7  # all linear layers


def test_shards_with_an_index_are_read_as_one_file(here):
    from safetensors.torch import load_file, save_file

    profile, adapter = here
    whole = load_file(adapter / "adapter_model.safetensors")
    _, before = load(profile, profile.folder)
    parts = [dict(list(whole.items())[n::2]) for n in range(2)]
    names = [f"adapter_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    for name, part in zip(names, parts, strict=True):
        save_file(part, adapter / name, {"format": "pt"})
    index = {"weight_map": {key: name for name, part in zip(names, parts, strict=True) for key in part}}
    (adapter / "adapter_model.safetensors.index.json").write_text(json.dumps(index))
    (adapter / "adapter_model.safetensors").unlink()
    _, after = load(profile, profile.folder)
    assert all((a == b).all() for a, b in zip(before.parameters(), after.parameters(), strict=True))
    (adapter / names[0]).unlink()
    with pytest.raises(ModelError, match=r"weight file .* is missing"):
        load(profile, profile.folder)


def test_a_draft_names_base_and_adapter(here):
    profile, adapter = here
    weights = weights_of(profile, profile.folder)
    assert weights == Weights(weights_sha256(profile.folder), weights_sha256(adapter, "adapter_model"))
    drafts = {}
    for name, one in (("with", profile), ("without", read_profile(_bare(profile, adapter)))):
        opened = open_model(one, EngineChoice(batch=1, threads=1, number_format="fp32"), report=lambda _: None)
        drafts[name] = next(iter(opened.drafts([Brief(0, "top-down", "", "", 3)], Sampling("0"))))
    assert drafts["with"].generation.adapter_sha256 == weights.adapter != ""
    assert drafts["without"].generation.adapter_sha256 == ""
    assert {one.generation.weights_sha256 for one in drafts.values()} == {weights.base}
    assert drafts["with"].text != drafts["without"].text


def _bare(profile, adapter):
    return tiny_model.write_profile(adapter.parent / "bare.toml", profile.folder)


def test_the_digest_of_both_is_made_as_it_is_documented():
    import hashlib

    lines = f"{'a' * 64}  base\n{'b' * 64}  adapter\n"
    assert Weights("a" * 64, "b" * 64).sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert Weights("a" * 64).sha256 == "a" * 64


def refused(profile):
    with pytest.raises(ModelError) as error:
        load(profile, profile.folder)
    assert error.value.hint
    return str(error.value)


def test_an_adapter_of_another_base(here):
    profile, adapter = here
    tiny_adapter.name_base(adapter, "c" * 64)
    said = refused(profile)
    assert f"of another base: tiny with the SHA-256 {'c' * 64}" in said
    assert weights_sha256(profile.folder) in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("base.json", None),
        ("base.json", "[]"),
        ("adapter_config.json", None),
        ("adapter_config.json", "{"),
        ("adapter_model.safetensors", None),
        ("adapter_model.safetensors", "not weights"),
    ],
)
def test_files_that_are_missing_or_damaged(here, name, content):
    profile, adapter = here
    if content is None:
        (adapter / name).unlink()
    else:
        (adapter / name).write_text(content)
    assert str(adapter) in refused(profile)


@pytest.mark.parametrize(
    "change",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"bias": "all"},
        {"peft_type": "IA3"},
        {"rank_pattern": {"q_proj": 2}},
        {"modules_to_save": ["lm_head"]},
        {"r": 8},
        {"r": "4"},
        {"r": 0},
        {"lora_alpha": None},
        {"lora_alpha": True},
        {"fan_in_fan_out": True},
    ],
)
def test_adapters_that_are_no_plain_sum(here, change):
    profile, adapter = here
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, **change}))
    said = refused(profile)
    assert next(iter(change)) in said or "not of its shape" in said


@pytest.mark.parametrize("kind", ["nan", "shape", "half", "name", "table", "empty"])
def test_weights_that_do_not_fit(here, kind):
    import torch
    from safetensors.torch import load_file, save_file

    profile, adapter = here
    tensors = load_file(adapter / "adapter_model.safetensors")
    first = sorted(tensors)[0]
    if kind == "nan":
        tensors[first][0, 0] = float("nan")
    elif kind == "shape":
        tensors[first] = tensors[first][:, :-1].contiguous()
    elif kind == "half":
        del tensors[first]
    elif kind == "name":
        tensors = {name.replace(".layers.1.", ".layers.9."): tensor for name, tensor in tensors.items()}
    elif kind == "table":
        tensors["base_model.model.lm_head.lora_A.weight"] = torch.ones(4, 32)
        tensors["base_model.model.lm_head.lora_B.weight"] = torch.ones(400, 4)
    else:
        tensors = {}
    save_file(tensors, adapter / "adapter_model.safetensors", {"format": "pt"})
    wanted = {
        "nan": "not all finite", "shape": "not of its shape", "half": "not of its shape", "name": "has no matrix",
        "table": "has no matrix lm_head", "empty": "is empty",
    }  # fmt: skip
    assert re.search(wanted[kind], refused(profile))
