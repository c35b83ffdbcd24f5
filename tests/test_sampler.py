"""The guards of a draft in the making: loops, and claims without end."""

import pytest
import torch
from tiny_model import save_tiny

from generator.errors import ConfigError
from generator.sampler import ClaimLimit, LoopGuard
from generator.sampling import Sampling


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
def tokenizer(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


CLAIMS = "# Patent\n\n## Claims\n\n1. A thing.\n\n2. The thing of claim 1.\n\n"


@pytest.mark.parametrize(("direction", "expected"), [("bottom-up", "## Abstract\n"), ("top-down", "<|end|>")])
def test_the_claims_end_after_the_given_number(tokenizer, direction, expected) -> None:  # type: ignore[no-untyped-def]
    end = tokenizer.eos_token_id
    limit = ClaimLimit([direction], 2, tokenizer, end)
    ids = tokenizer(CLAIMS, add_special_tokens=False)["input_ids"]
    forced: list[int] = []
    for _ in range(12):
        scores = limit.force(torch.tensor([ids + forced]), torch.zeros(1, len(tokenizer)))
        if not torch.isinf(scores).any():
            break
        forced.append(int(scores.argmax()))
    assert tokenizer.decode(forced) == (tokenizer.eos_token if direction == "top-down" else expected)


@pytest.mark.parametrize("text", [CLAIMS[:-1], CLAIMS.replace("2. The thing of claim 1.\n\n", ""), "# Patent\n\n"])
def test_before_the_last_claim_ends_nothing_is_forced(tokenizer, text) -> None:  # type: ignore[no-untyped-def]
    limit = ClaimLimit(["bottom-up"], 2, tokenizer, 0)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert not torch.isinf(limit.force(torch.tensor([ids]), torch.zeros(1, len(tokenizer)))).any()


@pytest.mark.parametrize("bad", [{"loop_tokens": "1.5"}, {"loop_tokens": "129"}, {"most_claims": "501"}])
def test_impossible_numbers(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="sampling"):
        Sampling(**bad)
