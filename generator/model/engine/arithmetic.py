"""What kernels calculate with: stored numbers (bfloat16, int8, float32), an exponential, and vector products.

Numba has no bfloat16: it is kept as uint16. A bfloat16 is the upper half of a float32, so reading one is a shift, and
writing one rounds to nearest, ties to even, as the CPU's own instruction does. `dots` and `weighted` are written in
LLVM's language, since Numba keeps no vector in registers over a loop: 20 and 60 thousand million numbers a second
became 55 and 60 on one Zen 5 core, with which reading the memory is the limit.
"""

from typing import Any

import numba
import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from generator.model.engine.compiled import FAST_MATH

INT32 = ir.IntType(32)
SIZES = {types.uint16: 2, types.int8: 1, types.float32: 4}  # bytes of a stored number
TOGETHER = {types.uint16: 8, types.int8: 16, types.float32: 4}  # positions at a time in `dots`, fastest on Zen 5
CACHE_LINE = 64


@intrinsic
def number(typing_context: Any, stored: Any) -> Any:
    """The float32 of a stored number."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.args[0] == types.uint16:
            wide = builder.zext(arguments[0], INT32)
            return builder.bitcast(builder.shl(wide, ir.Constant(INT32, 16)), ir.FloatType())
        return context.cast(builder, arguments[0], signature.args[0], types.float32)

    return types.float32(stored), code


@intrinsic
def _bits_of_float(typing_context: Any, value: Any) -> Any:
    return types.uint32(types.float32), lambda _c, builder, _s, arguments: builder.bitcast(arguments[0], INT32)


@intrinsic
def float_of_bits(typing_context: Any, bits: Any) -> Any:
    return types.float32(types.int32), lambda _c, builder, _s, arguments: builder.bitcast(arguments[0], ir.FloatType())


@intrinsic
def _two_to_the(typing_context: Any, exponent: Any) -> Any:
    """2**n of a whole float32 from -126 to 127."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole = builder.add(builder.fptosi(arguments[0], INT32), ir.Constant(INT32, 127))
        return builder.bitcast(builder.shl(whole, ir.Constant(INT32, 23)), ir.FloatType())

    return types.float32(types.float32), code


@intrinsic
def larger(typing_context: Any, one: Any, other: Any) -> Any:
    """The larger of two float32, neither of them NaN: said so to the compiler, it looks at several at a time."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        flags = ("nnan", "nsz")
        return builder.select(builder.fcmp_ordered(">", *arguments, flags=flags), *arguments, flags=flags)

    return types.float32(types.float32, types.float32), code


@intrinsic
def low_byte(typing_context: Any, whole: Any) -> Any:
    """The low 8 bits of a whole float32, as uint8. (Numba's own conversion goes over 64 bits and fills few lanes.)"""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.trunc(builder.fptosi(arguments[0], INT32), ir.IntType(8))

    return types.uint8(types.float32), code


@numba.njit(inline="always")
def bfloat16(value: Any) -> Any:
    """float32 -> uint16."""
    bits = _bits_of_float(numpy.float32(value))
    even = (bits >> numpy.uint32(16)) & numpy.uint32(1)
    return numpy.uint16((bits + numpy.uint32(0x7FFF) + even) >> numpy.uint32(16))


@numba.njit(inline="always")
def exponential(x: Any) -> Any:
    """e**x for x <= 0 in float32, relative error below 2e-7, at least e**-87; without a branch, for vectors.

    Polynomial of Cephes' expf (S. L. Moshier).
    """
    x = max(numpy.float32(x), numpy.float32(-87.0))
    n = numpy.floor(x * numpy.float32(1.4426950408889634) + numpy.float32(0.5))
    r = x - n * numpy.float32(0.693359375) + n * numpy.float32(2.12194440e-4)
    y = numpy.float32(1.9875691500e-4)
    y = y * r + numpy.float32(1.3981999507e-3)
    y = y * r + numpy.float32(8.3334519073e-3)
    y = y * r + numpy.float32(4.1665795894e-2)
    y = y * r + numpy.float32(1.6666665459e-1)
    y = y * r + numpy.float32(5.0000001201e-1)
    y = y * r * r + r + numpy.float32(1.0)
    return y * _two_to_the(n)


def _vector(lanes: int) -> Any:
    return ir.VectorType(ir.FloatType(), lanes)


def _places(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(INT32, len(places)), places)


def _element(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Pointer to element `at` of an array in C order, whatever its shape."""
    return builder.gep(make_array(kind)(context, builder, array).data, [at])


def _as(builder: Any, pointer: Any, kind: Any) -> Any:
    return builder.bitcast(pointer, kind.as_pointer())


def _load(builder: Any, kind: Any, pointer: Any, width: int) -> Any:
    """`width` stored numbers as float32; bfloat16 in the order of `_ordered`, which needs fewer instructions."""
    if kind.dtype == types.uint16:
        pairs = ir.VectorType(INT32, width // 2)
        value = builder.load(_as(builder, pointer, pairs), align=2)
        even = builder.shl(value, ir.Constant(pairs, [16] * (width // 2)))
        odd = builder.and_(value, ir.Constant(pairs, [0xFFFF0000] * (width // 2)))
        return builder.bitcast(builder.shuffle_vector(even, odd, _places(list(range(width)))), _vector(width))
    if kind.dtype == types.int8:
        stored = ir.VectorType(ir.IntType(8), width)
        return builder.sitofp(builder.load(_as(builder, pointer, stored), align=1), _vector(width))
    return builder.load(_as(builder, pointer, _vector(width)), align=4)


def _ordered(builder: Any, kind: Any, value: Any, width: int, *, back: bool = False) -> Any:
    """A vector in natural order -> in the order of `_load`: of bfloat16, even places first. `back`: the reverse."""
    if kind.dtype != types.uint16:
        return value
    order = [*range(0, width, 2), *range(1, width, 2)]
    if back:
        order = [order.index(place) for place in range(width)]
    return builder.shuffle_vector(value, value, _places(order))


def _narrowed(builder: Any, value: Any, width: int, lanes: int) -> Any:
    """`width` lanes added up to `lanes`, by halves as long as that divides evenly."""
    while width > lanes and width % (2 * lanes) == 0:
        width //= 2
        low = builder.shuffle_vector(value, value, _places(list(range(width))))
        high = builder.shuffle_vector(value, value, _places(list(range(width, 2 * width))))
        value = builder.fadd(low, high, flags=FAST_MATH)
    parts = [
        builder.shuffle_vector(value, value, _places(list(range(start, start + lanes))))
        for start in range(0, width, lanes)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = builder.fadd(total, part, flags=FAST_MATH)
    return total


def _sums(builder: Any, vectors: list[Any]) -> Any:
    """n vectors of n lanes -> one: lane t is the sum of vector t. A tree that adds while it transposes."""
    lanes, step = len(vectors), 1
    while len(vectors) > 1:
        low, high = [], []
        for block in range(0, lanes, 2 * step):
            low += [*range(block, block + step), *range(lanes + block, lanes + block + step)]
            high += [*range(block + step, block + 2 * step), *range(lanes + block + step, lanes + block + 2 * step)]
        vectors = [
            builder.fadd(
                builder.shuffle_vector(x, y, _places(low)), builder.shuffle_vector(x, y, _places(high)), flags=FAST_MATH
            )
            for x, y in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        step *= 2
    return vectors[0]


def _prefetch(builder: Any, kind: Any, pointer: Any, width: int) -> None:
    """Ask for `width` stored numbers, so that they are near when they are read."""
    byte = ir.IntType(8).as_pointer()
    call = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
    function = cgutils.get_or_insert_function(builder.module, call, "llvm.prefetch.p0")
    for line in range(0, width, CACHE_LINE // SIZES[kind.dtype]):
        there = builder.gep(pointer, [ir.Constant(ir.IntType(64), line)])
        builder.call(function, [builder.bitcast(there, byte), *(ir.Constant(INT32, n) for n in (0, 3, 1))])


@intrinsic
def dots(
    typing_context: Any, out: Any, query: Any, query_at: Any, keys: Any, keys_at: Any, count: Any, width: Any,
    ahead: Any, ahead_at: Any,
) -> Any:  # fmt: skip
    """out[t] = query[query_at:][:width] . keys[keys_at + t * width:][:width] for t < count; arrays as if flat.

    `width` is a constant and a multiple of 16. `out` and `keys` must have room for `count` rounded up to a multiple of
    16. The numbers of `ahead` at `ahead_at`, as many as are read of `keys`, are prefetched.
    """
    if not isinstance(width, types.IntegerLiteral):
        return None
    size, lanes = width.literal_value, TOGETHER[keys.dtype]

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        o, q, q_at, k, k_at, n, _, a, a_at = arguments
        kind_o, kind_q, _, kind, *_ = signature.args
        constant = lambda value: ir.Constant(n.type, value)  # noqa: E731
        asked = builder.load(_as(builder, _element(context, builder, kind_q, q, q_at), _vector(size)), align=4)
        asked = _ordered(builder, kind, asked, size)
        base, soon = _element(context, builder, kind, k, k_at), _element(context, builder, kind, a, a_at)
        target = _element(context, builder, kind_o, o, constant(0))
        blocks = builder.sdiv(builder.add(n, constant(lanes - 1)), constant(lanes))
        with cgutils.for_range(builder, blocks) as loop:
            first, parts = builder.mul(loop.index, constant(lanes)), []
            for t in range(lanes):
                at = builder.mul(builder.add(first, constant(t)), constant(size))
                product = builder.fmul(asked, _load(builder, kind, builder.gep(base, [at]), size), flags=FAST_MATH)
                _prefetch(builder, kind, builder.gep(soon, [at]), size)
                parts.append(_narrowed(builder, product, size, lanes))
            builder.store(_sums(builder, parts), _as(builder, builder.gep(target, [first]), _vector(lanes)), align=4)
        return context.get_dummy_value()

    place = types.int64
    return types.none(out, query, place, keys, place, types.int64, width, ahead, place), code


@intrinsic
def weighted(
    typing_context: Any, out: Any, out_at: Any, weights: Any, values: Any, values_at: Any, count: Any, width: Any,
    ahead: Any, ahead_at: Any,
) -> Any:  # fmt: skip
    """out[out_at:][:width] += sum over t < count of weights[t] * values[values_at + t * width:][:width]; see `dots`."""
    if not isinstance(width, types.IntegerLiteral):
        return None
    size = width.literal_value

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        o, o_at, w, v, v_at, n, _, a, a_at = arguments
        kind_o, _, kind_w, kind, *_ = signature.args
        target = _as(builder, _element(context, builder, kind_o, o, o_at), _vector(size))
        base, soon = _element(context, builder, kind, v, v_at), _element(context, builder, kind, a, a_at)
        weight = _element(context, builder, kind_w, w, ir.Constant(n.type, 0))
        total = cgutils.alloca_once(builder, _vector(size))  # becomes registers
        builder.store(_ordered(builder, kind, builder.load(target, align=4), size), total)
        with cgutils.for_range(builder, n) as loop:
            at = builder.mul(loop.index, ir.Constant(n.type, size))
            row = _load(builder, kind, builder.gep(base, [at]), size)
            _prefetch(builder, kind, builder.gep(soon, [at]), size)
            one = builder.insert_element(
                ir.Constant(_vector(size), ir.Undefined),
                builder.load(builder.gep(weight, [loop.index])),
                ir.Constant(INT32, 0),
            )
            scale = builder.shuffle_vector(one, one, _places([0] * size))
            builder.store(
                builder.fadd(builder.load(total), builder.fmul(row, scale, flags=FAST_MATH), flags=FAST_MATH), total
            )
        builder.store(_ordered(builder, kind, builder.load(total), size, back=True), target, align=4)
        return context.get_dummy_value()

    place = types.int64
    return types.none(out, place, weights, values, place, types.int64, width, ahead, place), code
