"""Shards of a run, each as if on a machine of its own, and the run that is made of them."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import facts
import nights
import pytest
from test_runs import Killed, killed_at
from written import LADDER, NOW, PLAN, WrittenModel, facts_of, records, run

from generator.base import canonical, files
from generator.base.errors import ConfigError, PressError
from generator.commands import nightly
from generator.run.drafting import generate
from generator.run.folders import Begun
from generator.run.judge_draft import content_sha256
from generator.run.plan import Shard
from generator.run.shards import merge, read_shards
from generator.run.state import RunState

LATER = "2026-11-22T05:00:00Z"
WHOLE = replace(PLAN, amount=23)


def shard(output, number, of, plan=WHOLE, model=None):
    """The working folder of a finished shard."""
    made = run(output, plan, model, shard=Shard(number, of))
    return output / "runs" / made.run


def shards(root, of=3, plan=WHOLE):
    return [shard(root / f"machine-{number}", number, of, plan) for number in range(1, of + 1)]


def merged(folders, output):
    return merge(folders, output, now=lambda: LATER)


def tree(folder):
    """Every file and its digest."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def same_but_for_the_name(output):
    kept, texts = facts_of(output)
    return {name: value for name, value in kept.items() if name != "run"}, texts


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    output = tmp_path_factory.mktemp("whole")
    assert run(output, WHOLE).report["reasons"] == {"c7": 7, "duplicate": 2}
    return same_but_for_the_name(output)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three finished shards; tests that change them copy them."""
    return shards(tmp_path_factory.mktemp("three"))


@pytest.mark.parametrize("of", [1, 2, 3, 7, 30])
def test_the_merged_run_is_the_run_that_was_never_divided(tmp_path, whole, of):
    folders = shards(tmp_path, of)
    result, new = merged(reversed(folders), tmp_path / "output")
    assert (result.finished, new) == (True, True)
    assert same_but_for_the_name(tmp_path / "output") == whole
    assert result.report["started_at"] == NOW
    assert not (tmp_path / "output" / "runs" / result.run).exists()
    if of == 3:
        assert [session["shard"] for session in result.report["engine"]] == ["1/3", "2/3", "3/3"]
        assert sum(session["drafts"] for session in result.report["engine"]) == 23


def test_a_shard_does_not_depend_on_what_its_machine_has_in_the_queue(tmp_path, three):
    run(tmp_path, WHOLE)
    assert tree(shard(tmp_path, 1, 3) / "ready") == tree(three[0] / "ready")


def test_what_waits_in_the_queue_is_refused_by_the_merge(tmp_path, three):
    run(tmp_path, replace(PLAN, seed=9, amount=2))
    assert len(records(tmp_path)) == 2
    result, _ = merged(three, tmp_path)
    assert result.report["reasons"] == {"c7": 7, "duplicate": 4}
    contents = [content_sha256(record.disclosure) for record in records(tmp_path)]
    assert len(contents) == len(set(contents))


def test_a_folder_of_shards_at_any_depth_is_enough_and_one_named_twice_is_one(tmp_path, three, whole):
    for number, folder in enumerate(three):
        shutil.copytree(folder, tmp_path / "fetched" / f"artifact-{number}" / "deeper" / folder.name)
    again = next((tmp_path / "fetched").rglob("plan.json")).parent
    merged([tmp_path / "fetched", again], tmp_path / "output")
    assert same_but_for_the_name(tmp_path / "output") == whole


def test_merging_twice_changes_nothing(tmp_path, three):
    first, _ = merged(three, tmp_path)
    before = tree(tmp_path)
    again, new = merged(three, tmp_path)
    assert (again, new) == (first, False)
    assert tree(tmp_path) == before


def test_shards_written_beside_the_merged_run_are_left_alone(tmp_path, whole):
    """On one machine all lie in `output/runs`, with a whole run that is not finished, and the merge's own folder."""
    assert not run(tmp_path, replace(PLAN, seed=1), WrittenModel(2)).finished
    folders = [shard(tmp_path, number, 3) for number in (1, 2, 3)]
    assert not run(tmp_path, WHOLE, WrittenModel(5)).finished
    shutil.rmtree(tmp_path / "queue")
    for path in folders:
        assert path.is_dir()
    before = [tree(folder) for folder in folders]
    (tmp_path / "other").mkdir()
    merged([tmp_path / "runs"], tmp_path / "other")
    assert same_but_for_the_name(tmp_path / "other") == whole
    assert [tree(folder) for folder in folders] == before


def test_a_merge_killed_at_any_step_goes_on_with_the_same_command(tmp_path, monkeypatch, whole, three):
    number, done = 0, False
    while not done:
        output = tmp_path / str(number)
        with monkeypatch.context() as patch:
            killed_at(patch, number)
            try:
                merged(three, output)
                done = True
            except Killed:
                pass
        merged(three, output)
        assert same_but_for_the_name(output) == whole, number
        number += 17
    assert number > 60


def test_a_shard_killed_in_the_middle_goes_on(tmp_path, three):
    assert not run(tmp_path, WHOLE, WrittenModel(3), shard=Shard(2, 3)).finished
    model = WrittenModel()
    folder = shard(tmp_path, 2, 3, model=model)
    assert model.made == [10, 13, 16, 19, 22]
    assert tree(folder / "ready") == tree(three[1] / "ready")


def copies(three, root):
    return [Path(shutil.copytree(folder, root / str(number))) for number, folder in enumerate(three)]


def drop(name):
    return lambda folders, _: (folders[1] / name).unlink()


def flip(name):
    def change(folders, _):
        (path,) = folders[1].glob(name)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return change


def other(plan=WHOLE, number=2, of=3):
    def change(folders, root):
        folders[1] = shard(root / "other", number, of, plan)

    return change


class OtherWeights(WrittenModel):
    def __init__(self):
        super().__init__()
        self.identity = replace(self.identity, number_format="int8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folders, _: folders.pop(), r"1 of 3 shards are missing: 3/3"),
        (lambda folders, _: folders.__delitem__(slice(0, 2)), r"2 of 3 shards are missing: 1/3, 2/3"),
        (
            lambda folders, _: folders.append(shutil.copytree(folders[0], folders[0].parent / "x")),
            r"1/3 is there twice",
        ),
        (lambda folders, root: folders.append(root / "nowhere"), r"nowhere: there is no such folder"),
        (lambda folders, root: folders.append((root / "empty").mkdir() or root / "empty"), r"empty: no shard is in it"),
        (other(replace(WHOLE, seed=8)), r"a shard of another run: its seed is not that of"),
        (other(replace(WHOLE, amount=24)), r"its amount is not that of"),
        (other(number=2, of=4), r"other.*: shard 2/4, but .* is shard 1/3"),
        (drop("shard.json"), r"shard 2/3 is not finished"),
        (drop("drafts.jsonl"), r"drafts\.jsonl: a file of shard 2/3 cannot be read"),
        (drop("ready/000001.json"), r"000001\.json: a file of shard 2/3 cannot be read"),
        (drop("ready/000001.findings.json"), r"000001\.findings\.json: a file of shard 2/3 cannot be read"),
        (flip("drafts.jsonl"), r"drafts\.jsonl: shard 2/3 is damaged"),
        (flip("ready/000001.json"), r"000001\.json: shard 2/3 is damaged"),
        (flip("plan.json"), r"plan\.json: (damaged|shard 2/3 is damaged)|another run"),
        (flip("shard.json"), r"shard\.json: damaged"),
    ],
)
def test_what_is_wrong_with_shards_is_named_and_nothing_is_merged(tmp_path, three, change, message):
    folders = copies(three, tmp_path)
    change(folders, tmp_path)
    with pytest.raises(PressError, match=message) as error:
        merged(folders, tmp_path / "output")
    assert error.value.hint or "cannot be read" in message
    assert not (tmp_path / "output").exists()


def test_shards_of_two_number_formats_are_not_merged(tmp_path, three):
    folders = [three[0], shard(tmp_path, 2, 3, model=OtherWeights()), three[2]]
    with pytest.raises(ConfigError, match=r"written with number_format = int8, but .* with none") as error:
        read_shards(folders)
    assert "--format" in error.value.hint


def test_a_seal_over_other_drafts_than_those_of_the_plan(tmp_path, three):
    """A shard that was sealed by hand: the digests hold, the drafts are not all there."""
    folders = copies(three, tmp_path)
    lines = (folders[1] / "drafts.jsonl").read_bytes().splitlines(keepends=True)
    (folders[1] / "drafts.jsonl").write_bytes(b"".join(lines[:-1]))
    sealed = canonical.loads((folders[1] / "shard.json").read_bytes())
    digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    del sealed["sha256"]
    sealed["files"] = [
        {**item, "sha256": digest} if item["path"] == "drafts.jsonl" else item for item in sealed["files"]
    ]
    sealed["sha256"] = hashlib.sha256(canonical.dumps(sealed)).hexdigest()
    files.write(folders[1] / "shard.json", canonical.dumps(sealed))
    with pytest.raises(PressError, match="its drafts are not those of the plan"):
        merged(folders, tmp_path / "output")


def test_only_drafts_can_be_divided(tmp_path):
    with pytest.raises(ConfigError, match="cannot know what the others accept"):
        generate(
            replace(PLAN, until="count"),
            WrittenModel(),
            LADDER,
            tmp_path,
            shard=Shard(1, 2),
            now=lambda: NOW,
            salt=lambda: bytes(16),
            report=lambda _: None,
        )


def test_a_night_does_not_stumble_over_shards(tmp_path):
    settings, to = nights.publication(tmp_path)
    output = tmp_path / "output"
    assert not run(output, WHOLE, WrittenModel(2), shard=Shard(1, 2)).finished
    kept = shard(output, 2, 2)
    nights.night(tmp_path, settings, to, 1)
    nights.check(tmp_path, settings, 1)
    assert nightly.check(nights.at_night(tmp_path, settings, 1, 9)).ok
    assert len(list(facts.logged(output, 0))) == nights.COUNT
    assert kept.is_dir()
    tracked = files_of_branch(output)
    assert tracked
    assert not [name for name in tracked if name.startswith("runs/") and name.count("/") > 1]


def files_of_branch(output):
    import subprocess

    listed = subprocess.run(["git", "-C", output, "ls-files"], capture_output=True, check=True, text=True)
    return listed.stdout.split()


def test_a_shard_that_another_process_writes_is_refused(tmp_path):
    begun = Begun(WHOLE, {"model": "m"}, facts.TIME, Shard(1, 2))
    with (
        RunState.opened(tmp_path, begun.name, begun),
        pytest.raises(PressError, match="another process is writing"),
        RunState.opened(tmp_path, begun.name, begun),
    ):
        pass
