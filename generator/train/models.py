"""The model of a run: new from its shape, or continued from another one; and how a stage's model is stored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from generator.base.errors import ModelError
from generator.model.profiles import PACKAGE, ModelProfile, load_profile
from generator.model.sampling_settings import Sampling
from generator.train.preparing import TOKENIZER
from generator.train.recipe import ADAPTER, Recipe, Shape
from generator.train.run import END, Run


def tokenizer_of(run: Run) -> Any:
    """The tokenizer that stage 1 made, or that of the base model. Raises ModelError."""
    from transformers import PreTrainedTokenizerFast

    if run.recipe.model.base:
        return loaded(base_folder(run), run.recipe.model.context)[0]
    return PreTrainedTokenizerFast(
        tokenizer_file=str(run.stage("data").needed() / TOKENIZER),
        eos_token=END,
        bos_token=END,
        pad_token=END,
        clean_up_tokenization_spaces=False,
    )


def first_model(run: Run, tokenizer: Any) -> Any:
    """The model that a run begins with: in fp32, but for a base that only adapters are trained of."""
    if run.recipe.model.base:
        return _base(run)
    return new_model(run.recipe, len(tokenizer), tokenizer.eos_token_id)


def stage_model(run: Run, stage: str) -> Any:
    """The model that a finished stage left, in fp32, or its base where the stage left an adapter.

    Raises ConfigError, ModelError.
    """
    if run.recipe.model.output == ADAPTER:
        return _base(run)
    _, model = loaded(run.stage(stage).needed() / "model", run.recipe.model.context)
    model = model.float()
    model.loss_in_parts = not run.recipe.model.base
    return model


def new_model(recipe: Recipe, vocabulary: int, end: int) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = recipe.model
    torch.manual_seed(recipe.seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            use_cache=True,
        )
    ).float()
    model.loss_in_parts = True
    return model


def trained(model: Any, shape: Shape, seed: int) -> Any:
    """The model as a stage trains it: with adapters of low rank where the recipe says so, in fp32."""
    if not shape.lora_rank:
        return model
    import warnings

    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that is to change
        return get_peft_model(
            model, LoraConfig(r=shape.lora_rank, lora_alpha=2 * shape.lora_rank, target_modules="all-linear")
        )


def store(model: Any, tokenizer: Any, folder: Path, *, weights: str = "float32") -> None:
    """Write model and tokenizer so that the auto classes load them; adapters become part of the weights."""
    import torch

    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.config.use_cache = True
    model.to(getattr(torch, weights)).save_pretrained(folder, max_shard_size="16MB")
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors leaves them readable for their owner alone
    tokenizer.save_pretrained(folder)


def base_profile(run: Run) -> ModelProfile:
    """The base model: that of a profile without its adapter, a repository of the hub, or a folder relative to the run.

    Raises ConfigError.
    """
    shape = run.recipe.model
    if shape.from_profile:
        return replace(load_profile(shape.base, run.folder), adapter=None)
    local = (run.folder / Path(shape.base).expanduser()).resolve() if shape.base.startswith((".", "/", "~")) else None
    return _profile(shape.base, shape.revision, local)


def base_folder(run: Run) -> Path:
    """Where the files of the base model are; what no cache has is fetched. Raises ModelError."""
    from generator.model.weights import model_folder

    return model_folder(base_profile(run), run.report)[0]


def base_facts(run: Run) -> dict[str, str]:
    """Where the base comes from, the digest that names its weights, and what its data are, where a profile says so.

    Raises ModelError.
    """
    from generator.model.weights import model_folder, weights_of

    profile = base_profile(run)
    folder, revision = model_folder(profile, run.report)
    source = f"{profile.model} {revision}"
    if profile.model.startswith(PACKAGE):
        source += f", {profile.files[0][0]}"
    elif profile.folder:
        source = profile.folder.name if run.recipe.model.from_profile else run.recipe.model.base
    return {"model": source, "sha256": weights_of(profile, folder).base, "data": profile.data}


def _base(run: Run) -> Any:
    """The base in fp32, or in bf16 where it is only read and products are in bf16 anyway: half of the memory."""
    import torch

    from generator.train.fitting import half

    _, model = loaded(base_folder(run), run.recipe.model.context)
    kept_apart = run.recipe.model.output == ADAPTER
    return model.to(torch.bfloat16) if kept_apart and half(run) else model.float()


def base_dtype(run: Run) -> str:
    """The number format in which the base model is stored, as PyTorch names it."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base_folder(run), local_files_only=True, trust_remote_code=False)
    return str(config.dtype or "float32").removeprefix("torch.")


def _profile(name: str, revision: str, folder: Path | None) -> ModelProfile:
    return ModelProfile(
        name=name, model=name, revision=revision, license="", attribution="", demonstration=False,
        context=1, max_new_tokens=1, end_token="", prompts=(), sampling=Sampling(), folder=folder,
    )  # fmt: skip


def loaded(folder: Path, context: int) -> tuple[Any, Any]:
    """Tokenizer and model of a folder. Raises ModelError where weights do not load or the two do not fit."""
    from generator.model.loading import load

    tokenizer, model = load(_profile(folder.name, "", folder), folder)
    entries = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > entries:
        raise ModelError(
            f"{folder}: the tokenizer has {len(tokenizer)} entries and the model {entries}: they are no pair",
            hint="Take both from the same model.",
        )
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer has no end token", hint="Set eos_token in tokenizer_config.json.")
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None) or context
    if positions < context:
        raise ModelError(
            f"{folder}: the model has {positions} positions, and the recipe's [model] context is {context}",
            hint=f"Lower context to {positions}.",
        )
    return tokenizer, model
