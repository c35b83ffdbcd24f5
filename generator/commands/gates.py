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


def calibrate(publication: Publication, corpus: Path, out: Path | None = None, sense: Path | None = None) -> Outcome:
    """Thresholds from the real patents in a file, written to `out` (else calibration.json beside the settings).

    With `sense`, the weights and thresholds of the sense gate as well; that needs a model that reads.
    """
    if sense is not None:
        return _fit_sense(publication, corpus, sense)
    from generator.judge.calibration import calibrate, calibration_lines

    out = out or publication.root / "calibration.json"
    value, skipped = calibrate(corpus, out)
    lines = [*calibration_lines(value), f"{out}: calibration {value['id']}"]
    if skipped:
        first = skipped[0]
        told = f"{corpus.name}: documents skipped: {len(skipped)}; the first, at {first.place}: {first.why}"
        lines.insert(0, told)
    return Outcome(tuple(lines), {**value, "skipped": [asdict(one) for one in skipped[:100]]})


def _fit_sense(publication: Publication, corpus: Path, out: Path) -> Outcome:
    from generator.commands.reader import open_reader
    from generator.corpus.reading import read_documents
    from generator.judge.calibration import real_disclosures
    from generator.judge.parsing import Parsed, parse
    from generator.judge.sense_fit import fit_sense, rated_drafts
    from generator.measure.controls import frozen_drafts

    reader = open_reader(publication)
    if reader is None:
        raise ConfigError(
            "the sense gate is fitted with a model that reads, and none is named",
            hint='Set reader = "scribe" in prior-art.toml: its base is read, without the adapter.',
        )
    parsed = [parse(one.text, one.direction, one.stop) for one in frozen_drafts(fitted=True)]
    drafts = [one.disclosure for one in parsed if isinstance(one, Parsed)]
    real = real_disclosures(document for _, document in read_documents(corpus))
    value = fit_sense(real, drafts, rated_drafts(), reader, out, publication.report)
    lines = [f"{one['name']:18s} at least {one['least'] / 1000:.3f}" for one in value["questions"]]
    return Outcome((*lines, f"{out}: sense gate {value['id']}"), value)


def selftest(publication: Publication, corpus: Path | None = None, seed: int = 0, size: int = 300) -> Outcome:
    """The controls through the gates; the figures are kept in the output, for the report."""
    from generator import __version__
    from generator.commands.reader import open_reader
    from generator.measure.controls import selftest

    reader = open_reader(publication)
    outcome = selftest(publication, corpus, publication.calibration, seed, size, reader)
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
