"""The few best of what a run accepted: the others stay out; the log counts and hashes them.

A disclosure's rank is the rating that blind readers are expected to give it (judge/sense), from 0 to 3. A disclosure
for which none is expected, as its judgement is old or missing, stays out.
"""

import hashlib
import math
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from generator.base import canonical, files
from generator.judge.sense import RATING
from generator.log.archive import WAITING, queued
from generator.log.left_out import CHOICE, FOLDER, digests_of, root_of
from generator.record.judgement import Judgement

FLOOR = 1.1  # of a rank: below it few texts tell a reader what is claimed
JUDGED = ".judgement.json"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen. `left_root` is the root over the SHA-256s of all that was left out: `append` logs it with their
    number, and so commits to the list without publishing it."""

    published: int
    left: int
    below_floor: int
    left_root: str


def rank(judgement: Judgement) -> float | None:
    """The expected rating; None where there is none."""
    measures = judgement.sense.measures if judgement.sense else ()
    return next((one.value / 1000 for one in measures if one.name == RATING), None)


def choose(output: Path, run: str, most: int, *, of_a_class: int, floor: float) -> Choice:
    """Leave the `most` best of the queue in it, at most `of_a_class` of a CPC subclass and none below `floor`.

    The others go to `output/left-out/<run>/`. Records that supersede one stay. After a kill the same call goes on.
    Raises PressError.
    """
    ranked = []
    for record in queued(output):
        if record.with_suffix(WAITING[-1]).exists():
            continue
        judged = record.with_suffix(JUDGED)
        judgement = Judgement.from_bytes(files.read(judged, "a judgement")) if judged.exists() else None
        digest = hashlib.sha256(files.read(record, "a record")).hexdigest()
        subclasses = judgement.classification.subclasses if judgement else ()
        ranked.append(
            (rank(judgement) if judgement else None, digest, record, subclasses[0].symbol if subclasses else "")
        )
    ranked.sort(key=lambda one: (-math.inf if one[0] is None else one[0], one[1]), reverse=True)
    aside = output / FOLDER / run
    classes: Counter[str] = Counter()
    below = 0
    for found, _, record, subclass in ranked:
        low = found is None or found < floor
        below += low
        if not low and classes.total() < most and classes[subclass] < of_a_class:
            classes[subclass] += 1
        else:
            _move(record, aside)
    digests = digests_of(_records(aside))
    choice = Choice(classes.total(), len(digests), below, root_of(digests).hex())
    files.write(aside / CHOICE, canonical.dumps(asdict(choice)))
    return choice


def _records(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.json") if path.name != CHOICE and not path.name.endswith(WAITING)]


def _move(record: Path, aside: Path) -> None:
    """What lies beside the record first, the record last: until then it waits, and a kill loses nothing."""
    aside.mkdir(parents=True, exist_ok=True)
    for suffix in WAITING:
        beside = record.with_suffix(suffix)
        if beside.exists():
            files.write(aside / beside.name, beside.read_bytes())
    record.rename(aside / record.name)
    for suffix in WAITING:
        record.with_suffix(suffix).unlink(missing_ok=True)
