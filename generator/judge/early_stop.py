"""Early stop: which drafts are hopeless before they are complete.

A draft is stopped only for what is decided: whatever the model writes next, the gates would refuse it. An unfinished
last claim decides nothing, as the parser drops it from a draft that the token limit cuts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from generator.judge.calibration import load_calibration
from generator.judge.checks import DECIDING, Passed, check, measure
from generator.judge.checks.repetition import c11_generation_faults, looping
from generator.judge.checks.thresholds import Calibration
from generator.judge.parsing import one_paragraph
from generator.model.interface import Brief
from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure
from generator.record.layouts import (
    ABSTRACT,
    CLAIMS,
    HEAD,
    ORDER,
    PARAGRAPH,
    TITLE,
    Part,
    before_claims,
    claims,
    sections,
)
from generator.record.record import MAX_TEXT, MAX_TITLE

REMEMBERED = 4096  # drafts; of one that was forgotten everything is looked at again
_BEGUN_NUMBER = re.compile(r"\d{0,4}\.?")
_G1 = re.compile(r"c\d{1,2}|few_pass")
_G2 = frozenset({"antecedents", "cohesion", "title_support", "abstract_support"})


def gate_of(reason: str) -> str:
    """The gate that would refuse a draft that was stopped for `reason`."""
    if reason == "copied_run":
        return "G3"
    return "G2" if reason in _G2 else "G1" if _G1.fullmatch(reason) else "G0"


@dataclass(slots=True)
class _Seen:
    """What was looked at of a draft: the text, its complete claims, the closed sections."""

    text: str = ""
    claims: list[Claim] = field(default_factory=list)
    closed: tuple[str, ...] = ()
    settled: int = 0  # how much of title, abstract and claim 1 was complete when copies were looked for


class EarlyStop:
    """Sees drafts while they are written; any number at a time, on any threads, one draft on one thread at a time.

    `copied` says of a draft's raw text whether title, abstract or claim 1, where they are complete, hold a run that is
    known (copying.Known.copied); without it gate G3 stops nothing.
    """

    def __init__(self, calibration: Calibration | None = None, copied: Callable[[str], bool] = lambda _: False) -> None:
        self._calibration = calibration or load_calibration()
        self._copied = copied
        self._drafts: dict[int, _Seen] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["EarlyStop"], tuple[Calibration]]:
        """To another process it goes without what it has seen and without what is known: that may not be there."""
        return EarlyStop, (self._calibration,)

    def __call__(self, brief: Brief, text: str) -> str:
        """Why the draft of `brief` is hopeless, of which `text` is the beginning; an empty string: let it go on."""
        text = text.replace("\r\n", "\n").replace("\t", " ").rstrip("�")
        if not text.lstrip().startswith(HEAD) or text.count(HEAD) > 1:
            return ""  # another patent begins: the text may end here, and be a whole one
        seen = self._recall(brief.index, text)
        reason = self._layout(seen, brief, text)
        settled = len(seen.closed) + bool(seen.claims)
        if not reason and settled > seen.settled and self._copied(text):
            reason = "copied_run"
        seen.settled = settled
        if reason:
            with self._lock:
                self._drafts.pop(brief.index, None)
        return reason

    def _recall(self, index: int, text: str) -> _Seen:
        with self._lock:
            seen = self._drafts.pop(index, None)
            if seen is None or not text.startswith(seen.text):
                seen = _Seen()
            self._drafts[index] = seen
            if len(self._drafts) > REMEMBERED:
                del self._drafts[next(iter(self._drafts))]
        seen.text = text
        return seen

    def _layout(self, seen: _Seen, brief: Brief, text: str) -> str:
        """The headings of complete lines, and each section under them."""
        read = sections(text, whole=False)
        if not read:
            return ""
        wanted = (HEAD, *ORDER[brief.direction])
        names = [section.name for section in read]
        for position, name in enumerate(names):
            if name not in wanted:
                return "unknown_heading"
            if name in names[:position]:
                return "repeated_heading"
        if tuple(names) != wanted[: len(names)]:
            return "section_order"
        head, *rest = read
        if (head.body(text) if head.whole else _whole_lines(head.body(text))).strip():
            return "stray_text"
        for section in rest:
            if section.name in seen.closed:
                continue
            if section.name == CLAIMS:
                reason = self._claims(seen, text, section)
            else:
                reason = _prose(section.name, section.body(text), section.whole)
            if not reason and section.whole:
                seen.closed += (section.name,)
                reason = self._closed(seen, {one.name: one.body(text) for one in rest}, section.name)
            if reason:
                return reason
        return ""

    def _claims(self, seen: _Seen, text: str, section: Part) -> str:
        """The complete claims: those that another one follows, or all when the section is closed."""
        read, before = claims(text, section), before_claims(text, section)
        if before and (read or not _BEGUN_NUMBER.fullmatch(before)):
            return "stray_text"
        for one in [one for one in read if one.whole][len(seen.claims) :]:
            if reason := self._claim(seen, int(one.name), one_paragraph(one.body(text))):
                return reason
        return "no_whole_claim" if section.whole and not read else ""

    def _claim(self, seen: _Seen, number: int, text: str) -> str:
        if not text:
            return "empty_section"
        if len(text) > MAX_TEXT:
            return "too_long"
        claim = Claim(number, text, depends_on(text, number))
        alone = Disclosure("", "", (), (claim,))
        seen.claims.append(claim)
        if number != len(seen.claims):
            return "c1"
        if number == 1:
            for one in DECIDING:
                if any(finding.severity == "fail" for finding in one(alone)):
                    return one.__name__.split("_")[0]
        elif c11_generation_faults(alone):
            return "c11"
        return ""

    def _closed(self, seen: _Seen, bodies: dict[str, str], name: str) -> str:
        """What is decided when a section that follows the claims begins."""
        if CLAIMS not in seen.closed or name == TITLE:
            return ""
        abstract = one_paragraph(bodies[ABSTRACT]) if ABSTRACT in seen.closed else ""
        passed = check(Disclosure("", abstract, (), tuple(seen.claims)))
        if not isinstance(passed, Passed):
            return passed.reason
        return self._calibration.refuses(measure(passed.disclosure))


def _prose(name: str, body: str, closed: bool) -> str:
    """Title or abstract: form when it is closed, and what no further word can mend."""
    if name == TITLE and PARAGRAPH.search((body if closed else _whole_lines(body)).strip()):
        return "stray_text"
    text = one_paragraph(body if closed else body[: body.rfind(" ") + 1])
    if closed and not text:
        return "empty_section"
    if len(text) > (MAX_TITLE if name == TITLE else MAX_TEXT):
        return "too_long"
    if closed:
        whole = Disclosure(text, "", (), ())
        return "c11" if c11_generation_faults(whole) else ""
    return "c11" if looping(text) else ""


def _whole_lines(text: str) -> str:
    return text[: text.rfind("\n") + 1]
