"""The command describe: the model of a profile writes descriptions for what it wrote and what waits for the log."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from generator.base.publication import Outcome, Publication

if TYPE_CHECKING:
    from generator.model.interface import EngineChoice


def describe(publication: Publication, profile: str | None = None, **engine: Any) -> Outcome:
    """`engine`: members of interface.EngineChoice."""
    from generator.corpus.store import Corpus
    from generator.judge.copying import KnownTexts
    from generator.model.interface import EngineChoice
    from generator.model.loading import open_model
    from generator.model.profiles import load_profile
    from generator.publish import facts_branch
    from generator.run.describe import Described, describe

    chosen = load_profile(profile or publication.settings.profile, publication.root).for_descriptions()
    with facts_branch.alone(publication.output, publication.report):
        choice, waiting = _as_written(publication, chosen.recorded, EngineChoice(**engine))
        if not waiting:
            return _told(Described(0, 0, 0, {}))
        publication.report(f"describe: loading {chosen.name}")
        model = open_model(chosen, choice, report=publication.report)
        known = KnownTexts.open(publication.output, Corpus.open(publication.corpus) if publication.corpus else None)
        return _told(describe(publication.output, model, known, report=publication.report))


def _as_written(publication: Publication, model: str, choice: "EngineChoice") -> tuple["EngineChoice", int]:
    """The choice with the formats that the waiting records of a model name; how many of them have no description."""
    from dataclasses import replace

    from generator.base import files
    from generator.log.archive import queued
    from generator.record.record import Record
    from generator.run.describe import own

    records = [Record.from_bytes(files.read(path, "a record")) for path in queued(publication.output)]
    waiting = [one for one in records if one.generation.model == model and not own(one)]
    if waiting:
        choice = replace(choice.settled(waiting[0].generation.number_format), most=len(waiting))
    return choice, len(waiting)


def _told(made: Any) -> Outcome:
    tries = ", ".join(f"{number} {reason}" for reason, number in made.refused.items())
    line = f"describe: {made.described} of {made.waiting} disclosures have a description of their own now"
    more = [f"tries that were refused: {tries}"] if tries else []
    if made.others:
        more.append(f"{made.others} were written by another model, format or machine, and stay as they are")
    return Outcome(("; ".join([line, *more]),), asdict(made))
