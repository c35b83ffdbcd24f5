"""The benchmark of engines: its arithmetic, its order, its tables. No engine and no process runs here."""

import dataclasses
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from engine_figures import ROOFLINE, cells, job, line, measured, result

from tests.benchmarks.engine import accounting, agreement, jobs, peers, plan, report, results, roofline, shape
from tests.benchmarks.engine.agreement import Agreement
from tests.benchmarks.engine.jobs import Failure, Job, Measurement, ReplyError
from tests.benchmarks.engine.plan import Configuration

# The shape and the roofline


def test_the_shape_is_that_of_the_measured_research() -> None:
    assert shape.PRODUCT_OPERATIONS == 268_435_456
    assert shape.mean_context(256) == 136
    assert round(2 * shape.CACHE_VALUES * shape.mean_context(256) / 1e6, 1) == 8.9  # MB of bf16 a token


def test_prompts_are_the_same_for_every_engine_and_hold_no_special_token() -> None:
    assert shape.prompts(4) == shape.prompts(8)[:4]
    assert all(len(ids) == 8 and len(shape.SPECIAL) <= min(ids) <= max(ids) < 32_768 for ids in shape.prompts(128))


def test_the_bound_is_products_and_reading_one_after_the_other() -> None:
    seconds = 268_435_456 / 800e9 + 65_536 * 136 / 40e9  # 21 + 14 ms for 64 rows
    assert math.isclose(ROOFLINE.bound("bf16", 256), 1 / seconds)
    assert 1_750 < ROOFLINE.bound("bf16", 256) < 1_850
    assert 3_450 < ROOFLINE.bound("int8", 256) < 3_650
    assert ROOFLINE.bound("bf16", 2600) < ROOFLINE.bound("bf16", 1024) < ROOFLINE.bound("bf16", 256)


def test_of_two_rooflines_each_speed_is_the_higher() -> None:
    slow = roofline.Roofline(64, {"bf16": 900e9}, {"bf16": 600e9}, 30e9, {"int8": "no such operator"})
    both = roofline.best([slow, ROOFLINE])
    assert (both.warm["bf16"], both.streamed["bf16"], both.warm["int8"]) == (900e9, 700e9, 1592e9)
    assert both.read_bytes_per_second == 40e9


def test_a_machine_that_was_busy_while_the_warm_products_ran_does_not_lower_the_bound() -> None:
    busy = dataclasses.replace(ROOFLINE, warm={"bf16": 50e9, "int8": 50e9})
    assert busy.bound("bf16", 256) > 0.9 * ROOFLINE.bound("bf16", 256)


# Answers of an engine's process


def reply(**other: Any) -> str:
    return "noise\n" + json.dumps({"measurement": {**jobs.to_json(measured()), **other}}) + "\n"


def test_a_measurement_comes_back_as_it_was() -> None:
    assert jobs.read_reply(reply(), job()) == measured()
    assert jobs.from_json(Job, jobs.to_json(job())) == job()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Segmentation fault",
        "[]",
        '{"measurement": 3}',
        '{"measurement": {}, "failure": ""}',
        reply(tokens=999),
        reply(tokens=1001),
        reply(tokens=0, finished=False),
        reply(finished=False),
        reply(tokens=True),
        reply(seconds=0.0),
        reply(seconds="1"),
        reply(peak_rss_bytes=-1),
        reply(extra=1),
        reply(engine="llama-cpp"),
        reply(batch=20, tokens=2000),
    ],
)
def test_what_is_no_measurement_of_this_job_is_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        jobs.read_reply(text, job())


def test_a_run_that_was_cut_counts_what_it_wrote() -> None:
    found = jobs.read_reply(reply(tokens=400, finished=False, seconds=60.0), job())
    assert isinstance(found, Measurement)
    assert math.isclose(found.rate, 400 / 60)


def test_a_failure_keeps_its_reason() -> None:
    found = jobs.read_reply('{"failure": "not installed: No module named x"}', job())
    assert found == Failure("ctranslate2", "int8", 10, 100, "not installed: No module named x")


# What a run takes


def test_foreign_time_and_energy_are_differences() -> None:
    before = accounting.Reading(10.0, 3.0, 100.0, ((5.0, 1000.0), (990.0, 1000.0)))
    after = accounting.Reading(20.0, 18.0, 117.0, ((25.0, 1000.0), (10.0, 1000.0)))
    spent = accounting.spent(before, after, 2)
    assert spent == accounting.Spent(10.0, 15.0, 2.0 / 20.0, 20.0 + 20.0)  # the second counter wrapped


def test_without_counters_figures_are_unknown_and_not_zero() -> None:
    spent = accounting.spent(accounting.Reading(0.0, 0.0, None, ()), accounting.Reading(1.0, 1.0, None, ()), 2)
    assert (spent.foreign_share, spent.energy_joules) == (None, None)


def test_energy_is_read_from_packages_and_not_from_their_parts(tmp_path: Path) -> None:
    for name, energy in (("intel-rapl:0", "3000000"), ("intel-rapl:0:0", "1000000"), ("intel-rapl:1", "4000000")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{energy}\n")
        (tmp_path / name / "max_energy_range_uj").write_text("9000000\n")
    assert accounting._joules(tmp_path) == ((3.0, 9.0), (4.0, 9.0))
    assert accounting._joules(tmp_path / "none") == ()


# Do the tokens follow the model?


def drawn(temperature: float, *, unrelated: bool = False, count: int = 3000) -> Agreement:
    """Tokens of a distribution over 500 words with the spread of the benchmark's model, drawn at `temperature`."""
    dice = random.Random(1)
    logits = [dice.gauss(0, 0.64) for _ in range(500)]

    def logs(at: float) -> list[float]:
        norm = math.log(sum(math.exp(x / at) for x in logits))
        return [x / at - norm for x in logits]

    own, used = logs(shape.TEMPERATURE), logs(temperature)
    weights = [1.0] * 500 if unrelated else [math.exp(x) for x in used]
    seen = [own[n] for n in dice.choices(range(500), weights, k=count)]
    expected, uniform = sum(math.exp(x) * x for x in own), sum(own) / 500
    return agreement.compare(seen, [expected] * count, [uniform] * count)


def test_right_samples_agree_and_others_do_not() -> None:
    right = drawn(shape.TEMPERATURE)
    assert right.right
    assert abs(right.share - 1) < 4 * right.error < 0.2
    unrelated = drawn(shape.TEMPERATURE, unrelated=True)
    assert not unrelated.right
    assert abs(unrelated.share) < 4 * unrelated.error
    assert not drawn(1.0).right
    assert not drawn(0.5).right


# Batches and order


def peer(name: str = "ctranslate2", **other: Any) -> peers.Peer:
    first = peers.Peer(
        name,
        {"int8": (4, 8), "bf16": (8,)},
        {"int8": 1, "bf16": 2},
        peers.SAME_SAMPLING,
        each_format=False,
        fixed_batch=False,
        names=(name,),
        prepare=lambda *_: None,
        open_engine=lambda _: pytest.fail("no engine runs in this process"),
    )
    return dataclasses.replace(first, **other)


def test_candidates_are_the_engines_own_unless_others_are_given() -> None:
    assert [(c.format, c.batch) for c in plan.candidates(peer(), ())] == [("int8", 4), ("int8", 8), ("bf16", 8)]
    assert [(c.format, c.batch) for c in plan.candidates(peer(), (2,))] == [("int8", 2), ("bf16", 2)]
    assert len(plan.candidates(peer(fixed_batch=True), (2,))) == 3


def test_the_fastest_wins_and_a_failure_never_does() -> None:
    tried = [
        measured(rate=10.0, batch=4),
        measured(rate=30.0, batch=8),
        measured(rate=20.0, format="bf16"),
        Failure("ctranslate2", "int8", 64, 100, "killed"),
        measured("llama-cpp", rate=90.0),
    ]
    assert plan.winners(peer(), tried) == [Configuration("ctranslate2", "int8", 8)]
    each = plan.winners(peer(each_format=True), tried)
    assert each == [Configuration("ctranslate2", "int8", 8), Configuration("ctranslate2", "bf16", 10)]
    assert plan.winners(peer(), tried[3:]) == []


def test_a_long_batch_is_halved_until_it_fits() -> None:
    room = plan.needed_bytes(16, 2600, 2)
    assert plan.batch_for(128, 2600, 2, room, 10**9) == 16
    assert plan.batch_for(128, 2600, 1, room, 10**9) == 32
    assert plan.batch_for(128, 2600, 1, 10**12, 100_000) == 32
    assert plan.batch_for(128, 256, 1, 10**12, 100_000) == 128
    assert plan.batch_for(128, 2600, 2, plan.FIXED_BYTES, 10**9) == 0


def test_engines_take_turns_and_none_always_follows_the_same() -> None:
    three = [Configuration(name, "int8", 8) for name in "abc"]
    order = [(number, item.engine) for number, item in plan.in_turn(three, 3)]
    assert order == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a"), (2, "c"), (2, "a"), (2, "b")]
    assert list(plan.in_turn([], 3)) == []


# Figures and tables


def test_medians_ratios_and_their_spread() -> None:
    mine, other = line(peers.OURS, 300.0, 330.0, 280.0), line("ctranslate2", 100.0, 110.0, 150.0)
    assert dataclasses.astuple(other.rate) == pytest.approx((110.0, 100.0, 150.0))
    assert dataclasses.astuple(results.ratio(mine, other)) == pytest.approx((300 / 110, 280 / 150, 330 / 100))


def test_an_engine_whose_tokens_do_not_follow_the_model_is_not_the_best_peer() -> None:
    wrong = line("llama-cpp", 900.0, check=Agreement(0.1, 0.04, 768))
    right = line("ctranslate2", 100.0, check=Agreement(1.05, 0.04, 768))
    assert results.best_peer([wrong, right, line(peers.OURS, 999.0)]) == right
    text = report.markdown(result(wrong, right, line(peers.OURS, 200.0)))
    assert "**no** (0.10 ± 0.04)" in text
    assert "**Tokens do not follow the model**, hence not compared: llama-cpp int8." in text
    assert f"- {peers.OURS} int8 is 2.00 times as fast as the best other engine, ctranslate2 int8 at batch 10." in text


def test_energy_is_what_was_counted_else_an_estimate() -> None:
    estimated = line("ctranslate2", 100.0)  # 20 s of CPU time for 1,000 tokens
    assert math.isclose(results.watt_hours(estimated, 5.0), 20 * 5 / 1000 * 1e6 / 3600)
    counted = dataclasses.replace(estimated, runs=(measured(energy_joules=36.0),))
    assert math.isclose(results.watt_hours(counted, 5.0), 36 / 1000 * 1e6 / 3600)
    assert "(estimate)" in report.markdown(result(estimated))
    assert "(estimate)" not in report.markdown(result(counted))


def test_the_table_has_every_line_and_the_figures_of_its_runs() -> None:
    failed = line("transformers", failures=(Failure("transformers", "int8", 10, 100, "out of | memory\n"),))
    cut = line("model-card", runs=(measured("model-card", tokens=400, seconds=40.0, finished=False),), sampling="own")
    text = report.markdown(result(failed, line("ctranslate2", 100.0, 120.0, 110.0), cut, line(peers.OURS, 220.0)))
    head, _, *rows = cells(text, "engine")
    assert {len(row) for row in rows} == {len(head)}
    assert [row[0] for row in rows] == [peers.OURS, "ctranslate2", "model-card", "transformers"]
    by = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert by["ctranslate2"]["tokens/s"] == "110"
    assert by["ctranslate2"]["least to most"] == "100 to 120 (3)"
    assert by["ctranslate2"]["words/s"] == "55.0"
    assert by["ctranslate2"][f"{peers.OURS} int8 is ... times"] == "2.00 (1.83 to 2.20)"
    assert by["ctranslate2"]["share of the bf16 bound"] == f"{110 / ROOFLINE.bound('bf16', 100):.0%}"
    assert by["model-card"]["tokens/s"] == "at most 10.0"
    assert by["model-card"]["follows the model"] == "not checked (own)"
    assert by["transformers"]["tokens/s"] == "no figure: out of / memory"
    assert "Cut at the limit, so that the rate is that of the first, shorter texts: model-card int8." in text


def test_a_run_beside_which_others_worked_is_marked() -> None:
    text = report.markdown(result(dataclasses.replace(line("ctranslate2"), runs=(measured(foreign_share=0.09),))))
    assert "9% **disturbed**" in text


def test_what_gave_no_figure_is_named() -> None:
    text = report.markdown(result(absent=(Failure("llama-cpp", "BF16", 0, 0, "not installed: No module"),)))
    assert cells(text, "engine")[2] == ["llama-cpp", "BF16", "any", "any", "not installed: No module"]


def test_the_json_has_every_measurement_and_figure(tmp_path: Path) -> None:
    found = result(line("ctranslate2", 100.0, 120.0, 110.0), line(peers.OURS, 220.0))
    report.write(found, tmp_path)
    made = json.loads((tmp_path / "engine.json").read_text())
    assert made["schema"] == "engine-benchmark/v1"
    assert made["bounds"]["100"]["bf16"] == ROOFLINE.bound("bf16", 100)
    first = made["lines"][0]
    assert [jobs.from_json(Measurement, run) for run in first["runs"]] == list(found.lines[0].runs)
    assert first["tokens_per_second"] == pytest.approx({"middle": 110.0, "least": 100.0, "most": 120.0})
    assert first["ratio_of_ours"]["int8"]["middle"] == pytest.approx(2.0)
    assert (tmp_path / "engine.md").read_text() == report.markdown(found)
