"""A low-rank adapter as peft itself writes it, for the tiny model."""

import json
import warnings
from pathlib import Path

from generator.model.weights import weights_sha256


def save_adapter(model_folder: Path, folder: Path, *, rank: int = 4, seed: int = 5) -> Path:
    """Random additions to all linear layers of the model in `model_folder`; peft's own merged model beside it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
        kind = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", init_lora_weights=False)
        model = get_peft_model(base, kind)
        model.save_pretrained(folder)
        model.merge_and_unload().save_pretrained(folder / "merged")
    name_base(folder, weights_sha256(model_folder))
    return folder


def name_base(folder: Path, sha256: str) -> None:
    (folder / "base.json").write_text(json.dumps({"model": "tiny", "sha256": sha256}))
