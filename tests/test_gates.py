"""The ladder after form, and the half of G3 that needs the order of the run."""

import hashlib
from dataclasses import replace
from pathlib import Path

import facts
import inventions
import pytest
from written import LADDER, PLAN, WrittenModel, run

from generator.judge.copying import KnownTexts
from generator.judge.ladder import Judged, Ladder
from generator.judge.parsing import Parsed, Rejected, parse
from generator.log import archive
from generator.model.interface import Draft
from generator.record.disclosure import Claim, Disclosure
from generator.record.judgement import Judgement
from generator.run.judge_draft import content_sha256, judge
from generator.run.plan import brief
from generator.run.repeats import Repeats


def nothing_published() -> Repeats:
    return Repeats(set(), KnownTexts.open(None, None))


def take(published: Repeats, name: str, disclosure: Disclosure) -> Judgement | Rejected:
    judged = LADDER.judge(disclosure)
    assert isinstance(judged, Judged), judged
    return published.take(name, disclosure, judged.judgement)


def reason(result: object) -> str:
    assert isinstance(result, Rejected), result
    return f"{result.gate} {result.reason}"


def test_without_a_corpus_g4_is_not_assessed():
    judged = LADDER.judge(inventions.disclosure(1))
    assert isinstance(judged, Judged)
    assert (judged.judgement.corpus, judged.judgement.chart, judged.judgement.neighbours) == (None, None, ())
    assert judged.judgement.calibration == LADDER.calibration.id
    assert judged.judgement.classification.subclasses
    assert judged.judgement.coherence.title_support == 1000


def test_a_chimera_ends_at_g2():
    one, other = inventions.disclosure(1), inventions.disclosure(2)
    chimera = replace(one, claims=(one.claims[0], *other.claims[1:]))
    result = LADDER.judge(chimera)
    assert isinstance(result, Rejected)
    assert result.gate == "G2"


def test_what_was_accepted_before_is_refused_and_the_first_stays():
    published, one = nothing_published(), inventions.disclosure(1)
    assert isinstance(take(published, "first", one), Judgement)
    assert reason(take(published, "again", one)) == "G3 duplicate"
    nearly = replace(one, title=f"{one.title} of oak")
    assert reason(take(published, "nearly", nearly)) in ("G3 copied_run", "G3 near_duplicate")
    assert isinstance(take(published, "other", inventions.disclosure(2)), Judgement)


def test_a_run_of_25_words_in_one_claim_is_a_copy():
    published, one, other = nothing_published(), inventions.disclosure(1), inventions.disclosure(2)
    long = f"The thing of claim 1, wherein {' '.join(inventions.MATERIALS + inventions.WORK)}."
    published.take("first", with_claim(one, long), judgement_of(one))
    result = published.take("second", with_claim(other, long), judgement_of(other))
    assert reason(result) == "G3 copied_run"
    assert "first" in result.findings[0].message  # type: ignore[union-attr]


def with_claim(disclosure: Disclosure, text: str) -> Disclosure:
    return replace(disclosure, claims=(*disclosure.claims, Claim(len(disclosure.claims) + 1, text, (1,))))


def judgement_of(disclosure: Disclosure) -> Judgement:
    judged = LADDER.judge(disclosure)
    assert isinstance(judged, Judged)
    return judged.judgement


def test_an_example_in_the_prompt_is_known_and_may_not_come_back():
    from generator.model.profiles import load_profile

    profile = load_profile("smollm2-135m", Path())
    assert [direction for direction, _ in profile.examples] == ["top-down"] * 2 + ["bottom-up"] * 2
    ladder = Ladder.open(None, None, profile)
    for direction, text in profile.examples:
        shown = parse(text, direction, "end")
        assert isinstance(shown, Parsed)
        assert reason(ladder.judge(shown.disclosure)) in ("G3 copied_run", "G3 near_duplicate")
        assert isinstance(LADDER.judge(shown.disclosure), Judged)
    assert isinstance(ladder.judge(inventions.disclosure(1)), Judged)
    assert load_profile("starter", Path()).examples == ()


def test_the_queue_and_the_archive_count_as_published(tmp_path):
    run(tmp_path)
    assert run(tmp_path, replace(PLAN, seed=8)).report["reasons"]["duplicate"] == 8
    facts.append(tmp_path)
    assert archive.queued(tmp_path) == []
    again = run(tmp_path, replace(PLAN, seed=9))
    assert again.report["accepted"] == 0
    refused = {item["reason"]: item["gate"] for item in again.report["reason_gates"]}
    assert refused.keys() & {"near_duplicate", "copied_run"}
    assert set(refused.values()) <= {"G1", "G3"}


def test_a_shard_does_not_ask_what_its_machine_has_published(tmp_path):
    from generator.run.plan import Shard

    run(tmp_path)
    report = run(tmp_path, replace(PLAN, seed=8), shard=Shard(1, 2)).report
    assert report["reasons"].get("duplicate", 0) == 1  # its own drafts 0 and 10 are one text
    assert report["accepted"] > 0


def test_the_judgement_goes_with_the_record_into_the_archive(tmp_path):
    report = run(tmp_path).report
    queued = archive.queued(tmp_path)
    assert all(path.with_suffix(".judgement.json").exists() for path in queued)
    facts.append(tmp_path)
    logged = list(facts.logged(tmp_path, 0))
    assert len(logged) == report["accepted"]
    assert all(item.judgement and item.judgement.calibration == LADDER.calibration.id for item in logged)
    assert not list((tmp_path / "queue").iterdir())


def test_the_ladder_of_a_report_counts_every_draft_once(tmp_path):
    report = run(tmp_path).report
    rungs = {item["direction"]: item for item in report["ladder"]}
    assert sum(item["drafts"] for item in rungs.values()) == 12
    for item in rungs.values():
        assert item["drafts"] >= item["g0"] >= item["g1"] >= item["g2"] >= item["g3"] >= item["assessed"] >= item["g4"]
        assert item["assessed"] == 0
    assert sum(item["g3"] for item in rungs.values()) == report["accepted"]
    assert sum(item["drafts"] for item in report["reason_gates"]) == report["rejected"]
    assert report["calibration"] == LADDER.id
    assert "corpus" not in report
    assert report["engine"][0]["cpu_milliseconds"] >= 0


def test_a_draft_that_was_stopped_is_judged_by_its_reason():
    one = brief(PLAN, 0)
    made = WrittenModel().draft(one, PLAN.sampling)
    stopped = Draft(one, made.text[:40], replace(made.generation, stop="limit"), 0.1, 5, "c4")
    line, accepted = judge(stopped, LADDER, created_at=facts.TIME, publisher="Example", salt=bytes(16))
    assert accepted is None
    assert (line.accepted, line.gate, line.reason, line.stop) == (False, "G1", "c4", "stopped")
    assert line.draft_sha256 == hashlib.sha256(stopped.text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "same"),
    [({"title": "Another"}, False), ({"abstract": "Another."}, True), ({"claims": ()}, False)],
)
def test_the_content_of_a_disclosure_is_its_title_and_claims(change, same):
    one = inventions.disclosure(3)
    assert (content_sha256(replace(one, **change)) == content_sha256(one)) is same
