"""The commands that set and test the gates, and when a night tests them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.site.report_facts import SELFTEST

SCHEMA = "prior-art-selftest/v1"


def calibrate(publication: Publication, corpus: Path, out: Path | None = None) -> Outcome:
    """Thresholds from the real patents in a file, written to `out` (else calibration.json beside the settings)."""
    from generator.judge.calibration import calibrate, calibration_lines

    out = out or publication.root / "calibration.json"
    value, skipped = calibrate(corpus, out)
    lines = [*calibration_lines(value), f"{out}: calibration {value['id']}"]
    if skipped:
        first = skipped[0]
        told = f"{corpus.name}: documents skipped: {len(skipped)}; the first, at {first.place}: {first.why}"
        lines.insert(0, told)
    return Outcome(tuple(lines), {**value, "skipped": [asdict(one) for one in skipped[:100]]})


def selftest(publication: Publication, corpus: Path | None = None, seed: int = 0, size: int = 300) -> Outcome:
    """The controls through the gates; the figures are kept in the output, for the report."""
    from generator import __version__
    from generator.measure.controls import selftest

    outcome = selftest(publication, corpus, publication.calibration, seed, size)
    value = {"schema": SCHEMA, "version": __version__, **outcome.figures}
    files.write(publication.output / SELFTEST, canonical.dumps(value))
    return outcome


def selftest_if_due(publication: Publication) -> None:
    """Run the shipped controls unless this version has run some with this calibration.

    Raises ConfigError where a control is beyond its goal: what such gates accept is not to be published.
    """
    from generator import __version__
    from generator.judge.calibration import load_calibration

    path = publication.output / SELFTEST
    wanted = (SCHEMA, __version__, load_calibration(publication.calibration).id)
    try:
        kept: Any = json.loads(path.read_bytes()) if path.exists() else {}
        made_by = tuple(kept.get(name) for name in ("schema", "version", "calibration"))
        missed = kept.get("missed") if made_by == wanted else None
    except (ValueError, AttributeError):
        missed = None  # torn or another's: it is a view, and made again
    if missed is None:
        outcome = selftest(publication)
        publication.report(outcome.lines[-1])
        missed = outcome.figures["missed"]
    if missed:
        raise ConfigError(
            f"the gates do not tell texts apart as they should: {', '.join(missed)} beyond the goal",
            hint="See: prior-art selftest. Leave out the setting `calibration`, or make it anew.",
        )
