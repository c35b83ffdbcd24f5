"""Gate G0: raw text of a draft -> Disclosure. A strict parser of the two layouts of `layouts`; never raises.

The text is untrusted: whatever the parser cannot place, or a record may not hold, is a finding and a Rejected value.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from generator.base.canonical import text_problem
from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure, Finding
from generator.record.layouts import ABSTRACT, CLAIMS, HEAD, ORDER, PARAGRAPH, TITLE, Direction, Part, before_claims
from generator.record.layouts import claims as read_claims
from generator.record.layouts import sections as read_sections
from generator.record.record import MAX_BYTES, MAX_CLAIMS, MAX_TEXT, MAX_TITLE
from generator.record.unicode_version import VERSION, unassigned

Stop = Literal["end", "limit"]
COMBINING_RUN = 30  # stream-safe text, UAX 15 section 13: no more non-starters in a row

_NAMES = {TITLE: "title", ABSTRACT: "abstract", CLAIMS: "claims"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A draft that a gate refused: the gate, a reason code for counting, and the findings that explain it."""

    gate: str
    reason: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A draft that passed G0. Claim numbers are those of the draft. `findings` tells what was dropped."""

    disclosure: Disclosure
    findings: tuple[Finding, ...]


def stop_of(why: str) -> Stop:
    """A Stop of what stopped the model ("limit", an end token, a gate that had seen enough)."""
    return "limit" if why == "limit" else "end"


def parse(text: str, direction: Direction, stop: Stop) -> Parsed | Rejected:
    """Parse a draft's text, which begins with the layout's head. `stop` is why the model stopped: `limit` cut it.

    Reasons: character, too_long, no_head, unknown_heading, repeated_heading, section_order, missing_section,
    empty_section, stray_text, no_whole_claim, too_many_claims, truncated.
    """
    text = text.replace("\r\n", "\n").replace("\t", " ")
    if len(text) > MAX_BYTES:
        return _reject("too_long", f"The draft has {len(text)} characters, more than {MAX_BYTES}.")
    if problem := _character_problem(text):
        return _reject("character", f"The draft holds a {problem}.")
    sections = _sections(text, direction, stop)
    if isinstance(sections, Rejected):
        return sections
    title, abstract = (one_paragraph(sections[name].body(text)) for name in (TITLE, ABSTRACT))
    for name, value, limit in (("title", title, MAX_TITLE), ("abstract", abstract, MAX_TEXT)):
        if not value:
            return _reject("empty_section", f"The {name} is empty.")
        if len(value) > limit:
            return _reject("too_long", f"The {name} has {len(value)} characters, more than {limit}.")
    if PARAGRAPH.search(sections[TITLE].body(text).strip()):
        return _reject("stray_text", "The title has more than one paragraph.")
    claims = _claims(text, sections[CLAIMS], cut=stop == "limit" and ORDER[direction][-1] == CLAIMS)
    if isinstance(claims, Rejected):
        return claims
    return Parsed(Disclosure(title, abstract, (), claims[0]), claims[1])


def _reject(reason: str, message: str, claim: int | None = None) -> Rejected:
    return Rejected("G0", reason, (Finding("G0", "fail", claim, message),))


def _character_problem(text: str) -> str:
    if text.isascii():
        return text_problem(text)
    run = 0
    for character in text:
        # A long run of marks makes normalisation take quadratic time, so it is refused before.
        run = run + 1 if unicodedata.combining(character) else 0
        if run > COMBINING_RUN:
            return f"run of more than {COMBINING_RUN} combining marks"
    if found := unassigned(text):
        return f"character {found}, which Unicode {VERSION} does not assign"
    return text_problem(unicodedata.normalize("NFC", text))


def one_paragraph(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _sections(text: str, direction: Direction, stop: Stop) -> dict[str, Part] | Rejected:
    """The section under each heading. The headings must be those of the layout, each once, in its order."""
    read = read_sections(text, whole=True)
    found = [section.name for section in read]
    if not found or found[0] != HEAD or text[: read[0].at].strip():
        return _reject("no_head", f"The draft does not begin with {HEAD!r}.")
    wanted = (HEAD, *ORDER[direction])
    for position, name in enumerate(found):
        if name not in wanted:
            return _reject("unknown_heading", f"The heading {name[:60]!r} has no place in the layout.")
        if name in found[:position]:
            return _reject("repeated_heading", f"The heading {name!r} stands twice.")
    if tuple(found) != wanted:
        missing = [_NAMES[name] for name in wanted if name not in found]
        if missing and stop == "limit":
            return _reject("truncated", f"The token limit cut the draft before its {missing[0]}.")
        if missing:
            return _reject("missing_section", f"The draft has no {missing[0]}.")
        return _reject("section_order", f"The sections do not stand in the {direction} order.")
    if stop == "limit" and wanted[-1] != CLAIMS:
        return _reject("truncated", f"The token limit cut the draft in its {_NAMES[wanted[-1]]}.")
    if read[0].body(text).strip():
        return _reject("stray_text", "Text stands between the head and the first section.")
    return {section.name: section for section in read[1:]}


def _claims(text: str, section: Part, *, cut: bool) -> tuple[tuple[Claim, ...], tuple[Finding, ...]] | Rejected:
    """The numbered claims; with `cut` the last one is unfinished and is dropped with a finding."""
    read = list(read_claims(text, section))
    if not read:
        return _reject("no_whole_claim", "The claims section holds no numbered claim.")
    if before_claims(text, section):
        return _reject("stray_text", "Text stands before the first claim.")
    findings: tuple[Finding, ...] = ()
    if cut:
        number = int(read.pop().name)
        findings = (Finding("G0", "info", None, f"The token limit cut claim {number} of the draft; it was dropped."),)
    if not read:
        return _reject("no_whole_claim", "The token limit cut the only claim.")
    if len(read) > MAX_CLAIMS:
        return _reject("too_many_claims", f"The draft has {len(read)} claims, more than {MAX_CLAIMS}.")
    claims = []
    for one in read:
        number, said = int(one.name), one_paragraph(one.body(text))
        if not said:
            return _reject("empty_section", f"Claim {number} is empty.", number)
        if len(said) > MAX_TEXT:
            return _reject("too_long", f"Claim {number} has {len(said)} characters, more than {MAX_TEXT}.", number)
        claims.append(Claim(number, said, depends_on(said, number)))
    return tuple(claims), findings
