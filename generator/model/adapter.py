"""An adapter: low-rank additions (LoRA, Hu et al. 2021, arXiv 2106.09685) to a model's matrices, merged at opening.

The folder is of the form that peft writes: adapter_config.json and adapter_model.safetensors, or shards of it with an
index. `base.json` names the weights that it was trained on. peft is not needed: a matrix W becomes W + alpha / r * B A.
"""

import re
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ModelError, PressError
from generator.model.weights import ADAPTER, weight_files

CONFIG, BASE = "adapter_config.json", "base.json"
_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight")
# Members of adapter_config.json that would make another sum of it, with the values that do not.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none", None),
    "use_dora": (False, None),
    "use_rslora": (False, None),
    "fan_in_fan_out": (False, None),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "modules_to_save": ([], None),
    "lora_bias": (False, None),
    "trainable_token_indices": ([], {}, None),
}


def merge(model: Any, folder: Path, base_sha256: str) -> Any:
    """The model in fp32 with the adapter in its weights. `base_sha256` is that of the model's own weights.

    Raises ModelError for an adapter of another base or another shape, of a kind that is no plain sum, or not finite.
    """
    import torch

    rank, factor = _scale(folder, base_sha256)
    pairs = _pairs(folder)
    model = model.float()
    modules = dict(model.named_modules())
    with torch.no_grad():
        for name, pair in sorted(pairs.items()):
            module = modules.get(name)
            if not isinstance(module, torch.nn.Linear) or module is model.get_output_embeddings():
                raise ModelError(f"{folder}: the model has no matrix {name} that an adapter can change", hint=_HINT)
            if set(pair) != {"A", "B"} or not _fits(module, pair, rank):
                raise ModelError(f"{folder}: the additions to {name} are not of its shape", hint=_HINT)
            added = factor * (pair["B"].float() @ pair["A"].float())
            if not bool(torch.isfinite(added).all()):
                raise ModelError(f"{folder}: the additions to {name} are not all finite", hint=_HINT)
            module.weight += added
    return model


_HINT = "Fetch or train the adapter again; it may be damaged, or of another model."


def _scale(folder: Path, base_sha256: str) -> tuple[int, float]:
    """r and alpha / r of an adapter that is of this base and a plain sum."""
    try:
        base = files.read_object(folder / BASE, hint=_HINT)
        config = files.read_object(folder / CONFIG, hint=_HINT)
    except PressError as error:
        raise ModelError(f"{folder}: no adapter: {error}", hint=_HINT) from error
    if base.get("sha256") != base_sha256:
        raise ModelError(
            f"{folder}: the adapter is of another base: {base.get('model', 'unnamed')} with the SHA-256 "
            f"{base.get('sha256', 'none')}; the weights here have {base_sha256}",
            hint="Name in the profile the base that the adapter was trained on.",
        )
    for name, plain in _PLAIN.items():
        if config.get(name) not in plain:
            raise ModelError(
                f"{folder}: {CONFIG}: {name} = {config.get(name)!r} is not merged here",
                hint="Merge it with peft (merge_and_unload) and name the merged folder as the profile's model.",
            )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if type(rank) is not int or not isinstance(alpha, int | float) or alpha is True or rank < 1:
        raise ModelError(f"{folder}: {CONFIG}: r = {rank!r}, lora_alpha = {alpha!r}: numbers are expected", hint=_HINT)
    return rank, float(alpha) / rank


def _pairs(folder: Path) -> dict[str, dict[str, Any]]:
    """The factors A (r, in) and B (out, r) by the name of the matrix that they change."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    pairs: dict[str, dict[str, Any]] = {}
    try:
        found = {name: tensor for path in weight_files(folder, ADAPTER) for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder}: the adapter's weights do not load: {error}", hint=_HINT) from error
    for name, tensor in found.items():
        key = _KEY.fullmatch(name)
        if not key:
            raise ModelError(f"{folder}: {name} is no low-rank addition", hint=_HINT)
        pairs.setdefault(key[1], {})[key[2]] = tensor
    if not pairs:
        raise ModelError(f"{folder}: the adapter is empty", hint=_HINT)
    return pairs


def _fits(module: Any, pair: dict[str, Any], rank: int) -> bool:
    out, width = module.weight.shape
    return tuple(pair["A"].shape) == (rank, width) and tuple(pair["B"].shape) == (out, rank)
