"""A package with a small language model as a GGUF file, as an index gives it out: a wheel that pip really fetches."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy

MEMBER = "tiny_words/tiny.Q4_1.gguf"
PROFILE = """
name = "tiny-package"
model = "pypi:tiny-words"
revision = "{version}"
license = "CC0-1.0"
attribution = "Random weights made for a test"
demonstration = true
context = 256
end_token = "<|end|>"
{more}

[files]
"{member}" = "{digest}"
"""


def write_gguf(model: Path, path: Path, *, architecture: str = "llama", left_out: str = "") -> None:
    """The tiny Llama of a folder as a GGUF file, its matrices in 4 bits; without the tensors that begin `left_out`."""
    import gguf
    from safetensors.torch import load_file

    config = json.loads((model / "config.json").read_text())
    words = json.loads((model / "tokenizer.json").read_text())["model"]
    writer = gguf.GGUFWriter(path, architecture)
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]
    writer.add_name("tiny")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(layers)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    # transformers gives each tokenizer of a GGUF file this token; without a row it would lie beyond the table.
    tokens = [*sorted(words["vocab"], key=words["vocab"].get)[:-1], "<|endoftext|>"]
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t.startswith("<|end") else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in words["merges"][:-1]])
    for add in (writer.add_bos_token_id, writer.add_eos_token_id, writer.add_pad_token_id):
        add(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)
    for name, tensor in load_file(model / "model.safetensors").items():
        there, values = names.get_name(name, try_suffixes=(".weight",)), tensor.float().numpy()
        if left_out and there.startswith(left_out):
            continue
        if name.endswith(("q_proj.weight", "k_proj.weight")):  # llama.cpp keeps the two halves of a head interleaved
            values = values.reshape(heads, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        if values.ndim == 1:
            writer.add_tensor(there, values)
        else:
            kind = gguf.GGMLQuantizationType.Q4_1
            writer.add_tensor(there, gguf.quantize(numpy.ascontiguousarray(values), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_wheel(folder: Path, version: str, files: dict[str, bytes]) -> Path:
    """A wheel that installers accept, with these files in it."""
    folder.mkdir(exist_ok=True)
    info, path = f"tiny_words-{version}.dist-info", folder / f"tiny_words-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-words\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def write_profile(path: Path, data: bytes, *, version: str = "0.1", member: str = MEMBER, **other: Any) -> Path:
    digest = other.get("digest", hashlib.sha256(data).hexdigest())
    path.write_text(PROFILE.format(version=version, member=member, digest=digest, more=other.get("more", "")))
    return path
