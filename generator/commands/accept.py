"""`prior-art accept`: what contributors sent, into the queue or refused; and the plan by which they write."""

import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import ConfigError, ContributionError, PressError
from generator.base.publication import Outcome, Publication
from generator.base.settings import FILE
from generator.commands.reader import open_reader

if TYPE_CHECKING:
    from generator.judge.ladder import Ladder
    from generator.model.profiles import ModelProfile
    from generator.run.acceptance import Examined
    from generator.run.contribution import SharedPlan

GIT = "git:"
MOST_FILES = 1000


def shared_plan(publication: Publication) -> "SharedPlan | None":
    """By what anybody may write for this publication; None where its settings take no contributions."""
    from generator.model.profiles import load_profile
    from generator.run.contribution import SharedPlan
    from generator.run.plan import RunPlan
    from generator.run.topics import load_topics

    settings = publication.settings
    if not settings.contributions:
        return None
    profile = load_profile(settings.profile, publication.root)
    plan = RunPlan(
        profile=profile.name,
        seed=0,
        until="drafts",
        amount=1,
        top_down_share=settings.top_down_share,
        sampling=profile.sampling,
        publisher=settings.publisher,
        topics=load_topics(publication.root / settings.topics) if settings.topics else (),
    )
    most = int(settings.contributions)
    return SharedPlan(settings.log_origin, settings.title, settings.reader, settings.contributions_sample, most, plan)


def share_plan(publication: Publication, site: Path) -> None:
    """Where contributions are taken, the site has the plan by which anybody may write; else none."""
    from generator.run.contribution import PLAN_FILE

    if shared := shared_plan(publication):
        files.write(site / PLAN_FILE, shared.to_bytes())
    else:
        (site / PLAN_FILE).unlink(missing_ok=True)


def accept(publication: Publication, sources: Sequence[str], *, check: bool, threads: int) -> Outcome:
    """Each contribution into the queue, or why not; with `check` nothing is written. Not ok: one was refused."""
    from generator.judge.ladder import Ladder
    from generator.model.profiles import load_profile
    from generator.publish import facts_branch

    shared = shared_plan(publication)
    if shared is None:
        raise ConfigError(
            "this publication takes no contributions",
            hint=f'Set contributions = "500" in {FILE}: so many texts of one contributor are taken in a day.',
        )
    branch = facts_branch.branch_of(publication)
    lines, figures, refused = [], [], 0
    with facts_branch.alone(publication.output, publication.report):
        if branch:
            branch.sync()
        profile = load_profile(publication.settings.profile, publication.root)
        reader = open_reader(publication, profile, threads)
        ladder = Ladder.open(publication.corpus, publication.calibration, profile, reader)
        for name, data in _found(publication, sources):
            try:
                line, figure = _one(publication, data, shared, profile, ladder, check, threads)
            except ContributionError as error:
                refused += 1
                line, figure = f"refused: {error}", {"taken": 0, "reason": str(error)}
                lines.append(f"{name}: {line}" + (f" ({error.hint})" if error.hint else ""))
            else:
                lines.append(f"{name}: {line}")
            figures.append({"contribution": name, **figure})
            publication.report(f"accept: {lines[-1]}")
        if branch and not check and list((publication.output / "refused").glob("*.json")):
            branch.save("Refused contributors")
    if not lines:
        return Outcome(("accept: there is no contribution",), {"contributions": []})
    return Outcome(tuple(lines), {"contributions": figures}, ok=not refused)


def _one(
    publication: Publication,
    data: "bytes | ContributionError",
    shared: "SharedPlan",
    profile: "ModelProfile",
    ladder: "Ladder",
    check: bool,
    threads: int,
) -> tuple[str, dict[str, Any]]:
    from generator.model.interface import EngineChoice
    from generator.run import acceptance
    from generator.run.contribution import Contribution

    if isinstance(data, ContributionError):
        raise data
    contribution = Contribution.from_bytes(data)
    now = publication.now()
    try:
        examined = acceptance.examine(contribution, shared, profile, ladder, publication.output, now)
    except acceptance.TakenAlready as error:
        return f"done already: {error}", {"taken": 0, "reason": str(error)}
    places = acceptance.sampled(examined, shared.sample, _secret(publication))
    try:
        acceptance.prove(examined, places, profile, EngineChoice(threads=threads), report=publication.report)
    except acceptance.Forged as error:
        if not check:
            acceptance.refuse(publication.output, contribution.key, str(error), now)
        raise
    return _taken(publication, examined, len(places), check)


def _taken(publication: Publication, examined: "Examined", proved: int, check: bool) -> tuple[str, dict[str, Any]]:
    from generator.publish.kept_work import kept_work
    from generator.run.acceptance import take

    sent = len(examined.judged)
    who = examined.contribution.contributor
    if check:
        passed = sum(accepted is not None for _, accepted in examined.judged)
        said = f"{who}: {passed} of {sent} texts would be taken, {proved} written again to the bit; nothing was written"
        return said, {"passed": passed, "sent": sent, "proved": proved}
    report = take(examined, publication.output, publication.now())
    if kept := kept_work(publication):
        kept.save(now=True)
    said = f"{who}: {report['accepted']} of {sent} texts are in the queue, {proved} were written again to the bit"
    figures = {"taken": report["accepted"], "sent": sent, "proved": proved, "run": report["run"]}
    return f"{said}, run {report['run']}", {**figures, "contributor": who}


def _secret(publication: Publication) -> bytes:
    """What draws the samples on this machine; nobody else must know it."""
    path = publication.output / "work" / "sampling.key"
    if not path.exists():
        files.write(path, secrets.token_bytes(32))
    return files.read(path, "the secret of the samples")


def _found(publication: Publication, sources: Sequence[str]) -> Iterator[tuple[str, "bytes | ContributionError"]]:
    """Name and bytes of each contribution in files, folders and git remotes, or why there are none."""
    from generator.publish.contributions import receive
    from generator.run.contribution import MOST_BYTES, SUFFIX

    for source in sources:
        if source.startswith(GIT):
            yield from receive(source.removeprefix(GIT), publication.output / "work", MOST_BYTES)
            continue
        path = Path(source)
        if not path.exists():
            raise ConfigError(f"{source}: there is no such file", hint="Name files, folders or git:REMOTE.")
        inside = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if len(inside) > MOST_FILES:
            raise ConfigError(
                f"{source}: {len(inside)} files, and at most {MOST_FILES} are looked at", hint="Name fewer."
            )
        for file in inside:
            yield file.name, _read(file, MOST_BYTES)


def _read(path: Path, most: int) -> "bytes | ContributionError":
    if not stat.S_ISREG(path.lstat().st_mode):
        return ContributionError("not a regular file: a link or a device is not followed")
    try:
        return files.read_some(path, "a contribution", most)
    except PressError as error:
        return ContributionError(str(error))
