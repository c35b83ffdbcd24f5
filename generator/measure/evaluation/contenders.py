"""The models that an evaluation compares: a profile, a folder, or a repository of the hub, by one name."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError, ModelError, not_installed
from generator.measure.evaluation.likelihood import Likelihood
from generator.model.loading import load
from generator.model.profiles import ModelProfile, built_in_profiles, load_profile
from generator.model.sampling_settings import Sampling
from generator.model.weights import file_sha256, model_folder, weights_of
from generator.record.layouts import PROMPTS

MOST = 1 << 20  # tokens, for a model whose files name no limit
MOST_NEW = 4096  # tokens of a draft, for a model without a profile
_HUB = re.compile(r"(\w[\w.-]*/\w[\w.-]*)(?:@(\w[\w./-]*))?")


@dataclass(frozen=True, slots=True)
class Contender:
    """`name` as the command names it. `context`: the smaller of the profile's and of the positions of the model."""

    name: str
    model: str
    revision: str
    weights_sha256: str
    tokenizer_sha256: str
    context: int
    number_format: str
    torch_version: str
    transformers_version: str
    profile: ModelProfile
    folder: Path

    def identity(self) -> dict[str, Any]:
        """What decides the scores, and nothing of where the files are."""
        return {key: value for key, value in asdict(self).items() if key not in ("name", "profile", "folder")}


def contender(name: str, root: Path, number_format: str) -> Contender:
    """Find a model's files and its context; nothing is loaded yet. Raises ConfigError, ModelError."""
    profile, limit = _profile(name, root)
    try:
        import torch
        import transformers
    except ImportError as error:
        raise not_installed(error) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder, revision = model_folder(profile)
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{name}: {folder}/config.json does not load: {' '.join(str(error).split())[:300]}",
            hint="Only architectures that transformers has itself are opened; code beside weights is never run.",
        ) from error
    positions = getattr(config.get_text_config(), "max_position_embeddings", None) or MOST
    return Contender(
        name=name,
        model=folder.name if profile.folder and not profile.adapter else profile.recorded,
        revision=revision,
        weights_sha256=weights_of(profile, folder).sha256,
        tokenizer_sha256=file_sha256(folder / "tokenizer.json"),
        context=min(limit, positions),
        number_format=number_format,
        torch_version=torch.__version__,
        transformers_version=transformers.__version__,
        profile=profile,
        folder=folder,
    )


def open_contender(one: Contender, threads: int, report: Callable[[str], None]) -> Likelihood:
    """Load the weights, on the CPU. Raises ModelError."""
    import torch

    report(f"evaluate: opening {one.name}, {one.number_format}, context {one.context} tokens")
    if threads:
        torch.set_num_threads(threads)
    tokenizer, model = load(one.profile, one.folder)
    numbers = torch.bfloat16 if one.number_format == "bf16" else torch.float32
    return Likelihood(tokenizer, model.to(numbers), one.context)


def _profile(name: str, root: Path) -> tuple[ModelProfile, int]:
    """A profile and its context; of a bare folder or repository one that says nothing but where the model is."""
    if name in built_in_profiles() or name.endswith(".toml"):
        profile = load_profile(name, root)
        return profile, profile.context
    folder = root / Path(name).expanduser()
    if folder.is_dir():
        return _bare(folder.resolve().name, "given as a folder", folder.resolve()), MOST
    if repository := _HUB.fullmatch(name):
        return _bare(repository[1], repository[2] or "main", None), MOST
    raise ConfigError(
        f"{name}: neither a built-in model profile, a TOML file, a folder nor a repository of the hub",
        hint=f"Built-in profiles: {', '.join(built_in_profiles())}. A repository is written owner/name or "
        "owner/name@revision.",
    )


def _bare(model: str, revision: str, folder: Path | None) -> ModelProfile:
    """It writes by the two layouts alone, and any of its tokens may come next: nothing is known of what suits it."""
    return ModelProfile(
        name=model,
        model=model,
        revision=revision,
        license="not stated",
        attribution="not stated",
        demonstration=False,
        context=MOST,
        max_new_tokens=MOST_NEW,
        end_token="",
        prompts=tuple(PROMPTS.items()),
        sampling=Sampling(),
        folder=folder,
    )
