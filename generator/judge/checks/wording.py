"""What the claims call themselves, and the wording that an examiner reads twice."""

import re

from generator.judge.checks.chains import Chain, chains
from generator.record.disclosure import Disclosure, Finding

CATEGORIES = {
    "process": "method process procedure technique",
    "composition": "composition compound formulation mixture alloy polymer polypeptide protein peptide antibody",
    "medium": "medium media program software",
    "apparatus": "apparatus device system machine assembly instrument vehicle engine circuit",
}
_CATEGORY = {word: name for name, listed in CATEGORIES.items() for word in listed.split()}
# Between the thing and the number of the claim: "The device according to any one of claims 1 to 3".
_JOINING_TEXT = """
accordance according any as claim claimed claims defined described either forth in of one or preceding previous recited
set stated the to under with
"""
_JOINING = frozenset(_JOINING_TEXT.split())
_OPENING = frozenset({"a", "an", "the", "said", "of", "using", "comprising", "with", "by"})
_NAME_ENDS = frozenset(
    ("for", "of", "to", "comprising", "that", "which", "wherein", "in", "having", "consisting", "including", "by")
)

# MPEP 2181, I.A: "means", and the nonce words that stand in its place.
_NONCE_TEXT = "means step mechanism module device unit component element member apparatus machine system"
_NONCE = frozenset(_NONCE_TEXT.split())
_MEANS = re.compile(
    rf"\b(?:{'|'.join(sorted(_NONCE))}) (?:for [a-z]{{2,30}}ing|(?:configured|adapted|operable) to [a-z]{{2,30}})\b",
    re.I,
)
# MPEP 2173.05(b), relative terminology, and 2173.05(d), exemplary language.
_ALONE_TEXT = "about approximately substantially essentially relatively generally similar superior preferably optimal"
_ALONE = frozenset(_ALONE_TEXT.split())
_DEGREE = _ALONE | {"example", "such", "like", "effective"}
_RELATIVE = re.compile(
    rf"\b(?:{'|'.join(sorted(_ALONE))}|for example|such as|or the like|effective amount)\b", re.IGNORECASE
)
SHOWN = 3  # findings of one kind on one claim


def c6_category(disclosure: Disclosure) -> tuple[Finding, ...]:
    """A dependent claim calls its parent what the parent calls itself: method, composition, medium or apparatus.

    Source: 35 U.S.C. 112(d), MPEP 608.01(n), III: a dependent claim includes every limitation of its parent.
    """
    found, own = [], dict[int, str]()
    for chain in chains(disclosure.claims):
        called = _called(chain)
        own[chain.claim.number] = _first_category(chain)
        for parent in chain.parents:
            if called and own[parent] and called != own[parent]:
                message = (
                    f"The claim calls claim {parent} a thing of the kind {called}, but it is of the kind {own[parent]}."
                )
                found.append(Finding("C6", "warn", chain.claim.number, message))
                break
    return tuple(found)


def _first_category(chain: Chain) -> str:
    """What a claim says it is: the category of the noun that its first words end in ("A data storage device for")."""
    name = ""
    for word in chain.words[:12]:
        if word in _NAME_ENDS:
            break
        name = _CATEGORY.get(word, name)
    return name


def _called(chain: Chain) -> str:
    """The category of the noun right before the first reference: "The method" in "The method of claim 1"."""
    if not chain.references or not chain.parents:
        return ""
    before = sum(start < chain.references[0].start for start, _ in chain.places[:60])
    while before and chain.words[before - 1] in _JOINING:
        before -= 1
    while before and chain.words[before - 1] not in _OPENING:
        before -= 1
        if name := _CATEGORY.get(chain.words[before]):
            return name
    return ""


def c9_functional_and_relative(disclosure: Disclosure) -> tuple[Finding, ...]:
    """Remarks on means-plus-function wording and on terms of degree or example; none of them is a fault.

    Source: 35 U.S.C. 112(f), MPEP 2181; 35 U.S.C. 112(b), MPEP 2173.05(b) and (d).
    """
    kinds = ((_MEANS, _NONCE, "is defined by what it does"), (_RELATIVE, _DEGREE, "is relative or by way of example"))
    found = []
    for chain in chains(disclosure.claims):
        for pattern, triggers, what in kinds:
            if triggers.isdisjoint(chain.words):
                continue
            for _, match in zip(range(SHOWN), pattern.finditer(chain.claim.text), strict=False):
                message = f"{match[0]!r} at character {match.start()} {what}."
                found.append(Finding("C9", "info", chain.claim.number, message))
    return tuple(found)
