"""From JSON or TOML to a value of a given kind, with the place of every fault.

One reader for files that the program or its user writes; the canonical record has a reader of its own. msgspec would
read them as well, but it stops at the first fault, and a file with three is to be mended once.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from generator.base.errors import ConfigError

KINDS = {str: "text", int: "a whole number", bool: "true or false", float: "a number"}
SHOWN = 60  # characters of a value that is not as expected


class Faults(ValueError):
    """All that is wrong with a value; each fault begins with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def member(expected: str, holds: Callable[[Any], object], **more: Any) -> Any:
    """A member of a dataclass that must hold more than its kind says; `expected` is what a fault names.

    `more`: what `dataclasses.field` takes, such as a default, which is not asked.
    """
    return field(metadata={"expected": expected, "holds": holds}, **more)


def read_toml(kind: Any, path: Path, *, hint: str, retired: tuple[str, ...] = ()) -> Any:
    """The TOML file at `path` as `kind`, without `retired` members. Raises ConfigError with a line for each fault."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return read(kind, {name: value for name, value in values.items() if name not in retired})
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}", hint=hint) from error


def read(kind: Any, value: Any, where: str = "") -> Any:
    """`value` as `kind`; `where` begins the place of each fault. Raises Faults.

    A kind is one of these: a dataclass, a tuple of one kind or of one for each place, pairs of a text and a kind (from
    an object), a dict from text, one kind or None, a literal, text, a whole number, a number, a truth value, or Any. A
    whole number stands for a number as well, a truth value for none. Of a dataclass, members without a default are
    needed, and what `member` asks of a member is asked. Members that it does not know are refused, or passed over where
    the class has `OTHERS = True`.
    """
    faults: list[str] = []
    made = _read(kind, value, where, faults)
    if faults:
        raise Faults(faults)
    return made


def _read(kind: Any, value: Any, where: str, faults: list[str]) -> Any:
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if isinstance(kind, UnionType):
        return _read(inside[0], value, where, faults)
    if is_dataclass(kind):
        return _members(kind, value, where, faults)
    if origin is tuple and isinstance(value, list | tuple):
        return _tuple(inside, value, where, faults)
    if (
        origin is tuple
        and isinstance(value, Mapping)
        and get_origin(inside[0]) is tuple
        and get_args(inside[0])[0] is str
    ):
        kind = get_args(inside[0])[1]
        return tuple((str(name), _read(kind, item, _at(where, str(name)), faults)) for name, item in value.items())
    if origin in (dict, Mapping) and isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _read(inside[1], item, _at(where, key), faults) for key, item in value.items()}
    if origin is Literal and value in inside and type(value) in map(type, inside):
        return value
    if kind is float and (type(value) is float or (type(value) is int and abs(value) < 1 << 53)):
        return float(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    faults.append(f"{where or 'the whole'}: {str(value)[:SHOWN]!r}: {_told(kind)} is expected")
    return None


def _members(kind: Any, value: Any, where: str, faults: list[str]) -> Any:
    if not isinstance(value, Mapping):
        faults.append(f"{where or 'the whole'}: {str(value)[:SHOWN]!r}: an object is expected")
        return None
    before, hints = len(faults), get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    for name in () if getattr(kind, "OTHERS", False) else sorted(map(str, value.keys() - known)):
        faults.append(f"{_at(where, name[:SHOWN])}: not known; known are {', '.join(known)}")
    for name, item in known.items():
        if name not in value and item.default is MISSING and item.default_factory is MISSING:
            faults.append(f"{_at(where, name)}: missing")
    made = {}
    for name in (name for name in value if name in known):
        sound, asked = len(faults), known[name].metadata
        made[name] = _read(hints[name], value[name], _at(where, name), faults)
        if sound == len(faults) and "holds" in asked and not asked["holds"](made[name]):
            faults.append(f"{_at(where, name)}: {str(value[name])[:SHOWN]!r}: {asked['expected']} is expected")
    return kind(**made) if len(faults) == before else None


def _tuple(inside: tuple[Any, ...], value: Any, where: str, faults: list[str]) -> tuple[Any, ...]:
    kinds = (inside[0],) * len(value) if inside[1:] == (...,) else inside
    if len(kinds) != len(value):
        faults.append(f"{where}: {len(value)} values, {len(kinds)} are expected")
        return ()
    return tuple(
        _read(one, item, f"{where}[{place}]", faults)
        for place, (one, item) in enumerate(zip(kinds, value, strict=True))
    )


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _told(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(one) for one in get_args(kind))
    return KINDS.get(kind) or ("an array" if get_origin(kind) is tuple else "an object")
