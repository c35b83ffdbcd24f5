"""Figures of the report as inline SVG: text stays text, colours are the page's, the same report gives the same bytes.

The site's policy allows no inline style, so what matplotlib writes as styles becomes attributes. Labels come from
files of runs and may hold anything: matplotlib draws them without markup, and the SVG is written by an XML library.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any
from xml.etree import ElementTree

INK = "#010203"  # stands for the colour of the page's text; soft lines have it with opacity
WIDTH, ROW, FRAME = 7.2, 0.34, 0.75  # inches
MOST_ROWS, MOST_LETTERS = 24, 34
ALL = "all drafts"
BAR = {"height": 0.8, "color": INK, "alpha": 0.12, "linewidth": 0}
MARKS = ("o", "s", "^", "D", "v", "P")
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
KEPT = (
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "opacity",
    "text-anchor",
)


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
    return {name: _inline(name, title, marks, draw) for name, title, marks, draw in drawn if marks}


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


def _height(marks: Sequence[Mark]) -> float:
    rows, series = len({m.row for m in marks}), len({m.series for m in marks})
    return FRAME + min(rows, MOST_ROWS) * ROW * max(1.0, 0.55 * series) + (0.35 if series > 1 else 0)


def _shares(figure: Any, marks: Sequence[Mark]) -> None:
    """A row for each name, a mark with its interval for each series in it."""
    axes = figure.add_subplot()
    rows = list(dict.fromkeys(m.row for m in marks))[:MOST_ROWS]
    series = list(dict.fromkeys(m.series for m in marks))
    wide = [m for m in marks if m.series == series[0]] if series[0] in ("", ALL) else []
    axes.barh([rows.index(m.row) for m in wide if m.row in rows], [100 * m.share for m in wide if m.row in rows], **BAR)
    for place, name in enumerate(series):
        those = [m for m in marks if m.series == name and m.row in rows]
        offset = (place - (len(series) - 1) / 2) * 0.7 / max(1, len(series))
        heights = [rows.index(m.row) + offset for m in those]
        _marks(axes, [100 * m.share for m in those], heights, those, "xerr", MARKS[place % len(MARKS)], _label(name))
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-1, 101)  # a mark at an end is whole
    axes.set_xlabel("%")
    axes.grid(axis="x", alpha=0.18, linewidth=0.6)
    if len(series) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(6, len(series)), frameon=False)


def _line(figure: Any, points: Sequence[Mark]) -> None:
    axes = figure.add_subplot()
    values = [100 * point.share for point in points]
    axes.plot(range(len(points)), values, color=INK, linewidth=1, alpha=0.5)
    _marks(axes, range(len(points)), values, points, "yerr", MARKS[0], "accepted")
    axes.set_xticks(range(len(points)), [_label(point.row) for point in points], rotation=45, ha="right")
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.set_ylim(0, 100)
    axes.set_ylabel("%")
    axes.grid(axis="y", alpha=0.18, linewidth=0.6)


def _marks(axes: Any, x: Any, y: Any, marks: Sequence[Mark], error: str, mark: str, label: str) -> None:
    spread = [[100 * (m.share - m.low) for m in marks], [100 * (m.high - m.share) for m in marks]]
    style = {"color": INK, "elinewidth": 1, "capsize": 2.5, "markersize": 4.5, "linestyle": "none"}
    axes.errorbar(x, y, **{error: [[max(0.0, v) for v in side] for side in spread]}, fmt=mark, label=label, **style)


def _label(text: str) -> str:
    """Untrusted text as one short line of printable characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"


def _inline(name: str, title: str, marks: Sequence[Mark], draw: Callable[[Any, Sequence[Mark]], None]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    settings = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.size": 8.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.6,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK),
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, 3.0 if draw is _line else _height(marks)), layout="constrained")
        draw(figure, marks)
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_page(written.getvalue(), name, title, _said(marks))


def _for_page(svg: str, name: str, title: str, said: str) -> str:
    """matplotlib's file as an element of a page: attributes for styles, identifiers of its own, a text alternative."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        for rule in filter(None, (part.strip() for part in element.attrib.pop("style", "").split(";"))):
            _attribute(element, *(part.strip() for part in rule.split(":", 1)))
        for key in ("fill", "stroke"):
            if element.get(key) == INK:
                element.set(key, "currentColor")
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        for key in (f"{{{XLINK}}}href", "clip-path"):
            if key in element.attrib:
                element.set(key, re.sub("#", f"#{name}-", element.get(key, ""), count=1))
    viewbox = root.get("viewBox", "")
    root.attrib.clear()
    identifiers = f"figure-{name}-title", f"figure-{name}-text"
    root.attrib.update(
        {"viewBox": viewbox, "role": "img", "aria-labelledby": identifiers[0], "aria-describedby": identifiers[1]}
    )
    root.attrib.update({"class": "press-figure", "stroke-linejoin": "round", "font-family": "inherit"})
    for place, (tag, text) in enumerate((("title", title), ("desc", said))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": identifiers[place]})
        element.text = _clean(text)
        root.insert(place, element)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    # One line: a blank line would end the block of HTML that it stands in.
    return re.sub(r"\s*\n\s*", " ", ElementTree.tostring(root, encoding="unicode"))


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _attribute(element: ElementTree.Element, key: str, value: str) -> None:
    """A style as an attribute. Fonts keep their size alone: the family is the page's."""
    if key == "font":
        key, value = "font-size", value.split("px")[0].split()[-1] + "px"
    if key in (*KEPT, "font-size"):
        element.set(key, value)
