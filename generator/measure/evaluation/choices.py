"""Multiple-choice questions from a file of JSON lines. What cannot be read for sure is an error, never a guess."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.base.errors import CorpusError
from generator.corpus.patent_text import read_placed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HINT = "docs/evaluation.md describes both forms of a question."
_OPTION = re.compile(r"^([A-Z])[:：]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """`task`: the sentence that says what to choose, or empty; `text`: what is asked about; `answer`: place of the
    right one among `options`."""

    task: str
    text: str
    options: tuple[str, ...]
    answer: int

    def asked(self, first: int = 0) -> str:
        """The whole question, its options turned so that option `first` comes at A."""
        turned = (*self.options[first:], *self.options[:first])
        shown = (f"{letter}: {option}" for letter, option in zip(LETTERS, turned, strict=False))
        return "\n".join((*([self.task] if self.task else []), self.text, *shown))


def read_questions(path: Path, task: str) -> tuple[Question, ...]:
    """All questions of a file in the form that `task`, a key of FORMS, has. Raises CorpusError with file and line."""
    found = []
    for place, value in read_placed(path, hint=HINT):
        try:
            found.append(FORMS[task](value))
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{place}: {error}", hint=HINT) from error
    if not found:
        raise CorpusError(f"{path}: holds no question", hint=HINT)
    return tuple(found)


def questions_sha256(questions: tuple[Question, ...]) -> str:
    """Digest of what is asked, so that line ends or the order of members in a file make no difference."""
    text = json.dumps([asdict(one) for one in questions], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _patentmatch(value: dict[str, Any]) -> Question:
    """`instruction`, a line feed and `input` where there is one, as in training sets of this form; `output` a letter.

    The first line says what to choose, then comes the text, then one option after another: `A: ...`, `B: ...`.
    """
    asked = "\n".join(part for part in (_text(value, "instruction"), _text(value, "input", empty=True)) if part)
    places = list(_OPTION.finditer(asked))
    letters = "".join(place[1] for place in places)
    if len(letters) < 2 or letters != LETTERS[: len(letters)]:
        seen = ", ".join(letters) or "none"
        raise ValueError(f"options A, B and so on, each once at the start of a line, are expected; found: {seen}")
    ends = [*(place.start() for place in places[1:]), len(asked)]
    options = [asked[place.end() : end].strip() for place, end in zip(places, ends, strict=True)]
    task, _, text = asked[: places[0].start()].strip().partition("\n")
    if not text.strip():
        raise ValueError("a line that says what to choose and then a text are expected before option A")
    return _question(task.strip(), text.strip(), options, _text(value, "output"))


def _general(value: dict[str, Any]) -> Question:
    """`question`, `options` (an array, or an object from A, B and so on), `answer` a letter; other members are left."""
    options = value.get("options")
    if isinstance(options, dict):
        if "".join(options) != LETTERS[: len(options)]:
            raise ValueError(f"options: the letters A, B and so on in order are expected, not {', '.join(options)}")
        options = list(options.values())
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise ValueError("options: an array of texts, or an object of letters and texts, is expected")
    options = [option.strip() for option in options]
    marked = [re.match(rf"\(?{letter}[.:)：、．）]", text) for letter, text in zip(LETTERS, options, strict=False)]
    if marked and all(marked):
        raise ValueError("options: texts without letters of their own are expected; their order is changed")
    return _question("", _text(value, "question"), options, _text(value, "answer"))


def _text(value: dict[str, Any], name: str, *, empty: bool = False) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not (found.strip() or empty):
        raise ValueError(f"{name}: a text is expected")
    return found.strip()


def _question(task: str, text: str, options: list[str], answer: str) -> Question:
    if not 2 <= len(options) <= len(LETTERS) or not all(options):
        raise ValueError(f"options: 2 to {len(LETTERS)} texts that are not empty are expected")
    letters = LETTERS[: len(options)]
    if len(answer) != 1 or answer not in letters:
        raise ValueError(f"the answer is {answer[:40]!r}; one of the letters {', '.join(letters)} is expected")
    return Question(task, text, tuple(options), letters.index(answer))


FORMS: dict[str, Callable[[dict[str, Any]], Question]] = {"patentmatch": _patentmatch, "multiple-choice": _general}
