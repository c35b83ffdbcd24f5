import hashlib
import json
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
import tiny_model

from generator.brief import Draft, ModelIdentity
from generator.drafting import brief, draft_seed, generate, load_topics
from generator.errors import ConfigError, ModelError
from generator.layouts import PROMPTS, write_layout
from generator.log import queued
from generator.profiles import read_profile
from generator.record import Generation, Record
from generator.runs import RunPlan
from generator.sampling import Sampling

NOW = "2026-11-22T03:17:00Z"
PLAN = RunPlan("written", 7, "drafts", 12, "0.5", Sampling("0.8"), "Example", 4)
IDENTITY = ModelIdentity(
    "written", "1", "a" * 64, "b" * 64, "CC0-1.0", "Example", True, "written", "none", "0", "0", "none"
)


class WrittenModel:
    """A model at the seam whose drafts are known: every third is bad, every fifth repeats the first, one is hostile."""

    def __init__(self, stop_at=None, error=KeyboardInterrupt):
        self.identity, self.stop_at, self.error, self.made = IDENTITY, stop_at, error, []

    def drafts(self, briefs, sampling, *, tick=None):
        for one in briefs:
            if len(self.made) == self.stop_at:
                raise self.error
            self.made.append(one.index)
            tick(50)
            yield self.draft(one, sampling)

    def draft(self, one, sampling):
        number = 0 if one.index % 5 == 0 else one.index
        claims = [f"A valve of kind {number}, comprising a body.", "The valve of claim 1, wherein <script> is round."]
        text = write_layout(one.direction, f"Valve {number}", "A valve has a body.", claims)
        text = text.replace("comprising", "made of") if one.index % 3 == 2 else text
        generation = Generation(
            **asdict(IDENTITY),
            direction=one.direction,
            prompt=PROMPTS[one.direction],
            topic=one.topic,
            seed=f"{one.seed:016x}",
            sampling=sampling.pairs(),
            prompt_tokens=7,
            new_tokens=50,
            stop="end",
            removed_claims=(),
            generator_version="0.1.0",
        )
        return Draft(one, text, generation, 0.5, 20)


class Silent(WrittenModel):
    def draft(self, one, sampling):
        return replace(super().draft(one, sampling), text="nothing")


def run(output, plan=PLAN, model=None, report=lambda _: None):
    return generate(plan, model or WrittenModel(), output, now=lambda: NOW, salt=lambda: bytes(16), report=report)


def records(output):
    return [Record.from_bytes(path.read_bytes()) for path in queued(output)]


def facts_of(output):
    """What a run leaves, but for times."""
    (path,) = (output / "runs").glob("*.json")
    report = json.loads(path.read_bytes())
    return {key: report[key] for key in report if not key.endswith("_at")}, [r.to_bytes() for r in records(output)]


def test_accepted_drafts_become_queued_records(tmp_path):
    result = run(tmp_path)
    assert result.finished
    assert result.report["reasons"] == {"c7": 4, "duplicate": 1}
    assert [path.name for path in queued(tmp_path)] == [f"{result.run}-{n:06d}.json" for n in (0, 1, 3, 4, 6, 7, 9)]
    first, *_ = records(tmp_path)
    assert first.disclosure.title == "Valve 0"
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
    monkeypatch.setattr("generator.drafting.PATIENCE", 20)
    with pytest.raises(ModelError, match="20 drafts and none accepted"):
        run(tmp_path, replace(PLAN, until="count", amount=1), Silent())
    assert run(tmp_path / "b", model=Silent()).report["reasons"] == {"no_head": 12}


def test_progress(tmp_path):
    seen = []
    clock = (f"2026-11-22T03:{second // 60:02d}:{second % 60:02d}Z" for second in range(3000))
    generate(PLAN, WrittenModel(), tmp_path, now=lambda: next(clock), salt=lambda: bytes(16), report=seen.append)
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
    plan = replace(PLAN, topics=(("F16K", "Valve"), ("A47J", "Kettle")))
    briefs = [brief(plan, index) for index in range(200)]
    assert {(b.cpc, b.topic) for b in briefs if b.direction == "top-down"} == {("F16K", "Valve"), ("A47J", "Kettle")}
    assert {b.topic for b in briefs if b.direction == "bottom-up"} == {""}


def test_topics(tmp_path):
    path = tmp_path / "topics.tsv"
    path.write_text("# class, beginning of a title\nF16K\tValve for\n\nA47J\tMethod for making\n")
    assert load_topics(path) == (("F16K", "Valve for"), ("A47J", "Method for making"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("F16K Valve", ":1: a CPC class, a tab"),
        ("\tValve", ":1:"),
        ("F16K\t", ":1:"),
        ("F16K\ta\x00b", ":1:"),
        ("# x", "no topic"),
    ],
)
def test_topics_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "topics.tsv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_topics(path)


def test_no_topics_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_topics(tmp_path / "none.tsv")


def test_a_real_model_drafts_and_the_run_says_what_it_did(tmp_path):
    """Random weights write noise: every draft is refused, counted and hashed, and the run can be repeated."""
    from generator.model import open_model

    folder = tiny_model.save_tiny(tmp_path / "model")
    profile = read_profile(tiny_model.write_profile(tmp_path / "tiny.toml", folder))
    plan = replace(PLAN, profile="tiny", amount=6, batch=4)
    results = [
        run(tmp_path / name, plan, open_model(profile, batch=4, threads=1, number_format="fp32")).report
        for name in "ab"
    ]
    assert (results[0]["drafts"], results[0]["accepted"]) == (6, 0)
    assert results[0]["drafts_by_index"] == results[1]["drafts_by_index"]
    assert (
        results[0]["model"]["weights_sha256"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    )
    assert results[0]["tokens"] > 0
