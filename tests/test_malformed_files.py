"""Files of our own with a member of a wrong kind, anywhere in them: an error of the program that names the file."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.base import canonical
from generator.base.errors import PressError
from generator.judge import calibration, sense
from generator.log import append, superseding
from generator.log.archive import read_findings
from generator.run import folders
from generator.site.listings import totals
from generator.site.report_facts import read_controls, read_readings, read_runs

SHIPPED = [json.loads(module.SHIPPED.read_bytes()) for module in (calibration, sense)]
FINDING = {"check": "C1", "severity": "warn", "claim": 1, "message": "m"}
SESSION = {"cpu_milliseconds": 5}
LADDER = {"direction": "top-down", "drafts": 2, "assessed": 0, **dict.fromkeys(("g0", "g1", "g2", "g3", "g4"), 1)}
RUN = {
    "run": "a",
    "started_at": "2026-11-01T00:00:00Z",
    "drafts": 2,
    "accepted": 1,
    "reasons": {"loop": 1},
    "words": 9,
    "tokens": 9,
    "milliseconds": 9,
    "model": {},
    "plan": {},
    "engine": [SESSION],
    "ladder": [LADDER],
    "reason_gates": [{"gate": "G1", "reason": "loop", "drafts": 1}],
}
SEAL = {"report": {}, "files": [{"path": "plan.json", "sha256": "0" * 64}], "sha256": "0" * 64}
RATING = {"set": "disclosure", "first": 3, "second": 2}
READING = {"schema": "prior-art-reading/v1", "by": "A", "read_at": "2026-11-01", "forms": ["f"], "models": ["m"]}


@dataclass(frozen=True, slots=True)
class File:
    path: str
    good: Any
    read: Callable[[Path], Any]  # of the folder


FILES = {
    "calibration": File(
        "c.json", json.loads(calibration.SHIPPED.read_bytes()), lambda p: calibration.read_calibration(p / "c.json")
    ),
    "sense": File("s.json", SHIPPED[1], lambda p: sense.load_sense(p / "s.json")),
    "findings": File(
        "f.json",
        [{"check": "C1", "severity": "warn", "claim": 1, "message": "m"}],
        lambda p: read_findings(p / "f.json"),
    ),
    "journal": File(
        f"log/{append.JOURNAL}",
        {"origin": "o", "start": 0, "entries": ["e"], "queue": [{"serial": 0, "name": "n.json"}]},
        append.staged,
    ),
    "supersedes": File("l.json", {"leaf": 3}, lambda p: superseding._leaf(p / "l.json")),
    "run": File("runs/a.json", RUN, read_runs),
    "totals": File("runs/a.json", {"drafts": 2, "accepted": 1}, totals),
    "controls": File("selftest.json", {"calibration": "c", "controls": [{"set": "x", "n": 3, "g1": 2}]}, read_controls),
    "reading": File("readings/r.json", {**READING, "ratings": [RATING]}, read_readings),
    "plan": File("plan.json", {"plan": {}, "model": {}, "started_at": "2026-11-01"}, folders.Begun.read),
    "sessions": File("sessions.json", [SESSION], folders.read_sessions),
    "seal": File("shard.json", SEAL, folders.read_seal),
}
# Members that nothing reads, or that are read elsewhere.
FREE = {"run": ("model", "plan", "engine"), "reading": ("forms", "models"), "sessions": ("cpu_milliseconds",)}
WRONG = {str: [5, [], {}, True], int: ["5", True, [], {}], list: [{}, "x", 5], dict: [[], "x", 5]}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for name, item in inner for place in places(item, (*at, name)))]


@pytest.mark.parametrize("name", FILES)
@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_member_of_a_wrong_kind_is_an_error_that_names_the_file(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    file = FILES[name]
    value: Any = {"": copy.deepcopy(file.good)}
    asked = [place for place in places(file.good) if not {*place} & {*FREE.get(name, ())}]
    place = ("", *data.draw(st.sampled_from(asked), "place"))
    holder = value
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = data.draw(st.sampled_from(WRONG[type(holder[place[-1]])]), "wrong")
    path = tmp_path / file.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(canonical.dumps(value[""]))
    with pytest.raises(PressError, match=re.escape(str(path))):
        file.read(tmp_path)
