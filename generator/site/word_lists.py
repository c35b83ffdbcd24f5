"""What the search page must know of a volume beside Pagefind's index: its pages, its vocabulary, its hashes.

`pages.json` lists each page with its fragment, day and class, so that filters, dates and "not" are exact. `words/`
holds for each word the number of pages with it, so that a search knows what stands nowhere. Pagefind cuts words by
rules of its own; where a word stands in another form than plain letters or digits, its pages are listed beside it.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import ToolError
from generator.base.words import words

PAGES = "pages.json"
HASHES = "hashes.json"
WORDS = "words"
HASH_DIGITS = 16

# Pagefind parts words at signs and at capitals within; what has neither it finds under the word itself.
_PLAIN = re.compile(r"[(\[\"'“”‘’]*(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+)[)\]\"'“”‘’.,;:!?]*")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a volume. `day` is YYYY-MM-DD, or empty; `fragment` is Pagefind's identifier of the page."""

    serial: int
    fragment: str
    day: str
    cpc: str
    content: str


def shard(word: str) -> str:
    """The file of a word: its first letter, 0 for digits, _ for all else."""
    first = word[0]
    if "a" <= first <= "z":
        return first
    return "0" if "0" <= first <= "9" else "_"


def write(bundle: Path, folder: Path, first: int, pages: Sequence[Page]) -> None:
    """Write the lists of a volume into its bundle; `folder` holds the records, `first` is the volume's first number.

    `pages` come in order of their numbers. Raises ToolError when a record does not stand beside its page.
    """
    days = sorted({page.day for page in pages})
    symbols = sorted({page.cpc for page in pages})
    rows = [[p.serial - first, p.fragment, days.index(p.day), symbols.index(p.cpc)] for p in pages]
    _dump(bundle / PAGES, {"first": first, "days": days, "cpc": symbols, "pages": rows})
    _dump(bundle / HASHES, [_hash(folder / f"{page.serial}.json") for page in pages])
    (bundle / WORDS).mkdir()
    for name, counted in _vocabulary(first, pages).items():
        _dump(bundle / WORDS / f"{name}.json", counted)


def _hash(record: Path) -> str:
    data = files.read(record, "the record")
    if not data:
        raise ToolError(f"{record}: the record is empty.", hint="Run: prior-art build")
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def _vocabulary(first: int, pages: Sequence[Page]) -> dict[str, dict[str, int | list[int]]]:
    """By shard: each word with the number of its pages, or [that number, pages that Pagefind may not find ...]."""
    counts: defaultdict[str, int] = defaultdict(int)
    odd: defaultdict[str, list[int]] = defaultdict(list)
    for page in pages:
        plain: set[str] = set()
        other: set[str] = set()
        for piece in set(page.content.split()):
            (plain if _PLAIN.fullmatch(piece) else other).update(words(piece))
        for word in plain | other:
            counts[word] += 1
        for word in other - plain:
            odd[word].append(page.serial - first)
    shards: dict[str, dict[str, int | list[int]]] = {name: {} for name in "abcdefghijklmnopqrstuvwxyz0_"}
    for word in sorted(counts):
        shards[shard(word)][word] = [counts[word], *odd[word]] if word in odd else counts[word]
    return shards


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
