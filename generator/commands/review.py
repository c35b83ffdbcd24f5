"""The commands of blind reading: make forms, score two raters' answers, raise a disclosure's review."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.base.values import Faults, member, read

if TYPE_CHECKING:
    from generator.corpus.documents import Document, Skipped
    from generator.measure.review.form import Answers
    from generator.measure.review.sample import Drawn
    from generator.measure.review.scale import Rated

KEY_SCHEMA, OLD_KEY_SCHEMA = "prior-art-review-key/v2", "prior-art-review-key/v1"
FORM, KEY = "form.html", "key.json"


def make(
    publication: Publication,
    out: Path,
    real: tuple[Path, ...] = (),
    sample: int = 16,
    draws: int = 3,
    seed: int | None = None,
) -> Outcome:
    """Write a form for the raters and the key that stays with the organiser, for each draw."""
    import secrets

    from generator.base import canonical, files
    from generator.measure.controls import SHIPPED
    from generator.measure.review.form import form_id, render
    from generator.measure.review.sample import draw, reviewable

    folders = [out / str(number) for number in range(1, draws + 1)] if draws > 1 else [out]
    for path in (folder / name for folder in folders for name in (FORM, KEY)):
        if path.exists():
            raise ConfigError(f"{path} exists: raters may be at work with it", hint="Give another --out.")
    seed = secrets.randbits(32) if seed is None else seed
    known = reviewable(publication.output, publication.settings)
    made = draw(known, _real(publication, real or (SHIPPED,)), sample, seed, draws)
    forms = []
    for folder, drawn in zip(folders, made, strict=True):
        items = tuple(one.item for one in drawn)
        forms.append(form_id(items))
        files.write(
            folder / KEY, canonical.dumps(_key_of(forms[-1], drawn, seed, publication.now()))
        )  # before its form
        files.write(folder / FORM, render(items).encode())
    counts = Counter(one.set for one in made[0])
    lines = (
        f"review: {_counted(counts)} in each of: {', '.join(str(folder / FORM) for folder in folders)}",
        "review: give each form to the same two raters, who do not talk about it",
        f"review: {KEY} beside a form says which text is which: keep it from them",
    )
    figures = {"forms": forms, "seed": seed, "texts": len(made[0]), "folder": str(out)}
    return Outcome(lines, figures | {str(name): n for name, n in counts.items()})


def _counted(counts: "Counter[Any]") -> str:
    from generator.measure.review.sample import SET_NAMES

    return ", ".join(f"{counts[name]} {text}" for name, text in SET_NAMES.items() if counts[name])


def _key_of(form: str, drawn: "tuple[Drawn, ...]", seed: int, now: str) -> dict[str, Any]:
    items = [{"id": one.item.id, "set": one.set, "source": one.source, "model": one.model} for one in drawn]
    return {"schema": KEY_SCHEMA, "form": form, "seed": str(seed), "created_at": now, "items": items}


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


@dataclass(frozen=True, slots=True)
class _Form:
    """A form by its key: the set of each text, the models of its disclosures; `old`: of before 0.7."""

    name: str
    sets: dict[str, str]
    models: tuple[str, ...]
    old: bool


def score(publication: Publication, files: tuple[Path, ...], by: str = "") -> Outcome:
    """Means with intervals of each set, and Cohen's kappa. `files`: keys, and the answers of two raters to each.

    With `by`, who rated, the ratings are kept for the report, which the Quality page shows.
    """
    from generator.measure.review.scale import Rated

    forms, answers = _sorted(files)
    if any(form.old for form in forms):
        return _old_score(forms, answers)
    rated, open_texts, raters = list[Rated](), 0, dict[str, None]()
    for form in forms:
        first, second = _pair(form, answers)
        raters.update({first.rater: None, second.rater: None})
        for text, kind in form.sets.items():
            given = [one.answers.get(text, {}).get("sense") for one in (first, second)]
            if None in given:
                open_texts += 1
            else:
                rated.append(Rated(kind, (int(str(given[0])), int(str(given[1])))))
    if not rated:
        raise ConfigError("no text has the ratings of both raters", hint="Ask the raters to fill the form.")
    outcome = _scored(rated, len(forms), tuple(raters), open_texts)
    return _kept(publication, outcome, forms, rated, by) if by.strip() else outcome


def _scored(rated: "list[Rated]", draws: int, raters: tuple[str, ...], left: int) -> Outcome:
    from generator.measure.review.sample import SET_NAMES
    from generator.measure.review.scale import GOAL_MEAN, GOAL_ZEROS, reached, summary

    figures = summary(rated)
    lines = [f"review: {len(rated)} texts in {draws} draws, raters {', '.join(raters)}"]
    if left:
        lines.append(f"review: {left} texts lack a rating and are left out")
    kappas = ["undefined" if k is None else f"{k:.2f}" for k in (figures["kappa"], figures["weighted_kappa"])]
    lines.append(f"kappa {kappas[0]}, with squared weights {kappas[1]} (n = {len(rated)})")
    for name, found in figures["sets"].items():
        each = " and ".join(f"{mean:.2f}" for mean in found["raters"])
        zeros = f"{found['zeros']} = {found['zeros'] / found['n']:.0%}"
        lines.append(
            f"{SET_NAMES.get(name, name)} ({found['n']}): mean {found['mean']:.2f} ({found['low']:.2f} to "
            f"{found['high']:.2f}), of each rater {each}; zeros {zeros} ({found['zeros_low']:.0%} to "
            f"{found['zeros_high']:.0%}); 2 or better by both {found['two_or_better']}"
        )
    goal = f"the goal for disclosures, a mean of {GOAL_MEAN} and at most {GOAL_ZEROS:.0%} zeros,"
    lines.append(f"review: {goal} is {'reached' if reached(figures) else 'not reached'}")
    whole = {**figures, "draws": draws, "raters": list(raters), "left": left, "reached": reached(figures)}
    return Outcome(tuple(lines), whole)


def _kept(publication: Publication, outcome: Outcome, forms: "list[_Form]", rated: "list[Rated]", by: str) -> Outcome:
    """Write the ratings among the facts: without names, `by` says who rated."""
    from generator.base import canonical, files
    from generator.site.report_facts import READING_SCHEMA, READINGS

    names = sorted(form.name for form in forms)
    value = {
        "schema": READING_SCHEMA,
        "by": " ".join(by.split()),
        "read_at": publication.now(),
        "forms": names,
        "models": sorted({model for form in forms for model in form.models}),
        "ratings": [{"set": one.set, "first": one.ratings[0], "second": one.ratings[1]} for one in rated],
    }
    name = hashlib.sha256("".join(names).encode()).hexdigest()[:16]
    path = publication.output / READINGS / f"{name}.json"
    if path.exists():
        raise ConfigError(
            f"{path}: these forms were scored and kept already", hint="Leave out --by to score them again."
        )
    files.write(path, canonical.dumps(value))
    line = f"review: kept in {path}; to show it on the Quality page: prior-art report"
    return Outcome((*outcome.lines, line), {**outcome.figures, "kept": str(path)})


def _sorted(paths: tuple[Path, ...]) -> "tuple[list[_Form], list[Answers]]":
    """Keys and answers, in whatever order they were given. Raises ConfigError."""
    from generator.measure.review.form import ANSWERS_SCHEMA, OLD_ANSWERS_SCHEMA, read_answers, read_json

    hint = f"Give each {KEY} that `review make` wrote, and the two files of answers to its form."
    read = [(path, read_json(path, "a key or a rater's answers", hint)) for path in paths]
    forms = {form.name: form for form in (_key(path, v) for path, v in read if str(v.get("schema")).count("-key/"))}
    answers = []
    for path, value in read:
        schema = value.get("schema")
        if schema in (KEY_SCHEMA, OLD_KEY_SCHEMA):
            continue
        if schema not in (ANSWERS_SCHEMA, OLD_ANSWERS_SCHEMA):
            raise ConfigError(f"{path}: neither a key nor a file of answers", hint=hint)
        form = forms.get(str(value.get("form")))
        if form is None or form.old != (schema == OLD_ANSWERS_SCHEMA):
            raise ConfigError(f"{path}: answers to another form", hint="Give the key of the form that was answered.")
        answers.append(read_answers(path, value, frozenset(form.sets), old=form.old))
    if not forms:
        raise ConfigError("no key is among the files", hint=hint)
    return list(forms.values()), answers


def _pair(form: _Form, answers: "list[Answers]") -> "tuple[Answers, Answers]":
    """The two raters of a form, in alphabetical order: so pooled draws have the same one first."""
    found = sorted((one for one in answers if one.form == form.name), key=lambda one: one.rater.casefold())
    if len(found) != 2:
        raise ConfigError(
            f"form {form.name[:8]}: {len(found)} files of answers, two are needed",
            hint="Give with each key the answers of two raters.",
        )
    if found[0].rater.casefold() == found[1].rater.casefold():
        raise ConfigError(f"both files are of the rater {found[0].rater}", hint="Give the answers of two raters.")
    return found[0], found[1]


def _old_score(forms: list[_Form], answers: "list[Answers]") -> Outcome:
    from generator.measure.review.old_answers import old_score
    from generator.measure.review.sample import SET_NAMES

    if len(forms) > 1:
        raise ConfigError("a form of before 0.7 is scored by itself", hint="Give one key and two files of answers.")
    pair = _pair(forms[0], answers)
    lines, figures = old_score(forms[0].name, forms[0].sets, SET_NAMES, *pair)
    return Outcome(tuple(lines), figures)


@dataclass(frozen=True, slots=True)
class _Item:
    OTHERS: ClassVar = True
    id: str
    set: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Key:
    OTHERS: ClassVar = True
    schema: Literal["prior-art-review-key/v2", "prior-art-review-key/v1"]
    form: str
    items: tuple[_Item, ...] = member("an item or more", len)


def _key(path: Path, value: dict[str, Any]) -> _Form:
    from generator.measure.review.sample import SET_NAMES

    try:
        found: _Key = read(_Key, value)
        if strange := sorted({item.set for item in found.items} - SET_NAMES.keys()):
            raise Faults([f"items: the set {strange[0][:40]!r} is not known"])
    except Faults as error:
        faults = "\n".join(f"{path}: not the key of a review: {fault}" for fault in error.faults)
        raise ConfigError(faults, hint=f"Give the {KEY} that `review make` wrote.") from error
    models = sorted({item.model for item in found.items if item.set == "disclosure"})
    return _Form(found.form, {item.id: item.set for item in found.items}, tuple(models), found.schema == OLD_KEY_SCHEMA)


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
