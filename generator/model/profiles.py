"""Model profiles: how to prompt a model, where its weights are, under which licence. Read from TOML, strictly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.values import member, read_toml
from generator.model.instructions import INSTRUCTIONS
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

    `adapter` is a folder of low-rank additions to the weights. `chat` are the instructions of a chat model, which its
    own template puts before the prompt. `describes`: after the end of a whole text the model goes on with its
    description; `describing`: that is what it is asked for. `data` says what the model's training data are.

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
    chat: tuple[tuple[Direction, str], ...] = ()
    describes: bool = False
    describing: bool = False

    def for_descriptions(self) -> "ModelProfile":
        """The same model asked for descriptions: at least half of its context is for what it reads. Raises ConfigError
        for one that cannot be asked."""
        if not self.describes and not self.chat:
            raise ConfigError(
                f"{self.name}: this model was not trained to go on with a description, and is no chat model",
                hint="Name another profile, such as scribe; a profile says by `describes` that its model can.",
            )
        return replace(self, describing=True, max_new_tokens=min(self.max_new_tokens, self.context // 2))

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
        chat = dict(self.chat)
        return tuple(
            (direction, f"{HEAD}{shown.rstrip()}")
            for direction, prompt in self.prompts
            for shown in f"{chat.get(direction, '')}\n\n{prompt}".split(HEAD)[1:-1]
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
    """The profile of one TOML file; a `model` that starts with `.`, `/` or `~` is a folder, relative to the file.

    Raises ConfigError with all that single members get wrong, or else with all that they get wrong together.
    """
    given: _Given = read_toml(_Given, path, hint=HINT, retired=RETIRED)
    if faults := [*_together(given), *_misplaced(given)]:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults), hint=HINT)
    return ModelProfile(
        **{name: getattr(given, name) for name in ("name", "model", "revision", "license", "attribution", "data")},
        demonstration=given.demonstration,
        context=given.context,
        max_new_tokens=given.max_new_tokens or given.context,
        end_token=given.end_token,
        prompts=tuple((direction, given.prompts.get(direction, PROMPTS[direction])) for direction in DIRECTIONS),
        sampling=Sampling(**given.sampling),
        folder=_folder(path, given.model),
        files=tuple(sorted(given.files.items())),
        adapter=_folder(path, given.adapter) if given.adapter else None,
        chat=_chat(given.chat),
        describes=given.describes,
    )


def _chat(given: dict[str, str] | None) -> tuple[tuple[Direction, str], ...]:
    """For each direction the profile's own instruction or the built-in one; none where the model is no chat model."""
    if given is None:
        return ()
    return tuple((direction, given.get(direction, INSTRUCTIONS[direction]).strip()) for direction in DIRECTIONS)


def _line(most: int, *, least: int = 1, **more: Any) -> Any:
    """Texts are of the form that a record holds: one line, not empty."""
    said = f"one line of {least} to {most} characters"
    return member(said, lambda text: least <= len(text) <= most and text == " ".join(text.split()), **more)


def _opens(prompts: dict[str, str]) -> bool:
    """Whether each prompt is anything, then the opening of the layout, so that a parser can read the draft."""
    return all(
        prompt[prompt.rfind(HEAD) :].startswith(PROMPTS[name].rstrip("\n")) and HEAD in prompt and len(prompt) <= 20_000
        for name, prompt in prompts.items()
        if name in PROMPTS
    )


def _pins(files: dict[str, str]) -> bool:
    named = all(_MEMBER.fullmatch(name) and ".." not in name for name in files)
    return named and all(map(_SHA256.fullmatch, files.values()))


@dataclass(frozen=True, slots=True)
class _Given:
    """What a file says, member by member."""

    name: str = member("lower-case letters, digits and . _ -", _NAME.fullmatch)
    model: str = _line(200)
    license: str = _line(100)
    attribution: str = _line(1000)
    context: int = member("64 to 1048576", lambda tokens: 64 <= tokens <= 1 << 20)
    revision: str = _line(100, default="main")
    data: str = _line(500, least=0, default="")
    files: dict[str, str] = member("files' names and their SHA-256 in hex", _pins, default_factory=dict)
    adapter: str = member("a folder; it starts with . or / or ~", lambda name: name[:1] in ("", *"./~"), default="")
    demonstration: bool = False
    describes: bool = False
    max_new_tokens: int = member("0 or more", lambda tokens: tokens >= 0, default=0)
    end_token: str = ""
    prompts: dict[str, str] = member(
        f"for {' and '.join(DIRECTIONS)} a text whose last {HEAD!r} begins the layout",
        lambda prompts: prompts.keys() <= PROMPTS.keys() and _opens(prompts),
        default_factory=dict,
    )
    chat: dict[str, str] | None = member(
        f"{' and '.join(INSTRUCTIONS)}, instructions of at most 10000 characters,",
        lambda chat: chat.keys() <= INSTRUCTIONS.keys() and all(0 < len(c.strip()) <= 10_000 for c in chat.values()),
        default=None,
    )
    sampling: dict[str, str] = member(
        f"some of {', '.join(item.name for item in fields(Sampling))}",
        lambda values: values.keys() <= {item.name for item in fields(Sampling)},
        default_factory=dict,
    )


def _said(data: str) -> str:
    return f" Training data: {data}" if data else ""


def _folder(path: Path, name: str) -> Path | None:
    return (path.parent / Path(name).expanduser()).resolve() if name[0] in "./~" else None


def _together(given: _Given) -> Iterator[str]:
    """What members say that do not go together."""
    if given.max_new_tokens > given.context:
        yield f"max_new_tokens = {given.max_new_tokens}: max_new_tokens <= context = {given.context} is expected"
    if len(given.attribution) > (most := 1000 - len(_said(given.data))):
        yield f"attribution: one line of 1 to {most} characters is expected, as the record repeats data after it"
    try:
        Sampling(**given.sampling)
    except ConfigError as error:
        yield f"{error} {error.hint}"


def _misplaced(given: _Given) -> Iterator[str]:
    """A package has just one file that is pinned, its GGUF file, and a version; those of a folder are not pinned."""
    if given.model.startswith(PACKAGE):
        good = _PACKAGE.fullmatch(given.model) and _VERSION.fullmatch(given.revision)
        if not good or len(given.files) != 1 or not next(iter(given.files)).endswith(".gguf"):
            yield f"model = {given.model!r}: a package needs its version as revision, and in [files] one GGUF file"
    elif given.files and given.model[0] in "./~":
        yield "files: those of a folder are not pinned"
