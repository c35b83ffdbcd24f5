"""Opening a model: its files, its number formats, and the engine that runs it."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError, ModelError, not_installed
from generator.model.interface import EngineChoice, LanguageModel, ModelIdentity
from generator.model.profiles import ModelProfile
from generator.model.prompting import Prompting, end_tokens
from generator.model.weights import file_sha256, model_folder, weights_of

ENGINES = ("prior-art", "generate", "ray")
FORMATS = ("auto", "bf16", "int8", "fp32")
CACHE_FORMATS = ("auto", "int8")
LIMITS = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")  # of code to choose from


def open_model(
    profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None], endless: bool = False
) -> LanguageModel:
    """Load a profile's model, to be run as `choice` says; `report` hears the plan. Raises ModelError, ConfigError.

    `endless`: nothing but the token limit ends a text, which measures what a length costs; not on Ray.
    """
    _check(choice)
    if choice.engine == "ray":
        from generator.model.machines.cluster import open_cluster

        return open_cluster(profile, choice, open_model, report=report)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise not_installed(error) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder, revision = model_folder(profile, report)
    weights = weights_of(profile, folder)
    tokenizer, model = load(profile, folder)

    def prompting(engine: str, number_format: str) -> Prompting:
        identity = ModelIdentity(
            model=profile.recorded,
            revision=revision,
            weights_sha256=weights.base,
            adapter_sha256=weights.adapter,
            tokenizer_sha256=file_sha256(folder / "tokenizer.json"),
            model_license=profile.license,
            model_attribution=profile.statement,
            demonstration=profile.demonstration,
            engine=engine,
            number_format=number_format,
            torch_version=torch.__version__,
            transformers_version=transformers.__version__,
            cpu_capability=cpu_capability(),
        )
        positions = getattr(model.config, "max_position_embeddings", profile.context)
        end = () if endless else end_tokens(profile, tokenizer, model)
        return Prompting(profile, identity, tokenizer, end, positions)

    start = _open_plain if choice.engine == "generate" else _open_engine
    return start(model, choice, prompting, report)


def _check(choice: EngineChoice) -> None:
    known = choice.engine in ENGINES and choice.number_format in FORMATS and choice.cache_format in CACHE_FORMATS
    if not known or min(choice.batch, choice.threads, choice.memory) < 0:
        raise ConfigError(
            f"{choice}: not possible",
            hint=f"Engines: {', '.join(ENGINES)}; formats: {', '.join(FORMATS)}; cache: {', '.join(CACHE_FORMATS)}; "
            "batch, threads and memory at least 0.",
        )


def _cores(choice: EngineChoice) -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return choice.threads or available


def native_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 by an instruction of its own."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def cpu_capability() -> str:
    """What decides how this CPU rounds: `AVX512 bf16 vnni, AuthenticAMD 26.2`; libraries choose their code by it."""
    import torch

    found = torch.cpu.get_capabilities()
    able = {
        "bf16": native_bf16(),
        "vnni": found.get("avx512_vnni") or found.get("avx_vnni"),
        "amx": found.get("amx_bf16") or found.get("amx_int8"),
    }
    limits = [f"{name}={os.environ[name]}" for name in LIMITS if os.environ.get(name)]
    names = [torch.backends.cpu.get_cpu_capability(), *(name for name, has in able.items() if has), *limits]
    return f"{' '.join(names)}, {_processor()}"[:100]


def _processor() -> str:
    """Vendor, family and model where Linux tells them, else the machine's kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return platform.machine() or "unknown"
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if not {"vendor_id", "cpu family", "model"} <= said.keys():
        return platform.machine() or "unknown"
    return f"{said['vendor_id']} {said['cpu family']}.{said['model']}"


def _open_plain(
    model: Any, choice: EngineChoice, prompting: Callable[[str, str], Prompting], _: Callable[[str], None]
) -> LanguageModel:
    import torch

    from generator.model.transformers_generate import ENGINE, PlainModel

    if "int8" in (choice.number_format, choice.cache_format):
        raise ConfigError("the engine `generate` has no 8-bit formats", hint="Use: --engine prior-art")
    torch.set_num_threads(_cores(choice))
    number_format = choice.number_format
    if number_format == "auto":
        number_format = "bf16" if native_bf16() else "fp32"
    ask = prompting(ENGINE, number_format)
    return PlainModel(ask, model.to(torch.bfloat16 if number_format == "bf16" else torch.float32), batch=choice.batch)


def _open_engine(
    model: Any, choice: EngineChoice, prompting: Callable[[str, str], Prompting], report: Callable[[str], None]
) -> LanguageModel:
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise ModelError(
            "The package numba is not installed, and the engine's kernels need it",
            hint="Run: pip install 'prior-art-press[model]'. Or take the slow way: --engine generate",
        ) from error
    from generator.model.engine.opening import open_engine

    return open_engine(model, choice, _cores(choice), prompting, report)


def load(profile: ModelProfile, folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model from local files alone, with the profile's adapter in its weights, then in fp32.

    Code that lies beside weights is never run. Raises ModelError.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype="auto",
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{profile.name}: the files in {folder} do not load: {' '.join(str(error).split())[:300]}",
            hint="Fetch or train the model again; the weights may be cut short or of another architecture.",
        ) from error
    if missing := sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"]):
        raise ModelError(
            f"{profile.name}: the weights in {folder} lack {missing[0]} and {len(missing) - 1} more of config.json",
            hint="Weights and config.json belong to different models; fetch both again.",
        )
    if profile.adapter:
        from generator.model.adapter import merge

        model = merge(model, profile.adapter, weights_of(profile, folder).base)
    _check_tokens(profile, tokenizer, model)
    _check_finite(model)
    tokenizer.clean_up_tokenization_spaces = False
    model.eval()
    model.config.use_cache = True
    return tokenizer, model


def _check_tokens(profile: ModelProfile, tokenizer: Any, model: Any) -> None:
    """No id may lie beyond the embedding: a kernel would read the memory behind it."""
    rows, highest = int(model.get_input_embeddings().weight.shape[0]), max(tokenizer.get_vocab().values(), default=0)
    if highest >= rows:
        raise ModelError(
            f"{profile.name}: the tokenizer has ids up to {highest}, the embedding {rows} rows",
            hint="Tokenizer and weights are of different models, or tokens were added and the embedding not resized.",
        )


def _check_finite(model: Any) -> None:
    import torch

    damaged = [name for name, weights in model.named_parameters() if not bool(torch.isfinite(weights).all())]
    if damaged:
        others = f", and {len(damaged) - 1} more are not" if len(damaged) > 1 else ""
        raise ModelError(
            f"the weights {damaged[0]} are not all finite{others}",
            hint="The file is damaged; fetch or train it again.",
        )
