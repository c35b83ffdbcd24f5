"""Early stop on whole drafts: is a draft ever stopped that the gates would have accepted, and what is saved?

    python -m tests.benchmarks.early_stop --drafts 2000

The watcher sees every draft as in a run but stops none, so that the gates G0 to G2 judge them all.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from threading import Lock

from generator.base.intervals import wilson
from generator.judge.calibration import load_calibration
from generator.judge.checks import check, coherent
from generator.judge.early_stop import EarlyStop, gate_of
from generator.judge.parsing import Rejected, parse
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import load_profile
from generator.record.layouts import DIRECTIONS
from generator.run.plan import draft_seed


class Looking:
    """A watcher that notes when and why an EarlyStop would have stopped a draft, and lets it go on."""

    def __init__(self) -> None:
        self.stops: dict[int, tuple[str, int]] = {}
        self.seconds, self._watch, self._lock = 0.0, EarlyStop(), Lock()

    def __call__(self, brief: Brief, text: str) -> str:
        if brief.index in self.stops:
            return ""
        started = time.thread_time()
        reason = self._watch(brief, text)
        with self._lock:
            self.seconds += time.thread_time() - started
            if reason:
                self.stops[brief.index] = reason, len(text)
        return ""


def judged(text: str, direction, stop: str, calibration) -> str:
    """The gate at which a draft ends, or an empty string."""
    parsed = parse(text, direction, "limit" if stop == "limit" else "end")
    result = parsed if isinstance(parsed, Rejected) else check(parsed.disclosure)
    if not isinstance(result, Rejected):
        result = coherent(result.disclosure, calibration)
    return result.gate if isinstance(result, Rejected) else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="starter")
    parser.add_argument("--drafts", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    profile, calibration, look = load_profile(chosen.profile, Path()), load_calibration(), Looking()
    model = open_model(profile, EngineChoice(threads=chosen.threads), report=print)
    briefs = (Brief(n, DIRECTIONS[n % 2], "", "", draft_seed(chosen.seed, n)) for n in range(chosen.drafts))
    outcomes: dict[str, Counter[str]] = {direction: Counter() for direction in DIRECTIONS}
    reasons: Counter[str] = Counter()
    wrong, saved, tokens, judging = [], 0.0, 0, 0.0
    begun = time.process_time()
    for draft in model.drafts(briefs, profile.sampling, watch=look):
        started = time.thread_time()
        gate = judged(draft.text, draft.brief.direction, draft.generation.stop, calibration)
        judging += time.thread_time() - started
        outcomes[draft.brief.direction][gate or "passed G2"] += 1
        tokens += draft.generation.new_tokens
        if draft.brief.index in look.stops:
            reason, place = look.stops[draft.brief.index]
            reasons[f"{gate_of(reason)} {reason}"] += 1
            saved += draft.generation.new_tokens * max(0, 1 - place / len(draft.text))
            wrong += [draft.brief.index] if not gate else []
    spent = time.process_time() - begun - judging - look.seconds
    most = 100 * wilson(len(wrong), chosen.drafts)[1]
    print(f"{chosen.drafts} drafts: {len(look.stops)} would be stopped, {len(wrong)} of them wrongly: {wrong[:10]}")
    print(
        f"wrongly stopped: at most {most:.2f} % of the drafts (95 %); saved {100 * saved / tokens:.1f} % of the tokens"
    )
    print(f"reasons: {json.dumps(dict(reasons.most_common()))}")
    for direction, counts in outcomes.items():
        print(f"{direction}: {json.dumps(dict(sorted(counts.items())))}")
    each = 1000 / chosen.drafts
    print(
        f"CPU a draft: writing {spent * each:.1f} ms, watching {look.seconds * each:.2f} ms, "
        f"judging to G2 {judging * each:.2f} ms: {100 * (look.seconds + judging) / spent:.2f} % of writing"
    )
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
