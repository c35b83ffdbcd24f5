"""The form of a blind review: one HTML file that needs no network, and the answers that come back from it.

Texts are untrusted: they lie in the file as JSON without a `<`, and the form's program shows them as text nodes only.
Its content security policy allows nothing but its own style and program, by their hashes.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from generator.base.errors import ConfigError
from generator.base.values import Faults, member, read
from generator.measure.review.agreement import ANSWERS

ANSWERS_SCHEMA = "prior-art-review-answers/v2"
MAX_ANSWERS_BYTES = 1 << 24
SENSE = "sense"
QUESTION = "How much sense does the text make to an engineer of the field?"
SCALE = (
    ("0", "0: no sense"),
    ("1", "1: it is about something, but nobody can say what is claimed"),
    ("2", "2: an engineer knows what is claimed, with flaws"),
    ("3", "3: an engineer knows what is claimed, the parts fit, the dependent claims add something"),
)
# Of forms of before 0.7, whose answers can still be scored.
OLD_ANSWERS_SCHEMA = "prior-art-review-answers/v1"
OLD_QUESTIONS = (
    ("understandable", "Is it clear what this invention is and how its parts work together?"),
    ("buildable", "Could a skilled person make or carry it out from this text and general knowledge?"),
    ("obvious", "Would it be obvious to a skilled person who knows what was known before?"),
    ("cite", "Would you cite it against a patent application that claims the same?"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One text as raters see it. `id` says nothing of where it comes from."""

    id: str
    title: str
    abstract: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one rater said: for each item, answers by question. `remarks` are free text, untrusted.

    `form` is the form that was answered; the only question of a new one is SENSE, its answers are 0 to 3 as texts.
    """

    form: str
    rater: str
    answers: dict[str, dict[str, str]]
    remarks: dict[str, str]


def form_id(items: tuple[Item, ...]) -> str:
    """Which form: a digest of its texts in their order."""
    return hashlib.sha256(json.dumps([asdict(item) for item in items]).encode()).hexdigest()[:32]


def render(items: tuple[Item, ...]) -> str:
    """The whole HTML file."""
    here = Path(__file__).parent
    page, style, program = ((here / name).read_text(encoding="utf-8") for name in ("form.html", "form.css", "form.js"))
    data = {
        "schema": ANSWERS_SCHEMA,
        "form": form_id(items),
        "questions": [{"name": SENSE, "text": QUESTION, "choices": [list(one) for one in SCALE]}],
        "items": [asdict(item) for item in items],
    }
    for name, text in (("STYLE-HASH", _hash(style)), ("PROGRAM-HASH", _hash(program))):
        page = page.replace(name, text)
    page = page.replace("/*STYLE*/", style).replace("/*PROGRAM*/", program)
    return page.replace("/*DATA*/", json.dumps(data).replace("<", "\\u003c"))  # last: nothing in it is replaced


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@dataclass(frozen=True, slots=True)
class _Said:
    """The file of a rater's answers."""

    OTHERS: ClassVar = True
    form: str
    answers: dict[str, dict[str, str]]
    rater: str = member("a rater's name", str.strip)


def read_answers(path: Path, value: dict[str, Any], ids: frozenset[str], *, old: bool) -> Answers:
    """The answers in what a form wrote: `value`, of the file `path`. Raises ConfigError for one that is damaged."""
    hint = "Download the answers again."
    try:
        given: _Said = read(_Said, value)
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=hint) from error
    questions = [name for name, _ in OLD_QUESTIONS] if old else [SENSE]
    allowed = ANSWERS if old else tuple(name for name, _ in SCALE)
    faults = [f"{path}: {item[:40]!r} is no text of this form" for item in given.answers if item not in ids]
    for item, said in given.answers.items():
        faults += [
            f"{path}: answers.{item[:40]}.{name[:40]}: not asked" for name in said.keys() - {*questions, "remark"}
        ]
        faults += [
            f"{path}: answers.{item[:40]}.{name}: {said[name][:40]!r}: one of {', '.join(allowed)} is expected"
            for name in questions
            if name in said and said[name] not in allowed
        ]
    if faults:
        raise ConfigError("\n".join(faults), hint=hint)
    answers = {item: {name: said[name] for name in questions if name in said} for item, said in given.answers.items()}
    remarks = {item: said.get("remark", "") for item, said in given.answers.items()}
    return Answers(given.form, " ".join(given.rater.split()), answers, remarks)


def read_json(path: Path, what: str, hint: str) -> dict[str, Any]:
    """The JSON object in a file that somebody hands in."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ANSWERS_BYTES + 1)
        value = json.loads(data) if len(data) <= MAX_ANSWERS_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {what} cannot be read: {error}", hint=hint) from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {what}: one JSON object is expected", hint=hint)
    return value
