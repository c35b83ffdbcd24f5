"""Which texts a blind review holds: accepted disclosures, real patents, and chimeras, drawn by a seed.

For four disclosures there are one real patent and one control. All are shown alike: title in sentence
case, abstract, claim 1 and at most five claims that go back to it. Real texts are those that come nearest to the
disclosures in length, so that length tells little.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generator.base import files
from generator.base.errors import ConfigError, LogError
from generator.base.settings import Settings
from generator.corpus.documents import Document, Skipped
from generator.corpus.patent_text import sentence_case
from generator.judge.damage import chimera
from generator.judge.parsing import Rejected, parse
from generator.log.archive import WAITING, queued, read_ledger, record_path
from generator.measure.review.form import Item
from generator.record.claim_references import depends_on, rewrite
from generator.record.disclosure import Claim, Disclosure
from generator.record.record import Record
from generator.site.citation import display_id

SET_NAMES = {"disclosure": "disclosures", "real": "real patents", "control": "controls (chimeras)"}
MOST_CLAIMS = 6
_POOL = 20  # real documents that are kept for each one that is shown
_LEAST = 4
ReviewSet = Literal["disclosure", "real", "control"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text of the review, and where it comes from: display id or file in the queue, publication numbers."""

    set: ReviewSet
    sources: tuple[str, ...]
    item: Item


@dataclass(frozen=True, slots=True)
class _Real:
    """`length`: characters that are shown."""

    name: str
    disclosure: Disclosure
    length: int


_Shown = tuple[ReviewSet, tuple[str, ...], Disclosure]


def accepted(output: Path, settings: Settings) -> list[tuple[str, Path, str]]:
    """Name, file and SHA-256 (empty in the queue) of every accepted disclosure; of two with one text, the newer one."""
    ledger = read_ledger(output)
    logged = [
        (display_id(serial, settings), record_path(output, serial), entry.sha256)
        for serial, entry in ledger.served()
        if serial not in ledger.successor_of
    ]
    waiting = [path for path in queued(output) if not path.with_suffix(WAITING[-1]).exists()]
    return [*logged, *((f"queue/{path.name}", path, "") for path in waiting)]


def draw(
    known: Sequence[tuple[str, Path, str]], real: Iterable[Document | Skipped], size: int, seed: int
) -> tuple[Drawn, ...]:
    """`size` disclosures and what they are mixed with, in random order. Raises ConfigError where texts are too few."""
    dice = random.Random(seed)
    each = size // 4
    if size < _LEAST or len(known) < size:
        raise ConfigError(
            f"a sample of {size} disclosures cannot be drawn from {len(known)}",
            hint=f"Give a smaller --sample, at least {_LEAST}, or generate more.",
        )
    chosen = [(name, _read(path, sha256)) for name, path, sha256 in dice.sample(known, size)]
    shown: list[_Shown] = [("disclosure", (name,), _excerpt(disclosure)) for name, disclosure in chosen]
    lengths = sorted(_length(excerpt) for _, _, excerpt in shown)
    pool = _pool(real, dice, _POOL * 3 * each)
    if len(pool) < 3 * each:
        raise ConfigError(
            f"a sample of {size} disclosures needs {3 * each} real patents, {len(pool)} were found",
            hint="Give files with title, abstract and at least three claims each: --real FILE.",
        )
    targets = [lengths[len(lengths) * n // each] for n in range(each)]
    for target in targets:
        one = _nearest(pool, target)
        shown.append(("real", (one.name,), _excerpt(one.disclosure)))
    shown += [_control(pool, dice, target) for target in targets]
    dice.shuffle(shown)
    ids = dice.sample(range(16**6, 16**7), len(shown))
    return tuple(
        Drawn(kind, sources, Item(f"{number:x}", text.title, text.abstract, tuple(claim.text for claim in text.claims)))
        for number, (kind, sources, text) in zip(ids, shown, strict=True)
    )


def _read(path: Path, sha256: str) -> Disclosure:
    data = files.read(path, "a record")
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise LogError(f"{path}: not the record that the log names", hint="Run: prior-art check")
    return Record.from_bytes(data).disclosure


def _pool(real: Iterable[Document | Skipped], dice: random.Random, size: int) -> list[_Real]:
    """At most `size` documents that can be shown, each as likely as any other. Source: Vitter 1985, algorithm R."""
    pool: list[_Real] = []
    seen = 0
    for item in real:
        disclosure = None if isinstance(item, Skipped) else _disclosure(item)
        if isinstance(item, Skipped) or disclosure is None:
            continue
        seen += 1
        place = seen - 1 if len(pool) < size else dice.randrange(seen)
        if place < size:
            pool[place : place + 1] = [_Real(item.number, disclosure, _length(_excerpt(disclosure)))]
    return list({one.name: one for one in pool}.values())


def _disclosure(document: Document) -> Disclosure | None:
    """None for a document that cannot be shown, or whose claims would show that it is not whole."""
    claims = []
    for number, text in enumerate(document.claims, 1):
        parents = depends_on(text, number)
        if not all(parent < number for parent in parents):
            return None
        claims.append(Claim(number, text, parents))
    disclosure = Disclosure(document.title, document.abstract, (), tuple(claims))
    if not document.title or not document.abstract or len(claims) < 3 or claims[0].depends_on:
        return None
    return disclosure if len(_excerpt(disclosure).claims) >= 3 else None


def _excerpt(disclosure: Disclosure) -> Disclosure:
    """Claim 1 and the first claims that go back to it alone, numbered anew."""
    new: dict[int, int] = {}
    claims: list[Claim] = []
    for claim in disclosure.claims:
        if len(claims) < MOST_CLAIMS and (not claims or (claim.depends_on and new.keys() >= set(claim.depends_on))):
            new[claim.number] = len(claims) + 1
            claims.append(Claim(len(claims) + 1, rewrite(claim.text, claim.number, new)))
    context = " ".join((disclosure.abstract, *(claim.text for claim in claims)))
    return Disclosure(sentence_case(disclosure.title, context), disclosure.abstract, (), tuple(claims))


def _length(excerpt: Disclosure) -> int:
    return sum(len(text) for text in (excerpt.title, excerpt.abstract, *(claim.text for claim in excerpt.claims)))


def _nearest(pool: list[_Real], target: int) -> _Real:
    """Take out of the pool what comes nearest to `target` characters."""
    return pool.pop(min(range(len(pool)), key=lambda n: abs(pool[n].length - target)))


def _control(pool: list[_Real], dice: random.Random, target: int) -> _Shown:
    """A chimera whose head comes near to `target` characters."""
    while len(pool) > 1:
        head, giver = _nearest(pool, target), pool.pop(dice.randrange(len(pool)))
        made = parse(chimera(head.disclosure, giver.disclosure), "top-down", "end")
        if not isinstance(made, Rejected):
            return "control", (head.name, giver.name), _excerpt(made.disclosure)
    raise ConfigError("too few real patents are left to make controls of", hint="Give more: --real FILE.")
