"""The two text layouts that models are trained on and drafts are parsed from: how they are written, and read.

Source: model card of alea-institute/kl3m-002-170m-patent ("How it Works"). Both are exact: a prompt must
end where a token of the training text ended. Parser, early stop, search for copies and sampler all read by `sections`
and `claims`, whether a text is whole or still being written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Direction = Literal["top-down", "bottom-up"]
DIRECTIONS: tuple[Direction, ...] = ("top-down", "bottom-up")

HEAD = "# Patent"
TITLE, ABSTRACT, CLAIMS = "## Title", "## Abstract", "## Claims"
BACKGROUND, DESCRIPTION = "## Background", "## Description"  # after the end of a whole text
ORDER: dict[Direction, tuple[str, ...]] = {
    "top-down": (TITLE, ABSTRACT, CLAIMS),
    "bottom-up": (CLAIMS, ABSTRACT, TITLE),
}
PROMPTS: dict[Direction, str] = {
    "top-down": f"{HEAD}\n\n{TITLE}\n",
    "bottom-up": f"{HEAD}\n\n{CLAIMS}",
}

# What stands between a prompt's end and a topic: the layout's own lines.
_BEFORE_TOPIC: dict[Direction, str] = {"top-down": "\n", "bottom-up": "\n\n1. "}

PARAGRAPH = re.compile(r"\n[ \t]*\n")
_HEADING = re.compile(r"^#.*$", re.MULTILINE)
_CLAIM = re.compile(r"(?:\A|^[ \t]*\n)(\d{1,4})\. ", re.MULTILINE)  # at the beginning, or after an empty line
_BLANK = "\n \t"


@dataclass(frozen=True, slots=True)
class Part:
    """A section or a claim of a text. `name` is its heading, or its number in digits; it begins at `at`, its body goes
    from `start` to `end`. `whole`: whatever is written next, the body stays as it is."""

    name: str
    at: int
    start: int
    end: int
    whole: bool

    def body(self, text: str) -> str:
        return text[self.start : self.end]


def write_layout(direction: Direction, title: str, abstract: str, claims: Sequence[str]) -> str:
    """The text of one patent in the layout of `direction`, without an end-of-text token."""
    numbered = "\n\n".join(f"{n}. {text}" for n, text in enumerate(claims, 1))
    body = {TITLE: f"\n{title}", ABSTRACT: f"\n{abstract}", CLAIMS: f"\n\n{numbered}"}
    return "\n\n".join([HEAD, *(heading + body[heading] for heading in ORDER[direction])])


def begun(prompt: str, direction: Direction, topic: str) -> str:
    """A prompt that goes on with the beginning of a title or of a first claim; without a topic the prompt itself."""
    return prompt.rstrip("\n") + _BEFORE_TOPIC[direction] + topic if topic else prompt


def sections(text: str, *, whole: bool) -> tuple[Part, ...]:
    """What stands under each heading, in order; any line that begins with # is one. Time: linear in the text.

    Of a text that is not `whole`, a last line that is a heading may go on: it is left out, and ends nothing yet.
    """
    end = len(text)
    headings = list(_HEADING.finditer(text))
    if headings and not whole and headings[-1].end() == end:
        end = headings.pop().start()
    named = [(heading[0].rstrip(), heading.start(), heading.end()) for heading in headings]
    return tuple(_parts(named, end, whole=whole))


def claims(text: str, section: Part) -> tuple[Part, ...]:
    """The numbered claims of a section. The last one is whole if the section is. Time: linear in the section."""
    begin = section.end - len(section.body(text).lstrip(_BLANK))
    found = _CLAIM.finditer(text[begin : section.end])
    named = [(match[1], begin + match.start(), begin + match.end()) for match in found]
    return tuple(_parts(named, section.end, whole=section.whole))


def _parts(named: list[tuple[str, int, int]], end: int, *, whole: bool) -> Iterator[Part]:
    for (name, at, start), (_, stop, _) in pairwise([*named, ("", end, end)]):
        yield Part(name, at, start, stop, whole or stop < end)


def before_claims(text: str, section: Part) -> str:
    """What stands in a section before its first claim, without blanks at both ends; all of it without a claim."""
    found = claims(text, section)
    return text[section.start : found[0].at if found else section.end].strip(_BLANK)


def newest(text: str) -> str:
    """The last patent that a text begins, from its head on; the whole text without a head."""
    return text[max(0, f"\n{text}".rfind(f"\n{HEAD}\n")) :]
