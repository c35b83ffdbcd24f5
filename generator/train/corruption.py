"""Corrupted claims: true ones with one fault of those that the gates look for, the worse half of a pair.

Every one is verified by the project's own checks: the fault is found in the corrupted claims and not in the true ones.
"""

import random
from collections.abc import Callable, Iterator

from generator.corpus.documents import Document, as_disclosure
from generator.judge.checks import DECIDING, measure
from generator.judge.checks.antecedents import all_terms
from generator.judge.checks.thresholds import Calibration
from generator.record.claim_references import rewrite
from generator.record.disclosure import Claim, Disclosure

TRIES = 8  # of a corruption on one document
COHERENCE = frozenset({"antecedents", "cohesion", "title_support", "abstract_support"})
Texts = tuple[str, ...]
Corruption = Callable[[Disclosure, Disclosure, random.Random], Iterator[Texts]]


def faults(disclosure: Disclosure, calibration: Calibration) -> frozenset[str]:
    """Codes of the checks that fail, and the reason for which gate G2 would refuse it."""
    failing = {f.check for check in DECIDING for f in check(disclosure) if f.severity == "fail"}
    return frozenset(failing | {calibration.refuses(measure(disclosure))}) - {""}


def corrupt(
    kind: str, true: Disclosure, other: Disclosure, dice: random.Random, calibration: Calibration
) -> Disclosure | None:
    """`true` with one fault of the `kind`, one of CORRUPTIONS; None where it cannot have it, or has a fault already.

    `other` is another document, of which foreign words and claims are taken.
    """
    make, wanted = CORRUPTIONS[kind]
    if faults(true, calibration):
        return None
    for claims in make(true, other, dice):
        corrupted = as_disclosure(Document("", true.title, true.abstract, claims))
        if wanted & faults(corrupted, calibration):
            return corrupted
    return None


def _repeated(true: Disclosure, _: Disclosure, dice: random.Random) -> Iterator[Texts]:
    """A claim says what an earlier one said already, mostly a dependent one as models repeat these."""
    texts = [claim.text for claim in true.claims]
    for _try in range(TRIES if len(texts) > 1 else 0):
        place = dice.randrange(1, len(texts))
        yield (*texts[:place], texts[dice.randrange(place > 1, place)], *texts[place + 1 :])


def _misreferred(true: Disclosure, _: Disclosure, dice: random.Random) -> Iterator[Texts]:
    """A dependent claim refers to itself, to a later claim or to none."""
    dependent = [claim for claim in true.claims if claim.depends_on]
    for _try in range(TRIES if dependent else 0):
        claim = dice.choice(dependent)
        wrong = dice.randrange(claim.number, len(true.claims) + 4)
        yield _with(true, claim, rewrite(claim.text, claim.number, {dice.choice(claim.depends_on): wrong}))


def _unfounded(true: Disclosure, other: Disclosure, dice: random.Random) -> Iterator[Texts]:
    """Things are called by names that were never introduced: more and more of them, until it is too much."""
    found = all_terms(true.claims)
    names = sorted({_name(claim, term) for claim, own in zip(true.claims, found, strict=True) for term in own})
    theirs = all_terms(other.claims)
    foreign = sorted({_name(claim, term) for claim, own in zip(other.claims, theirs, strict=True) for term in own})
    foreign = [name for name in foreign if name]
    dice.shuffle(names)
    new: dict[str, str] = {}
    for name in names if foreign else ():
        new[name] = dice.choice(foreign)
        texts = []
        for claim, own in zip(true.claims, found, strict=True):
            text = claim.text
            for term in reversed(own):
                if term.start and (wrong := new.get(_name(claim, term))):
                    article = text[term.start : term.end].split(" ")[0]
                    text = f"{text[: term.start]}{article} {wrong}{text[term.end :]}"
            texts.append(text)
        yield tuple(texts)


def _name(claim: Claim, term: object) -> str:
    """What stands after "the" or "said"."""
    start, end = term.start, term.end  # type: ignore[attr-defined]
    return claim.text[start:end].partition(" ")[2]


def _chimera(true: Disclosure, other: Disclosure, _: random.Random) -> Iterator[Texts]:
    """Behind claim 1 stand dependent claims of another document."""
    texts, new = [true.claims[0].text], {1: 1}
    for claim in other.claims:
        if claim.depends_on and set(claim.depends_on) <= new.keys() and len(texts) < max(3, len(true.claims)):
            new[claim.number] = len(texts) + 1
            texts.append(rewrite(claim.text, claim.number, new))
    if len(texts) > 1:
        yield tuple(texts)


def _looping(true: Disclosure, _: Disclosure, dice: random.Random) -> Iterator[Texts]:
    """A phrase of a claim comes again and again."""
    for _try in range(TRIES):
        claim = dice.choice(true.claims)
        words = claim.text.split(" ")
        start, length = dice.randrange(len(words)), dice.randrange(2, 13)
        phrase = words[start : start + length]
        yield _with(true, claim, " ".join((*words[:start], *phrase * dice.randrange(3, 7), *words[start + length :])))


def _cut(true: Disclosure, _: Disclosure, dice: random.Random) -> Iterator[Texts]:
    """The text ends in the middle of a claim."""
    for _try in range(TRIES):
        place = dice.randrange(len(true.claims))
        words = true.claims[place].text.split(" ")
        if len(words) > 3:
            left = " ".join(words[: dice.randrange(2, len(words) - 1)]).rstrip(".,;:")
            yield (*(claim.text for claim in true.claims[:place]), left)


def _with(true: Disclosure, changed: Claim, text: str) -> Texts:
    return tuple(text if claim is changed else claim.text for claim in true.claims)


# What makes each, and the faults of which it must have one.
CORRUPTIONS: dict[str, tuple[Corruption, frozenset[str]]] = {
    "repeated": (_repeated, frozenset({"C10"})),
    "misreferred": (_misreferred, frozenset({"C4"})),
    "unfounded": (_unfounded, frozenset({"antecedents"})),
    "chimera": (_chimera, COHERENCE),
    "looping": (_looping, frozenset({"C11"})),
    "cut": (_cut, frozenset({"C2"})),
}
