"""Ways to open a model that differ from node to node, as machines do: by the variable PRESS_NODE of the node."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from written import IDENTITY, WrittenModel

from generator.brief import EngineChoice, LanguageModel
from generator.model import open_model
from generator.profiles import ModelProfile


def second() -> bool:
    return os.environ.get("PRESS_NODE") == "second"


def without_the_folder(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> LanguageModel:
    """The second node's disk lacks the folder of the profile."""
    folder = Path("/nowhere") if second() else profile.folder
    return open_model(replace(profile, folder=folder), choice, report=report)


def another_format(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> LanguageModel:
    return open_model(profile, replace(choice, number_format="bf16" if second() else "fp32"), report=report)


class Broken:
    """An engine with a bug."""

    identity, account = IDENTITY, MappingProxyType({"engine": "broken"})

    def drafts(self, *_: Any, **__: Any) -> Iterator[Any]:
        yield 1 // 0


def broken(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> Broken:
    return Broken()


def written(profile: ModelProfile, choice: EngineChoice, *, report: Callable[[str], None]) -> WrittenModel:
    return WrittenModel(slots=4)
