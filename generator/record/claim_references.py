"""References from one claim to others ("of claim 1", "any one of claims 1 to 3"): find them, rewrite their numbers.

Source of the forms: 37 CFR 1.75(c) and MPEP 608.01(n), sections I and II; forms of the EPO and of machine
translation. What stands before "claim" tells a reference from other claims ("a patient claims 2 benefits"). Every
pattern is linear in the text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from generator.base.words import DASHES

MOST = 1000  # a range is not expanded beyond this many numbers
OPENING = 400  # characters of a claim that are its opening words at most

_COUNT_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_COUNTS = {word: value for value, word in enumerate(_COUNT_WORDS.split(), 1)}
_SPELLED = "|".join(sorted(_COUNTS, key=len, reverse=True))
_DASH = re.escape(DASHES) + "~～"
_SPAN = rf"[{_DASH}]|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\btill\b"
_EACH = r"\bor\b|\band\b|\bas well as\b|\brespectively\b|\bresp\.|\boptionally\b|\balternatively\b|\beither\b|/|&|\+"
_JOIN = rf"(?:\s?(?:,|{_SPAN}|{_EACH}|\bup\b|\bincluding\b)){{1,5}}\s?"
_UNIT = r"%|percent|wt|weight|parts?\b|mol|ppm|°|mm|cm|nm|[µμ]m|km|kg|mg|g\b|ml|min\b|hours?|sec|degrees|times"
# No decimal number, no percentage, no measure, and no range of them ("and 90-0% by weight").
_END = rf"(?![\d.]\d|\d|\s?(?:(?:[{_DASH}]|to\b)\s?\d{{1,4}}(?:\.\d{{1,4}})?\s?)?(?:{_UNIT}))"
_LETTER = r"(?:\s?\([a-z]{1,3}\)|[a-z]\b)?"
_SIGN = r"(?:\s?(?:nos?\b\.?|numbers?\b|#|№))?"
_CLAIM = rf"claim(?:s|\s?\(s\))?{_SIGN}"
_DIGITS = rf"{_JOIN}(?:{_CLAIM}\s?)?\d{{1,4}}(?![a-z]{{2}}){_END}{_LETTER}"
_BRACKETED = rf"{_JOIN}(?:{_CLAIM}\s?)?\(\d{{1,4}}\)"
_WORDS = rf"{_JOIN}(?:{_CLAIM}\s?)?(?:{_SPELLED})\b{_END}"
_NUMBERED = re.compile(
    rf"\b(claim(?:s|\s?\(s\))?){_SIGN}:?(?:\s(?:from|between))?\s?"
    rf"(\d{{1,4}}(?!\d){_LETTER}(?:{_DIGITS})*|\(\d{{1,4}}\)(?:{_BRACKETED})*"
    rf"|(?<=\s)(?:{_SPELLED})\b(?:{_WORDS})*)",
    re.IGNORECASE,
)
_VALUE = re.compile(rf"\d+|\b(?:{_SPELLED})\b", re.IGNORECASE)
_RANGE = re.compile(_SPAN, re.IGNORECASE)
_CONJUNCTION = re.compile(_EACH, re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\b(?:any|one|either|each)\b[\w\s]{0,30}$", re.IGNORECASE)

_BEFORE = (
    r"preceding|preceeding|previous|foregoing|above(?:[- ]mentioned)?|prior|aforementioned|aforesaid|earlier|former"
    r"|last(?:[- ]mentioned)?"
)
_COUNT = r"(?P<count>two|three|four|five|six|seven|eight|nine|ten|\d{1,2})"
_PRECEDING = re.compile(
    r"\b(?:(?P<any>(?:at least )?(?:any|one|either|each|all|every)\b(?: one\b)?(?: or more)?(?: of)?|an?\b)\s)?"
    rf"(?:(?:the|its|said|these|those)\s){{0,2}}(?:{_COUNT}\s)?(?:(?:immediately|directly|next|just)\s)?"
    rf"(?:(?:{_BEFORE})\s(?:{_COUNT.replace('count', 'counted')}\s)?(?:patent\s)?(?P<claims>claims?)\b"
    r"|(?P<named>claims?)\s(?:immediately |directly )?(?:above|hereinabove|hereinbefore|preceding)\b)"
    rf"(?!{_SIGN}\s?\(?\d)",
    re.IGNORECASE,
)

# What may stand between the word that leads to a reference and "claim".
_FILLING_TEXT = """
the said any one each all every a an at least or more of such its these those both either other same single
preceding preceeding previous foregoing above above-mentioned prior aforementioned aforesaid earlier former present
independent dependent main parent base appended attached accompanying following subsequent original first
method process apparatus product device system composition article machine use patent respective corresponding
two three four five claim claims"""
_FILLING = frozenset(_FILLING_TEXT.split())
_LEADING_TEXT = """
of in by from with under per on for within via than following using see like upon against as
according claimed defined recited described disclosed forth mentioned specified stated outlined"""
_LEADING = frozenset(_LEADING_TEXT.split())
_CLAIMANTS_TEXT = "this can may will must could should would shall not they them him her us we you who i"
_CLAIMANTS = frozenset(_CLAIMANTS_TEXT.split())
_CHOICE_TEXT = "any one either more each"
_CHOICE = frozenset(_CHOICE_TEXT.split())
_JOINING_TEXT = "and or and/or nor plus versus"
_JOINING = frozenset(_JOINING_TEXT.split())
_TOWARDS_TEXT = """
according accordingly pursuant corresponding relative similar analogous analogously identical equal conforming
conformable related relating respect reference regard referring refers refer referred subject due further
responsive addition accordance equivalent akin appended appendant comparable contrast opposed linked as
similarly"""
_TOWARDS = frozenset(_TOWARDS_TEXT.split())
_LEAD = re.compile(r"(?:[^\s()\[\],;:.]+\s){0,9}[^\s()\[\],;:.]*$")
_ELSEWHERE = re.compile(
    r"\s(?:of|in|from)\s(?:(?!present|instant|this)[\w.]+\s){0,4}[Pp]at(?:ents?|\.)"
    r"(?:\s(?:[Nn]os?\b|[Nn]umbers?|applications?|documents?|publications?|specifications?)|\s[A-Z\d]|[.,;)]|$)"
)
_BODY = re.compile(
    r"[;:]|,\s(?:wherein|whereby|where|in which|such that|characteri[sz]ed|the improvement)\b", re.IGNORECASE
)

_LANGUAGES = {
    "German": r"\b(?:Patent|Unter|Haupt|Neben)?Anspr(?:uch|üche?n?|ueche?n?)(?:s|es)?\b",
    "French": r"\brevendications?\b",
    "Spanish": r"\breivindicaci(?:ón|on|ones)\b",
    "Portuguese": r"\breivindica(?:ção|ções|cao|coes)\b",
    "Italian": r"\brivendicazion[ei]\b",
    "Dutch": r"\b(?:volgens|in) (?:een (?:of meer )?(?:van|der) )?(?:de )?(?:voorgaande )?conclusies?\b",
    "Swedish, Danish or Norwegian": r"\bpatentkrav(?:et|ene|en)?\b|\b(?:enligt|ifølge|ifolge|i henhold til) krav\b",
    "Polish": r"\bwed[łl]ug zastrz",
    "Russian": r"\bпо (?:любому из )?(?:п\.|пп\.|пункт)",
    "Chinese": r"[权權]利要求",
    "Japanese": r"請求項",
    "Korean": r"청구항|제\s?\d+\s?항",
}
_LANGUAGE = re.compile("|".join(f"({form})" for form in _LANGUAGES.values()), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: where it stands in the text, the claims it names (ascending), whether in the alternative.

    `preceding` marks a reference without a number: "any preceding claim" names all below the claim's own, "the
    preceding claim" the one before it. `opening`: it stands in the claim's opening words, so the claim depends on what
    it names; the others are mentions in its body ("; and the pump of claim 1").
    """

    start: int
    end: int
    numbers: tuple[int, ...]
    alternative: bool
    preceding: bool = False
    opening: bool = True


def find_references(text: str, number: int) -> tuple[Reference, ...]:
    """All references in the text of claim `number`, in the order of the text. White space must be single spaces."""
    if "claim" not in text.lower():
        return ()
    found: list[Reference] = []
    body = _BODY.search(text)
    opening = min(body.start() if body else len(text), OPENING)
    for match in _NUMBERED.finditer(text):
        length, numbers, alternative, several = _listed(match[1], match[2], text[match.end() :])
        end = match.start(2) + length
        plural = match[1].lower() != "claim"
        ended = _CLAUSE_ENDS.match(text, end) is not None
        led = _is_led(text, match.start(), plural=plural, several=several, second=bool(found), ended=ended)
        if not led or _ELSEWHERE.match(text, end):
            continue
        before = text[max(0, match.start() - 60) : match.start()]
        alternative = alternative or len(numbers) == 1 or _ALTERNATIVE.search(before) is not None
        found.append(Reference(match.start(2), end, numbers, alternative, opening=match.start() <= opening))
    for match in _PRECEDING.finditer(text):
        led = _is_led(text, match.start(), plural=True, several=True, second=bool(found), ended=False)
        if led and not _ELSEWHERE.match(text, match.end()):
            numbers, alternative = _before(match, number)
            opens = match.start() <= opening
            found.append(Reference(match.start(), match.end(), numbers, alternative, preceding=True, opening=opens))
    return tuple(sorted(found, key=lambda reference: reference.start))


def depends_on(text: str, number: int) -> tuple[int, ...]:
    """The claims that the opening words of claim `number` name, ascending, each once; also such as cannot be right."""
    return tuple(sorted({n for one in find_references(text, number) if one.opening for n in one.numbers}))


def rewrite(text: str, number: int, new: Mapping[int, int]) -> str:
    """The text with each claim number `n` that it refers to written as `new[n]`; numbers not in `new` stay.

    "The preceding claim" becomes a number where the claim before is no longer the one that was meant.
    """
    pieces, last = [], 0
    for reference in find_references(text, number):
        inside = text[reference.start : reference.end]
        if reference.preceding:
            written = _before_renamed(inside, reference, number, new)
        else:
            written = _VALUE.sub(lambda m: str(new.get(_value(m[0]), m[0])), inside)
        pieces += [text[last : reference.start], written]
        last = reference.end
    return "".join((*pieces, text[last:]))


def follow(text: str, number: int, new: Mapping[int, int]) -> str | None:
    """As `rewrite`, where claims that are not in `new` are gone: they leave the lists that name them.

    None for a text with a reference of which nothing is left.
    """
    pieces, last = [], 0
    for reference in find_references(text, number):
        kept = sorted({new[n] for n in reference.numbers if n in new})
        if not kept and (reference.numbers or number > 1):
            return None
        inside = text[reference.start : reference.end]
        if reference.preceding:
            written = _before_renamed(inside, reference, number, new)
        else:
            written = _VALUE.sub(lambda m: str(new.get(_value(m[0]), m[0])), inside)
            plural = len(kept) > 1 or written != inside
            if tuple(kept) != _listed("claims" if plural else "claim", written, "")[1]:
                written = _written(kept, "or" if reference.alternative else "and")
        pieces += [text[last : reference.start], written]
        last = reference.end
    return "".join((*pieces, text[last:]))


def other_language(text: str) -> str:
    """The language, in English, in which a claim refers to another one; empty for English and for no reference."""
    found = _LANGUAGE.search(text)
    return list(_LANGUAGES)[(found.lastindex or 1) - 1] if found else ""


def _value(text: str) -> int:
    return int(text) if text.isdecimal() else _COUNTS[text.lower()]


def _is_led(text: str, start: int, *, plural: bool, several: bool, second: bool, ended: bool) -> bool:
    """Whether the words before "claim" at `start` lead to a reference. `plural`: it is "claims"; `several`: more than
    one number follows; `second`: a reference stands before it; `ended`: a clause ends behind the numbers.
    """
    found = _LEAD.search(text, max(0, start - 120), start)
    lead = found[0].lower().split() if found else []
    filled = len(lead)
    while filled and lead[filled - 1] in _FILLING and not (lead[filled - 1] == "of" and filled == len(lead)):
        filled -= 1
    fillers, word = lead[filled:], lead[filled - 1] if filled else ""
    verb = plural and not several  # "claims 2" may be a verb and its object
    if "patent" in fillers and "of" in fillers and not _CHOICE.intersection(fillers):
        return not plural
    if word in _LEADING or "of" in fillers:
        return True
    if not word:
        return not verb  # the text, a clause or a bracket begins here
    if word in _JOINING:
        return second and not verb
    if word == "to":
        before = lead[filled - 2].rpartition("-")[2] if filled > 1 else ""
        return before in _TOWARDS or before.isdecimal()
    # A word is missing before a number ("The valve claim 1, wherein"), or somebody claims something.
    return not plural and word not in _CLAIMANTS and ended


def _before(match: re.Match[str], number: int) -> tuple[tuple[int, ...], bool]:
    """The claims that a reference without a number names, and whether in the alternative."""
    one = (match["claims"] or match["named"]).lower() == "claim"
    every = (match["any"] or "").lower()
    count = match["count"] or match["counted"]
    if count:
        first = number - (int(count) if count.isdecimal() else _COUNTS[count.lower()])
    elif one and not every:
        first = number - 1
    else:
        first = 1
    alternative = one or re.match(r"(?:at least )?(?:any|one|either)|an?\b", every) is not None
    return tuple(range(max(1, first), min(number, MOST + 1) if first == 1 else number)), alternative


def _before_renamed(inside: str, reference: Reference, number: int, new: Mapping[int, int]) -> str:
    """`inside`, or the numbers that it names where place alone would now name others."""
    kept = [new[n] for n in reference.numbers if n in new]
    own = new.get(number)
    if own is None or not kept or reference.numbers[0] == 1 or kept == list(range(kept[0], own)):
        return inside
    word = "claim" if len(kept) == 1 else "any one of claims" if reference.alternative else "claims"
    return f"{word} {_written(kept, 'or' if reference.alternative else 'and')}"


def _written(numbers: list[int], word: str) -> str:
    """`1, 2 or 5`."""
    *others, last = map(str, numbers)
    return f"{', '.join(others)} {word} {last}" if others else last


def _listed(word: str, inside: str, after: str) -> tuple[int, tuple[int, ...], bool, bool]:
    """Length of the list in `inside`, its numbers, whether "or" joins them, whether there are several."""
    matches = list(_VALUE.finditer(inside))
    joins = [inside[a.end() : b.start()] for a, b in pairwise(matches)]
    commas = joins and not any(_CONJUNCTION.search(j) or _RANGE.search(j) for j in joins)
    if word.lower() == "claim" and commas and not _CLAUSE_ENDS.match(after):
        matches, joins = matches[:1], []  # "of claim 1, 3 parts by weight": the comma ends the reference
    whole = len(inside) if len(matches) > 1 or not commas else matches[0].end()
    numbers = {_value(matches[0][0])}
    for join, one, other in zip(joins, matches, matches[1:], strict=False):
        low, high = _value(one[0]), _value(other[0])
        if _RANGE.search(join) and low < high:
            numbers.update(range(low, min(high, low + MOST)))
        numbers.add(high)
    alternative = any(re.search(r"\bor\b", j, re.IGNORECASE) for j in joins)
    return whole, tuple(sorted(numbers)), alternative, len(matches) > 1


_CLAUSE_ENDS = re.compile(
    r"\s?(?:$|[.,;:)\]]|(?:wherein|whereby|where|which|in which|characteri[sz]ed|comprising|further|including|having"
    r"|when|that|taken)\b)",
    re.IGNORECASE,
)
