import json
import threading
from dataclasses import replace

import facts
import pytest
from judgements import OBVIOUS

from generator.base import canonical, files
from generator.base.errors import ConfigError, PressError
from generator.log.archive import BESIDE, queued
from generator.model.sampling_settings import Sampling
from generator.record.judgement import CorpusName
from generator.run.folders import Begun, find_finished, find_unfinished, outdated, read_seal, remove_leftovers
from generator.run.lines import Line, read_lines
from generator.run.plan import RunPlan, Shard
from generator.run.state import Accepted, RunState
from generator.run.topics import Topic

PLAN = RunPlan("tiny", 2**64 - 1, "drafts", 4, "0.5", Sampling("0.8"), "Example", (Topic("F16K", "Valve for"),))
MODEL = {"model": "tiny", "weights_sha256": "a", "tokenizer_sha256": "b", "number_format": "fp32", "engine": "e"}
NAME, TIME = "2026-11-22-0123abcd", "2026-11-22T03:17:00Z"


def opened(output, shard=None, **changes):
    return RunState.opened(output, NAME, Begun(PLAN, {**MODEL, **changes}, TIME, shard))


def line(index, outcome="rejected", **changes):
    gate, reason = ("G1", "c2") if outcome == "rejected" else ("", "")
    value = Line(index, "00", "top-down", gate, reason, "", "d", "c", "end", 100, 30, 0, 1500, 2500)
    return replace(value, **changes)


def kept(number):
    return Accepted.from_bytes(facts.record(number).to_bytes(), b"[]", OBVIOUS.to_bytes())


def queue(output):
    return sorted(path.name for path in (output / "queue").glob("*.json"))


def test_lines_of_earlier_versions_are_read(tmp_path):
    """Up to 0.6 each line named its outcome and a subclass."""
    new = line(3).to_bytes()
    old = canonical.dumps({**canonical.loads(new.rstrip()), "outcome": "rejected", "subclass": "A61K"}) + b"\n"
    assert list(read_lines(tmp_path / "drafts.jsonl", old + new)) == [line(3), line(3)]
    assert not line(3).accepted
    assert line(3, "accepted").accepted


def test_plan_and_its_value():
    value = PLAN.value()
    assert value["seed"] == "ffffffffffffffff"
    for plan in (PLAN, replace(PLAN, calibration="c1", corpus=CorpusName("known", 5, "c" * 64))):
        assert RunPlan.from_value(canonical.loads(canonical.dumps(plan.value()))) == plan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 2**64}, "not possible"),
        ({"seed": -1}, "not possible"),
        ({"amount": 0}, "not possible"),
        ({"until": "pages"}, "not possible"),
        ({"top_down_share": "1.5"}, "from 0 to 1"),
        ({"top_down_share": "half"}, "from 0 to 1"),
        ({"top_down_share": "NaN"}, "from 0 to 1"),
        ({"publisher": ""}, "publisher"),
        ({"publisher": "two\nlines"}, "publisher"),
    ],
)
def test_impossible_plans(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(PLAN, **changes)


def test_a_finished_run_leaves_its_report_alone(tmp_path):
    with opened(tmp_path) as state:
        state.add(line(0))
        state.add(line(1, "accepted", removed_claims=2), kept(1))
        state.add(line(2, stop="limit", direction="bottom-up"))
        report = state.finish("2026-11-22T04:00:00Z")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [f"{NAME}.json"]
    data = (tmp_path / "runs" / f"{NAME}.json").read_bytes()
    assert canonical.loads(data) == json.loads(data) == report
    assert (report["drafts"], report["accepted"], report["rejected"]) == (3, 1, 2)
    assert report["reasons"] == {"c2": 2}
    assert (report["tokens"], report["words"], report["milliseconds"]) == (300, 90, 4500)
    assert (report["removed_claims"], report["cut_by_limit"]) == (2, 1)
    assert report["directions"][0] == {"direction": "bottom-up", "drafts": 1, "accepted": 0}
    assert report["drafts_by_index"][1] == {"index": 1, "seed": "00", "sha256": "d", "outcome": "accepted"}
    assert queue(tmp_path) == [f"{NAME}-000001{suffix}" for suffix in (".findings.json", ".json", ".judgement.json")]
    assert find_unfinished(tmp_path, PLAN) is None


def test_an_unfinished_run_is_found_by_its_plan(tmp_path):
    with opened(tmp_path) as state:
        state.add(line(0))
    assert find_unfinished(tmp_path, PLAN) == (NAME, Begun(PLAN, MODEL, TIME))
    other = replace(PLAN, seed=5)
    assert find_unfinished(tmp_path, other) is None
    assert find_unfinished(tmp_path, other, seed_given=False) == (NAME, Begun(PLAN, MODEL, TIME))
    assert find_unfinished(tmp_path, replace(PLAN, amount=5), seed_given=False) is None
    with opened(tmp_path) as state:
        assert (list(state.lines), state.tokens, state.milliseconds) == ([0], 100, 1500)


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_torn_last_line_is_dropped(tmp_path, cut):
    with opened(tmp_path) as state:
        state.add(line(0))
        state.add(line(1))
    path = tmp_path / "runs" / NAME / "drafts.jsonl"
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    path.write_bytes(data[: first + cut] if cut > 0 else data[:cut])
    with opened(tmp_path) as state:
        assert list(state.lines) == [0]
        state.add(line(1))
    assert path.read_bytes() == data


def test_a_damaged_line_is_told(tmp_path):
    with opened(tmp_path) as state:
        state.add(line(0))
    path = tmp_path / "runs" / NAME / "drafts.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(PressError, match=r"drafts\.jsonl:1: damaged"), opened(tmp_path):
        pass


def test_a_damaged_plan_is_told(tmp_path):
    with opened(tmp_path):
        pass
    (tmp_path / "runs" / NAME / "plan.json").write_bytes(b'{"plan":{}}')
    with pytest.raises(PressError, match=r"plan\.json: damaged"):
        find_unfinished(tmp_path, PLAN)


def test_other_weights_cannot_go_on_with_a_run(tmp_path):
    with opened(tmp_path):
        pass
    with (
        pytest.raises(ConfigError, match="begun with weights_sha256 = a, now it is z"),
        opened(tmp_path, weights_sha256="z"),
    ):
        pass


def test_two_processes_do_not_write_one_run(tmp_path):
    refused = []

    def second():
        try:
            with opened(tmp_path):
                pass
        except PressError as error:
            refused.append(str(error))

    with opened(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1
    assert f"another process is writing the run {NAME}" in refused[0]


class Killed(BaseException):
    """What a kill looks like from inside: nothing after it runs."""


def killed_at(monkeypatch, number):
    """Let the process die before its `number`-th step on the disk."""
    steps = iter(range(number))

    def dying(real):
        def step(*args, **options):
            if next(steps, None) is None:
                raise Killed
            return real(*args, **options)

        return step

    from pathlib import Path

    monkeypatch.setattr(files, "write", dying(files.write))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    monkeypatch.setattr(Path, "open", dying(Path.open))


@pytest.mark.parametrize("emptied", [False, True])
def test_killed_at_any_step_nothing_is_lost_and_nothing_comes_twice(tmp_path, monkeypatch, emptied):
    """After each kill somebody may empty the queue into the log, as `append` does, before the run goes on."""
    expected, logged = kept(1), []
    for number in range(40):
        output = tmp_path / str(number)
        logged.clear()
        done = False
        with monkeypatch.context() as patch:
            killed_at(patch, number)
            try:
                with opened(output) as state:
                    state.add(line(0, "accepted"), expected)
                done = True
            except Killed:
                pass
        if emptied:
            take(output, logged)
        with opened(output) as state:
            if 0 not in state.lines:
                state.add(line(0, "accepted"), expected)
            assert list((state.folder / "ready").glob("*.json")) == []
        take(output, logged)
        assert logged == [expected], number
        if done:
            break
    assert done
    assert number >= 8  # so many steps were died at


def take(output, logged):
    """Empty the queue as `append` does: the records that lie there, each with what lies beside it."""
    for path in queued(output):
        beside = [path.with_suffix(suffix) for suffix in BESIDE]
        logged.append(Accepted.from_bytes(path.read_bytes(), *(other.read_bytes() for other in beside)))
        for one in (path, *beside):
            one.unlink()


def test_a_run_killed_after_its_report_is_swept(tmp_path):
    with opened(tmp_path) as state:
        state.add(line(0))
        files.write(tmp_path / "runs" / f"{NAME}.json", b"{}")
    assert find_unfinished(tmp_path, PLAN) is None
    remove_leftovers(tmp_path)
    assert not (tmp_path / "runs" / NAME).exists()
    assert (tmp_path / "runs" / f"{NAME}.json").exists()


def test_a_run_killed_before_its_plan_is_no_hindrance(tmp_path):
    (tmp_path / "runs" / NAME).mkdir(parents=True)
    assert find_unfinished(tmp_path, PLAN) is None


def test_a_disk_that_cannot_be_written(tmp_path):
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(PressError, match="cannot be made"), opened(tmp_path):
        pass


def test_run_names():
    name = Begun(PLAN, MODEL, TIME).name
    assert len(name) == 19
    assert name.startswith("2026-11-22-")
    others = [
        Begun(PLAN, MODEL, "2026-11-22T03:17:01Z"),
        Begun(replace(PLAN, seed=1), MODEL, TIME),
        Begun(PLAN, MODEL, TIME, Shard(1, 2)),
        Begun(PLAN, MODEL, TIME, Shard(2, 2)),
    ]
    assert len({name, *(begun.name for begun in others)}) == 5


def test_a_record_that_was_never_done_is_dropped(tmp_path):
    """Its draft is made again, and may be judged otherwise by then: as a duplicate, say."""
    with opened(tmp_path) as state:
        files.write(state.folder / "ready" / "000000.json", facts.record(1).to_bytes())
        files.write(state.folder / "ready" / "000000.findings.json", b"[]")
    with opened(tmp_path) as state:
        assert list((state.folder / "ready").iterdir()) == []
        state.add(line(0, reason="duplicate"))
    with opened(tmp_path):
        pass
    assert queue(tmp_path) == []


def plan_of(version, value):
    """The value of a plan as an earlier version wrote it."""
    plan = {name: item for name, item in value.items() if name not in ("calibration", "corpus")}
    return {**plan, "batch": 16} if version == "0.1" else plan


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_run_of_an_earlier_version_stops_no_other_and_is_left_alone(tmp_path, version):
    with opened(tmp_path) as state:
        state.add(line(0))
    path = state.folder / "plan.json"
    value = canonical.loads(path.read_bytes())
    old = canonical.dumps({**value, "plan": plan_of(version, value["plan"])})
    path.write_bytes(old)
    assert find_unfinished(tmp_path, PLAN, seed_given=False) is None
    assert list(outdated(tmp_path)) == [state.folder]
    with RunState.opened(tmp_path, "2026-11-23-0123abcd", Begun(PLAN, MODEL, TIME)) as new:
        new.add(line(0))
        new.finish(TIME)
    assert path.read_bytes() == old


def test_a_finished_run_is_not_made_again(tmp_path):
    with opened(tmp_path) as state:
        report = state.finish(TIME)
    assert find_finished(tmp_path, PLAN) == report
    assert find_finished(tmp_path, replace(PLAN, seed=5)) is None
    assert find_finished(tmp_path, replace(PLAN, calibration="other")) is None
    assert find_finished(tmp_path, replace(PLAN, corpus=CorpusName("known", 5, "c" * 64))) is None
    files.write(tmp_path / "runs" / f"{NAME}.json", b"{}")
    with pytest.raises(PressError, match="the report is damaged"):
        find_finished(tmp_path, PLAN)


def test_a_finished_shard_keeps_its_folder_and_delivers_nothing(tmp_path):
    with opened(tmp_path, Shard(2, 3)) as state:
        state.add(line(1, "accepted"), kept(1))
    assert read_seal(state.folder) is None
    with opened(tmp_path, Shard(2, 3)) as state:
        assert list(state.lines) == [1]
        report = state.finish(TIME)
    sealed = read_seal(state.folder)
    assert sealed is not None
    assert sealed[0] == report
    assert set(sealed[1]) == {"plan.json", "drafts.jsonl", *(f"ready/000001{s}" for s in (".json", *BESIDE))}
    assert (state.folder / "ready" / "000001.json").read_bytes() == facts.record(1).to_bytes()
    assert queue(tmp_path) == []
    assert find_unfinished(tmp_path, PLAN) is None, "a shard is not the whole run"
    assert find_unfinished(tmp_path, PLAN, shard=Shard(1, 3)) is None
    assert find_unfinished(tmp_path, PLAN, shard=Shard(2, 3)) == (NAME, Begun(PLAN, MODEL, TIME, Shard(2, 3)))
    remove_leftovers(tmp_path)
    assert state.folder.exists()


def test_shards_divide_the_drafts():
    assert [list(Shard(n, 3).indices(7)) for n in (1, 2, 3)] == [[0, 3, 6], [1, 4], [2, 5]]
    assert list(Shard(3, 3).indices(2)) == []
    assert Shard.parse("2/16") == Shard(2, 16)
    for text in ("0/2", "3/2", "2", "a/b", "-1/2", "1/2/3", " 1/2", "1/10000", ""):
        with pytest.raises(ConfigError, match="shard"):
            Shard.parse(text)
    with pytest.raises(ConfigError, match="cannot know what the others accept"):
        Begun(replace(PLAN, until="count"), MODEL, TIME, Shard(1, 2))


def test_sessions_are_kept_as_they_come(tmp_path):
    with opened(tmp_path) as state:
        state.add_sessions([{"drafts": 1}])
    with opened(tmp_path) as state:
        state.add_sessions([{"drafts": 1}, {"drafts": 2}])
        assert state.finish(TIME)["engine"] == [{"drafts": 1}, {"drafts": 1}, {"drafts": 2}]
