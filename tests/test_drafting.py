import hashlib
import json
import queue
import threading
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inventions import invention
from written import HOSTILE, LADDER, NOW, PLAN, Silent, WrittenModel, facts_of, records, run

from generator.base.errors import ModelError
from generator.log.archive import queued
from generator.run.drafting import generate
from generator.run.plan import brief, draft_seed
from generator.run.topics import Topic


def test_accepted_drafts_become_queued_records(tmp_path):
    result = run(tmp_path)
    assert result.finished
    assert result.report["reasons"] == {"c7": 4, "duplicate": 1}
    assert [path.name for path in queued(tmp_path)] == [f"{result.run}-{n:06d}.json" for n in (0, 1, 3, 4, 6, 7, 9)]
    first, *_ = records(tmp_path)
    assert first.disclosure.title == invention(0, HOSTILE)[0]
    assert {paragraph.origin for paragraph in first.disclosure.description} == {"restated"}
    assert "(claim 2)" in first.disclosure.description[2].text
    assert (first.created_at, first.publisher, first.review) == (NOW, "Example", "machine-checked")
    assert first.generation.seed == f"{draft_seed(7, 0):016x}"
    assert dict(first.generation.sampling) == {
        "loop_tokens": "0", "min_p": "0", "most_claims": "0", "temperature": "0.8", "top_p": "1"
    }  # fmt: skip
    findings = json.loads((tmp_path / "queue" / f"{result.run}-000000.findings.json").read_bytes())
    assert findings == []
    assert not (tmp_path / "runs" / result.run).exists()


def test_rejected_drafts_are_kept_as_hashes_alone(tmp_path):
    report = run(tmp_path).report
    kept = {item["index"]: item for item in report["drafts_by_index"]}
    model = WrittenModel()
    text = model.draft(brief(PLAN, 2), PLAN.sampling).text
    assert kept[2]["outcome"] == "c7"
    assert kept[2]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert "made of" not in json.dumps(report)


def test_what_waits_in_the_queue_is_not_queued_again(tmp_path):
    run(tmp_path)
    again = run(tmp_path, replace(PLAN, seed=8))
    assert again.report["accepted"] == 0
    assert again.report["reasons"]["duplicate"] == 8


@pytest.mark.parametrize("stop_at", range(12))
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path, stop_at):
    interrupted = run(tmp_path / "a", model=WrittenModel(stop_at))
    assert not interrupted.finished
    assert interrupted.report["drafts"] == stop_at
    model = WrittenModel()
    finished = run(tmp_path / "a", model=model)
    assert finished.run == interrupted.run
    assert model.made == list(range(stop_at, 12))
    run(tmp_path / "b")
    assert facts_of(tmp_path / "a") == facts_of(tmp_path / "b")
    account = {"engine": "written", "slots": 1}
    session = {"began_at": NOW, "cpu_capability": "none", "torch_version": "0", "transformers_version": "0"}
    drafts = [n for n in (stop_at, 12 - stop_at) if n]
    assert all(session.pop("cpu_milliseconds") >= 0 for session in finished.report["engine"])
    assert [{k: v for k, v in s.items() if k != "energy_millijoules"} for s in finished.report["engine"]] == [
        {**session, "drafts": n, "account": account} for n in drafts
    ]


ENDS = [("drafts", 23), ("count", 7), ("seconds", 6)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """For each stop rule what a run leaves that writes one draft at a time."""
    left = {}
    for until, amount in ENDS:
        output = tmp_path_factory.mktemp(until)
        run(output, replace(PLAN, until=until, amount=amount))
        left[until] = facts_of(output)
    return left


@given(st.sampled_from(ENDS), st.integers(1, 9), st.randoms(use_true_random=False), st.none() | st.integers(0, 30))
@settings(max_examples=15)
def test_any_order_of_completion_and_any_interruption_leave_the_same_run(
    undisturbed, tmp_path_factory, end, slots, chance, stop_at
):
    output = tmp_path_factory.mktemp("run")
    plan = replace(PLAN, until=end[0], amount=end[1])
    pick = chance.randrange
    first = WrittenModel(stop_at, slots=slots, pick=pick)
    if not run(output, plan, first).finished:
        assert run(output, plan, WrittenModel(slots=chance.randint(1, 9), pick=pick)).finished
    assert first.closed == 1
    assert facts_of(output) == undisturbed[end[0]]


def test_lines_are_appended_in_the_order_of_the_plan(tmp_path):
    model = WrittenModel(10, slots=4, pick=lambda slots: slots - 1)
    assert not run(tmp_path, model=model).finished
    assert model.made == [3, 4, 5, 6, 7, 8, 9, 10, 11, 2]  # nothing before the first two can be judged
    assert not list(tmp_path.glob("runs/*/drafts.jsonl"))


class Threaded(WrittenModel):
    """It takes its briefs on a thread of its own, far ahead, as engines with a thread for each core do."""

    def drafts(self, briefs, sampling, *, tick=None, **_):
        taken = queue.SimpleQueue()
        thread = threading.Thread(target=lambda: [taken.put(one) for one in islice(briefs, 300)])
        thread.start()
        try:
            while True:
                one = taken.get()
                tick(50)
                yield self.draft(one, sampling)
        finally:
            thread.join()


def test_briefs_may_be_taken_on_another_thread(tmp_path):
    plan = replace(PLAN, until="count", amount=20)
    assert run(tmp_path / "a", plan, Threaded()).finished
    run(tmp_path / "b", plan)
    assert facts_of(tmp_path / "a") == facts_of(tmp_path / "b")


class Losing(WrittenModel):
    def drafts(self, briefs, sampling, *, tick=None, **_):
        return (draft for draft in super().drafts(briefs, sampling, tick=tick) if draft.brief.index != 4)


class Repeating(WrittenModel):
    def drafts(self, briefs, sampling, *, tick=None, **_):
        for draft in super().drafts(briefs, sampling, tick=tick):
            yield draft
            if draft.brief.index == 4:
                yield draft


@pytest.mark.parametrize(
    ("model", "message"), [(Losing(), "ended without draft 4"), (Repeating(), "gave draft 4 twice")]
)
def test_an_engine_that_loses_a_draft_or_writes_one_twice_is_told(tmp_path, model, message):
    with pytest.raises(ModelError, match=message):
        run(tmp_path / "a", model=model)
    run(tmp_path / "a")
    run(tmp_path / "b")
    assert facts_of(tmp_path / "a") == facts_of(tmp_path / "b")


def test_a_model_that_fails_leaves_the_run_to_go_on(tmp_path):
    with pytest.raises(ModelError, match="out of order"):
        run(tmp_path, model=WrittenModel(5, ModelError("out of order")))
    assert run(tmp_path).report["drafts"] == 12


def test_the_count_of_accepted_ends_a_run(tmp_path):
    report = run(tmp_path, replace(PLAN, until="count", amount=3)).report
    assert (report["accepted"], report["drafts"]) == (3, 4)


def test_the_time_ends_a_run(tmp_path):
    report = run(tmp_path, replace(PLAN, until="seconds", amount=3)).report
    assert (report["drafts"], report["milliseconds"]) == (6, 3000)


def test_a_model_that_writes_nothing_acceptable_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("generator.run.drafting.PATIENCE", 20)
    with pytest.raises(ModelError, match="20 drafts and none accepted"):
        run(tmp_path, replace(PLAN, until="count", amount=1), Silent())
    assert run(tmp_path / "b", model=Silent()).report["reasons"] == {"no_head": 12}


def test_progress(tmp_path):
    seen = []
    clock = (f"2026-11-22T03:{second // 60:02d}:{second % 60:02d}Z" for second in range(3000))
    generate(
        PLAN, WrittenModel(), LADDER, tmp_path, now=lambda: next(clock), salt=lambda: bytes(16), report=seen.append
    )
    assert (seen[0].drafts, seen[0].tokens, seen[0].seconds_left) == (0, 50, None)
    assert (seen[-1].drafts, seen[-1].accepted, seen[-1].tokens, seen[-1].seconds_left) == (12, 7, 600, 0)
    assert seen[-1].tokens_per_second > 0
    assert all(a.tokens <= b.tokens for a, b in pairwise(seen))


@pytest.mark.parametrize(("share", "expected"), [("0", 0), ("0.25", 25), ("0.5", 50), ("1", 100)])
def test_the_mix_of_directions_holds_at_every_length(share, expected):
    plan = replace(PLAN, top_down_share=share)
    top_down = [brief(plan, index).direction == "top-down" for index in range(100)]
    assert sum(top_down) == expected
    assert all(abs(sum(top_down[:n]) - float(share) * n) < 1 for n in range(100))


def test_seeds_and_topics_are_functions_of_the_plan():
    digest = hashlib.sha256(b"0000000000000007:3").digest()
    assert draft_seed(7, 3) == int.from_bytes(digest[:8], "big")
    assert len({brief(PLAN, index).seed for index in range(1000)}) == 1000
    plan = replace(PLAN, topics=(Topic("F16K", "Valve"), Topic("A47J", "Kettle")))
    briefs = [brief(plan, index) for index in range(200)]
    assert {(b.cpc, b.topic) for b in briefs if b.direction == "top-down"} == {("F16K", "Valve"), ("A47J", "Kettle")}
    assert {b.topic for b in briefs if b.direction == "bottom-up"} == {""}
