"""Made-up measurements with known figures, for the tests of the benchmark of engines."""

import dataclasses
from typing import Any

from tests.benchmarks.engine import peers, results, roofline
from tests.benchmarks.engine.agreement import Agreement
from tests.benchmarks.engine.jobs import Failure, Job, Measurement

ROOFLINE = roofline.Roofline(64, {"bf16": 800e9, "int8": 1592e9}, {"bf16": 700e9, "int8": 1300e9}, 40e9, {})


def measured(engine: str = "ctranslate2", rate: float = 100.0, **other: Any) -> Measurement:
    """10 sequences of 100 tokens at `rate` tokens a second."""
    first = Measurement(
        engine=engine,
        version=f"{engine} 1.0",
        format="int8",
        batch=10,
        new_tokens=100,
        tokens=1000,
        seconds=1000 / rate,
        load_seconds=1.0,
        peak_rss_bytes=500_000_000,
        cpu_seconds=2000 / rate,
        foreign_share=0.01,
        energy_joules=None,
        finished=True,
    )
    return dataclasses.replace(first, **other)


def line(engine: str, *rates: float, check: Agreement | None = None, **other: Any) -> results.Line:
    runs = tuple(measured(engine, rate) for rate in rates)
    first = results.Line(engine, "int8", 10, 100, peers.SAME_SAMPLING, runs, (), check)
    return dataclasses.replace(first, **other)


def result(*lines: results.Line, absent: tuple[Failure, ...] = ()) -> results.Result:
    return results.Result({"date": "2026-11-22"}, ROOFLINE, "", (), lines, absent, 5.0, 2.0)


def cells(text: str, first: str) -> list[list[str]]:
    """Rows of the table whose header begins with `first`."""
    lines = text.split("\n")
    start = next(n for n, row in enumerate(lines) if row.startswith(f"| {first} |"))
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("|"))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in lines[start:end]]


def job(**other: Any) -> Job:
    return dataclasses.replace(Job("ctranslate2", "int8", 10, 100, 2, 60.0, 7, "/nowhere"), **other)
