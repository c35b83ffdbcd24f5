"""Whether a contribution is taken: form, seeds, the publisher's own gates, and a sample written again to the bit.

Nothing of a contribution is believed but versions and times. Its texts go through all gates anew, by the publisher's
calibration and corpus. A text of the sample that the model does not write again ends the whole contribution.
"""

import hashlib
import hmac
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import ContributionError
from generator.judge.ladder import Ladder
from generator.log.note import VerificationKey
from generator.model.interface import Draft, EngineChoice, ModelIdentity
from generator.model.profiles import ModelProfile
from generator.record.layouts import begun
from generator.record.record import SYMBOL, Record
from generator.run.contribution import Contribution, SharedPlan, fingerprint
from generator.run.drafting import keep
from generator.run.folders import Begun, finished_runs
from generator.run.judge_draft import judge
from generator.run.lines import Line
from generator.run.plan import RunPlan, brief
from generator.run.regenerate import Regeneration, Source, regenerate
from generator.run.repeats import Repeats
from generator.run.state import Accepted, RunState

REFUSED = "refused"  # folder of facts: keys whose text the model did not write
IDENTITY = tuple(field.name for field in fields(ModelIdentity))
OWN_WORD = ("engine", "torch_version", "transformers_version", "cpu_capability", "generator_version")
CLOCKS_DIFFER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Examined:
    """A contribution whose every text is as its seed, its record and the gates here want it, or was refused by a gate.

    `judged` has a line for each text, and of those that passed what is kept of them.
    """

    contribution: Contribution
    plan: RunPlan
    records: tuple[Record, ...]
    judged: tuple[tuple[Line, Accepted | None], ...]


def examine(
    contribution: Contribution, shared: SharedPlan, profile: ModelProfile, ladder: Ladder, output: Path, now: str
) -> Examined:
    """Everything but the sample. Raises ContributionError with the reason."""
    if contribution.origin != shared.origin:
        raise ContributionError(f"written for {contribution.origin}, this is {shared.origin}")
    plan = replace(
        shared.of(contribution.key, contribution.name, contribution.round, contribution.drafts),
        calibration=ladder.id,
        corpus=ladder.corpus,
    )
    _require_new(contribution, plan, shared.most, output, now)
    if not contribution.texts:
        raise ContributionError("there is no text in it")
    records, judged = contribution.records(), []
    for text, record in zip(contribution.texts, records, strict=True):
        where = f"draft {text.index}"
        if name := _other(record, records[0], plan, profile, text.index):
            raise ContributionError(f"{where}: its {name} is not what the plan, the key and the round give")
        if _seconds(record.created_at, now) > CLOCKS_DIFFER_SECONDS:
            raise ContributionError(f"{where}: made at {record.created_at}, and it is {now}")
        generation = replace(record.generation, removed_claims=())
        draft = Draft(brief(plan, text.index), text.text, generation, text.milliseconds / 1000, text.words)
        line, accepted = judge(
            draft,
            ladder,
            created_at=record.created_at,
            publisher=plan.publisher,
            salt=bytes.fromhex(record.salt),
            contributor=plan.contributor,
        )
        if line.gate in ("G0", "G1") or (accepted and accepted.record != text.record.encode()):
            raise ContributionError(f"{where}: its text does not give its record")
        judged.append((line, accepted))
    return Examined(contribution, plan, records, tuple(judged))


def _require_new(contribution: Contribution, plan: RunPlan, most: int, output: Path, now: str) -> None:
    if (path := refusal_path(output, contribution.key)).exists():
        raise ContributionError(f"the key {fingerprint(contribution.key)} is refused: see {path}")
    taken = 0
    for report in finished_runs(output):
        if report["plan"].get("contributor", "") and report["plan"].get("seed") == f"{plan.seed:016x}":
            raise TakenAlready(f"round {contribution.round} of this key was taken as run {report['run']}")
        if report["plan"].get("contributor") == plan.contributor and report["finished_at"][:10] == now[:10]:
            taken += report["accepted"]
    if taken + len(contribution.texts) > most:
        raise ContributionError(
            f"{len(contribution.texts)} texts, {taken} of this key were taken today, and {most} a day are",
            hint="The contributor can send it again tomorrow, or write fewer drafts in a round.",
        )


def _other(record: Record, first: Record, plan: RunPlan, profile: ModelProfile, index: int) -> str:
    """What of a record is not as the plan, the key and the round give it; empty when nothing is."""
    one, made = brief(plan, index), record.generation
    prompt = begun(profile.prompt(one.direction), one.direction, one.topic)
    wanted = {
        "direction": one.direction,
        "seed": f"{one.seed:016x}",
        "topic": one.topic,
        "topic_symbols": tuple(symbol for symbol in one.cpc.split() if one.topic and SYMBOL.fullmatch(symbol)),
        "topic_rule": one.rule if one.topic else "",
        # What a chat model's own template puts before it stands in the model's files, which are not opened here.
        "prompt": made.prompt if profile.chat and made.prompt.endswith(prompt) else prompt,
        "sampling": plan.sampling.pairs(),
        "model": profile.recorded,
        "generator_version": first.generation.generator_version,
        **{name: getattr(first.generation, name) for name in IDENTITY if name != "model"},
    }
    for name, value in wanted.items():
        if getattr(made, name) != value:
            return name
    named = {"publisher": plan.publisher, "contributor": plan.contributor, "review": "machine-checked", "beacon": None}
    return next((name for name, value in named.items() if getattr(record, name) != value), "")


def _seconds(time: str, now: str) -> float:
    return (datetime.fromisoformat(time) - datetime.fromisoformat(now)).total_seconds()


def sample_size(texts: int, share: str) -> int:
    """How many of the texts are written again: the share, rounded up, and one at least."""
    return min(texts, max(1, math.ceil(Decimal(share) * texts)))


def chance(texts: int, forged: int, share: str) -> float:
    """The probability that a sample holds a forged text: one minus that of drawing honest ones alone."""
    drawn = sample_size(texts, share)
    return 1 - math.comb(texts - forged, drawn) / math.comb(texts, drawn)


def sampled(examined: Examined, share: str, secret: bytes) -> tuple[int, ...]:
    """Places in `judged` of the texts to write again, drawn of those that passed by a secret of the publisher.

    The same file gives the same places, so that `accept` after a kill goes on alike.
    """
    passed = [place for place, (_, accepted) in enumerate(examined.judged) if accepted]
    content = hashlib.sha256("\n".join(text.record for text in examined.contribution.texts).encode()).digest()
    drawn = random.Random(hmac.digest(secret, content, "sha256"))
    return tuple(sorted(drawn.sample(passed, sample_size(len(passed), share)))) if passed else ()


def prove(
    examined: Examined,
    places: Sequence[int],
    profile: ModelProfile,
    choice: EngineChoice,
    *,
    report: Callable[[str], None],
) -> None:
    """Write the texts at `places` again. Raises Forged or ContributionError for the first that does not come."""
    sources = [
        Source(f"draft {examined.contribution.texts[place].index}", examined.records[place].to_bytes)
        for place in places
    ]
    for result in regenerate(sources, (profile,), choice, report=report):
        _require_reproduced(result)


class TakenAlready(ContributionError):
    """The round of this key is a finished run."""


class Forged(ContributionError):
    """Everything that the record names is the same here, and the model writes another text."""


def _require_reproduced(result: Regeneration) -> None:
    if result.result == "different":
        raise Forged(f"{result.name}: the model does not write this text: {result.place}")
    if result.result != "reproduced":
        raise ContributionError(
            f"{result.name}: not reproduced here: {result.place or result.reason}",
            hint="It is not taken, and says nothing against the contributor. fp32 is what most CPUs have.",
        )
    if lies := [one.member for one in result.differences if one.member not in OWN_WORD]:
        raise ContributionError(f"{result.name}: its {lies[0]} is not that of the model here")


def take(examined: Examined, output: Path, now: str) -> dict[str, Any]:
    """What passed goes into the queue, as a run of its own; a kill is gone on from. The run's report."""
    model = {name: getattr(examined.records[0].generation, name) for name in IDENTITY}
    begun_with = Begun(examined.plan, asdict(ModelIdentity(**model)), examined.contribution.started_at)
    with RunState.opened(output, begun_with.name, begun_with) as state:
        published = Repeats.of(state)
        for line, accepted in examined.judged:
            if line.index not in state.lines:
                keep(state, published, line, accepted)
        return state.finish(now)


def refuse(output: Path, key: VerificationKey, reason: str, now: str) -> Path:
    """Keep, as a fact, that nothing more of this key is taken."""
    path = refusal_path(output, key)
    files.write(path, canonical.dumps({"vkey": key.text, "refused_at": now, "reason": ascii(reason)}))
    return path


def refusal_path(output: Path, key: VerificationKey) -> Path:
    return output / REFUSED / f"{fingerprint(key)}.json"
