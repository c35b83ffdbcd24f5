"""A picture of what a publication covers: disclosures by CPC section and month of publication, as inline SVG."""

import html
from collections import Counter
from collections.abc import Iterable
from math import sqrt

MONTHS = 12
SECTIONS = {
    "A": "Human necessities",
    "B": "Operations, transport",
    "C": "Chemistry, metallurgy",
    "D": "Textiles, paper",
    "E": "Fixed constructions",
    "F": "Mechanics, heating",
    "G": "Physics",
    "H": "Electricity",
    "Y": "New technologies",
    "": "Unclassified",
}
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ROW, COLUMN, LABEL, TOP = 26, 38, 190, 22  # units of the picture


def picture(counts: Iterable[tuple[str, str, int]]) -> str:
    """From (YYYY-MM, section, count): a circle whose area is the count for each section and each of the last months.

    Empty where nothing is published.
    """
    found: Counter[tuple[str, str]] = Counter()
    for month, section, count in counts:
        found[month, section if section in SECTIONS else ""] += count
    if not found:
        return ""
    months = _months(max(month for month, _ in found))
    rows = [section for section in SECTIONS if any(found[month, section] for month in months)]
    most = max(found[month, section] for month in months for section in rows)
    width, height = LABEL + COLUMN * (MONTHS + 1), TOP + ROW * len(rows)
    parts = [
        f'<text x="{LABEL + COLUMN * (i + 0.5):g}" y="12" text-anchor="middle">{_label(month, first=not i)}</text>'
        for i, month in enumerate(months)
    ]
    for y, section in enumerate(rows):
        middle = TOP + ROW * (y + 0.5)
        label = html.escape(f"{section} {SECTIONS[section]}".strip())
        total = sum(found[month, section] for month in months)
        parts.append(f'<line x1="0" x2="{width}" y1="{middle + ROW / 2:g}" y2="{middle + ROW / 2:g}"/>')
        parts.append(f'<text x="0" y="{middle + 4:g}">{label}</text>')
        parts.append(f'<text x="{width}" y="{middle + 4:g}" text-anchor="end">{total:,}</text>')
        for x, month in enumerate(months):
            if count := found[month, section]:
                radius = max(2.0, 12 * sqrt(count / most))
                name = f"{label}, {month}: {count:,} disclosure{'' if count == 1 else 's'}"
                parts.append(
                    f'<circle cx="{LABEL + COLUMN * (x + 0.5):g}" cy="{middle:g}" r="{radius:.1f}" fill="currentColor" '
                    f'fill-opacity="0.7"><title>{name}</title></circle>'
                )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="coverage-title" fill="currentColor">'
        f'<title id="coverage-title">Disclosures by CPC section and month of publication</title>{"".join(parts)}</svg>'
    )


def _label(month: str, *, first: bool) -> str:
    """The first month and each January name their year."""
    name = NAMES[int(month[5:]) - 1]
    return f"{name} {month[2:4]}" if first or name == NAMES[0] else name


def _months(last: str) -> list[str]:
    """The months up to `last` (YYYY-MM), oldest first."""
    number = int(last[:4]) * 12 + int(last[5:7]) - 1
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(number - MONTHS + 1, number + 1)]
