"""A model's files: which there are, their digests, and what is said of those that cannot be used."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import tiny_model

from generator.base.errors import ModelError
from generator.model.interface import EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import read_profile
from generator.model.weights import model_folder, weight_files, weights_sha256


@pytest.fixture
def folder(tmp_path):
    return tiny_model.save_tiny(tmp_path / "model")


@pytest.fixture
def profile(folder, tmp_path):
    return read_profile(tiny_model.write_profile(tmp_path / "tiny.toml", folder))


def opened(profile, **options):
    choice = EngineChoice(**{"batch": 4, "threads": 1, "number_format": "fp32", **options})
    return open_model(profile, choice, report=lambda _: None)


def test_weights_in_several_files_have_one_digest(tmp_path):
    folder = tiny_model.save_tiny(tmp_path / "sharded", shards=True)
    files = weight_files(folder)
    assert len(files) > 1
    lines = subprocess.run(
        ["sha256sum", *sorted(f.name for f in files)], cwd=folder, capture_output=True, check=True
    ).stdout
    assert weights_sha256(folder) == hashlib.sha256(lines).hexdigest()
    files[0].unlink()
    with pytest.raises(ModelError, match=r"weight file .* is missing"):
        weight_files(folder)


def test_weights_that_do_not_load(folder, profile):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="do not load"):
        opened(profile)
    (folder / "model.safetensors").write_bytes(b"\xff" * 2000)
    with pytest.raises(ModelError, match="do not load"):
        opened(profile)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        opened(profile)


def test_weights_of_another_shape(folder, profile):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ModelError, match=r"lack .* of config\.json|do not load"):
        opened(profile)


def test_weights_that_are_not_finite(folder, profile):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.layers.0.self_attn.k_proj.weight"][3, 4] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"model\.layers\.0\.self_attn\.k_proj\.weight are not all finite") as error:
        opened(profile)
    assert "damaged" in error.value.hint


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_folder_that_is_no_model(folder, profile, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"holds no {name}") as error:
        model_folder(profile)
    assert "save_pretrained" in error.value.hint


def test_a_folder_that_is_not_there(profile, tmp_path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        opened(replace(profile, folder=tmp_path / "nothing"))


def in_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_no_hub(tmp_path):
    """Nothing listens on port 9: what a machine without a network sees."""
    code = (
        "from pathlib import Path\nfrom generator.base.errors import ModelError\n"
        "from generator.model.weights import model_folder\n"
        "from generator.model.profiles import load_profile\n"
        "try: model_folder(load_profile('kl3m-002-170m-patent', Path('.')))\n"
        "except ModelError as error: print(error, '|', error.hint)"
    )
    message = in_python(code, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path), HF_HUB_DISABLE_PROGRESS_BARS="1")
    assert "alea-institute/kl3m-002-170m-patent at revision main: neither in the cache nor from the hub" in message
    assert "--profile starter" in message


def test_no_torch():
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from pathlib import Path\nfrom generator.base.errors import ModelError\n"
        "from generator.model.interface import EngineChoice\n"
        "from generator.model.loading import open_model\nfrom generator.model.profiles import load_profile\n"
        "try: open_model(load_profile('starter', Path('.')), EngineChoice(), report=print)\n"
        "except ModelError as error: print(error, '|', error.hint)"
    )
    assert (
        "The package torch is not installed, and models need it | Run: pip install 'prior-art-press[model]'"
        in in_python(code)
    )
