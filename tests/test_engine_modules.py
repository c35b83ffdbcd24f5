"""Models whose layers the decoder does not know, through their own modules: against transformers, in each format."""

import copy
from typing import Any

import numpy
import pytest
import torch
from tiny_decoders import POSITIONS, SAMPLE, Rows, whole_logits
from transformers import AutoConfig, AutoModelForCausalLM

from generator.base.errors import ModelError
from generator.model.engine.architecture import read_architecture
from generator.model.engine.modules import ModulesDecoder
from generator.model.engine.opening import pack
from generator.model.engine.products import possible

LENGTH = 70  # beyond a page
BOUNDS = {"fp32": 1e-4, "bf16": 0.1, "int8": 0.3}  # of the norm of the logits
SHAPES: dict[str, dict[str, Any]] = {
    "qwen3": {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
              "head_dim": 32},
    "gpt2": {"n_embd": 32, "n_head": 2, "n_layer": 2, "n_positions": POSITIONS},
    "bloom": {"hidden_size": 32, "n_head": 2, "n_layer": 2},
    "mistral": {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
                "sliding_window": 8},
    "lfm2": {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
             "layer_types": ["conv", "full_attention"]},
}  # fmt: skip


def made(name: str, dtype: Any = torch.float32) -> Any:
    torch.manual_seed(1)
    config = AutoConfig.for_model(
        name, vocab_size=211, num_hidden_layers=2, max_position_embeddings=POSITIONS, initializer_range=0.15,
        bos_token_id=0, eos_token_id=0, pad_token_id=0, **SHAPES[name],
    )  # fmt: skip
    return AutoModelForCausalLM.from_config(config).to(dtype).eval()


@pytest.mark.parametrize("number_format", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("name", ["qwen3", "gpt2"])
def test_logits_are_those_of_transformers(name: str, number_format: Any) -> None:
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    model = made(name, torch.bfloat16 if number_format == "bf16" else torch.float32)
    exact = copy.deepcopy(model).float()
    assert read_architecture(model, POSITIONS) is None
    decoder, formats, _ = pack(model, number_format, "auto", SAMPLE)
    assert isinstance(decoder, ModulesDecoder)
    assert formats == number_format
    ids = numpy.random.default_rng(0).integers(1, 211, (3, LENGTH))
    rows = Rows(decoder, 3)
    found = numpy.stack([rows.step(ids[:, at], [at] * 3) for at in range(LENGTH)], axis=1)
    expected = whole_logits(exact, ids)
    size = numpy.linalg.norm(expected - expected.mean(axis=-1, keepdims=True))
    assert numpy.linalg.norm(found - expected) / size < BOUNDS[number_format]
    alone = Rows(decoder, 1)
    first = numpy.stack([alone.step(ids[:1, at], [at]) for at in range(LENGTH)], axis=1)
    assert numpy.array_equal(first[0], found[0])  # to the last bit, whatever stands beside it


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bloom", "cannot run the architecture bloom"),
        ("mistral", "its attention asks for sliding"),
        ("lfm2", "with layers of conv"),
    ],
)
@pytest.mark.parametrize("number_format", ["fp32", "int8"])
def test_what_it_cannot_run_is_refused(name: str, why: str, number_format: Any) -> None:
    """Whatever the format: int8 logits may differ so much that a lost state would not be seen by them."""
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    with pytest.raises(ModelError, match=why) as error:
        pack(made(name), number_format, "auto", SAMPLE)
    assert "--engine generate" in error.value.hint
