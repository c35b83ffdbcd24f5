"""Records to Markdown pages; the only file that knows jinja2.

Everything that a model wrote is untrusted. It reaches a page on two ways only: through `escape` into the Markdown
body, or as a YAML string into the front matter, from where the site's templates print it with `|e` or `|tojson`.
Nothing here reads a clock: a page is a function of its record, its place in the log and the settings.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.escaping import escape, inline
from generator.base.settings import Settings
from generator.log import archive
from generator.log.archive import LoggedRecord
from generator.record.disclosure import Claim, Paragraph
from generator.site.charts import chart_rows
from generator.site.citation import citations, display_id
from generator.site.classes import best_guess, subclass
from generator.site.metadata import Around, front_matter, metadata, own_serial, shorten, summary_metadata

_REFERENCE = re.compile(r"\bclaims?\s+[0-9]+(?:(?:\s*(?:,|-|–|/|\bto\b|\bor\b|\band\b|\bthrough\b)\s*)+[0-9]+)*", re.I)
SUMMARY_CHARS = 160  # of an abstract in a listing
_NUMBER = re.compile(r"(?:\bclaims?\s+)?[0-9]+", re.I)


@dataclass(frozen=True, slots=True)
class Row:
    """A disclosure in a listing. `published_at` is empty while it is not yet published, `subclass` while no class is
    sure; then `guess` says which is likeliest, and how sure.
    """

    serial: int
    volume: int
    id: str
    title: str
    published_at: str
    claims: int
    subclass: str = ""
    guess: str = ""
    summary: str = ""


def link_claims(claim: Claim) -> str:
    """The escaped text of a claim, in which each mention of a claim that it depends on links to that claim."""
    parts: list[str] = []
    done = 0
    for reference in _REFERENCE.finditer(claim.text):
        for mention in _NUMBER.finditer(claim.text, reference.start(), reference.end()):
            digits = mention[0].split()[-1]
            if len(digits) > 6 or int(digits) not in claim.depends_on:
                continue
            before = claim.text[done : mention.start()]
            parts.append(inline(before) if done else escape(before))
            parts.append(f"[{inline(mention[0])}](#claim-{int(digits)})")
            done = mention.end()
    parts.append(inline(claim.text[done:]) if done else escape(claim.text))
    return "".join(parts)


def own_paragraphs(description: Sequence[Paragraph]) -> tuple[tuple[int, str], ...]:
    """What the model described beyond its claims: number in the record's description, and escaped text."""
    return tuple((n, escape(p.text)) for n, p in enumerate(description, 1) if p.origin == "model")


def row(logged: LoggedRecord, settings: Settings) -> Row:
    guess = best_guess(logged)
    return Row(
        serial=logged.serial,
        volume=logged.volume,
        id=display_id(logged.serial, settings),
        title=logged.record.disclosure.title,
        published_at=logged.published_at,
        claims=len(logged.record.disclosure.claims),
        subclass=subclass(logged),
        guess=f"{guess.symbol}, {percent(guess.score)} sure" if guess and not subclass(logged) else "",
        summary=shorten(logged.record.disclosure.abstract, SUMMARY_CHARS),
    )


def render_page(
    logged: LoggedRecord,
    settings: Settings,
    templates: Path,
    around: Around = Around(),  # noqa: B008
) -> str:
    """The source of a disclosure's page, from `disclosure.md.j2`."""
    chart = logged.judgement.chart if logged.judgement else None
    body = render(
        templates,
        "disclosure.md.j2",
        settings,
        **_text(logged),
        judgement=logged.judgement,
        chart_rows=chart_rows(chart.elements) if chart else (),
        citations=citations(logged, settings),
    )
    return front_matter(metadata(logged, settings, around)) + body


def render_text(logged: LoggedRecord, settings: Settings, templates: Path) -> str:
    """The disclosure as plain Markdown, which is served beside its page, from `text.md.j2`."""
    return front_matter(summary_metadata(logged, settings)) + render(templates, "text.md.j2", settings, **_text(logged))


def _text(logged: LoggedRecord) -> dict[str, Any]:
    """What both forms show of the text. Paragraphs that restate the claims are in the record alone."""
    text = logged.record.disclosure
    return {
        "title": text.title,
        "abstract": text.abstract,
        "claims": [(claim.number, link_claims(claim)) for claim in text.claims],
        "paragraphs": own_paragraphs(text.description),
        "restated": sum(paragraph.origin != "model" for paragraph in text.description),
    }


def render(templates: Path, name: str, settings: Settings, **values: Any) -> str:
    """Any Markdown template. Raises ConfigError where the template is missing or faulty."""
    import jinja2

    try:
        text: str = _environment(templates).get_template(name).render(settings=settings, **values)
    except jinja2.TemplateNotFound as error:
        raise ConfigError(f"{templates / name}: this template is missing", hint="Restore site_templates/.") from error
    except jinja2.TemplateError as error:
        raise ConfigError(f"{templates / name}: {error}", hint="Mend the template.") from error
    return text


@lru_cache(maxsize=4)
def _environment(templates: Path) -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is Markdown: `escape` is the filter that makes text inert
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["escape"] = escape
    environment.filters["e"] = escape
    environment.filters["escape_html"] = html.escape
    environment.filters["escape_pre"] = lambda text: html.escape(text, quote=False)
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["minute"] = minute
    environment.filters["percent"] = percent
    environment.filters["named"] = named
    environment.filters["one_line"] = lambda text: " ".join(text.split())
    return environment


def minute(time: str) -> str:
    """`2026-11-22T03:14:07Z` as `2026-11-22 03:14 UTC`, for listings."""
    return f"{time[:10]} {time[11:16]} UTC"


def named(number: str, settings: Settings) -> str:
    """Markdown of the number of a known document; a disclosure of this publication is a link to its page."""
    if number.startswith("sha256:"):
        return "a draft of the same night that was not logged"
    if (serial := own_serial(number)) is None:
        return escape(number)
    return f"[{escape(display_id(serial, settings))}](../{serial // archive.VOLUME}/{serial}.html)"


def percent(thousandths: int) -> str:
    """`537` as `54 %`."""
    return f"{(thousandths + 5) // 10} %"
