"""The model of a run: new from its shape, or continued from another one; and how a stage's model is stored."""

from pathlib import Path
from typing import Any

from generator.base.errors import ModelError
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.train.preparing import TOKENIZER
from generator.train.recipe import Recipe, Shape
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
    """The model that pre-training begins with, in fp32."""
    if run.recipe.model.base:
        return loaded(base_folder(run), run.recipe.model.context)[1].float()
    return new_model(run.recipe, len(tokenizer), tokenizer.eos_token_id)


def stage_model(run: Run, stage: str) -> Any:
    """The model that a finished stage left, in fp32. Raises ConfigError, ModelError."""
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


def trained(model: Any, shape: Shape) -> Any:
    """The model as a stage trains it: with adapters of low rank where the recipe says so."""
    if not shape.lora_rank:
        return model
    import warnings

    from peft import LoraConfig, get_peft_model

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


def base_folder(run: Run) -> Path:
    """Where the files of the base model are: a folder relative to the run's, or in the hub's cache."""
    from generator.model.weights import model_folder

    shape = run.recipe.model
    local = (run.folder / Path(shape.base).expanduser()).resolve() if shape.base.startswith((".", "/", "~")) else None
    return model_folder(_profile(shape.base, shape.revision, local))[0]


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
