"""The commands `corpus add` and `corpus show`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.corpus.patent_text import UNREAD_DATE

if TYPE_CHECKING:
    from generator.corpus.store import Corpus


def add(publication: Publication, folder: Path | None, paths: tuple[Path, ...], name: str = "") -> Outcome:
    """Add files to the reference corpus in `folder` (None: the one of the settings), made when it is not there."""
    from generator.corpus.adding import add
    from generator.corpus.store import Corpus

    folder = _named(publication, folder)
    add(folder, paths, publication.report, name=name)
    return _described(Corpus.open(folder))


def show(publication: Publication, folder: Path | None, check: bool = False) -> Outcome:
    """What a corpus holds; with `check`, whether every byte is as it was written, which reads all of it."""
    from generator.corpus.store import Corpus

    corpus = Corpus.open(_named(publication, folder))
    outcome = _described(corpus)
    if not check:
        return outcome
    damaged = corpus.damage()
    said = f"FAIL  {damaged} is not as it was written" if damaged else "ok    every file is as it was written"
    return Outcome((*outcome.lines, said), {**outcome.figures, "damaged": damaged}, ok=not damaged)


def _named(publication: Publication, folder: Path | None) -> Path:
    if found := folder or publication.corpus:
        return found
    raise ConfigError("no corpus was named", hint="Give --corpus FOLDER, or set `corpus` in prior-art.toml.")


def _described(corpus: "Corpus") -> Outcome:
    manifest = corpus.manifest
    dated = [year for year, _ in manifest.years if year]
    years = f", dated {dated[0]} to {dated[-1]}" if dated else ""
    lines = [f"corpus {manifest.name}: {manifest.documents} documents{years}, SHA-256 {corpus.name.sha256}"]
    for one in manifest.files:
        state = "" if one.next < 0 else ", not read to its end"
        counts = f"{one.documents} documents, {one.duplicates} known before, {one.skipped} skipped"
        lines.append(f"  {one.name}: {counts}{state}")
        if one.claims >= 0:
            lines.append(f"    {one.claims} claims, {one.incomplete} of them incomplete; {one.families} families")
            lines += [f"    left out: {_reason(why, number)}" for why, number in one.left_out]
        else:
            lines.append("    claims and families were not counted: an earlier version read it")
        lines += [f"    skipped at {place}: {why}" for place, why in one.places]
    figures = {**asdict(corpus.name), "files": [one.as_json() for one in manifest.files], "years": dict(manifest.years)}
    return Outcome(tuple(lines), figures)


def _reason(why: str, number: int) -> str:
    return f"{number} dates that are not read" if why == UNREAD_DATE else f"{number} claims, {why}"
