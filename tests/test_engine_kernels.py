"""What a decoding step does between matrix products, against plain NumPy in float64."""

import engine_reference as reference
import numpy
import pytest

from generator.model.engine.kernels import (
    ACTIVATIONS,
    PAGE,
    activate,
    add,
    attention,
    gather,
    keep,
    narrow,
    normalise,
    placing,
)

RESULTS = (numpy.uint16, numpy.float32)  # what matrix products give
OPERANDS = (numpy.uint16, numpy.uint8, numpy.float32)  # what they read
CACHES = (numpy.uint16, numpy.int8, numpy.float32)


def named(kind):
    return getattr(kind, "__name__", str(kind))


def chance(seed=0):
    return numpy.random.default_rng(seed)


def result(shape, kind, seed=0):
    """A product's result, its scales, its bias, and the float64 values that they stand for."""
    numbers = reference.stored(chance(seed).standard_normal(shape) * 3, kind)
    scales = chance(seed + 1).uniform(0.5, 2, shape[0]).astype(numpy.float32)
    bias = chance(seed + 2).standard_normal(shape[1]).astype(numpy.float32)
    return numbers, scales, bias, reference.exact(numbers) * scales[:, None].astype(numpy.float64) + bias


def read(out, scales):
    return reference.exact(out) * scales[:, None].astype(numpy.float64)


def assert_stored(out, scales, expected):
    error = numpy.abs(read(out, scales) - expected)
    assert (error <= reference.rounding(expected, out.dtype)).all(), error.max()


@pytest.mark.parametrize("kind", RESULTS, ids=named)
def test_gather(kind):
    vocabulary = reference.stored(chance().standard_normal((50, 33)), kind)
    tokens = numpy.array([49, 0, 7, 7], dtype=numpy.int32)
    state = numpy.full((4, 33), 9, dtype=numpy.float32)
    gather(state, vocabulary, tokens)
    numpy.testing.assert_array_equal(state, reference.exact(vocabulary)[tokens])


@pytest.mark.parametrize("kind", RESULTS, ids=named)
@pytest.mark.parametrize("rows", [1, 5])
def test_add(kind, rows):
    numbers, scales, bias, values = result((rows, 37), kind)
    state = chance(9).standard_normal((rows, 37)).astype(numpy.float32)
    expected = state + values
    add(state, numbers, scales, bias)
    numpy.testing.assert_allclose(state, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", OPERANDS, ids=named)
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("width", "size", "shift"), [(1, 1, 0), (33, 1, 0), (96, 1e-4, 0), (96, 1e4, 0), (64, 1, 30)])
def test_normalise(kind, centred, width, size, shift):
    rows, epsilon = 3, 1e-5
    state = (chance(width).standard_normal((rows + 1, width)) * size + shift).astype(numpy.float32)
    weight, bias = (chance(n).standard_normal(width).astype(numpy.float32) for n in (4, 5))
    out, scales = numpy.zeros((rows, width), kind), numpy.zeros(rows, numpy.float32)
    normalise(state, weight, bias, epsilon, centred, out, scales)
    x = state[:rows].astype(numpy.float64)
    x = x - x.mean(axis=1, keepdims=True) if centred else x
    expected = x / numpy.sqrt((x**2).mean(axis=1, keepdims=True) + epsilon) * weight + bias
    error = numpy.abs(read(out, scales) - expected)
    assert (error <= reference.rounding(expected, kind) + 3e-6 * abs(shift) * numpy.abs(weight)).all(), error.max()


@pytest.mark.parametrize("kind", OPERANDS, ids=named)
def test_narrow(kind):
    wide = numpy.zeros((6, 40), dtype=numpy.float32)
    wide[0], wide[1] = chance().standard_normal(40), chance(1).standard_normal(40) * 1e30
    wide[2], wide[3, 7] = chance(2).standard_normal(40) * 1e-20, -5.0
    out, scales = numpy.full((5, 40), 3, kind), numpy.zeros(6, numpy.float32)
    narrow(wide, out, scales)
    assert_stored(out, scales[:5], wide[:5].astype(numpy.float64))
    assert (read(out, scales[:5])[4] == 0).all()  # a row of zeros stays one
    assert scales[5] == 0  # only as many rows as `out` has


def test_8_bits_use_their_whole_range():
    wide = numpy.array([[-2.0, 2.0, 1.0, 0.0]], dtype=numpy.float32)
    out, scales = numpy.zeros((1, 4), numpy.uint8), numpy.zeros(1, numpy.float32)
    narrow(wide, out, scales)
    assert out.tolist() == [[1, 255, 192, 128]]


@pytest.mark.parametrize(("numbers_kind", "kind"), [
    (numpy.float32, numpy.float32), (numpy.uint16, numpy.uint16), (numpy.uint16, numpy.uint8)
], ids=named)  # fmt: skip
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activate(name, gated, numbers_kind, kind):
    function, width, rows = ACTIVATIONS[name], 45, 3
    numbers, scales, bias, x = result((rows, width * (1 + gated)), numbers_kind, seed=7)
    out, out_scales = numpy.zeros((rows, width), kind), numpy.zeros(rows, numpy.float32)
    activate(numbers, scales, bias, function, gated, out, out_scales)
    expected = reference.activation(x[:, :width], function) * (x[:, width:] if gated else 1)
    assert_stored(out, out_scales, expected)


@pytest.mark.parametrize("name", ["gelu", "gelu_new", "silu", "relu"])
def test_activations_of_extreme_values(name):
    x = numpy.array([[0, -0.0, 1e-40, -1e-40, 12, -12, 88, -88, 100, -100, 1e9, -1e9]], dtype=numpy.float32)
    out, scales = numpy.zeros_like(x), numpy.ones(1, numpy.float32)
    activate(x, scales, numpy.zeros(x.shape[1], numpy.float32), ACTIVATIONS[name], False, out, scales)
    expected = reference.activation(x.astype(numpy.float64), ACTIVATIONS[name])
    numpy.testing.assert_allclose(out, expected, rtol=1e-6, atol=2e-6)


def empty_cache(pages, heads, width, kind):
    scales = (pages, heads, PAGE) if kind == numpy.int8 else (1, 1, 1)
    return numpy.zeros((pages, heads, PAGE, width), kind), numpy.zeros(scales, numpy.uint16)


def cached_error(values, kind):
    """Of a vector kept in a cache: rounding, and in 8 bits that of its scale, a bfloat16, too."""
    if kind == numpy.int8:
        return (0.5 / 127 + 2.0**-8) * numpy.abs(values).max(axis=-1, keepdims=True) + 1e-6
    return reference.rounding(values, kind)


@pytest.mark.parametrize("kind", CACHES, ids=named)
def test_keep(kind):
    rows, heads, width = 3, 2, 32
    given = chance().standard_normal((rows, heads, width)).astype(numpy.float32)
    given[1, 0], given[2, 1, 3] = 0, 1e20
    store, scales = empty_cache(4, heads, width, kind)
    positions, table = numpy.array([63, 64, 5], numpy.int32), numpy.array([[2, 1], [0, 3], [1, 0]], numpy.int32)
    keep(given, positions, table, store, scales)
    for row, (page, place) in enumerate([(2, 63), (3, 0), (1, 5)]):
        found = reference.row_of_cache(store, scales, [page], PAGE)[place]
        assert (numpy.abs(found - given[row]) <= cached_error(given[row].astype(numpy.float64), kind)).all()
    assert numpy.count_nonzero(store.any(axis=(1, 3))) == 3  # nothing else is written


PLACES = [  # width of a head, columns turned, heads, of them with keys, cache, product's result
    (16, 16, 2, 2, numpy.float32, numpy.float32),
    (16, 4, 3, 3, numpy.uint16, numpy.uint16),  # GPT-NeoX turns a quarter
    (80, 80, 4, 2, numpy.int8, numpy.uint16),
]


@pytest.mark.parametrize("case", PLACES, ids=lambda case: "-".join(map(named, case)))
def test_place(case):
    width, turned, heads, kv_heads, kind, numbers_kind = case
    positions = numpy.array([0, 63, 64, 130, 255], dtype=numpy.int32)
    rows, factor = len(positions), width**-0.5
    table = chance().permutation(rows * 4).reshape(rows, 4).astype(numpy.int32)
    numbers, scales, bias, x = result((rows, (heads + 2 * kv_heads) * width), numbers_kind)
    angles = numpy.arange(256)[:, None] / 10000 ** (numpy.arange(0, turned, 2) / turned)
    angles = numpy.concatenate([angles, angles], axis=1)
    cosine, sine = numpy.cos(angles).astype(numpy.float32), numpy.sin(angles).astype(numpy.float32)
    keys, key_scales = empty_cache(rows * 4, kv_heads, width, kind)
    values, value_scales = empty_cache(rows * 4, kv_heads, width, kind)
    queries = numpy.zeros((rows, heads, width), numpy.float32)
    placing(width, turned)(
        numbers, scales, bias, cosine, sine, factor, positions, table,
        queries, keys, key_scales, values, value_scales,
    )  # fmt: skip
    x = x.reshape(rows, heads + 2 * kv_heads, width)
    tables = cosine[positions, None].astype(numpy.float64), sine[positions, None].astype(numpy.float64)
    expected = reference.rotated(x[:, : heads + kv_heads], *tables)
    numpy.testing.assert_allclose(queries, expected[:, :heads] * factor, rtol=1e-5, atol=1e-5)
    for store, store_scales, given in (
        (keys, key_scales, expected[:, heads:]), (values, value_scales, x[:, heads + kv_heads :])
    ):  # fmt: skip
        for row, position in enumerate(positions):
            page = table[row, position // PAGE]
            found = reference.row_of_cache(store, store_scales, [page], PAGE)[position % PAGE]
            assert (numpy.abs(found - given[row]) <= cached_error(given[row], kind) + 1e-5).all()


LENGTHS = (1, 2, 17, 63, 64, 65, 128, 131, 300)  # one, odd, exactly a page, beyond one, many pages
ATTENTION = [  # width of a head, heads that share keys, heads with keys, cache
    (16, 1, 2, numpy.float32),
    (32, 4, 2, numpy.uint16),
    (48, 2, 1, numpy.int8),
    (64, 1, 3, numpy.uint16),
    (64, 4, 1, numpy.int8),
    (80, 2, 2, numpy.float32),
    (128, 4, 1, numpy.uint16),
]


def filled_cache(kind, lengths, kv_heads, width, seed=0, size=1.0):
    """Pages in no order, more than are used; what is not a row's own is full of large numbers."""
    needed = max(-(-n // PAGE) for n in lengths)
    pages = len(lengths) * needed
    table = chance(seed).permutation(pages).reshape(len(lengths), needed).astype(numpy.int32)
    values = chance(seed + 1).standard_normal((pages, kv_heads, PAGE, width)) * size
    for row, length in enumerate(lengths):
        for number in range(needed):
            values[table[row, number], :, max(0, length - number * PAGE) :] = 77.0
    if kind != numpy.int8:
        return reference.stored(values, kind), numpy.zeros((1, 1, 1), numpy.uint16), table
    scales = reference.bfloat16(numpy.abs(values).max(axis=-1) / 127)
    numbers = numpy.clip(numpy.rint(values / reference.exact(scales)[..., None]), -127, 127)
    return numbers.astype(numpy.int8), scales, table


def attended(case, queries, lengths, table, keys, values):
    width, group, _, kind = case
    out = numpy.full(queries.shape, numpy.nan, dtype=numpy.float32)
    positions = numpy.array(lengths, dtype=numpy.int32) - 1
    attention(width, group, kind == numpy.int8)(queries, positions, table, *keys, *values, out)
    return out


@pytest.mark.parametrize("case", ATTENTION, ids=lambda case: "-".join(map(named, case)))
def test_attention(case):
    width, group, kv_heads, kind = case
    *keys, table = filled_cache(kind, LENGTHS, kv_heads, width)
    *values, _ = filled_cache(kind, LENGTHS, kv_heads, width, seed=0)
    queries = chance(5).standard_normal((len(LENGTHS), kv_heads * group, width)).astype(numpy.float32)
    queries[::2] *= 4  # some rows see few positions, others many
    out = attended(case, queries, LENGTHS, table, keys, values)
    for row, length in enumerate(LENGTHS):
        stores = [reference.row_of_cache(*store, table[row], length) for store in (keys, values)]
        expected = reference.attention(queries[row], *stores)
        numpy.testing.assert_allclose(out[row], expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("case", [ATTENTION[1], ATTENTION[4]], ids=lambda case: "-".join(map(named, case)))
def test_a_row_depends_neither_on_its_neighbours_nor_on_its_place(case):
    width, group, kv_heads, kind = case
    *keys, table = filled_cache(kind, LENGTHS, kv_heads, width)
    *values, _ = filled_cache(kind, LENGTHS, kv_heads, width, seed=0)
    queries = chance(5).standard_normal((len(LENGTHS), kv_heads * group, width)).astype(numpy.float32)
    whole = attended(case, queries, LENGTHS, table, keys, values)
    for rows in ([3], [8, 0], list(range(len(LENGTHS)))[::-1]):
        some = attended(case, queries[rows], [LENGTHS[r] for r in rows], table[rows], keys, values)
        assert some.tobytes() == whole[rows].tobytes()
    order = chance(3).permutation(table.size)  # the same positions in other pages
    pages = [numpy.empty_like(x) for x in (keys[0], values[0])]
    moved_scales = [numpy.empty_like(x) if kind == numpy.int8 else x for x in (keys[1], values[1])]
    for new, old in zip(pages, (keys[0], values[0]), strict=True):
        new[order] = old
    if kind == numpy.int8:
        for new, old in zip(moved_scales, (keys[1], values[1]), strict=True):
            new[order] = old
    moved = attended(
        case, queries, LENGTHS, order[table].astype(numpy.int32), (pages[0], moved_scales[0]),
        (pages[1], moved_scales[1]),
    )  # fmt: skip
    assert moved.tobytes() == whole.tobytes()


def test_attention_to_extreme_scores():
    """One position beats all others by 1e30; then all are equal, far from zero."""
    case, length = (16, 1, 2, numpy.float32), 150
    *keys, table = filled_cache(numpy.float32, [length], 2, 16)
    *values, _ = filled_cache(numpy.float32, [length], 2, 16, seed=0)
    queries = numpy.zeros((1, 2, 16), numpy.float32)
    queries[:, :, 0] = [1e15, -1e15]
    row = keys[0][table[0]]
    row[..., 0] = 1e15
    row[1, 0, 3, 0], row[2, 1, 5, 0] = 2e15, -2e15
    keys[0][table[0]] = row
    out = attended(case, queries, [length], table, keys, values)
    numpy.testing.assert_array_equal(out[0, 0], values[0][table[0, 1], 0, 3])
    numpy.testing.assert_array_equal(out[0, 1], values[0][table[0, 2], 1, 5])
    for same in (1e30, -1e30, 1e-42, 0.0):
        keys[0][..., 0] = 1.0
        queries[...] = 0
        queries[..., 0] = same
        out = attended(case, queries, [length], table, keys, values)
        expected = reference.row_of_cache(*values, table[0], length).mean(axis=0)
        numpy.testing.assert_allclose(out[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf, -numpy.inf])
@pytest.mark.parametrize("where", ["query", "key", "value"])
def test_what_is_not_finite_does_not_vanish(where, bad):
    """Of a sum with infinity and minus infinity in it nothing sensible comes; it must not look like a number."""
    case, length = (16, 1, 2, numpy.float32), 70
    *keys, table = filled_cache(numpy.float32, [length, length], 2, 16)
    *values, _ = filled_cache(numpy.float32, [length, length], 2, 16, seed=0)
    queries = chance(5).standard_normal((2, 2, 16)).astype(numpy.float32)
    whole = attended(case, queries, [length] * 2, table, keys, values)
    if where == "query":
        queries[0, 1, 4] = bad
    else:
        (keys if where == "key" else values)[0][table[0, 1], 1, 2, 4] = bad
    out = attended(case, queries, [length] * 2, table, keys, values)
    if where == "key" and numpy.isfinite(out[0, 1]).all():  # minus infinity: a position that nobody looks at
        score = queries[0, 1, 4] * bad
        assert score == -numpy.inf
    else:
        assert not numpy.isfinite(out[0, 1]).all()
    assert out[0, 0].tobytes() == whole[0, 0].tobytes()
    assert out[1].tobytes() == whole[1].tobytes()


def rows_of(kernel, rows):
    """The bytes that a kernel gives for the given rows of one and the same input."""
    numbers, scales, bias, _ = result((9, 64), numpy.uint16)
    out, out_scales = numpy.zeros((len(rows), 64), numpy.uint8), numpy.zeros(len(rows), numpy.float32)
    if kernel == "normalise":
        state = reference.exact(numbers[rows]).astype(numpy.float32)
        normalise(state, bias, bias, 1e-5, True, out, out_scales)
    elif kernel == "activate":
        activate(numbers[rows], scales[rows], bias, 1, False, out, out_scales)
    else:
        state = numpy.ones((len(rows), 64), numpy.float32)
        add(state, numbers[rows], scales[rows], bias)
        return [row.tobytes() for row in state]
    return [row.tobytes() + scale.tobytes() for row, scale in zip(out, out_scales, strict=True)]


@pytest.mark.parametrize("kernel", ["normalise", "activate", "add"])
def test_what_a_row_gives_depends_on_no_other(kernel):
    whole = rows_of(kernel, list(range(9)))
    for rows in ([4], [8, 1], list(range(9))[::-1]):
        assert rows_of(kernel, rows) == [whole[r] for r in rows]
