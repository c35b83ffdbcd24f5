"""Pairs for preference tuning, made from real patents by the gates."""

import random
from functools import cache
from pathlib import Path

import pytest
from real_patents import patents
from tiny_model import TEXTS
from training_runs import write

from generator.judge.calibration import load_calibration
from generator.record.disclosure import Disclosure
from generator.record.layouts import ABSTRACT, DIRECTIONS, Direction, write_layout
from generator.train.corruption import CORRUPTIONS, faults
from generator.train.dpo import in_steps
from generator.train.pairs import (
    REPEATS,
    Judged,
    Pair,
    Written,
    corrupted_pairs,
    draft_pairs,
    judge_drafts,
    known_texts,
    split,
)  # fmt: skip
from generator.train.preparing import TRAIN
from generator.train.recipe import Preference

CALIBRATION = load_calibration()
END = 0


@cache
def tokenizer() -> "object":
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([*TEXTS, *(one.abstract for one in patents()[:40])], trainer)
    return made


def encode(text: str) -> list[int]:
    return list(tokenizer().encode(text, add_special_tokens=False).ids)  # type: ignore[attr-defined]


def decode(ids: tuple[int, ...]) -> str:
    return str(tokenizer().decode(list(ids), skip_special_tokens=False))  # type: ignore[attr-defined]


@cache
def clean() -> tuple[Disclosure, ...]:
    return tuple(one for one in patents() if not faults(one, CALIBRATION))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    lines = [
        {"id": f"US{n}", "title": one.title, "abstract": one.abstract, "claims": [claim.text for claim in one.claims]}
        for n, one in enumerate(clean()[:40])
    ]
    write(folder, TRAIN, [*lines, {"id": "US99", "text": "Only a description."}])
    return folder


def layout(direction: Direction, one: Disclosure, claims: int = 99) -> str:
    return write_layout(direction, one.title, one.abstract, [claim.text for claim in one.claims[:claims]])


def written(index: int, text: str, direction: Direction = "top-down", stop: str = "end") -> Written:
    return Written(index, direction, text, stop, 0.0)  # type: ignore[arg-type]


def test_drafts_are_judged_in_order_against_what_the_model_was_trained_on(data: Path) -> None:
    new, copy = clean()[45], clean()[3]
    drafts = [
        written(2, layout("top-down", new)),
        written(1, layout("bottom-up", new), "bottom-up"),
        written(0, layout("top-down", copy)),
        written(3, layout("top-down", clean()[46])[:-30], stop="limit"),
        written(4, "# Patent"),
    ]
    judged = judge_drafts(drafts, known_texts(data), CALIBRATION)
    assert [one.written.index for one in judged] == [0, 1, 2, 3, 4]
    assert [one.refused for one in judged] == ["G3 copied_run", "", REPEATS, "", "G0 missing_section"]
    assert judged[3].disclosure is not None
    assert len(judged[3].disclosure.claims) == len(clean()[46].claims) - 1


def test_a_pair_parts_where_its_texts_part() -> None:
    assert split("x", [1, 2, 3, 0], [1, 2, 4], 4) == Pair("x", (1, 2), (3, 0), (4,))
    assert split("x", [1, 2, 3, 0], [1, 2, 4], 3) is None
    assert split("x", [1, 2], [1, 2, 4], 9) is None
    assert split("x", [1, 2], [1, 2], 9) is None
    assert split("x", [1], [2], 9) is None
    assert split("x", [1, 2, 0], [1, 0], 9).tokens == 5  # type: ignore[union-attr]


def test_accepted_drafts_meet_refused_ones_of_their_direction_and_length() -> None:
    judged, texts = [], clean()
    for n in range(40):
        direction, one = DIRECTIONS[n % 2], texts[n % len(texts)]
        judged.append(Judged(written(n, layout(direction, one), direction), one, ""))
        worse = layout(direction, texts[(n + 7) % len(texts)]).replace("1. ", "1. 1. ")
        judged.append(Judged(written(100 + n, worse, direction), None, "G1 c2"))
        judged.append(Judged(written(200 + n, "# Patent\n\nagain", direction), None, REPEATS))
    pairs = draft_pairs(judged, encode, END, most=20, context=9999, dice=random.Random(1))
    assert len(pairs) == 20
    tops = [pair for pair in pairs if decode(pair.prompt + pair.chosen).startswith("# Patent\n\n## Title")]
    assert len(tops) == 10
    assert len({pair.chosen for pair in pairs}) == len({pair.rejected for pair in pairs}) == 20
    near = [abs(len(pair.chosen) - len(pair.rejected)) / len(pair.prompt + pair.chosen) for pair in pairs]
    assert sorted(near)[10] < 0.1
    accepted = {layout(one.written.direction, one.disclosure) for one in judged if one.disclosure}
    for pair in pairs:
        assert decode(pair.prompt + pair.chosen).removesuffix("<|end|>") in accepted
        assert pair.chosen[-1] == pair.rejected[-1] == END
        assert pair.chosen.count(END) == 1
        assert "1. 1. " in decode(pair.prompt + pair.rejected)


def test_drafts_that_the_limit_cut_keep_their_share_and_get_no_end() -> None:
    judged, texts = [], clean()
    for n in range(20):
        judged.append(Judged(written(n, layout("top-down", texts[n])), texts[n], ""))
        judged.append(Judged(written(100 + n, layout("top-down", texts[20 + n])[:-9]), None, "G1 c2"))
    for n in range(60):
        cut = written(200 + n, layout("top-down", texts[n % len(texts)])[: 500 + n], stop="limit")
        judged.append(Judged(cut, None, "G0 truncated"))
    pairs = draft_pairs(judged, encode, END, most=20, context=9999, dice=random.Random(1))
    assert len(pairs) == 20
    assert sum(END not in pair.rejected for pair in pairs) == 15
    assert sum(END not in pair.rejected for pair in pairs[:10]) > 3  # fewer pairs are a fair part of them


def test_where_one_direction_has_few_the_other_gives_more() -> None:
    one = clean()[0]
    judged = [Judged(written(n, layout("top-down", clean()[n])), clean()[n], "") for n in range(8)]
    judged += [Judged(written(20 + n, layout("top-down", one)[: 400 + n]), None, "G0 truncated") for n in range(8)]
    judged += [Judged(written(40, layout("bottom-up", one), "bottom-up"), one, "")]
    judged += [Judged(written(41, layout("bottom-up", one)[:300], "bottom-up"), None, "G0 truncated")]
    pairs = draft_pairs(judged, encode, END, most=8, context=9999, dice=random.Random(1))
    bottom = [pair for pair in pairs if decode(pair.prompt).startswith("# Patent\n\n## Claims")]
    assert (len(pairs), len(bottom)) == (8, 1)


def test_corrupted_claims_stand_against_true_ones_in_both_directions(data: Path) -> None:
    pairs = corrupted_pairs(data, encode, END, CALIBRATION, most=14, context=3000, dice=random.Random(5))
    assert len(pairs) == 14
    assert {pair.kind for pair in pairs} == set(CORRUPTIONS)
    true = {layout(direction, one) for one in clean()[:40] for direction in DIRECTIONS}
    directions = set()
    for pair in pairs:
        whole, spoilt = decode(pair.prompt + pair.chosen), decode(pair.prompt + pair.rejected)
        if whole.startswith("# Patent\n\n## Title"):
            directions.add("top-down")
            assert ABSTRACT in decode(pair.prompt)
            assert pair.chosen[-1] == pair.rejected[-1] == END
            start = whole.removesuffix("<|end|>")
        else:
            directions.add("bottom-up")
            assert whole.endswith(f"\n\n{ABSTRACT}\n")
            assert spoilt.endswith(f"\n\n{ABSTRACT}\n")
            assert END not in (*pair.chosen, *pair.rejected)
            start = whole.removesuffix(f"\n\n{ABSTRACT}\n")
        assert any(text.startswith(start) for text in true)
        assert pair.prompt + pair.chosen == tuple(encode(whole.removesuffix("<|end|>"))) + (END,) * whole.endswith(">")
        assert max(len(pair.prompt + pair.chosen), len(pair.prompt + pair.rejected)) <= 3000
    assert directions == {"top-down", "bottom-up"}
    again = corrupted_pairs(data, encode, END, CALIBRATION, most=14, context=3000, dice=random.Random(5))
    assert again == pairs


def test_where_a_bottom_up_text_goes_on_a_token_of_the_whole_text_ends() -> None:
    for one in clean()[:10]:
        whole = layout("bottom-up", one)
        cut = encode(whole[: whole.rindex(f"{ABSTRACT}\n") + len(ABSTRACT) + 1])
        assert encode(whole)[: len(cut)] == cut


def test_steps_are_whole_by_length_inside_and_do_not_depend_on_memory() -> None:
    pairs = [Pair("x", (1,), (2,) * n, (3,) * n) for n in range(1, 24)]
    preference = Preference(pairs=23, drafts=1, rate=1e-5, step_pairs=5)
    steps = in_steps(pairs, preference, 1)
    assert len(steps) == 20
    assert len(set(steps)) == 20
    for start in range(0, 20, 5):
        lengths = [pair.tokens for pair in steps[start : start + 5]]
        assert lengths == sorted(lengths)
    assert steps == in_steps(pairs, Preference(pairs=23, drafts=1, rate=1e-5, step_pairs=5, memory_pairs=1), 1)
    assert steps != in_steps(pairs, preference, 2)
    in_memory = [Preference(pairs=9, drafts=1, rate=1.0, step_pairs=9, memory_pairs=most) for most in (1, 2, 4, 9)]
    assert [preference.memory_rows for preference in in_memory] == [1, 1, 3, 9]
