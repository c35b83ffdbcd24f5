"""`prior-art tune`: drafts with many settings, judges them as a run does, and keeps the settings that yield the most.

What is drafted is kept in output/sweeps/<name>.json after each batch, so that the same command goes on; the folder has
the name of the command up to 0.6. `arms` decides what comes next. Nothing that it accepts is published.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import ConfigError, PressError
from generator.base.intervals import wilson
from generator.judge.early_stop import EarlyStop
from generator.measure.diversity import repeated
from generator.measure.tune.arms import Arm, Step, Trial, Verdict, fewest_drafts, grid, next_step
from generator.measure.tune.winner import target_of, write_winner
from generator.model.interface import Draft, LanguageModel
from generator.model.profiles import load_profile
from generator.run.drafting import in_order
from generator.run.plan import RunPlan, brief

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication

SCHEMA = "prior-art-sweep/v1"
GRID = {
    "temperatures": ("0.7", "0.85", "1", "1.15"),
    "top_ps": ("1", "0.95"),
    "min_ps": ("0", "0.05"),
    "shares": ("0", "1"),
}
PROBE = 32  # drafts of the default by which minutes become a budget of drafts

Judge = Callable[[Draft], str]  # title and claims of an accepted draft, else an empty text


@dataclass(slots=True)
class Search:
    """A search that is going on. `tried`: what is known of each draft, in the order in which they were drafted."""

    path: Path
    setup: dict[str, Any]
    arms: tuple[Arm, ...]
    tried: list[dict[str, Any]]

    @property
    def budget(self) -> int:
        return int(self.setup["budget"])

    def trials(self) -> dict[tuple[str, int], list[Trial]]:
        """Of each phase and arm; a draft counts as a hit when it is accepted and unlike all earlier ones there."""
        found = {}
        ordered = sorted(self.tried, key=lambda one: (one["phase"], one["arm"], one["index"]))
        for key, group in groupby(ordered, key=lambda one: (one["phase"], one["arm"])):
            drafts = list(group)
            accepted = [one["text"] for one in drafts if one["text"]]
            new = iter([not earlier for earlier in repeated(accepted)])
            found[key] = [Trial(one["cpu_seconds"], bool(one["text"]) and next(new)) for one in drafts]
        return found

    def keep(self) -> None:
        value = {"schema": SCHEMA, "setup": self.setup, "arms": [asdict(arm) for arm in self.arms], "tried": self.tried}
        files.write(self.path, json.dumps(value, indent=1, sort_keys=True).encode())


def tune(
    publication: "Publication",
    *,
    profile: str | None = None,
    drafts: int | None = None,
    minutes: int | None = None,
    seed: int = 0,
    corpus: Path | None = None,
    write: Path | None = None,
    temperatures: Sequence[str] = GRID["temperatures"],
    top_ps: Sequence[str] = GRID["top_ps"],
    min_ps: Sequence[str] = GRID["min_ps"],
    shares: Sequence[str] = GRID["shares"],
    **engine: Any,
) -> "Outcome":
    """Try settings within a budget; write the winner into the profile when it beats the default. Raises PressError.

    `engine`: members of brief.EngineChoice, `engine` itself apart: CPU time is that of this process.
    """
    from generator.base.publication import Outcome
    from generator.judge.ladder import Ladder
    from generator.model.interface import EngineChoice
    from generator.model.loading import open_model

    if (drafts is None) == (minutes is None):
        raise ConfigError("tune needs a budget", hint="Give either --drafts or --minutes.")
    choice = EngineChoice(**engine)
    if choice.engine == "ray":
        raise ConfigError("tune measures CPU time of one machine", hint="Leave --engine ray out.")
    name = profile or publication.settings.profile
    chosen = load_profile(name, publication.root)
    target = target_of(name, publication.root, write)
    arms = grid(Arm(chosen.sampling, publication.settings.top_down_share), temperatures, top_ps, min_ps, shares)
    ladder = Ladder.open(corpus or publication.corpus, publication.calibration, chosen)
    model = open_model(chosen, choice, report=publication.report)
    judge = judge_by(ladder, publication)
    setup = {
        "profile": chosen.name,
        "model": asdict(model.identity),
        "corpus": asdict(ladder.corpus) if ladder.corpus else None,
        "calibration": ladder.calibration.id,
        "seed": seed,
        "asked": {"drafts": drafts, "minutes": minutes},
    }
    state = open_search(publication.output, setup, arms)
    if not state.budget:
        state.setup["budget"] = (
            drafts if drafts is not None else _budget(state, model, judge, ladder.watch(), minutes or 0)
        )
    verdict = run(state, model, judge, watch=ladder.watch, report=publication.report)
    lines = _table(state, verdict)
    if verdict.better:
        arm = state.arms[verdict.winner]
        lines += write_winner(arm, chosen, name, publication.root, target, publication.settings.top_down_share)
    return Outcome((*lines, f"tune: every draft's outcome is in {state.path}"), _figures(state, verdict))


def judge_by(ladder: Any, publication: "Publication") -> Judge:
    """The gates of a run, without what is published: title and claims of an accepted draft."""
    from generator.run.judge_draft import judge

    def judged(draft: Draft) -> str:
        made = judge(
            draft, ladder, created_at=publication.now(), publisher=publication.settings.publisher, salt=bytes(16)
        )
        if made[1] is None:
            return ""
        disclosure = made[1].disclosure
        return "\n".join((disclosure.title, *(claim.text for claim in disclosure.claims)))

    return judged


def open_search(output: Path, setup: dict[str, Any], arms: tuple[Arm, ...]) -> Search:
    """The search of exactly this setup, as far as it got, or a new one. Its budget is 0 until it is known."""
    value = {"setup": setup, "arms": [asdict(arm) for arm in arms]}
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    path = output / "sweeps" / f"{setup['profile']}-{digest[:8]}.json"
    if not path.exists():
        return Search(path, {**setup, "budget": 0}, arms, [])
    try:
        kept = json.loads(files.read(path, "a search for settings"))
        members = {"phase", "arm", "index", "cpu_seconds", "tokens", "text"}
        if kept["schema"] != SCHEMA or any(one.keys() != members for one in kept["tried"]):
            raise ValueError("not of this schema")
        return Search(path, {**setup, "budget": int(kept["setup"]["budget"])}, arms, kept["tried"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PressError(f"{path}: damaged: {error}", hint="Move the file away and tune anew.") from error


def run(
    state: Search,
    model: LanguageModel,
    judge: Judge,
    *,
    watch: Callable[[], EarlyStop | None] = lambda: None,
    report: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Draft and judge until there is a verdict. Each arm's batch is kept when it is complete.

    `watch` makes what stops a hopeless draft early, as in a run: a setting is tried at the cost it would have there.
    """
    if state.budget < (least := fewest_drafts(len(state.arms))):
        hint = f"Give --drafts {least} or more, or fewer values to try."
        raise ConfigError(f"{state.budget} drafts are too few for {len(state.arms)} settings", hint=hint)
    while isinstance(step := next_step(len(state.arms), state.budget, state.trials()), Step):
        report(f"tune: {step.phase}, {step.drafts} drafts with each of {len(step.arms)} settings")
        for arm in step.arms:
            state.tried += _draft(state, model, judge, watch(), step, arm)
            state.keep()
    return step


def _draft(
    state: Search, model: LanguageModel, judge: Judge, watch: EarlyStop | None, step: Step, arm: int
) -> list[dict[str, Any]]:
    """One batch of an arm. Its CPU time, judging included, is divided by tokens."""
    settings = state.arms[arm]
    plan = RunPlan(
        profile=str(state.setup["profile"]),
        seed=int(state.setup["seed"]),
        until="drafts",
        amount=step.drafts,
        top_down_share=settings.top_down_share,
        sampling=settings.sampling,
        publisher="tune",
    )
    briefs = (brief(plan, index) for index in range(step.first, step.first + step.drafts))
    started, made = time.process_time(), []
    with closing(in_order(model, briefs, settings.sampling, lambda _: None, watch)) as drafts:
        for one in drafts:
            made.append((one.brief.index, one.generation.new_tokens, judge(one)))
    spent = time.process_time() - started
    tokens = sum(count for _, count, _ in made) or 1
    return [
        {
            "phase": step.phase,
            "arm": arm,
            "index": index,
            "cpu_seconds": spent * count / tokens,
            "tokens": count,
            "text": text,
        }
        for index, count, text in made
    ]


def _budget(state: Search, model: LanguageModel, judge: Judge, watch: EarlyStop | None, minutes: int) -> int:
    """How many drafts fit into so many minutes, by a first batch of the default that counts towards nothing."""
    began = time.monotonic()
    _draft(state, model, judge, watch, Step("probe", (0,), 0, PROBE), 0)
    return max(1, int(PROBE * minutes * 60 / (time.monotonic() - began)))


def _table(state: Search, verdict: Verdict) -> list[str]:
    """The default and the best arm by their test, then the best others of the search."""
    figures = _figures(state, verdict)["arms"]
    lines = [
        f"{'distinct accepted in a CPU hour':>31}  {'drafts':>6}  {'phase':6}  {'accepted, distinct':>24}  settings"
    ]
    shown = sorted(figures, key=lambda one: (one["phase"] == "search", -one["per_cpu_hour"]))[:8]
    for one in shown + [one for one in figures if one["arm"] in (0, verdict.winner) and one not in shown]:
        mark = "default: " if one["arm"] == 0 else "winner: " if one["arm"] == verdict.winner and verdict.better else ""
        interval = f"{one['hits']} ({100 * one['low']:.1f} to {100 * one['high']:.1f} %)"
        cells = f"{one['per_cpu_hour']:31.1f}  {one['drafts']:6}  {one['phase']:6}  {interval:>24}"
        lines.append(f"{cells}  {mark}{state.arms[one['arm']]}")
    best = state.arms[verdict.winner]
    return [*lines, f"tune: {best}. {verdict.why}"]


def _figures(state: Search, verdict: Verdict) -> dict[str, Any]:
    """Of each arm its drafts of the test, which did not choose it, or where it was not tested, those of the search."""
    trials = state.trials()
    rows = []
    for arm, settings in enumerate(state.arms):
        phase = "test" if ("test", arm) in trials else "search"
        own = trials.get((phase, arm), [])
        hits, seconds = sum(trial.hit for trial in own), sum(trial.seconds for trial in own)
        low, high = wilson(hits, len(own))
        row = {
            "arm": arm,
            **asdict(settings),
            "phase": phase,
            "drafts": len(own),
            "hits": hits,
            "low": low,
            "high": high,
        }
        rows.append({**row, "cpu_seconds": seconds, "per_cpu_hour": 3600 * hits / seconds if seconds else 0.0})
    return {"arms": rows, "winner": verdict.winner, "better": verdict.better, "why": verdict.why, "setup": state.setup}
