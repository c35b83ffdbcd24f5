"""The commands generate and merge: from options to a run, and what is said meanwhile."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ConfigError, PressError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings

if TYPE_CHECKING:
    from generator.judge.ladder import Ladder
    from generator.model.interface import EngineChoice
    from generator.model.profiles import ModelProfile
    from generator.publish.kept_work import KeptWork
    from generator.run.drafting import Progress, RunReport
    from generator.run.plan import RunPlan, Shard

PROGRESS_SECONDS = 10


def generate(
    publication: Publication,
    *,
    profile: str | None = None,
    count: int | None = None,
    drafts: int | None = None,
    minutes: int | None = None,
    seed: int | None = None,
    topics: Path | None = None,
    tonight: bool = False,
    shard: str = "",
    timings: bool = False,
    publish: int | None = None,
    describe: bool = False,
    **engine: Any,
) -> Outcome:
    """Draft until the end that was asked for, unless that run is finished. `engine`: members of EngineChoice."""
    import secrets

    from generator.commands.reader import open_reader
    from generator.judge.ladder import Ladder
    from generator.model.loading import open_model
    from generator.model.profiles import load_profile
    from generator.run.drafting import generate
    from generator.run.folders import find_unfinished
    from generator.run.plan import Shard

    choice = _choice(**engine)
    then = partial(_then, publication, publish, describe, profile, engine)
    part = Shard.parse(shard) if shard else None
    given = seed is not None  # a night that did not fit goes on, although the next one has another seed
    seed = _night_seed(publication) if tonight and seed is None else seed
    if part and seed is None:
        raise ConfigError("--shard without a seed", hint="Give all shards of a run the same --seed, or --tonight.")
    chosen = load_profile(profile or publication.settings.profile, publication.root)
    seeded = secrets.randbits(64) if seed is None else seed
    reader = open_reader(publication, chosen, choice.threads)
    ladder = Ladder.open(publication.corpus, publication.calibration, chosen, reader)
    ends = _ends(Settings() if part else publication.settings, count, drafts, minutes)  # a shard's are of all shards
    plan = _plan(publication, chosen, seeded, ends, topics, ladder)
    _check(publication, plan, part, describe)
    kept = None if part else _restored(publication)
    if done := _done_before(publication, plan, part):
        return then(_drafted(done, "done already: "))
    found = find_unfinished(publication.output, plan, shard=part, seed_given=given or part is not None)
    publication.report(f"generate: loading {chosen.name}" + (f", going on with run {found[0]}" if found else ""))
    if found:  # what was measured when it was begun must not be measured otherwise now
        plan, choice = found[1].plan, choice.settled(str(found[1].model.get("number_format", "auto")))
    made = generate(
        plan,
        open_model(chosen, replace(choice, most=_most(plan, part)), report=publication.report),
        ladder,
        publication.output,
        shard=part,
        now=publication.now,
        salt=lambda: secrets.token_bytes(16),
        report=progress_lines(publication, kept),
    )
    return then(_concluded(publication, made, part, timings, kept))


def _then(
    publication: Publication,
    publish: int | None,
    describe: bool,
    profile: str | None,
    engine: dict[str, Any],
    outcome: Outcome,
) -> Outcome:
    """What follows a run that is finished: the choice, then descriptions of what was chosen."""
    from generator.commands import describe as describing

    outcome = _best(publication, outcome, publish)
    if not describe:
        return outcome
    made = describing.describe(publication, profile, **engine)
    return Outcome((*outcome.lines, *made.lines), {**outcome.figures, "described": made.figures}, outcome.ok)


def _best(publication: Publication, outcome: Outcome, publish: int | None) -> Outcome:
    """With `publish`, only the best of what waits stays in the queue; the others are counted and hashed."""
    from generator.log.left_out import FOLDER
    from generator.publish import facts_branch
    from generator.run.choosing import FLOOR, choose

    if publish is None:
        return outcome
    with facts_branch.alone(publication.output, publication.report):
        run = str(outcome.figures["run"])
        chosen = choose(publication.output, run, publish, of_a_class=max(1, publish // 4), floor=FLOOR)
    line = (
        f"chosen: the best {chosen.published}; left out: {chosen.left}, {chosen.below_floor} of them below the floor, "
        f"in {FOLDER}/{run}, root {chosen.left_root}: the next append logs their number and root"
    )
    return Outcome((*outcome.lines, line), {**outcome.figures, "chosen": asdict(chosen)}, outcome.ok)


def _concluded(
    publication: Publication, made: "RunReport", part: "Shard | None", timings: bool, kept: "KeptWork | None"
) -> Outcome:
    if kept:
        kept.save(now=True)
    if not made.finished:
        publication.report(_drafted(made.report, "interrupted: ").lines[0])
        raise KeyboardInterrupt
    outcome = _drafted(made.report, "")
    if part:
        publication.report(
            f"generate: shard {part} is kept in {publication.output / 'runs' / made.run}, for: prior-art merge"
        )
    return _timed(outcome, made.report["engine"]) if timings else outcome


def merge(publication: Publication, folders: tuple[Path, ...]) -> Outcome:
    """The run that finished shards are parts of."""
    from generator.run.shards import merge

    made, new = merge(folders, publication.output, now=publication.now)
    return _drafted(made.report, "" if new else "done already: ", command="merge")


def _choice(**engine: Any) -> "EngineChoice":
    from generator.model.interface import EngineChoice

    choice = EngineChoice(**engine)
    if choice.address and choice.engine != "ray":
        raise ConfigError("--address names a Ray cluster", hint="Give --engine ray with it.")
    return choice


def _check(publication: Publication, plan: "RunPlan", part: "Shard | None", describe: bool) -> None:
    """Raises ConfigError for a plan that cannot be divided; names runs that nothing goes on with."""
    from generator.run.folders import outdated

    if part and describe:
        raise ConfigError("--describe with --shard", hint="Merge the shards, then run: prior-art describe")
    if part:
        part.check(plan)

    for folder in outdated(publication.output):
        publication.report(
            f"generate: {folder} is of an earlier version, whose gates were others: nothing goes on with it. "
            "What it accepted is kept; move the folder away to be rid of this line"
        )


def _ends(settings: Settings, count: int | None, drafts: int | None, minutes: int | None) -> dict[str, Any]:
    """The members of a plan that say when it ends: each end by its option or else by its setting, the first to come."""
    wanted = (
        ("count", count, settings.count),
        ("drafts", drafts, settings.drafts),
        ("seconds", minutes, settings.minutes),
    )
    ends = {name: option or int(setting or 0) for name, option, setting in wanted}
    ends["seconds"] *= 60
    until = next((name for name, amount in ends.items() if amount), "count")
    most = {f"most_{name}": ends[name] for name in ("drafts", "seconds") if name != until}
    return {"until": until, "amount": ends[until] or 20, **most}


def _plan(
    publication: Publication,
    profile: "ModelProfile",
    seed: int,
    ends: dict[str, Any],
    topics: Path | None,
    ladder: "Ladder",
) -> "RunPlan":
    from generator.run.plan import RunPlan
    from generator.run.topics import load_topics

    settings = publication.settings
    if topics is None and settings.topics:
        topics = publication.root / settings.topics
    return RunPlan(
        profile=profile.name,
        seed=seed,
        top_down_share=settings.top_down_share,
        sampling=profile.sampling,
        publisher=settings.publisher,
        topics=load_topics(topics) if topics else (),
        calibration=ladder.id,
        corpus=ladder.corpus,
        **ends,
    )


def _night_seed(publication: Publication) -> int:
    """This night's own seed, so that a second run of the same night goes on with the first one's drafts."""
    text = f"{publication.settings.log_origin} {publication.now()[:10]}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _done_before(publication: Publication, plan: "RunPlan", shard: "Shard | None") -> dict[str, Any] | None:
    """The report of a finished run of exactly this plan, or of a finished shard of it."""
    from generator.run.folders import find_finished, find_unfinished, read_seal

    if report := find_finished(publication.output, plan):
        return report
    found = find_unfinished(publication.output, plan, shard=shard) if shard else None
    sealed = read_seal(publication.output / "runs" / found[0]) if found else None
    return sealed[0] if sealed else None


def _drafted(report: dict[str, Any], how: str, command: str = "generate") -> Outcome:
    names = ("run", "drafts", "accepted", "rejected", "reasons", "tokens", "words", "milliseconds")
    figures = {name: report[name] for name in names}
    for what in ("tokens", "words"):
        figures[f"{what}_per_second"] = figures[what] * 1000 // max(1, figures["milliseconds"])
    line = (
        f"{command}: {how}{figures['accepted']} of {figures['drafts']} drafts accepted, "
        f"{figures['tokens_per_second']} tokens/s, {figures['words_per_second']} words/s, run {figures['run']}"
    )
    return Outcome((line,), figures)


def _timed(outcome: Outcome, sessions: list[dict[str, Any]]) -> Outcome:
    """The outcome with the phases of the last session as a table."""
    phases = sessions[-1]["account"].get("phases", []) if sessions else []
    if not phases:
        return Outcome((*outcome.lines, "timings: the engine measured none"), {**outcome.figures, "timings": []})
    width = max(len(phase["phase"]) for phase in phases)
    lines = [f"{'phase':{width}}  {'ms':>9}  {'share':>6}"]
    lines += [
        f"{phase['phase']:{width}}  {phase['milliseconds']:9}  {phase['share_permille'] / 10:5.1f}%" for phase in phases
    ]
    return Outcome((*outcome.lines, *lines), {**outcome.figures, "timings": phases})


def _restored(publication: Publication) -> "KeptWork | None":
    """Unfinished work of a runner that was lost, back from its branch; and where this run's is to be kept."""
    from generator.publish.kept_work import kept_work

    kept = kept_work(publication)
    if kept:
        try:
            kept.restore()
        except PressError as error:
            publication.report(f"generate: unfinished work could not be looked for: {error}")
    return kept


def _most(plan: "RunPlan", part: "Shard | None") -> int:
    """How many drafts the plan can still need at most; 0 where nobody knows."""
    if part:
        return len(part.indices(plan.amount))
    return plan.amount if plan.until == "drafts" else plan.most_drafts


def progress_lines(publication: Publication, kept: "KeptWork | None") -> "Callable[[Progress], None]":
    """A line about every ten seconds; unfinished work is kept every few minutes."""
    last = time.monotonic()

    def show(progress: "Progress") -> None:
        nonlocal last
        if kept:
            kept.save()
        if time.monotonic() - last < PROGRESS_SECONDS:
            return
        last = time.monotonic()
        rate, slots, left = progress.tokens_per_second, progress.slots, progress.seconds_left
        parts = [
            f"{progress.drafts} drafts",
            f"{progress.accepted} accepted",
            f"{rate:.0f} tokens/s",
            f"{rate * progress.words_per_token:.0f} words/s",
            *([f"{slots} slots"] if slots else []),
            *([f"{left / 60:.1f} min left"] if left is not None else []),
        ]
        publication.report(f"generate: {', '.join(parts)}")

    return show
