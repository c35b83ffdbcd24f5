"""What the report is made of: reports of runs, accepted disclosures with their judgements, controls; and the report."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import PressError, RecordError
from generator.base.intervals import wilson
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
RUN = {
    "run": str,
    "started_at": str,
    "drafts": int,
    "accepted": int,
    "reasons": dict,
    "words": int,
    "tokens": int,
    "milliseconds": int,
    "model": dict,
    "plan": dict,
    "engine": list,
}
# Since version 0.3.
OPTIONAL = {
    "ladder": list,
    "reason_gates": list,
    "early_stops": int,
    "judging_milliseconds": int,
    "corpus": dict,
    "calibration": str,
}
ROW = {"direction": str, "assessed": int, "drafts": int, **{gate.lower(): int for gate in GATES}}


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
    value = _object(path, "the report of a run")
    _members(path, value, RUN)
    _members(path, value, {name: kind for name, kind in OPTIONAL.items() if name in value})
    for place, session in enumerate(value["engine"]):
        _members(path, session, {}, f"engine[{place}]")
        for name in ("cpu_milliseconds", "energy_millijoules"):
            if name in session:
                _members(path, session, {name: int}, f"engine[{place}]")
    for place, row in enumerate(value.get("ladder", ())):
        _members(path, row, ROW, f"ladder[{place}]")
    for place, item in enumerate(value.get("reason_gates", ())):
        _members(path, item, {"gate": str, "reason": str, "drafts": int}, f"reason_gates[{place}]")
    _members(path, value["reasons"], dict.fromkeys(value["reasons"], int), "reasons")
    return value


def _object(path: Path, what: str) -> dict[str, Any]:
    try:
        value = canonical.loads(files.read(path, what))
    except RecordError as error:
        raise PressError(f"{path}: {what} is damaged: {error}", hint=HINT) from error
    _members(path, value, {})
    return value  # type: ignore[no-any-return]  # an object, or it raised


def _members(path: Path, value: Any, kinds: dict[str, type], where: str = "") -> None:
    """Raise PressError unless `value` is an object with members of these kinds; whole numbers are not negative."""
    if not isinstance(value, dict):
        raise PressError(f"{path}: {where or 'the content'}: an object is expected", hint=HINT)
    for name, kind in kinds.items():
        if type(value.get(name)) is not kind or (kind is int and value[name] < 0):
            place = f"{where}.{name}" if where else name
            raise PressError(f"{path}: {place}: {kind.__name__} is expected", hint=HINT)


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
    value = _object(path, "the result of selftest")
    _members(path, value, {"calibration": str, "controls": list})
    rows = []
    for place, control in enumerate(value["controls"]):
        _members(path, control, {"set": str, "n": int}, f"controls[{place}]")
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
    value = _object(path, "a blind reading")
    _members(path, value, {"schema": str, "by": str, "read_at": str, "forms": list, "models": list, "ratings": list})
    if value["schema"] != READING_SCHEMA or not value["ratings"]:
        raise PressError(f"{path}: no blind reading of the schema {READING_SCHEMA}", hint=HINT)
    for place, one in enumerate(value["ratings"]):
        _members(path, one, {"set": str, "first": int, "second": int}, f"ratings[{place}]")
        if max(one["first"], one["second"]) > HIGHEST_RATING:
            raise PressError(f"{path}: ratings[{place}]: 0 to {HIGHEST_RATING} is expected", hint=HINT)
    return value
