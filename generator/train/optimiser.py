"""The optimiser of a phase: Muon for the matrices of layers and AdamW for the rest, or AdamW alone, as one object."""

from typing import Any

from generator.train.muon import single_muon
from generator.train.recipe import Phase


def optimiser(model: Any, phase: Phase, *, half: bool) -> Any:
    """Muon (Jordan et al. 2024) takes hidden matrices alone: embeddings, output and norms learn by AdamW beside it.

    `half`: the device has an instruction for bfloat16, in which PyTorch's Muon calculates; else it is done in fp32.
    Gains of norms and biases do not decay: nothing grows there without end, and a gain of 0 says nothing.
    """
    import torch

    def adamw(parameters: list[Any]) -> Any:
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": phase.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=phase.adamw_rate, betas=(0.9, 0.95), fused=False)

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not phase.muon_rate:
        return adamw(trained)
    tables = {id(table.weight) for table in (model.get_input_embeddings(), model.get_output_embeddings()) if table}
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in tables]
    others = [p for p in trained if p.ndim != 2 or id(p) in tables]
    muon = (torch.optim.Muon if half else single_muon)(matrices, lr=phase.muon_rate, weight_decay=phase.weight_decay)

    class Both(torch.optim.Optimizer):  # type: ignore[misc]
        """Two optimisers whose groups a learning-rate schedule sees as those of one."""

        def __init__(self, *parts: Any) -> None:
            self.parts = parts
            super().__init__([{"params": list(model.parameters())}], {})
            self.param_groups = [group for part in parts for group in part.param_groups]

        def step(self, closure: Any = None) -> None:
            for part in self.parts:
                part.step(closure)

        def zero_grad(self, set_to_none: bool = True) -> None:
            for part in self.parts:
                part.zero_grad(set_to_none)

        def state_dict(self) -> dict[str, Any]:
            return {"parts": [part.state_dict() for part in self.parts]}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            for part, value in zip(self.parts, state["parts"], strict=True):
                part.load_state_dict(value)
            self.param_groups = [group for part in self.parts for group in part.param_groups]

    return Both(muon, adamw(others))
