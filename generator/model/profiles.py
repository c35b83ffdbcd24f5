"""Model profiles: how to prompt a model, where its weights are, under which licence. Read from TOML, strictly."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.model.sampling_settings import Sampling
from generator.record.layouts import DIRECTIONS, HEAD, PROMPTS, Direction

BUILT_IN = Path(__file__).parent / "model_profiles"
HINT = "docs/settings.md describes a model profile."
PACKAGE = "pypi:"
RETIRED = ("training_years",)  # needed up to 0.6, and read by nothing: it does no harm
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
_PACKAGE = re.compile(r"pypi:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!+_-]{0,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEMBER = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """`model` is a folder (`folder` is then its path), a hub repository or `pypi:` and a package; `revision` is a
    branch, tag or commit, of a package its version. `files` pins files of that revision by their SHA-256.

    `adapter` is a folder of low-rank additions to the weights. `data` says what the model's training data are.

    `context` and `max_new_tokens` are in tokens of the model. `end_token` is written by the model at the end of a
    text; empty means the one of the model's own files. `demonstration` marks a model whose pages say that they are
    a demonstration.
    """

    name: str
    model: str
    revision: str
    license: str
    attribution: str
    demonstration: bool
    context: int
    max_new_tokens: int
    end_token: str
    prompts: tuple[tuple[Direction, str], ...]
    sampling: Sampling
    folder: Path | None = None
    data: str = ""
    files: tuple[tuple[str, str], ...] = ()
    adapter: Path | None = None

    @property
    def statement(self) -> str:
        """What a record says of where the model comes from, its training data among it."""
        return self.attribution + _said(self.data)

    @property
    def recorded(self) -> str:
        """What a record names as its model."""
        return self.name if self.folder or self.adapter else self.model

    def prompt(self, direction: Direction) -> str:
        return dict(self.prompts)[direction]

    @property
    def examples(self) -> tuple[tuple[Direction, str], ...]:
        """What prompts show before the layout's opening: texts from one head to the next."""
        return tuple(
            (direction, f"{HEAD}{shown.rstrip()}")
            for direction, prompt in self.prompts
            for shown in prompt.split(HEAD)[1:-1]
        )


def built_in_profiles() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.toml")))


def load_profile(name_or_path: str, root: Path) -> ModelProfile:
    """A built-in profile by name, or the TOML file at a path relative to `root`. Raises ConfigError."""
    if name_or_path in built_in_profiles():
        return read_profile(BUILT_IN / f"{name_or_path}.toml")
    path = root / name_or_path
    if path.is_dir():
        raise ConfigError(
            f"{name_or_path}: a folder, and a profile is a TOML file",
            hint=f'Write a file with model = "{path}" and the keys of docs/settings.md, and give that file.',
        )
    if not path.is_file():
        raise ConfigError(
            f"{name_or_path}: neither a built-in model profile nor a TOML file",
            hint=f"Built-in profiles: {', '.join(built_in_profiles())}. Or give the path of a profile of your own.",
        )
    return read_profile(path)


def read_profile(path: Path) -> ModelProfile:
    """The profile of one TOML file; a `model` that starts with `.`, `/` or `~` is a folder, relative to the file."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", hint=HINT) from error
    for name in RETIRED:
        values.pop(name, None)
    text = {"name": "", "model": "", "license": "", "attribution": ""}
    optional = {
        "revision": "main",
        "data": "",
        "files": {},
        "adapter": "",
        "demonstration": False,
        "max_new_tokens": 0,
        "end_token": "",
        "prompts": {},
        "sampling": {},
    }
    unknown = sorted(values.keys() - {*text, *optional, "context"})
    missing = sorted({*text, "context"} - values.keys())
    if unknown or missing:
        what = f"unknown key {unknown[0]!r}" if unknown else f"missing key {missing[0]!r}"
        raise ConfigError(f"{path}: {what}", hint=HINT)
    values = {**optional, **values}
    for key in (*text, *optional, "context"):
        _typed(path, key, values[key], type({**text, **optional, "context": 0}[key]))
    _members(path, values)
    context, most = values["context"], values["max_new_tokens"] or values["context"]
    if not 64 <= context <= 1 << 20 or not 1 <= most <= context:
        raise ConfigError(
            f"{path}: context = {context}, max_new_tokens = {most}: 64 <= context and max_new_tokens <= context",
            hint=HINT,
        )
    return ModelProfile(
        **{key: values[key] for key in (*text, "revision", "data", "demonstration", "context", "end_token")},
        max_new_tokens=most,
        prompts=tuple((direction, _prompt(path, direction, values["prompts"])) for direction in DIRECTIONS),
        sampling=_sampling(path, values["sampling"]),
        folder=_folder(path, values["model"]),
        files=_pinned(path, values),
        adapter=_folder(path, values["adapter"]) if values["adapter"] else None,
    )


def _said(data: str) -> str:
    return f" Training data: {data}" if data else ""


def _folder(path: Path, name: str) -> Path | None:
    return (path.parent / Path(name).expanduser()).resolve() if name[0] in "./~" else None


def _pinned(path: Path, values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The files that a profile pins; a package has just one, its GGUF file, and a version."""
    found, model = values["files"], values["model"]
    for name, digest in found.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest) or not _MEMBER.fullmatch(name) or ".." in name:
            raise ConfigError(
                f"{path}: files: {name!r} = {digest!r}: a file's name and its SHA-256 in hex are expected", hint=HINT
            )
    if model.startswith(PACKAGE):
        good = _PACKAGE.fullmatch(model) and _VERSION.fullmatch(values["revision"])
        if not good or len(found) != 1 or not next(iter(found)).endswith(".gguf"):
            raise ConfigError(
                f"{path}: model = {model!r}: a package needs its version as revision, and in [files] one GGUF file",
                hint=HINT,
            )
    elif found and model[0] in "./~":
        raise ConfigError(f"{path}: files: those of a folder are not pinned", hint=HINT)
    if values["adapter"] and values["adapter"][0] not in "./~":
        raise ConfigError(f"{path}: adapter: a folder is expected; it starts with . or / or ~", hint=HINT)
    return tuple(sorted(found.items()))


def _typed(path: Path, key: str, value: Any, kind: type) -> None:
    if type(value) is not kind:
        raise ConfigError(f"{path}: {key} = {value!r}: a {kind.__name__} is expected", hint=HINT)


def _members(path: Path, values: dict[str, Any]) -> None:
    """Texts are of the form that a record holds: one line, not empty."""
    limits = {"name": 100, "model": 200, "revision": 100, "license": 100, "data": 500}
    for key, limit in {**limits, "attribution": 1000 - len(_said(values["data"]))}.items():
        value = values[key]
        if key == "data" and not value:
            continue
        if not 0 < len(value) <= limit or value != " ".join(value.split()):
            raise ConfigError(f"{path}: {key}: one line of 1 to {limit} characters is expected", hint=HINT)
    if not _NAME.fullmatch(values["name"]):
        raise ConfigError(
            f"{path}: name = {values['name']!r}: lower-case letters, digits and . _ - are expected", hint=HINT
        )


def _prompt(path: Path, direction: Direction, prompts: dict[str, Any]) -> str:
    """The prompt of a direction: anything, then the opening of the layout, so that a parser can read the draft."""
    if unknown := sorted(prompts.keys() - set(DIRECTIONS)):
        raise ConfigError(
            f"{path}: prompts: unknown direction {unknown[0]!r}", hint=f"Directions: {', '.join(DIRECTIONS)}."
        )
    prompt = prompts.get(direction, PROMPTS[direction])
    _typed(path, f"prompts.{direction}", prompt, str)
    start = prompt.rfind(HEAD)
    if start < 0 or not prompt[start:].startswith(PROMPTS[direction].rstrip("\n")) or len(prompt) > 20_000:
        raise ConfigError(
            f"{path}: prompts.{direction}: the last {HEAD!r} in it must begin with the layout's {PROMPTS[direction]!r}",
            hint=HINT,
        )
    return str(prompt)


def _sampling(path: Path, values: dict[str, Any]) -> Sampling:
    if unknown := sorted(values.keys() - {field.name for field in fields(Sampling)}):
        raise ConfigError(f"{path}: sampling: unknown key {unknown[0]!r}", hint=HINT)
    try:
        return Sampling(**values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint) from error
