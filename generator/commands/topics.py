"""The command `topics suggest`: combinations of CPC groups that this publication does not have yet."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication


def suggest(
    publication: Publication,
    count: int = 100,
    seed: int = 0,
    within: tuple[str, ...] = (),
    rules: tuple[str, ...] = (),
    out: Path | None = None,
) -> Outcome:
    """Topics for `generate --topics`, one a line, to `out` or to standard output. Raises ConfigError."""
    from generator.base import files
    from generator.judge.cpc_groups import exists
    from generator.record.topic_rules import COMBINING
    from generator.run.topics import RULES, suggest

    for symbol in within:
        if not exists(symbol) or len(symbol) > 4:
            raise ConfigError(
                f"--within {symbol[:40]}: no section, class or subclass of the CPC", hint="Such as B, B62 or B62H."
            )
    known = set(_combined(publication))
    topics = list(suggest(count, seed, within=within, rules=rules or RULES, known=known))
    if not topics:
        raise ConfigError("no combination is left in what was asked for", hint="Give another --within or --rule.")
    lines = tuple(topic.line for topic in topics)
    rules_of = Counter(topic.rule for topic in topics)
    said = ", ".join(f"{rules_of[rule]} by {COMBINING[rule]}" for rule in RULES if rules_of[rule])
    line = f"topics: {len(topics)} combinations, {said}; {len(known)} that the publication has were left out"
    figures = {"topics": len(topics), "rules": dict(rules_of), "known": len(known), "lines": list(lines)}
    if out is None:
        publication.report(line)
        return Outcome(lines, figures)
    files.write(out, ("\n".join(lines) + "\n").encode())
    return Outcome((line, f"topics: in {out}, for: prior-art generate --topics {out}"), {**figures, "file": str(out)})


def _combined(publication: Publication) -> Iterator[str]:
    """The symbols of each combination that a record has, in the log or in the queue."""
    from generator.base import files
    from generator.log import archive
    from generator.record.record import Record
    from generator.record.topic_rules import COMBINING

    output = publication.output
    ledger = archive.read_ledger(output)
    logged = (item.record for volume in archive.volumes(ledger) for item in archive.read_volume(output, volume, ledger))
    waiting = (Record.from_bytes(files.read(path, "a queued record")) for path in archive.queued(output))
    for records in (logged, waiting):
        for record in records:
            if record.generation.topic_rule in COMBINING:
                yield " ".join(record.generation.topic_symbols)
