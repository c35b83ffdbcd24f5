"""Antecedent basis: whether each thing called "the" or "said" was introduced before, and how surely it was not.

A thing is introduced where its noun stands earlier in the same claim or in a claim above it. Terms are found by
words alone, without a parser of English, so the gate uses the share of terms without basis, never one term.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from generator.base.words import stem
from generator.judge.checks.chains import Chain, chains
from generator.record.disclosure import Claim, Disclosure, Finding, Severity

Basis = Literal["grounded", "likely", "certain"]
LONGEST = 7  # words of a term; what follows is no longer its noun

_DEFINITE = frozenset({"the", "said"})
# May stand between "the" and the noun without being part of it.
_COUNTING_TEXT = "said same each at least one two three four five six plurality both all other"
_COUNTING = frozenset(_COUNTING_TEXT.split())
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
absence activity amount angle area average axis back base basis bottom breadth case center centre character
circumference color colour composition concentration content cross-section degree density depth diameter difference
dimension direction distance edge effect end environment extent exterior face fact following foregoing form former
front function future group half height identity inner inside interior internet kind latter left length level like
location magnitude majority manner mass maximum middle minimum mixture nature number opposite order orientation other
outer outside part past peak percentage perimeter period periphery place plane point portion position presence
pressure principle product property proviso purpose quality quantity radius range rate ratio rear remainder rest
result resulting right same sequence set shape side size sort speed standard start state step steps structure sum
surface temperature thickness time top total type use value vicinity volume way weight whole width world
"""
INHERENT = frozenset(stem(word) for word in _INHERENT_TEXT.split())
_ORDER_TEXT = "first second third fourth fifth sixth last next previous preceding subsequent respective"
_ORDER = frozenset(_ORDER_TEXT.split())
_OPENING_TEXT = "a an of by with from for in on into at between through"  # a noun phrase follows these too
_OPENING = frozenset(_OPENING_TEXT.split())
_ARTICLES = frozenset({"a", "an", "the", "said"})
# Of the words in STOP, those that may stand before a noun in one.
_MODIFYING_TEXT = """
a about above an any at between both corresponding each either from further its more no not one other over present said
such that the their these this those under up which
"""
_MODIFYING = frozenset(_MODIFYING_TEXT.split())
_AFTER_ARTICLE = frozenset({"above", "corresponding", "further", "more", "present"})
_VERBAL = ("s", "ed", "ing", "ly")
_OWNER = "'s"


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase after "the" or "said", from `start` to `end` in its claim's text (that word included)."""

    start: int
    end: int
    basis: Basis


@lru_cache(maxsize=8)
def all_terms(claims: tuple[Claim, ...]) -> tuple[tuple[Term, ...], ...]:
    """The terms of each claim, in the claims' order."""
    return tuple(tuple(terms(chain)) for chain in chains(claims))


def terms(chain: Chain) -> Iterator[Term]:
    """The terms of a claim in the order of its text, without parts that are inherent or only ordinal."""
    known = set(chain.above)
    words, stems, places = chain.words, chain.stems, chain.places
    seen = index = 0  # the stems before `seen` are known
    while index < len(words):
        if words[index] not in _DEFINITE:
            ends = index + 1 == len(words) or words[index + 1] in STOP  # a quick look, as nearly all do not
            if ends and words[index] in _OPENING and _lacks_noun(chain, index + 1):
                yield Term(places[index][0], places[min(index + 1, len(words) - 1)][1], "certain")
            index += 1
            continue
        begin, index = index, _behind_counting(words, index)
        if words[begin + 1 : begin + 2] == ("the",) or _lacks_noun(chain, index):
            yield Term(places[begin][0], places[min(index, len(words) - 1)][1], "certain")
            continue
        if index < len(words) and words[index] in STOP:
            index += 1  # "the selected cells", "the corresponding value"
        last = _last(chain, index)
        if last < index:
            continue
        known.update(stems[seen:begin])
        seen = begin
        if basis := _basis(words[index : last + 1], stems[index : last + 1], known, words[last + 1 : last + 3]):
            yield Term(places[begin][0], places[last][1], basis)
        index = last + 1


def _lacks_noun(chain: Chain, index: int) -> bool:
    """Whether what stands at `index`, behind "the", "a" or "of", can begin no noun phrase: "the of", "a which"."""
    words, places, text = chain.words, chain.places, chain.claim.text
    if text[places[index - 1][0]].isupper() and words[index - 1] == "a":
        return False  # "group A is": a name
    if index >= len(words):
        return True
    apart = text[places[index - 1][1] : places[index][0]] != " "
    before, word = words[index - 1], words[index]
    if {before, word} <= _ARTICLES and not apart and text[places[index][0]].islower():
        return word != "said"
    if word not in STOP or apart or before in _COUNTING:
        return False  # "the (i+1)-th block", "the one which", "the same as"
    if word == "in" and words[index + 1 : index + 2] in (("vitro",), ("vivo",), ("situ",), ("silico",)):
        return False
    modifying = _AFTER_ARTICLE if before in _ARTICLES else _MODIFYING
    return not (word in modifying or word.endswith(("ed", "ing")))


def _behind_counting(words: tuple[str, ...], index: int) -> int:
    """Where the noun phrase begins that "the" at `index` opens: behind "at least one of the", "said one or more"."""
    while index < len(words):
        if words[index + 1 : index + 3] == ("or", "more"):
            index += 3  # "one or more", "two or more"
        elif words[index] in _DEFINITE or words[index] in _COUNTING:
            index += 1
        elif words[index] == "of" and words[index - 1] in _COUNTING:
            index += 1  # "the at least one of the seats", "said plurality of seats"
        else:
            break
    return index


def _last(chain: Chain, index: int) -> int:
    """The last word of the phrase from `index`: before a word that ends a noun phrase or a punctuation mark."""
    words, places, text = chain.words, chain.places, chain.claim.text
    for here in range(index, min(index + LONGEST, len(words))):
        if words[here] in STOP or text[places[here - 1][1] : places[here][0]] != " ":
            return here - 1
        if words[here].endswith(_OWNER):
            return here
    return min(index + LONGEST, len(words)) - 1


def _basis(phrase: tuple[str, ...], stems: tuple[str, ...], known: set[str], after: tuple[str, ...]) -> Basis | None:
    """How the phrase is introduced; None for one that needs no introduction. `after` are the two words behind it."""
    if len(phrase) > 1 and _is_sign(phrase[-1]):
        phrase, stems = phrase[:-1], stems[:-1]  # "the seat 12", "the size R1"
    head = phrase[-1]
    if head in _ORDER or head.isdigit() or len(head) == 1:
        return None
    if (stem(head[:-2]) if head.endswith(_OWNER) else stems[-1]) in known:
        return "grounded"
    if len(phrase) > 1 and head.endswith(_VERBAL) and stems[-2] in known:
        return "grounded"  # "the valve opens", "the plate heated by"
    if stems[-1] in INHERENT or head.endswith("est"):
        return None
    whole = after[:1] == ("of",) and after[1:] != ("claim",)  # "the rotation of the shaft"
    return "likely" if whole or any(word in known for word in stems[:-1]) else "certain"


def _is_sign(word: str) -> bool:
    return len(word) == 1 or (len(word) <= 4 and any(character.isdigit() for character in word))


def c8_antecedent_basis(disclosure: Disclosure) -> tuple[Finding, ...]:
    """Each thing that a claim calls "the" or "said" was introduced before. Source: 35 U.S.C. 112(b), MPEP 2173.05(e).

    `warn`: it certainly was not; `info`: it likely was not. Gate G2 uses their share; no claim is removed for one.
    """
    found = []
    for claim, found_terms in zip(disclosure.claims, all_terms(disclosure.claims), strict=True):
        for term in found_terms:
            if term.basis != "grounded":
                severity: Severity = "warn" if term.basis == "certain" else "info"
                doubt = "no antecedent" if term.basis == "certain" else "likely no antecedent"
                message = f"{claim.text[term.start : term.end]!r} at character {term.start} has {doubt}."
                found.append(Finding("C8", severity, claim.number, message))
    return tuple(found)
