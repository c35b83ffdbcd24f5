"""Damaged claims, for the controls and for the sense gate: real ones with one fault after which they make no sense.

Each function gives the texts of a disclosure's claims with the fault put in by `dice`, or None where it cannot have it.
The training data of preference tuning are damaged elsewhere (train/corruption), and only where a check sees it. Here
no check is asked.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import log

from generator.base.words import COMMON, content, placed
from generator.record.claim_references import rewrite
from generator.record.disclosure import Claim, Disclosure
from generator.record.layouts import write_layout

Damage = Callable[[Disclosure, random.Random], tuple[str, ...] | None]
LOOP = (4, 20)  # words of a span that stands twice
SHORTEST = 12  # words of a claim that can loop or be cut
EVERY = 8  # of so many content words one gets "of the" and itself behind it
CUT = (0.4, 0.85)  # where a cut claim ends
LONGEST_TERM = 3  # words
DEPENDENTS = 7  # of a chimera at most


def loops(disclosure: Disclosure, dice: random.Random) -> tuple[str, ...]:
    """Each claim says a span of itself twice in a row."""
    return tuple(_looped(claim.text, dice) for claim in disclosure.claims)


def _looped(text: str, dice: random.Random) -> str:
    words = text.split(" ")
    if len(words) < SHORTEST:
        return text
    length = dice.randint(LOOP[0], min(LOOP[1], len(words) // 2))
    start = dice.randint(2, len(words) - length - 1)
    end = start + length
    return " ".join((*words[:end], *(word.rstrip(".;,") for word in words[start:end]), *words[end:]))


def self_reference(disclosure: Disclosure, dice: random.Random) -> tuple[str, ...]:
    """Things become things of themselves: "a sensor" becomes "a sensor of the sensor"."""
    return tuple(_of_itself(claim.text, dice) for claim in disclosure.claims)


def _of_itself(text: str, dice: random.Random) -> str:
    things = [(start, end) for word, start, end in placed(text) if word not in COMMON and len(word) > 4]
    for start, end in sorted(dice.sample(things, -(-len(things) // EVERY)), reverse=True):
        text = f"{text[:end]} of the {text[start:end]}{text[end:]}"
    return text


def cut_steps(disclosure: Disclosure, dice: random.Random) -> tuple[str, ...] | None:
    """Every second claim ends in the middle, with a full stop."""
    texts = [claim.text for claim in disclosure.claims]
    for place in range(0, len(texts), 2):
        words = texts[place].split(" ")
        if len(words) > SHORTEST:
            left = words[: round(len(words) * dice.uniform(*CUT))]
            texts[place] = " ".join(left).rstrip(",;:.") + "."
    changed = texts != [claim.text for claim in disclosure.claims]
    return tuple(texts) if changed else None


def swapped_nouns(disclosure: Disclosure, dice: random.Random) -> tuple[str, ...] | None:
    """Two terms of claim 1 are exchanged throughout that claim."""
    first, *rest = (claim.text for claim in disclosure.claims)
    pairs = term_pairs(first)
    return (exchanged(first, *dice.choice(pairs)), *rest) if pairs else None


def term_pairs(text: str) -> list[tuple[str, str]]:
    """Pairs of terms of a claim that share no word, in alphabetical order; a term stands after an article."""
    found = placed(text)
    terms: set[str] = set()
    for place, (word, _, _) in enumerate(found):
        if word in ("a", "an", "the", "said"):
            term: list[str] = []
            for (_, _, end), (following, start, _) in zip(found[place:], found[place + 1 :], strict=False):
                if following in COMMON or text[end:start].strip() or len(term) == LONGEST_TERM:
                    break
                term.append(following)
            terms.add(" ".join(term))
    ordered = sorted(terms - {""})
    return [(a, b) for a in ordered for b in ordered if a < b and not set(a.split()) & set(b.split())]


def exchanged(text: str, one: str, other: str) -> str:
    """`text` with each of two terms where the other stands, in any case of letters."""
    pattern = re.compile(rf"\b(?:{re.escape(one)}|{re.escape(other)})\b", re.IGNORECASE)
    return pattern.sub(lambda match: other if match[0].lower() == one else one, text)


DAMAGES: dict[str, Damage] = {
    "loops": loops,
    "self_reference": self_reference,
    "cut_steps": cut_steps,
    "swapped_nouns": swapped_nouns,
}


def damaged(found: Sequence[Disclosure], kind: str, dice: random.Random) -> list[tuple[Disclosure, tuple[str, ...]]]:
    """Each disclosure that can have the damage, with the texts of its damaged claims."""
    made = ((one, DAMAGES[kind](one, dice)) for one in found)
    return [(one, texts) for one, texts in made if texts is not None]


def chimera(head: Disclosure, giver: Disclosure) -> str:
    """Title, abstract and claim 1 of one disclosure with the dependents of another one's claim 1."""
    claims, new = [head.claims[0].text], {1: 1}
    for claim in dependents(giver):
        new[claim.number] = len(claims) + 1
        claims.append(rewrite(claim.text, claim.number, new))
    return write_layout("top-down", head.title, head.abstract, claims)


def dependents(disclosure: Disclosure) -> list[Claim]:
    """The claims that go back to claim 1 alone, itself not among them."""
    within = {1}
    found: list[Claim] = []
    for claim in disclosure.claims:
        if claim.depends_on and within.issuperset(claim.depends_on) and len(found) < DEPENDENTS:
            within.add(claim.number)
            found.append(claim)
    return found


def most_alike(heads: Sequence[Disclosure], givers: Sequence[Disclosure]) -> Iterator[tuple[Disclosure, Disclosure]]:
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
