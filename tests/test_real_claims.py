"""Thirty real claim sets, of 1976 to 2024, with what the parser and the gate of form make of each.

A change of the checks that is meant is written down by: python tests/test_real_claims.py
"""

import json
from pathlib import Path
from typing import Any

import pytest

from generator.base.intervals import wilson
from generator.corpus.patent_text import clean, sentence_case
from generator.judge.checks import Passed, check
from generator.judge.parsing import Parsed, parse
from generator.record.layouts import write_layout

CASES = Path(__file__).parent / "cases" / "claims"
EXPECTED = CASES / "expected.json"
LICENSES = {"USPTO/PatentPublicData": "CC0-1.0", "boschresearch/Pap2Pat": "CC-BY-4.0"}
PASSED = 0.938  # of the real patents held out: docs/judgement.md, gate G1


def sets() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / "claims.jsonl").read_text(encoding="utf-8").splitlines()]


def outcome(one: dict[str, Any], direction: Any) -> dict[str, Any]:
    abstract = clean(one["abstract"])
    title = sentence_case(clean(one["title"]), abstract)
    text = write_layout(direction, title, abstract, [clean(claim) for claim in one["claims"]])
    parsed = parse(text, direction, "end")
    assert isinstance(parsed, Parsed)
    found = check(parsed.disclosure)
    claims = [list(claim.depends_on) for claim in parsed.disclosure.claims]
    if isinstance(found, Passed):
        return {"depends_on": claims, "removed": list(found.removed_claims)}
    return {"depends_on": claims, "reason": found.reason}


def test_thirty_sets_each_with_its_source_and_its_licence() -> None:
    assert len({one["id"] for one in sets()}) == 30
    for one in sets():
        assert one["license"] == LICENSES[one["source"].split(":")[0]], one["id"]


@pytest.mark.parametrize("one", sets(), ids=lambda one: str(one["id"]))
def test_what_the_gate_of_form_makes_of_a_real_claim_set(one: dict[str, Any]) -> None:
    expected = json.loads(EXPECTED.read_text())[one["id"]]
    assert outcome(one, "top-down") == outcome(one, "bottom-up") == expected


def test_real_claim_sets_pass_as_often_as_was_measured() -> None:
    passed = sum("reason" not in outcome(one, "top-down") for one in sets())
    low, high = wilson(passed, 30)
    assert low <= PASSED <= high


if __name__ == "__main__":
    found = {str(one["id"]): outcome(one, "top-down") for one in sets()}
    EXPECTED.write_text("{\n" + ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in found.items()) + "\n}\n")
