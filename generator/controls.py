"""Controls: texts whose verdict is known before, sent through the very same gates as drafts.

Real claim sets should pass. Chimeras, Markov text and shuffled words should not, nor should copies of known text. All
are made from real documents that no threshold has seen, by a seed. Half of these documents are the corpus that the
copies are copies of; all other controls come from the other half.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from generator.calibration import Real
from generator.checks import Passed, check
from generator.disclosure import Claim, Disclosure
from generator.layouts import write_layout
from generator.parsing import Rejected, parse
from generator.references import find_references, rewrite
from generator.words import content

SETS = {
    "real": "real patents",
    "chimera": "claim 1 of one patent, dependents of another",
    "near_chimera": "the same, of the two most alike",
    "markov": "trigram Markov text",
    "shuffled": "real patents, words shuffled",
    "copy": "exact copies of corpus text",
}
GATES = ("G0", "G1", "G2", "G3")
DEPENDENTS = 7  # of a chimera and of Markov text at most
LONGEST = 150  # words of a Markov claim
Judge = Callable[[Disclosure], str]  # the gate at which a disclosure ends, or an empty string


@dataclass(frozen=True, slots=True)
class Control:
    """A text in the layout of drafts, and the set that it belongs to."""

    set: str
    text: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a set's `n` texts passed each gate."""

    set: str
    n: int
    g0: int
    g1: int
    g2: int
    g3: int


def split(real: Sequence[Real], seed: int) -> tuple[list[Disclosure], list[Disclosure]]:
    """The documents that are held out, as the corpus of the copies and as what all else is made of."""
    kept = sorted((one for one in real if one.held_out), key=lambda one: one.number)
    random.Random(seed).shuffle(kept)
    half = len(kept) // 2
    return [one.disclosure for one in kept[:half]], [one.disclosure for one in kept[half:]]


def make_controls(known: Sequence[Disclosure], fresh: Sequence[Disclosure], seed: int, size: int) -> Iterator[Control]:
    """At most `size` texts of each set; of real texts and copies no more than there are documents."""
    dice = random.Random(seed)
    heads = [one for one in fresh if not one.claims[0].depends_on]
    givers = [one for one in fresh if len(_dependents(one)) >= 2]
    for one in fresh[:size]:
        yield Control("real", _layout(one.title, one.abstract, [claim.text for claim in one.claims]))
    for _ in range(size):
        head, giver = dice.choice(heads), dice.choice(givers)
        if head is not giver:
            yield Control("chimera", chimera(head, giver))
    for head, giver in _alike(heads[:size], givers):
        yield Control("near_chimera", chimera(head, giver))
    babbler = _Babbler(fresh, dice)
    for _ in range(size):
        yield Control("markov", babbler.text())
    for one in fresh[:size]:
        yield Control("shuffled", shuffled(one, dice))
    for one in known[:size]:
        yield Control("copy", _layout(one.title, one.abstract, [claim.text for claim in one.claims]))


def _layout(title: str, abstract: str, claims: Sequence[str]) -> str:
    return write_layout("top-down", title, abstract, claims)


def chimera(head: Disclosure, giver: Disclosure) -> str:
    """Title, abstract and claim 1 of one disclosure with the dependents of another one's claim 1."""
    claims, new = [head.claims[0].text], {1: 1}
    for claim in _dependents(giver):
        new[claim.number] = len(claims) + 1
        claims.append(rewrite(claim.text, claim.number, new))
    return _layout(head.title, head.abstract, claims)


def _dependents(disclosure: Disclosure) -> list[Claim]:
    """The claims that go back to claim 1 alone, itself not among them."""
    within = {1}
    found: list[Claim] = []
    for claim in disclosure.claims:
        if claim.depends_on and within.issuperset(claim.depends_on) and len(found) < DEPENDENTS:
            within.add(claim.number)
            found.append(claim)
    return found


def _alike(heads: Sequence[Disclosure], givers: Sequence[Disclosure]) -> Iterator[tuple[Disclosure, Disclosure]]:
    """For each head the giver that shares the most with it: rare words of title, abstract and claim 1 weigh most."""
    bags = {
        id(one): frozenset(content(f"{one.title} {one.abstract} {one.claims[0].text}")) for one in (*heads, *givers)
    }
    held = Counter(word for bag in bags.values() for word in bag)
    weight = {word: log((len(bags) + 1) / times) for word, times in held.items()}
    whole = {key: sum(weight[word] for word in sorted(bag)) for key, bag in bags.items()}
    for head in heads:
        mine = bags[id(head)]
        best: tuple[float, Disclosure] | None = None
        for giver in givers:
            shared = sum(weight[word] for word in mine & bags[id(giver)])
            score = round(shared / (whole[id(head)] + whole[id(giver)] - shared + 1), 9)
            if giver is not head and (best is None or score > best[0]):
                best = score, giver
        if best:
            yield head, best[1]


def shuffled(disclosure: Disclosure, dice: random.Random) -> str:
    """The words of each part in another order; a dependent claim keeps its reference, every claim its form."""
    claims = []
    for claim in disclosure.claims:
        references = find_references(claim.text, claim.number) if claim.depends_on else ()
        end = references[0].end if references else 0
        mixed = _mixed(claim.text[end:].rstrip("."), dice)
        text = f"{claim.text[:end]} {mixed}".strip()
        claims.append(f"{text[:1].upper()}{text[1:]}.")
    return _layout(_mixed(disclosure.title, dice), _mixed(disclosure.abstract, dice), claims)


def _mixed(text: str, dice: random.Random) -> str:
    parts = text.split()
    dice.shuffle(parts)
    return " ".join(parts)


class _Babbler:
    """Word trigrams of titles, abstracts, first claims and dependent claims, each kind by itself.

    References are mended, so that the text is refused for what it says and not for a number.
    """

    def __init__(self, disclosures: Sequence[Disclosure], dice: random.Random) -> None:
        self._dice = dice
        self._title = _trigrams(one.title for one in disclosures)
        self._abstract = _trigrams(one.abstract for one in disclosures)
        self._first = _trigrams(one.claims[0].text for one in disclosures)
        self._dependent = _trigrams(claim.text for one in disclosures for claim in _dependents(one))

    def text(self) -> str:
        claims = [self._babble(self._first)]
        for number in range(2, DEPENDENTS + 2):
            text = self._babble(self._dependent)
            named = {n for reference in find_references(text, number) for n in reference.numbers}
            claims.append(rewrite(text, number, {n: min(n, number - 1) or 1 for n in named}))
        return _layout(self._babble(self._title), self._babble(self._abstract), claims)

    def _babble(self, trigrams: dict[tuple[str, str], list[str]]) -> str:
        state, made = ("", ""), list[str]()
        while len(made) < LONGEST and (word := self._dice.choice(trigrams[state])):
            made.append(word)
            state = (state[1], word)
        return " ".join(made)


def _trigrams(texts: Iterator[str]) -> dict[tuple[str, str], list[str]]:
    """What follows each pair of words; an empty word begins and ends a text."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        state = ("", "")
        for word in (*text.split(), ""):
            found.setdefault(state, []).append(word)
            state = (state[1], word)
    return found


def climb(text: str, judge: Judge) -> str:
    """The gate at which a control ends, or an empty string: parse and check as for a draft, then `judge`."""
    parsed = parse(text, "top-down", "end")
    if isinstance(parsed, Rejected):
        return parsed.gate
    passed = check(parsed.disclosure)
    return judge(passed.disclosure) if isinstance(passed, Passed) else passed.gate


def tally(controls: Iterator[Control], judge: Judge) -> list[Tally]:
    """One row for each set, in the order of SETS; sets without a text are left out."""
    ends = Counter((control.set, climb(control.text, judge)) for control in controls)
    rows = []
    for name in SETS:
        n = sum(times for (which, _), times in ends.items() if which == name)
        left = n
        passed = [left := left - ends[name, gate] for gate in GATES]
        if n:
            rows.append(Tally(name, n, *passed))
    return rows
