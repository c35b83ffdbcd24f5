"""Attention by blocks against PyTorch's own, forward and backward."""

import pytest
import torch

from generator.model.attention import BLOCK, causal_attention


@pytest.mark.parametrize("positions", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_blocks_are_the_attention_of_pytorch(positions: int) -> None:
    torch.manual_seed(positions)
    mine = [torch.randn(3, positions, 16, requires_grad=True) for _ in range(3)]
    theirs = [part.detach().clone().requires_grad_() for part in mine]
    found = causal_attention(*mine, 0.25)
    wanted = torch.nn.functional.scaled_dot_product_attention(*theirs, is_causal=True, scale=0.25)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    slope = torch.randn_like(found)
    found.backward(slope)
    wanted.backward(slope)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)


def test_what_stands_behind_a_position_does_not_change_it() -> None:
    one = torch.randn(2, 300, 8)
    other = one.clone()
    other[:, 200:] = 7.0
    with torch.inference_mode():
        first, second = causal_attention(one, one, one, 1.0), causal_attention(other, other, other, 1.0)
    torch.testing.assert_close(first[:, :200], second[:, :200])
