"""The engine as a whole: drafts that depend on nothing but their briefs, and what happens when something goes wrong."""

import threading
import time
from dataclasses import replace

import numpy
import pytest
import tiny_model
import torch
from taught_model import save_taught

from generator.base.errors import ConfigError, ModelError
from generator.model.engine import products
from generator.model.engine.engine import Engine
from generator.model.engine.products import possible
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import read_profile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import CLAIMS

FREE = Sampling("1", "1", "0")
GUARDED = Sampling("0.9", "0.95", "0.02", "12", "3")
FORMATS = [f for f in (("fp32", "auto"), ("bf16", "auto"), ("int8", "auto"), ("bf16", "int8")) if possible(f[0])]


@pytest.fixture(scope="module", autouse=True)
def short_measurement():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "PROBE_SECONDS", 0.0)
        yield


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    folder = tiny_model.save_tiny(tmp_path_factory.mktemp("tiny"))
    return replace(read_profile(tiny_model.write_profile(folder / "tiny.toml", folder)), max_new_tokens=130)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = save_taught(tmp_path_factory.mktemp("taught"))
    return read_profile(tiny_model.write_profile(folder / "tiny.toml", folder))


@pytest.fixture(scope="module")
def model(profile):
    return opened(profile, batch=16)


def opened(profile, report=lambda _: None, **options):
    return open_model(profile, EngineChoice(**{"threads": 1, "number_format": "fp32", **options}), report=report)


def briefs(count, topic="Method for making"):
    """Directions, topics and seeds of every kind; a fifth are the same but for the seed."""
    seeds = [0, 1, 2**64 - 1, *range(1000, 1000 + count)]
    return [Brief(n, ("top-down", "bottom-up")[n % 2], topic if n % 3 == 0 else "", "", seeds[n]) for n in range(count)]


def written(model, those, sampling=FREE, **options):
    """Drafts by index, without the time that they took."""
    drafts = {d.brief.index: replace(d, seconds=0.0) for d in model.drafts(iter(those), sampling, **options)}
    assert len(drafts) == len(those)
    return drafts


def with_plan(model, **changes):
    """The same packed weights under another plan, such as a machine with other memory would make."""
    return Engine(model._ask, model._decoder, replace(model._plan, **changes), ())


@pytest.mark.parametrize(("number_format", "cache_format"), FORMATS)
def test_drafts_depend_neither_on_batch_nor_threads_nor_order_nor_memory(profile, number_format, cache_format):
    """66 drafts in each format; those that were given back for want of memory are among them."""
    those = briefs(20)
    first = opened(profile, batch=64, number_format=number_format, cache_format=cache_format)
    expected = written(first, those)
    assert len({draft.text for draft in expected.values()}) == 20
    assert max(d.generation.prompt_tokens + d.generation.new_tokens for d in expected.values()) > 2 * 64
    one = first._plan.row_pages
    shuffled = [those[n] for n in numpy.random.default_rng(4).permutation(20)]
    crowded = with_plan(first, rows=9, pages=3 * one, lanes=2)
    assert written(crowded, shuffled) == expected
    tight = with_plan(first, rows=5, pages=one)
    assert written(tight, those[::-1]) == expected
    assert min(crowded.account["restarts"], tight.account["restarts"]) > 0
    assert written(with_plan(first, rows=1, pages=one), those[:6]) == {n: expected[n] for n in range(6)}
    assert first.account["restarts"] == 0


@pytest.mark.parametrize("sampling", [GUARDED, Sampling("0.7", "1", "0", "2", "1")])
def test_opened_with_other_batches_threads_and_memory_the_drafts_are_the_same(taught, sampling):
    """By the options that a user has; this model loops and claims, so that rows have guards to take along."""
    those = briefs(20)
    first = opened(taught, batch=8)
    expected = written(first, those, sampling)
    plan = first._plan
    scarce = plan.fixed_bytes + int(0.8 * plan.rows * plan.row_pages) * plan.page_bytes
    for options in ({"batch": 1}, {"batch": 3, "threads": 2}, {"batch": 8, "memory": scarce}, {}):
        model = opened(taught, **options)
        assert written(model, those, sampling) == expected
        assert model.account["memory_bytes"] <= options.get("memory", 1 << 50)
    tight = with_plan(first, rows=6, pages=plan.row_pages)
    assert written(tight, those, sampling) == expected
    assert tight.account["restarts"] > 0


def test_a_library_that_rounds_by_the_number_of_rows_changes_no_draft(profile, monkeypatch):
    """Found at the opening; products then work in blocks of one size."""
    multiply = products.Product._multiply

    def by_rows(self, rows):
        return multiply(self, rows) * (1 + len(rows) % 16 * 2.0**-16)

    monkeypatch.setattr(products.Product, "_multiply", by_rows)
    told, those = [], briefs(8)
    expected = written(opened(profile, report=told.append, batch=8), those)
    assert "in blocks of 16 rows" in told[-1]
    assert written(opened(profile, batch=3), those) == expected
    monkeypatch.setattr("generator.model.engine.opening.settle", lambda *_: True)
    assert written(opened(profile, batch=3), those) != written(opened(profile, batch=8), those)


def test_an_engine_writes_the_same_twice_and_for_a_part(model):
    those = briefs(10)
    expected = written(model, those)
    assert written(model, those) == expected
    assert written(model, those[3:5]) == {3: expected[3], 4: expected[4]}
    assert written(model, []) == {}


@pytest.mark.parametrize("sampling", [Sampling("0"), Sampling("0.7", "1", "0.02", "2", "1"), Sampling("1.3")])
def test_the_plain_engine_writes_the_same_in_fp32(taught, sampling):
    """The two draw by the same numbers (not with top-p, where `generate` takes tokens in order of their probability).

    Weights are float32 here and float64 there: at the edge between two tokens they may part, which is rare.
    """
    ours = written(opened(taught, batch=5), briefs(16), sampling)
    theirs = written(opened(taught, engine="generate", batch=16), briefs(16), sampling)
    same = [n for n in ours if ours[n].text == theirs[n].text]
    assert len(same) >= 14
    for n in same:
        ours_, theirs_ = ours[n].generation, theirs[n].generation
        assert (ours_.new_tokens, ours_.stop, ours_.prompt) == (theirs_.new_tokens, theirs_.stop, theirs_.prompt)


def test_claims_end_after_the_given_number(taught):
    drafts = written(opened(taught, batch=8), briefs(24), Sampling("1", "1", "0", "0", "1"))
    claimed = [d for d in drafts.values() if CLAIMS in d.text and "\n\n2. " in d.text[d.text.rindex(CLAIMS) :]]
    assert claimed == []
    followed = [d for d in drafts.values() if d.brief.direction == "bottom-up" and "## Abstract\n" in d.text]
    ended = [d for d in drafts.values() if d.brief.direction == "top-down" and "\n\n1. " in d.text]
    assert len(followed) > 6
    assert len(ended) > 6
    assert {d.generation.stop for d in ended} == {"end"}
    more = written(opened(taught, batch=8), briefs(24), Sampling("1"))
    assert any("\n\n2. " in d.text[d.text.rindex(CLAIMS) :] for d in more.values() if CLAIMS in d.text)


def test_no_phrase_stands_three_times_in_a_row(taught):
    looping = written(opened(taught, batch=8), briefs(4), Sampling("0", "1", "0", "0"))
    model = opened(taught, batch=8)
    for sampling in (Sampling("0", "1", "0", "8"), Sampling("1", "1", "0", "8")):
        for draft in written(model, briefs(4), sampling).values():
            prompt = draft.generation.prompt
            ids = model._ask.tokenizer(draft.text)["input_ids"][len(model._ask.tokenizer(prompt)["input_ids"]) :]
            assert not any(
                ids[i : i + p] == ids[i + p : i + 2 * p] == ids[i + 2 * p : i + 3 * p]
                for p in range(1, 9) for i in range(len(ids) - 3 * p + 1)
            )  # fmt: skip
    assert len(looping) == 4


def test_a_row_that_is_used_again_remembers_nothing(tmp_path):
    """All tokens look the same to this model: it would say one for ever, and the guard alone varies its text."""
    from transformers import AutoModelForCausalLM

    folder = tiny_model.save_tiny(tmp_path / "monotonous")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.get_input_embeddings().weight[:] = model.get_input_embeddings().weight[5]
    model.save_pretrained(folder)
    profile = replace(read_profile(tiny_model.write_profile(tmp_path / "tiny.toml", folder)), max_new_tokens=9)
    topics = ("", "Method", "Valve with a", "")  # rows end at different times, and others take their place
    those, sampling = [Brief(n, "top-down", topics[n % 4], "", n) for n in range(9)], Sampling("0", "1", "0", "3")
    found = set()
    for options in ({"batch": 1}, {"batch": 2}, {"batch": 3}, {"engine": "generate"}):
        drafts = written(opened(profile, **options), those, sampling).values()
        found |= {d.text.removeprefix(d.generation.prompt) for d in drafts}
    assert len(found) == 1


def first_tokens(profile, folder, temperature, count):
    """Counts of the first words that drafts of one prompt begin with, and the probabilities by transformers."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = opened(replace(profile, max_new_tokens=1), batch=64)
    those = [Brief(n, "top-down", "", "", n) for n in range(count)]
    ids = tokenizer(profile.prompt("top-down"))["input_ids"]
    texts = {}
    for draft in model.drafts(iter(those), Sampling(temperature)):
        texts[draft.text] = texts.get(draft.text, 0) + 1
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = plain(input_ids=torch.tensor([ids])).logits[0, -1].double()
    return texts, tokenizer, ids, logits


def chi_square(texts, tokenizer, ids, logits, temperature):
    """The statistic and its critical value, passed once in a million (Wilson and Hilferty 1931). Rare texts are one."""
    expected, count = {}, sum(texts.values())
    for token, share in enumerate(torch.softmax(logits / temperature, 0).tolist()):
        text = tokenizer.decode([*ids, token], skip_special_tokens=True)
        expected[text] = expected.get(text, 0.0) + share * count
    common = [text for text, number in expected.items() if number >= 10]
    pairs = [(texts.get(text, 0), expected[text]) for text in common]
    pairs.append((count - sum(n for n, _ in pairs), count - sum(e for _, e in pairs)))
    freedom = len(pairs) - 1
    critical = freedom * (1 - 2 / (9 * freedom) + 4.753 * (2 / (9 * freedom)) ** 0.5) ** 3
    return sum((n - e) ** 2 / e for n, e in pairs), critical, freedom


def test_tokens_follow_the_distribution_of_the_model(profile):
    drawn = first_tokens(profile, profile.folder, "0.8", 3000)
    statistic, critical, freedom = chi_square(*drawn, 0.8)
    assert freedom > 20
    assert statistic < critical
    wrong, critical, _ = chi_square(*drawn, 1.0)
    assert wrong > critical


def test_ticks_add_up_although_drafts_begin_anew(model):
    crowded, ticks = with_plan(model, rows=8, pages=2 * model._plan.row_pages), []
    drafts = written(crowded, briefs(20), tick=ticks.append)
    assert crowded.account["restarts"] > 0
    assert sum(ticks) == sum(draft.generation.new_tokens for draft in drafts.values())


def test_seconds_of_drafts_add_up_to_the_time_that_was_spent(model):
    for lanes in (1, 2):
        engine = with_plan(model, rows=4, pages=4 * model._plan.row_pages, lanes=lanes)
        started = time.perf_counter()
        total = sum(draft.seconds for draft in engine.drafts(iter(briefs(20)), FREE))
        elapsed = time.perf_counter() - started
        assert 0.3 * elapsed < total < elapsed


def test_the_account_shows_phases_that_add_up(profile):
    model = opened(profile, batch=6)
    started = time.perf_counter()
    list(model.drafts(iter(briefs(12)), GUARDED))
    elapsed = time.perf_counter() - started
    phases = {row["phase"]: row for row in model.account["phases"]}
    assert list(phases) == ["matrix products", "attention", "sampling", "rest"]
    assert 0.2 * elapsed < sum(row["milliseconds"] for row in phases.values()) / 1000 < elapsed
    assert 997 <= sum(row["share_permille"] for row in phases.values()) <= 1003
    assert (model.account["cores"], model.account["slots"], model.account["restarts"]) == (1, 6, 0)


def test_the_plan_is_told(profile):
    told = []
    model = opened(profile, report=told.append, batch=6, cache_format="int8")
    assert model.identity.number_format == "fp32 cache int8"
    line = told[-1]
    assert "engine: fp32 cache int8 (" in line
    assert "6 drafts at a time on 1 cores" in line
    assert "GFLOP/s a core" in line


def test_too_little_memory_is_refused_with_the_figure_that_is_enough(profile):
    with pytest.raises(ConfigError, match=r"1 MiB of memory: .* needs \d+ MiB") as error:
        opened(profile, memory=1 << 20)
    needed = int(str(error.value).rsplit(" ", 2)[1])
    model = opened(profile, memory=needed << 20)
    assert len(written(model, briefs(3))) == 3
    assert model.account["memory_bytes"] <= needed << 20


def endless():
    n = 0
    while True:
        yield Brief(n, "top-down", "", "", n)
        n += 1


def test_closing_the_iterator_stops_the_lanes(model):
    engine, before = with_plan(model, lanes=2), threading.active_count()
    drafts = engine.drafts(endless(), FREE)
    next(drafts)
    assert threading.active_count() == before + 2
    drafts.close()
    assert threading.active_count() == before
    assert written(engine, briefs(3)) == written(model, briefs(3))  # and it can be used again


def test_a_second_call_during_the_first_is_refused(model):
    drafts = model.drafts(endless(), FREE)
    next(drafts)
    with pytest.raises(RuntimeError, match="at drafts already"):
        next(model.drafts(endless(), FREE))
    drafts.close()
    assert len(written(model, briefs(2))) == 2


def test_an_error_in_the_briefs_comes_out(model):
    def failing():
        yield from briefs(3)
        raise ZeroDivisionError("a brief")

    engine, before = with_plan(model, lanes=2), threading.active_count()
    with pytest.raises(ZeroDivisionError, match="a brief"):
        list(engine.drafts(failing(), FREE))
    assert threading.active_count() == before
    with pytest.raises(ConfigError, match="more than 32 tokens"):
        list(engine.drafts(iter(briefs(4, topic="Making" + " tea" * 40)), FREE))
    assert len(written(engine, briefs(2))) == 2


@pytest.mark.parametrize("lanes", [1, 2])
def test_an_error_in_a_lane_comes_out(model, monkeypatch, lanes):
    engine, before = with_plan(model, lanes=lanes), threading.active_count()
    work, steps = engine._lanes[-1]._work, []
    step = work.step

    def failing(*given):
        steps.append(1)
        if len(steps) == 30:
            raise MemoryError("a step")
        return step(*given)

    monkeypatch.setattr(work, "step", failing)
    with pytest.raises(MemoryError, match="a step"):
        list(engine.drafts(endless(), FREE))
    assert threading.active_count() == before
    assert written(engine, briefs(4)) == written(model, briefs(4))


def test_logits_without_a_finite_number_end_the_run(model, monkeypatch):
    engine = with_plan(model, rows=3)
    work = engine._lanes[0]._work
    step, steps = work.step, []

    def broken(tokens, positions, table):
        numbers, scales = step(tokens, positions, table)
        steps.append(1)
        if len(steps) == 40:
            numbers = numbers.copy()
            numbers[1, 7] = numpy.nan
        return numbers, scales

    monkeypatch.setattr(work, "step", broken)
    with pytest.raises(ModelError, match="no finite logits") as error:
        list(engine.drafts(iter(briefs(8)), FREE))
    assert "damaged" in error.value.hint


def test_a_watcher_sees_every_64th_token_and_ends_what_it_says(model):
    those, seen = briefs(12), []
    expected = written(model, those)
    longest = max(expected.values(), key=lambda d: d.generation.new_tokens).brief.index

    def watch(brief, text):
        seen.append((brief.index, text))
        return "enough" if brief.index == longest and len([1 for i, _ in seen if i == longest]) == 2 else ""

    for engine in (model, with_plan(model, rows=3, lanes=2)):
        seen.clear()
        found = written(engine, those, watch=watch)
        for n in expected:
            tokens = expected[n].generation.new_tokens
            if n == longest:
                assert (found[n].generation.new_tokens, found[n].generation.stop, found[n].stopped) == (
                    128,
                    "limit",
                    "enough",
                )
                assert expected[n].text.startswith(found[n].text.rstrip("�"))
            else:
                assert found[n] == expected[n]
            texts = [text for index, text in seen if index == n]
            assert len(texts) == (2 if n == longest else (tokens - 1) // 64)
            assert all(expected[n].text.startswith(text.rstrip("�")) for text in texts)


def test_an_error_of_the_watcher_comes_out(model):
    def watch(brief, text):
        raise KeyError(brief.index)

    with pytest.raises(KeyError):
        list(model.drafts(iter(briefs(12)), FREE, watch=watch))
