"""The commands of blind review: make a form, score two raters' answers, raise a disclosure's review."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication

if TYPE_CHECKING:
    from generator.corpus.documents import Document, Skipped
    from generator.measure.review.agreement import Agreement
    from generator.measure.review.form import Answers

KEY_SCHEMA = "prior-art-review-key/v1"
FORM, KEY = "form.html", "key.json"


def make(
    publication: Publication, out: Path, real: tuple[Path, ...], sample: int = 100, seed: int | None = None
) -> Outcome:
    """Write the form for the raters and the key that stays with the organiser."""
    import secrets

    from generator.base import canonical, files
    from generator.measure.review.form import form_id, render
    from generator.measure.review.sample import accepted, draw

    for name in (FORM, KEY):
        if (out / name).exists():
            raise ConfigError(f"{out / name} exists: raters may be at work with it", hint="Give another --out.")
    if not real:
        raise ConfigError("real patents are needed to compare with", hint="Give --real FILE: what `corpus add` reads.")
    seed = secrets.randbits(32) if seed is None else seed
    drawn = draw(accepted(publication.output, publication.settings), _real(publication, real), sample, seed)
    items = tuple(one.item for one in drawn)
    form = form_id(items)
    key = {
        "schema": KEY_SCHEMA,
        "form": form,
        "seed": str(seed),
        "created_at": publication.now(),
        "items": [{"id": one.item.id, "set": one.set, "sources": list(one.sources)} for one in drawn],
    }
    files.write(out / KEY, canonical.dumps(key))  # first: a form without its key is of no use
    files.write(out / FORM, render(items).encode())
    counts = {name: sum(one.set == name for one in drawn) for name in ("disclosure", "real", "control")}
    mixed = f"{counts['disclosure']} disclosures, {counts['real']} real patents, {counts['control']} controls"
    lines = (
        f"review: {mixed} in {out / FORM}: give it to two raters",
        f"review: {out / KEY} says which is which: keep it from them",
    )
    return Outcome(lines, {"form": form, "seed": seed, "texts": len(drawn), **counts, "folder": str(out)})


def _real(publication: Publication, paths: tuple[Path, ...]) -> "Iterator[Document | Skipped]":
    from generator.corpus.documents import Skipped
    from generator.corpus.reading import read_documents

    for path in paths:
        skipped = 0
        for _, item in read_documents(path):
            skipped += isinstance(item, Skipped)
            yield item
        if skipped:
            publication.report(f"review: {path}: {skipped} documents could not be read and were passed over")


def score(_: Publication, key: Path, raters: tuple[Path, Path]) -> Outcome:
    """Rates with intervals for each question and set, and Cohen's kappa."""
    from generator.measure.review.form import QUESTIONS, read_answers
    from generator.measure.review.sample import SET_NAMES

    form, sets = _key(key)
    first, second = (read_answers(path, form, frozenset(sets)) for path in raters)
    if first.rater.casefold() == second.rater.casefold():
        raise ConfigError(f"both files are of the rater {first.rater}", hint="Give the answers of two raters.")
    groups = {"all": list(sets), **{name: [item for item in sets if sets[item] == name] for name in SET_NAMES}}
    lines = [f"review {form[:8]}: {len(sets)} texts, raters {first.rater} and {second.rater}"]
    figures: dict[str, Any] = {"form": form, "raters": [first.rater, second.rater], "questions": {}}
    for question, text in QUESTIONS:
        lines += ["", f"{question}: {text}"]
        figures["questions"][question] = {}
        for name, texts in groups.items():
            found = _agreement(texts, question, first, second)
            lines += _lines(SET_NAMES.get(name, "all texts"), found, (first.rater, second.rater), rates=name != "all")
            figures["questions"][question][name] = _figures(found)
    return Outcome(tuple(lines), figures)


def _key(path: Path) -> tuple[str, dict[str, str]]:
    """The form's id, and the set of each text."""
    from generator.measure.review.form import read_json
    from generator.measure.review.sample import SET_NAMES

    hint = f"Give the {KEY} that `review make` wrote."
    value = read_json(path, "the key", hint)
    try:
        sets = {str(item["id"]): str(item["set"]) for item in value["items"]}
        if value["schema"] != KEY_SCHEMA or not sets or not set(sets.values()) <= SET_NAMES.keys():
            raise ValueError("not a key of this version")
        return str(value["form"]), sets
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: not the key of a review: {error}", hint=hint) from error


def _agreement(texts: list[str], question: str, first: "Answers", second: "Answers") -> "Agreement":
    from generator.measure.review.agreement import agreement

    said = [
        {item: answers[question] for item, answers in rater.answers.items() if question in answers}
        for rater in (first, second)
    ]
    return agreement(texts, said[0], said[1])


def _lines(name: str, found: "Agreement", raters: tuple[str, str], rates: bool) -> list[str]:
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


def _figures(found: "Agreement") -> dict[str, Any]:
    rates = {"first": found.raters[0], "second": found.raters[1], "both": found.both}
    return {
        **{name: {"yes": rate.yes, "n": rate.n, "interval": list(rate.interval)} for name, rate in rates.items()},
        "kappa": {"value": found.decided.value, "n": found.decided.n},
        "kappa_with_unknown": {"value": found.all_answers.value, "n": found.all_answers.n},
        "unknown": list(found.unknown),
        "missing": list(found.missing),
    }


def raise_review(publication: Publication, serial: str, by: str) -> Outcome:
    """Queue the disclosure anew with who reviewed it; `append` logs it and that it supersedes the old one."""
    import re

    from generator.log.superseding import queue_review
    from generator.publish import facts_branch
    from generator.site.citation import display_id

    found = re.fullmatch(rf"(?:{re.escape(publication.settings.prefix)}-)?0*(\d{{1,15}})", serial.strip())
    if not found:
        name = display_id(123, publication.settings)
        raise ConfigError(f"{serial[:40]!r} is no serial number", hint=f"Give a number such as 123 or {name}.")
    number = int(found[1])
    with facts_branch.alone(publication.output, publication.report):
        if branch := facts_branch.branch_of(publication):
            branch.sync()
        path, done = queue_review(publication.output, number, by)
    old = display_id(number, publication.settings)
    figures = {"serial": number, "review": by, "superseded_by": done, "queued": "" if done is not None else path.name}
    if done is not None:
        new = display_id(done, publication.settings)
        return Outcome((f"review: done already: {new} supersedes {old}, reviewed by {by}",), figures)
    return Outcome((f"review: {old}, reviewed by {by}, waits in {path}; to log it: prior-art append",), figures)
