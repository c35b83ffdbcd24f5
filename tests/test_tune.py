"""The search over settings: its decisions on simulated drafts, and the whole command but the model's own text."""

import json
import random
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from written import LADDER, WrittenModel

from generator.base.errors import ConfigError, PressError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.measure.tune.arms import Arm, Step, Trial, Verdict, beats, fewest_drafts, grid, next_step, rounds
from generator.measure.tune.tune import judge_by, open_search, run
from generator.measure.tune.winner import target_of, with_sampling, write_winner
from generator.model.profiles import BUILT_IN, read_profile
from generator.model.sampling_settings import Sampling

DEFAULT = Arm(Sampling("0.8"), "0.5")
SETUP = {"profile": "written", "model": {}, "corpus": None, "calibration": "c", "seed": 7, "asked": {"drafts": 64}}


def simulate(rates, budget, seed):
    """A search over arms whose drafts are hits at these rates and take about one second."""
    dice = random.Random(seed)
    trials = {}
    while isinstance(step := next_step(len(rates), budget, trials), Step):
        for arm in step.arms:
            own = trials.setdefault((step.phase, arm), [])
            own += [Trial(dice.uniform(0.5, 1.5), dice.random() < rates[arm]) for _ in range(step.drafts)]
    return step, trials


def test_a_clearly_better_arm_is_found_and_shown_to_be_better():
    found = [simulate([0.1, 0.1, 0.05, 0.4, 0.02], 1600, seed)[0] for seed in range(20)]
    assert sum(verdict.winner == 3 and verdict.better for verdict in found) >= 19
    assert "times the default on" in found[0].why


def test_among_equal_arms_the_default_stays():
    """At most one in twenty by design; of 200 searches more than 18 would have a chance of 1 in 500."""
    assert sum(simulate([0.2] * 6, 600, seed)[0].better for seed in range(200)) <= 18


def test_the_budget_holds_and_every_arm_starts():
    for arms in (2, 3, 5, 16, 33):
        for budget in (fewest_drafts(arms), 2000):
            _, trials = simulate([0.1] * arms, budget, 1)
            assert sum(map(len, trials.values())) <= budget
            assert {arm for phase, arm in trials if phase == "search"} == set(range(arms))


def test_halving_leaves_one_arm():
    assert [rounds(n) for n in (2, 3, 4, 5, 33)] == [1, 2, 2, 3, 6]


def test_the_test_sees_fresh_drafts_alone():
    """An arm that was lucky in the search and is no better afterwards does not win."""
    lucky = {("search", 0): [Trial(1, False)] * 40, ("search", 1): [Trial(1, True)] * 40}
    step = next_step(2, 80, lucky)
    assert (step.phase, step.arms) == ("test", (0, 1))
    assert step.first >= 1 << 32
    same = [Trial(1, n % 2 == 0) for n in range(40)]
    verdict = next_step(2, 80, {**lucky, ("test", 0): same, ("test", 1): same})
    assert verdict == Verdict(1, False, verdict.why)
    assert "stays" in verdict.why


def test_a_default_that_is_best_in_the_search_needs_no_test():
    trials = {("search", 0): [Trial(1, True)] * 40, ("search", 1): [Trial(1, False)] * 40}
    assert next_step(2, 80, trials) == Verdict(0, False, "The default was the best arm of the search, so it stays.")


def test_of_equal_hits_the_cheaper_arm_is_better():
    dear = [Trial(3 + n % 3, n % 2 == 0) for n in range(200)]
    cheap = [Trial(1 + n % 3, n % 2 == 0) for n in range(200)]
    assert beats(cheap, dear, 0.01) == pytest.approx(2, rel=0.02)
    assert beats(dear, cheap, 0.01) == 0
    assert beats(cheap, cheap, 0.01) == 0


def test_few_hits_show_nothing():
    assert beats([Trial(1, True)] * 9 + [Trial(1, False)] * 91, [Trial(1, False)] * 100, 0.05) == 0
    assert beats([Trial(1, True)] * 20 + [Trial(1, False)] * 80, [Trial(1, False)] * 100, 0.05) > 1


def test_the_grid_begins_with_the_default_and_repeats_nothing():
    arms = grid(DEFAULT, ["0.8", "1"], ["1"], ["0"], ["0.5", "1"])
    assert arms[0] == DEFAULT
    assert len(arms) == len(set(arms)) == 4
    with pytest.raises(ConfigError, match="differ from the default"):
        grid(DEFAULT, ["0.8"], ["1"], ["0"], ["0.5"])
    with pytest.raises(ConfigError, match="temperature"):
        grid(DEFAULT, ["hot"], ["1"], ["0"], ["0.5"])


@pytest.fixture
def state(tmp_path):
    arms = grid(DEFAULT, ["0.8", "1.2"], ["1"], ["0"], ["0.5"])
    made = open_search(tmp_path, SETUP, arms)
    made.setup["budget"] = 64
    return made


@pytest.fixture
def judge(tmp_path):
    return judge_by(LADDER, Publication(tmp_path, Settings(), lambda _: None, now=lambda: "2026-11-22T03:17:00Z"))


def drafted(state):
    return [(one["phase"], one["arm"], one["index"], bool(one["text"])) for one in state.tried]


def test_tune_judges_as_a_run_does_and_counts_repeated_texts_once(state, judge):
    verdict = run(state, WrittenModel(), judge)
    assert not verdict.better
    first = [one for one in state.tried if one["phase"] == "search" and one["arm"] == 0]
    assert not any(one["text"] for one in first if one["index"] % 3 == 2)
    assert all(one["text"] for one in first if one["index"] % 3 != 2)
    hits = [trial.hit for trial in state.trials()["search", 0]]
    assert hits[0]
    assert [hits[at] for at in range(5, len(hits), 5)] == [False] * len(range(5, len(hits), 5))
    assert all(one["cpu_seconds"] >= 0 for one in state.tried)


def test_arms_have_the_same_seeds(state, judge):
    run(state, WrittenModel(), judge)
    by_arm = [[one["index"] for one in state.tried if (one["phase"], one["arm"]) == ("search", arm)] for arm in (0, 1)]
    assert by_arm[0] == by_arm[1]


def test_an_interrupted_search_goes_on_with_what_it_has(state, judge, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(state, WrittenModel(stop_at=20), judge)
    kept = open_search(tmp_path, SETUP, state.arms)
    assert kept.tried == state.tried
    assert len(kept.tried) == 16
    assert kept.budget == 64
    model = WrittenModel()
    run(kept, model, judge)
    whole = open_search(tmp_path / "other", SETUP, state.arms)
    whole.setup["budget"] = 64
    run(whole, WrittenModel(), judge)
    count = len(model.made)
    assert count == len(kept.tried) - 16
    assert [one for one in drafted(kept) if one[0] == "search"] == [one for one in drafted(whole) if one[0] == "search"]


def test_a_budget_that_is_too_small_is_refused(state, judge):
    state.setup["budget"] = 3
    with pytest.raises(ConfigError, match="3 drafts are too few for 2 settings"):
        run(state, WrittenModel(), judge)


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"schema": "x"}'])
def test_a_damaged_search_is_named(state, judge, damage, tmp_path):
    run(state, WrittenModel(), judge)
    state.path.write_text(damage)
    with pytest.raises(PressError, match=state.path.name):
        open_search(tmp_path, SETUP, state.arms)


def test_another_seed_is_another_search(state, tmp_path):
    assert open_search(tmp_path, {**SETUP, "seed": 8}, state.arms).path != state.path
    assert "seed" in json.dumps(state.setup)


PROFILE = """# My model, tried in May.
name = "mine"
model = "./weights"  # on the big disk

[sampling]
# Hot.
temperature = "1.1"  # was 0.9
top_p = '1'
loop_tokens = "64"

[prompts]
top-down = "# Patent\\n\\n## Title\\n"
"""


def test_the_winner_is_written_and_comments_stay():
    text = with_sampling(PROFILE, Sampling("0.7", "0.95", "0.05", "64"))
    assert tomllib.loads(text)["sampling"] == {
        "temperature": "0.7", "top_p": "0.95", "loop_tokens": "64", "min_p": "0.05"
    }  # fmt: skip
    assert tomllib.loads(text)["prompts"] == tomllib.loads(PROFILE)["prompts"]
    assert 'temperature = "0.7"  # was 0.9' in text
    for comment in ("# My model, tried in May.", "# Hot.", "# on the big disk"):
        assert comment in text


def test_a_profile_without_settings_gets_them():
    text = with_sampling('name = "mine"\n', Sampling("0.7"))
    assert tomllib.loads(text) == {"name": "mine", "sampling": {"temperature": "0.7"}}


def test_a_form_that_cannot_be_rewritten_is_refused_whole():
    with pytest.raises(ConfigError, match="not rewritten"):
        with_sampling('[sampling]\n"temperature" = "1"\n', Sampling("0.7"))
    with pytest.raises(ConfigError, match="not rewritten"):
        with_sampling('sampling = { temperature = "1" }\n', Sampling("0.7"))


def test_a_copy_of_a_built_in_profile_opens_the_same_model(tmp_path):
    starter = read_profile(BUILT_IN / "starter.toml")
    arm = Arm(replace(starter.sampling, temperature="0.7"), "1")
    lines = list(write_winner(arm, starter, "starter", tmp_path, tmp_path / "won.toml", "0.5"))
    copy = read_profile(tmp_path / "won.toml")
    assert replace(copy, sampling=starter.sampling, model=starter.model) == starter
    assert copy.sampling == arm.sampling
    assert any('top_down_share = "1"' in line for line in lines)


def test_a_built_in_profile_is_not_changed(tmp_path):
    starter = read_profile(BUILT_IN / "starter.toml")
    lines = list(write_winner(Arm(Sampling("0.7"), "0.5"), starter, "starter", tmp_path, None, "0.5"))
    assert "--write PATH" in lines[0]
    assert read_profile(BUILT_IN / "starter.toml") == starter


def test_the_winner_goes_into_the_profile_itself_or_where_it_is_told(tmp_path):
    assert target_of("starter", tmp_path, None) is None
    assert target_of("starter", tmp_path, Path("won.toml")) == tmp_path / "won.toml"
    assert target_of("mine.toml", tmp_path, None) == tmp_path / "mine.toml"
