"""An adapter as a stage leaves it: low-rank additions apart from the weights, in the form that model/adapter reads."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.base import files
from generator.model.adapter import BASE, CONFIG
from generator.model.weights import ADAPTER, weight_files

SHARD = "16MB"
PLAIN = ("llama", "qwen3")  # kinds of models whose loss and attention are those of train/loss and model/attention


def store_adapter(model: Any, folder: Path, base: Mapping[str, str], *, weights: str = "float32") -> None:
    """Write the additions of a model of peft. `base`: `model` and `sha256` of the weights that they belong to."""
    import torch
    from huggingface_hub import split_torch_state_dict_into_shards
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    found = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: found[name].detach().to("cpu", getattr(torch, weights)).contiguous() for name in sorted(found)}
    parts = split_torch_state_dict_into_shards(
        tensors, filename_pattern=f"{ADAPTER}{{suffix}}.safetensors", max_shard_size=SHARD
    )
    for name, members in parts.filename_to_tensors.items():
        save_file({member: tensors[member] for member in members}, folder / name, metadata={"format": "pt"})
        (folder / name).chmod(0o644)  # safetensors leaves them readable for their owner alone
    if parts.is_sharded:
        index = {"metadata": parts.metadata, "weight_map": dict(sorted(parts.tensor_to_filename.items()))}
        files.write(folder / f"{ADAPTER}.safetensors.index.json", _bytes(index))
    kind = {name: value for name, value in model.peft_config["default"].to_dict().items() if name != "runtime_config"}
    kind |= {"base_model_name_or_path": base["model"], "inference_mode": True}  # not a path of this machine
    files.write(folder / CONFIG, _bytes(_plain(kind)))
    files.write(folder / BASE, _bytes({"model": base["model"], "sha256": base["sha256"]}))


def go_on(model: Any, folder: Path) -> None:
    """Give a model of peft the additions that a stage before left, so that they are trained on."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    for path in weight_files(folder, ADAPTER):
        set_peft_model_state_dict(model, load_file(path))


def only_adapters(model: Any, *, in_blocks: Any = None) -> None:
    """Take the quicker ways to train where all weights but additions are frozen, and the model is of a plain kind.

    The loss comes without a tensor of all logits and without a gradient for the output table. Attention is done in
    blocks where the weights are of the number format `in_blocks`: others leave queries and values in two formats.
    """
    from generator.model.attention import register

    inside = model.get_base_model()
    config = inside.config
    other = config.model_type not in PLAIN or getattr(config, "use_sliding_window", False)
    if other or getattr(config, "attention_dropout", 0):
        return
    inside.loss_in_parts = True
    if inside.get_input_embeddings().weight.dtype == in_blocks:
        inside.set_attn_implementation(register())


def _plain(value: Any) -> Any:
    """As JSON has it, in an order that no run changes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
