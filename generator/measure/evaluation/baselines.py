"""What a multiple-choice result is to be compared with: choices that need no model, and what others have published."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generator.measure.evaluation.choices import Question

_WORD = re.compile(r"[^\W\d_]{2,}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A figure that others state, in per cent; nothing here has measured it."""

    system: str
    accuracy: float
    source: str


_STUDY, _MEMGRAPH = "arXiv 2608.11030, at second hand", "MemGraph (SIGIR 2025), at second hand"
_SYSTEMS = (
    ("MoZi-7B", 25.8, 29.0, _STUDY),
    ("GLM-4-9B", 66.4, 65.0, _STUDY),
    ("Qwen2.5-14B", 63.8, 70.0, _STUDY),
    ("PatentGPT-1.0-Dense-70B", 66.2, 72.0, _STUDY),
    ("GLM-4-9B with MemGraph", 82.8, 80.8, _MEMGRAPH),
)
# By choices.questions_sha256: the 500 questions of MoZIP's PatentMatch, in English and in Chinese.
_ENGLISH = "5d5dc0c76268f29917bb328fb90b85394b2299d8b69d2679b5fa271760eae212"
_CHINESE_ONES = "489ee54b03ef4f62974f0a6fe79b8a05feca55b1423e1076ca4096bb0de120c2"
PUBLISHED = {
    _ENGLISH: tuple(PublishedFigure(name, en, source) for name, en, _, source in _SYSTEMS),
    _CHINESE_ONES: tuple(PublishedFigure(name, zh, source) for name, _, zh, source in _SYSTEMS),
}


def chance(questions: Sequence[Question]) -> float:
    """The expected share of right answers when each is drawn."""
    return math.fsum(1 / len(one.options) for one in questions) / len(questions)


def frequent_letter(questions: Sequence[Question]) -> int:
    """The place that most right answers have; of equals the first."""
    counts = Counter(one.answer for one in questions)
    return min(counts, key=lambda place: (-counts[place], place))


def longest(questions: Sequence[Question]) -> list[int]:
    """For each question its longest option in characters; of equals the first."""
    return [max(range(len(one.options)), key=lambda place: len(one.options[place])) for one in questions]


def nearest(questions: Sequence[Question]) -> list[int]:
    """For each question the option nearest to its text by the cosine of TF-IDF vectors; of equals the first.

    Terms: words of two letters or more in lower case; of mostly Chinese questions all pairs of neighbouring characters.
    Weight of a term that stands n times in a text: (1 + ln n) ln((1 + N) / (1 + d)), where d of all N options have it.
    """
    terms = _terms(questions)
    options = [[Counter(terms(option)) for option in one.options] for one in questions]
    known = Counter(term for group in options for counts in group for term in counts)
    total = sum(map(len, options))

    def weighted(counts: Counter[str]) -> dict[str, float]:
        return {
            term: (1 + math.log(count)) * math.log((1 + total) / (1 + known[term])) for term, count in counts.items()
        }

    chosen = []
    for one, group in zip(questions, options, strict=True):
        text = weighted(Counter(terms(one.text)))
        cosines = [_cosine(text, weighted(counts)) for counts in group]
        chosen.append(cosines.index(max(cosines)))
    return chosen


def _cosine(text: dict[str, float], option: dict[str, float]) -> float:
    """Up to the length of `text`, which is the same for all options of a question."""
    length = math.sqrt(math.fsum(weight * weight for weight in option.values()))
    return math.fsum(weight * option.get(term, 0) for term, weight in text.items()) / length if length else 0.0


def _terms(questions: Sequence[Question]) -> Callable[[str], list[str]]:
    texts = [text for one in questions for text in (one.text, *one.options)]
    chinese, all_letters = (sum(len(kind.findall(text)) for text in texts) for kind in (_CHINESE, _LETTER))
    if 2 * chinese > all_letters:
        return lambda text: [text[place : place + 2] for place in range(len(text) - 1)]
    return lambda text: _WORD.findall(text.lower())
