"""Weights and thresholds of the sense gate, from real patents, their damaged copies, and drafts of weak models.

Weights: logistic regression with a ridge, classes balanced, on the documents that are not held out. Thresholds: the
share LOSS of real documents that each question refuses. Half of the drafts and the documents held out are never seen.
Excerpts of real documents, their first one to three claims, count as real for the questions about words: a short text
is not a bad one. Ratings: what blind raters gave to accepted drafts of scribe, the mean of each draft.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import canonical, files
from generator.base.errors import ConfigError, CorpusError
from generator.base.values import read
from generator.judge.calibration import Real
from generator.judge.checks import Passed, check
from generator.judge.damage import DAMAGES, chimera, damaged
from generator.judge.parsing import Parsed, parse
from generator.judge.plausibility import plausibility
from generator.judge.sense import (
    MEASURES,
    MILLION,
    RATED,
    READ,
    SCHEMA,
    WORDS,
    Question,
    Rating,
    Weight,
    identifier,
    word_measures,
)
from generator.record.disclosure import Disclosure

if TYPE_CHECKING:
    from generator.model.reader import Reader

Figures = dict[str, float]
# Thousandths of real documents.
LOSS = {"goes_on": 20, "ends_whole": 25, "terms_in_place": 8, "belongs_together": 8, "reads_real": 10}
AGAINST = {
    "goes_on": ("self_reference", "drafts"),
    "ends_whole": ("cut_steps",),
    "belongs_together": ("chimera", "near_chimera"),
    "terms_in_place": ("swapped_nouns",),
    "reads_real": ("self_reference", "drafts"),
}
TRUE = frozenset({"real", "excerpts", "rated"})
RIDGE, STEPS = 3.0, 60
RATED_RIDGE = 10.0
RATED_DRAFTS = Path(__file__).with_name("rated.jsonl.zst")
LEAST = 100


def fit_sense(
    real: Sequence[Real],
    drafts: Sequence[Disclosure],
    rated: Sequence[tuple[Disclosure, float]],
    reader: "Reader",
    out: Path,
    report: Callable[[str], None],
    *,
    size: int = 400,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit all questions on at most `size` real documents, the ratings on `rated` drafts, and write them to `out`.

    Figures of each set are kept beside `out` until the end, so that the same call goes on. Raises CorpusError.
    """
    dice = random.Random(seed)
    known = [one.disclosure for one in real if not one.held_out and isinstance(check(one.disclosure), Passed)]
    dice.shuffle(known)
    known = known[:size]
    if len(known) < LEAST:
        raise CorpusError(f"{len(known)} real documents passed the checks of form; {LEAST} are needed")
    excerpts = [replace(one, claims=one.claims[: dice.randint(1, 3)]) for one in known[: size // 3]]
    sets = {"real": known, "excerpts": excerpts, **damaged_sets(known[: size // 3], drafts, dice)}
    sets["rated"] = [one for one, _ in rated]
    figures = {kind: _kept(kind, texts, reader, out, report) for kind, texts in sets.items()}
    questions = [fit_question(name, figures) for name in MEASURES]
    value: dict[str, Any] = {
        "schema": SCHEMA,
        "reader": reader.name,
        "documents": len(known),
        "loss": LOSS,
        "questions": [
            {"name": one.name, "weights": _stored(one.weights), "bias": round(one.bias * MILLION), "least": one.least}
            for one in questions
        ],
        "rated": len(rated),
        "ratings": [
            {"weights": _stored(one.weights), "bias": round(one.bias * MILLION)}
            for names in RATED
            for one in [fit_rating(sorted(names), figures["rated"], [mean for _, mean in rated])]
        ],
    }
    value["id"] = identifier(value)
    files.write(out, canonical.dumps(value) + b"\n")
    for path in out.parent.glob(f"{out.name}.*.part"):
        path.unlink()
    return value


def damaged_sets(
    real: Sequence[Disclosure], drafts: Sequence[Disclosure], dice: random.Random
) -> dict[str, list[Disclosure]]:
    """Texts by the name of what is wrong with them; those that the checks of form refuse already are left out."""
    made: dict[str, list[Disclosure]] = {
        kind: [rewritten(one, texts) for one, texts in damaged(real, kind, dice)]
        for kind in DAMAGES
        if any(kind in against for against in AGAINST.values())
    }
    made["chimera"] = list(_chimeras(real, dice))
    made["near_chimera"] = list(_near_chimeras(real))
    made["drafts"] = list(drafts)
    return {kind: [p.disclosure for p in map(check, texts) if isinstance(p, Passed)] for kind, texts in made.items()}


def rewritten(disclosure: Disclosure, texts: Sequence[str]) -> Disclosure:
    claims = tuple(replace(claim, text=text) for claim, text in zip(disclosure.claims, texts, strict=True))
    return replace(disclosure, claims=claims)


def _kept(
    kind: str, texts: Sequence[Disclosure], reader: "Reader", out: Path, report: Callable[[str], None]
) -> list[Figures]:
    """The figures of a set, from the file beside `out` that an earlier call left, or read now and left there."""
    asked = reader if kind in TRUE or any(kind in AGAINST[name] for name in READ) else None
    digest = hashlib.sha256(repr([asked and asked.name, texts]).encode()).hexdigest()[:16]
    path = out.with_name(f"{out.name}.{kind}-{digest}.part")
    if path.exists():
        try:
            kept: tuple[Figures, ...] = read(tuple[dict[str, float], ...], json.loads(path.read_bytes()), "figures")
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}: damaged: {error}", hint="Remove it: its texts are read anew.") from error
        return list(kept)
    report(f"sense: {kind}, {len(texts)} texts")
    found = _figures(texts, asked, report)
    files.write(path, json.dumps(found).encode())
    return found


def _figures(texts: Sequence[Disclosure], reader: "Reader | None", report: Callable[[str], None]) -> list[Figures]:
    found = []
    for number, one in enumerate(texts, 1):
        found.append(word_measures(one))
        for step in plausibility(one, reader) if reader else ():
            found[-1] |= step
        if reader and number % 50 == 0:
            report(f"sense: {number} of {len(texts)} read")
    return found


def fit_question(name: str, figures: dict[str, list[Figures]]) -> Question:
    """Logistic regression by Newton's method; each class weighs as much as the other."""
    import numpy as np

    names = sorted(MEASURES[name])
    true = [*figures["real"], *(figures["excerpts"] if MEASURES[name] >= WORDS else ())]
    good = np.array([[one[key] for key in names] for one in true])
    bad = np.array([[one[key] for key in names] for kind in AGAINST[name] for one in figures[kind]])
    rows = np.vstack([good, bad])
    mean, scale = rows.mean(0), rows.std(0) + 1e-6
    x = np.c_[(rows - mean) / scale, np.ones(len(rows))]
    y = np.r_[np.ones(len(good)), np.zeros(len(bad))]
    balance = np.where(y == 1, len(rows) / (2 * len(good)), len(rows) / (2 * len(bad)))
    ridge = np.diag([*[RIDGE] * len(names), 0.0])
    w = np.zeros(len(names) + 1)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (balance * (p - y)) + ridge @ w
        curve = (x * (balance * p * (1 - p))[:, None]).T @ x + ridge
        w -= np.linalg.solve(curve + 1e-9 * np.eye(len(w)), slope)
    weights = {key: Weight(_rounded(mean[i]), _rounded(scale[i]), _rounded(w[i])) for i, key in enumerate(names)}
    question = Question(name, weights, _rounded(w[-1]), 0)
    scores = sorted(question.score(one) for one in true)
    return replace(question, least=scores[len(scores) * LOSS[name] // 1000])


def rated_drafts() -> list[tuple[Disclosure, float]]:
    """Drafts of scribe that passed the gates, as they would be published, and the mean of their blind ratings."""
    import zstandard

    with RATED_DRAFTS.open("rb") as file:
        rows = [json.loads(line) for line in zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()]
    found = []
    for row in rows:
        draft = parse(row["text"], row["direction"], row["stop"])
        passed = check(draft.disclosure) if isinstance(draft, Parsed) else None
        if isinstance(passed, Passed):
            found.append((passed.disclosure, sum(row["ratings"]) / len(row["ratings"])))
    return found


def fit_rating(names: Sequence[str], figures: Sequence[Figures], ratings: Sequence[float]) -> Rating:
    """Linear regression with a ridge; measures in units of their spread."""
    import numpy as np

    rows = np.array([[one[key] for key in names] for one in figures])
    mean, scale = rows.mean(0), rows.std(0) + 1e-6
    x, y = (rows - mean) / scale, np.array(ratings)
    w = np.linalg.solve(x.T @ x + RATED_RIDGE * np.eye(len(names)), x.T @ (y - y.mean()))
    weights = {key: Weight(_rounded(mean[i]), _rounded(scale[i]), _rounded(w[i])) for i, key in enumerate(names)}
    return Rating(weights, _rounded(y.mean()))


def _rounded(value: Any) -> float:
    return round(float(value) * MILLION) / MILLION


def _stored(weights: Mapping[str, Weight]) -> list[dict[str, Any]]:
    return [
        {"name": name, "mean": round(one.mean * MILLION), "scale": round(one.scale * MILLION),
         "weight": round(one.weight * MILLION)}
        for name, one in weights.items()
    ]  # fmt: skip


def _chimeras(real: Sequence[Disclosure], dice: random.Random) -> Iterable[Disclosure]:
    for head in real:
        giver = dice.choice(real)
        if giver is not head and (made := _parsed(chimera(head, giver))):
            yield made


def _near_chimeras(real: Sequence[Disclosure]) -> Iterable[Disclosure]:
    from generator.judge.damage import most_alike

    for head, giver in most_alike(real, real):
        if made := _parsed(chimera(head, giver)):
            yield made


def _parsed(text: str) -> Disclosure | None:
    found = parse(text, "top-down", "end")
    return found.disclosure if isinstance(found, Parsed) else None
