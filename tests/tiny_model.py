"""A real language model that is small enough for tests: a Llama of 40,000 random weights with its own BPE tokenizer."""

from pathlib import Path
from typing import Any

from generator.record.layouts import DIRECTIONS, write_layout

END = "<|end|>"
TEXTS = [
    write_layout(direction, title, abstract, claims)
    for direction in DIRECTIONS
    for title, abstract, claims in [
        (
            "Valve with a spring",
            "A valve has a body and a spring.",
            ["A valve, comprising a body.", "The valve of claim 1."],
        ),
        (
            "Method for making tea",
            "Tea is made.",
            ["A method for making tea, comprising: heating water; and adding tea."],
        ),
    ]
]

PROFILE = """
name = "tiny"
model = "{folder}"
license = "CC0-1.0"
attribution = "Random weights made for a test"
demonstration = true
context = {context}
"""


def save_tiny(folder: Path, *, positions: int = 256, seed: int = 1, shards: bool = False) -> Path:
    """Write model and tokenizer into `folder`; its config says `use_cache: false`, as some real ones do."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[END], initial_alphabet=alphabet, show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        use_cache=False,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder, **({"max_shard_size": "60KB"} if shards else {}))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, bos_token=END, pad_token=END).save_pretrained(
        folder
    )
    return folder


def write_profile(path: Path, folder: Path, *, context: int = 256, more: str = "") -> Path:
    path.write_text(PROFILE.format(folder=folder, context=context) + more)
    return path


def plain(model: Any, ids: list[int], steps: int) -> list[int]:
    """Greedy tokens by `steps` whole forward passes without a cache: the slow way that cannot be wrong."""
    import torch

    made: list[int] = []
    for _ in range(steps):
        logits = model(input_ids=torch.tensor([ids + made]), use_cache=False).logits
        made.append(int(logits[0, -1].argmax()))
        if made[-1] == 0:
            break
    return made
