"""A page against its record: every fact that it shows, every text in the disclosure's place, every date.

The page marks what it shows: `data-fact="<name>"` for a fact of the record or the log, `data-not-evidence="<name>"` for
a part that no record proves (judgement, remarks, links). All other text of the article is one of LABELS. The page's
own script, verify-page.js, does the same in the browser; a test compares the two lists.
"""

import re
from dataclasses import dataclass

from generator.base.errors import VerificationError
from generator.log.archive import VOLUME
from generator.log.evidence import Evidence
from generator.record.record import Record
from generator.record.topic_rules import combination
from generator.verify.html import Element, parse_page
from generator.verify.page_citation import check_citation, own_address
from generator.verify.page_dates import check_dates
from generator.verify.page_head import NUMBER, check_head
from generator.verify.page_words import check_attributes, is_label

POINTS = re.compile(r"[\s().,:;·]*")
TAGS = {
    *("a", "article", "aside", "b", "br", "button", "code", "dd", "details", "div", "dl", "dt", "em", "h1", "h2", "h3"),
    *("i", "li", "nav", "ol", "p", "pre", "press-verdict", "section", "span", "strong", "summary", "time", "ul"),
}
REVIEWS = {"machine-checked": "passed the checks of form; no person has reviewed it"}
UNSEEN = frozenset({"hidden", "style", "popover", "inert"})
IN_PLACE = "press-text"  # where nothing may stand that is not the record's
PARTS = {
    *("judgement", "remarks of the checks", "classes", "instructions", "listings", "contents", "similar disclosures"),
    *("pin cite", "statements of others"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """What the page was found to show, and the parts that nothing here proves, with their words."""

    number: str
    address: str
    facts: int
    not_compared: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Reader:
    """One walk over the article."""

    facts: list[tuple[str, Element]]
    others: dict[str, int]


def compare(text: str, record: Record, evidence: Evidence) -> Compared:
    """Raises VerificationError for the first thing that the page shows and that record and log do not say."""
    root = parse_page(text)
    article = _article(root)
    reader = _Reader([], {})
    _walk(article, reader, in_place=False)
    number = _number(reader, evidence.serial)
    wanted = expected(record, evidence, number)
    _facts(reader, wanted)
    _anchors(root, article, record)
    check_head(root, record, evidence, number)
    cited = [element for element in article.walk() if element.tag == "pre"]
    address = own_address(root, article)
    for element in cited:
        check_citation(element, record, evidence, number, address)
    check_dates(root, record, evidence)
    made = record.generation
    digests = {record.sha256, made.weights_sha256, made.tokenizer_sha256, made.adapter_sha256}
    for found in re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", _seen(root)):
        if found not in digests:
            raise VerificationError(f"page: hash: it shows {found}, which the record does not name")
    _outside(root, article, reader)
    return Compared(number, address, len(reader.facts) + len(cited), tuple(sorted(reader.others.items())))


def expected(record: Record, evidence: Evidence, number: str) -> dict[str, list[str]]:
    """The texts of each fact, in the order of the page. A fact with no text must not be shown."""
    text, made = record.disclosure, record.generation
    time = evidence.published[1] if evidence.published else ""
    prefix = number.rpartition("-")[0]
    restated = sum(paragraph.origin != "model" for paragraph in text.description)
    joined = {"superseded_by": (evidence.superseded_by, 2), "supersedes": (evidence.supersedes, 1)}
    return {
        "title": [text.title],
        "abstract": [text.abstract],
        "claim": [claim.text for claim in text.claims],
        "paragraph": [paragraph.text for paragraph in text.description if paragraph.origin == "model"],
        "origin": origin(len(text.description) - restated, restated),
        "number": [number] * 2,
        "published": [time] * 2 if time else ["Not yet published"],
        "created": [record.created_at],
        "publisher": [record.publisher],
        "review": [REVIEWS.get(record.review, record.review)],
        "license": ["CC0-1.0"],
        "sha256": [record.sha256] * 2,
        "index": [str(evidence.serial)],
        "entry": [str(evidence.published[0])] if evidence.published else [],
        "volume": [str(evidence.serial // VOLUME)],
        "ai_generated": ["Machine-generated text."],
        "demonstration": ["demonstration model"] * 2 if made.demonstration else [],
        "model": [made.model],
        "revision": [made.revision],
        "weights_sha256": [made.weights_sha256],
        "model_license": [made.model_license],
        "model_attribution": [made.model_attribution],
        "direction": [made.direction],
        "topic": [made.topic] if made.topic else [],
        "combination": [said] if (said := combination(made.topic_symbols, made.topic_rule)) else [],
        "seed": [made.seed],
        "generator_version": [made.generator_version],
        "removed_claims": [str(len(made.removed_claims))] if made.removed_claims else [],
        "address": [f"/d/{evidence.serial // VOLUME}/{evidence.serial}.html"],
        **{name: [] if other is None else [f"{prefix}-{other:07d}"] * times for name, (other, times) in joined.items()},
    }


def origin(own: int, restated: int) -> list[str]:
    """What the page says instead of paragraphs that a program made from the claims."""
    plural, verb = ("", "s") if restated == 1 else ("s", "")
    if restated and own:
        are, them = ("is", "it") if restated == 1 else ("are", "them")
        return [
            f"Its other {restated} paragraph{plural} only restate{verb} the claims and {are} not shown; "
            f"the record has {them}."
        ]
    if restated:
        return [
            "This disclosure gives no description of its own. "
            f"The {restated} paragraph{plural} in its record only restate{verb} the claims."
        ]
    return [] if own else ["This disclosure gives no description of its own."]


def _article(root: Element) -> Element:
    for element in root.walk():
        if unseen := UNSEEN & element.attributes.keys() or {n for n in element.attributes if n.startswith("on")}:
            raise VerificationError(f"page: an element {element.tag} has the attribute {min(unseen)}")
    found = [element for element in root.walk() if element.tag == "article"]
    if len(found) != 1:
        raise VerificationError(f"page: {len(found)} articles stand in it; one is expected")
    return found[0]


def _walk(element: Element, reader: _Reader, *, in_place: bool) -> None:
    """Sort all text below `element` into facts, parts that are no evidence, and labels; refuse the rest."""
    attributes = element.attributes
    if part := attributes.get("data-not-evidence"):
        if part not in PARTS or in_place or any(one.attributes.get("data-fact") for one in element.walk()):
            raise VerificationError(f"page: {part[:40]!r} stands in the disclosure's place")
        reader.others[part[:40]] = reader.others.get(part[:40], 0) + len(element.text.split())
        return
    if element.tag not in TAGS:
        raise VerificationError(f"page: an element {element.tag} stands in the disclosure's place")
    check_attributes(element)
    if fact := attributes.get("data-fact"):
        reader.facts.append((fact, element))
        return
    if element.tag == "button" or element.tag == "pre":
        if element.tag == "button" and element.text not in ("", "Copy"):
            raise VerificationError(f"page: a button says {element.text[:60]!r}")
        return
    in_place = in_place or IN_PLACE in element.classes
    for child in element.children:
        if isinstance(child, Element):
            _walk(child, reader, in_place=in_place)
        elif not POINTS.fullmatch(child) and not is_label(child):
            raise VerificationError(f"page: text that is not the record's: {' '.join(child.split())[:80]!r}")


def _number(reader: _Reader, serial: int) -> str:
    shown = [shown_text(element) for name, element in reader.facts if name == "number"]
    number = shown[0] if shown else ""
    if not NUMBER.fullmatch(number) or number.rpartition("-")[2] != f"{serial:07d}":
        raise VerificationError(f"page: number: it shows {number[:40] or 'none'!r}; the log has it as {serial}")
    return number


def _facts(reader: _Reader, wanted: dict[str, list[str]]) -> None:
    shown: dict[str, list[Element]] = {}
    for name, element in reader.facts:
        shown.setdefault(name, []).append(element)
    for name in shown.keys() | wanted.keys():
        values = wanted.get(name)
        if values is None:
            raise VerificationError(f"page: it shows a fact {name[:40]!r} that no record has")
        elements = shown.get(name, [])
        if name == "entry" and not elements:
            continue  # a page need not name it
        if len(elements) != len(values):
            raise VerificationError(f"page: {name}: it shows {len(elements)}, record and log give {len(values)}")
        for place, (element, value) in enumerate(zip(elements, values, strict=True), 1):
            text = shown_text(element)
            holds = text.endswith(value) and "//" in text if name == "address" else text == value
            stamp = element.attributes.get("datetime", value)
            if not holds or stamp != value:
                which = f"{name} {place}" if len(values) > 1 else name
                wrong = stamp if holds else text
                raise VerificationError(f"page: {which}: it shows {wrong[:60]!r}, record and log say {value[:60]!r}")


def shown_text(element: Element) -> str:
    """The text of an element without what belongs to the page: number and anchor of a paragraph, copy buttons."""
    parts: list[str] = []
    children = list(element.children)
    if children and isinstance(first := children[0], Element) and first.tag == "a" and "n" in first.classes:
        wanted = f"[{element.attributes.get('id', '').removeprefix('p-')}]"
        if first.text != wanted or not re.fullmatch(r"\[[0-9]{4,}\]", wanted):
            raise VerificationError(f"page: a paragraph is numbered {first.text[:20]!r}")
        del children[0]
        if children and isinstance(rest := children[0], str):
            children[0] = rest.removeprefix(" ")
    for child in children:
        if isinstance(child, str):
            parts.append(child)
        elif child.tag == "button":
            if child.text:
                raise VerificationError(f"page: a button says {child.text[:60]!r}")
        elif child.tag in ("a", "code"):
            if any(one.tag not in ("a", "code") for one in child.walk()):
                raise VerificationError("page: an element stands in a text of the record")
            parts.append(child.text)
        else:
            raise VerificationError(f"page: an element {child.tag} stands in a text of the record")
    return "".join(parts)


def _outside(root: Element, article: Element, reader: _Reader) -> None:
    """Around the article stand the site's header and footer, and a link for keyboards."""
    waiting = [root]
    while waiting:
        one = waiting.pop()
        around = one.classes & {"press-header", "press-footer"}
        if around:
            reader.others["header and footer"] = reader.others.get("header and footer", 0) + len(one.text.split())
        if one is article or around or one.tag in ("head", "script"):
            continue
        for child in one.children:
            if isinstance(child, str) and child.strip() not in ("", "Skip to content"):
                raise VerificationError(f"page: text outside of the disclosure: {' '.join(child.split())[:80]!r}")
        waiting += one.elements


def _anchors(root: Element, article: Element, record: Record) -> None:
    """Claims and paragraphs stand in the disclosure's text only, with their numbers in the record."""
    place = [one for one in article.walk() if "press-text" in one.classes]
    if len(place) != 1:
        raise VerificationError(f"page: {len(place)} places of the text; one is expected")
    shown = [n for n, one in enumerate(record.disclosure.description, 1) if one.origin == "model"]
    numbers = {"claim": [f"claim-{claim.number}" for claim in record.disclosure.claims]}
    numbers["paragraph"] = [f"p-{n:04d}" for n in shown]
    for kind, wanted in numbers.items():
        inside = [one for one in place[0].walk() if one.attributes.get("data-fact") == kind]
        if [one.attributes.get("id") for one in inside] != wanted:
            raise VerificationError(f"page: the {kind}s have other numbers than the record gives")
        for one in inside:
            if one.tag != ("li" if kind == "claim" else "p"):
                raise VerificationError(f"page: a {kind} is no element of a {kind}")
    ids = [one.attributes["id"] for one in root.walk() if "id" in one.attributes]
    if len(set(ids)) != len(ids):
        raise VerificationError("page: an id stands twice in it")
    for one in place[0].walk():
        if one.attributes.keys() & {"start", "value", "reversed", "type"} and one.tag in ("ol", "li"):
            raise VerificationError("page: the numbers of the claims are changed")


def _seen(root: Element) -> str:
    """All text and all attribute values but the evidence itself."""
    parts = []
    for element in root.walk():
        parts += [child for child in element.children if isinstance(child, str)]
        parts += [value for name, value in element.attributes.items() if name not in ("data-record", "data-evidence")]
    return "\n".join(parts)
