"""What the decoder needs to know of a transformers model: its layers as plain values, read from the modules."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generator.model.engine.kernels import ACTIVATIONS

FIXED_ROTATIONS = ("default", "linear", "llama3", "yarn")  # frequencies that do not change with the length


@dataclass(frozen=True, slots=True)
class Norm:
    weight: Any
    bias: Any
    epsilon: float
    centred: bool


@dataclass(frozen=True, slots=True)
class Linear:
    weight: Any
    bias: Any


@dataclass(frozen=True, slots=True)
class Layer:
    """`joined` gives [queries | keys | values], `up` also [gate | up] where the activation is gated."""

    before_attention: Norm
    before_mlp: Norm
    joined: Linear
    out: Linear
    up: Linear
    down: Linear


@dataclass(frozen=True, slots=True)
class Architecture:
    """A decoder. `parallel`: attention and MLP read the same state. `cosine`, `sine`: (positions, columns)."""

    layers: tuple[Layer, ...]
    vocabulary: Any
    last: Norm
    head: Linear
    heads: int
    kv_heads: int
    head_width: int
    factor: float
    cosine: Any
    sine: Any
    activation: int
    gated: bool
    parallel: bool

    @property
    def width(self) -> int:
        return int(self.vocabulary.shape[1])


def layer_shapes(model: Any) -> tuple[tuple[int, int], ...]:
    """Shapes (N, K) of the linear modules of a model's layers, each once, without the output over the vocabulary."""
    import torch

    last = model.get_output_embeddings()
    shapes = {tuple(m.weight.shape) for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not last}
    return tuple(sorted(shapes))


def read_architecture(model: Any, positions: int) -> Architecture | None:
    """The architecture of a loaded model, with rotations for `positions`; None if the decoder has no such layers."""
    readers: dict[str, Callable[[Any, int], Architecture]] = {
        "gpt_neox": _gpt_neox,
        "llama": _llama,
        "mistral": _llama,
        "qwen2": _llama,
    }
    config = model.config
    reader = readers.get(config.model_type)
    known = (
        reader is not None
        and config.rope_parameters.get("rope_type", "default") in FIXED_ROTATIONS
        and config.hidden_act in ACTIVATIONS
        and getattr(config, "sliding_window", None) is None
        and model.get_output_embeddings().bias is None
        and _head_width(config) % 16 == 0
    )
    return reader(model, positions) if reader and known else None


def _head_width(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _norm(module: Any, centred: bool) -> Norm:
    epsilon = module.eps if centred else module.variance_epsilon
    return Norm(module.weight, getattr(module, "bias", None), float(epsilon), centred)


def _linear(*modules: Any) -> Linear:
    """Several linear modules of the same input as one."""
    import torch

    weight = torch.cat([m.weight for m in modules]) if len(modules) > 1 else modules[0].weight
    if all(m.bias is None for m in modules):
        return Linear(weight, None)
    biases = [torch.zeros(len(m.weight), dtype=m.weight.dtype) if m.bias is None else m.bias for m in modules]
    return Linear(weight, torch.cat(biases))


def _rotations(rotary: Any, example: Any, positions: int) -> tuple[Any, Any]:
    """Cosines and sines as the model's own module gives them, rounding of its number format included."""
    import torch

    with torch.inference_mode():
        cosine, sine = rotary(example, torch.arange(positions)[None])
    return cosine[0].float().numpy(), sine[0].float().numpy()


def _architecture(
    model: Any, body: Any, positions: int, layers: tuple[Layer, ...], *, last: Norm, kv_heads: int, gated: bool,
    parallel: bool,
) -> Architecture:  # fmt: skip
    """What is read in the same way from every known model."""
    config, vocabulary = model.config, model.get_input_embeddings().weight
    cosine, sine = _rotations(body.rotary_emb, vocabulary, positions)
    return Architecture(
        layers=layers,
        vocabulary=vocabulary,
        last=last,
        head=_linear(model.get_output_embeddings()),
        heads=config.num_attention_heads,
        kv_heads=kv_heads,
        head_width=_head_width(config),
        factor=_head_width(config) ** -0.5,
        cosine=cosine,
        sine=sine,
        activation=ACTIVATIONS[config.hidden_act],
        gated=gated,
        parallel=parallel,
    )


def _gpt_neox(model: Any, positions: int) -> Architecture:
    import torch

    config, body = model.config, model.gpt_neox
    heads, width = config.num_attention_heads, _head_width(config)
    # Its joined product gives query, key and value head by head; here all queries come first, then keys, then values.
    order = torch.arange(heads * 3 * width).view(heads, 3, width).transpose(0, 1).reshape(-1)

    def joined(module: Any) -> Linear:
        return Linear(module.weight[order], None if module.bias is None else module.bias[order])

    layers = tuple(
        Layer(
            _norm(layer.input_layernorm, True),
            _norm(layer.post_attention_layernorm, True),
            joined(layer.attention.query_key_value),
            _linear(layer.attention.dense),
            _linear(layer.mlp.dense_h_to_4h),
            _linear(layer.mlp.dense_4h_to_h),
        )
        for layer in body.layers
    )
    return _architecture(
        model, body, positions, layers, last=_norm(body.final_layer_norm, True), kv_heads=heads, gated=False,
        parallel=bool(config.use_parallel_residual),
    )  # fmt: skip


def _llama(model: Any, positions: int) -> Architecture:
    body = model.model
    layers = tuple(
        Layer(
            _norm(layer.input_layernorm, False),
            _norm(layer.post_attention_layernorm, False),
            _linear(layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj),
            _linear(layer.self_attn.o_proj),
            _linear(layer.mlp.gate_proj, layer.mlp.up_proj),
            _linear(layer.mlp.down_proj),
        )
        for layer in body.layers
    )
    return _architecture(
        model, body, positions, layers, last=_norm(body.norm, False), kv_heads=model.config.num_key_value_heads,
        gated=True, parallel=False,
    )  # fmt: skip
