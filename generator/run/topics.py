"""What drafts are to be about: topics from a list, and topics by design, which combine two groups of the CPC.

A combination follows one of the rules of `record/topic_rules`.
"""

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base import canonical
from generator.base.errors import ConfigError
from generator.judge.cpc_groups import exists, groups, pairs
from generator.record.layouts import Direction
from generator.record.topic_rules import COMBINING, KNOWN_ELEMENTS, KNOWN_TECHNIQUE, PUBLISHER_LIST, SUBSTITUTION

RULES = tuple(COMBINING)
JOINS = {
    KNOWN_ELEMENTS: "{one} with {other}",
    SUBSTITUTION: "{one} in place of {other}",
    KNOWN_TECHNIQUE: "{one} using {other}",
}
# Subclasses whose groups are ways to measure, control, compute or transmit, and so are techniques for other devices.
TECHNIQUES = ("G01", "G05", "G06", "G08", "H04")
MOST_WORDS, MOST_CHARACTERS = 14, 100  # of the two groups' names together: a topic has at most 32 tokens
LONGEST = 200  # characters of a title or a preamble
LONGEST_LINE = 1000
_MARKUP = re.compile(r"[<>{}\[\]#*`|\\^~]|&[#\w]+;|https?:")
# Words of titles that name no thing by themselves: "Details", "Other methods", "Control of".
_NO_NAME = re.compile(
    r"^arrangements?\b|\b(?:other|details?|general|groups?|subclass|preceding|provided|covered|characteri[sz]ed|specially|adapted|such|"
    r"thereof|therefor|e\.g|i\.e|etc|subject|matter|relating|having|methods?|processes|accessor(?:y|ies)|components?|"
    r"layout|technolog(?:y|ies)|fittings|adaptations?|parts)\b|[\d()\[\]]|\b(?:of|for|by|with|in|to|or|and|the|a)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """`cpc` are CPC symbols between blanks. `title` begins a title, `preamble` a first claim; either may be empty."""

    cpc: str
    title: str
    preamble: str = ""
    rule: str = PUBLISHER_LIST

    def value(self) -> dict[str, str]:
        """As a plan has it: what versions before 0.7 did not know only where it says something."""
        more = {"preamble": self.preamble, "rule": self.rule}
        return {"cpc": self.cpc, "title": self.title, **(more if self.rule != PUBLISHER_LIST or self.preamble else {})}

    @classmethod
    def of(cls, value: Any) -> "Topic":
        """Raises KeyError and TypeError for what `value` does not write."""
        return cls(value["cpc"], value["title"], value.get("preamble", ""), value.get("rule", PUBLISHER_LIST))

    def begins(self, direction: Direction) -> str:
        """What a draft of this direction begins with; empty where the topic does not say it."""
        return self.title if direction == "top-down" else self.preamble

    @property
    def line(self) -> str:
        """A line of a list of topics."""
        return "\t".join((f"{self.cpc} {self.rule}", self.title, self.preamble))


def load_topics(path: Path) -> tuple[Topic, ...]:
    """Topics from a text file, a line each: CPC symbols and perhaps a rule between blanks, a tab, the beginning of a
    title, and perhaps a tab and the beginning of a first claim. `#` begins a comment line. Raises ConfigError.
    """
    topics = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the topics cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            topics.append(_topic(f"{path}:{number}", line))
    if not topics:
        raise ConfigError(
            f"{path}: no topic in it", hint="Write lines of a CPC class, a tab and the beginning of a title."
        )
    return tuple(topics)


def _topic(place: str, line: str) -> Topic:
    if len(line) > LONGEST_LINE:
        raise ConfigError(f"{place}: {len(line)} characters in a line", hint=f"At most {LONGEST_LINE} are read.")
    cells = [" ".join(cell.split()) for cell in line.split("\t")]
    title, preamble = (*cells[1:], "", "")[:2]
    if len(cells) not in (2, 3) or not (title or preamble) or len(title) > LONGEST or len(preamble) > LONGEST:
        raise ConfigError(
            f"{place}: a CPC class, a tab and 1 to {LONGEST} characters of a title are expected",
            hint="A second tab and the beginning of a first claim may follow.",
        )
    symbols, rule = _symbols(place, cells[0])
    for text in (title, preamble):
        if found := _MARKUP.search(text):
            raise ConfigError(f"{place}: markup stands in a topic: {found[0]!r}", hint="Write plain text.")
        if problem := canonical.text_problem(text):
            raise ConfigError(f"{place}: a topic holds a {problem}", hint="Write plain text.")
    return Topic(" ".join(symbols), title, preamble, rule)


def _symbols(place: str, cell: str) -> tuple[list[str], str]:
    *symbols, last = cell.split() or [""]
    rule = last if last in RULES or last == PUBLISHER_LIST else PUBLISHER_LIST
    symbols += [] if last == rule else [last]
    if len(symbols) > (2 if rule != PUBLISHER_LIST else 20) or not symbols:
        raise ConfigError(f"{place}: {len(symbols)} CPC symbols: 1 to 20 are expected, with a rule 2", hint=_FORM)
    for symbol in symbols:
        if not exists(symbol):
            raise ConfigError(f"{place}: {symbol[:40]!r} is no symbol of the CPC", hint=_FORM)
    return symbols, rule


_FORM = "Symbols are written such as B62, B62J, B62J1/00; docs/settings.md describes a list of topics."


def suggest(
    count: int, seed: int, *, within: Sequence[str] = (), rules: Sequence[str] = RULES, known: Collection[str] = ()
) -> Iterator[Topic]:
    """At most `count` combinations of two main groups whose subclasses real patents bear together, drawn by `seed`.

    `within`: one of the two lies in one of these symbols. `known` are the `cpc` of topics that are not wanted again.
    """
    dice = random.Random(seed)
    by_subclass = _names()
    joined = [(pair, n) for pair, n in pairs().items() if set(pair) <= by_subclass.keys()]
    joined += [((one, one), 1) for one in by_subclass if len(by_subclass[one]) > 1]
    by_rule: dict[str, dict[tuple[str, str], int]] = {}
    for pair, n in joined:
        if _rule(pair) in rules and _lies(pair, within):
            by_rule.setdefault(_rule(pair), {})[pair] = n
    seen, made = set(known), 0
    for _ in range(count * 50 if by_rule else 0):
        wanted = by_rule[dice.choice(sorted(by_rule))]
        pair = dice.choices(list(wanted), list(wanted.values()))[0]
        topic = _combined(pair, by_subclass, dice)
        if topic is None or topic.cpc in seen:
            continue
        seen.add(topic.cpc)
        made += 1
        yield topic
        if made == count:
            return


def _lies(pair: tuple[str, str], within: Sequence[str]) -> bool:
    return not within or any(subclass.startswith(symbol[:4]) for subclass in pair for symbol in within)


def _rule(pair: tuple[str, str]) -> str:
    """Two groups of one subclass do the same, so one can take the other's place; a technique improves a device."""
    one, other = (subclass[:3] in TECHNIQUES for subclass in pair)
    return SUBSTITUTION if pair[0] == pair[1] else KNOWN_TECHNIQUE if one != other else KNOWN_ELEMENTS


def _combined(pair: tuple[str, str], names: dict[str, list[tuple[str, str]]], dice: random.Random) -> Topic | None:
    rule = _rule(pair)
    if rule == KNOWN_TECHNIQUE and pair[0][:3] in TECHNIQUES:
        pair = pair[1], pair[0]
    (first, one), (second, other) = dice.choice(names[pair[0]]), dice.choice(names[pair[1]])
    both = f"{one} {other}"
    if first == second or len(both.split()) > MOST_WORDS or len(both) > MOST_CHARACTERS:
        return None
    title = JOINS[rule].format(one=one, other=_lower(other))
    kind = "A method of" if one.split()[0].endswith("ing") else "An arrangement of"
    return Topic(f"{first}/00 {second}/00", title, f"{kind} {_lower(title)}, comprising", rule)


def _names() -> dict[str, list[tuple[str, str]]]:
    """Main groups whose titles begin with the name of a thing, by subclass: symbol and name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for symbol, title in groups().items():
        name = re.split(r"[;:,]", title)[0].strip()
        if symbol[0] != "Y" and name[:1].isupper() and _says_something(name):
            found.setdefault(symbol[:4], []).append((symbol, name))
    return found


def _says_something(name: str) -> bool:
    return 2 <= len(name.split()) <= MOST_WORDS // 2 and not _NO_NAME.search(name)


def _lower(name: str) -> str:
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]
