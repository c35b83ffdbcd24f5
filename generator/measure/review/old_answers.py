"""Answers to forms of before 0.7, by yes, no or "cannot say" to four questions: they can still be scored."""

from collections.abc import Mapping
from typing import Any

from generator.measure.review.agreement import Agreement, agreement
from generator.measure.review.form import OLD_QUESTIONS, Answers


def old_score(
    form: str, sets: Mapping[str, str], names: Mapping[str, str], first: Answers, second: Answers
) -> tuple[list[str], dict[str, Any]]:
    """Lines and figures. `sets` is the set of each text, `names` what the sets are called."""
    groups = {"all": list(sets), **{name: [item for item in sets if sets[item] == name] for name in names}}
    raters = (first.rater, second.rater)
    lines = [f"review {form[:8]}: {len(sets)} texts, raters {first.rater} and {second.rater}"]
    figures: dict[str, Any] = {"form": form, "raters": list(raters), "questions": {}}
    for question, text in OLD_QUESTIONS:
        lines += ["", f"{question}: {text}"]
        figures["questions"][question] = {}
        for name, texts in groups.items():
            if texts:
                found = _agreement(texts, question, first, second)
                lines += _lines(names.get(name, "all texts"), found, raters, rates=name != "all")
                figures["questions"][question][name] = _figures(found)
    return lines, figures


def _agreement(texts: list[str], question: str, first: Answers, second: Answers) -> Agreement:
    said = [
        {item: answers[question] for item, answers in rater.answers.items() if question in answers}
        for rater in (first, second)
    ]
    return agreement(texts, said[0], said[1])


def _lines(name: str, found: Agreement, raters: tuple[str, str], rates: bool) -> list[str]:
    lines = [f"  {name}: kappa {found.decided}; with “cannot say” as an answer {found.all_answers}"]
    if rates:
        lines += [f"    {rater}: yes {rate}" for rater, rate in zip(raters, found.raters, strict=True)]
        lines.append(f"    both: yes {found.both}")
    lines += [
        f"    {rater}: {unknown} cannot say, {missing} not answered"
        for rater, unknown, missing in zip(raters, found.unknown, found.missing, strict=True)
        if unknown or missing
    ]
    return lines


def _figures(found: Agreement) -> dict[str, Any]:
    rates = {"first": found.raters[0], "second": found.raters[1], "both": found.both}
    return {
        **{name: {"yes": rate.yes, "n": rate.n, "interval": list(rate.interval)} for name, rate in rates.items()},
        "kappa": {"value": found.decided.value, "n": found.decided.n},
        "kappa_with_unknown": {"value": found.all_answers.value, "n": found.all_answers.n},
        "unknown": list(found.unknown),
        "missing": list(found.missing),
    }
