"""Words of a text: one spelling for each, stems, and which words say nothing of a thing.

Copies, search, claim references, the checks and the claim chart all read words by these rules. The search page has the
same ones in site_templates/assets/search-words.js; its table, search-folds.js, is written by `folds_script`.
"""

import hashlib
import re
import unicodedata
from functools import cache, lru_cache
from itertools import accumulate

DASHES = (  # all of the category Pd, the minus sign and the hyphen bullet
    "-\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e17"
    "\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead"
)
_APOSTROPHES = "`\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u00b4\u2032\u2035\uff07"
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# What the compatibility forms of Unicode (NFKD) leave apart, though readers and typists take one for the other.
FOLDS = {
    **dict.fromkeys(DASHES, "-"),
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys(_INVISIBLE + _DIRECTIONS, ""),
    **dict.fromkeys("™℠", " "),
    **dict(zip("ßẞæœøłđðþıς", ("ss", "ss", "ae", "oe", "o", "l", "d", "d", "th", "i", "σ"), strict=True)),
}
_SIGNS = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # of Chinese and Japanese: a word each
_LETTERS = rf"[^\W_{_SIGNS}]+"
_WORD = re.compile(rf"[{_SIGNS}](?<![\W_])|{_LETTERS}")
_OWNER = re.compile(r"'(?:s(?![^\W_]))?")  # an apostrophe, and the ending of an owner
_COMPOUND = re.compile(rf"[{_SIGNS}](?<![\W_])|{_LETTERS}(?:[-']{_LETTERS})*")
# Words of grammar and of claim drafting: they stand in every patent, so sharing them shows nothing.
_COMMON_TEXT = """
a about according also an and any are as at be been being between by can claim claimed claims comprise comprised
comprises comprising disclosed each embodiment embodiments first for from further has have having in include
included includes including into invention is it its least may means method methods more of on one or other
plurality present provided said same second such system that the their then there thereby therein thereof these third
they this those to two upon used using via was were when where wherein whereby which while with within without
"""
COMMON = frozenset(_COMMON_TEXT.split())


class _Table(dict[int, str]):
    """For `str.translate`: the fold of each character, found when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(character: str) -> str:
    if character in FOLDS:
        return FOLDS[character]
    plain = unicodedata.normalize("NFKD", character).lower()
    kept = (one for one in plain if unicodedata.category(one)[0] != "M")
    return "".join(FOLDS.get(one, one) for one in kept)


_TABLE = _Table()


def fold(text: str) -> str:
    """The text in one spelling: lower case without accents, compatibility forms written out (ligatures, sub- and
    superscripts, the micro sign as Greek mu), one hyphen for all dashes, one apostrophe, nothing invisible."""
    return text.lower() if text.isascii() and "`" not in text else text.translate(_TABLE)


def words(text: str) -> list[str]:
    """The folded words of a text, in order: of "snap‑fit" its parts, of "the user’s" the owner without the ending.

    In Chinese and Japanese each sign is one.
    """
    return _WORD.findall(_OWNER.sub("", fold(text)))


def placed(text: str) -> list[tuple[str, int, int]]:
    """The folded words of a text as they are written, "quick-release" and "user's" whole, each with the places in
    `text` where it starts and ends."""
    folded = fold(text)
    found = ((match[0], match.start(), match.end()) for match in _COMPOUND.finditer(folded))
    if text.isascii():
        return list(found)
    ends = list(accumulate(len(fold(character)) for character in text))
    origin = [place for place, end in enumerate(ends) for _ in range(end - (ends[place - 1] if place else 0))]
    return [(word, origin[start], origin[end - 1] + 1) for word, start, end in found]


def stem(word: str) -> str:
    """A lower-case English word without its plural ending. Source: Harman 1991, "How effective is suffixing?"."""
    return _remembered(word) if len(word) <= 40 else _single(word)  # hostile words would fill the memory


def _single(word: str) -> str:
    if len(word) > 4 and word.endswith("ies") and word[-4] not in "ae":
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and word[-2] not in "us":
        return word[:-1]
    return word


_remembered = lru_cache(maxsize=1 << 14)(_single)


def content(text: str) -> list[str]:
    """Stems of the words that say something, in order."""
    return [stem(word) for word in words(text) if word not in COMMON and not word.isdigit()]


@cache
def spelling() -> str:
    """A digest of these rules: what was stored under others cannot be compared, and is refused or made anew.

    Of characters that are as old as Unicode 3.2, so that it is the same whatever Unicode the running Python knows.
    """
    old = (chr(code) for code in range(0x3100) if unicodedata.ucd_3_2_0.category(chr(code)) != "Cn")
    sample = "The users’ snap‑fit, 5 µm of H₂O; 1,2-diol, CO₂ and the body’s ﬂow at 10,000 Ω: boxes, branches."
    parts = (*map(fold, old), *sorted(FOLDS.items()), words(sample), content(sample))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def folds_script() -> str:
    """The table of folds as a JavaScript module, one character a line, in the order of their numbers."""
    lines = [f'  "\\u{{{ord(one):04x}}}": "{FOLDS[one]}",' for one in sorted(FOLDS)]
    told = "// Written by generator/base/words.py (folds_script); a test compares."
    return "\n".join([told, "export const FOLDS = {", *lines, "};", ""])
