"""Other sampling settings into the TOML of a model profile; whatever else stands in it stays."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from generator.base import files
from generator.base.errors import ConfigError
from generator.measure.tune.arms import Arm
from generator.model.profiles import BUILT_IN, ModelProfile, built_in_profiles
from generator.model.sampling_settings import Sampling


def target_of(name: str, root: Path, write: Path | None) -> Path | None:
    """Where the winner goes: the profile's own file, or for a built-in one the path that was given, or nowhere."""
    if write:
        return root / write
    return None if name in built_in_profiles() else root / name


def write_winner(
    arm: Arm, profile: ModelProfile, name: str, root: Path, target: Path | None, share: str
) -> Iterator[str]:
    if arm.top_down_share != share:
        yield f'tune: set top_down_share = "{arm.top_down_share}" in prior-art.toml, too: it is no part of a profile'
    if target is None:
        yield f"tune: {profile.name} is built in: write the winner to a file of your own with --write PATH"
        return
    source = BUILT_IN / f"{name}.toml" if name in built_in_profiles() else root / name
    text = with_sampling(files.read(source, "the profile").decode(), arm.sampling)
    if target.parent.resolve() != source.parent.resolve():
        text = _elsewhere(_elsewhere(text, "model", profile.folder), "adapter", profile.adapter)
    files.write(target, text.encode())
    yield f"tune: written to {target}"


def _elsewhere(text: str, key: str, folder: Path | None) -> str:
    """The text with the whole path of a folder that it names relative to its file."""
    return (
        re.sub(rf"(?m)^{key}\s*=.*$", lambda _: f"{key} = {json.dumps(str(folder))}", text, count=1) if folder else text
    )


def with_sampling(text: str, sampling: Sampling) -> str:
    """A profile's TOML with these settings; everything else in it, comments too, stays. Raises ConfigError."""
    before, header, after = text.partition("[sampling]")
    if not header:
        before, after = text.rstrip("\n") + "\n\n", "\n"
    body, rest = re.match(r"((?:(?!\n\s*\[).)*)(.*)", after, re.S).groups()  # type: ignore[union-attr]  # matches always
    old = tomllib.loads(text).get("sampling", {})
    for name, value in asdict(sampling).items():
        pattern = rf"(?m)^(\s*{name}\s*=\s*)(\"[^\"]*\"|'[^']*')"
        if re.search(pattern, body):
            body = re.sub(pattern, lambda found, value=value: f'{found[1]}"{value}"', body)
        elif value != asdict(Sampling())[name]:
            body = f'{body.rstrip()}\n{name} = "{value}"\n'
    made = f"{before}[sampling]{body}{rest}"
    try:
        read = {**asdict(Sampling()), **tomllib.loads(made)["sampling"]}
    except ValueError:  # a name that stands there in another form, now twice
        read = old
    if read != asdict(sampling):
        raise ConfigError(f"sampling = {old}: this form of TOML is not rewritten", hint='Write name = "value" lines.')
    return made
