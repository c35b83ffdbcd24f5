"""Ways to open a model that differ from node to node, as machines do: by the variable PRESS_NODE of the node."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from written import IDENTITY, WrittenModel

from generator.base.errors import ConfigError
from generator.model.interface import Brief, EngineChoice
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.model.weights import model_folder


def second() -> bool:
    return os.environ.get("PRESS_NODE") == "second"


def without_the_folder(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> WrittenModel:
    """The second node's disk lacks the folder of the profile."""
    model_folder(replace(profile, folder=Path("/nowhere")) if second() else profile)
    return WrittenModel()


def another_library(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> WrittenModel:
    model = WrittenModel()
    model.identity = replace(IDENTITY, torch_version="2.12.0" if second() else "2.13.0")
    return model


class Broken:
    """An engine with a bug."""

    identity, account = IDENTITY, MappingProxyType({"engine": "broken"})

    def drafts(self, *_: Any, **__: Any) -> Iterator[Any]:
        yield 1 // 0


def broken(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> Broken:
    return Broken()


class Refusing(WrittenModel):
    """An engine that a brief does not suit."""

    def draft(self, one: Brief, sampling: Sampling) -> Any:
        if one.topic:
            raise ConfigError(f"The topic {one.topic!r} has more than 32 tokens", hint="Shorten it.")
        return super().draft(one, sampling)


def refusing(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> Refusing:
    return Refusing(slots=4)


def written(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> WrittenModel:
    return WrittenModel(slots=4)
