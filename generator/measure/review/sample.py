"""Which texts a blind reading holds: accepted disclosures, accepted drafts of starter 2 and real patents, by a seed.

All are shown alike: title in sentence case, abstract, the first four claims, each from a capital, references written
one way. Real texts are those that come nearest to the disclosures in length, so that length tells little. Several
draws share no text.
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
from generator.corpus.patent_text import clean, sentence_case
from generator.judge.calibration import load_calibration
from generator.judge.checks import Passed, check, coherent
from generator.judge.parsing import Rejected, parse
from generator.log.archive import WAITING, queued, read_ledger, record_path
from generator.measure.controls import frozen_drafts
from generator.measure.review.form import Item
from generator.record.claim_references import depends_on, rewrite
from generator.record.disclosure import Claim, Disclosure
from generator.record.record import Record
from generator.site.citation import display_id

# The last one stands in forms of before 0.7 alone.
SET_NAMES = {
    "disclosure": "disclosures",
    "starter_2": "accepted drafts of starter 2",
    "real": "real patents",
    "control": "controls (chimeras)",
}
FIRST_CLAIMS = 4
_POOL = 10  # real documents that are kept for each one that is shown
_LEAST = 4
ReviewSet = Literal["disclosure", "starter_2", "real"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text of the reading, and where it comes from: display id or file in the queue, publication number.

    `model` wrote it; empty for a real patent.
    """

    set: ReviewSet
    source: str
    model: str
    item: Item


@dataclass(frozen=True, slots=True)
class _Real:
    """`length`: characters that are shown."""

    name: str
    shown: Disclosure
    length: int


def reviewable(output: Path, settings: Settings) -> list[tuple[str, Path, str]]:
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
    known: Sequence[tuple[str, Path, str]],
    real: Iterable[Document | Skipped],
    size: int,
    seed: int,
    draws: int = 1,
) -> tuple[tuple[Drawn, ...], ...]:
    """So many draws of `size` disclosures and three quarters as many of each other set, in random order.

    Raises ConfigError where texts are too few.
    """
    dice = random.Random(seed)
    each = size * 3 // 4
    if size < _LEAST or len(known) < size * draws:
        raise ConfigError(
            f"{draws} draws of {size} disclosures cannot be made of {len(known)}",
            hint=f"Give a smaller --sample, at least {_LEAST}, fewer --draws, or generate more.",
        )
    chosen = [_read(*one) for one in dice.sample(known, size * draws)]
    weak = [_drawn("starter_2", name, "starter 2", one) for name, one in _accepted_of_starter_2(dice, each * draws)]
    pool = _pool(real, dice, _POOL * each * draws)
    if min(len(pool), len(weak)) < each * draws:
        raise ConfigError(
            f"{draws} draws of {size} disclosures need {each * draws} real patents and as many drafts of starter 2; "
            f"{len(pool)} patents and {len(weak)} drafts were found",
            hint="Give files with title, abstract and at least four claims each: --real FILE; or fewer --draws.",
        )
    made = []
    for number in range(draws):
        shown = chosen[number * size : (number + 1) * size]
        lengths = sorted(_length(one.item) for one in shown)
        near = [_nearest(pool, lengths[len(lengths) * n // each]) for n in range(each)]
        shown += weak[number * each : (number + 1) * each]
        shown += [_drawn("real", one.name, "", one.shown) for one in near]
        dice.shuffle(shown)
        made.append(_named(shown, dice))
    return tuple(made)


def _drawn(kind: ReviewSet, name: str, model: str, shown: Disclosure) -> Drawn:
    return Drawn(kind, name, model, Item("", shown.title, shown.abstract, tuple(one.text for one in shown.claims)))


def _named(shown: Sequence[Drawn], dice: random.Random) -> tuple[Drawn, ...]:
    """Each text under a random name."""
    ids = dice.sample(range(16**6, 16**7), len(shown))
    return tuple(
        Drawn(one.set, one.source, one.model, Item(f"{n:x}", one.item.title, one.item.abstract, one.item.claims))
        for n, one in zip(ids, shown, strict=True)
    )


def _read(name: str, path: Path, sha256: str) -> Drawn:
    data = files.read(path, "a record")
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise LogError(f"{path}: not the record that the log names", hint="Run: prior-art check")
    record = Record.from_bytes(data)
    made = record.generation
    model = made.model + (f" with adapter {made.adapter_sha256[:16]}" if made.adapter_sha256 else "")
    return _drawn("disclosure", name, model, _excerpt(record.disclosure))


def _accepted_of_starter_2(dice: random.Random, most: int) -> list[tuple[str, Disclosure]]:
    """Frozen drafts that pass the gates of form, G1 and the shares of G2: so starter 2's were accepted before 0.7."""
    drafts = [one for fitted in (True, False) for one in frozen_drafts(fitted=fitted) if one.set == "starter_2"]
    calibration = load_calibration()
    found = []
    for number in dice.sample(range(len(drafts)), len(drafts)):
        parsed = parse(drafts[number].text, drafts[number].direction, drafts[number].stop)
        passed = parsed if isinstance(parsed, Rejected) else check(parsed.disclosure)
        if isinstance(passed, Passed) and not isinstance(coherent(passed.disclosure, calibration), Rejected):
            found.append((f"draft {number}", _excerpt(passed.disclosure)))
        if len(found) == most:
            break
    return found


def _pool(real: Iterable[Document | Skipped], dice: random.Random, size: int) -> list[_Real]:
    """At most `size` documents that can be shown, each as likely as any other. Source: Vitter 1985, algorithm R."""
    pool: list[_Real] = []
    seen = 0
    for document in real:
        shown = None if isinstance(document, Skipped) else _shown(document)
        if isinstance(document, Skipped) or shown is None:
            continue
        seen += 1
        place = seen - 1 if len(pool) < size else dice.randrange(seen)
        if place < size:
            drawn = _drawn("real", document.number, "", shown)
            pool[place : place + 1] = [_Real(document.number, shown, _length(drawn.item))]
    return list({one.name: one for one in pool}.values())


def _shown(document: Document) -> Disclosure | None:
    """None for a document that cannot be shown, or whose claims would show that it is not whole."""
    claims = []
    for number, text in enumerate(document.claims[:FIRST_CLAIMS], 1):
        parents = depends_on(text, number)
        if not all(parent < number for parent in parents):
            return None
        claims.append(Claim(number, text, parents))
    if not document.title or not document.abstract or len(claims) < FIRST_CLAIMS or claims[0].depends_on:
        return None
    return _excerpt(Disclosure(document.title, document.abstract, (), tuple(claims)))


def _excerpt(disclosure: Disclosure) -> Disclosure:
    """Title, abstract and the first claims in one form."""
    claims = tuple(
        Claim(one.number, _capital(rewrite(clean(one.text), one.number, {n: n for n in range(1, one.number)})))
        for one in disclosure.claims[:FIRST_CLAIMS]
    )
    abstract = _capital(clean(disclosure.abstract))
    context = " ".join((abstract, *(claim.text for claim in claims)))
    return Disclosure(sentence_case(clean(disclosure.title), context), abstract, (), claims)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _length(item: Item) -> int:
    return sum(map(len, (item.title, item.abstract, *item.claims)))


def _nearest(pool: list[_Real], target: int) -> _Real:
    """Take out of the pool what comes nearest to `target` characters."""
    return pool.pop(min(range(len(pool)), key=lambda n: abs(pool[n].length - target)))
