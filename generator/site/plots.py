"""Figures of the report as inline SVG; the table after each figure has the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generator.site.svg import FRAME, GRID, Box, Drawing, clean

WIDTH, ROW, LINE = 518.0, 24.5, 18.0  # of a figure, height of a row, height of a line of the legend
LETTER = 5.4  # width of a letter, at most on average; the page's font is not known here
TICK = 3.5
MOST_ROWS, MOST_LETTERS = 24, 34
ALL = "all drafts"


@dataclass(frozen=True, slots=True)
class Mark:
    """A share with its interval, in a row of a figure, as a part of `series`."""

    row: str
    series: str
    share: float
    low: float
    high: float


def figures(report: dict[str, Any]) -> dict[str, str]:
    """Inline SVG by name: ladder, settings, reasons, controls, runs; those that have something to show."""
    drawn = (
        ("ladder", "Share of drafts that pass each gate", _ladder(report), _shares),
        ("settings", "Share of drafts that pass each gate, by temperature and model", _settings(report), _shares),
        ("reasons", "Why drafts are refused, as share of all drafts", _reasons(report), _shares),
        ("controls", "Share of each control set that passes each gate", _controls(report), _shares),
        ("runs", "Accepted drafts from run to run", _runs(report), _line),
    )
    return {name: draw(marks).inline(name, title, _said(marks)) for name, title, marks, draw in drawn if marks}


def _ladder(report: dict[str, Any]) -> list[Mark]:
    rows = [row for row in report["ladder"] if row["by"] in ("all", "direction")]
    return [mark for row in rows for mark in _gates(row["gates"], str(row["value"]))]


def _gates(gates: list[dict[str, Any]], series: str) -> list[Mark]:
    return [Mark(g["gate"], series, g["share"], g["low"], g["high"]) for g in gates if g["share"] is not None]


def _settings(report: dict[str, Any]) -> list[Mark]:
    """Only where there is something to compare: two temperatures, or two models."""
    rows = [row for row in report["ladder"] if row["by"] in ("temperature", "model")]
    kinds = {by: [row for row in rows if row["by"] == by] for by in ("temperature", "model")}
    shown = [row for those in kinds.values() if len(those) > 1 for row in those]
    named = ((row, f"temperature {row['value']}" if row["by"] == "temperature" else str(row["value"])) for row in shown)
    return [
        Mark(name, g["gate"], g["share"], g["low"], g["high"])
        for row, name in named
        for g in row["gates"][1:]
        if g["share"] is not None
    ]


def _reasons(report: dict[str, Any]) -> list[Mark]:
    rows = [row for row in report["reasons"] if row["share"] is not None][:MOST_ROWS]
    named = ((row, " ".join(filter(None, (row["gate"], row["reason"].replace("_", " "))))) for row in rows)
    return [Mark(name, "", row["share"], row["low"], row["high"]) for row, name in named]


def _controls(report: dict[str, Any]) -> list[Mark]:
    rows = report["controls"]["rows"] if report["controls"] else []
    return [
        Mark(str(row["set"]), g["gate"], g["share"], g["low"], g["high"])
        for row in rows
        for g in row["gates"]
        if g["share"] is not None
    ]


def _runs(report: dict[str, Any]) -> list[Mark]:
    """The newest runs, by day."""
    rows = [row for row in report["runs"] if row["accepted"]["share"] is not None][-MOST_ROWS:]
    return [
        Mark(row["started_at"][:10], "accepted", *(row["accepted"][n] for n in ("share", "low", "high")))
        for row in rows
    ]


def _said(marks: Sequence[Mark]) -> str:
    """The figure in words, for those who do not see it."""
    parts = (f"{' '.join(filter(None, (m.row, m.series)))}: {_percent(m.share)}" for m in marks[:60])
    return "; ".join(parts) + ". The table after the figure has the same numbers with their intervals."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _shares(marks: Sequence[Mark]) -> Drawing:
    """A row for each name, a mark with its interval for each series in it."""
    rows = list(dict.fromkeys(m.row for m in marks))[:MOST_ROWS]
    series = list(dict.fromkeys(m.series for m in marks))
    shown = [m for m in marks if m.row in rows]
    legend = _legend_lines(series)
    height = ROW * max(1.0, 0.55 * len(series))
    left = 16 + LETTER * max(len(_label(row)) for row in rows)
    box = Box(left, WIDTH - 14, 10 + LINE * len(legend), 10 + LINE * len(legend) + height * len(rows))
    drawing = Drawing(WIDTH, box.bottom + 34)

    def x(percent: float) -> float:
        return box.left + (percent + 1) / 102 * (box.right - box.left)  # a mark at an end is whole

    for percent in range(0, 101, 20):
        drawing.line(x(percent), box.top, x(percent), box.bottom, **GRID)
        drawing.line(x(percent), box.bottom, x(percent), box.bottom + TICK, **FRAME)
        drawing.text(x(percent), box.bottom + 13, str(percent), "middle")
    drawing.text((box.left + box.right) / 2, box.bottom + 26, "%", "middle")
    for place, row in enumerate(rows):
        middle = box.top + height * (place + 0.5)
        drawing.line(box.left - TICK, middle, box.left, middle, **FRAME)
        drawing.text(box.left - TICK - 3, middle + 3, _label(row), "end")
    drawing.frame(box)
    for mark in shown:
        middle = box.top + height * (rows.index(mark.row) + 0.5)
        if mark.series == series[0] and series[0] in ("", ALL):
            drawing.bar(x(0), middle - 0.4 * height, x(100 * mark.share), 0.8 * height)
        offset = (series.index(mark.series) - (len(series) - 1) / 2) * 0.7 / len(series) * height
        low, high = sorted((x(100 * min(mark.low, mark.share)), x(100 * max(mark.high, mark.share))))
        drawing.interval(low, middle + offset, high, middle + offset)
        drawing.mark(series.index(mark.series), x(100 * mark.share), middle + offset)
    for line, names in enumerate(legend):
        _draw_legend(drawing, names, series, 12 + LINE * line, (box.left + box.right) / 2)
    return drawing


def _legend_lines(series: Sequence[str]) -> list[list[str]]:
    """At most so many names on a line as fit; none for a single series."""
    lines: list[list[str]] = []
    for name in series if len(series) > 1 else ():
        if lines and sum(map(_legend_width, (*lines[-1], name))) <= WIDTH - 100:
            lines[-1].append(name)
        else:
            lines.append([name])
    return lines


def _legend_width(name: str) -> float:
    return 26 + LETTER * len(_label(name))


def _draw_legend(drawing: Drawing, names: Sequence[str], series: Sequence[str], y: float, middle: float) -> None:
    x = max(10.0, middle - sum(map(_legend_width, names)) / 2)
    for name in names:
        drawing.mark(series.index(name), x + 4, y - 3)
        drawing.text(x + 11, y, _label(name), "start")
        x += _legend_width(name)


def _line(points: Sequence[Mark]) -> Drawing:
    """A point with its interval for each name, from left to right."""
    box = Box(40, WIDTH - 14, 10, 160)
    drawing = Drawing(WIDTH, box.bottom + 16 + 0.71 * LETTER * max(len(_label(point.row)) for point in points))
    step = (box.right - box.left) / len(points)

    def y(percent: float) -> float:
        return box.bottom - percent / 100 * (box.bottom - box.top)

    for percent in range(0, 101, 20):
        drawing.line(box.left, y(percent), box.right, y(percent), **GRID)
        drawing.line(box.left - TICK, y(percent), box.left, y(percent), **FRAME)
        drawing.text(box.left - TICK - 3, y(percent) + 3, str(percent), "end")
    drawing.text(10, y(50) + 3, "%", "middle")
    drawing.frame(box)
    places = [box.left + step * (at + 0.5) for at in range(len(points))]
    drawing.path([(x, y(100 * point.share)) for x, point in zip(places, points, strict=True)])
    for x, point in zip(places, points, strict=True):
        drawing.line(x, box.bottom, x, box.bottom + TICK, **FRAME)
        drawing.text(x + 3, box.bottom + TICK + 8, _label(point.row), "end", turned=True)
        drawing.interval(x, y(100 * max(point.high, point.share)), x, y(100 * min(point.low, point.share)))
        drawing.mark(0, x, y(100 * point.share))
    return drawing


def _label(text: str) -> str:
    """Untrusted text as one short line of printable characters."""
    line = clean(text)
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"
