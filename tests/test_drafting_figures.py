"""Figures of drafting from handmade scores: means, buckets, ties, gates, cost, what texts repeat."""

import math
from pathlib import Path
from typing import Any

import pytest
from test_reading_patents import THINGS, patent, written

from generator.base import files
from generator.base.errors import PressError
from generator.base.intervals import wilson
from generator.corpus.documents import Document
from generator.measure.evaluation.compared_texts import (
    ComparedTexts,
    accepted,
    memorised_by_drafts,
    parsed,
    repetition_of_documents,
    repetition_of_drafts,
)
from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.drafting_figures import Measured, figures_of
from generator.measure.evaluation.drafting_table import markdown
from generator.measure.evaluation.held_out import HeldOut, read_held_out
from generator.measure.evaluation.reading import Choice, Loss, Read
from generator.measure.evaluation.trial import Length, Tried
from generator.measure.memorisation import Memory
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.record.judgement import CorpusName
from generator.record.layouts import write_layout
from generator.run.lines import Line

PROFILE = ModelProfile("p", "m", "1", "CC0-1.0", "x", True, 2048, 700, "", (), Sampling())
ONE = Contender("m|x", "m", "1", "a" * 64, "b" * 64, 2048, "fp32", "2", "5", PROFILE, Path())
LONG = "A bench, comprising: " + "; ".join(f"a leg of length {n} under the seat" for n in range(6)) + "."
BENCH = write_layout("top-down", "Bench", "A bench has a leg.", [LONG])


def loss(length: int, nats: float | None, *, tokens: int = 10, characters: int = 40, text: str = "whole") -> Loss:
    return Loss("top-down", text, length, length, tokens, characters, nats, 2.0, 1.0)


def read(losses: list[Loss], choices: list[Choice] | None = None, peak: int | None = None) -> Read:
    return Read(tuple(losses), tuple(choices or ()), peak)


def tried(
    gate: str, reason: str = "", *, text: str = BENCH, tokens: int = 100, stop: str = "end", verdict: str = ""
) -> Tried:
    line = Line(0, "0" * 16, "top-down", gate, reason, verdict, "", "", stop, tokens, 50, 0, 1, 1)
    return Tried(line, text, 2.0, 0.5, "bf16", None)


@pytest.fixture
def held_out(tmp_path: Path) -> HeldOut:
    return read_held_out(written(tmp_path / "held.jsonl", [patent(thing) for thing in THINGS]))


def figures(
    held_out: HeldOut,
    *,
    reads: list[Read] | None = None,
    drafts: list[Tried] | None = None,
    lengths: list[Length] | None = None,
    corpus: CorpusName | None = None,
) -> dict[str, Any]:
    measured = Measured(ONE, reads or [], {"top-down": drafts or []}, lengths or [], {}, PROFILE, corpus)
    return figures_of([measured], held_out, 6, "held.jsonl", None, {"cpu": "a CPU", "threads": 1})


def test_losses_are_means_over_all_characters_and_by_length(held_out: HeldOut) -> None:
    sizes = [(1024, 20.0), (1025, 30.0), (2048, 40.0), (2049, 50.0), (4096, None), (4097, 70.0)]
    value = figures(held_out, reads=[read([loss(size, nats, characters=size)]) for size, nats in sizes])
    (found,) = value["models"][0]["losses"]
    characters = 1024 + 1025 + 2048 + 2049 + 4097
    assert found["nats_per_token"] == pytest.approx(210 / 50)
    assert found["bits_per_character"] == pytest.approx(210 / math.log(2) / characters)
    assert (found["n"], found["do_not_fit"], found["longer"]) == (5, 1, 1)
    assert [(one["n"], one["do_not_fit"]) for one in found["buckets"].values()] == [(1, 0), (2, 0), (1, 1)]
    assert found["buckets"]["2k"]["nats_per_token"] == pytest.approx(70 / 20)
    assert found["low"] < found["bits_per_character"] < found["high"]
    assert found["buckets"]["1k"]["low"] is None  # one text says nothing of how texts differ
    assert "1 beyond the context" not in "\n".join(markdown(value))


def test_the_interval_of_a_ratio_by_hand(held_out: HeldOut) -> None:
    """10 and 30 nats of 40 characters each: 0.5 nats a character; residuals 10; error sqrt(200 * 2 / 1) / 80."""
    value = figures(held_out, reads=[read([loss(9, 10.0)]), read([loss(9, 30.0)])])
    (found,) = value["models"][0]["losses"]
    half = 1.959963984540054 * math.sqrt(400) / 80 / math.log(2)
    assert found["bits_per_character"] == pytest.approx(0.5 / math.log(2))
    assert found["high"] - found["bits_per_character"] == pytest.approx(half)


def test_choices_right_when_highest_and_drawn_when_equal(held_out: HeldOut) -> None:
    right = Choice("top-down", 100, 100, (-10.0, -20.0, -30.0, -40.0), 10)
    wrong = Choice("top-down", 1500, 1500, (-20.0, -10.0, -30.0, -40.0), 10)
    beyond = Choice("top-down", 3000, 3000, (), 10)
    value = figures(held_out, reads=[read([loss(9, 1.0)], [one]) for one in (right, wrong, beyond)])
    (found,) = value["models"][0]["choices"]
    assert (found["hits"], found["n"], found["do_not_fit"], found["ties"]) == (1, 2, 1, 0)
    assert (found["low"], found["high"]) == wilson(1, 2)
    assert [one["hits"] for one in found["buckets"].values()] == [1, 0, 0]
    assert found["nats_per_token"] == pytest.approx(30 / 20)
    assert found["gain_per_token"] == pytest.approx((20 + (-20 + 80 / 3)) / 20)
    equal = Choice("next claim", 9, 9, (-1.0,) * 4, 10)
    (found,) = figures(held_out, reads=[read([loss(9, 1.0)], [equal])] * 200)["models"][0]["choices"]
    assert found["ties"] == 200
    assert 30 <= found["hits"] <= 70  # 50 are expected; beyond this range by chance once in a thousand
    assert found["nats_per_token"] == pytest.approx(1.0)  # the scores are means already
    assert found["gain_per_token"] == 0


def test_gates_cost_and_lengths_of_drafts(held_out: HeldOut) -> None:
    other = write_layout(
        "top-down", "Tea", "Tea is made.", ["A method for making tea, comprising: adding tea to water."]
    )
    drafts = [
        tried("G0", "truncated", stop="limit", tokens=1024),
        tried("G1", "c11", tokens=1025),
        tried("G2", "cohesion", stop="stopped"),
        tried(""),
        tried("", verdict="obvious range"),
        tried("", text=other, tokens=5000),
    ]
    value = figures(held_out, drafts=drafts, corpus=CorpusName("known", 7, "c" * 64))
    (found,) = value["models"][0]["drafts"]
    assert [found["gates"][gate]["hits"] for gate in ("G0", "G1", "G2", "G3")] == [5, 4, 3, 3]
    assert (found["g4"]["hits"], found["g4"]["n"]) == (1, 6)
    assert (found["accepted"], found["near_repeats"]) == (3, 1)  # one bench is the other again
    assert (found["stopped_early"], found["cut_by_limit"]) == (1, 1)
    assert found["words_per_second"] == pytest.approx(300 / 12)
    assert found["distinct_accepted_per_cpu_hour"]["value"] == pytest.approx(2 / 3.0 * 3600)
    low, high = wilson(2, 6)
    assert found["distinct_accepted_per_cpu_hour"]["low"] == pytest.approx(low / 0.5 * 3600)
    assert found["distinct_accepted_per_cpu_hour"]["high"] == pytest.approx(high / 0.5 * 3600)
    assert [(one["hits"], one["n"]) for one in found["by_length"]["buckets"].values()] == [(2, 4), (0, 1), (0, 0)]
    assert found["by_length"]["longer"] == 1
    assert value["models"][0]["repetition"]["faults"]["hits"] == 1
    lengths = [Length(1024, 4000, 2000, 10.0, 8.0, "bf16", 3 << 20)]
    value = figures(held_out, drafts=drafts, lengths=lengths)
    text = "\n".join(markdown(value))
    assert "| m\\|x | top-down | 6 | 83.3 % (43.6 to 97.0) |" in text
    assert "| no corpus |" in text
    assert "| m\\|x | 1k | 200.0 | 4.00 | 400.0 | 3 MiB |  |  | 0 |  |" in text
    assert "| m\\|x | 2k | cannot |" in text
    assert "| m\\|x | 4k | beyond the context |" in text


def test_reading_speed_and_memory(held_out: HeldOut) -> None:
    reads = [read([loss(1000, 1.0), loss(500, 1.0, text="as drafted")], peak=5), read([loss(3000, None)], peak=9)]
    found = figures(held_out, reads=reads)["models"][0]["reading"]
    assert found["buckets"]["1k"] == {
        "n": 1,
        "tokens_per_second": 500.0,
        "cpu_seconds_per_thousand_tokens": 1.0,
        "peak_bytes": 5,
    }
    assert found["buckets"]["4k"]["tokens_per_second"] is None
    assert found["buckets"]["4k"]["peak_bytes"] == 9


def test_only_whole_drafts_are_compared_with_training_data() -> None:
    memory = Memory.of([Document("K", "Bench", "Nothing of it.", (LONG,))])
    drafts = [tried("G0", "truncated", text="# Patent\n\n## Title\n" + LONG), tried("G2", "cohesion")]
    assert parsed(drafts[0]) is None
    assert parsed(tried("G2", "cohesion", stop="stopped")) is None
    assert accepted(drafts[1]) is None
    found = memorised_by_drafts([*drafts, tried("")], memory)
    assert (found["parsed"]["texts"], found["accepted"]["texts"]) == (2, 1)
    assert found["accepted"]["share_of_grams"] == 1
    assert found["accepted"]["texts_with_long_run"] == 1
    assert ComparedTexts(memory, 1, 0).documents == 1


def test_repetition_of_drafts_and_of_patents_by_hand() -> None:
    text = "one two three four five one two three four"  # six sequences of four words, one of them again
    found = repetition_of_drafts([tried("G1", "c11", text=text), tried("G1", "c2", text="a b")], 1)
    assert found["repeated_share"] == pytest.approx(1 / 6)
    assert found["distinct_3"] == pytest.approx(5 / 7)
    assert found["mean_words"] == 5.5
    assert (found["faults"]["hits"], found["faults"]["n"]) == (1, 2)
    claims = [
        "A valve, comprising a body.",
        "The valve of claim 1, made of steel.",
        "The valve of claim 1, made of steel of steel of steel of steel.",
    ]
    documents = [
        Document("1", "Valve", "A valve.", tuple(claims)),
        Document("2", "Valve", "A valve.", tuple(claims[:2])),
    ]
    assert repetition_of_documents(documents, 2)["faults"]["hits"] == 1


def test_a_line_is_added_and_on_the_disk_or_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    files.append(tmp_path / "lines", b"one\n")
    files.append(tmp_path / "lines", b"two\n")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"
    assert len(synced) == 2
    with pytest.raises(PressError, match="absent/lines: cannot be written"):
        files.append(tmp_path / "absent" / "lines", b"one\n")
