"""Muon in single precision, for devices that have no instruction for bfloat16."""

from collections.abc import Sequence
from typing import Any


def single_muon(weights: Sequence[Any], *, lr: float, weight_decay: float) -> Any:
    """torch.optim.Muon, with its rates in the form "original", whose Newton-Schulz steps are done in fp32.

    PyTorch does them in bfloat16. A CPU that has no instruction for it then spends most of a training step there, as
    each product of bfloat16 is put together by hand. State and groups are those of PyTorch's, so that a run goes on
    with either. Source of the steps and of their coefficients: Jordan et al. 2024, as in torch.optim.Muon.
    """
    import torch

    class SingleMuon(torch.optim.Muon):  # type: ignore[misc]
        @torch.no_grad()  # type: ignore[untyped-decorator]
        def step(self, closure: Any = None) -> None:  # noqa: ARG002
            for group in self.param_groups:
                rate, momentum = group["lr"], group["momentum"]
                for weight in group["params"]:
                    if weight.grad is None:
                        continue
                    state = self.state[weight]
                    if not state:
                        state["momentum_buffer"] = torch.zeros_like(weight)
                    mean = state["momentum_buffer"].lerp_(weight.grad, 1 - momentum)
                    update = _orthogonal(weight.grad.lerp(mean, momentum), group)
                    weight.mul_(1 - rate * group["weight_decay"])
                    weight.add_(update, alpha=-rate * max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5)

    return SingleMuon(weights, lr=lr, weight_decay=weight_decay, adjust_lr_fn="original")


def _orthogonal(matrix: Any, group: dict[str, Any]) -> Any:
    """A matrix of the same singular vectors, whose singular values are near 1: by iterations of a polynomial."""
    import torch

    first, second, third = group["ns_coefficients"]
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / wide.norm().clamp(min=group["eps"])  # no singular value above 1
    for _ in range(group["ns_steps"]):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=second, alpha=third), wide, beta=first)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
