"""Matrix products of a model's weights, packed once for the CPU: torch's oneDNN operators in bf16, int8 or fp32.

Each core multiplies for its own rows (one thread a product), so that a row's result depends on no other row; where a
probe finds that it would, rows are multiplied in blocks of one fixed size.
"""

import time
from collections.abc import Iterable
from typing import Any, Literal

from generator.base.errors import ConfigError

NumberFormat = Literal["bf16", "int8", "fp32"]
NUMBER_FORMATS: tuple[NumberFormat, ...] = ("bf16", "int8", "fp32")
BYTES: dict[NumberFormat, int] = {"bf16": 2, "int8": 1, "fp32": 4}  # of a number that is kept
BLOCK = 16  # rows
PROBED = (1, 2, 3, 5, 8, 13, 16, 31)  # numbers of rows whose results must be those of the whole batch
PROBE_SECONDS, MOST_PROBE_SECONDS = 0.05, 1.0
PROBED_WIDTH = 512  # of smaller products the call alone would be measured, and a format chosen by chance


class Operand:
    """Rows of activations: `numbers` (R, K) and `scales` (R) are what kernels write, `tensor` what a product reads."""

    def __init__(self, rows: int, width: int, number_format: NumberFormat) -> None:
        import numpy
        import torch

        kind = {"bf16": torch.bfloat16, "int8": torch.uint8, "fp32": torch.float32}[number_format]
        self.tensor = torch.zeros((rows, width), dtype=kind)
        self.numbers = _array(self.tensor)
        self.scales = numpy.ones(rows, dtype=numpy.float32)


def _array(tensor: Any) -> Any:
    """The same memory as a NumPy array; of bfloat16 as uint16."""
    import torch

    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def floats(numbers: Any, scales: Any) -> Any:
    """A product's result (R, N) with its rows' scales, as float32."""
    import numpy

    if numbers.dtype == numpy.uint16:
        numbers = (numbers.astype(numpy.uint32) << 16).view(numpy.float32)
    return numbers * scales[: len(numbers), None]


class Product:
    """x -> x @ weight.T for a weight (N, K), without bias: kernels add it, after the scales of rows.

    `wide`: the result is float32 in every format but bf16. In 8 bits, weights have one scale a row of `weight`,
    activations one a row of x.
    """

    def __init__(self, weight: Any, number_format: NumberFormat, *, wide: bool = False) -> None:
        import torch

        self.shape, self.number_format, self._wide = tuple(weight.shape), number_format, wide
        self.block = 0  # rows at a time; 0: any number
        weight = weight.detach()
        if number_format == "int8":
            weight = weight.float()
            scales = weight.abs().amax(dim=1).clamp(min=1e-30) / 127
            numbers = (weight / scales[:, None]).round().to(torch.int8)
            self._scales, self._zeros = scales, torch.zeros(len(scales), dtype=torch.int64)
            self._packed = torch.ops.onednn.qlinear_prepack(numbers, None)
        else:
            kind = torch.bfloat16 if number_format == "bf16" else torch.float32
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(kind).contiguous(), 64)

    @property
    def bytes(self) -> int:
        return BYTES[self.number_format] * int(self.shape[0] * self.shape[1])

    def __call__(self, rows: Any) -> Any:
        """`rows`: (R, K) of an Operand's tensor -> numbers (R, N); for 8 bits still to be multiplied by the scales."""
        return _array(self.tensor(rows))

    def tensor(self, rows: Any) -> Any:
        """The same, as a tensor."""
        if not self.block:
            return self._multiply(rows)
        import torch

        starts = range(0, len(rows), self.block)
        blocks = [self._multiply(_filled(rows[at : at + self.block], self.block)) for at in starts]
        return torch.cat(blocks)[: len(rows)]

    def _multiply(self, rows: Any) -> Any:
        import torch

        if self.number_format != "int8":
            return torch.ops.mkldnn._linear_pointwise(rows, self._packed, None, "none", [], "")
        kind = torch.float32 if self._wide else torch.bfloat16
        return torch.ops.onednn.qlinear_pointwise(
            rows, 1.0, 128, self._packed, self._scales, self._zeros, None, 1.0, 0, kind, "none", [], ""
        )


def _filled(rows: Any, size: int) -> Any:
    import torch

    if len(rows) == size:
        return rows
    return torch.cat([rows, torch.zeros((size - len(rows), rows.shape[1]), dtype=rows.dtype)])


def settle(products: Iterable[Product], rows: int) -> bool:
    """Whether rows do not depend on one another in batches of up to `rows`, tried once for each shape.

    Where they do, products of that shape work in blocks of one size from now on.
    """
    import torch

    chance, found = torch.Generator().manual_seed(0), {}
    for product in products:
        if product.shape not in found:
            x = Operand(rows, product.shape[1], product.number_format).tensor
            if product.number_format == "int8":
                x.copy_(torch.randint(1, 256, x.shape, generator=chance))
            else:
                x.copy_(torch.randn(x.shape, generator=chance))
            whole = product.tensor(x)
            moved = torch.roll(product.tensor(torch.roll(x, 1, 0)), -1, 0)
            parts = (torch.equal(product.tensor(x[:n].contiguous()), whole[:n]) for n in PROBED if n < rows)
            found[product.shape] = torch.equal(whole, moved) and all(parts)
        if not found[product.shape]:
            product.block = BLOCK
    return all(found.values())


def possible(number_format: NumberFormat) -> bool:
    """Whether this CPU and this torch multiply in `number_format` without loss: 8 bits need VNNI, or sums saturate."""
    import torch

    try:
        x = Operand(4, 64, number_format).tensor
        if number_format != "int8":
            Product(torch.ones(8, 64), number_format)(x)
            return True
        x.fill_(255)
        return bool((Product(torch.ones(8, 64), "int8", wide=True)(x) == 127 * 64).all())
    except (RuntimeError, AttributeError):
        return False


def speed(number_format: NumberFormat, shapes: Iterable[tuple[int, int]], rows: int) -> float:
    """Thousand million operations a second of one core, for products of the weights' `shapes` (N, K).

    The best of several passes: what else runs on the machine must not choose the format.
    """
    import torch

    pairs = [
        (Product(torch.full(shape, 0.01), number_format), Operand(rows, shape[1], number_format).tensor)
        for shape in sorted(set(shapes))
    ]
    operations = sum(2 * rows * n * k for n, k in (product.shape for product, _ in pairs))
    best, passes, spent = float("inf"), 0, 0.0
    while spent < PROBE_SECONDS or (passes < 3 and spent < MOST_PROBE_SECONDS):
        started = time.perf_counter()
        for product, x in pairs:
            product(x)
        seconds = time.perf_counter() - started
        best, passes, spent = min(best, seconds), passes + 1, spent + seconds
    return float(operations / best / 1e9)


def choose_format(wanted: str, shapes: Iterable[tuple[int, int]], rows: int) -> tuple[NumberFormat, tuple[str, ...]]:
    """The format to run in, and lines that say what was measured. bf16 where the CPU has it; else the faster one.

    A CPU that only imitates bf16 is slower with it than with fp32. 8 bits must be a quarter faster than fp32 to be
    taken for it. Raises ConfigError for a format that is not possible.
    """
    able = [name for name in NUMBER_FORMATS if possible(name)]
    if wanted != "auto" and wanted not in able:
        raise ConfigError(
            f"number format {wanted}: this CPU or this build of torch cannot multiply in it",
            hint=f"Possible here: {', '.join(able) or 'none'}. Use --format auto.",
        )
    if not able:
        raise ConfigError(
            "this build of torch has no oneDNN operators, which the engine needs", hint="Use: --engine generate"
        )
    shapes = tuple({(max(n, PROBED_WIDTH), max(k, PROBED_WIDTH)) for n, k in shapes})
    speeds = {name: speed(name, shapes, rows) for name in able}
    lines = tuple(f"{name} {value:.0f} GFLOP/s a core" for name, value in speeds.items())
    if wanted != "auto":
        return wanted, lines  # type: ignore[return-value]  # one of NUMBER_FORMATS, as it is possible
    if "bf16" in able and speeds["bf16"] >= speeds.get("fp32", 0.0):
        return "bf16", lines
    if "int8" in able and speeds["int8"] > 1.25 * speeds.get("fp32", 0.0):
        return "int8", lines
    return "fp32", lines
