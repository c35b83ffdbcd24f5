"""Reports of runs as `generate` writes them, for tests of what reads them."""

from typing import Any

from generator.base import canonical, files

SESSION = {
    "began_at": "2026-11-20T01:00:00Z",
    "drafts": 200,
    "cpu_milliseconds": 400_000,
    "cpu_capability": "AVX512, AMD EPYC",
    "torch_version": "2.13.0",
    "transformers_version": "5.23.0",
    "account": {"engine": "prior-art"},
}
MODEL = {
    "model": "starter",
    "revision": "1",
    "weights_sha256": "4f" * 32,
    "tokenizer_sha256": "a1" * 32,
    "model_license": "CC-BY-4.0",
    "demonstration": True,
}
CORPUS = {"name": "grants", "documents": 1000, "sha256": "c0" * 32}


def row(direction: str, drafts: int, *passed: int, assessed: int = 0) -> dict[str, Any]:
    """`passed`: drafts that passed G0, G1, G2, G3 and G4."""
    gates = dict(zip(("g0", "g1", "g2", "g3", "g4"), passed, strict=True))
    return {"direction": direction, "drafts": drafts, **gates, "assessed": assessed}


def run_report(number: int = 1, *, temperature: str = "1", **changes: Any) -> dict[str, Any]:
    """A run of 200 drafts of which 30 were accepted, 12 in the obvious range. A member that is None is left out."""
    value = {
        "schema": "prior-art-run/v1",
        "run": f"2026-11-{number:02d}-{number:08x}",
        "started_at": f"2026-11-{number:02d}T01:00:00Z",
        "finished_at": f"2026-11-{number:02d}T02:00:00Z",
        "model": MODEL,
        "plan": {"profile": "starter", "sampling": {"temperature": temperature}},
        "calibration": "cal-1",
        "corpus": CORPUS,
        "engine": [SESSION],
        "drafts": 200,
        "accepted": 30,
        "rejected": 170,
        "reasons": {"loop": 100, "copied_run": 20, "antecedents": 40, "near_duplicate": 10},
        "reason_gates": [
            {"gate": "G1", "reason": "loop", "drafts": 100},
            {"gate": "G2", "reason": "antecedents", "drafts": 40},
            {"gate": "G3", "reason": "copied_run", "drafts": 20},
            {"gate": "G3", "reason": "near_duplicate", "drafts": 10},
        ],
        "ladder": [
            row("bottom-up", 100, 90, 50, 30, 10, 4, assessed=10),
            row("top-down", 100, 80, 50, 30, 20, 8, assessed=20),
        ],
        "early_stops": 60,
        "words": 60_000,
        "tokens": 90_000,
        "milliseconds": 200_000,
        "judging_milliseconds": 8_000,
        **changes,
    }
    return {name: item for name, item in value.items() if item is not None}


def old_report(number: int = 1) -> dict[str, Any]:
    """Of version 0.2: no ladder, no corpus, no CPU time."""
    session = {name: item for name, item in SESSION.items() if name != "cpu_milliseconds"}
    new = ("calibration", "corpus", "reason_gates", "ladder", "early_stops", "judging_milliseconds")
    return run_report(number, engine=[session], **dict.fromkeys(new))


def write_reports(output: Any, *reports: dict[str, Any]) -> None:
    for report in reports:
        files.write(output / "runs" / f"{report['run']}.json", canonical.dumps(report))


SELFTEST = {
    "schema": "prior-art-selftest/v1",
    "calibration": "cal-1",
    "corpus": "grants",
    "seed": 7,
    "controls": [
        {"set": "real", "n": 500, "g1": 480, "g2": 450, "g3": 450},
        {"set": "chimera", "n": 500, "g1": 480, "g2": 40, "g3": 40},
        {"set": "markov", "n": 500, "g1": 20, "g2": 0, "g3": 0},
        {"set": "copies", "n": 500, "g1": 500, "g2": 480, "g3": 0},
    ],
}
