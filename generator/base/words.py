"""Words of a text: tokens, stems, and which words say nothing of a thing. Every measure of likeness counts these."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# Words of grammar and of claim drafting: they stand in every patent, so sharing them shows nothing.
_COMMON_TEXT = """
a about according also an and any are as at be been being between by can claim claimed claims comprise comprised
comprises comprising disclosed each embodiment embodiments first for from further has have having in include
included includes including into invention is it its least may means method methods more of on one or other
plurality present provided said same second such system that the their then there thereby therein thereof these third
they this those to two upon used using via was were when where wherein whereby which while with within without
"""
COMMON = frozenset(_COMMON_TEXT.split())


def words(text: str) -> list[str]:
    """The words of a text in lower case, in order; "1,2-diol" and "quick-release" are parts joined by hyphens."""
    return _WORD.findall(text.lower())


def placed(text: str) -> list[tuple[str, int, int]]:
    """The words of a text in lower case, each with the places where it starts and ends."""
    return [(match[0].lower(), match.start(), match.end()) for match in _WORD.finditer(text)]


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
