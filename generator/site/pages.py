"""Records to Markdown pages; the only file that knows jinja2.

Everything that a model wrote is untrusted. It reaches a page on two ways only: through `escape` into the Markdown
body, or as a YAML string into the front matter, from where the site's templates print it with `|e` or `|tojson`.
Nothing here reads a clock: a page is a function of its record, its place in the log and the settings.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.escaping import escape, inline
from generator.base.settings import Settings
from generator.log import archive
from generator.log.archive import LoggedRecord
from generator.record.disclosure import Claim, Paragraph
from generator.record.judgement import Class, Classification
from generator.record.record import LICENSE
from generator.site.citation import citations, display_id, permalink

_REFERENCE = re.compile(r"\bclaims?\s+[0-9]+(?:(?:\s*(?:,|-|–|/|\bto\b|\bor\b|\band\b|\bthrough\b)\s*)+[0-9]+)*", re.I)
_NUMBER = re.compile(r"(?:\bclaims?\s+)?[0-9]+", re.I)
_OWN = re.compile(r"#[0-9]{1,15}")
DESCRIPTION_CHARS = 300


@dataclass(frozen=True, slots=True)
class Row:
    """A disclosure in a listing. `published_at` is empty while it is not yet published."""

    serial: int
    volume: int
    id: str
    title: str
    published_at: str
    claims: int
    subclass: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Paragraphs of one origin, in a row: number in the description and escaped text."""

    origin: str
    paragraphs: tuple[tuple[int, str], ...]


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


def blocks(description: Sequence[Paragraph]) -> tuple[Block, ...]:
    numbered = enumerate(description, 1)
    return tuple(
        Block(origin, tuple((number, escape(paragraph.text)) for number, paragraph in group))
        for origin, group in groupby(numbered, key=lambda pair: pair[1].origin)
    )


def row(logged: LoggedRecord, settings: Settings) -> Row:
    return Row(
        serial=logged.serial,
        volume=logged.volume,
        id=display_id(logged.serial, settings),
        title=logged.record.disclosure.title,
        published_at=logged.published_at,
        claims=len(logged.record.disclosure.claims),
        subclass=subclass(logged),
    )


def subclass(logged: LoggedRecord) -> str:
    """The CPC subclass that was assigned by machine, or an empty string: the one that listings and search go by."""
    found = logged.judgement.classification.subclasses if logged.judgement else ()
    return found[0].symbol if found else ""


def metadata(logged: LoggedRecord, settings: Settings) -> dict[str, Any]:
    """The front matter of a disclosure page. Without a publication time it holds no publication date anywhere."""
    text, made = logged.record.disclosure, logged.record.generation
    published = {"published": logged.published_at} if logged.published_at else {"not_yet_published": True}

    def url(suffix: str) -> str:
        return permalink(logged.serial, logged.volume, settings, suffix)

    return {
        "title": text.title,
        "kind": "disclosure",
        "id": display_id(logged.serial, settings),
        "serial": logged.serial,
        "volume": logged.volume,
        **published,
        "created": logged.record.created_at,
        "record_sha256": logged.record.sha256,
        "record_bytes": len(logged.data),
        "log_index": logged.serial,
        "log_origin": settings.log_origin,
        "checkpoint_size": logged.checkpoint_size,
        "review": logged.record.review,
        **_joined("superseded_by", logged.superseded_by, settings),
        **_joined("supersedes", logged.supersedes, settings),
        "license": LICENSE,
        "language": text.language,
        "publisher": logged.record.publisher,
        "demonstration": made.demonstration,
        "model": made.model,
        "model_revision": made.revision,
        "weights_sha256": made.weights_sha256,
        "tokenizer_sha256": made.tokenizer_sha256,
        "model_license": made.model_license,
        "model_attribution": made.model_attribution,
        "direction": made.direction,
        "topic": made.topic,
        "seed": made.seed,
        "sampling": dict(made.sampling),
        "stop": made.stop,
        "removed_claims": list(made.removed_claims),
        "generator_version": made.generator_version,
        "claims": len(text.claims),
        "cpc": [asdict(item) for item in _classes(logged)],
        "findings": [asdict(finding) for finding in logged.findings],
        "summary": _shorten(text.abstract),
        "page": url(".html"),
        "record": url(".json"),
        "proof": url(".proof"),
        "markdown": url(".md"),
    }


def _joined(name: str, serial: int | None, settings: Settings) -> dict[str, Any]:
    """The other disclosure of two that a supersede entry joins."""
    if serial is None:
        return {}
    return {name: {"id": display_id(serial, settings), "path": f"d/{serial // archive.VOLUME}/{serial}.html"}}


def _classes(logged: LoggedRecord) -> tuple[Class, ...]:
    """The best section, class and subclass: one branch of the scheme, from its root."""
    found = logged.judgement.classification if logged.judgement else Classification((), (), ())
    return (*found.sections[:1], *found.classes[:1], *found.subclasses[:1])


def render_page(logged: LoggedRecord, settings: Settings, templates: Path) -> str:
    """The Markdown page of a disclosure, from `disclosure.md.j2`."""
    text = logged.record.disclosure
    body = render(
        templates,
        "disclosure.md.j2",
        settings,
        title=text.title,
        abstract=text.abstract,
        claims=[(claim.number, link_claims(claim)) for claim in text.claims],
        blocks=blocks(text.description),
        judgement=logged.judgement,
        citations=citations(logged, settings),
    )
    return front_matter(metadata(logged, settings)) + body


def front_matter(values: Mapping[str, Any]) -> str:
    """YAML between two lines of dashes. No line inside begins with a dash, so that nothing can end it early."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml is ten times faster
    text: str = yaml.dump(dict(values), Dumper=dumper, allow_unicode=True, sort_keys=False, width=1 << 30)
    # A list at the top level of a block mapping is written without indentation; indented, it is the same value.
    text = "".join(f"  {line}\n" if line.startswith(("-", " ")) else f"{line}\n" for line in text.split("\n")[:-1])
    return f"---\n{text}---\n\n"


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
    if not _OWN.fullmatch(number):
        return escape(number)
    serial = int(number[1:])
    return f"[{escape(display_id(serial, settings))}](../{serial // archive.VOLUME}/{serial}.html)"


def percent(thousandths: int) -> str:
    """`537` as `54 %`."""
    return f"{(thousandths + 5) // 10} %"


def _shorten(text: str) -> str:
    if len(text) <= DESCRIPTION_CHARS:
        return text
    return text[: DESCRIPTION_CHARS - 1].rsplit(" ", 1)[0] + "…"
