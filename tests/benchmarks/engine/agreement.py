"""Do an engine's tokens follow the model? Its samples are scored by the model itself: 32-bit floats, transformers.

For each token that was drawn, log p under the softmax at the benchmark's temperature is compared with its mean under
that softmax (what right samples give) and with its mean under the uniform distribution (what tokens give that have
nothing to do with the model: a wrong conversion, positions that are off, a cache that is mixed up). Result: 0 for
unrelated tokens, 1 for right ones, above 1 when the distribution was sharpened (a lower temperature, cut tails). The
last tokens of each text are scored, since they depend on all before.
"""

import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape

ROWS, TOKENS = 16, 48  # what is scored; with them the error of the result is about 0.04
LEAST, MOST = 0.8, 1.2


@dataclass(frozen=True, slots=True)
class Agreement:
    share: float
    error: float  # one standard deviation
    tokens: int

    @property
    def right(self) -> bool:
        return LEAST <= self.share <= MOST


def compare(seen: list[float], expected: list[float], uniform: list[float]) -> Agreement:
    """From log p of the drawn tokens and, at each place, its two means. Natural logarithms."""
    count = len(seen)
    gap = sum(e - u for e, u in zip(expected, uniform, strict=True)) / count
    excess = [s - e for s, e in zip(seen, expected, strict=True)]
    mean = sum(excess) / count
    spread = math.sqrt(sum((x - mean) ** 2 for x in excess) / max(1, count - 1) / count)
    return Agreement(1 + mean / gap, spread / gap, count)


def score(model_folder: Path, prompts: list[list[int]], rows: list[list[int]]) -> Agreement:
    """`rows` may differ in length when a run was stopped; the shortest one counts for all."""
    import torch
    from transformers import AutoModelForCausalLM

    pairs = list(zip(prompts, rows, strict=True))[:ROWS]
    length = min(len(row) for _, row in pairs)
    kept = min(TOKENS, length)
    texts = torch.tensor([prompt + row[:length] for prompt, row in pairs])
    model: Any = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        logits = model(texts[:, :-1], logits_to_keep=kept).logits
        logs = torch.log_softmax(logits / shape.TEMPERATURE, dim=-1)
        seen = logs.gather(-1, texts[:, -kept:, None]).flatten().tolist()
        expected = (logs.exp() * logs).sum(-1).flatten().tolist()
        uniform = logs.mean(-1).flatten().tolist()
    return compare(seen, expected, uniform)


def main() -> None:
    found = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps(asdict(score(Path(sys.argv[1]), found["prompts"], found["rows"]))))


if __name__ == "__main__":
    main()
