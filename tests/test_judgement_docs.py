"""The figures in docs/judgement.md against the files that the program judges by."""

import json
import re
from pathlib import Path

from test_docs import read, table

from generator.base.intervals import wilson
from generator.judge.calibration import SHIPPED
from generator.judge.classification import MANIFEST
from generator.judge.classification import SHIPPED as CPC

PAGE = "docs/judgement.md"


def shown(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{100 * hits / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def calibration() -> dict:  # type: ignore[type-arg]
    return json.loads(SHIPPED.read_bytes())


def test_the_thresholds() -> None:
    thresholds = calibration()["thresholds"]
    rows = [re.search(r"[\d.]+", text)[0] for _, text in table(read(PAGE), "| measure |")]  # type: ignore[index]
    names = ("antecedent_share", "cohesion", "title_support", "abstract_support")
    assert rows == [f"{thresholds[name] / 10:.1f}" for name in names]


def test_the_rates_of_gates_and_checks() -> None:
    kept = calibration()["held_out"]
    rows = {name: (documents, claims.strip()) for name, documents, claims in table(read(PAGE), "| gate or check |")}
    assert rows["G1"][0] == shown(kept["g1"], kept["documents"])
    assert rows["G1 and G2"][0] == shown(kept["g2"], kept["documents"])
    for check in calibration()["checks"]:
        expected = shown(check["silent_documents"], kept["documents"]), shown(check["silent_claims"], kept["claims"])
        assert rows[check["code"]] == expected
    assert f"({kept['documents']} documents, {kept['claims']:,} claims)" in read(PAGE)


def test_the_accuracy_of_classification() -> None:
    accuracy = json.loads((Path(CPC) / MANIFEST).read_bytes())["accuracy"]
    for level, *cells in table(read(PAGE), "| level |"):
        found = [accuracy[level][name] for name in ("first", "top3", "majority_first")]
        assert cells == [shown(one["hits"], one["n"]) for one in found]


def test_every_reason_of_a_refusal_is_in_the_documents() -> None:
    from generator.judge.early_stop import gate_of

    reasons = set(re.findall(r"`([a-z_]+)`", read(PAGE)))
    assert {"truncated", "copied_run", "near_duplicate", "duplicate"} <= reasons
    assert {gate_of(reason) for reason in ("truncated", "c4", "cohesion", "copied_run")} == {"G0", "G1", "G2", "G3"}
