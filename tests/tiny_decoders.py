"""Small decoders with random weights, of the architectures that the engine reads; their shapes all differ."""

from typing import Any

import numpy

PAGE = 64
POSITIONS = 256
SAMPLE = list(range(1, 40))  # ids of the text by which an engine is compared with its model
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
        "num_key_value_heads": 2, "attention_bias": True, "mlp_bias": True,
    },
    "llama3": {  # heads wider than the model's width divided by their number
        "model_type": "llama", "hidden_size": 40, "intermediate_size": 112, "num_attention_heads": 4,
        "num_key_value_heads": 1, "head_dim": 48, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                            "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    },
    "qwen2": {
        "model_type": "qwen2", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2,
        "num_key_value_heads": 1,
    },
    "gpt_neox": {  # the published model's: parallel, a quarter of the columns turned
        "model_type": "gpt_neox", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25},
    },
    "gpt_neox-sequential": {
        "model_type": "gpt_neox", "hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 3,
        "use_parallel_residual": False, "hidden_act": "gelu_new", "attention_bias": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0},
    },
}  # fmt: skip


def decoder_model(name: str, *, seed: int = 1, dtype: str = "float32", vocabulary: int = 211) -> Any:
    """The transformers model. Norms and biases are random as well: left at one and zero they could be forgotten."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    shape = dict(SHAPES[name])
    config = AutoConfig.for_model(
        shape.pop("model_type"), vocab_size=vocabulary, num_hidden_layers=2, max_position_embeddings=POSITIONS,
        initializer_range=0.15, bos_token_id=0, eos_token_id=0, pad_token_id=0, **shape,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn(parameter.shape) * 0.2)
    return model.to(getattr(torch, dtype)).eval()


class Rows:
    """A decoder's workspace with pages for `rows` rows, in no order."""

    def __init__(self, decoder: Any, rows: int) -> None:
        pages = rows * (POSITIONS // PAGE)
        self._work = decoder.workspace(rows, pages)
        self.table = numpy.random.default_rng(3).permutation(pages).reshape(rows, -1).astype(numpy.int32)

    def step(self, tokens: Any, positions: Any, rows: Any = None) -> Any:
        """Float64 logits (R, V)."""
        import torch

        table = self.table if rows is None else self.table[rows]
        with torch.inference_mode():
            numbers, scales = self._work.step(
                numpy.asarray(tokens, numpy.int32), numpy.asarray(positions, numpy.int32), table
            )
        if numbers.dtype == numpy.uint16:
            numbers = (numbers.astype(numpy.uint32) << 16).view(numpy.float32)
        return numbers.astype(numpy.float64) * scales[: len(numbers), None].astype(numpy.float64)


def whole_logits(model: Any, ids: Any) -> Any:
    """transformers' logits (rows, positions, vocabulary) of `ids` (rows, positions), without a cache, in float64."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.as_tensor(ids), use_cache=False).logits.double().numpy()
