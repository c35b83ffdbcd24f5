"""The cache of keys and values: pages of 64 positions, so that a draft takes no more memory than it has tokens."""

from dataclasses import dataclass
from typing import Any

from generator.model.engine.kernels import PAGE
from generator.model.engine.products import BYTES, NumberFormat


@dataclass(frozen=True, slots=True)
class CacheShape:
    """`heads` are key-value heads, `width` their columns. In 8 bits, each head of each position has its own scale."""

    layers: int
    heads: int
    width: int
    number_format: NumberFormat

    @property
    def scaled(self) -> bool:
        return self.number_format == "int8"

    @property
    def page_bytes(self) -> int:
        """Memory of one page in all layers."""
        return (
            2 * self.layers * self.heads * PAGE * (self.width * BYTES[self.number_format] + (2 if self.scaled else 0))
        )

    def pages(self, count: int) -> list[tuple[Any, Any, Any, Any]]:
        """Keys, their scales, values, their scales of each layer: (pages, heads, PAGE, width), scales without width."""
        import numpy

        kind = {"bf16": numpy.uint16, "int8": numpy.int8, "fp32": numpy.float32}[self.number_format]
        size = (count, self.heads, PAGE, self.width)
        scales = size[:3] if self.scaled else (1, 1, 1)
        return [
            (_owned(size, kind), _owned(scales, numpy.uint16), _owned(size, kind), _owned(scales, numpy.uint16))
            for _ in range(self.layers)
        ]


def _owned(size: tuple[int, ...], kind: Any) -> Any:
    """Memory that is ours from now on: all of it is written, so that none is missing in the middle of a run."""
    import numpy

    array = numpy.empty(size, kind)
    array.fill(0)
    return array
