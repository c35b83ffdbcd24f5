"""What the scores of several models come to on one set of questions: figures for machines, one table for people."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generator.measure.evaluation.baselines import PUBLISHED, chance, frequent_letter, longest, nearest
from generator.measure.evaluation.choices import LETTERS, Question
from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.likelihood import Scores
from generator.measure.evaluation.table import cell, interval, joined, percent, rate, table

SCHEMA = "prior-art-evaluation/v1"
WAYS = ("letter", "conditional")
COLUMNS = (
    "system",
    "way to choose",
    "accuracy",
    "95 % interval",
    "n",
    "do not fit",
    "TF-IDF on the same n",
    "ties",
    "s a question",
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A model with its scores and the seconds of each question, in the order of the questions."""

    contender: Contender
    scores: list[tuple[Scores, float]]


def chosen(scores: Sequence[float], text: str) -> tuple[int, bool]:
    """The place of the highest score, and whether several had it: one of those is drawn by the digest of `text`.

    Taking the first of equals would give a model that knows nothing whatever share of answers stands at A.
    """
    best = max(scores)
    places = [place for place, score in enumerate(scores) if score == best]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return places[int.from_bytes(digest) % len(places)], len(places) > 1


def standings(
    answered: Sequence[Answered], questions: Sequence[Question], of: int, digest: str, task: str, file: str
) -> dict[str, Any]:
    """The result as JSON. `of`: questions in the file, with the SHA-256 `digest`; `questions` are the first of them."""
    near = [place == one.answer for place, one in zip(nearest(questions), questions, strict=True)]
    long = [place == one.answer for place, one in zip(longest(questions), questions, strict=True)]
    letter = frequent_letter(questions)
    always = sum(one.answer == letter for one in questions)
    return {
        "schema": SCHEMA,
        "task": task,
        "file": file,
        "questions_sha256": digest,
        "questions": len(questions),
        "questions_in_file": of,
        "equal_options": sum(len(set(one.options)) < len(one.options) for one in questions),
        "models": [
            {
                "name": one.contender.name,
                **one.contender.identity(),
                "seconds_per_question": round(math.fsum(s for _, s in one.scores) / len(questions), 3),
                "ways": {way: _way(way, one, questions, near) for way in WAYS},
            }
            for one in answered
        ],
        "baselines": [
            {"name": "chance", "accuracy": chance(questions)},
            {"name": f"always {LETTERS[letter]}, the most frequent letter", **_rate(always, len(questions))},
            {"name": "longest option", **_rate(sum(long), len(questions))},
            {"name": "TF-IDF cosine", **_rate(sum(near), len(questions))},
        ],
        "published": [asdict(one) for one in PUBLISHED.get(digest, ())],
    }


def _way(way: str, answered: Answered, questions: Sequence[Question], near: Sequence[bool]) -> dict[str, Any]:
    """Of one model and one way to choose. Only what fits the context counts; TF-IDF stands there for the same."""
    hits = ties = other = n = 0
    for (scores, _), question, lexical in zip(answered.scores, questions, near, strict=True):
        values: tuple[float, ...] = getattr(scores, way)
        if values:
            place, tied = chosen(values, question.asked())
            n, hits, ties, other = n + 1, hits + (place == question.answer), ties + tied, other + lexical
    longest_row = max(getattr(scores, f"{way}_tokens") for scores, _ in answered.scores)
    return {
        **_rate(hits, n),
        "overflow": len(questions) - n,
        "ties": ties,
        "longest_tokens": longest_row,
        "tfidf_on_the_same": other / n if n else None,
    }


def _rate(hits: int, n: int) -> dict[str, Any]:
    found = rate(hits, n)
    return {"accuracy": found.pop("share"), **found}


def markdown(figures: dict[str, Any]) -> list[str]:
    """The table and what must be known to read it."""
    part = figures["questions"] < figures["questions_in_file"]
    which = f"the first {figures['questions']} of {figures['questions_in_file']}" if part else f"{figures['questions']}"
    lines = [
        f"# {cell(figures['file'])}: {which} questions",
        "",
        *table(COLUMNS, ()),
    ]
    for model in figures["models"]:
        for way in WAYS:
            lines.append(_row(model, way))
    for one in figures["baselines"]:
        cells = (one["name"], "baseline", percent(one["accuracy"]), interval(one), one.get("n", ""))
        lines.append(joined((*cells, *[""] * 4)))
    for one in figures["published"]:
        source = f"published, not measured here; all {figures['questions_in_file']}: {one['source']}"
        lines.append(joined((one["system"], source, f"{one['accuracy']:.1f} %", *[""] * 6)))
    return [*lines, "", *_remarks(figures)]


def _row(model: dict[str, Any], way: str) -> str:
    found = model["ways"][way]
    seconds = f"{model['seconds_per_question']:.1f}" if way == WAYS[0] else ""
    cells = (
        model["name"],
        way,
        percent(found["accuracy"]) if found["n"] else f"cannot: context {model['context']} tokens",
        interval(found),
        found["n"],
        found["overflow"],
        percent(found["tfidf_on_the_same"]),
        found["ties"],
        seconds,
    )
    return joined(cells)


def _remarks(figures: dict[str, Any]) -> list[str]:
    lines = [
        "letter: mean log-likelihood of an option's letter after `Answer:`, each option standing once at each letter. "
        "conditional: log p(text given the option) - log p(text). Of equal scores one is drawn; ties counts them.",
        "Questions that do not fit a model's context are neither cut nor counted as answered: accuracy and interval "
        "are of the n that fit. Compare them with TF-IDF on the same n, not with the rows below.",
        "Right answers of a public set may stand in the training data of any model; that is not measured here.",
    ]
    for model in figures["models"]:
        for way in WAYS:
            found = model["ways"][way]
            if not found["n"]:
                lines.append(
                    f"{cell(model['name'])} cannot do this by {way}: none of the questions fits its context of "
                    f"{model['context']} tokens; the longest needs {found['longest_tokens']}."
                )
    if figures["equal_options"]:
        lines.append(f"Questions with two equal options, of which only one counts: {figures['equal_options']}.")
    return lines
