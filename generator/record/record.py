"""The record: the bytes that are hashed, logged and cited. Its full text is docs/record-format.md.

A Record is parsed strictly (unknown, missing or malformed members are refused) and written canonically, so that
`Record.from_bytes(data).to_bytes() == data` for every data that it accepts.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Any, get_args

from generator.base import canonical
from generator.base.errors import RecordError
from generator.record.disclosure import Claim, Disclosure, Paragraph, ParagraphOrigin
from generator.record.layouts import DIRECTIONS

SCHEMA = "prior-art-record/v1"
LICENSE = "CC0-1.0"
MAX_BYTES = 1 << 20
MAX_TITLE = 500
MAX_TEXT = 20_000
MAX_CLAIMS = 500
MAX_PARAGRAPHS = 2_000

TIME = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
HEX32 = re.compile(r"[0-9a-f]{32}")
HEX64 = re.compile(r"[0-9a-f]{64}")
SEED = re.compile(r"[0-9a-f]{16}")
STOPS = ("end", "limit")


@dataclass(frozen=True, slots=True)
class Generation:
    """How the text was made: enough to make it again on the same platform and versions.

    `seed` is the draft's own 64-bit seed as 16 hex digits. `sampling` holds parameter names and their values as
    decimal text. `stop` is `end` (the model wrote its end-of-text token) or `limit` (the token limit cut it; the
    unfinished rest was dropped). `removed_claims` are the numbers, in the draft, of claims that failed a
    check and were taken out before the others were renumbered.
    """

    model: str
    revision: str
    weights_sha256: str
    tokenizer_sha256: str
    model_license: str
    model_attribution: str
    demonstration: bool
    direction: str
    prompt: str
    topic: str
    seed: str
    sampling: tuple[tuple[str, str], ...]
    prompt_tokens: int
    new_tokens: int
    stop: str
    removed_claims: tuple[int, ...]
    engine: str
    number_format: str
    generator_version: str
    torch_version: str
    transformers_version: str
    cpu_capability: str


@dataclass(frozen=True)
class Record:
    """`created_at` is the generator's own statement, never evidence; `salt` is 16 random bytes in hex."""

    disclosure: Disclosure
    generation: Generation
    created_at: str
    publisher: str
    salt: str
    review: str = "machine-checked"

    def to_bytes(self) -> bytes:
        """Canonical bytes, without a final newline. Raises RecordError when a member breaks the format."""
        data = canonical.dumps(self._value())
        _parse(canonical.loads(data), len(data))
        return data

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Record":
        if len(data) > MAX_BYTES:
            raise RecordError(f"the record has {len(data)} bytes, more than {MAX_BYTES}")
        return _parse(canonical.loads(data), len(data))

    def _value(self) -> dict[str, Any]:
        text = self.disclosure
        generation = {field.name: getattr(self.generation, field.name) for field in fields(Generation)}
        generation["sampling"] = dict(self.generation.sampling)
        return {
            "schema": SCHEMA,
            "title": text.title,
            "abstract": text.abstract,
            "description": [{"origin": p.origin, "text": p.text} for p in text.description],
            "claims": [{"number": c.number, "text": c.text, "depends_on": c.depends_on} for c in text.claims],
            "language": text.language,
            "created_at": self.created_at,
            "publisher": self.publisher,
            "license": LICENSE,
            "ai_generated": True,
            "review": self.review,
            "salt": self.salt,
            "generation": generation,
        }


def _parse(value: Any, size: int) -> Record:
    if size > MAX_BYTES:
        raise RecordError(f"the record has {size} bytes, more than {MAX_BYTES}")
    top = _members(value, "record", _RECORD)
    _require(top["schema"] == SCHEMA, f"record.schema: {SCHEMA!r} is expected")
    _require(top["license"] == LICENSE, f"record.license: {LICENSE!r} is expected")
    _require(top["ai_generated"] is True, "record.ai_generated: true is expected")
    description = tuple(
        Paragraph(**_members(item, f"record.description[{n}]", _PARAGRAPH)) for n, item in enumerate(top["description"])
    )
    claims = tuple(_claim(item, n) for n, item in enumerate(top["claims"], 1))
    inner = _members(top["generation"], "record.generation", _GENERATION)
    generation = Generation(
        **{
            **inner,
            "sampling": tuple(sorted(inner["sampling"].items())),
            "removed_claims": tuple(inner["removed_claims"]),
        }
    )
    return Record(
        disclosure=Disclosure(top["title"], top["abstract"], description, claims, top["language"]),
        generation=generation,
        created_at=top["created_at"],
        publisher=top["publisher"],
        salt=top["salt"],
        review=top["review"],
    )


def _claim(item: Any, position: int) -> Claim:
    path = f"record.claims[{position - 1}]"
    claim = _members(item, path, _CLAIM)
    _require(claim["number"] == position, f"{path}.number: {position} is expected: claims are numbered from 1")
    parents = claim["depends_on"]
    _require(
        list(parents) == sorted(set(parents)) and all(0 < p < position for p in parents),
        f"{path}.depends_on: earlier claims are expected, each once, in ascending order",
    )
    return Claim(position, claim["text"], tuple(parents))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise RecordError(message)


def _members(value: Any, path: str, schema: dict[str, Callable[[Any], bool]]) -> dict[str, Any]:
    _require(isinstance(value, dict), f"{path}: an object is expected")
    unknown, missing = sorted(value.keys() - schema.keys()), sorted(schema.keys() - value.keys())
    _require(not unknown, f"{path}: unknown member {', '.join(unknown)}")
    _require(not missing, f"{path}: missing member {', '.join(missing)}")
    for name, holds in schema.items():
        _require(holds(value[name]), f"{path}.{name}: not of the form that docs/record-format.md gives")
    return dict(value)


def _line(limit: int) -> Callable[[Any], bool]:
    """One line of text: not empty, no line feed, no white space at either end."""
    return lambda v: isinstance(v, str) and 0 < len(v) <= limit and "\n" not in v and v == v.strip()


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


_PARAGRAPH = {"origin": lambda v: v in get_args(ParagraphOrigin), "text": _line(MAX_TEXT)}
_CLAIM = {"number": _count, "text": _line(MAX_TEXT), "depends_on": _array(MAX_CLAIMS, _count)}
_RECORD: dict[str, Callable[[Any], bool]] = {
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
_GENERATION: dict[str, Callable[[Any], bool]] = {
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
