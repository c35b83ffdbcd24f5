"""Strangers who contribute to a publication: a model at the seam that writes known texts, machines, a forger."""

import hashlib
import random
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import nights
import pytest
from inventions import draft_text

from generator import __version__
from generator.base.publication import Outcome, Publication
from generator.commands.accept import accept, shared_plan
from generator.commands.contribute import contribute
from generator.log.note import SigningKey
from generator.model import loading
from generator.model.interface import Draft
from generator.model.profiles import load_profile
from generator.record.record import Generation, Record
from generator.run import regenerate
from generator.run.contribution import (
    Contribution,
    contributor_key,
)

PROFILE = load_profile("starter", Path())
DRAFTS = 12


class Author(nights.Author):
    """Writes by the profile `starter`; one kind of draft in three is no patent. A text follows from its seed alone."""

    identity = replace(
        nights.Author.identity,
        model=PROFILE.recorded,
        engine="prior-art 1 numba 0",
        number_format="fp32",
    )

    def drafts(self, briefs: Any, sampling: Any, *, tick: Any = None, **_: Any) -> Iterator[Draft]:
        for brief in briefs:
            text = draft_text(brief.direction, brief.seed % 2**31, f"{brief.seed:016x}")
            text = "# Patent\n\nno headings" if brief.seed % 3 == 1 else text
            made = Generation(
                **asdict(self.identity),
                direction=brief.direction,
                prompt=PROFILE.prompt(brief.direction),
                topic="",
                seed=f"{brief.seed:016x}",
                sampling=sampling.pairs(),
                prompt_tokens=7,
                new_tokens=321,
                stop="end",
                removed_claims=(),
                generator_version=__version__,
            )
            if tick:
                tick(321)
            yield Draft(brief, text, made, 0.01, len(text.split()))


@pytest.fixture(autouse=True)
def written_by_the_author(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "open_model", lambda *_, **__: Author())
    monkeypatch.setattr(regenerate, "open_model", lambda *_, **__: Author())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def publisher(root: Path, **settings: Any) -> Publication:
    """A publication that takes contributions, with its plan served, and a bare remote beside it."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(root / "remote.git")], check=True)
    chosen = replace(nights.SETTINGS, contributions="1000", contributions_sample="1", **settings)
    made = nights.at_night(root / "publisher", chosen, 1, 0)
    plan = shared_plan(made)
    assert plan
    (root / "publisher").mkdir()
    (root / "plan.json").write_bytes(plan.to_bytes())
    return made


def write(root: Path, who: str, drafts: int = DRAFTS, to: str = "", told: list[str] | None = None) -> Outcome:
    lines = [] if told is None else told
    machine = Publication(root / who, nights.SETTINGS, lines.append, now=lambda: f"{nights.night_of(1)}T02:00:00Z")
    if not (root / f"{who}.key").exists():
        (root / f"{who}.key").write_text(contributor_key(hashlib.sha256(who.encode()).digest()).text)
    return contribute(
        machine,
        str(root / "plan.json"),
        name=who,
        drafts=drafts,
        minutes=None,
        to=to,
        key_file=root / f"{who}.key",
        profile=None,
        threads=1,
        number_format="fp32",
    )


def taken(made: Publication, *sources: Path | str, check: bool = False) -> Outcome:
    return accept(made, [str(source) for source in sources], check=check, threads=1)


def forge(path: Path, key: Path, places: int, chance: random.Random) -> Path:
    """Texts of the contributor's own in place of some of the model's, the records made to fit, all signed anew."""
    given = Contribution.from_bytes(path.read_bytes())
    texts = list(given.texts)
    for place in chance.sample(range(len(texts)), places):
        record = Record.from_bytes(texts[place].record.encode())
        text = draft_text(record.generation.direction, 7 + place, f"forged-{place}")
        texts[place] = replace(texts[place], text=text, record=_record_of(text, record, texts[place].index))
    forged = replace(given, texts=tuple(texts))
    path.write_bytes(forged.to_bytes(SigningKey.parse(key.read_text())))
    return path


def _record_of(text: str, record: Record, index: int) -> str:
    from generator.judge.parsing import Rejected
    from generator.model.interface import Brief
    from generator.run.judge_draft import form

    generation = replace(record.generation, removed_claims=())
    brief = Brief(index, record.generation.direction, "", "", 0)  # type: ignore[arg-type]
    formed = form(
        Draft(brief, text, generation, 0.01, 9),
        created_at=record.created_at,
        publisher=record.publisher,
        salt=bytes.fromhex(record.salt),
        contributor=record.contributor,
    )
    assert not isinstance(formed, Rejected)
    return formed.data.decode()
