"""What the machine allows: matrix products at the model's shapes, memory reading, and the bound that both give.

A bound counts nothing but the products (268 million operations a token) and one pass over the keys and values of the
text so far, both at the best speed that was measured here, one after the other. Norms, activations, sampling: free.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tests.benchmarks.engine import shape

ROWS = 64
CACHE_BYTES = {"bf16": 2, "int8": 1}  # a key's or value's number in the cache, scales not counted
READ_BYTES = 1 << 30  # far beyond any cache
CALLS = 20
REPEATS = 15


@dataclass(frozen=True, slots=True)
class Roofline:
    rows: int
    warm: dict[str, float]  # format -> operations a second; weights of a product stay in the CPU's cache
    streamed: dict[str, float]  # the same over all 65 matrices in turn, as a step of the model reads them
    read_bytes_per_second: float
    missing: dict[str, str]  # format -> why it could not be measured

    def bound(self, kind: str, new_tokens: int) -> float:
        """Tokens a second that cannot be exceeded at `rows` rows, for texts of `new_tokens` after the prompt."""
        cache = shape.CACHE_VALUES * CACHE_BYTES[kind] * shape.mean_context(new_tokens)
        speed = max(self.warm[kind], self.streamed[kind])  # the first on a machine that was idle
        return 1 / (shape.PRODUCT_OPERATIONS / speed + cache / self.read_bytes_per_second)


def best(lines: list[Roofline]) -> Roofline:
    """Of several measurements in one run the highest of each speed: a bound errs on the high side."""
    kinds = {kind for line in lines for kind in line.warm}
    return Roofline(
        lines[0].rows,
        {kind: max(line.warm[kind] for line in lines if kind in line.warm) for kind in sorted(kinds)},
        {kind: max(line.streamed[kind] for line in lines if kind in line.streamed) for kind in sorted(kinds)},
        max(line.read_bytes_per_second for line in lines),
        lines[0].missing,
    )


def bf16_product(weight: Any) -> Callable[[Any], Any]:
    """oneDNN with weights packed beforehand, by the private operators that torch's compiler uses."""
    import torch

    packed = torch.ops.mkldnn._reorder_linear_weight(weight.bfloat16(), ROWS)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")


def int8_product(weight: Any) -> Callable[[Any], Any]:
    """oneDNN, unsigned 8-bit activations (one scale) by signed 8-bit weights (a scale a row), 32-bit floats out."""
    import torch

    scales = weight.abs().amax(1) / 127
    small = (weight / scales[:, None]).round().to(torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(small, None)
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    product = torch.ops.onednn.qlinear_pointwise
    return lambda x: product(x, 0.02, 128, packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], "")


def activations(kind: str, width: int) -> Any:
    import torch

    if kind == "bf16":
        return torch.randn(ROWS, width).bfloat16()
    return torch.randint(0, 256, (ROWS, width), dtype=torch.uint8)


def products(kind: str) -> tuple[float, float]:
    """Operations a second with warm weights, and streamed."""
    import torch

    make = {"bf16": bf16_product, "int8": int8_product}[kind]
    warm_seconds = 0.0
    chain: list[tuple[Callable[[Any], Any], Any]] = []
    for out, inner, count in shape.PRODUCTS:
        entry = activations(kind, inner)
        ready = [make(torch.randn(out, inner) * 0.02) for _ in range(count)]
        chain += [(product, entry) for product in ready]
        warm_seconds += count * fastest(partial(ready[0], entry), CALLS)

    def step() -> None:
        for product, entry in chain:
            product(entry)

    operations = shape.PRODUCT_OPERATIONS * ROWS
    return operations / warm_seconds, operations / fastest(step, 1)


def fastest(action: Callable[[], Any], calls: int) -> float:
    """Seconds a call: the best of some rounds."""
    action()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(calls):
            action()
        found.append((time.perf_counter() - start) / calls)
    return min(found)


def read_speed(threads: int) -> float:
    """Bytes a second that all cores together read from memory; the quickest of three ways to pass over a buffer.

    Its content is random: pages of equal content may be merged into one by the system or the host, and lie in a cache.
    """
    import torch

    numbers = torch.randint(0, 1 << 62, (READ_BYTES // 8,))
    floats = torch.rand(READ_BYTES // 4)
    parts = floats[: len(floats) // threads * threads].view(threads, -1)
    ways = (floats.sum, numbers.sum, lambda: parts.amax(1))
    return max(READ_BYTES / fastest(way, 1) for way in ways)


def measure(threads: int) -> Roofline:
    import torch

    torch.set_num_threads(threads)
    warm, streamed, missing = {}, {}, {}
    with torch.inference_mode():
        for kind in CACHE_BYTES:
            try:
                warm[kind], streamed[kind] = products(kind)
            except (RuntimeError, AttributeError, NotImplementedError) as error:
                missing[kind] = " ".join(str(error).split())[:200]
        read = read_speed(threads)
    return Roofline(ROWS, warm, streamed, read, missing)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(int(sys.argv[1])))))
