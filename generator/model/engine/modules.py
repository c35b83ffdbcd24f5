"""Models whose layers the decoder does not know: their transformers modules, as they are, with this engine's attention.

Rows are sequences of length 1 with position ids of their own. The attention function, registered with transformers'
AttentionInterface, keeps each row's key and value in its pages and attends to them; linear modules multiply by packed
weights. Slower than `decoder` by what torch needs for the small operations between.
"""

import threading
import time
from functools import cache
from typing import Any

from generator.base.errors import ModelError
from generator.model.engine.cache import CacheShape
from generator.model.engine.kernels import attention, keep, narrow
from generator.model.engine.products import NumberFormat, Operand, Product

NAME = "prior-art-pages"
STATELESS = frozenset(("full_attention", "sliding_attention", "attention", "dense", "sparse"))
_here = threading.local()  # the workspace whose step this thread is in


class ModulesDecoder:
    """A transformers model, its linear modules packed in place. Shared by all lanes. Raises ModelError."""

    def __init__(self, model: Any, number_format: NumberFormat, cache_format: NumberFormat) -> None:
        from transformers import AttentionInterface

        config = model.config.get_text_config()
        width = int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
        heads = int(getattr(config, "num_key_value_heads", None) or config.num_attention_heads)
        if not model._supports_attention_backend or width % 16:
            raise ModelError(
                f"the engine cannot run the architecture {config.model_type} with heads of {width} columns",
                hint="It needs transformers' attention interface and heads of a multiple of 16. Use: --engine generate",
            )
        if others := sorted(set(getattr(config, "layer_types", None) or ()) - STATELESS):
            raise ModelError(
                f"the engine cannot run the architecture {config.model_type} with layers of {', '.join(others)}",
                hint="It keeps the state of attention alone. Use: --engine generate",
            )
        AttentionInterface.register(NAME, _attend)
        self.number_format, self._config = number_format, config
        self.cache = CacheShape(int(config.num_hidden_layers), heads, width, cache_format)
        self.attend = attention(width, int(config.num_attention_heads) // heads, self.cache.scaled)
        self.vocabulary_size = int(model.get_output_embeddings().weight.shape[0])
        self.model = _packed(model, number_format)
        self.model.set_attn_implementation(NAME)

    @property
    def products(self) -> tuple[Product, ...]:
        return tuple(m.product for m in self.model.modules() if isinstance(m, _linear_class()))

    @property
    def weight_bytes(self) -> int:
        parameters = sum(p.numel() * p.element_size() for p in self.model.parameters())
        return int(parameters + sum(p.bytes for p in self.products))

    @property
    def row_bytes(self) -> int:
        return 12 * self.vocabulary_size + 200 * int(self._config.hidden_size) + (64 << 10)

    def workspace(self, rows: int, pages: int) -> "ModulesWorkspace":
        return ModulesWorkspace(self, rows, pages)


class ModulesWorkspace:
    """The pages of one lane, and where its rows stand."""

    def __init__(self, decoder: ModulesDecoder, rows: int, pages: int) -> None:
        import numpy

        self.decoder, self.pages = decoder, decoder.cache.pages(pages)
        self._ones = numpy.ones(rows, dtype=numpy.float32)
        self.positions, self.table = None, None
        self.seconds = {"products": 0.0, "attention": 0.0, "rest": 0.0}

    def step(self, tokens: Any, positions: Any, table: Any) -> tuple[Any, Any]:
        """As Workspace.step of the decoder."""
        import torch

        started, before = time.perf_counter(), self.seconds["products"] + self.seconds["attention"]
        self.positions, self.table = positions, table
        _here.space = self
        ids = torch.from_numpy(tokens).long()[:, None]
        places = torch.from_numpy(positions).long()[:, None]
        logits = self.decoder.model(input_ids=ids, position_ids=places, use_cache=False).logits[:, 0]
        spent = self.seconds["products"] + self.seconds["attention"] - before
        self.seconds["rest"] += time.perf_counter() - started - spent
        return logits.float().contiguous().numpy(), self._ones


def _attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **options: Any
) -> tuple[Any, None]:
    """The attention function: query (R, H, 1, W), key and value (R, K, 1, W) -> (R, 1, H, W)."""
    import torch

    space = _here.space
    unknown = [name for name in ("sliding_window", "softcap", "s_aux") if options.get(name) is not None]
    if unknown or attention_mask is not None or query.shape[2] != 1:
        raise ModelError(
            f"the engine cannot run this architecture: its attention asks for {', '.join(unknown) or 'a mask'}",
            hint="Use: --engine generate",
        )
    started = time.perf_counter()
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    queries = (query[:, :, 0].float() * factor).contiguous().numpy()
    keys, key_scales, values, value_scales = space.pages[module.layer_idx]
    keep(key[:, :, 0].float().contiguous().numpy(), space.positions, space.table, keys, key_scales)
    keep(value[:, :, 0].float().contiguous().numpy(), space.positions, space.table, values, value_scales)
    out = torch.empty(queries.shape)
    space.decoder.attend(queries, space.positions, space.table, keys, key_scales, values, value_scales, out.numpy())
    space.seconds["attention"] += time.perf_counter() - started
    return out.to(query.dtype)[:, None], None


@cache
def _linear_class() -> Any:
    import torch

    class Packed(torch.nn.Module):  # type: ignore[misc]
        """A linear module on packed weights."""

        def __init__(self, linear: Any, number_format: NumberFormat) -> None:
            super().__init__()
            self.product, self.number_format = Product(linear.weight, number_format), number_format
            self.bias = None if linear.bias is None else torch.nn.Parameter(linear.bias.detach(), requires_grad=False)
            self.in_features, self.out_features = linear.in_features, linear.out_features

        def forward(self, x: Any) -> Any:
            started = time.perf_counter()
            rows = x.reshape(-1, x.shape[-1])
            if self.number_format == "int8":
                operand = Operand(len(rows), rows.shape[1], "int8")
                narrow(rows.float().contiguous().numpy(), operand.numbers, operand.scales)
                y = (self.product.tensor(operand.tensor).float() * torch.from_numpy(operand.scales)[:, None]).to(
                    x.dtype
                )
            else:
                y = self.product.tensor(rows)
            y = y if self.bias is None else y + self.bias
            _here.space.seconds["products"] += time.perf_counter() - started
            return y.view(*x.shape[:-1], -1)

    return Packed


def _packed(model: Any, number_format: NumberFormat) -> Any:
    import torch

    packed = _linear_class()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is torch.nn.Linear:
                setattr(parent, name, packed(child, number_format))
    return model
