"""The report: what all runs of a publication made, at which rates and cost. Its format is docs/report-format.md.

Rates are shares from 0 to 1 with Wilson intervals. What an older run did not record is null, and so is G4 where there
was no reference corpus: "not assessed" is not 0.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from generator import __version__
from generator.base import files
from generator.base.errors import ConfigError
from generator.base.intervals import wilson
from generator.base.settings import FORMS
from generator.measure.diversity import Diversity, clusters, diversity
from generator.measure.review.scale import readings
from generator.record.judgement import GATES
from generator.run.cost import Prices, Spent, cost_per
from generator.site.report_facts import REPORT, SCHEMA, AcceptedDisclosure, read_accepted, read_controls, read_runs

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication
    from generator.log.ledger import Ledger

COPIES = ("duplicate", "near_duplicate")  # reasons of drafts that repeat what is known
OBVIOUS = "obvious range"
GROUPS = ("all", "direction", "temperature", "model")


def report(
    publication: "Publication",
    *,
    watts: str | None = None,
    price_per_cpu_hour: str | None = None,
    price_per_kwh: str | None = None,
    currency: str | None = None,
    seed: int = 0,
    ledger: "Ledger | None" = None,
) -> "Outcome":
    """Write output/report.json from the facts in `output`. `seed` draws the samples of diversity.

    `ledger` is what this command has read of the log before. What is None is as in the settings.
    Raises PressError.
    """
    from generator.base.publication import Outcome

    given = {"watts": watts, "price_per_cpu_hour": price_per_cpu_hour, "price_per_kwh": price_per_kwh}
    numbers = [
        _number(name, getattr(publication.settings, name) if text is None else text) for name, text in given.items()
    ]
    prices = Prices(numbers[0], numbers[1], numbers[2], publication.settings.currency if currency is None else currency)
    # How many drafts a contributor wrote is their word: no figure is made of it.
    runs = [run for run in read_runs(publication.output) if not run["plan"].get("contributor")]
    accepted = read_accepted(publication.output, ledger)
    publication.report(f"report: {len(runs)} runs, {len(accepted)} accepted disclosures")
    value = compute(runs, accepted, read_controls(publication.output), prices, made_at=publication.now(), seed=seed)
    value["readings"] = readings(publication.output)
    path = publication.output / REPORT
    files.write(
        path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
    )
    return Outcome((*_lines(value), f"report: written to {path}"), value)


def _number(name: str, text: str) -> float | None:
    """None for an empty text. Raises ConfigError."""
    if not FORMS[name][0].fullmatch(text):
        raise ConfigError(f"{name} = {text!r}: {FORMS[name][1]} is expected", hint="A number such as 0.25, or nothing.")
    return float(text) if text else None


def compute(
    runs: Sequence[dict[str, Any]],
    accepted: Sequence[AcceptedDisclosure],
    controls: dict[str, Any] | None,
    prices: Prices,
    *,
    made_at: str,
    seed: int,
) -> dict[str, Any]:
    """The report as JSON: a function of its arguments alone."""
    symbols = [
        a.judgement.classification.subclasses[0].symbol
        for a in accepted
        if a.judgement and a.judgement.classification.subclasses
    ]
    copies = sum(run["reasons"].get(reason, 0) for run in runs for reason in COPIES)
    various = diversity([item.text for item in accepted], symbols, refused=copies, seed=seed)
    charted = [a for a in accepted if a.judgement and a.judgement.chart and a.judgement.chart.verdict == OBVIOUS]
    distinct = len(set(clusters([item.text for item in charted])))
    return {
        "schema": SCHEMA,
        "made_at": made_at,
        "code_version": __version__,
        "models": _models(runs),
        "machines": _distinct([_machine(session) for run in runs for session in run["engine"]]),
        "calibrations": _distinct([run["calibration"] for run in runs if "calibration" in run]),
        "corpora": _distinct([run["corpus"] for run in runs if "corpus" in run]),
        "drafts": sum(run["drafts"] for run in runs),
        "accepted": sum(run["accepted"] for run in runs),
        "ladder": [row for by in GROUPS for row in ladder(runs, by)],
        "drafts_without_ladder": sum(run["drafts"] for run in runs if "ladder" not in run),
        "reasons": _reasons(runs),
        "early_stops": _sum(runs, "early_stops"),
        "controls": controls,
        "speed": _speed(runs),
        "cost": _cost(runs, prices, various, distinct / len(charted) if charted else 1.0),
        "g4_documents": {"documents": len(charted), "distinct": distinct},
        "diversity": {**asdict(various), "seed": seed},
        "runs": [_run(run) for run in runs],
    }


def _group(by: str, run: dict[str, Any], row: dict[str, Any]) -> str:
    """The name of the group that a row of a run's ladder belongs to."""
    names = {"direction": row["direction"], "temperature": _temperature(run), "model": _model(run)}
    return str(names.get(by, "all drafts"))


def ladder(runs: Iterable[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """For each group the drafts that passed each gate. G4 counts drafts of runs with a corpus alone."""
    groups: dict[str, list[tuple[bool, dict[str, Any]]]] = {}
    for run in runs:
        for row in run.get("ladder", ()):
            groups.setdefault(_group(by, run, row), []).append(("corpus" in run, row))
    rows = []
    for value, members in sorted(groups.items()):
        assessable = [row for corpus, row in members if corpus]
        every = [row for _, row in members]
        drafts = sum(row["drafts"] for row in every)
        gates = [_gate(gate, sum(row[gate.lower()] for row in every), drafts) for gate in GATES[:4]]
        if assessable:
            gates.append(_gate("G4", sum(row["g4"] for row in assessable), sum(row["drafts"] for row in assessable)))
        else:
            gates.append({"gate": "G4", "passed": None, **rate(None, None)})
        rows.append(
            {
                "by": by,
                "value": value,
                "drafts": drafts,
                "gates": gates,
                "assessed": sum(row["assessed"] for row in every),
            }
        )
    return rows


def _gate(gate: str, passed: int, of: int) -> dict[str, Any]:
    return {"gate": gate, "passed": passed, **rate(passed, of)}


def rate(hits: int | None, n: int | None) -> dict[str, Any]:
    """`share` with its interval; all null where nothing was counted."""
    if hits is None or not n:
        return {"of": n, "share": None, "low": None, "high": None}
    low, high = wilson(hits, n)
    return {"of": n, "share": hits / n, "low": low, "high": high}


def _temperature(run: dict[str, Any]) -> str:
    sampling = run["plan"].get("sampling")
    return str(sampling.get("temperature", "not recorded")) if isinstance(sampling, dict) else "not recorded"


def _model(run: dict[str, Any]) -> str:
    return f"{run['model'].get('model', 'not recorded')} {run['model'].get('revision', '')}".strip()


def _models(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("model", "revision", "weights_sha256", "tokenizer_sha256", "model_license", "demonstration")
    return _distinct([{name: run["model"].get(name) for name in names} for run in runs])


def _machine(session: dict[str, Any]) -> dict[str, Any]:
    return {name: session.get(name) for name in ("cpu_capability", "torch_version", "transformers_version")}


def _distinct(values: list[Any]) -> list[Any]:
    """Each value once, in order of its canonical text."""
    return [value for _, value in sorted({json.dumps(value, sort_keys=True): value for value in values}.items())]


def _reasons(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Why drafts were refused, the most frequent first; `gate` is null in runs that did not record it."""
    counts: Counter[tuple[str, str]] = Counter()
    for run in runs:
        if "reason_gates" in run:
            for item in run["reason_gates"]:
                counts[item["gate"], item["reason"]] += item["drafts"]
        else:
            for reason, drafts in run["reasons"].items():
                counts["", reason] += drafts
    total = sum(run["drafts"] for run in runs)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"gate": gate or None, "reason": reason, "drafts": n, **rate(n, total)} for (gate, reason), n in ordered]


def _sum(runs: Sequence[dict[str, Any]], name: str) -> int | None:
    """None when no run has recorded it."""
    found = [run[name] for run in runs if name in run]
    return sum(found) if found else None


def _speed(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    milliseconds = sum(run["milliseconds"] for run in runs)
    per_second = {
        what: sum(run[what] for run in runs) * 1000 / milliseconds if milliseconds else None
        for what in ("words", "tokens")
    }
    return {"seconds": milliseconds / 1000, **{f"{what}_per_second": value for what, value in per_second.items()}}


def spent(runs: Sequence[dict[str, Any]], prices: Prices) -> Spent | None:
    """What runs took together; None when one of their sessions did not record its CPU time."""
    sessions = [session for run in runs for session in run["engine"]]
    if not sessions or not all("cpu_milliseconds" in session for session in sessions):
        return None
    energies = [session.get("energy_millijoules") for session in sessions]
    joules = None if None in energies else sum(energies) / 1000
    cpu = sum(session["cpu_milliseconds"] for session in sessions) / 1000
    return Spent.of(sum(run["drafts"] for run in runs), cpu, joules, prices)


def _cost(runs: Sequence[dict[str, Any]], prices: Prices, various: Diversity, distinct: float) -> dict[str, Any]:
    """Of the runs that recorded their CPU time; null members where there is none."""
    timed = [run for run in runs if spent([run], prices)]
    charted = [run for run in timed if "corpus" in run and "ladder" in run]
    whole, for_charts = spent(timed, prices), spent(charted, prices)
    per_accepted = cost_per(sum(run["accepted"] for run in timed), whole, prices) if whole else None
    hits = sum(row["g4"] for run in charted for row in run["ladder"])
    seconds = per_accepted["cpu_seconds"]["value"] if per_accepted and per_accepted["cpu_seconds"] else None
    chance = various.chance_new
    judging = _sum(timed, "judging_milliseconds")
    return {
        "drafts": whole.drafts if whole else 0,
        "cpu_seconds": whole.cpu_seconds if whole else None,
        "kwh": whole.kwh if whole else None,
        "energy": "not known" if not whole or whole.joules is None else "measured" if whole.measured else "estimated",
        "judging_share": judging / 1000 / whole.cpu_seconds
        if whole and judging is not None and whole.cpu_seconds
        else None,
        "prices": asdict(prices),
        "per_accepted": per_accepted,
        "per_distinct_g4": cost_per(hits, for_charts, prices, distinct_share=distinct) if for_charts else None,
        "marginal_cpu_seconds": seconds / chance if seconds is not None and chance else None,
    }


def _run(run: dict[str, Any]) -> dict[str, Any]:
    """One point of the line from run to run."""
    rows = ladder([run], "all")
    took = spent([run], Prices())
    return {
        "run": run["run"],
        "started_at": run["started_at"],
        "model": _model(run),
        "temperature": _temperature(run),
        "drafts": run["drafts"],
        "accepted": _gate("accepted", run["accepted"], run["drafts"]),
        "gates": rows[0]["gates"] if rows else None,
        "words_per_second": _speed([run])["words_per_second"],
        "cpu_seconds_per_accepted": took.cpu_seconds / run["accepted"] if took and run["accepted"] else None,
    }


def _lines(value: dict[str, Any]) -> list[str]:
    """What a person reads at once: the ladder of all drafts, and what an accepted disclosure costs."""
    lines = []
    for row in value["ladder"]:
        if row["by"] not in ("all", "direction"):
            continue
        lines.append(f"{row['value']}: {row['drafts']} drafts")
        for gate in row["gates"]:
            if gate["share"] is None:
                lines.append(f"  {gate['gate']}  not assessed")
                continue
            interval = f"{100 * gate['low']:.1f} to {100 * gate['high']:.1f} %"
            lines.append(
                f"  {gate['gate']}  {gate['passed']} of {gate['of']}: {100 * gate['share']:.1f} % ({interval})"
            )
    if value["drafts_without_ladder"]:
        lines.append(f"{value['drafts_without_ladder']} drafts are of runs that did not record the ladder")
    for what, name in (
        ("per_accepted", "accepted disclosure"),
        ("per_distinct_g4", "distinct document in the obvious range (computed)"),
    ):
        cost = value["cost"][what]
        seconds, g4 = cost and cost["cpu_seconds"], what == "per_distinct_g4"
        if not seconds:
            lines.append(f"cost of one {name}: {'not assessed' if g4 and not value['corpora'] else 'not recorded'}")
        elif seconds["value"] is None:
            lines.append(f"cost of one {name}: at least {seconds['low']:.1f} CPU seconds; there is none yet")
        else:
            interval = f"{seconds['low']:.1f} to {seconds['high']:.1f}"
            lines.append(f"cost of one {name}: {seconds['value']:.1f} CPU seconds ({interval})")
    lines.append(f"Worth running longer? {value['diversity']['longer']}")
    return lines
