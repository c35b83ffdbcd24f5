"""Canonical JSON: RFC 8785 for the subset of JSON that records and reports use.

The subset: keys `[a-z0-9_]+`; strings in NFC with LF as the only control character; integers of magnitude below
2**53; booleans; arrays; objects. No floats and no null. Within it, `json.dumps` with sorted keys, without
spaces and without ASCII escapes is RFC 8785 byte for byte.
"""

import json
import re
import unicodedata
from typing import Any

from generator.base.errors import RecordError

KEY = re.compile(r"[a-z0-9_]+")
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16


def text_problem(text: str) -> str:
    """Why a string may not stand in a record, or an empty string."""
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            return f"lone surrogate U+{ord(character):04X}"
        if category == "Cc" and character != "\n":
            return f"control character U+{ord(character):04X}"
        if character in BIDI_CONTROLS:
            return f"direction mark U+{ord(character):04X}"
        if (
            character in "\u2028\u2029\ufeff"
            or (ord(character) & 0xFFFE) == 0xFFFE
            or 0xFDD0 <= ord(character) < 0xFDF0
        ):
            return f"character U+{ord(character):04X}, which texts may not hold"
    if not unicodedata.is_normalized("NFC", text):
        return "not in Unicode normalisation form C"
    return ""


def dumps(value: Any) -> bytes:
    """Canonical bytes. Raises RecordError for a value outside the subset."""
    _check(value, "$", 0)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """The value of canonical bytes. Raises RecordError for other bytes, also for the same JSON written otherwise."""
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_float=_no_float, parse_constant=_no_float
        )
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON in UTF-8: {error}") from error
    if dumps(value) != data:
        raise RecordError("not the canonical bytes of its own content (RFC 8785)")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise RecordError("a key stands twice in one object")
    return value


def _no_float(text: str) -> Any:
    raise RecordError(f"the number {text[:40]} is no integer")


def _check(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RecordError(f"{path}: nested more than {MAX_DEPTH} deep")
    match value:
        case bool():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise RecordError(f"{path}: the integer exceeds 2**53 - 1")
        case str():
            if problem := text_problem(value):
                raise RecordError(f"{path}: {problem}")
        case list() | tuple():
            for index, item in enumerate(value):
                _check(item, f"{path}[{index}]", depth + 1)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not KEY.fullmatch(key):
                    raise RecordError(f"{path}: the key {str(key)[:40]!r} is not of the form [a-z0-9_]+")
                _check(item, f"{path}.{key}", depth + 1)
        case _:
            kind = "null" if value is None else type(value).__name__
            raise RecordError(f"{path}: {kind} has no place in canonical JSON")
