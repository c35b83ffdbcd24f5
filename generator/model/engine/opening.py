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

TRIED = 16  # tokens of the text by which the engine's logits are compared with transformers'
EXACT = 0.001  # of the norm of the logits: what the order of sums may change in fp32
OWN = 2.5  # times the rounding of the model's own modules in the same format
MOST = 0.6  # of the norm of the logits: beyond it a misread model could not be told from rounding


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
    sample = prompting(ENGINE, choice.number_format).sample()
    decoder, formats, measured = pack(model, choice.number_format, choice.cache_format, sample)
    ask = prompting(f"{ENGINE} numba {numba.__version__}", formats)  # another compiler may round otherwise
    # No more rows than drafts can still be needed: each takes memory that the kernel has to clear.
    batch = min(choice.batch or ROWS * cores, choice.most) if choice.most else choice.batch
    planned = plan(
        limit=choice.memory or free_memory() // 2,
        lanes=min(cores, batch) if batch else cores,
        batch=batch,
        longest=ask.longest_prompt + ask.most_new,
        page_bytes=decoder.cache.page_bytes,
        weight_bytes=decoder.weight_bytes,
        row_bytes=decoder.row_bytes,
    )
    report(f"engine: {formats} ({', '.join(measured)}); {planned}")
    return Engine(ask, decoder, planned, measured)


def pack(
    model: Any, number_format: str, cache_format: str, sample: list[int]
) -> tuple[AnyDecoder, str, tuple[str, ...]]:
    """The decoder of a model (whose modules it may take), the formats' name, and what was measured to choose them.

    By the first ids of `sample`, a text such as the model will write, engine and model are compared.
    """
    import torch

    torch.set_num_threads(1)
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is None:
        raise ModelError(
            f"the engine cannot run the architecture {model.config.model_type}, which has no max_position_embeddings",
            hint="Use: --engine generate",
        )
    numbers, measured = choose_format(number_format, layer_shapes(model), ROWS)
    cache = numbers if cache_format == "auto" else cache_format
    formats = numbers if cache == numbers else f"{numbers} cache {cache}"
    tried = sample[:TRIED]
    model = model.float()
    exact = _logits(model, tried)
    model = model.to(torch.bfloat16 if numbers == "bf16" else torch.float32)
    own = exact if formats == "fp32" else _rounded(model, tried, "int8" in formats)
    architecture = read_architecture(model, int(positions))
    known = (numbers, cast(NumberFormat, cache))
    decoder = Decoder(architecture, *known) if architecture else ModulesDecoder(model, *known)
    if not settle(decoder.products, ROWS):
        measured = (*measured, f"in blocks of {BLOCK} rows")
    _agree(decoder, tried, exact, own, formats)
    return decoder, formats, measured


def _logits(model: Any, tried: list[int]) -> Any:
    """The model's own logits (tokens, vocabulary) of a short text, before its modules are touched."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.tensor([tried]), use_cache=False).logits[0].float().numpy()


def _rounded(model: Any, tried: list[int], eight_bits: bool) -> Any:
    """The same as the model's modules give them in its format; in 8 bits, linear modules round as the engine does."""
    import torch

    if not eight_bits:
        return _logits(model, tried)

    def rounded(module: Any, inputs: tuple[Any, ...], _output: Any) -> Any:
        bias = None if module.bias is None else module.bias.float()
        product = torch.nn.functional.linear(_in_8_bits(inputs[0].float()), _in_8_bits(module.weight.float()), bias)
        return product.to(inputs[0].dtype)

    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    hooks = [module.register_forward_hook(rounded) for module in linear]
    try:
        return _logits(model, tried)
    finally:
        for hook in hooks:
            hook.remove()


def _in_8_bits(values: Any) -> Any:
    """Each row as whole numbers of -127 to 127 times a scale of its own."""
    scales = values.abs().amax(dim=-1, keepdim=True).clamp(min=1e-30) / 127
    return (values / scales).round() * scales


def _agree(decoder: AnyDecoder, tried: list[int], exact: Any, own: Any, formats: str) -> None:
    """Refuse a model whose logits come out other than transformers': an architecture that this engine misreads.

    `exact` are the model's logits in fp32, `own` those of its modules in the engine's format: what the engine's differ
    from the exact ones may be a few times what the modules' own do, and no more. In some models rounding alone moves
    logits by a fifth.
    """
    if not _finite(exact) or not _finite(own):
        raise ModelError(
            f"the model's own logits are not all finite in {formats}",
            hint="Its weights are damaged, or the number format is too narrow. Try: --format fp32",
        )
    difference, rounding = _difference(_stepped(decoder, tried), exact), _difference(own, exact)
    if rounding > MOST / OWN:
        raise ModelError(
            f"the model's logits change by {rounding:.0%} in {formats} by rounding alone",
            hint="Take a wider format: --format fp32, or --format bf16.",
        )
    if not difference <= EXACT + OWN * rounding:
        raise ModelError(
            f"the engine's logits of this model differ from transformers' by {difference:.1%} in {formats}, where "
            f"rounding alone makes {rounding:.1%}",
            hint="Use: --engine generate. Please report the model, so that the engine learns its architecture.",
        )


def _stepped(decoder: AnyDecoder, tried: list[int]) -> Any:
    """The engine's logits (tokens, vocabulary) of the same text, as the second of two rows that it writes together."""
    import numpy
    import torch

    rows, table = numpy.ones(2, dtype=numpy.int32), numpy.arange(2, dtype=numpy.int32)[:, None].copy()
    work = decoder.workspace(2, 2)
    with torch.inference_mode():
        steps = (work.step(rows * token, rows * place, table) for place, token in enumerate(tried))
        return numpy.stack([floats(*step)[1] for step in steps])


def _finite(logits: Any) -> bool:
    import numpy

    return bool(numpy.isfinite(logits).all())


def _difference(logits: Any, exact: Any) -> float:
    """The norm of the difference in shares of that of the exact logits; a sum that is the same for all tokens of a
    place changes no probability, and does not count."""
    import numpy

    centred = exact - exact.mean(axis=-1, keepdims=True)
    apart = logits - logits.mean(axis=-1, keepdims=True) - centred
    return float(numpy.linalg.norm(apart) / max(1e-9, float(numpy.linalg.norm(centred))))
