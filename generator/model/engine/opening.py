"""From a loaded transformers model to an engine: format, packed weights, a comparison with the model itself, a plan."""

from collections.abc import Callable
from typing import Any, cast

from generator.base.errors import ModelError
from generator.model.engine.architecture import layer_shapes, read_architecture
from generator.model.engine.compiled import compiled_before
from generator.model.engine.decoder import Decoder
from generator.model.engine.engine import ENGINE, Engine
from generator.model.engine.lane import AnyDecoder
from generator.model.engine.memory import ROWS, free_memory, plan
from generator.model.engine.modules import ModulesDecoder
from generator.model.engine.products import BLOCK, NumberFormat, choose_format, floats, settle
from generator.model.interface import EngineChoice
from generator.model.prompting import Prompting

TRIED = 9  # tokens of the text by which the engine's logits are compared with transformers'
TOLERANCE = {"fp32": 0.001, "bf16": 0.1, "int8": 0.3}  # of the norm of the logits


def open_engine(
    model: Any,
    choice: EngineChoice,
    cores: int,
    prompting: Callable[[str, str], Prompting],
    report: Callable[[str], None],
) -> Engine:
    """`prompting` gets the engine's name and the formats as a record keeps them. Raises PressError."""
    import numba

    if not compiled_before():
        report("engine: compiling its kernels for this CPU; this is done once and takes half a minute")
    decoder, formats, measured = pack(model, choice.number_format, choice.cache_format)
    ask = prompting(f"{ENGINE} numba {numba.__version__}", formats)  # another compiler may round otherwise
    planned = plan(
        limit=choice.memory or free_memory() // 2,
        lanes=min(cores, choice.batch) if choice.batch else cores,
        batch=choice.batch,
        longest=ask.longest_prompt + ask.most_new,
        page_bytes=decoder.cache.page_bytes,
        weight_bytes=decoder.weight_bytes,
        row_bytes=decoder.row_bytes,
    )
    report(f"engine: {formats} ({', '.join(measured)}); {planned}")
    return Engine(ask, decoder, planned, measured)


def pack(model: Any, number_format: str, cache_format: str) -> tuple[AnyDecoder, str, tuple[str, ...]]:
    """The decoder of a model (whose modules it may take), the formats' name, and what was measured to choose them."""
    import torch

    torch.set_num_threads(1)
    _check_finite(model)
    numbers, measured = choose_format(number_format, layer_shapes(model), ROWS)
    cache = numbers if cache_format == "auto" else cache_format
    formats = numbers if cache == numbers else f"{numbers} cache {cache}"
    model = model.to(torch.bfloat16 if numbers == "bf16" else torch.float32)
    reference = _logits(model)
    architecture = read_architecture(model, int(model.config.max_position_embeddings))
    known = (numbers, cast(NumberFormat, cache))
    decoder = Decoder(architecture, *known) if architecture else ModulesDecoder(model, *known)
    if not settle(decoder.products, ROWS):
        measured = (*measured, f"in blocks of {BLOCK} rows")
    _agree(decoder, reference, formats)
    return decoder, formats, measured


def _check_finite(model: Any) -> None:
    import torch

    damaged = [name for name, weights in model.named_parameters() if not bool(torch.isfinite(weights).all())]
    if damaged:
        raise ModelError(
            f"the weights {damaged[0]} are not all finite, nor are {len(damaged) - 1} others",
            hint="The file is damaged; fetch or train it again.",
        )


def _logits(model: Any) -> Any:
    """The model's own logits (tokens, vocabulary) of a short text, before its modules are touched."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.arange(1, 1 + TRIED)[None], use_cache=False).logits[0].float().numpy()


def _agree(decoder: AnyDecoder, reference: Any, formats: str) -> None:
    """Refuse a model whose logits come out other than transformers': an architecture that this engine misreads."""
    import numpy
    import torch

    rows, table = numpy.ones(2, dtype=numpy.int32), numpy.arange(2, dtype=numpy.int32)[:, None].copy()
    work, errors = decoder.workspace(2, 2), []
    if not numpy.isfinite(reference).all():
        raise ModelError(
            f"the model's own logits are not all finite in {formats}",
            hint="Its weights are damaged, or the number format is too narrow. Try: --format fp32",
        )
    with torch.inference_mode():
        for place, expected in enumerate(reference):
            found = floats(*work.step(rows * (1 + place), rows * place, table))[1]
            expected = expected - expected.mean()
            error = float(numpy.linalg.norm(found - found.mean() - expected))
            errors.append(error / max(1e-9, float(numpy.linalg.norm(expected))))
    if not all(error <= TOLERANCE["int8" if "int8" in formats else formats] for error in errors):
        raise ModelError(
            f"the engine's logits of this model differ from transformers' by {max(errors):.1%} in {formats}",
            hint="Use: --engine generate. Please report the model, so that the engine learns its architecture.",
        )
