"""The forms of a record's members: limits, patterns, and for each member whether a value has its form."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, get_args

from generator.record import unicode_version
from generator.record.disclosure import ParagraphOrigin
from generator.record.layouts import DIRECTIONS
from generator.record.topic_rules import RULES

Forms = dict[str, Callable[[Any], bool]]
MAX_BYTES = 1 << 20
MAX_TITLE = 500
MAX_TEXT = 20_000
MAX_CLAIMS = 500
MAX_PARAGRAPHS = 2_000

TIME = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
HEX32 = re.compile(r"[0-9a-f]{32}")
HEX64 = re.compile(r"[0-9a-f]{64}")
SEED = re.compile(r"[0-9a-f]{16}")
SYMBOL = re.compile("[A-HY]([0-9]{2}([A-Z]([0-9]{1,4}/[0-9]{2,6})?)?)?")
STOPS = ("end", "limit")


def _line(limit: int) -> Callable[[Any], bool]:
    """One line of text: not empty, no line feed, no white space at either end."""
    return lambda v: (
        isinstance(v, str) and 0 < len(v) <= limit and "\n" not in v and v == v.strip(unicode_version.WHITE_SPACE)
    )


def _text(limit: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and len(v) <= limit


def _form(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and pattern.fullmatch(v) is not None


def is_time(value: Any) -> bool:
    """`YYYY-MM-DDTHH:MM:SSZ` of a day that the calendar has, without leap seconds."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return False
    try:
        return bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _array(limit: int, holds: Callable[[Any], bool] = lambda _: True, least: int = 0) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, list) and least <= len(v) <= limit and all(map(holds, v))


def _ascending(value: Any) -> bool:
    return isinstance(value, list) and all(map(_count, value)) and value == sorted(set(value))


def _sampling(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_line(40), value.values()))


PARAGRAPH = {"origin": lambda v: v in get_args(ParagraphOrigin), "text": _line(MAX_TEXT)}
CLAIM = {"number": _count, "text": _line(MAX_TEXT), "depends_on": _array(MAX_CLAIMS, _count)}
RECORD: Forms = {
    "schema": _line(40),
    "title": _line(MAX_TITLE),
    "abstract": _line(MAX_TEXT),
    "description": _array(MAX_PARAGRAPHS),
    "claims": _array(MAX_CLAIMS, least=1),
    "language": _form(re.compile(r"[a-z]{2,3}")),
    "created_at": is_time,
    "publisher": _line(200),
    "license": _line(40),
    "ai_generated": lambda v: isinstance(v, bool),
    "review": _line(200),
    "salt": _form(HEX32),
    "generation": lambda v: isinstance(v, dict),
}
GENERATION: Forms = {
    "model": _line(200),
    "revision": _line(100),
    "weights_sha256": _form(HEX64),
    "tokenizer_sha256": _form(HEX64),
    "model_license": _line(100),
    "model_attribution": _line(1000),
    "demonstration": lambda v: isinstance(v, bool),
    "direction": lambda v: v in DIRECTIONS,
    "prompt": _text(MAX_TEXT),
    "topic": _text(200),
    "seed": _form(SEED),
    "sampling": _sampling,
    "prompt_tokens": _count,
    "new_tokens": _count,
    "stop": lambda v: v in STOPS,
    "removed_claims": _ascending,
    "engine": _line(100),
    "number_format": _line(40),
    "generator_version": _line(40),
    "torch_version": _line(100),
    "transformers_version": _line(40),
    "cpu_capability": _line(100),
}
RECORD_2 = {**RECORD, "unicode": lambda v: v == unicode_version.VERSION}
OPTIONAL: Forms = {"beacon": lambda v: isinstance(v, dict), "contributor": _line(200)}
BEACON: Forms = {
    "source": _line(200),
    "round": _count,
    "value": _form(re.compile("[0-9a-f]{1,256}")),
}
GENERATION_2 = {
    **GENERATION,
    "adapter_sha256": _form(re.compile("([0-9a-f]{64})?")),
    "topic_symbols": _array(20, _form(SYMBOL)),
    "topic_rule": lambda v: v in RULES,
}
