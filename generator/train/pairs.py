"""Pairs of a better and a worse text after the same prompt, made by the project's own gates.

Drafts: one that the gates accept against one that they refuse, of the same direction. Corrupted claims: those of a
document against the same with one fault.
"""

import bisect
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.corpus.documents import Document, as_disclosure, compared_words
from generator.corpus.fingerprint_set import FingerprintSet
from generator.corpus.fingerprints import fingerprint
from generator.judge.checks import Passed, check
from generator.judge.checks.thresholds import Calibration
from generator.judge.copying import DocumentSet, KnownTexts, not_copied
from generator.judge.ladder import sound
from generator.judge.parsing import Rejected, Stop, parse
from generator.judge.sense import SenseGate, load_sense
from generator.record.disclosure import Disclosure
from generator.record.layouts import ABSTRACT, DIRECTIONS, Direction, write_layout
from generator.train.corruption import CORRUPTIONS, corrupt
from generator.train.preparing import TRAIN, documents, kind
from generator.train.texts import Encode

DRAFTS = "drafts"  # the kind of a pair of drafts; others are names of CORRUPTIONS
FEWEST_CLAIMS = 3  # of a document whose claims are corrupted
REPEATS = "repeats"  # what comes again is refused, but it is no worse than what it repeats


@dataclass(frozen=True, slots=True)
class Written:
    """A draft as it was written. `seconds`: its share of the time."""

    index: int
    direction: Direction
    text: str
    stop: Stop
    seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft with what is left of it after the gates, or `refused`: gate and reason."""

    written: Written
    disclosure: Disclosure | None
    refused: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Token ids: `prompt` is what both texts begin with; an end token is in them where the text ended."""

    kind: str
    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Of both texts, the prompt counted with each."""
        return 2 * len(self.prompt) + len(self.chosen) + len(self.rejected)


def known_texts(data: Path) -> KnownTexts:
    """Titles, abstracts and claims that a model was trained on, from the folder of stage 1: it may not copy them."""
    found = [document for document in documents(data / TRAIN) if kind(document) != "description"]
    prints = FingerprintSet.of(0, (fingerprint(compared_words(document)) for document in found))
    return KnownTexts((DocumentSet(prints, found.__getitem__),), ())


def judge_drafts(drafts: Iterable[Written], known: KnownTexts, calibration: Calibration) -> list[Judged]:
    """Gates G0 to G3 in the order of the drafts' indices; one that repeats an accepted one is refused as REPEATS."""
    batch, sense, judged = KnownTexts.open(None, None), load_sense(), []
    for draft in sorted(drafts, key=lambda draft: draft.index):
        result = _judged(draft, known, calibration, sense)
        if isinstance(result, Rejected):
            judged.append(Judged(draft, None, f"{result.gate} {result.reason}"))
        elif not_copied(batch.measure(result)):
            judged.append(Judged(draft, None, REPEATS))
        else:
            batch.add(f"draft {draft.index}", result)
            judged.append(Judged(draft, result, ""))
    return judged


def _judged(draft: Written, known: KnownTexts, calibration: Calibration, sense: SenseGate) -> Disclosure | Rejected:
    parsed = parse(draft.text, draft.direction, draft.stop)
    if isinstance(parsed, Rejected):
        return parsed
    passed = check(parsed.disclosure)
    if not isinstance(passed, Passed):
        return passed
    measured = sound(passed.disclosure, calibration, known, sense)
    return measured if isinstance(measured, Rejected) else passed.disclosure


def split(kind: str, chosen: Sequence[int], rejected: Sequence[int], context: int) -> Pair | None:
    """A pair of two texts that differ; None where one is longer than `context` tokens or has nothing of its own.

    The prompt is what both begin with, so that it ends where a token ends in both.
    """
    same = next((at for at, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b), -1)
    if same < 1 or max(len(chosen), len(rejected)) > context:
        return None
    return Pair(kind, tuple(chosen[:same]), tuple(chosen[same:]), tuple(rejected[same:]))


def draft_pairs(
    judged: Sequence[Judged], encode: Encode, end: int, *, most: int, context: int, dice: random.Random
) -> list[Pair]:
    """At most `most` pairs, half of them of each direction where both have enough; each draft is in one at most.

    A chosen text is what is left of an accepted draft, in its layout; a rejected one is the draft as it was written.
    """
    found = []
    for direction in DIRECTIONS:
        chosen, whole, cut = [], [], []
        for one in judged:
            if one.written.direction != direction or one.refused == REPEATS:
                continue
            if one.disclosure:
                chosen.append([*encode(_layout(direction, one.disclosure)), end])
            elif one.written.stop == "end":
                whole.append([*encode(one.written.text), end])
            else:
                cut.append(list(encode(one.written.text)))
        pairs = (split(DRAFTS, better, worse, context) for better, worse in _matched(chosen, whole, cut, dice))
        found.append([pair for pair in pairs if pair])
    first, second = found
    share = min(len(first), max(most // 2, most - len(second)))
    return [*first[:share], *second[: most - share]]


def _matched(
    chosen: list[list[int]], whole: list[list[int]], cut: list[list[int]], dice: random.Random
) -> list[tuple[list[int], list[int]]]:
    """Each chosen text with a rejected one, in a random order.

    Those that the token limit cut keep their share among the rejected: to be too long is their fault. Of the others,
    the one whose length is nearest is taken, so that length is not what is learnt from them.
    """
    for texts in (chosen, whole, cut):
        dice.shuffle(texts)
    count = min(len(chosen), len(whole) + len(cut))
    too_long = count * len(cut) // max(1, len(whole) + len(cut))
    pairs = list(zip(chosen, cut[:too_long], strict=False))
    left = sorted(whole, key=len)
    for better in chosen[too_long:count]:
        if not left:
            break
        place = bisect.bisect_left(left, len(better), key=len)
        near = [at for at in (place - 1, place) if 0 <= at < len(left)]
        nearest = min(near, key=lambda at: abs(len(left[at]) - len(better)))
        pairs.append((better, left.pop(nearest)))
    dice.shuffle(pairs)
    return pairs


def corrupted_pairs(
    data: Path, encode: Encode, end: int, calibration: Calibration, *, most: int, context: int, dice: random.Random
) -> list[Pair]:
    """At most `most` pairs from the documents of stage 1; kinds of corruption and directions take turns.

    There are fewer where the documents do not yield so many: each serves once for each kind at most.
    """
    full = [document for document in documents(data / TRAIN) if kind(document) == "full"]
    wanted = {name: (most + place) // len(CORRUPTIONS) for place, name in enumerate(CORRUPTIONS)}
    pairs: list[Pair] = []
    for name, count in wanted.items():
        left = full.copy()
        dice.shuffle(left)
        while left and count:
            true, direction = left.pop(), DIRECTIONS[count % 2]

            def fitting(claims: tuple[str, ...], of: Document = true, layout: Direction = direction) -> list[int]:
                return _ids(encode, end, layout, of, claims)

            claims = _fit(fitting, true.claims, context)
            original, other = as_disclosure(replace(true, claims=claims)), dice.choice(full)
            if len(claims) < FEWEST_CLAIMS or other is true:
                continue
            worse = corrupt(name, original, as_disclosure(other), dice, calibration)
            texts = tuple(claim.text for claim in worse.claims) if worse else ()
            if texts and (pair := split(name, fitting(claims), fitting(texts), context)):
                pairs.append(pair)
                count -= 1
    return pairs


def _layout(direction: Direction, disclosure: Disclosure) -> str:
    return write_layout(direction, disclosure.title, disclosure.abstract, [claim.text for claim in disclosure.claims])


def _ids(encode: Encode, end: int, direction: Direction, document: Document, claims: Sequence[str]) -> list[int]:
    """A layout with an end token; bottom-up no further than the heading behind the claims, as the fault is in these."""
    text = write_layout(direction, document.title, document.abstract, claims)
    if direction == "top-down":
        return [*encode(text), end]
    return encode(text[: text.rindex(f"{ABSTRACT}\n") + len(ABSTRACT) + 1])


def _fit(ids: Callable[[tuple[str, ...]], list[int]], claims: tuple[str, ...], context: int) -> tuple[str, ...]:
    """As many whole claims as fit three quarters of the context, which leaves room for a corruption."""
    most = context * 3 // 4
    while claims and (length := len(ids(claims))) > most:
        claims = claims[: min(len(claims) - 1, max(1, len(claims) * most // length))]
    return claims
