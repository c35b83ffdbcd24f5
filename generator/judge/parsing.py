"""Gate G0: raw text of a draft -> Disclosure. A strict parser of the two layouts of `layouts`; never raises.

The text is untrusted: whatever the parser cannot place, or a record may not hold, is a finding and a Rejected value.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from generator.base.canonical import text_problem
from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure, Finding
from generator.record.layouts import ABSTRACT, CLAIMS, HEAD, ORDER, TITLE, Direction
from generator.record.record import MAX_BYTES, MAX_CLAIMS, MAX_TEXT, MAX_TITLE

Stop = Literal["end", "limit"]
COMBINING_RUN = 30  # stream-safe text, UAX 15 section 13: no more non-starters in a row

# What the layouts are made of; a watcher reads the beginning of a draft by the same.
HEADING = re.compile(r"^#.*$", re.MULTILINE)
NUMBER = re.compile(r"(?:^|\n\n)(\d{1,4})\. ")
PARAGRAPH = re.compile(r"\n[ \t]*\n")
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
    title, abstract = one_paragraph(sections[TITLE]), one_paragraph(sections[ABSTRACT])
    for name, value, limit in (("title", title, MAX_TITLE), ("abstract", abstract, MAX_TEXT)):
        if not value:
            return _reject("empty_section", f"The {name} is empty.")
        if len(value) > limit:
            return _reject("too_long", f"The {name} has {len(value)} characters, more than {limit}.")
    if PARAGRAPH.search(sections[TITLE].strip()):
        return _reject("stray_text", "The title has more than one paragraph.")
    claims = _claims(sections[CLAIMS], cut=stop == "limit" and ORDER[direction][-1] == CLAIMS)
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
    return text_problem(unicodedata.normalize("NFC", text))


def one_paragraph(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _sections(text: str, direction: Direction, stop: Stop) -> dict[str, str] | Rejected:
    """The text under each heading. The headings must be those of the layout, each once, in its order."""
    headings = list(HEADING.finditer(text))
    found = [match[0].rstrip() for match in headings]
    if not found or found[0] != HEAD or text[: headings[0].start()].strip():
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
    ends = [match.start() for match in headings[1:]] + [len(text)]
    bodies = [text[match.end() : end] for match, end in zip(headings, ends, strict=True)]
    if bodies[0].strip():
        return _reject("stray_text", "Text stands between the head and the first section.")
    return dict(zip(found[1:], bodies[1:], strict=True))


def _claims(section: str, *, cut: bool) -> tuple[tuple[Claim, ...], tuple[Finding, ...]] | Rejected:
    """The numbered claims; with `cut` the last one is unfinished and is dropped with a finding."""
    section = PARAGRAPH.sub("\n\n", section).lstrip("\n ")
    starts = list(NUMBER.finditer(section))
    if not starts:
        return _reject("no_whole_claim", "The claims section holds no numbered claim.")
    if starts[0].start() > 0:
        return _reject("stray_text", "Text stands before the first claim.")
    findings: tuple[Finding, ...] = ()
    ends = [match.start() for match in starts[1:]] + [len(section)]
    numbered = [(int(m[1]), section[m.end() : end]) for m, end in zip(starts, ends, strict=True)]
    if cut:
        number, _ = numbered.pop()
        findings = (Finding("G0", "info", None, f"The token limit cut claim {number} of the draft; it was dropped."),)
    if not numbered:
        return _reject("no_whole_claim", "The token limit cut the only claim.")
    if len(numbered) > MAX_CLAIMS:
        return _reject("too_many_claims", f"The draft has {len(numbered)} claims, more than {MAX_CLAIMS}.")
    claims = []
    for number, raw in numbered:
        text = one_paragraph(raw)
        if not text:
            return _reject("empty_section", f"Claim {number} is empty.", number)
        if len(text) > MAX_TEXT:
            return _reject("too_long", f"Claim {number} has {len(text)} characters, more than {MAX_TEXT}.", number)
        claims.append(Claim(number, text, depends_on(text, number)))
    return tuple(claims), findings
