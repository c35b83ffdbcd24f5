"""What a record says that it was made with, against what runs here."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from generator import __version__
from generator.base.errors import ConfigError, ModelError
from generator.model.interface import ModelIdentity
from generator.model.sampling_settings import Sampling
from generator.record.record import Generation

NEWER = "A newer version of this program may have written the record; take the version that it names."


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of `generation`, or the token limit, that is not the same here as in the record."""

    member: str
    record: str
    here: str


def differences(generation: Generation, identity: ModelIdentity) -> tuple[Difference, ...]:
    """What runs here against what ran then, whether it can change a text or not."""
    here: dict[str, Any] = {**asdict(identity), "generator_version": __version__}
    there = {name: getattr(generation, name) for name in here}
    return tuple(Difference(name, str(there[name]), str(here[name])) for name in here if there[name] != here[name])


def sampling_of(generation: Generation) -> Sampling:
    """The record's parameters; one that it lacks is at its default, which changes nothing. Raises ModelError."""
    if unknown := [name for name, _ in generation.sampling if name not in {field.name for field in fields(Sampling)}]:
        raise ModelError(f"the sampling parameter {unknown[0]!r} is not known here", hint=NEWER)
    try:
        return Sampling(**dict(generation.sampling))
    except ConfigError as error:
        raise ModelError(f"the record's {error}", hint=NEWER) from error
