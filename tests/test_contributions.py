"""Two strangers with a bare remote between them and a publisher: what holds lands, what is forged is caught, nothing
comes twice. The model at the seam writes known texts, so that anybody's regeneration is known as well."""

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import facts
import nights
import pytest
from inventions import draft_text

from generator import __version__
from generator.base.errors import ConfigError, ContributionError
from generator.base.publication import Outcome, Publication
from generator.commands import nightly
from generator.commands.accept import accept, shared_plan
from generator.commands.contribute import contribute
from generator.log.archive import queued, read_ledger
from generator.log.note import SigningKey
from generator.model import loading
from generator.model.interface import Draft
from generator.model.profiles import load_profile
from generator.record.record import Generation, Record
from generator.run import acceptance, regenerate
from generator.run.contribution import (
    MOST_BYTES,
    SUFFIX,
    Contribution,
    SharedPlan,
    contributor_key,
    fingerprint,
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"origin": "example.org/other/log"}, "written for example.org/other/log"),
        ({"round": 1}, "its seed is not what"),
        ({"name": "Eve"}, "its contributor is not what"),
        ({"texts": ()}, "there is no text"),
        ({"drafts": 1}, "is not possible"),
        ({"round": -1}, "is not possible"),
        ({"name": "two\nlines"}, "is not one line"),
        ({"drafts": 10**9}, "is not possible"),
    ],
)
def test_a_contribution_of_something_else_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    made = publisher(tmp_path)
    file = Path(write(tmp_path, "Ada").figures["file"])
    given = replace(Contribution.from_bytes(file.read_bytes()), **change)
    key = SigningKey.parse((tmp_path / "Ada.key").read_text())
    line = json.dumps({"schema": "prior-art-contribution/v1", **asdict(given)}, sort_keys=True, separators=(",", ":"))
    from generator.run.contribution import _signed

    file.write_bytes(line.encode() + b"\n" + key.sign(_signed(line.encode())).encode())
    outcome = taken(made, file)
    assert outcome.ok is False
    assert said in outcome.figures["contributions"][0]["reason"]
    assert not list(queued(made.output))


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("seed", "00000000000000ff", "its seed"),
        ("model", "another", "its model"),
        ("weights_sha256", "b" * 64, "its weights_sha256"),
        ("prompt", "Write of wheels", "its prompt"),
        ("model_license", "none", "its model_license"),
        ("sampling", (("temperature", "0"),), "its sampling"),
    ],
)
def test_a_record_that_does_not_follow_from_the_plan_is_refused(
    tmp_path: Path, member: str, value: Any, said: str
) -> None:
    made = publisher(tmp_path)
    file = Path(write(tmp_path, "Ada").figures["file"])
    given = Contribution.from_bytes(file.read_bytes())
    for places in ([2], range(len(given.texts))):  # in one record, and in all alike
        texts = list(given.texts)
        for place in places:
            record = Record.from_bytes(texts[place].record.encode())
            changed = replace(record, generation=replace(record.generation, **{member: value}))
            texts[place] = replace(texts[place], record=changed.to_bytes().decode())
        key = SigningKey.parse((tmp_path / "Ada.key").read_text())
        file.write_bytes(replace(given, texts=tuple(texts)).to_bytes(key))
        outcome = taken(made, file)
        assert outcome.ok is False
        reason = outcome.figures["contributions"][0]["reason"]
        assert said in reason or "not reproduced here" in reason
    assert not list(queued(made.output))


def test_a_text_that_does_not_give_its_record_is_refused(tmp_path: Path) -> None:
    made = publisher(tmp_path)
    file = Path(write(tmp_path, "Ada").figures["file"])
    given = Contribution.from_bytes(file.read_bytes())
    texts = (replace(given.texts[0], text=given.texts[1].text), *given.texts[1:])
    file.write_bytes(replace(given, texts=texts).to_bytes(SigningKey.parse((tmp_path / "Ada.key").read_text())))
    assert "does not give its record" in taken(made, file).figures["contributions"][0]["reason"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\n", b"[" * 100_000, b'{"schema":"prior-art-contribution/v1"}\n', b"\xff\xfe\n\n", b"1e400\n"],
)
def test_bytes_that_are_no_contribution(tmp_path: Path, data: bytes) -> None:
    made = publisher(tmp_path)
    (tmp_path / f"x{SUFFIX}").write_bytes(data)
    assert taken(made, tmp_path / f"x{SUFFIX}").ok is False
    with pytest.raises(ContributionError):
        Contribution.from_bytes(data)


def test_one_flipped_byte_is_found(tmp_path: Path) -> None:
    publisher(tmp_path)
    data = Path(write(tmp_path, "Ada").figures["file"]).read_bytes()
    chance = random.Random(5)
    for place in chance.sample(range(len(data)), 60):
        changed = data[:place] + bytes([data[place] ^ 1 << chance.randrange(7)]) + data[place + 1 :]
        with pytest.raises(ContributionError):
            Contribution.from_bytes(changed)


def test_links_pipes_holes_and_great_files_are_refused_at_once(tmp_path: Path) -> None:
    made, folder = publisher(tmp_path), tmp_path / "came"
    folder.mkdir()
    (folder / f"link{SUFFIX}").symlink_to("/etc/passwd")
    os.mkfifo(folder / f"pipe{SUFFIX}")
    with (folder / f"great{SUFFIX}").open("wb") as file:
        file.truncate(10 << 30)
    (folder / "another.txt").write_text("is not looked at")
    outcome = taken(made, folder)
    reasons = {one["contribution"]: one["reason"] for one in outcome.figures["contributions"]}
    assert set(reasons) == {f"{name}{SUFFIX}" for name in ("link", "pipe", "great")}
    assert f"more than {MOST_BYTES:,} bytes" in reasons[f"great{SUFFIX}"]
    for number in range(1001):
        (folder / f"{number}{SUFFIX}").touch()
    with pytest.raises(ConfigError, match="at most 1000"):
        taken(made, folder)


def test_branches_of_another_shape_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    made, remote = publisher(tmp_path), tmp_path / "remote.git"
    write(tmp_path, "Ada", to=f"git:{remote}")

    def git(*words: str, data: bytes = b"") -> str:
        done = subprocess.run(["git", "-C", str(remote), *words], input=data, capture_output=True, check=True)
        return done.stdout.decode().strip()

    blob = git("hash-object", "-w", "--stdin", data=b"/etc/passwd")
    trees = {
        "a-link": f"120000 blob {blob}\tcontribution\n",
        "b-two": f"100644 blob {blob}\tcontribution\n100644 blob {blob}\tmore\n",
        "c-name": f"100644 blob {blob}\tother\n",
        "d-text": f"100644 blob {blob}\tcontribution\n",
    }
    user = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for name, tree in trees.items():
        made_tree = git("mktree", data=tree.encode())
        git("update-ref", f"refs/heads/contribution-{name}", git(*user, "commit-tree", "-m", "x", made_tree))
    outcome = taken(made, f"git:{remote}")
    taken_of = {one["contribution"]: one["taken"] for one in outcome.figures["contributions"]}
    assert len(taken_of) == 5
    assert sorted(map(bool, taken_of.values())) == [False] * 4 + [True]
    assert not any(taken_of[f"contribution-{name}"] for name in trees)


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
