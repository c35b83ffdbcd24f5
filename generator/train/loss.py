"""The next-token loss of a language model, without a tensor of all its logits."""

from typing import Any

AT_ONCE = 512  # positions whose logits exist at a time: for 8,192 tokens in fp32, 16 MiB


def next_token_loss(hidden: Any, matrix: Any, targets: Any) -> Any:
    """Mean cross-entropy in nats of `targets` (n,) under `hidden` (n, width) @ `matrix` (entries, width) transposed.

    The logits of a whole batch in fp32 would be the largest tensor by far; here they exist for a few hundred positions
    at a time, with their gradient made in the same pass, which halves the time of the loss on a CPU. A `matrix` that
    is not trained gets no gradient, which saves a third of the products and a matrix in fp32.
    """
    import torch

    class NextTokenLoss(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, hidden: Any, matrix: Any, targets: Any) -> Any:
            gradient, learnt = torch.empty_like(hidden), context.needs_input_grad[1]
            matrix_gradient = torch.zeros_like(matrix, dtype=torch.float32) if learnt else None
            total = torch.zeros((), dtype=torch.float32, device=hidden.device)
            for start in range(0, len(targets), AT_ONCE):
                part, wanted = hidden[start : start + AT_ONCE], targets[start : start + AT_ONCE, None]
                logits = (part @ matrix.T).float()
                logits -= logits.logsumexp(dim=1, keepdim=True)
                total -= logits.gather(1, wanted).sum()
                slope = logits.exp_()
                slope.scatter_add_(1, wanted, torch.full_like(wanted, -1.0, dtype=torch.float32))
                slope = (slope / len(targets)).to(matrix.dtype)
                gradient[start : start + AT_ONCE] = slope @ matrix
                if learnt:
                    matrix_gradient += slope.T @ part
            context.save_for_backward(gradient, matrix_gradient)
            context.dtype = matrix.dtype
            return total / len(targets)

        @staticmethod
        def backward(context: Any, *outer: Any) -> Any:
            gradient, matrix_gradient = context.saved_tensors
            of_matrix = None if matrix_gradient is None else (matrix_gradient * outer[0]).to(context.dtype)
            return gradient * outer[0].to(gradient.dtype), of_matrix, None

    return NextTokenLoss.apply(hidden, matrix, targets)
