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
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """`model` is a folder (`folder` is then its path) or a hub repository; `revision` is a branch, tag or commit there.

    `context` and `max_new_tokens` are in tokens of the model. `end_token` is written by the model at the end of a
    text; empty means the one of the model's own files. `demonstration` marks a model whose pages say that they are
    a demonstration.
    """

    name: str
    model: str
    revision: str
    license: str
    attribution: str
    training_years: str
    demonstration: bool
    context: int
    max_new_tokens: int
    end_token: str
    prompts: tuple[tuple[Direction, str], ...]
    sampling: Sampling
    folder: Path | None = None

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
    text = {"name": "", "model": "", "license": "", "attribution": "", "training_years": ""}
    optional = {
        "revision": "main",
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
    folder = None
    if values["model"][0] in "./~":
        folder = (path.parent / Path(values["model"]).expanduser()).resolve()
    return ModelProfile(
        **{key: values[key] for key in (*text, "revision", "demonstration", "context", "end_token")},
        max_new_tokens=most,
        prompts=tuple((direction, _prompt(path, direction, values["prompts"])) for direction in DIRECTIONS),
        sampling=_sampling(path, values["sampling"]),
        folder=folder,
    )


def _typed(path: Path, key: str, value: Any, kind: type) -> None:
    if type(value) is not kind:
        raise ConfigError(f"{path}: {key} = {value!r}: a {kind.__name__} is expected", hint=HINT)


def _members(path: Path, values: dict[str, Any]) -> None:
    """Texts are of the form that a record holds: one line, not empty."""
    limits = {"name": 100, "model": 200, "revision": 100, "license": 100, "attribution": 1000, "training_years": 200}
    for key, limit in limits.items():
        value = values[key]
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
