"""The CPC scheme as far as this publication fills it: a page of sections, one a section, one a class.

The disclosures themselves are listed by subclass, volume by volume (`listings`), so these pages hold counts alone and
are small whatever the number of disclosures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.base.settings import Settings
from generator.site.listings import Branch, Site
from generator.site.metadata import front_matter
from generator.site.pages import render

PLACES = {"section": 1, "class": 3, "subclass": 4}  # characters of a symbol
FOLDER = "cpc"


@dataclass(frozen=True, slots=True)
class Heading:
    """A symbol of the scheme; `parts` are its listings, one a volume, and only a subclass has any."""

    symbol: str
    title: str
    count: int
    parts: tuple[Branch, ...] = ()


def scheme_pages(site: Site, settings: Settings, templates: Path) -> Iterator[tuple[str, str]]:
    """Path below the site and Markdown of each page. The sections stand on the browse page."""
    branches = site.branches
    for section in headings(branches, 1):
        inside = [branch for branch in branches if branch.symbol.startswith(section.symbol)]
        yield _page("section", section, headings(inside, 3), settings, templates)
        for one in headings(inside, 3):
            below = [branch for branch in inside if branch.symbol.startswith(one.symbol)]
            yield _page("class", one, headings(below, 4), settings, templates)


def headings(branches: Sequence[Branch], length: int) -> tuple[Heading, ...]:
    """The symbols of so many characters that the branches lie in, in the order of the scheme."""
    level = list(PLACES.values()).index(length)
    found: dict[str, list[Branch]] = {}
    for branch in branches:
        found.setdefault(branch.symbol[:length], []).append(branch)
    return tuple(
        Heading(
            symbol,
            next((branch.titles[level] for branch in those if branch.titles[level]), ""),
            sum(branch.count for branch in those),
            tuple(sorted(those, key=lambda branch: branch.volume)) if length == PLACES["subclass"] else (),
        )
        for symbol, those in sorted(found.items())
    )


def _page(
    level: str, heading: Heading, below: tuple[Heading, ...], settings: Settings, templates: Path
) -> tuple[str, str]:
    body = render(templates, "scheme.md.j2", settings, level=level, heading=heading, below=below)
    title = f"CPC {level} {heading.symbol}"
    return f"{FOLDER}/{heading.symbol}.md", front_matter({"title": title, "kind": "browse"}) + body
