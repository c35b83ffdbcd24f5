"""The engine's kernels once more, in plain NumPy and float64."""

import numpy
import torch

PAGE = 64


def bfloat16(values):
    """float -> the uint16 that stands for the nearest bfloat16."""
    return torch.from_numpy(numpy.ascontiguousarray(values, dtype=numpy.float32)).to(torch.bfloat16).view(
        torch.uint16
    ).numpy().copy()  # fmt: skip


def exact(stored):
    """Stored numbers as float64; uint8 has its zero at 128."""
    if stored.dtype == numpy.uint16:
        return (stored.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64)
    return stored.astype(numpy.float64) - (128 if stored.dtype == numpy.uint8 else 0)


def stored(values, kind):
    """Values as a matrix product would hand them over: float32, or bfloat16."""
    return bfloat16(values) if kind == numpy.uint16 else values.astype(numpy.float32)


def rounding(values, kind):
    """By how much a row's numbers may differ from `values` when they are kept as `kind`, plus float32's own error."""
    own = 1e-6 * numpy.abs(values) + 1e-6
    if kind == numpy.uint8:
        return own + 0.501 / 127 * numpy.abs(values).max(axis=-1, keepdims=True)
    return own + (2.0**-8 * numpy.abs(values) if kind == numpy.uint16 else 0)


def activation(x, kind):
    t = torch.from_numpy(x)
    return (
        torch.nn.functional.gelu(t),
        torch.nn.functional.gelu(t, approximate="tanh"),
        torch.nn.functional.silu(t),
        torch.nn.functional.relu(t),
    )[kind].numpy()


def rotated(x, cosine, sine):
    """`x` (..., W), the first columns turned: x cos + rotate_half(x) sin, as transformers writes it."""
    turned = cosine.shape[-1]
    head, tail = x[..., :turned], x[..., turned:]
    swapped = numpy.concatenate([-head[..., turned // 2 :], head[..., : turned // 2]], axis=-1)
    return numpy.concatenate([head * cosine + swapped * sine, tail], axis=-1)


def attention(query, keys, values):
    """`query` (H, W); `keys`, `values` (positions, K, W) -> (H, W)."""
    group = query.shape[0] // keys.shape[1]
    mixed = numpy.empty(query.shape)
    for head in range(query.shape[0]):
        scores = keys[:, head // group] @ query[head].astype(numpy.float64)
        weights = numpy.exp(scores - scores.max())
        mixed[head] = weights @ values[:, head // group] / weights.sum()
    return mixed


def row_of_cache(store, scales, pages, length):
    """The first `length` positions of the row that has `pages`: (length, K, W) float64."""
    whole = exact(store)[pages]
    if store.dtype == numpy.int8:
        whole = whole * exact(scales)[pages][..., None]
    return whole.transpose(0, 2, 1, 3).reshape(-1, whole.shape[1], whole.shape[3])[:length]


def kept(values, top_p, min_p):
    """Which of the scaled logits `values` can be drawn: min-p first, then the fewest highest that hold top-p."""
    weights = numpy.exp(values.astype(numpy.float64) - values.max())
    weights = numpy.where(weights >= min_p, weights, 0)
    order = numpy.argsort(-weights, kind="stable")
    before = numpy.cumsum(weights[order]) - weights[order]
    keep = numpy.zeros(len(values), dtype=bool)
    keep[order] = before < top_p * weights.sum()
    return keep & (weights > 0)
