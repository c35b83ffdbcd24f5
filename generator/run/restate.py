"""A description restated from the claims, so that no page is claims alone. Adds nothing to what the claims say.

Every paragraph names the claim that it restates; what it cannot turn into a sentence it quotes whole.
"""

import re

from generator.record.claim_references import find_references
from generator.record.disclosure import Claim, Disclosure, Paragraph
from generator.record.record import MAX_TEXT

OPENING = (
    "This description restates the {count} in plain sentences and adds nothing to {them}. "
    "Claim numbers stand in brackets."
)
_STEPS = r"(?:the (?:following )?steps of:? )?"
_BODY = re.compile(
    rf",? (?:the (?:method|process|steps) )?(compris|includ|consist)(?:ing|es|e)( essentially of| of)?:? {_STEPS}"
)
_WHEREIN = re.compile(r"[,;:]? ?(?:wherein|in which|where|whereby)[,:]? ")
_FURTHER = re.compile(
    r"[,;:]? ?(?:which |that |and )?(further |additionally |also )?(compris|includ|hav)(?:ing|es)[,:]? "
)
_PREAMBLE = re.compile(r"(?:the|a|an) ([^,;:]{1,200}?) (?:of|in|according to|as [a-z ]{1,20} in)$")
_AGAIN = re.compile(r",? (?:the|said) ([^,;:]{1,80})$")
_AND = re.compile(r"^(?:and|or)[,:]? ")


def restate(disclosure: Disclosure) -> tuple[Paragraph, ...]:
    """Paragraphs of origin `restated`: an opening and one for each claim, in the order of the claims."""
    count = len(disclosure.claims)
    opening = OPENING.format(count="claim" if count == 1 else f"{count} claims", them="it" if count == 1 else "them")
    texts = [opening, *(_paragraph(claim) for claim in disclosure.claims)]
    return tuple(Paragraph("restated", text) for text in texts)


def _paragraph(claim: Claim) -> str:
    references = [one for one in find_references(claim.text, claim.number) if one.opening]
    text = _dependent(claim, references[0].start, references[0].end) if references else _independent(claim)
    if len(text) > MAX_TEXT:
        return f"A further embodiment is stated in full in claim {claim.number} and is not repeated here."
    return text


def _lowered(text: str) -> str:
    """The text for the middle of a sentence: a common opening word loses its capital, others may be names."""
    first = text.split(" ", 1)[0]
    if first in {
        "A",
        "An",
        "The",
        "One",
        "In",
        "At",
        "Use",
        "Method",
        "Process",
        "Apparatus",
        "System",
        "Device",
        "Any",
    }:
        return text[0].lower() + text[1:]
    return text


def _independent(claim: Claim) -> str:
    """'One embodiment is a method (claim 1). It comprises: (a) ...; and (b) ...'"""
    sentence = claim.text.rstrip(". ")
    body = _BODY.search(sentence)
    elements = _elements(sentence[body.end() :]) if body else []
    if body is None or len(elements) < 2 or not sentence[: body.start()]:
        return f"One embodiment is {_lowered(sentence)} (claim {claim.number})."
    verb = {"compris": "comprises", "includ": "includes", "consist": "consists"}[body[1]] + (body[2] or "")
    listed = "; ".join(f"({_letter(n)}) {element}" for n, element in enumerate(elements[:-1]))
    last = f"; and ({_letter(len(elements) - 1)}) {elements[-1]}"
    subject = sentence[: body.start()]
    if (again := _AGAIN.search(subject)) and again[1].lower() in subject[: again.start()].lower():
        subject = subject[: again.start()]  # "A system for heating, the system comprising"
    return f"One embodiment is {_lowered(subject)} (claim {claim.number}). It {verb}: {listed}{last}."


def _elements(body: str) -> list[str]:
    """The parts between semicolons, without the joining 'and'; none when the body numbers its parts itself."""
    parts = [_AND.sub("", part.strip()) for part in body.split(";")]
    parts = [part for part in parts if part]
    if (
        any(":" in part for part in parts)
        or any(re.match(r"\(?[a-zA-Z0-9]{1,4}[).]", part) for part in parts)
        or len(parts) > 26
    ):
        return []
    return parts


def _letter(position: int) -> str:
    return chr(ord("a") + position)


def _dependent(claim: Claim, start: int, end: int) -> str:
    """'In some embodiments of the method of claim 1, the X is Y (claim 2).'"""
    sentence = claim.text.rstrip(". ")
    before = re.sub(r" (?:any (?:one )?of )?(?:the )?claims? ?$", "", sentence[:start], flags=re.IGNORECASE).rstrip()
    head, rest = _lowered(sentence[:end]), sentence[end:]
    if _PREAMBLE.fullmatch(before.lower()):
        if (match := _WHEREIN.match(rest)) and rest[match.end() :]:
            return f"In some embodiments of {head}, {rest[match.end() :]} (claim {claim.number})."
        if (match := _FURTHER.match(rest)) and rest[match.end() :]:
            verb = {"compris": "comprises", "includ": "includes", "hav": "has"}[match[2]]
            return f"In some embodiments, {head} {match[1] or ''}{verb} {rest[match.end() :]} (claim {claim.number})."
    return f"A further embodiment is {_lowered(sentence)} (claim {claim.number})."
