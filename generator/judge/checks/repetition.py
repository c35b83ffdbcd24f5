"""Repetition among the claims and the faults that language models are known for."""

import re
from collections import Counter
from collections.abc import Collection

from generator.base.words import COMMON
from generator.judge.checks.chains import Chain, chains
from generator.judge.checks.form import TRANSITION
from generator.record.disclosure import Disclosure, Finding

NEAR = 0.9  # Jaccard similarity of the word sets of two claims with the same parents
# In a row: one word four times, a number or a symbol six times, a phrase of 2 to 40 words three times, one with four
# whole words twice.
LOOP_WORDS, LOOP_SINGLE, LOOP_SYMBOL, LOOP_SHORT, LOOP_LONG, LONG = 40, 4, 6, 3, 2, 4
SYMBOL = 3  # letters of a symbol ("Arg") at most
_PART = re.compile(r"[^\W_]+")  # "2D-3D-2D-3D" is a loop too
_RESUMED = re.compile(r"[,;:]\s*(?:the|said|each)\b", re.IGNORECASE)  # "a door in the frame, the frame being of steel"
_LAYOUT = re.compile(r"<\|[a-z_]{1,20}\|>|(?:^|\s)#{1,6} (?:Patent|Title|Abstract|Claims|Description|Background)\b|�")


def c10_duplicates(disclosure: Disclosure) -> tuple[Finding, ...]:
    """No claim repeats another (fail); near repeats and dependents that add nothing are warned of.

    Source: 37 CFR 1.75(b) (claims differ substantially), 35 U.S.C. 112(d) (a dependent claim limits further).
    """
    found: list[Finding] = []
    seen: dict[tuple[str, ...], int] = {}
    groups: dict[tuple[int, ...], list[tuple[int, frozenset[str]]]] = {}
    read = chains(disclosure.claims)
    texts = {chain.claim.number: " ".join(chain.words) for chain in read}
    for chain in read:
        number = chain.claim.number
        if (first := seen.setdefault(chain.words, number)) != number:
            found.append(Finding("C10", "fail", number, f"The claim repeats claim {first}."))
            continue
        bag = frozenset(chain.words)
        group = groups.setdefault(chain.claim.depends_on, [])
        if (near := _near(bag, group)) is not None:
            found.append(Finding("C10", "warn", number, f"The claim hardly differs from claim {near}."))
        group.append((number, bag))
        if _adds_nothing(chain, texts):
            found.append(Finding("C10", "warn", number, "The claim adds nothing to the claim it refers to."))
    return tuple(found)


def _near(bag: frozenset[str], others: list[tuple[int, frozenset[str]]]) -> int | None:
    for number, other in others:
        low, high = sorted((len(bag), len(other)))
        # The sizes alone bound the similarity, which spares most intersections.
        if low >= NEAR * high and (common := len(bag & other)) >= NEAR * (low + high - common):
            return number
    return None


def _adds_nothing(chain: Chain, texts: dict[int, str]) -> bool:
    if len(chain.references) != 1 or TRANSITION.search(chain.claim.text, 0, chain.references[0].start):
        return False  # "A kit comprising the enzyme of claim 1." puts what it adds before the reference
    end = chain.references[0].end
    behind = [word for word, (start, _) in zip(chain.words, chain.places, strict=True) if start >= end]
    added = re.sub(r"^(?:wherein|in which|where|and|further) ", "", " ".join(behind))
    return any(added in texts.get(parent, "") for parent in chain.references[0].numbers if parent != chain.claim.number)


def c11_generation_faults(disclosure: Disclosure) -> tuple[Finding, ...]:
    """No loops, no tokens of the layout inside a text. Source: faults that language models are known for.

    A loop in a row: one word four times, a number or a symbol six times, a phrase of 2 to 40 words three times, one
    with four whole words twice. A term that a comma resumes ("the frame, the frame being") is none.
    """
    parts = [("title", None, disclosure.title), ("abstract", None, disclosure.abstract)]
    found = []
    for name, number, text in (*parts, *(("claim", c.number, c.text) for c in disclosure.claims)):
        if _LAYOUT.search(text):
            found.append(
                Finding("C11", "fail", number, f"The {name} holds a token of the layout or a broken character.")
            )
        if loop := looping(text):
            found.append(Finding("C11", "fail", number, f"The {name} repeats {loop[:60]!r} over and over."))
    return tuple(found)


def looping(text: str) -> str:
    """The first loop of a text, in lower case, or an empty string."""
    text = text.lower()
    resumed = {match.end() for match in _RESUMED.finditer(text)}
    parts = list(_PART.finditer(text))
    return find_loop([part[0] for part in parts], {place for place, part in enumerate(parts) if part.end() in resumed})


def find_loop(tokens: list[str], resumed: Collection[int] = ()) -> str:
    """The first phrase that is repeated in a row too often, or an empty string.

    `resumed`: places of tokens where a term may be said again, once.

    Every word of a loop stands at least LOOP_LONG times in the text, so only stretches of such words are searched.
    """
    times = Counter(tokens)
    begin = 0
    for end, token in enumerate((*tokens, "")):
        if times[token] < LOOP_LONG:
            if end - begin >= LOOP_SINGLE:
                again = {place - begin for place in resumed if begin <= place < end}
                if loop := _first_loop(tokens[begin:end], again):
                    return loop
            begin = end + 1
    return ""


def _first_loop(tokens: list[str], resumed: Collection[int]) -> str:
    """Time: the words times those of the LOOP_WORDS before each that are equal to it."""
    last: dict[str, list[int]] = {}
    runs: dict[int, int] = {}  # for each width: how many words in a row equal the word that many places before
    for index, token in enumerate(tokens):
        places = last.setdefault(token, [])
        if places and places[0] < index - LOOP_WORDS:
            places[:] = [place for place in places if place >= index - LOOP_WORDS]
        runs = {index - place: runs.get(index - place, 0) + 1 for place in places}
        for width, run in runs.items():
            if run >= width * (LOOP_LONG - 1):
                phrase = tokens[index - width + 1 : index + 1]
                if run >= width * (_least_times(phrase, index - width + 1 in resumed) - 1):
                    return " ".join(phrase)
        places.append(index)
    return ""


def _least_times(phrase: list[str], resumed: bool) -> int:
    """How often in a row makes a phrase a loop. Names of chemicals, values and sequences repeat in real patents."""
    if len(phrase) == 1:
        symbol = phrase[0].isdigit() or (len(phrase[0]) <= SYMBOL and phrase[0] not in COMMON)
        return LOOP_SYMBOL if symbol else LOOP_SINGLE
    words = sum(len(token) > 1 and token.isalpha() for token in phrase)
    figures = any(token[0].isdigit() for token in phrase)
    return LOOP_LONG if words >= LONG and not figures and not resumed else LOOP_SHORT
