"""What strangers may send instead of a contribution: each is refused with its reason, and nothing is written."""

import json
import os
import random
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from contributors import publisher, taken, write
from contributors import written_by_the_author as written_by_the_author

from generator.base.errors import ConfigError, ContributionError
from generator.log.archive import queued
from generator.log.note import SigningKey
from generator.record.record import Record
from generator.run.contribution import (
    MOST_BYTES,
    SUFFIX,
    Contribution,
)


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
