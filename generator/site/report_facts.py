"""What the report is made of: reports of runs, accepted disclosures with their judgements, controls; and the report."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from generator.base import canonical, files
from generator.base.errors import PressError, RecordError
from generator.base.intervals import wilson
from generator.base.values import Faults, member, read
from generator.log import archive
from generator.log.ledger import Ledger
from generator.record.disclosure import Disclosure
from generator.record.judgement import GATES, Judgement
from generator.record.record import Record

SCHEMA = "prior-art-report/v1"
REPORT = "report.json"
SELFTEST = "selftest.json"
READINGS, READING_SCHEMA = "readings", "prior-art-reading/v1"
MOST_TEXTS = 20_000  # the newest accepted disclosures: a signature takes a millisecond
HINT = "Restore the file from the facts' branch or a copy, or move it away and run the command again."
HIGHEST_RATING = 3
MAKE = "Write it anew with: prior-art report"
MEMBERS = frozenset(
    {
        *("schema", "made_at", "code_version", "models", "machines", "calibrations", "corpora", "drafts", "accepted"),
        *("ladder", "drafts_without_ladder", "reasons", "early_stops", "controls", "speed", "cost", "g4_documents"),
        *("diversity", "runs"),
    }
)


def _count(**more: Any) -> Any:
    return member("a whole number that is not negative", lambda number: number >= 0, **more)


@dataclass(frozen=True, slots=True)
class _Session:
    """How an engine ran once; older reports name no time and no energy."""

    OTHERS: ClassVar = True
    cpu_milliseconds: int = _count(default=0)
    energy_millijoules: int = _count(default=0)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """How many drafts of a direction passed each gate; `assessed`: those with a claim chart."""

    OTHERS: ClassVar = True
    direction: str
    drafts: int = _count()
    assessed: int = _count()
    g0: int = _count()
    g1: int = _count()
    g2: int = _count()
    g3: int = _count()
    g4: int = _count()


@dataclass(frozen=True, slots=True)
class _Ended:
    OTHERS: ClassVar = True
    gate: str
    reason: str
    drafts: int = _count()


@dataclass(frozen=True, slots=True)
class _Run:
    """What is read of the report of a run; members with a default are there since version 0.3."""

    OTHERS: ClassVar = True
    run: str
    started_at: str
    model: dict[str, Any]
    plan: dict[str, Any]
    engine: tuple[_Session, ...]
    drafts: int = _count()
    accepted: int = _count()
    words: int = _count()
    tokens: int = _count()
    milliseconds: int = _count()
    reasons: dict[str, int] = member(
        "counts that are not negative", lambda counts: min(counts.values(), default=0) >= 0
    )
    ladder: tuple[_Ladder, ...] = ()
    reason_gates: tuple[_Ended, ...] = ()
    early_stops: int = _count(default=0)
    judging_milliseconds: int = _count(default=0)
    corpus: dict[str, Any] = field(default_factory=dict)
    calibration: str = ""


@dataclass(frozen=True, slots=True)
class _Control:
    """A set of controls, and how many of its `n` texts passed each gate that was asked."""

    OTHERS: ClassVar = True
    set: str
    n: int = _count()
    g0: int = _count(default=0)
    g1: int = _count(default=0)
    g2: int = _count(default=0)
    g3: int = _count(default=0)
    g4: int = _count(default=0)


@dataclass(frozen=True, slots=True)
class _Controls:
    OTHERS: ClassVar = True
    calibration: str
    controls: tuple[_Control, ...]


def _rating() -> Any:
    return member(f"0 to {HIGHEST_RATING}", lambda rating: 0 <= rating <= HIGHEST_RATING)


@dataclass(frozen=True, slots=True)
class _Rated:
    OTHERS: ClassVar = True
    set: str
    first: int = _rating()
    second: int = _rating()


@dataclass(frozen=True, slots=True)
class _Reading:
    OTHERS: ClassVar = True
    schema: str
    by: str
    read_at: str
    forms: tuple[Any, ...]
    models: tuple[Any, ...]
    ratings: tuple[_Rated, ...]


@dataclass(frozen=True, slots=True)
class AcceptedDisclosure:
    """An accepted disclosure, in the log or in the queue."""

    disclosure: Disclosure
    judgement: Judgement | None

    @property
    def text(self) -> str:
        """What makes two disclosures the same: title and claims."""
        return "\n".join((self.disclosure.title, *(claim.text for claim in self.disclosure.claims)))


def read_runs(output: Path) -> list[dict[str, Any]]:
    """The reports of finished runs, oldest first. Raises PressError for one that is damaged."""
    runs = [_run(path) for path in sorted((output / "runs").glob("*.json"))]
    return sorted(runs, key=lambda run: (run["started_at"], run["run"]))


def _run(path: Path) -> dict[str, Any]:
    return _object(path, "the report of a run", _Run)


def _object(path: Path, what: str, kind: Any) -> dict[str, Any]:
    """The object in a file, when it has the members of `kind`. Raises PressError with all that is wrong."""
    try:
        value = canonical.loads(files.read(path, what))
        read(kind, value)
    except Faults as error:
        raise PressError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=HINT) from error
    except RecordError as error:
        raise PressError(f"{path}: {what} is damaged: {error}", hint=HINT) from error
    return value  # type: ignore[no-any-return]  # an object, or it raised


def read_report(output: Path) -> dict[str, Any] | None:
    """What `report` last wrote; None when it has not run. Raises PressError for a file of another schema."""
    path = output / REPORT
    if not path.exists():
        return None
    try:
        value = json.loads(files.read(path, "the report"))
    except ValueError as error:
        raise PressError(f"{path}: the report is damaged: {error}", hint=MAKE) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA or not value.keys() >= MEMBERS:
        raise PressError(f"{path}: not a whole report of the schema {SCHEMA}", hint=MAKE)
    return value


def read_accepted(output: Path, ledger: Ledger | None = None, *, most: int = MOST_TEXTS) -> list[AcceptedDisclosure]:
    """The newest disclosures in log and queue, oldest first. Raises LogError, PressError, RecordError."""
    found = list(_queued(output))[-most:]
    ledger = archive.read_ledger(output, ledger)
    for volume in reversed(archive.volumes(ledger)):
        if len(found) >= most:
            break
        logged = [
            AcceptedDisclosure(item.record.disclosure, item.judgement)
            for item in archive.read_volume(output, volume, ledger)
            if item.superseded_by is None  # its text stands once more, in the disclosure that supersedes it
        ]
        found = [*logged, *found][-most:]
    return found


def _queued(output: Path) -> Iterator[AcceptedDisclosure]:
    for path in archive.queued(output):
        beside = path.with_suffix(".judgement.json")
        judgement = Judgement.from_bytes(files.read(beside, "a judgement")) if beside.exists() else None
        yield AcceptedDisclosure(Record.from_bytes(files.read(path, "a queued record")).disclosure, judgement)


def read_controls(output: Path) -> dict[str, Any] | None:
    """What `selftest` last found, each rate with its interval; None when it has not run. Raises PressError."""
    path = output / SELFTEST
    if not path.exists():
        return None
    value = _object(path, "the result of selftest", _Controls)
    rows = []
    for place, control in enumerate(value["controls"]):
        gates = []
        for gate in GATES:
            passed = control.get(gate.lower())
            if type(passed) is not int:
                continue
            if not 0 <= passed <= control["n"]:
                raise PressError(f"{path}: controls[{place}].{gate.lower()}: more than n", hint=HINT)
            low, high = wilson(passed, control["n"])
            share = passed / control["n"] if control["n"] else None
            gates.append({"gate": gate, "passed": passed, "of": control["n"], "share": share, "low": low, "high": high})
        rows.append({"set": control["set"], "n": control["n"], "gates": gates})
    return {"calibration": value["calibration"], "corpus": value.get("corpus"), "seed": value.get("seed"), "rows": rows}


def read_readings(output: Path) -> list[dict[str, Any]]:
    """The blind readings that were kept, oldest first. Raises PressError for one that is damaged."""
    found = [_reading(path) for path in sorted((output / READINGS).glob("*.json"))]
    return sorted(found, key=lambda one: (one["read_at"], one["forms"]))


def _reading(path: Path) -> dict[str, Any]:
    value = _object(path, "a blind reading", _Reading)
    if value["schema"] != READING_SCHEMA or not value["ratings"]:
        raise PressError(f"{path}: no blind reading of the schema {READING_SCHEMA}", hint=HINT)
    return value
