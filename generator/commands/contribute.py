"""`prior-art contribute`: writing for somebody else's publication, on one's own machine, by its plan."""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import ConfigError, ContributionError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings
from generator.commands.reader import open_reader

if TYPE_CHECKING:
    from generator.log.note import SigningKey
    from generator.model.interface import LanguageModel
    from generator.model.profiles import ModelProfile
    from generator.run.contribution import Contribution, SharedPlan
    from generator.run.plan import RunPlan

SENT = "sent"
GIT = "git:"


def contribute(
    publication: Publication,
    where: str,
    *,
    name: str,
    drafts: int,
    minutes: int | None,
    to: str,
    key_file: Path | None,
    profile: str | None,
    threads: int,
    number_format: str,
) -> Outcome:
    """Write one round for the publication at `where`, sign it, and send it with `to`. A kill is gone on from."""
    from generator.commands.generate import progress_lines
    from generator.judge.ladder import Ladder
    from generator.model.profiles import load_profile
    from generator.run.contribution import checked_name
    from generator.run.drafting import generate

    if to and not to.startswith(GIT):
        raise ConfigError(f"--to {to}: git:REMOTE is expected", hint="Without --to, hand the file over as you like.")
    shared, key = _shared_at(publication, where), _key(key_file)
    if to:
        _send(publication, to)  # what an earlier call wrote and could not send
    number = _next_round(publication.root, key)
    local = replace(publication, root=publication.root / f"round-{number}", settings=_settings(publication, shared))
    chosen = load_profile(profile or shared.plan.profile, publication.root)
    ladder = Ladder.open(None, None, chosen, open_reader(local, chosen, threads))
    plan = replace(
        shared.of(key.verification_key, checked_name(name), number, drafts),
        calibration=ladder.id,
        most_seconds=60 * (minutes or 0),
    )
    publication.report(f"contribute: round {number} for {shared.title}, {drafts} drafts, by {plan.contributor}")
    publication.report("contribute: what you send is dedicated to the public domain (CC0-1.0)")
    made = generate(
        plan,
        _Keeping(_model(publication, chosen, plan, threads, number_format), local.root / "texts"),
        ladder,
        local.output,
        now=publication.now,
        salt=lambda: secrets.token_bytes(16),
        report=progress_lines(publication, None),
    )
    if not made.finished:
        raise KeyboardInterrupt
    contribution = _packed(local, shared, number, name, key, made.report)
    file = _written(publication.root, contribution, key, local.root)
    figures = {"drafts": contribution.drafts, "texts": len(contribution.texts), "file": str(file), "round": number}
    line = f"contribute: {len(contribution.texts)} of {contribution.drafts} drafts passed the gates here, in {file}"
    if not contribution.texts:
        return Outcome((f"{line}: nothing to send; the same command writes the next round",), figures)
    if not to:
        return Outcome((line, "Hand this file to the publisher, who runs: prior-art accept FILE"), figures)
    branches = _send(publication, to)
    return Outcome((line, f"sent as {', '.join(branches)}"), {**figures, "branches": branches})


def _shared_at(publication: Publication, where: str) -> "SharedPlan":
    from generator.run.contribution import PLAN_FILE, SharedPlan

    if where.startswith(("https://", "http://")):
        address = where.rstrip("/") + "/" + PLAN_FILE
        data = publication.fetch(address)
    else:
        path = Path(where) / PLAN_FILE if Path(where).is_dir() else Path(where)
        address, data = str(path), files.read_some(path, "a plan", 16 << 20)
    if data is None:
        raise ContributionError(
            f"{address}: there is no plan: this publication takes no contributions",
            hint="The publisher opens it with the setting contributions.",
        )
    return SharedPlan.from_bytes(data, address)


def _settings(publication: Publication, shared: "SharedPlan") -> Settings:
    return Settings(reader=shared.reader, publisher=publication.settings.publisher)


def _key(path: Path | None) -> "SigningKey":
    """The contributor's key, made where there is none yet."""
    from generator.log.note import SigningKey
    from generator.publish.keyfile import contributor_place, write_key
    from generator.run.contribution import KEY_NAME, contributor_key

    place = path or contributor_place()
    if not place.exists():
        write_key(place, contributor_key(secrets.token_bytes(32)))
    key = SigningKey.parse(files.read(place, "the contributor's key").decode("ascii", "replace"))
    if key.name != KEY_NAME:
        raise ConfigError(f"{place}: the key of {key.name}, not of a contributor", hint="Name another file with --key.")
    return key


def _next_round(root: Path, key: "SigningKey") -> int:
    """One more than the newest round of this key that was written here."""
    from generator.run.contribution import SUFFIX, fingerprint

    begins = f"{fingerprint(key.verification_key)}-"
    found = [path.name.removeprefix(begins).removesuffix(SUFFIX) for path in root.glob(f"**/{begins}*{SUFFIX}")]
    return max((int(number) for number in found if number.isdecimal()), default=-1) + 1


def _model(
    publication: Publication, profile: "ModelProfile", plan: "RunPlan", threads: int, number_format: str
) -> "LanguageModel":
    from generator.model.interface import EngineChoice
    from generator.model.loading import open_model

    choice = EngineChoice(threads=threads, number_format=number_format, most=plan.amount)
    return open_model(profile, choice, report=publication.report)


class _Keeping:
    """A model whose drafts are kept as it wrote them: the publisher judges the text itself."""

    def __init__(self, model: "LanguageModel", folder: Path) -> None:
        self._model, self._folder = model, folder

    @property
    def identity(self) -> Any:
        return self._model.identity

    @property
    def account(self) -> Mapping[str, Any]:
        return self._model.account

    def drafts(self, briefs: Any, sampling: Any, **more: Any) -> Iterator[Any]:
        for draft in self._model.drafts(briefs, sampling, **more):
            if not draft.stopped:
                value = {"text": draft.text, "words": draft.words, "milliseconds": round(draft.seconds * 1000)}
                files.write(_text_path(self._folder, draft.brief.index), json.dumps(value).encode(), durable=False)
            yield draft


def _text_path(folder: Path, index: int) -> Path:
    return folder / f"{index:06d}.json"


def _packed(
    local: Publication,
    shared: "SharedPlan",
    number: int,
    name: str,
    key: "SigningKey",
    report: Mapping[str, Any],
) -> "Contribution":
    from generator.log.archive import queued
    from generator.run.contribution import Contribution, Written

    texts = []
    for path in sorted(queued(local.output)):
        index = int(path.stem.rpartition("-")[2])
        kept = json.loads(files.read(_text_path(local.root / "texts", index), "a draft's text"))
        texts.append(Written(index=index, record=files.read(path, "a record").decode(), **kept))
    return Contribution(
        shared.origin,
        name,
        number,
        int(report["drafts"]),
        str(report["started_at"]),
        key.verification_key.text,
        tuple(texts),
    )


def _written(root: Path, contribution: "Contribution", key: "SigningKey", working: Path) -> Path:
    """The signed file; one without texts stands for its round among the sent ones. Then the working folder goes."""
    folder = root if contribution.texts else root / SENT
    files.write(folder / contribution.file_name, contribution.to_bytes(key))
    shutil.rmtree(working)
    return folder / contribution.file_name


def _send(publication: Publication, to: str) -> list[str]:
    """Every file that was not sent yet, each to a branch of its own; then it is moved to `sent`."""
    from generator.publish.contributions import send
    from generator.run.contribution import SUFFIX

    branches = []
    for path in sorted(publication.root.glob(f"*{SUFFIX}")):
        data = files.read(path, "a contribution")
        branches.append(send(to.removeprefix(GIT), path.stem, data, publication.root / "work"))
        (publication.root / SENT).mkdir(exist_ok=True)
        path.replace(publication.root / SENT / path.name)
        publication.report(f"contribute: {path.name} is sent")
    return branches
