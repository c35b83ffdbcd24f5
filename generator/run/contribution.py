"""What a contributor sends to a publisher: texts that their machine wrote by the publication's plan, signed.

A contribution is one file: a line of JSON, and under it a signed note (C2SP signed-note) with the SHA-256 of that line.
Nobody hands out seeds: those of a contribution follow from the contributor's key and a round number, so that no two
contributors write the same drafts.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property

from generator.base import canonical
from generator.base.errors import ContributionError, PressError, RecordError
from generator.base.values import Faults, read
from generator.log.note import SigningKey, VerificationKey, check_signature, new_key, split_note
from generator.record.record import Record
from generator.run.plan import RunPlan

SCHEMA, PLAN_SCHEMA = "prior-art-contribution/v1", "prior-art-shared-plan/v1"
PLAN_FILE, SUFFIX = "plan.json", ".contribution"
KEY_NAME = "prior-art-contributor"
MOST_BYTES, MOST_TEXTS, MOST_DRAFTS, MOST_ROUNDS = 64 << 20, 5_000, 100_000, 100_000
LONGEST_NAME = 150


@dataclass(frozen=True, slots=True)
class _Said:
    origin: str
    title: str
    reader: str
    sample: str
    most: int


@dataclass(frozen=True, slots=True)
class SharedPlan(_Said):
    """By what anybody may write for a publication; its site serves it as `plan.json`.

    `plan` is that of a run, without seed, amount and contributor. `reader` is the setting; `sample`: which share of a
    contribution's texts is written again; `most`: so many texts of one contributor are taken in a day.
    """

    plan: RunPlan

    def to_bytes(self) -> bytes:
        value = {field.name: getattr(self, field.name) for field in fields(_Said)}
        return canonical.dumps({"schema": PLAN_SCHEMA, **value, "plan": self.plan.value()})

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> "SharedPlan":
        """Raises ContributionError for other bytes."""
        try:
            value = canonical.loads(data)
            if value.pop("schema") != PLAN_SCHEMA:
                raise ValueError(f"the schema {PLAN_SCHEMA} is expected")
            plan = RunPlan.from_value(value.pop("plan"))
            said = read(_Said, value)
        except (PressError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ContributionError(
                f"{where}: no plan that this version can write by: {error}",
                hint="Give the address of a publication that takes contributions, or take its version of this program.",
            ) from error
        return cls(**asdict(said), plan=plan)

    def of(self, key: VerificationKey, name: str, number: int, drafts: int) -> RunPlan:
        """The plan of one contributor's round. Its seed: the first 8 bytes of SHA-256 of origin, key and round."""
        text = f"{self.origin}\n{key.text}\n{number}\n"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return replace(self.plan, seed=seed, amount=drafts, contributor=contributor(name, key))


def contributor(name: str, key: VerificationKey) -> str:
    """Who wrote, as a record names them: what they call themselves, and the beginning of their key's hash."""
    return f"{name} ({fingerprint(key)})"


def fingerprint(key: VerificationKey) -> str:
    return hashlib.sha256(key.public).hexdigest()[:16]


def contributor_key(seed: bytes) -> SigningKey:
    return new_key(KEY_NAME, seed)


def checked_name(name: str) -> str:
    """A contributor's name for records. Raises ContributionError for what a record cannot hold."""
    if not 0 < len(name) <= LONGEST_NAME or name != " ".join(name.split()) or canonical.text_problem(name):
        raise ContributionError(
            f"the contributor's name {name[:60]!r} is not one line of 1 to {LONGEST_NAME} characters",
            hint="Give another --name.",
        )
    return name


@dataclass(frozen=True, slots=True)
class Written:
    """One text of a contribution: the draft as the model wrote it, and the record that was made of it."""

    index: int
    text: str
    words: int
    milliseconds: int
    record: str


@dataclass(frozen=True)
class Contribution:
    """`drafts` were written, by the contributor's word; `texts` are those that passed the gates there."""

    origin: str
    name: str
    round: int
    drafts: int
    started_at: str
    vkey: str
    texts: tuple[Written, ...]

    @cached_property
    def key(self) -> VerificationKey:
        return VerificationKey.parse(self.vkey)

    @property
    def contributor(self) -> str:
        return contributor(self.name, self.key)

    @property
    def file_name(self) -> str:
        return f"{fingerprint(self.key)}-{self.round}{SUFFIX}"

    def to_bytes(self, key: SigningKey) -> bytes:
        """The file, signed. Raises ContributionError for a name, or more texts, than can be sent."""
        checked_name(self.name)
        line = json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()
        return line + b"\n" + key.sign(_signed(line)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Contribution":
        """Raises ContributionError for what is not of this form or not signed by the key that it names."""
        if len(data) > MOST_BYTES:
            raise ContributionError(f"more than {MOST_BYTES:,} bytes")
        line, _, note = data.partition(b"\n")
        try:
            value = json.loads(line.decode("ascii"))
            if not isinstance(value, dict) or value.pop("schema", None) != SCHEMA:
                raise ValueError(f"the schema {SCHEMA} is expected")
            made: Contribution = read(cls, value)
            signed = note.decode()
            if split_note(signed)[0] != _signed(line) or made.key.name != KEY_NAME:
                raise ValueError("the signature is of something else")
            check_signature(signed, made.key)
        except Faults as faults:
            raise ContributionError(f"not of the form {SCHEMA}: {faults.faults[0]}") from faults
        except (PressError, ValueError, RecursionError) as error:
            raise ContributionError(f"not a signed contribution: {error}") from error
        checked_name(made.name)
        indices = [text.index for text in made.texts]
        holds = 0 <= made.round < MOST_ROUNDS and 0 < made.drafts <= MOST_DRAFTS and len(indices) <= MOST_TEXTS
        if not holds or indices != sorted(set(indices)) or not all(0 <= index < made.drafts for index in indices):
            raise ContributionError("round, number of drafts or the order of the texts is not possible")
        return made

    def records(self) -> tuple[Record, ...]:
        """Raises ContributionError for a text whose record is none."""
        found = []
        for text in self.texts:
            try:
                found.append(Record.from_bytes(text.record.encode()))
            except (RecordError, UnicodeEncodeError) as error:
                raise ContributionError(f"draft {text.index}: its record is none: {error}") from error
        return tuple(found)


def _signed(line: bytes) -> str:
    return f"{SCHEMA}\n{hashlib.sha256(line).hexdigest()}\n"
