"""Cells and rows of Markdown tables. Texts come from outside and must not break a table."""

from collections.abc import Iterable, Sequence
from typing import Any

from generator.base.intervals import shown, wilson


def rate(hits: int, n: int) -> dict[str, Any]:
    """A share from 0 to 1 with its 95 % interval (Wilson); `share` is None of nothing."""
    low, high = wilson(hits, n)
    return {"share": hits / n if n else None, "hits": hits, "n": n, "low": low, "high": high}


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    return [joined(columns), joined(["---"] * len(columns)), *(joined(row) for row in rows)]


def joined(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(cell(str(one)) for one in cells)} |"


def cell(text: str) -> str:
    """Any text as one line that ends no cell."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def interval(found: dict[str, Any]) -> str:
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f} %" if found.get("n") else ""


def percent_with_interval(found: dict[str, Any]) -> str:
    """`73.3 % (71.3 to 75.2)`; nothing of nothing."""
    if found.get("share") is None:
        return ""
    return shown(found["share"], found["low"], found["high"])
