"""Claims as offices and data sets print them, as claims numbered by their place: the one cleaner of every reader.

Numbers and status words go; what is no claim ("1.-3. (canceled)") is left out and counted by reason; references follow.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator.corpus.patent_text import LOST
from generator.record.claim_references import find_references, follow, other_language
from generator.record.judgement import MISSING

DANGLING = "refers to no claim that is there"
NO_TEXT = "without a text"
GONE = "(deleted)"  # what a reader gives for a claim that a reissue deletes whole

_DASH = "-‐‑‒–—―−~"
_ONE = r"(?:claims?\s)?\d{1,4}\s?[.)]?"
_ANOTHER = rf"\s?(?:[{_DASH},;&]|to\b|through\b|thru\b|and\b|or\b)\s?{_ONE}"
_RANGE = rf"{_ONE}(?:{_ANOTHER}){{0,60}}"
_WHEN = r"(?:(?:previously|presently|currently|hereby|now|already|all|newly|been|has|have|having)[\s-])*"
_GONE = (
    r"(?P<gone>cancel(?:l?ed|l?ation)?\b|deleted|not[\s-]entered|withdrawn|omitted|abandoned|disclaimed|void|reserved"
    r"|no[nt][\s-]?elected|(?:intentionally )?left blank)"
)
_WHY = (
    r"(?:\s(?:without prejudice(?: or disclaimer)?|herein|herewith|previously|from consideration"
    r"|in (?:its|their) entirety"
    r"|in favou?r of (?:new )?claims? [\d\s,-]{1,20}"
    r"|(?:by|in|with|per|due to|pursuant to|in response to) [\w\s'’,-]{1,60}))?"
)
_IS = r"(?:(?:is|are|was|were|has been|have been|being|stands?|to be)\s)?"
_NOTICE = re.compile(
    rf"(?:{_RANGE}\s?[.:,]?\s?)?[(\[{{]*\s?(?:(?:this|the|these|said)\s)?(?:{_RANGE}\s?|claims?\s)?{_IS}{_WHEN}{_GONE}"
    rf"{_WHY}\s?[)\]}}]*\s?[.;,]?",
    re.IGNORECASE,
)
_ONLY_RANGE = re.compile(rf"(?:{_RANGE}\s?[.;,]?)", re.IGNORECASE)
# A notice, and behind it a claim that the same text prints: "1.-3. (canceled) 4. A kettle".
_BEFORE = re.compile(
    rf"{_RANGE}\s?(?P<open>[(\[])?\s?{_WHEN}{_GONE}{_WHY}\s?(?(open)[)\]]\s?[.;,]?|[.;])\s"
    rf"(?=(?:{_RANGE}\s?[(\[]|\d{{1,4}}\s?[.)]\s))",
    re.IGNORECASE,
)
_APART = r"withdrawn|no[nt][\s-]?elected"  # what has such a word and a text is a claim still
_WITH_TEXT = re.compile(rf"[(\[]\s?{_WHEN}(?!{_APART}){_GONE}{_WHY}\s?[)\]]\s?[.:,]?\s?(?=\S)", re.IGNORECASE)
_KNOWN = rf"original|amended|presented|new|added|{_APART}|unchanged|re-?presented|pending|allowed|rejoined|reinstated"
_STATUS = re.compile(
    rf"[(\[]\s?(?:(?:once|twice|thrice|(?:two|three|four|five) times|currently|previously|presently|newly|further|as"
    rf"|{_KNOWN}|and|in part|by examiner|examiner|formerly(?: (?:in)?dependent)? claim #?\d{{1,4}}|(?<=original )claim)"
    rf"[{_DASH}\s,;/]{{0,3}}){{0,8}}"
    rf"(?<=[a-z0-9])\s?[)\]]\s?[{_DASH}.:,]{{0,2}}\s?",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(\d{1,4})\s?(?:\.\)|[.)])(?=[\sA-Z(\[\"“‘'«]|$)\s?|claim\s(\d{1,4})\s?(?:[.:)]\s?|(?=[(\[]))", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"(?:[Cc]laim\s|CLAIM\s)?[(\[]?(\d{{1,4}})(?:[)\]]\s?[{_DASH}:]?|\s?[{_DASH}:](?=\s)|(?=\s[A-Z]))\s?"
)
_HEADING = re.compile(
    r"(?:what (?:is|we|i|are)(?: hereby)? claim(?:ed)?(?: is| are)?|(?:i|we) claim"
    r"|(?:the )?claims?(?: defining the invention are as follows)?"
    r"|it is claimed)\s?(?::\s|[.-]?\s(?=1\s?[.)]\s))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"#{2}[A-Za-z]{2,6}-?\d{1,6}(?:[.-]\d{1,4})?#{2}")


@dataclass(frozen=True, slots=True)
class Claims:
    """Texts by place. `left_out` counts what was printed among them and is none of them, by reason; `incomplete` are
    the places of claims that lost a formula or an image: MISSING stands there.
    """

    texts: tuple[str, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    incomplete: tuple[int, ...] = ()


def claim_texts(printed: Iterable[str]) -> Claims:
    """The claims that are printed. White space must be single; LOST stands for what a reader could not keep.

    Where a claim moves to another place, references to it ("of claim 21") name its place. A claim that refers only to
    what is not there is left out, too.
    """
    left_out: Counter[str] = Counter()
    kept = list(_bodies(_unnumbered([_PLACEHOLDER.sub(LOST, text) for text in printed]), left_out))
    languages = Counter(filter(None, (other_language(text) for _, text in kept)))
    if languages and not any(find_references(text, number) for number, text in kept):
        left_out[f"in {languages.most_common(1)[0][0]}"] += len(kept)
        kept = []
    there = _connected(kept, left_out)
    new = {number: place for place, number in enumerate((number for number, _ in there), 1)}
    texts = [follow(text, number, new) or text for number, text in there]
    shown = tuple(_shown(text) if LOST in text else text for text in texts)
    lost = tuple(place for place, text in enumerate(shown, 1) if MISSING in text)
    return Claims(shown, tuple(sorted(left_out.items())), lost)


def _shown(text: str) -> str:
    """With `[...]` for what was lost, as every reader of the claim sees it: in a chart, too."""
    text = " ".join(text.replace(LOST, f" {MISSING} ").split())
    return re.sub(r"(\[\.\.\.\]) (?=[,.;:)])", r"\1", text)


def without(texts: Sequence[str], places: Iterable[int]) -> tuple[str, ...]:
    """Claims without those at `places` and all that refer to nothing else; references follow."""
    gone = set(places)
    left = [(place, text) for place, text in enumerate(texts, 1) if place not in gone]
    there = _connected(left, Counter())
    new = {number: place for place, number in enumerate((number for number, _ in there), 1)}
    return tuple(follow(text, number, new) or text for number, text in there)


def _unnumbered(texts: list[str]) -> list[tuple[int, str]]:
    """Each text without numbers and status words, and the number that it had, or 0."""
    found, expected = [], 1
    counted = len(texts) > 1
    for text in texts:  # "1 A widget", "[2] The widget": numbers where every text has the one that comes next
        match = _COUNTED.match(text)
        counted = counted and match is not None and int(match[1]) == expected
        expected += 1
    for text in texts:
        number = 0
        text = _HEADING.sub("", text, count=1) if _HEADING.match(text) else text
        if counted and (match := _COUNTED.match(text)):
            number, text = int(match[1]), text[match.end() :]
        found.append((number, text))
    return found


def _bodies(texts: list[tuple[int, str]], left_out: Counter[str]) -> Iterator[tuple[int, str]]:
    """Number and text of what is a claim; numbers ascend, and a number that is printed twice is the first one's."""
    last, seen = 0, set[int]()
    for given, text in texts:
        while before := _BEFORE.match(text):
            numbers = _numbers(before[0])
            left_out[_reason(before)] += len(numbers)
            last, text = max(last, *numbers), text[before.end() :]
        number, body = given, text
        if not _notice(text):
            number, body = _stripped(text, given)
        notice = _notice(body) or _notice(text)
        if notice:
            numbers = _numbers(notice) or {number or last + 1}
            left_out[_reason_of(notice)] += len(numbers)
            last = max(last, *numbers)
            continue
        last = number = number if number and number not in seen else last + 1
        seen.add(number)
        if not body.replace(LOST, "").replace(MISSING, "").strip(" .,;"):
            left_out[NO_TEXT] += 1
        elif gone := _WITH_TEXT.match(body):
            left_out[_reason(gone)] += 1
        else:
            yield number, body


def _stripped(text: str, number: int) -> tuple[int, str]:
    """Without numbers and status words in front, as often as they are printed; the first number."""
    while True:
        if match := _NUMBER.match(text):
            number = number or int(match[1] or match[2])
        else:
            match = _STATUS.match(text)
        if not match or not match.end():
            return number, text
        text = text[match.end() :]


def _notice(text: str) -> str:
    """What says that a claim, or a range of them, is none; empty for a claim."""
    several = _ONLY_RANGE.fullmatch(text) and len(re.findall(r"\d+", text)) > 1
    return text if several or _NOTICE.fullmatch(text) else ""


def _reason_of(notice: str) -> str:
    found = _NOTICE.fullmatch(notice)
    return _reason(found) if found else "cancelled"  # "1. - 20." alone


def _reason(found: re.Match[str]) -> str:
    word = found["gone"].lower().replace("-", " ")
    for ending, reason in (("elected", "not elected"), ("blank", "left blank")):
        word = reason if word.endswith(ending) else word
    return "cancelled" if word.startswith("cancel") else word


def _numbers(notice: str) -> set[int]:
    """The claims that a notice names, ranges expanded."""
    head = re.split(
        r"[(\[{]|\b(?:is|are|was|were|ha[sv]e?|cancel|delet|withdr)", notice, maxsplit=1, flags=re.IGNORECASE
    )[0]
    found: set[int] = set()
    last, end = 0, 0
    for match in re.finditer(r"\d+", head):
        number = int(match[0])
        joined = last and re.search(rf"[{_DASH}]|\bto\b|\bthrough\b|\bthru\b", head[end : match.start()])
        found.update(range(last, number + 1) if joined and last < number else (number,))
        last, end = number, match.end()
    return found


def _connected(claims: list[tuple[int, str]], left_out: Counter[str]) -> list[tuple[int, str]]:
    """Without claims that refer to nothing that is there; what they leave behind is asked again."""
    named = {number: [one.numbers for one in find_references(text, number) if one.numbers] for number, text in claims}
    while True:
        there = {number for number, _ in claims}
        left = [one for one in claims if all(there.intersection(numbers) for numbers in named[one[0]])]
        if len(left) == len(claims):
            return claims
        left_out[DANGLING] += len(claims) - len(left)
        claims = left
