"""The gate of descriptions that a model wrote after its claims: read, no loops, not the claims again, support, no copy.

Support: each element of claim 1 is spoken of, which is what a description owes its claims (37 CFR 1.75(d)(1)). An
element is spoken of where HELD of its content words stand in the description; it is a count of words, not of sense.
"""

import re

from generator.base.words import content, words
from generator.corpus.elements import elements, packed, sentences
from generator.corpus.fingerprints import RUN
from generator.judge.checks.degeneration import distinct_triples
from generator.judge.checks.repetition import c11_generation_faults
from generator.judge.copying import KnownTexts
from generator.judge.parsing import Rejected, Stop, one_paragraph
from generator.record.disclosure import Claim, Disclosure, Finding

GATE = "description"
LEAST_WORDS = 60
# Thousandths. The lower 5 % tails of the first 400 words of 100 real descriptions; docs/judgement.md has the table.
HELD = 500
TRIPLES = 795
NEW = 290
_HEADING = re.compile(r"^#", re.MULTILINE)
_WITHIN = re.compile(r"(?<=\s)#{1,6} (?:[A-Z]{2,}[\s,&-]*)+(?=[A-Z][a-z]|A )")  # as in the texts of models' training
_LAST_STOP = re.compile(r"[.!?][\"')\]]?(?=\s|\Z)")


def read_description(text: str, stop: Stop) -> tuple[str, ...] | Rejected:
    """Paragraphs of whole sentences of what a model wrote under the heading, up to a next heading; headings in capitals
    that stand within a line are left out."""
    heading = _HEADING.search(text)
    whole = one_paragraph(_WITHIN.sub("", text[: heading.start()] if heading else text))
    if heading or stop == "limit":
        ends = [match.end() for match in _LAST_STOP.finditer(whole)]
        whole = whole[: ends[-1]] if ends else ""
    if len(words(whole)) < LEAST_WORDS:
        return _refused("too_short", f"The description has fewer than {LEAST_WORDS} words.")
    return tuple(packed(sentences(whole)))


def described(disclosure: Disclosure, paragraphs: tuple[str, ...], known: KnownTexts, but: str) -> Rejected | None:
    """None where the paragraphs describe the disclosure. `but` names the disclosure itself among the known texts.

    Reasons: generation_fault, repetitive, restates, unsupported, copied_run.
    """
    text = " ".join(paragraphs)
    if faults := c11_generation_faults(Disclosure("", text, (), ())):
        return _refused("generation_fault", faults[0].message.replace("abstract", "description"))
    if "#" in text:
        return _refused("generation_fault", "The description holds a sign of a heading.")
    if (triples := distinct_triples((Claim(1, text),))) < TRIPLES:
        return _refused("repetitive", f"Of the word triples {triples / 10:.0f} % differ; {TRIPLES / 10:.0f} % must.")
    claimed = {stem for claim in disclosure.claims for stem in content(claim.text)}
    stems = content(text)
    new = 1000 * sum(stem not in claimed for stem in stems) // max(1, len(stems))
    if new < NEW:
        return _refused(
            "restates", f"{new / 10:.0f} % of its content words are not in the claims, {NEW / 10:.0f} % must."
        )
    if left := unspoken(disclosure.claims[0].text, frozenset(stems)):
        return _refused("unsupported", f"An element of claim 1 is not spoken of: {left[:120]!r}.")
    found = known.measure(Disclosure("", text, (), ()), but=but)
    if found.longest_run >= RUN:
        run = f"{found.longest_run} words in a row stand in {found.run_in}: {found.run[:200]!r}."
        return _refused("copied_run", run)
    return None


def unspoken(claim: str, held: frozenset[str]) -> str:
    """The first element of a claim of whose content stems fewer than HELD thousandths are held, or an empty text."""
    for element in elements(claim):
        asked = set(content(element))
        if asked and 1000 * len(asked & held) < HELD * len(asked):
            return element
    return ""


def _refused(reason: str, message: str) -> Rejected:
    return Rejected(GATE, reason, (Finding(GATE, "fail", None, message),))
