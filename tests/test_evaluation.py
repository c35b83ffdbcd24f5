"""Likelihoods of answers: against transformers' own loss, against letters that a model prefers, beyond the context."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_model import save_tiny, write_profile

from generator.base.errors import ConfigError, ModelError
from generator.measure.evaluation.choices import LETTERS, Question
from generator.measure.evaluation.contenders import contender, open_contender
from generator.measure.evaluation.likelihood import Likelihood
from generator.measure.evaluation.standings import chosen

VALVE = Question("Which is nearest?", "A valve has a body.", ("A spring has a seal.", "A body.", "Tea."), 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"), positions=256)


def opened(folder: Path) -> Likelihood:
    return open_contender(contender(str(folder), folder.parent, "fp32"), 1, lambda _: None)


def loss(folder: Path, before: list[int], after: list[int]) -> float:
    """log p(after | before) by transformers' own cross entropy, whose labels leave `before` out."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    labels = torch.tensor([[-100] * len(before) + after])
    with torch.inference_mode():
        mean = model(input_ids=torch.tensor([before + after]), labels=labels).loss
    return -float(mean) * len(after)


def ids(folder: Path, text: str) -> list[int]:
    from transformers import PreTrainedTokenizerFast

    return list(PreTrainedTokenizerFast.from_pretrained(folder)(text, add_special_tokens=False)["input_ids"])


def test_letters_are_the_mean_over_all_turns_of_transformers_own_loss(folder: Path) -> None:
    found = opened(folder).scores(VALVE)
    wanted = []
    for option in VALVE.options:
        own = []
        for letter in "ABC":  # the option stands once at each letter, the others after it in a circle
            place = VALVE.options.index(option)
            turned = [VALVE.options[(place - "ABC".index(letter) + n) % 3] for n in range(3)]
            assert turned["ABC".index(letter)] == option
            shown = "".join(f"\n{x}: {text}" for x, text in zip("ABC", turned, strict=True))
            before = ids(folder, f"Which is nearest?\nA valve has a body.{shown}\nAnswer:")
            whole = ids(folder, f"Which is nearest?\nA valve has a body.{shown}\nAnswer: {letter}")
            assert whole[: len(before)] == before
            # What the letters share, such as a space of its own, decides nothing and is not counted.
            all_three = [ids(folder, f"Which is nearest?\nA valve has a body.{shown}\nAnswer: {x}") for x in "ABC"]
            shared = next(n for n, tokens in enumerate(zip(*all_three, strict=False)) if len(set(tokens)) > 1)
            own.append(loss(folder, [0, *whole[:shared]], whole[shared:]))
        wanted.append(sum(own) / 3)
    assert found.letter == pytest.approx(wanted, abs=1e-4)
    assert len({round(score, 3) for score in found.letter}) == 3


def test_conditional_is_what_the_option_adds_by_transformers_own_loss(folder: Path) -> None:
    found = opened(folder).scores(VALVE)
    text = ids(folder, VALVE.text)
    alone = loss(folder, [0], text)
    assert found.alone == pytest.approx(alone, abs=1e-4)
    wanted = [loss(folder, [0, *ids(folder, f"{option}\n\n")], text) - alone for option in VALVE.options]
    assert found.conditional == pytest.approx(wanted, abs=2e-4)


def test_tokens_before_a_tail_of_several_count_each(folder: Path) -> None:
    """Where a letter is not one token, the whole tail is scored."""
    model = opened(folder)
    tails = [[5, 6], [7]]
    assert model._after([0, 3], tails) == pytest.approx([loss(folder, [0, 3], tail) for tail in tails], abs=1e-4)
    singles = model._after([0, 3], [[5], [7]])
    assert singles == pytest.approx([loss(folder, [0, 3], [5]), loss(folder, [0, 3], [7])], abs=1e-4)


def prefers(folder: Path, letter: str) -> Path:
    """Weights that foretell `letter` after whatever was read: no layer adds anything, all tokens look the same."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(save_tiny(folder))
    tokens = sorted(set(ids(folder, f" {letter}")))
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.fill_(1.0)
        model.lm_head.weight.copy_(torch.randn(model.lm_head.weight.shape) / 10)
        model.lm_head.weight[tokens] = 1.0
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("letter", ["A", "D"])
def test_a_model_that_always_prefers_a_letter_gets_chance(tmp_path: Path, letter: str) -> None:
    """Every right answer is D. Without turns such a model would get all, or none; the turns make all options equal."""
    model = opened(prefers(tmp_path, letter))
    questions = [Question("", f"Which is it, {n}?", ("a", "b", "c", "d"), 3) for n in range(48)]
    found = [model.scores(one) for one in questions]
    for one in found:
        assert one.letter == (one.letter[0],) * 4
    prompt = [0, *ids(tmp_path, questions[0].asked() + "\nAnswer:")]
    first = model._after(prompt, [ids(tmp_path, f" {x}") for x in "ABCD"])
    assert max(range(4), key=first.__getitem__) == "ABCD".index(letter)
    places = [chosen(one.letter, question.asked()) for one, question in zip(found, questions, strict=True)]
    assert all(tied for _, tied in places)
    hits = sum(place == 3 for place, _ in places)
    assert 5 <= hits <= 20  # 12 are expected; beyond this range by chance once in 400
    assert {place for place, _ in places} == {0, 1, 2, 3}


def test_the_highest_score_is_chosen() -> None:
    assert chosen((-2.0, -1.0, -3.0), VALVE.asked()) == (1, False)
    place, tied = chosen((-1.0, -2.0, -1.0), VALVE.asked())
    assert tied
    assert place in (0, 2)
    assert chosen((-1.0, -2.0, -1.0), VALVE.asked())[0] == place


def test_what_does_not_fit_is_told_and_not_cut(folder: Path) -> None:
    tokens = opened(folder).scores(VALVE)
    for context in (tokens.letter_tokens, tokens.letter_tokens - 1):
        model = opened(folder)
        model.context = context
        found = model.scores(VALVE)
        assert bool(found.letter) == (context == tokens.letter_tokens)
        assert found.letter_tokens == tokens.letter_tokens
        assert found.conditional == tokens.conditional
    model.context = tokens.conditional_tokens - 1
    assert model.scores(VALVE).conditional == ()


def test_the_longest_row_decides(folder: Path) -> None:
    """The one long option stands in the conditional row that is counted, wherever it is among the options."""
    long = Question("", "Tea is made.", ("Tea.", "A valve, comprising a body. " * 12, "Tea."), 0)
    wanted = 1 + len(ids(folder, long.options[1] + "\n\n")) + len(ids(folder, long.text))
    assert opened(folder).scores(long).conditional_tokens == wanted


def test_weights_that_give_no_numbers_are_told(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(save_tiny(tmp_path))
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"lm_head\.weight are not all finite"):
        opened(tmp_path).scores(VALVE)


def test_a_tokenizer_without_latin_letters_is_told(folder: Path) -> None:
    class Blind:
        bos_token_id, eos_token_id = 0, 0

        def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
            return {"input_ids": [ord(x) for x in text if x not in LETTERS]}

    with pytest.raises(ModelError, match="does not tell the letters"):
        Likelihood(Blind(), None, 1000).scores(VALVE)


def test_a_profile_limits_the_context(folder: Path, tmp_path: Path) -> None:
    write_profile(tmp_path / "p.toml", folder, context=128)
    assert contender("p.toml", tmp_path, "fp32").context == 128
    assert contender(str(folder), tmp_path, "fp32").context == 256
    assert contender("starter", tmp_path, "fp32").context == 2048


def test_a_model_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a built-in model profile"):
        contender("./nothing/here", tmp_path, "fp32")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        contender("empty", tmp_path, "fp32")


def test_code_beside_weights_is_not_run(folder: Path, tmp_path: Path) -> None:
    import shutil

    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    config = json.loads((mine / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
    (mine / "config.json").write_text(json.dumps(config))
    (mine / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelError, match="does not load"):
        contender("mine", tmp_path, "fp32")
    assert not (tmp_path / "ran").exists()
