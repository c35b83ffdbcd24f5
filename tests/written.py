"""A model at the seam whose drafts are known, and runs of it."""

import json
from dataclasses import asdict, replace
from itertools import islice

from inventions import draft_text

from generator import __version__
from generator.judge.ladder import Ladder
from generator.log.archive import BESIDE, queued
from generator.model.interface import Draft, ModelIdentity
from generator.model.sampling_settings import Sampling
from generator.record.layouts import PROMPTS
from generator.record.record import Generation, Record
from generator.run.drafting import generate
from generator.run.plan import RunPlan

NOW = "2026-11-22T03:17:00Z"
HOSTILE = "<script>"
LADDER = Ladder.open(None)
PLAN = RunPlan("written", 7, "drafts", 12, "0.5", Sampling("0.8"), "Example", calibration=LADDER.id)
IDENTITY = ModelIdentity(
    "written", "1", "a" * 64, "b" * 64, "CC0-1.0", "Example", "written", "none", "0", "0", "none", True
)


class WrittenModel:
    """Every third draft is bad, every fifth repeats the first, all are hostile. Of the drafts in
    its slots the one that `pick` names is complete next."""

    def __init__(self, stop_at=None, error=KeyboardInterrupt, slots=1, pick=lambda _: 0):
        self.identity, self.stop_at, self.error, self.made = IDENTITY, stop_at, error, []
        self.slots, self.pick, self.closed = slots, pick, 0
        self.account = {"engine": "written", "slots": slots}

    def drafts(self, briefs, sampling, *, tick=None, **_):
        briefs = iter(briefs)
        in_progress = list(islice(briefs, self.slots))
        try:
            while in_progress:
                if len(self.made) == self.stop_at:
                    raise self.error
                one = in_progress.pop(self.pick(len(in_progress)))
                self.made.append(one.index)
                tick(50)
                yield self.draft(one, sampling)
                in_progress += islice(briefs, 1)
        finally:
            self.closed += 1

    def draft(self, one, sampling):
        number = 0 if one.index % 5 == 0 else one.index
        text = draft_text(one.direction, number, HOSTILE)
        text = text.replace("comprising", "made of") if one.index % 3 == 2 else text
        generation = Generation(
            **asdict(IDENTITY),
            direction=one.direction,
            prompt=PROMPTS[one.direction],
            topic=one.topic,
            seed=f"{one.seed:016x}",
            sampling=sampling.pairs(),
            prompt_tokens=7,
            new_tokens=50,
            stop="end",
            removed_claims=(),
            generator_version=__version__,
        )
        return Draft(one, text, generation, 0.5, 20)


class Silent(WrittenModel):
    def draft(self, one, sampling):
        return replace(super().draft(one, sampling), text="nothing")


def run(output, plan=PLAN, model=None, report=lambda _: None, shard=None):
    model = model or WrittenModel()
    return generate(plan, model, LADDER, output, shard=shard, now=lambda: NOW, salt=lambda: bytes(16), report=report)


def records(output):
    return [Record.from_bytes(path.read_bytes()) for path in queued(output)]


def facts_of(output):
    """What a run leaves, but for times: its report, the records, and what lies beside them."""
    (path,) = (output / "runs").glob("*.json")
    report = json.loads(path.read_bytes())
    timed = ("run", "engine", "judging_milliseconds")
    kept = {key: report[key] for key in report if not key.endswith("_at") and key not in timed}
    return kept, [path.with_suffix(suffix).read_bytes() for path in queued(output) for suffix in (".json", *BESIDE)]
