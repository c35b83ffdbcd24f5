"""The record: the bytes that are hashed, logged and cited. Its full text is docs/record-format.md.

A Record is parsed strictly (unknown, missing or malformed members are refused) and written canonically, so that
`Record.from_bytes(data).to_bytes() == data` for every data that it accepts.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from generator.base import canonical
from generator.base.errors import RecordError
from generator.record import forms, unicode_version
from generator.record.disclosure import Claim, Disclosure, Paragraph
from generator.record.forms import MAX_BYTES as MAX_BYTES
from generator.record.forms import MAX_CLAIMS as MAX_CLAIMS
from generator.record.forms import MAX_TEXT as MAX_TEXT
from generator.record.forms import MAX_TITLE as MAX_TITLE
from generator.record.forms import STOPS as STOPS
from generator.record.forms import SYMBOL as SYMBOL
from generator.record.forms import TIME as TIME
from generator.record.forms import is_time as is_time

SCHEMA = {1: "prior-art-record/v1", 2: "prior-art-record/v2"}
LICENSE = "CC0-1.0"
ADDED = ("adapter_sha256", "topic_symbols", "topic_rule")  # the members of `generation` since v2


@dataclass(frozen=True, slots=True)
class Generation:
    """How the text was made: enough to make it again on the same platform and versions.

    `seed` is the draft's own 64-bit seed as 16 hex digits. `sampling` holds parameter names and their values as
    decimal text. `stop` is `end` (the model wrote its end-of-text token) or `limit` (the token limit cut it; the
    unfinished rest was dropped). `removed_claims` are the numbers, in the draft, of claims that failed a
    check and were taken out before the others were renumbered.

    Since v2: `weights_sha256` is of the base weights and `adapter_sha256` of an adapter on them, empty without one;
    `topic_symbols` are the CPC symbols of the topic, `topic_rule` says how it was chosen, empty without a topic.
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
    adapter_sha256: str = ""
    topic_symbols: tuple[str, ...] = ()
    topic_rule: str = ""


@dataclass(frozen=True, slots=True)
class Beacon:
    """A value of a public source of chance, drawn in a round: a record that holds it was made after that round."""

    source: str
    round: int
    value: str


@dataclass(frozen=True)
class Record:
    """`created_at` is the generator's own statement, never evidence; `salt` is 16 random bytes in hex.

    `version` is that of the format. Since version 2: a beacon, and who contributed the draft, or an empty text.
    """

    disclosure: Disclosure
    generation: Generation
    created_at: str
    publisher: str
    salt: str
    review: str = "machine-checked"
    version: int = 2
    beacon: Beacon | None = None
    contributor: str = ""

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
        since: dict[str, Any] = {"unicode": unicode_version.VERSION}
        if self.contributor:
            since["contributor"] = self.contributor
        if self.beacon:
            since["beacon"] = asdict(self.beacon)
        if self.version == 1:
            added = [since.pop("unicode"), *since, *filter(None, (generation.pop(name) for name in ADDED))]
            _require(len(added) == 1, "record: version 1 of the format has no beacon, contributor, adapter or symbols")
            since = {}
        return {
            **since,
            "schema": SCHEMA.get(self.version, ""),
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
    named = value.get("schema") if isinstance(value, dict) else None
    version = next((number for number, name in SCHEMA.items() if name == named), 2)
    top = _members(
        value, "record", forms.RECORD if version == 1 else forms.RECORD_2, {} if version == 1 else forms.OPTIONAL
    )
    _require(top["schema"] == SCHEMA[version], f"record.schema: {SCHEMA[version]!r} is expected")
    if version > 1:
        _require_assigned(value, "record")
    _require(top["license"] == LICENSE, f"record.license: {LICENSE!r} is expected")
    _require(top["ai_generated"] is True, "record.ai_generated: true is expected")
    description = tuple(
        Paragraph(**_members(item, f"record.description[{n}]", forms.PARAGRAPH))
        for n, item in enumerate(top["description"])
    )
    claims = tuple(_claim(item, n) for n, item in enumerate(top["claims"], 1))
    members = forms.GENERATION if version == 1 else forms.GENERATION_2
    inner = _members(top["generation"], "record.generation", members)
    generation = Generation(
        **{
            **inner,
            "sampling": tuple(sorted(inner["sampling"].items())),
            "removed_claims": tuple(inner["removed_claims"]),
            "topic_symbols": tuple(inner.get("topic_symbols", ())),
        }
    )
    return Record(
        disclosure=Disclosure(top["title"], top["abstract"], description, claims, top["language"]),
        generation=generation,
        created_at=top["created_at"],
        publisher=top["publisher"],
        salt=top["salt"],
        review=top["review"],
        version=version,
        beacon=Beacon(**_members(top["beacon"], "record.beacon", forms.BEACON)) if "beacon" in top else None,
        contributor=top.get("contributor", ""),
    )


def _require_assigned(value: Any, path: str) -> None:
    """Every string holds characters alone that the format's Unicode version assigns."""
    if isinstance(value, dict):
        for name, item in value.items():
            _require_assigned(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _require_assigned(item, f"{path}[{index}]")
    elif isinstance(value, str) and (found := unicode_version.unassigned(value)):
        raise RecordError(f"{path}: Unicode {unicode_version.VERSION} does not assign {found}")


def _claim(item: Any, position: int) -> Claim:
    path = f"record.claims[{position - 1}]"
    claim = _members(item, path, forms.CLAIM)
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


def _members(value: Any, path: str, schema: forms.Forms, optional: forms.Forms | None = None) -> dict[str, Any]:
    _require(isinstance(value, dict), f"{path}: an object is expected")
    optional = optional or {}
    unknown, missing = sorted(value.keys() - schema.keys() - optional.keys()), sorted(schema.keys() - value.keys())
    _require(not unknown, f"{path}: unknown member {', '.join(unknown)}")
    _require(not missing, f"{path}: missing member {', '.join(missing)}")
    for name, holds in (schema | {name: optional[name] for name in optional if name in value}).items():
        _require(holds(value[name]), f"{path}.{name}: not of the form that docs/record-format.md gives")
    return dict(value)
