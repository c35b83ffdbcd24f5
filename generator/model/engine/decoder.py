"""One step of a model: a token for each row in, logits for each row out, keys and values into the rows' pages."""

import time
from dataclasses import dataclass
from typing import Any

from generator.model.engine.architecture import Architecture, Linear, Norm
from generator.model.engine.cache import CacheShape
from generator.model.engine.kernels import activate, add, attention, gather, narrow, normalise, placing
from generator.model.engine.products import NumberFormat, Operand, Product


@dataclass(frozen=True, slots=True)
class _Layer:
    before_attention: Norm
    before_mlp: Norm
    joined: tuple[Product, Any]
    out: tuple[Product, Any]
    up: tuple[Product, Any]
    down: tuple[Product, Any]


class Decoder:
    """A model's weights, packed. Shared by all lanes, and never written after it is made."""

    def __init__(self, architecture: Architecture, number_format: NumberFormat, cache_format: NumberFormat) -> None:
        self.shape, self.number_format = architecture, number_format
        self.cache = CacheShape(len(architecture.layers), architecture.kv_heads, architecture.head_width, cache_format)
        self.layers = tuple(
            _Layer(
                _norm(layer.before_attention),
                _norm(layer.before_mlp),
                self._linear(layer.joined),
                self._linear(layer.out),
                self._linear(layer.up),
                self._linear(layer.down),
            )
            for layer in architecture.layers
        )
        self.last = _norm(architecture.last)
        self.head = Product(architecture.head.weight, number_format, wide=True)
        self.vocabulary = _kept(architecture.vocabulary, number_format)
        self.attend = attention(self.cache.width, architecture.heads // architecture.kv_heads, self.cache.scaled)
        self.place = placing(architecture.head_width, architecture.cosine.shape[1])

    def _linear(self, linear: Linear) -> tuple[Product, Any]:
        import numpy

        bias = numpy.zeros(len(linear.weight), dtype=numpy.float32)
        if linear.bias is not None:
            bias = linear.bias.detach().float().numpy().copy()
        return Product(linear.weight, self.number_format), bias

    @property
    def products(self) -> tuple[Product, ...]:
        inner = (pair[0] for x in self.layers for pair in (x.joined, x.out, x.up, x.down))
        return (*inner, self.head)

    @property
    def weight_bytes(self) -> int:
        return sum(p.bytes for p in self.products) + int(self.vocabulary.nbytes)

    @property
    def row_bytes(self) -> int:
        """What a row needs besides pages: logits, activations, its text."""
        return 8 * int(self.head.shape[0]) + 40 * self.shape.width + (64 << 10)

    def workspace(self, rows: int, pages: int) -> "Workspace":
        return Workspace(self, rows, pages)


def _norm(norm: Norm) -> Norm:
    """Its weight and bias as arrays of float32."""
    import numpy

    weight = norm.weight.detach().float().numpy().copy()
    bias = numpy.zeros_like(weight) if norm.bias is None else norm.bias.detach().float().numpy().copy()
    return Norm(weight, bias, norm.epsilon, norm.centred)


def _kept(weight: Any, number_format: NumberFormat) -> Any:
    """Embeddings as an array: float32, or else bfloat16."""
    import torch

    weight = weight.detach()
    if number_format == "fp32":
        return weight.float().numpy().copy()
    return weight.to(torch.bfloat16).view(torch.uint16).numpy().copy()


class Workspace:
    """What one lane writes while it decodes: the cache's pages and the activations of up to `rows` rows."""

    def __init__(self, decoder: Decoder, rows: int, pages: int) -> None:
        import numpy

        shape, form = decoder.shape, decoder.number_format
        self.decoder, self._cache = decoder, decoder.cache.pages(pages)
        self._state = numpy.zeros((rows, shape.width), numpy.float32)
        self._queries = numpy.zeros((rows, shape.heads, shape.head_width), numpy.float32)
        self._mixed = numpy.zeros((rows, shape.heads, shape.head_width), numpy.float32)
        self._one = Operand(rows, shape.width, form)
        self._two = Operand(rows, shape.width, form)
        self._attended = Operand(rows, shape.heads * shape.head_width, form)
        self._inner = Operand(rows, shape.layers[0].down.weight.shape[1], form)
        self.seconds = {"products": 0.0, "attention": 0.0, "rest": 0.0}

    def step(self, tokens: Any, positions: Any, table: Any) -> tuple[Any, Any]:
        """Token ids (R), positions (R), the rows' pages (R, pages of a row) -> logits (R, V) as (numbers, scales)."""
        clock, seconds = time.perf_counter, self.seconds
        decoder, shape, n = self.decoder, self.decoder.shape, len(tokens)
        state, queries, mixed = self._state[:n], self._queries[:n], self._mixed[:n]
        flat = mixed.reshape(n, -1)
        one, two, attended, inner = (
            (x.tensor[:n], x.numbers[:n], x.scales) for x in (self._one, self._two, self._attended, self._inner)
        )
        at = clock()

        def product(weights: Product, x: Any) -> Any:
            nonlocal at
            before = clock()
            seconds["rest"] += before - at
            result = weights(x)
            at = clock()
            seconds["products"] += at - before
            return result

        def norm(by: Norm, into: Any) -> None:
            normalise(state, by.weight, by.bias, by.epsilon, by.centred, into[1], into[2])

        gather(state, decoder.vocabulary, tokens)
        for layer, (keys, key_scales, values, value_scales) in zip(decoder.layers, self._cache, strict=True):
            norm(layer.before_attention, one)
            if shape.parallel:
                norm(layer.before_mlp, two)
            joined = product(layer.joined[0], one[0])
            decoder.place(
                joined, one[2], layer.joined[1], shape.cosine, shape.sine, shape.factor, positions, table,
                queries, keys, key_scales, values, value_scales,
            )  # fmt: skip
            before = clock()
            seconds["rest"] += before - at
            decoder.attend(queries, positions, table, keys, key_scales, values, value_scales, mixed)
            at = clock()
            seconds["attention"] += at - before
            narrow(flat, attended[1], attended[2])
            add(state, product(layer.out[0], attended[0]), attended[2], layer.out[1])
            if not shape.parallel:
                norm(layer.before_mlp, two)
            up = product(layer.up[0], two[0])
            activate(up, two[2], layer.up[1], shape.activation, shape.gated, inner[1], inner[2])
            add(state, product(layer.down[0], inner[0]), inner[2], layer.down[1])
        norm(decoder.last, one)
        logits = product(decoder.head, one[0])
        seconds["rest"] += clock() - at
        return logits, one[2]
