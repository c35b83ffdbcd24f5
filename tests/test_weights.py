"""A model's files: which there are, their digests, and what is said of those that cannot be used."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import tiny_model

from generator.base.errors import ConfigError, ModelError
from generator.model.interface import EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import load_profile, read_profile
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
    assert "more" not in str(error.value)


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


ENGINES = [("prior-art", "fp32"), ("prior-art", "bf16"), ("generate", "fp32"), ("generate", "bf16")]


def open_with(profile, engine: str, number_format: str):
    choice = EngineChoice(engine=engine, number_format=number_format, threads=1, batch=2)
    return open_model(profile, choice, report=lambda _: None)


@pytest.mark.parametrize(("engine", "number_format"), ENGINES)
@pytest.mark.parametrize("missing", [1, 100, 200, 300])
def test_a_tokenizer_beyond_the_embedding(folder, profile, engine, number_format, missing):
    import transformers

    rows = transformers.AutoConfig.from_pretrained(folder).vocab_size
    config = transformers.LlamaConfig(
        vocab_size=rows - missing, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=256, bos_token_id=0, eos_token_id=0, pad_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    with pytest.raises(ModelError, match=f"has ids up to {rows - 1}, the embedding {rows - missing} rows"):
        open_with(profile, engine, number_format)


@pytest.mark.parametrize(("engine", "number_format"), ENGINES)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_on_both_engines(folder, profile, engine, number_format, value):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][0] = value
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"model\.norm\.weight are not all finite"):
        open_with(profile, engine, number_format)


@pytest.mark.parametrize("kind", ["bloom", "mpt"])
def test_an_architecture_without_positions_names_the_other_engine(folder, profile, kind):
    import transformers

    rows = transformers.AutoConfig.from_pretrained(folder).vocab_size
    if kind == "bloom":
        config = transformers.BloomConfig(
            vocab_size=rows, hidden_size=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
        )
        model = transformers.BloomForCausalLM(config)
    else:
        model = transformers.MptForCausalLM(
            transformers.MptConfig(vocab_size=rows, d_model=32, n_layers=2, n_heads=2, eos_token_id=0)
        )
    model.save_pretrained(folder)
    with pytest.raises(ModelError, match=f"cannot run the architecture {kind}") as error:
        open_with(profile, "prior-art", "fp32")
    assert "--engine generate" in error.value.hint
    assert open_with(profile, "generate", "fp32")


def test_a_models_folder_is_no_profile(folder):
    with pytest.raises(ConfigError, match="a folder, and a profile is a TOML file") as error:
        load_profile(str(folder), folder.parent)
    assert f'model = "{folder}"' in error.value.hint
