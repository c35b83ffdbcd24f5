"""Antecedent basis: whether each thing called "the" or "said" was introduced before, and how surely it was not.

A thing is introduced where its noun stands earlier in the same claim or in a claim above it. Terms are found by
words alone, without a parser of English, so the gate uses the share of terms without basis, never one term.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from generator.checks.chains import Chain, Word, chains
from generator.disclosure import Disclosure, Finding
from generator.words import stem

Basis = Literal["grounded", "likely", "certain"]
LONGEST = 7  # words of a term; what follows is no longer its noun

_DEFINITE = frozenset({"the", "said"})
# May stand between "the" and the noun without being part of it.
_COUNTING = frozenset(["said", "same", "each", "at", "least", "one", "or", "more", "two", "three", "four", "five", "six", "plurality", "of", "both", "all", "other"])
# Ends a noun phrase: prepositions, conjunctions, pronouns, auxiliaries, and the verbs that claims are made of.
_STOP_TEXT = """
a about above according across adapted after against along also although among an and any are arranged around as at
based be because been before being below beneath between both but by can comprise comprised comprises comprising
configured consist consisting consists contain contained containing contains corresponding could coupled defined
do does during each either extending extends for formed from further had has have having if in include included
includes including into is it its located made may might more must no nor not of off on one onto operable or other
over per positioned present provided provides providing said selected shall should so such than that the their them
then thence there thereby therefrom therein thereof thereon thereto these they this those through throughout to
toward towards under until up upon used using via was were what when where whereby wherein whereupon which while who
whose will with within without would
"""
STOP = frozenset(_STOP_TEXT.split())
# Parts and properties that a thing has by its nature need no introduction: MPEP 2173.05(e), "inherent components".
_INHERENT_TEXT = """
absence amount angle area average axis back base basis bottom breadth case center centre character circumference
color colour composition concentration content cross-section degree density depth diameter difference dimension
direction distance edge end exterior extent face fact following form former foregoing front future group half height
identity inner inside interior kind latter left length level location magnitude majority manner mass maximum
middle minimum mixture nature number opposite order orientation other outer outside part past peak percentage
perimeter period periphery place plane point portion position presence pressure principle product property purpose
quantity quality radius range rate ratio rear remainder rest result resulting right same sequence set shape side size
sort speed standard start state step steps structure sum surface temperature thickness time top total type use value
vicinity volume way weight whole width world
"""
INHERENT = frozenset(stem(word) for word in _INHERENT_TEXT.split())
_ORDER = frozenset(["first", "second", "third", "fourth", "fifth", "sixth", "last", "next", "previous", "preceding", "subsequent", "respective"])
_VERBAL = ("s", "ed", "ing", "ly")


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase after "the" or "said", from `start` to `end` in its claim's text (that word included)."""

    start: int
    end: int
    basis: Basis


def terms(chain: Chain, text: str) -> Iterator[Term]:
    """The terms of a claim in the order of its text, without parts that are inherent or only ordinal."""
    known = set(chain.above)
    words = chain.words
    seen = 0  # words before this place are known
    index = 0
    while index < len(words):
        if words[index].text not in _DEFINITE:
            index += 1
            continue
        begin = index
        index += 1
        while index < len(words) and (words[index].text in _COUNTING or words[index].text in _DEFINITE):
            index += 1
        phrase = _phrase(words, index, text)
        if not phrase:
            continue
        known.update(word.stem for word in words[seen:begin])
        seen = begin
        last = index + len(phrase) - 1
        followed = words[last + 1].text if last + 1 < len(words) else ""
        if basis := _basis(phrase, known, followed):
            yield Term(words[begin].start, phrase[-1].end, basis)
        index += len(phrase)


def _phrase(words: tuple[Word, ...], index: int, text: str) -> list[Word]:
    """The words from `index` up to the first that ends a noun phrase or stands behind a punctuation mark."""
    phrase: list[Word] = []
    for word in words[index : index + LONGEST]:
        if word.text in STOP or (index and text[words[index - 1].end : word.start] != " "):
            break
        phrase.append(word)
        index += 1
        if word.text.endswith(("'s", "’s")):
            break
    return phrase


def _basis(phrase: list[Word], known: set[str], followed: str) -> Basis | Literal[""]:
    """How the phrase is introduced; empty for one that needs no introduction."""
    *rest, head = [word for word in phrase if word.text not in _ORDER] or phrase[-1:]
    if rest and _stem(head) not in known and head.text.endswith(_VERBAL) and _stem(rest[-1]) in known:
        return "grounded"  # "the valve opens", "the plate heated by"
    if _stem(head) in known:
        return "grounded"
    if head.text.isdigit() or len(head.text) == 1 or head.text in _ORDER:
        return ""
    if head.stem in INHERENT or head.text.endswith("est"):
        return ""
    if any(_stem(word) in known for word in rest):
        return "likely"
    return "likely" if followed == "of" else "certain"


def _stem(word: Word) -> str:
    return stem(word.text[:-2]) if word.text.endswith(("'s", "’s")) else word.stem


def c8_antecedent_basis(disclosure: Disclosure) -> tuple[Finding, ...]:
    """Each thing that a claim calls "the" or "said" was introduced before. Source: 35 U.S.C. 112(b), MPEP 2173.05(e).

    `warn`: certainly without basis; `info`: likely. A rate, never a reason to remove a claim.
    """
    found = []
    for chain in chains(disclosure.claims):
        text = chain.claim.text
        for term in terms(chain, text):
            if term.basis != "grounded":
                surely = term.basis == "certain"
                doubt = "has no antecedent" if surely else "has likely no antecedent"
                message = f"{text[term.start : term.end]!r} at character {term.start} {doubt}."
                found.append(Finding("C8", "warn" if surely else "info", chain.claim.number, message))
    return tuple(found)
