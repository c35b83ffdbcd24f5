"""IPQuiz of MoZIP (Ni et al. 2024) from the user's own copy: the files of BNNT/IPQuiz on the hub, and likely exports.

Its loading script has a question as `problem`, `candidates` (an object from A, B and so on) and `answer`. Copies under
other usual names are read, too, where nothing has to be guessed; everything else is an error with its line.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from generator.base import files
from generator.base.errors import CorpusError
from generator.measure.evaluation.choices import LETTERS, Question, read_questions

HINT = (
    "A question has `problem` or `question`; `candidates`, `options` or `choices`, or members A, B and so on; and "
    "`answer` or `label`. docs/evaluation.md shows one."
)
IPQUIZ = "ipquiz"
_NAMES = {
    "question": ("problem", "question"),
    "options": ("candidates", "options", "choices"),
    "answer": ("answer", "label"),
}
_BETWEEN = re.compile(r"[\s,]*")
_MARK = r"\s*[(（]?{}[.:)：、．）]\s*"


@dataclass(frozen=True, slots=True)
class _Item:
    """`keys`: what the options are called, letters where the file says nothing. `answer`: as the file has it."""

    line: int
    question: str
    keys: tuple[str, ...]
    options: tuple[str, ...]
    answer: str | int


def questions_of(path: Path, task: str) -> tuple[Question, ...]:
    """All questions of a file of the form `task`: IPQUIZ or a key of `choices.FORMS`. Raises CorpusError."""
    return read_ipquiz(path) if task == IPQUIZ else read_questions(path, task)


def read_ipquiz(path: Path) -> tuple[Question, ...]:
    """All questions of a file: JSON lines, or one JSON array. Raises CorpusError with file and line.

    Numbers as answers count from 0 or from 1; the file must show which: by an answer 0, or by one that is the number of
    its options.
    """
    try:
        text = files.read(path, "a file of questions").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 at byte {error.start}", hint="Convert the file to UTF-8.") from error
    items, questions, line = [], [], 1
    try:
        for line, value in _values(text):
            items.append(_item(line, value))
        first = _first(items)
        for item in items:
            line = item.line
            questions.append(Question("", item.question, item.options, _place(item, first)))
    except _Unreadable as error:
        raise CorpusError(f"{path}:{error.line or line}: {error}", hint=HINT) from error
    if not questions:
        raise CorpusError(f"{path}: holds no question", hint=HINT)
    return tuple(questions)


class _Unreadable(ValueError):
    """`line` is 0 where the reader of the file knows it."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Every value of a stream of JSON, or of the array that it is, with its line."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    place = len(text) - len(text.lstrip())
    array = text.startswith("[", place)
    place += array
    line, counted = 1, 0
    while True:
        place = _after(text, place)
        if place == len(text) or (array and text[place] == "]"):
            break
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise _Unreadable(f"not JSON: {error.msg}", error.lineno) from error
        except (_Unreadable, RecursionError) as error:
            raise _Unreadable(str(error), line) from error
        yield line, value
    if array and text[place:].strip() != "]":
        raise _Unreadable("the array does not end where the file ends", text.count("\n") + 1)


def _after(text: str, place: int) -> int:
    between = _BETWEEN.match(text, place)
    return between.end() if between else place


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Unreadable(f"a member stands twice among {', '.join(repr(name) for name, _ in pairs)[:200]}")
    return found


def _item(line: int, value: Any) -> _Item:
    if not isinstance(value, dict):
        raise _Unreadable("a JSON object is expected")
    members = {name.strip().lower(): found for name, found in value.items()}
    if len(members) < len(value):
        _wrong("two members differ by capitals alone", value)
    question = _member(members, "question", value)
    if not isinstance(question, str) or not question.strip():
        _wrong("the question is no text", value)
    letters = [letter for letter in LETTERS if letter.lower() in members]
    if letters and not any(name in members for name in _NAMES["options"]):
        options = {letter: members[letter.lower()] for letter in letters}
    else:
        options = _named(_member(members, "options", value), value)
    answer = _member(members, "answer", value)
    if isinstance(answer, bool) or not isinstance(answer, str | int):
        _wrong("the answer is neither a text nor a number", value)
    texts = _texts(options, value)
    return _Item(line, question.strip(), tuple(texts), _unmarked(tuple(texts.values())), answer)


def _member(members: dict[str, Any], what: str, value: dict[str, Any]) -> Any:
    found = [name for name in _NAMES[what] if name in members]
    if len(found) != 1:
        _wrong(f"{'two members' if found else 'no member'} for the {what}", value)
    return members[found[0]]


def _named(options: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Options by what they are called. Exports write the object as a text, or as two arrays, `texts` and `options`."""
    if isinstance(options, str):
        options = _written(options, value)
    if isinstance(options, dict) and set(options) == {"texts", "options"}:
        texts, names = options["texts"], options["options"]
        if not (isinstance(texts, list) and isinstance(names, list) and len(texts) == len(names) == len(set(names))):
            _wrong("the arrays `texts` and `options` do not belong together", value)
        options = dict(zip(names, texts, strict=True))
    if isinstance(options, list):
        options = dict(zip(LETTERS, options, strict=False)) if len(options) <= len(LETTERS) else None
    if not isinstance(options, dict):
        _wrong(f"the options are neither an array of up to {len(LETTERS)} texts nor an object", value)
    return {str(name).strip(): text for name, text in options.items()}


def _written(text: str, value: dict[str, Any]) -> Any:
    """A text that is JSON, or what Python prints for a dictionary."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        try:
            return ast.literal_eval(text)  # reads literals alone, and runs nothing
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            _wrong("the options are a text that is neither JSON nor a dictionary of Python", value)


def _texts(options: dict[str, Any], value: dict[str, Any]) -> dict[str, str]:
    """Options that are texts or whole numbers; empty ones at the end, as tables have, are left out."""
    made = {}
    for name, text in options.items():
        if isinstance(text, bool) or not (text is None or isinstance(text, str | int)):
            _wrong(f"option {name[:40]!r} is no text", value)
        made[name] = "" if text is None else str(text).strip()
    while made and not made[next(reversed(made))]:
        made.popitem()
    if not 2 <= len(made) <= len(LETTERS) or not all(made.values()):
        _wrong(f"2 to {len(LETTERS)} options that are not empty are expected", value)
    return made


def _unmarked(options: tuple[str, ...]) -> tuple[str, ...]:
    """Without letters of their own, `A. `, when all have them in order: the order of options is changed later."""
    marks = [re.match(_MARK.format(letter), text) for letter, text in zip(LETTERS, options, strict=False)]
    bare = tuple(text[mark.end() :] for mark, text in zip(marks, options, strict=True) if mark)
    return bare if len(bare) == len(options) and all(bare) else options


def _first(items: Sequence[_Item]) -> int | None:
    """Whether numbers as answers count from 0 or from 1; None when no answer shows it."""
    numbers = [(item, number) for item in items if (number := _number(item)) is not None]
    from_zero = [item for item, number in numbers if number == 0]
    from_one = [item for item, number in numbers if number == len(item.options)]
    if from_zero and from_one:
        line = max(from_zero[0].line, from_one[0].line)
        raise _Unreadable(
            f"the answer of line {from_zero[0].line} counts from 0, that of line {from_one[0].line} from 1", line
        )
    return (0 if from_zero else 1) if from_zero or from_one else None


def _number(item: _Item) -> int | None:
    """An answer that can be nothing but the number of an option."""
    text = str(item.answer).strip()
    return None if _matches(item) or not re.fullmatch(r"\d{1,2}", text) else int(text)


def _matches(item: _Item) -> set[int]:
    """Options that the answer names, by what they are called or, of a text, by what they say."""
    text = str(item.answer).strip()
    name = text.strip("().:").upper()
    named = {place for place, key in enumerate(item.keys) if key.upper() == name}
    if isinstance(item.answer, int):
        return named
    said = {place for place, option in enumerate(item.options) if text in (option, f"{item.keys[place]}. {option}")}
    return named | said


def _place(item: _Item, first: int | None) -> int:
    found = _matches(item)
    if len(found) == 1:
        return found.pop()
    if found:
        raise _Unreadable(f"the answer {str(item.answer)[:40]!r} fits {len(found)} options")
    number = _number(item)
    if number is None:
        raise _Unreadable(f"the answer {str(item.answer)[:40]!r} is none of {', '.join(item.keys)[:80]}, nor an option")
    if first is None:
        raise _Unreadable(f"the answer {number} may count from 0 or from 1, and no other answer shows which")
    if not 0 <= number - first < len(item.options):
        raise _Unreadable(f"the answer {number}, counted from {first}, is beyond the {len(item.options)} options")
    return number - first


def _wrong(message: str, value: dict[str, Any]) -> NoReturn:
    names = ", ".join(repr(name[:40]) for name in value)
    raise _Unreadable(f"{message}; the members are {names[:300] or 'none'}")
