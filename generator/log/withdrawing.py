"""A text that the law forbids to serve: the entry that withdraws it, and what must then go from the facts.

The log keeps number, hash, dates and proof, for it holds hashes only. What goes is the record, what gates said of it,
and what they said of it beside other records.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError
from generator.log import append
from generator.log.append import Batch
from generator.log.archive import BESIDE, own, record_path, unnumbered
from generator.log.entries import Withdrawn
from generator.log.ledger import Ledger
from generator.record.judgement import Judgement

REASONS = ("privacy", "copyright", "safety", "court", "error")


def stage_withdrawal(output: Path, origin: str, known: Ledger, entry: Withdrawn) -> Batch | None:
    """Stage the entry; None where the log says the same already. Raises LogError for what cannot be withdrawn."""
    leaf = entry.leaf
    if known.disclosure(leaf) is None:
        raise LogError(f"entry {leaf} of the log is no disclosure", hint="Give the serial number of a disclosure.")
    if (index := known.withdrawn.get(leaf)) is None:
        return append.stage_entries(output, origin, [entry])
    before = known.entries[index]
    if before != replace(entry, time=getattr(before, "time", "")):
        raise LogError(
            f"disclosure {leaf} is withdrawn already, by entry {index}, for another reason or notice",
            hint="Nothing is left to withdraw. To remove what a kill left of it: prior-art append.",
        )
    return None


def remove_texts(output: Path, known: Ledger) -> list[Path]:
    """Remove from the facts in `output` every withdrawn text that is still there. The files removed or changed.

    The record goes last: as long as it is there, the rest is not done.
    """
    changed: list[Path] = []
    for leaf in known.withdrawn:
        record = record_path(output, leaf)
        beside = [path for suffix in BESIDE if (path := record_path(output, leaf, suffix)).exists()]
        if record.exists() or beside:
            changed += [path for path in _judgements(output, known) if _forget(path, leaf, known)]
            for path in (*beside, *([record] if record.exists() else [])):
                path.unlink()
                changed.append(path)
    return changed


def _judgements(output: Path, known: Ledger) -> Iterator[Path]:
    for serial, _ in known.served():
        if (path := record_path(output, serial, ".judgement.json")).exists():
            yield path


def _forget(path: Path, leaf: int, known: Ledger) -> bool:
    """Take title, words and passages of `leaf` out of a judgement of another disclosure; whether any were in it."""
    entry, data = known.disclosure(leaf), files.read(path, "a judgement")
    names = {own(leaf), unnumbered(entry.sha256 if entry else "")}
    if not any(f'"{name}"'.encode() in data for name in names):
        return False
    found = Judgement.from_bytes(data)
    copying, chart = found.copying, found.chart
    if copying.run_in in names:
        copying = replace(copying, run="")
    if chart:
        rows = tuple(replace(row, title="", passage="") if row.document in names else row for row in chart.elements)
        chart = replace(chart, elements=rows)
    near = tuple(one for one in found.neighbours if one.number not in names)
    after = replace(found, copying=copying, chart=chart, neighbours=near).to_bytes()
    if after == data:
        return False
    files.write(path, after)
    return True
