"""The plain sampler: the draw, and the guards of a draft in the making: loops, and claims without end."""

import pytest
import torch
from tiny_model import save_tiny, write_profile
from written import IDENTITY

from generator.base.errors import ConfigError
from generator.model.profiles import read_profile
from generator.model.prompting import Prompting
from generator.model.sampler import ClaimLimit, LoopGuard, choose, due
from generator.model.sampling_settings import Sampling, uniforms


def write(guard: LoopGuard, tokens: list[int], size: int = 9) -> list[int]:
    """Which tokens are forbidden after `tokens`, fed one at a time."""
    forbidden: list[int] = []
    for end in range(len(tokens) + 1):
        scores = guard.forbid(torch.tensor([tokens[:end]], dtype=torch.int64), torch.zeros(1, size))
        forbidden = torch.nonzero(torch.isinf(scores[0])).flatten().tolist()
    return forbidden


@pytest.mark.parametrize(
    ("tokens", "forbidden"),
    [
        ([], []),
        ([1], []),
        ([1, 1], [1]),  # one token twice: not a third time
        ([1, 2, 1, 2], [1]),
        ([1, 2, 3, 1, 2, 3], [1]),
        ([1, 2, 3, 1, 2], []),
        ([1, 2, 3, 4, 1, 2, 3, 4], []),  # longer than the guard looks
        ([1, 2, 1, 2, 5, 1, 2], []),  # the run was broken
    ],
)
def test_a_phrase_never_stands_three_times_in_a_row(tokens: list[int], forbidden: list[int]) -> None:
    assert write(LoopGuard(1, 3), tokens) == forbidden


def test_without_a_length_nothing_is_forbidden() -> None:
    assert write(LoopGuard(1, 0), [1, 1, 1, 1]) == []


def test_rows_are_guarded_each_for_itself() -> None:
    guard = LoopGuard(2, 3)
    for end in range(1, 5):
        scores = guard.forbid(torch.tensor([[1, 2, 1, 2], [3, 4, 5, 6]])[:, :end], torch.zeros(2, 9))
    assert torch.isinf(scores[0]).nonzero().flatten().tolist() == [1]
    assert not torch.isinf(scores[1]).any()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Prompting:
    from transformers import PreTrainedTokenizerFast

    folder = save_tiny(tmp_path_factory.mktemp("tiny"))
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    profile = read_profile(write_profile(folder / "tiny.toml", folder))
    return Prompting(profile, IDENTITY, tokenizer, (tokenizer.eos_token_id,), 256)


CLAIMS = "# Patent\n\n## Claims\n\n1. A thing.\n\n2. The thing of claim 1.\n\n"


@pytest.mark.parametrize(("direction", "expected"), [("bottom-up", "## Abstract\n"), ("top-down", "<|end|>")])
def test_the_claims_end_after_the_given_number(ask, direction, expected) -> None:  # type: ignore[no-untyped-def]
    limit = ClaimLimit([direction], 2, ask)
    ids = ask.tokenizer(CLAIMS, add_special_tokens=False)["input_ids"]
    forced: list[int] = []
    for _ in range(12):
        scores = limit.force(torch.tensor([ids + forced]), torch.zeros(1, len(ask.tokenizer)))
        if not torch.isinf(scores).any():
            break
        forced.append(int(scores.argmax()))
    assert ask.tokenizer.decode(forced) == expected


@pytest.mark.parametrize("text", [CLAIMS[:-1], CLAIMS.replace("2. The thing of claim 1.\n\n", ""), "# Patent\n\n"])
def test_before_the_last_claim_ends_nothing_is_forced(ask, text) -> None:  # type: ignore[no-untyped-def]
    limit = ClaimLimit(["bottom-up"], 2, ask)
    ids = ask.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert not torch.isinf(limit.force(torch.tensor([ids]), torch.zeros(1, len(ask.tokenizer)))).any()


@pytest.mark.parametrize("bad", [{"loop_tokens": "1.5"}, {"loop_tokens": "129"}, {"most_claims": "501"}])
def test_impossible_numbers(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="sampling"):
        Sampling(**bad)


def chosen(scores, temperature, top_p, min_p, draws=4000, seed=5):
    rows = torch.tensor(scores, dtype=torch.float32).expand(draws, len(scores))
    numbers = torch.from_numpy(uniforms([seed], draws))[0]
    return torch.bincount(choose(rows, numbers, temperature, top_p, min_p), minlength=len(scores))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_from_the_softmax(temperature):
    """Chi-square with 7 degrees of freedom; 40.5 is passed once in a million (the seed is fixed)."""
    scores = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, 0.3]
    counts = chosen(scores, temperature, 1.0, 0.0, draws=20_000).double()
    expected = torch.softmax(torch.tensor(scores).double() / temperature, 0) * 20_000
    assert float(((counts - expected) ** 2 / expected).sum()) < 40.5


def test_the_chi_square_sees_a_wrong_temperature():
    scores = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, 0.3]
    counts = chosen(scores, 1.0, 1.0, 0.0, draws=20_000).double()
    wrong = torch.softmax(torch.tensor(scores).double() / 1.1, 0) * 20_000
    assert float(((counts - wrong) ** 2 / wrong).sum()) > 40.5


def test_min_p_and_top_p_keep_what_they_say():
    scores = torch.log(torch.tensor([0.05, 0.5, 0.3, 0.15])).tolist()
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 0.25)] == [0, 1, 1, 1]
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 0.7)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 1.0)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.5, 0.0)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.51, 0.0)] == [0, 1, 1, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.96, 0.0)] == [1, 1, 1, 1]
    kept = chosen(scores, 1.0, 0.6, 0.0, draws=20_000)
    assert abs(int(kept[1]) / 20_000 - 0.625) < 0.02  # what is kept is drawn in proportion


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_the_ends_of_the_unit_interval_give_tokens_that_can_be(top_p):
    scores = torch.tensor([[float("-inf"), 0.0, 1.0, float("-inf")]] * 2)
    numbers = torch.tensor([0.0, 1.0 - 2**-53], dtype=torch.double)
    assert set(choose(scores, numbers, 1.0, top_p, 0.0).tolist()) == {1, 2}


def test_the_numbers_of_a_seed_do_not_depend_on_the_others():
    many, few = uniforms([1, 2**64 - 1, 3], 50), uniforms([2**64 - 1], 20)
    assert (many[1, :20] == few[0]).all()
    assert len(set(many.ravel().tolist())) == 150


@pytest.mark.parametrize("empty", ["\n\n", "\n \n", "\n\n\n"])
def test_claims_are_counted_as_the_parser_counts_them(ask: Prompting, empty: str) -> None:
    """An empty line that holds blanks parts two claims for the parser; the sampler did not count the second one."""
    text = f"# Patent\n\n## Claims\n\n1. A valve.{empty}2. The valve of claim 1.\n\n"
    assert due(text, "bottom-up", 2, ask) == ask.after_claims("bottom-up")
    assert due(text, "bottom-up", 3, ask) == ()
