"""Form of the claims: numbering, one sentence each, references, transition phrase."""

import re

from generator.judge.checks.chains import chains
from generator.record.claim_references import other_language
from generator.record.disclosure import Claim, Disclosure, Finding

# What may stand before a period inside a claim without ending a sentence; lower case, without the period.
_ABBREVIATIONS_TEXT = """
a.k.a a.m al appl approx art b.p ca cf cit co col corp deg dept dr e.g e.u eds eg eq eqn eqs etc ex fig
figs ft gen hr hrs i.e id inc inv lb ltd m.p max min mr mrs ms no nos op oz p.m p.o pat pats pct ph.d
pp prof pub r.p.m ref refs resp rev sec ser sp spp st subsp temp u.k u.s var viz vol vols vs w.r.t wt
"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS_TEXT.split())
_BOUNDARY = re.compile(r"(?<=[^\s.])[.?!][)\]\"'”’]? (?=[\"'“(]?[A-Z][a-z])")
_LAST_WORD = re.compile(r"[^\s(\[\"']+$")
_LOCANT = re.compile(r"^[(\[]?\d[\d,'′]*[\w'′]*-")
_END = re.compile(r"[.](?:[)\"'”’]|[\\}\])]{1,12})?$")  # a formula in TeX may hold the period: \(x = 1.\)
# Open, closed and mixed transitions: MPEP 2111.03; "wherein", "including" and the rest as practice uses them.
TRANSITION = re.compile(
    r"\b(?:compris(?:e|es|ed|ing)|consist(?:s|ing)?(?: essentially)? (?:of|in)|includ(?:e|es|ing)|having|has|have"
    r"|contain(?:s|ing)?|composed of|constituted (?:of|by)|characteri[sz]ed|wherein|whereby|in which|which"
    r"|the improvement|the steps? of|selected from)\b",
    re.IGNORECASE,
)


def c1_numbered_consecutively(disclosure: Disclosure) -> tuple[Finding, ...]:
    """Claims are numbered consecutively from 1. Source: 37 CFR 1.75(f)."""
    for position, claim in enumerate(disclosure.claims, 1):
        if claim.number != position:
            return (Finding("C1", "fail", None, f"Claim {position} carries the number {claim.number}."),)
    return ()


def c2_one_sentence(disclosure: Disclosure) -> tuple[Finding, ...]:
    """A claim begins with a capital, ends with a period and is one sentence; other periods only in abbreviations.

    Source: MPEP 608.01(m). A chemical locant (`3-methyl`, `1,2-diol`) or a bracket may stand before the capital.
    """
    return tuple(f for claim in disclosure.claims for f in _sentence(claim))


def _sentence(claim: Claim) -> list[Finding]:
    found = []
    first = next((c for c in claim.text if c.isalpha()), "")
    if not first.isupper() and not _LOCANT.match(claim.text):
        found.append(Finding("C2", "fail", claim.number, "The claim does not begin with a capital letter."))
    if not _END.search(claim.text):
        found.append(Finding("C2", "fail", claim.number, "The claim does not end with a period."))
    if (place := inner_sentence_end(claim.text)) >= 0:
        near = claim.text[max(0, place - 30) : place + 20]
        found.append(Finding("C2", "fail", claim.number, f"The claim has more than one sentence, near {near!r}."))
    return found


def inner_sentence_end(text: str) -> int:
    """Where the first sentence that is not the last one ends, or -1."""
    for match in _BOUNDARY.finditer(text):
        word = _LAST_WORD.search(text, max(0, match.start() - 40), match.start())
        last = word[0].lower() if word else ""
        # A single letter is an initial or a genus ("E. coli"), or the last part of an abbreviation.
        single = len(last) == 1 and last.isalpha()
        if not single and last not in ABBREVIATIONS:
            return match.start()
    return -1


def c3_claim_one_independent(disclosure: Disclosure) -> tuple[Finding, ...]:
    """There is at least one claim, and the first depends on no other. Source: 37 CFR 1.75(a), (c)."""
    if not disclosure.claims:
        return (Finding("C3", "fail", None, "There is no claim."),)
    first = chains(disclosure.claims)[0]
    if first.named:
        return (Finding("C3", "fail", first.claim.number, "The first claim refers to another claim."),)
    return ()


def c4_refers_to_earlier_claims(disclosure: Disclosure) -> tuple[Finding, ...]:
    """A claim refers only to claims that exist and stand before it. Source: 37 CFR 1.75(c)."""
    found, earlier = [], set[int]()
    for chain in chains(disclosure.claims):
        claim = chain.claim
        if language := other_language(claim.text):
            message = f"The claim refers to another one in {language}; English is read."
            found.append(Finding("C4", "fail", claim.number, message))
        for parent in chain.named:
            if parent == claim.number:
                found.append(Finding("C4", "fail", claim.number, "The claim refers to itself."))
            elif parent not in earlier:
                known = any(other.number == parent for other in disclosure.claims)
                what = "a later claim" if known else "a claim that does not exist"
                found.append(Finding("C4", "fail", claim.number, f"The claim refers to claim {parent}, {what}."))
        earlier.add(claim.number)
    return tuple(found)


def c5_multiple_dependency(disclosure: Disclosure) -> tuple[Finding, ...]:
    """A multiple dependent claim names its parents in the alternative, and none of them is itself multiple.

    Source: 37 CFR 1.75(c), MPEP 608.01(n).
    """
    found, multiple = [], set[int]()
    for chain in chains(disclosure.claims):
        claim, references = chain.claim, [r for r in chain.references if len(r.numbers) > 1]
        if any(not reference.alternative for reference in references):
            found.append(Finding("C5", "warn", claim.number, "Several claims are referred to, not in the alternative."))
        if references:
            if base := sorted(multiple.intersection(claim.depends_on)):
                message = f"A multiple dependent claim refers to claim {base[0]}, which is multiple dependent itself."
                found.append(Finding("C5", "warn", claim.number, message))
            multiple.add(claim.number)
    return tuple(found)


def c7_transition(disclosure: Disclosure) -> tuple[Finding, ...]:
    """An independent claim has a transition phrase between preamble and body. Source: practice; MPEP 2111.03."""
    return tuple(
        Finding(
            "C7", "fail", chain.claim.number, "The independent claim has no transition phrase such as 'comprising'."
        )
        for chain in chains(disclosure.claims)
        if not chain.named and not TRANSITION.search(chain.claim.text)
    )
