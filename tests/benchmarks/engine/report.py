"""The result as Markdown and as JSON. A configuration without a figure has a row with the reason."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.engine.jobs import Failure, Measurement, to_json
from tests.benchmarks.engine.peers import OURS
from tests.benchmarks.engine.results import (
    Line,
    Result,
    Spread,
    best_peer,
    energy_is_counted,
    ours,
    ratio,
    watt_hours,
)

SCHEMA = "engine-benchmark/v1"
DISTURBED = 0.05  # of the CPU time, taken by other processes


def markdown(result: Result) -> str:
    parts = ["# Engines compared", "", _machine(result), "", *_roofline(result)]
    for new_tokens in result.lengths:
        parts += ["", f"## {new_tokens:,} new tokens a sequence", "", *_table(result, new_tokens)]
        parts += ["", *_ratios(result, new_tokens)]
    if result.absent:
        rows = [
            [
                item.engine,
                item.format,
                str(item.batch or "any"),
                f"{item.new_tokens:,}" if item.batch else "any",
                item.reason,
            ]
            for item in result.absent
        ]
        parts += ["", "## Not measured", "", *_grid(["engine", "format", "batch", "new tokens", "reason"], rows)]
    parts += ["", "## Search for the best batch", "", "One run each.", "", *_search(result)]
    versions = sorted({run.version for line in result.lines for run in line.runs})
    parts += ["", "## Versions", "", *(f"- {text}" for text in versions)]
    return "\n".join(parts) + "\n"


def to_object(result: Result) -> dict[str, Any]:
    """Everything that was measured, and every figure of the tables."""
    return {
        "schema": SCHEMA,
        "settings": result.settings,
        "roofline": asdict(result.roofline) if result.roofline else {"missing": result.roofline_missing},
        "bounds": {str(n): _bounds(result, n) for n in result.lengths},
        "tried": [_outcome(item) for item in result.tried],
        "lines": [_line(result, line) for line in result.lines],
        "absent": [to_json(item) for item in result.absent],
    }


def write(result: Result, folder: Path) -> str:
    """Write `engine.md` and `engine.json`; returns the Markdown."""
    text = markdown(result)
    (folder / "engine.md").write_text(text, encoding="utf-8")
    (folder / "engine.json").write_text(json.dumps(to_object(result), indent=1) + "\n", encoding="utf-8")
    return text


def _outcome(item: Measurement | Failure) -> dict[str, Any]:
    kind = "measurement" if isinstance(item, Measurement) else "failure"
    return {kind: to_json(item)}


def _line(result: Result, line: Line) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "engine": line.engine,
        "format": line.format,
        "batch": line.batch,
        "new_tokens": line.new_tokens,
        "sampling": line.sampling,
        "runs": [to_json(run) for run in line.runs],
        "failures": [to_json(item) for item in line.failures],
        "agreement": asdict(line.agreement) if line.agreement else None,
        "trusted": line.trusted,
        "finished": line.finished,
    }
    if line.runs:
        figures["tokens_per_second"] = asdict(line.rate)
        figures["words_per_second"] = asdict(line.rate.times(1 / result.tokens_per_word))
        figures["watt_hours_per_million_tokens"] = watt_hours(line, result.watts_per_core)
        figures["ratio_of_ours"] = {
            mine.format: asdict(ratio(mine, line)) for mine in ours(result.at(line.new_tokens)) if mine != line
        }
    return figures


def _bounds(result: Result, new_tokens: int) -> dict[str, float]:
    roofline = result.roofline
    return {kind: roofline.bound(kind, new_tokens) for kind in roofline.warm} if roofline else {}


def _machine(result: Result) -> str:
    told = [f"{key.replace('_', ' ')}: {value}" for key, value in result.settings.items()]
    return "\n".join(f"- {text}" for text in told)


def _roofline(result: Result) -> list[str]:
    lines = ["## What the machine allows", ""]
    if result.roofline is None:
        return [*lines, f"Not measured: {result.roofline_missing}"]
    found = result.roofline
    rows = [
        [kind, f"{found.warm[kind] / 1e9:,.0f}", f"{found.streamed[kind] / 1e9:,.0f}"]
        + [f"{found.bound(kind, n):,.0f}" for n in result.lengths]
        for kind in found.warm
    ]
    head = ["format", f"products at {found.rows} rows, billion operations/s", "the same, weights from memory"]
    lines += _grid(head + [f"bound at {n:,}, tokens/s" for n in result.lengths], rows)
    lines += ["", f"Reading memory: {found.read_bytes_per_second / 1e9:.1f} GB/s."]
    return lines + [f"{kind} was not measured: {reason}." for kind, reason in found.missing.items()]


def _table(result: Result, new_tokens: int) -> list[str]:
    mine = ours(result.at(new_tokens))
    kinds = sorted(_bounds(result, new_tokens))
    measured = "" if all(energy_is_counted(line) for line in result.lines if line.runs) else " (estimate)"
    head = ["engine", "format", "batch", "tokens/s", "least to most", "words/s", "memory, GB", "load, s"]
    head += [f"Wh a million tokens{measured}", "other processes", "follows the model"]
    head += [f"share of the {kind} bound" for kind in kinds]
    head += [f"{OURS} {line.format} is ... times" for line in mine]
    lines = sorted(result.at(new_tokens), key=lambda line: -line.rate.middle if line.runs else 0)
    return _grid(head, [_row(result, line, mine, kinds, len(head)) for line in lines])


def _row(result: Result, line: Line, mine: list[Line], kinds: list[str], width: int) -> list[str]:
    cells = [line.engine, line.format, str(line.batch)]
    if not line.runs:
        return [*cells, f"no figure: {line.failures[0].reason}", *[""] * (width - 4)]
    rate, bounds = line.rate, _bounds(result, line.new_tokens)
    cells += [("" if line.finished else "at most ") + _number(rate.middle), _range(rate, len(line.runs))]
    cells += [_number(rate.middle / result.tokens_per_word)]
    cells += [f"{max(run.peak_rss_bytes for run in line.runs) / 1e9:.2f}"]
    cells += [f"{min(run.load_seconds for run in line.runs):.1f}"]
    cells += [f"{watt_hours(line, result.watts_per_core):.2f}", _foreign(line), _agreement(line)]
    cells += [f"{rate.middle / bounds[kind]:.0%}" for kind in kinds]
    for own in mine:
        compared = ratio(own, line)
        cells.append("" if line.engine == OURS else _times(compared))
    return cells


def _ratios(result: Result, new_tokens: int) -> list[str]:
    """What the table says of this project's engine, in sentences."""
    lines = result.at(new_tokens)
    peer, mine = best_peer(lines), ours(lines)
    said = []
    for own in mine:
        if peer is not None:
            found = ratio(own, peer)
            said.append(
                f"- {OURS} {own.format} is {_times(found)} times as fast as the best other engine, {peer.engine} "
                f"{peer.format} at batch {peer.batch}."
            )
        if not own.finished:
            said.append(f"- {OURS} {own.format} was cut at the limit: its ratios are too high and do not count.")
    if cut := [f"{line.engine} {line.format}" for line in lines if line.runs and not line.finished]:
        said.append(f"- Cut at the limit, so that the rate is that of the first, shorter texts: {', '.join(cut)}.")
    if wrong := [f"{line.engine} {line.format}" for line in lines if line.runs and not line.trusted]:
        said.append(f"- **Tokens do not follow the model**, hence not compared: {', '.join(wrong)}.")
    for line in lines:
        if line.failures and line.runs:
            said.append(f"- {line.engine} {line.format}: {len(line.failures)} runs failed: {line.failures[0].reason}")
    return said


def _search(result: Result) -> list[str]:
    rows = []
    for item in result.tried:
        cells = [item.engine, item.format, str(item.batch)]
        if isinstance(item, Failure):
            rows.append([*cells, f"no figure: {item.reason}", ""])
        else:
            rate = ("" if item.finished else "at most ") + _number(item.rate)
            rows.append([*cells, rate, _share(item.foreign_share)])
    return _grid(["engine", "format", "batch", "tokens/s", "other processes"], rows)


def _agreement(line: Line) -> str:
    if line.agreement is None:
        return f"not checked ({line.sampling})"
    told = f"{line.agreement.share:.2f} ± {line.agreement.error:.2f}"
    return told if line.agreement.right else f"**no** ({told})"


def _foreign(line: Line) -> str:
    shares = [run.foreign_share for run in line.runs]
    known = [share for share in shares if share is not None]
    if not known:
        return "not known"
    return _share(max(known)) + (" **disturbed**" if max(known) > DISTURBED else "")


def _share(share: float | None) -> str:
    return "not known" if share is None else f"{share:.0%}"


def _range(rate: Spread, runs: int) -> str:
    return f"{_number(rate.least)} to {_number(rate.most)} ({runs})" if runs > 1 else "(1)"


def _times(found: Spread) -> str:
    """Without a range where there was one run of each."""
    spread = "" if found.least == found.most else f" ({found.least:.2f} to {found.most:.2f})"
    return f"{found.middle:.2f}{spread}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _grid(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; what others wrote (reasons) cannot break it."""
    clean = [[" ".join(cell.replace("|", "/").split()) for cell in row] for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(row)} |" for row in clean)]
