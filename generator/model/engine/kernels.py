"""What a decoding step does besides matrix products. Each kernel works on the rows of its arrays one by one.

Shapes: R rows (one draft each), D width of the model, H heads, K key-value heads, W width of a head, P pages. A matrix
product's result comes as (numbers, scales): row r stands for `numbers[r] * scales[r]`. Numbers are kept as float32,
bfloat16 (as uint16), and as 8 bits: activations as uint8 with zero at 128, cached keys and values as int8.
Nothing that a row gives depends on another row.
"""

from functools import cache
from typing import Any

import numpy
from numba import types
from numba.extending import overload

from generator.model.engine.arithmetic import bfloat16, dots, exponential, larger, low_byte, number, weighted
from generator.model.engine.compiled import kernel

PAGE = 64  # positions of a page
ACTIVATIONS = {"gelu": 0, "gelu_new": 1, "gelu_pytorch_tanh": 1, "gelu_fast": 1, "silu": 2, "swish": 2, "relu": 3}


@kernel
def _most(values: Any) -> Any:
    """The highest amount in `values`, at least 1e-30. (Inlined by Numba, its variable would leave its scope.)"""
    most = numpy.float32(1e-30)
    for i in range(values.shape[0]):
        most = larger(most, abs(values[i]))
    return most


def stored(out, row, values, scales):  # type: ignore[no-untyped-def]
    """Keep `values` (D) as row `row` of `out` (R, D), and its scale in `scales` (R)."""
    raise NotImplementedError


@overload(stored, inline="always")
def _stored(out, row, values, scales):  # type: ignore[no-untyped-def]  # numba compares the names of arguments
    def as_bfloat16(out, row, values, scales):  # type: ignore[no-untyped-def]
        for i in range(values.shape[0]):
            out[row, i] = bfloat16(values[i])
        scales[row] = 1.0

    def as_float(out, row, values, scales):  # type: ignore[no-untyped-def]
        for i in range(values.shape[0]):
            out[row, i] = values[i]
        scales[row] = 1.0

    def in_8_bits(out, row, values, scales):  # type: ignore[no-untyped-def]
        most = _most(values)
        inverse = numpy.float32(127.0) / most
        for i in range(values.shape[0]):
            out[row, i] = low_byte(numpy.rint(values[i] * inverse) + numpy.float32(128.0))
        scales[row] = most / numpy.float32(127.0)

    return {types.uint16: as_bfloat16, types.float32: as_float, types.uint8: in_8_bits}[out.dtype]


@kernel
def gather(state: Any, vocabulary: Any, tokens: Any) -> None:
    """state (R, D) float32 = rows `tokens` (R) of `vocabulary` (V, D)."""
    for row in range(tokens.shape[0]):
        token = tokens[row]
        for i in range(state.shape[1]):
            state[row, i] = number(vocabulary[token, i])


@kernel
def add(state: Any, numbers: Any, scales: Any, bias: Any) -> None:
    """state (R, D) float32 += a product's result + bias (D)."""
    for row in range(numbers.shape[0]):
        scale = scales[row]
        for i in range(state.shape[1]):
            state[row, i] += number(numbers[row, i]) * scale + bias[i]


@kernel
def normalise(state: Any, weight: Any, bias: Any, epsilon: Any, centred: Any, out: Any, scales: Any) -> None:
    """Layer norm (`centred`) or RMS norm of `state` (R, D) into `out` (at most R, D) and `scales`."""
    width = state.shape[1]
    values = numpy.empty(width, dtype=numpy.float32)
    for row in range(out.shape[0]):
        mean = numpy.float32(0.0)
        if centred:
            for i in range(width):
                mean += state[row, i]
            mean /= numpy.float32(width)
        square = numpy.float32(0.0)
        for i in range(width):
            value = state[row, i] - mean
            square += value * value
        factor = numpy.float32(1.0) / numpy.sqrt(square / numpy.float32(width) + numpy.float32(epsilon))
        for i in range(width):
            values[i] = (state[row, i] - mean) * factor * weight[i] + bias[i]
        stored(out, row, values, scales)


@kernel
def narrow(wide: Any, out: Any, scales: Any) -> None:
    """float32 (R, D) into the format of `out`."""
    for row in range(out.shape[0]):
        stored(out, row, wide[row], scales)


@kernel
def activate(numbers: Any, scales: Any, bias: Any, kind: Any, gated: Any, out: Any, out_scales: Any) -> None:
    """out (R, F) = f(x), or, gated, f(left half of x) * right half of x; x is a product's result + bias."""
    width = out.shape[1]
    values = numpy.empty(width, dtype=numpy.float32)
    one, half = numpy.float32(1.0), numpy.float32(0.5)
    for row in range(out.shape[0]):
        scale = scales[row]
        if kind == 0:  # x * (1 + erf(x / sqrt 2)) / 2; Abramowitz and Stegun 7.1.26, error below 2e-7
            for i in range(width):
                x = number(numbers[row, i]) * scale + bias[i]
                z = abs(x) * numpy.float32(0.7071067811865476)
                t = one / (one + numpy.float32(0.3275911) * z)
                p = numpy.float32(1.061405429) * t - numpy.float32(1.453152027)
                p = (p * t + numpy.float32(1.421413741)) * t - numpy.float32(0.284496736)
                p = (p * t + numpy.float32(0.254829592)) * t
                tail = half * p * exponential(-z * z)
                values[i] = x * (one - tail) if x >= 0 else x * tail
        elif kind == 1:  # x * (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
            for i in range(width):
                x = number(numbers[row, i]) * scale + bias[i]
                u = numpy.float32(0.7978845608028654) * (x + numpy.float32(0.044715) * x * x * x)
                e = exponential(numpy.float32(-2.0) * abs(u))
                values[i] = x / (one + e) if u >= 0 else x * e / (one + e)
        elif kind == 2:  # x / (1 + e^-x)
            for i in range(width):
                x = number(numbers[row, i]) * scale + bias[i]
                e = exponential(-abs(x))
                values[i] = x / (one + e) if x >= 0 else x * e / (one + e)
        else:
            for i in range(width):
                values[i] = max(number(numbers[row, i]) * scale + bias[i], numpy.float32(0.0))
        if gated:
            for i in range(width):
                values[i] *= number(numbers[row, width + i]) * scale + bias[width + i]
        stored(out, row, values, out_scales)


def cached(store, at_page, head, place, values, scales):  # type: ignore[no-untyped-def]
    """Keep `values` (W) at one place of a cache (P, K, PAGE, W), and of 8 bits the scale, as bfloat16."""
    raise NotImplementedError


@overload(cached, inline="always")
def _cached(store, at_page, head, place, values, scales):  # type: ignore[no-untyped-def]
    def as_bfloat16(store, at_page, head, place, values, scales):  # type: ignore[no-untyped-def]
        for i in range(values.shape[0]):
            store[at_page, head, place, i] = bfloat16(values[i])

    def as_float(store, at_page, head, place, values, scales):  # type: ignore[no-untyped-def]
        for i in range(values.shape[0]):
            store[at_page, head, place, i] = values[i]

    def in_8_bits(store, at_page, head, place, values, scales):  # type: ignore[no-untyped-def]
        most = _most(values)
        kept = bfloat16(most / numpy.float32(127.0))
        scales[at_page, head, place] = kept
        inverse = numpy.float32(1.0) / number(kept)
        for i in range(values.shape[0]):
            value = max(min(numpy.rint(values[i] * inverse), numpy.float32(127.0)), numpy.float32(-127.0))
            store[at_page, head, place, i] = numpy.int8(low_byte(value))

    return {types.uint16: as_bfloat16, types.float32: as_float, types.int8: in_8_bits}[store.dtype]


@cache
def placing(width: int, turned: int) -> Any:
    """The kernel for heads of `width`, the first `turned` columns of which are rotated."""
    half = turned // 2

    @kernel
    def place(
        numbers: Any, scales: Any, bias: Any, cosine: Any, sine: Any, factor: Any, positions: Any, table: Any,
        queries: Any, keys: Any, key_scales: Any, values: Any, value_scales: Any,
    ) -> None:  # fmt: skip
        """Split a product's result (R, [H | K | K] * W) into queries, keys and values; rotate; keep the last two.

        Rotary position embedding (Su et al. 2021) with tables `cosine` and `sine` (positions, turned). `queries`
        (R, H, W) float32, times `factor`. `positions` (R), `table` (R, pages of a row).
        """
        heads, kv_heads = queries.shape[1], keys.shape[1]
        x = numpy.empty(width, dtype=numpy.float32)
        y = numpy.empty(width, dtype=numpy.float32)
        for row in range(numbers.shape[0]):
            position, scale = positions[row], scales[row]
            page, where = table[row, position // PAGE], position % PAGE
            for head in range(heads + 2 * kv_heads):
                start = head * width
                for i in range(width):
                    x[i] = number(numbers[row, start + i]) * scale + bias[start + i]
                if head >= heads + kv_heads:
                    cached(values, page, head - heads - kv_heads, where, x, value_scales)
                    continue
                for i in range(half):
                    y[i] = x[i] * cosine[position, i] - x[half + i] * sine[position, i]
                    y[half + i] = x[half + i] * cosine[position, half + i] + x[i] * sine[position, half + i]
                for i in range(turned, width):
                    y[i] = x[i]
                if head < heads:
                    for i in range(width):
                        queries[row, head, i] = y[i] * factor
                else:
                    cached(keys, page, head - heads, where, y, key_scales)

    return place


@kernel
def keep(given: Any, positions: Any, table: Any, store: Any, scales: Any) -> None:
    """Keys or values (R, K, W) float32 into the rows' pages."""
    for row in range(given.shape[0]):
        page, where = table[row, positions[row] // PAGE], positions[row] % PAGE
        for head in range(given.shape[1]):
            cached(store, page, head, where, given[row, head], scales)


@cache
def attention(width: int, group: int, scaled: bool) -> Any:
    """The kernel for heads of `width` (a multiple of 16), `group` of which share keys; `scaled`: cached in 8 bits."""

    @kernel
    def attend(
        queries: Any, positions: Any, table: Any, keys: Any, key_scales: Any, values: Any, value_scales: Any, out: Any
    ) -> None:
        """out (R, H, W) float32 = attention of each row's query to its positions, its own included.

        Page by page with a running maximum (Milakov and Gimelshein 2018), so that the cache is read once, in order.
        """
        heads = queries.shape[1]
        kv_heads = heads // group
        score = numpy.empty(PAGE, dtype=numpy.float32)
        top = numpy.empty(heads, dtype=numpy.float32)
        total = numpy.empty(heads, dtype=numpy.float32)
        for row in range(queries.shape[0]):
            length = numpy.int64(positions[row]) + 1
            for head in range(heads):
                top[head], total[head] = -numpy.inf, 0.0
                for i in range(width):
                    out[row, head, i] = 0.0
            for number_of_page in range((length + PAGE - 1) // PAGE):
                page = numpy.int64(table[row, number_of_page])
                filled = min(PAGE, length - number_of_page * PAGE)
                for kv_head in range(kv_heads):
                    start = (page * kv_heads + kv_head) * PAGE * width
                    for head in range(kv_head * group, (kv_head + 1) * group):
                        here = (row * heads + head) * width
                        dots(score, queries, here, keys, start, filled, width, values, start)
                        best = numpy.float32(-numpy.inf)
                        for t in range(filled):
                            if scaled:
                                score[t] *= number(key_scales[page, kv_head, t])
                            best = larger(best, score[t])
                        if best > top[head]:
                            shrink = exponential(top[head] - best)
                            top[head] = best
                            total[head] *= shrink
                            for i in range(width):
                                out[row, head, i] *= shrink
                        peak, part = top[head], numpy.float32(0.0)
                        for t in range(filled):
                            weight = exponential(score[t] - peak)
                            part += weight
                            score[t] = weight * number(value_scales[page, kv_head, t]) if scaled else weight
                        total[head] += part
                        weighted(out, here, score, values, start, filled, width, keys, start + PAGE * width)
            for head in range(heads):
                inverse = numpy.float32(1.0) / total[head]
                for i in range(width):
                    out[row, head, i] *= inverse

    return attend
