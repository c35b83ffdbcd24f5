"""What the listings list: volumes, days and the latest disclosures, and the Markdown of the pages of one volume.

A listing belongs to a volume, so that a sealed volume is never rendered again: a day that spans two volumes has a
page in each. The pages in front of the volumes (home, browse) read only the summaries.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from generator.base import canonical, files
from generator.base.errors import PressError, RecordError
from generator.base.settings import Settings
from generator.base.values import Faults, read
from generator.log.archive import LoggedRecord
from generator.log.entries import LeftOut
from generator.record.topic_rules import COMBINING
from generator.site.classes import UNCLASSIFIED, sentence_case, subclass
from generator.site.metadata import Around, front_matter
from generator.site.pages import Row, render, row

MAX_ROWS = 1_000
LATEST = 20
UNPUBLISHED = "unpublished"


@dataclass(frozen=True, slots=True)
class Day:
    """The disclosures of one volume that were published on one day; `stem` is the listing's file name."""

    name: str
    stem: str
    volume: int
    count: int


@dataclass(frozen=True, slots=True)
class Branch:
    """The disclosures of one volume in one CPC subclass; `titles` are those of section, class and subclass."""

    symbol: str
    titles: tuple[str, str, str]
    volume: int
    count: int


@dataclass(frozen=True, slots=True)
class Volume:
    number: int
    count: int
    claims: int
    published: int
    demonstration: bool
    first_id: str
    last_id: str
    days: tuple[Day, ...]
    latest: tuple[Row, ...]
    branches: tuple[Branch, ...] = ()
    unclassified: int = 0
    coverage: tuple[tuple[str, str, int], ...] = ()  # month, CPC section or nothing, published disclosures
    combined: tuple[tuple[str, str, int], ...] = ()  # subclasses that topics combine, sentence of the rule, disclosures

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DayOfSite:
    name: str
    parts: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """The whole publication as its front pages see it. `rebuilt` are the volumes that this build made anew.

    `drafts` and `accepted` are the sums over all finished runs; `report` is the newest report, where there is one.
    """

    folder: Path
    volumes: tuple[Volume, ...]
    rebuilt: tuple[int, ...]
    checkpoint: str
    checkpoint_size: int
    vkey: str
    drafts: int = 0
    accepted: int = 0
    report: dict[str, Any] | None = None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def disclosures(self) -> int:
        return sum(volume.count for volume in self.volumes)

    @property
    def claims(self) -> int:
        return sum(volume.claims for volume in self.volumes)

    @property
    def published(self) -> int:
        return sum(volume.published for volume in self.volumes)

    @property
    def combined(self) -> tuple[tuple[str, str, int], ...]:
        """Of all volumes: subclasses that topics combine, by which rule, in how many disclosures."""
        counts: Counter[tuple[str, str]] = Counter()
        for volume in self.volumes:
            counts.update({(symbols, rule): count for symbols, rule, count in volume.combined})
        return tuple((symbols, rule, count) for (symbols, rule), count in sorted(counts.items()))

    @property
    def demonstration(self) -> bool:
        return any(volume.demonstration for volume in self.volumes)

    @property
    def latest(self) -> tuple[Row, ...]:
        """Newest first."""
        rows = (item for volume in reversed(self.volumes) for item in volume.latest)
        return tuple(item for item, _ in zip(rows, range(LATEST), strict=False))

    @property
    def days(self) -> tuple[DayOfSite, ...]:
        """Newest first; what is not yet published stands at the top."""
        parts: dict[str, list[Day]] = {}
        for volume in self.volumes:
            for day in volume.days:
                parts.setdefault(day.name, []).append(day)
        names = sorted(parts, reverse=True)
        return tuple(DayOfSite(name, tuple(parts[name])) for name in names)

    @property
    def coverage(self) -> tuple[tuple[str, str, int], ...]:
        return tuple(part for volume in self.volumes for part in volume.coverage)

    @property
    def fed(self) -> frozenset[str]:
        """The CPC sections of published disclosures, each of which has a feed."""
        return frozenset(section for _, section, _ in self.coverage if section)

    @property
    def branches(self) -> tuple[Branch, ...]:
        return tuple(branch for volume in self.volumes for branch in volume.branches)

    @property
    def unclassified(self) -> tuple[Volume, ...]:
        """The volumes that list disclosures without a class, newest first."""
        return tuple(volume for volume in reversed(self.volumes) if volume.unclassified)

    @property
    def example(self) -> str:
        """A file to verify, for the page that explains it."""
        return f"{self.latest[0].serial}.html" if self.latest else "0.html"


def summarise(number: int, logged: Sequence[LoggedRecord], settings: Settings) -> Volume:
    rows = [row(item, settings) for item in logged]
    counts: dict[str, int] = {}
    for item in rows:
        counts[_day(item)] = counts.get(_day(item), 0) + 1
    return Volume(
        number=number,
        count=len(rows),
        claims=sum(item.claims for item in rows),
        published=sum(bool(item.published_at) for item in rows),
        demonstration=any(item.record.generation.demonstration for item in logged),
        first_id=rows[0].id if rows else "",
        last_id=rows[-1].id if rows else "",
        days=tuple(Day(_day_name(day), day, number, count) for day, count in sorted(counts.items())),
        latest=tuple(rows[: -LATEST - 1 : -1]),
        branches=_branches(number, logged),
        unclassified=sum(not item.subclass for item in rows),
        coverage=_coverage(logged),
        combined=_combined(logged),
    )


def _combined(logged: Sequence[LoggedRecord]) -> tuple[tuple[str, str, int], ...]:
    """By subclass, so that the page stays small whatever the number of disclosures."""
    made = [item.record.generation for item in logged]
    counts = Counter(
        (" with ".join(symbol[:4] for symbol in one.topic_symbols), COMBINING[one.topic_rule])
        for one in made
        if one.topic_rule in COMBINING
    )
    return tuple((symbols, rule, count) for (symbols, rule), count in sorted(counts.items()))


def _coverage(logged: Sequence[LoggedRecord]) -> tuple[tuple[str, str, int], ...]:
    sections = {item.serial: subclass(item)[:1] for item in logged}  # as browsing counts them
    counts = Counter((item.published_at[:7], sections[item.serial]) for item in logged if item.published_at)
    return tuple((month, section, count) for (month, section), count in sorted(counts.items()))


def _branches(volume: int, logged: Sequence[LoggedRecord]) -> tuple[Branch, ...]:
    counts, titles = Counter(subclass(item) for item in logged), dict[str, tuple[str, str, str]]()
    for item in logged:
        if item.judgement and (symbol := subclass(item)):
            found = item.judgement.classification
            every = (*found.sections, *found.classes, *found.subclasses)
            named = {entry.symbol: sentence_case(entry.title) for entry in every}
            titles[symbol] = (named.get(symbol[:1], ""), named.get(symbol[:3], ""), named[symbol])
    return tuple(Branch(symbol, titles[symbol], volume, counts[symbol]) for symbol in sorted(titles))


def listing_pages(
    volume: Volume, logged: Sequence[LoggedRecord], settings: Settings, templates: Path
) -> Iterator[tuple[str, str]]:
    """File name and Markdown of the volume's listing and of each of its days and CPC subclasses, at most MAX_ROWS rows
    a page.
    """
    rows = [row(item, settings) for item in logged]
    intro = f"{volume.count:,} disclosures in the order of their numbers."
    yield from _listing("index", f"Volume {volume.number}", intro, rows, settings, templates)
    for day in volume.days:
        those = [item for item in rows if _day(item) == day.stem]
        heading = day.name if day.stem == UNPUBLISHED else f"Published on {day.name}"
        intro = f"{day.count:,} disclosure{'' if day.count == 1 else 's'} of volume {volume.number}."
        yield from _listing(day.stem, heading, intro, those, settings, templates)
    for branch in volume.branches:
        those = [item for item in rows if item.subclass == branch.symbol]
        intro = f"{branch.titles[2]}: {branch.count:,} of volume {volume.number}, assigned to this class by machine."
        yield from _listing(f"cpc-{branch.symbol}", f"CPC {branch.symbol}", intro, those, settings, templates)
    if volume.unclassified:
        those = [item for item in rows if not item.subclass]
        intro = f"{volume.unclassified:,} of volume {volume.number}: no class is likelier right than wrong."
        yield from _listing(f"cpc-{UNCLASSIFIED}", "Unclassified", intro, those, settings, templates)


def around(logged: Sequence[LoggedRecord]) -> dict[int, Around]:
    """For each disclosure of a volume, the ones before and after it in its class, by number."""
    classes: dict[str, list[int]] = {}
    for item in logged:
        classes.setdefault(subclass(item), []).append(item.serial)
    return {
        serial: Around(before, after)
        for serials in classes.values()
        for before, serial, after in zip([None, *serials], serials, [*serials[1:], None], strict=False)
    }


def _listing(
    stem: str, heading: str, intro: str, rows: Sequence[Row], settings: Settings, templates: Path
) -> Iterator[tuple[str, str]]:
    pages = max(1, -(-len(rows) // MAX_ROWS))
    for number in range(1, pages + 1):
        body = render(
            templates,
            "listing.md.j2",
            settings,
            heading=heading,
            intro=intro,
            rows=rows[(number - 1) * MAX_ROWS : number * MAX_ROWS],
            stem=stem,
            number=number,
            pages=pages,
        )
        title = heading if number == 1 else f"{heading}, page {number}"
        yield f"{stem}{f'-{number}' if number > 1 else ''}.md", front_matter({"title": title, "kind": "listing"}) + body


def _day(item: Row) -> str:
    return item.published_at[:10] or UNPUBLISHED


def _day_name(day: str) -> str:
    return "Not yet published" if day == UNPUBLISHED else day


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the site repeats of a run's report."""

    OTHERS: ClassVar = True
    drafts: int
    accepted: int


def totals(output: Path) -> tuple[int, int]:
    """Drafts and accepted drafts of all finished runs. Raises PressError for a damaged report."""
    drafts = accepted = 0
    for path in sorted((output / "runs").glob("*.json")):
        try:
            report = read(_Counts, canonical.loads(files.read(path, "a run's report")))
        except (RecordError, Faults) as error:
            raise PressError(f"{path}: the report is damaged: {error}", hint="Restore it; facts are kept.") from error
        drafts, accepted = drafts + report.drafts, accepted + report.accepted
    return drafts, accepted
