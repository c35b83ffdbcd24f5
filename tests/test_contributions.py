"""Two strangers with a bare remote between them and a publisher: what holds lands, what is forged is caught, nothing
comes twice. The model at the seam writes known texts, so that anybody's regeneration is known as well."""

import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import facts
import nights
import pytest
from contributors import PROFILE, forge, publisher, taken, write
from contributors import written_by_the_author as written_by_the_author

from generator.base.errors import ConfigError, ContributionError
from generator.commands import nightly
from generator.commands.accept import shared_plan
from generator.log.archive import queued, read_ledger
from generator.log.note import SigningKey
from generator.record.record import Record
from generator.run import acceptance
from generator.run.contribution import (
    SUFFIX,
    Contribution,
    SharedPlan,
    contributor_key,
    fingerprint,
)


def test_two_strangers_one_of_them_forging_and_nothing_twice(tmp_path: Path) -> None:
    made, remote = publisher(tmp_path), f"git:{tmp_path / 'remote.git'}"
    texts = write(tmp_path, "Ada", to=remote).figures["texts"]
    assert texts > 4
    write(tmp_path, "Mallory")
    (file,) = (tmp_path / "Mallory").glob(f"*{SUFFIX}")
    forge(file, tmp_path / "Mallory.key", 1, random.Random(1))
    before = taken(made, remote, file, check=True)
    assert before.ok is False
    assert not list(queued(made.output))
    outcome = taken(made, remote, file)
    assert outcome.ok is False
    ada, mallory = outcome.figures["contributions"]
    assert (ada["taken"], ada["sent"], ada["proved"]) == (texts, texts, texts)
    assert mallory["taken"] == 0
    assert "the model does not write this text" in mallory["reason"]
    again = taken(made, remote)
    assert again.ok
    assert "done already" in again.lines[0]
    records = [Record.from_bytes(path.read_bytes()) for path in queued(made.output)]
    key = SigningKey.parse((tmp_path / "Ada.key").read_text()).verification_key
    assert {record.contributor for record in records} == {f"Ada ({fingerprint(key)})"}
    nightly.append(made, None)
    assert read_ledger(made.output).size == texts
    taken(made, remote)
    assert nightly.append(made, None).figures["added"] == 0
    honest = write(tmp_path, "Mallory")  # whoever forged once sends nothing more
    refused = taken(made, honest.figures["file"])
    assert "is refused" in refused.figures["contributions"][0]["reason"]


def test_rounds_follow_one_another_and_are_nobody_elses(tmp_path: Path) -> None:
    made = publisher(tmp_path)
    files = [Path(write(tmp_path, who).figures["file"]) for who in ("Ada", "Ada", "Bob")]
    assert [file.name.endswith(f"-{number}{SUFFIX}") for file, number in zip(files, (0, 1, 0), strict=True)] == [
        True
    ] * 3
    seeds = [
        {
            Record.from_bytes(text.record.encode()).generation.seed
            for text in Contribution.from_bytes(f.read_bytes()).texts
        }
        for f in files
    ]
    assert not seeds[0] & seeds[1]
    assert not seeds[0] & seeds[2]
    assert taken(made, tmp_path / "Ada", tmp_path / "Bob").ok
    assert len(list(queued(made.output))) == sum(map(len, seeds))


def test_what_was_written_and_could_not_be_sent_is_sent_by_the_next_call(tmp_path: Path) -> None:
    publisher(tmp_path)
    remote = f"git:{tmp_path / 'remote.git'}"
    write(tmp_path, "Ada")
    told: list[str] = []
    outcome = write(tmp_path, "Ada", to=remote, told=told)
    assert len(outcome.figures["branches"]) == 1
    heads = subprocess.run(["git", "-C", str(tmp_path / "remote.git"), "branch"], capture_output=True, text=True)
    assert len(heads.stdout.split()) == 2
    assert not list((tmp_path / "Ada").glob(f"*{SUFFIX}"))
    for path in (tmp_path / "Ada" / "sent").iterdir():  # sent again: nothing is overwritten, nothing fails
        shutil.copy(path, tmp_path / "Ada" / path.name)
    write(tmp_path, "Ada", to=remote)


def test_more_than_a_day_allows_is_refused_and_taken_the_day_after(tmp_path: Path) -> None:
    made = publisher(tmp_path)
    files = [write(tmp_path, "Ada").figures["file"] for _ in range(2)]
    most = len(Contribution.from_bytes(Path(files[1]).read_bytes()).texts) + 1
    narrow = replace(made, settings=replace(made.settings, contributions=str(max(most, 12))))
    assert [bool(taken(narrow, file).ok) for file in files] == [True, False]
    assert taken(replace(narrow, now=lambda: f"{nights.night_of(2)}T03:00:00Z"), files[1]).ok


def test_texts_that_are_published_already_do_not_come_again(tmp_path: Path) -> None:
    made = publisher(tmp_path)
    file = Path(write(tmp_path, "Ada").figures["file"])
    number = taken(made, file).figures["contributions"][0]["taken"]
    assert number > 4
    shutil.rmtree(made.output / "runs")  # the report of the round is lost
    assert taken(made, file).figures["contributions"][0]["taken"] == 0
    assert len(list(queued(made.output))) == number


def test_a_take_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = publisher(tmp_path)
    written = write(tmp_path, "Ada").figures
    file = written["file"]
    real, calls = acceptance.keep, []

    def dying(*words: Any) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        real(*words)

    monkeypatch.setattr(acceptance, "keep", dying)
    with pytest.raises(KeyboardInterrupt):
        taken(made, file)
    assert taken(made, file).figures["contributions"][0]["taken"] == written["texts"]
    assert len({path.read_bytes() for path in queued(made.output)}) == written["texts"]


def test_the_sample_catches_as_often_as_the_docs_say(tmp_path: Path) -> None:
    """The formula, and 500 draws each as `accept` makes them; the table in the docs is what the formula gives."""
    made = publisher(tmp_path)
    given = Contribution.from_bytes(Path(write(tmp_path, "Ada", 150).figures["file"]).read_bytes())
    ladder = acceptance.Ladder.open(None)
    plan = shared_plan(made)
    assert plan
    examined = acceptance.examine(given, plan, PROFILE, ladder, made.output, made.now())
    passed = [place for place, (_, accepted) in enumerate(examined.judged) if accepted]
    assert len(passed) > 80
    draws, chance = 500, random.Random(3)
    for share, forged in (("0.1", 1), ("0.1", 5), ("0.5", 1)):
        caught = 0
        for _ in range(draws):
            bad = set(chance.sample(passed, forged))
            caught += bool(bad & set(acceptance.sampled(examined, share, chance.randbytes(32))))
        wanted = acceptance.chance(len(passed), forged, share)
        assert abs(caught / draws - wanted) < 4 * (wanted * (1 - wanted) / draws) ** 0.5
    table = (Path(__file__).parents[1] / "docs" / "taking-part.md").read_text(encoding="utf-8")
    for share in ("0.1", "0.25", "0.5", "1"):
        cells = " | ".join(f"{acceptance.chance(200, forged, share):.0%}" for forged in (1, 2, 10, 20))
        assert f"| {share} | {cells} |" in table


def test_a_publication_that_takes_none_has_no_plan(tmp_path: Path) -> None:
    made = nights.at_night(tmp_path, nights.SETTINGS, 1, 0)
    assert shared_plan(made) is None
    with pytest.raises(ConfigError, match="takes no contributions"):
        taken(made, "x")
    for data in (b"", b"[]", b"{}", b'{"schema":"prior-art-shared-plan/v1"}'):
        with pytest.raises(ContributionError):
            SharedPlan.from_bytes(data, "x")
    key = contributor_key(bytes(32)).verification_key
    assert facts.key().verification_key.text != key.text
