"""Greedy tokens of this engine against those of transformers' `generate` in the same format.

    python -m tests.benchmarks.engine.exactness [--rows 64] [--tokens 512] [--format bf16]

on the starter model and on the benchmark's architecture with random weights. Where a row differs, the two tokens are
looked up in the logits that the model gives in float32: their gap must be smaller than what the format's rounding can
do to two logits there (twice the largest |format - float32| over the vocabulary, of the transformers model itself).
Exit code 1 if a gap is larger.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Job
from tests.benchmarks.engine.ours import greedy

STARTER = Path(__file__).parents[3] / "generator" / "starter"
TYPES = {"bf16": "bfloat16", "fp32": "float32"}


def prompts(rows: int, vocabulary: int) -> list[list[int]]:
    import random

    chance = random.Random(shape.PROMPT_SEED)
    return [[chance.randrange(4, vocabulary) for _ in range(shape.PROMPT_TOKENS)] for _ in range(rows)]


def generated(folder: Path, kind: str, given: list[list[int]], tokens: int) -> list[list[int]]:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    torch.set_num_threads(2)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, kind)).eval()
    config = GenerationConfig(do_sample=False, use_cache=True, max_new_tokens=tokens, pad_token_id=0, eos_token_id=None)
    model.generation_config = config
    ids = torch.tensor(given)
    with torch.inference_mode():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)
    return [row[len(given[0]) :] for row in out.tolist()]


def differences(folder: Path, kind: str, given: list[list[int]], ours: list[list[int]], theirs: list[list[int]]) -> Any:
    """For each row that differs: row, place, gap of the two tokens in float32, what rounding can do to it."""
    import torch
    from transformers import AutoModelForCausalLM

    exact: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rounded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, kind)).eval()
    for row, (start, mine, other) in enumerate(zip(given, ours, theirs, strict=True)):
        place = next((i for i, (a, b) in enumerate(zip(mine, other, strict=True)) if a != b), None)
        if place is None:
            continue
        text = torch.tensor([start + other[:place]])
        with torch.inference_mode():
            logits = exact(text, logits_to_keep=1).logits[0, -1]
            rounding = (rounded(text, logits_to_keep=1).logits[0, -1].float() - logits).abs().max()
        yield row, place, float((logits[mine[place]] - logits[other[place]]).abs()), 2 * float(rounding)


def compare(name: str, folder: Path, number_format: str, rows: int, tokens: int) -> bool:
    import json

    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    given = prompts(rows, vocabulary)
    mine = greedy(Job("prior-art", number_format, rows, tokens, 2, 1e9, 1, str(folder.parent)), folder, given)
    theirs = generated(folder, TYPES[number_format], given, tokens)
    found = list(differences(folder, TYPES[number_format], given, mine, theirs))
    wrong = [x for x in found if x[2] > x[3]]
    same = sum(a == b for x, y in zip(mine, theirs, strict=True) for a, b in zip(x, y, strict=True))
    print(f"{name}, {number_format}: {rows - len(found)} of {rows} rows of {tokens} tokens are the same")
    print(f"  {same / rows / tokens:.1%} of all tokens; {len(wrong)} differences beyond the format's rounding")
    for row, place, gap, rounding in found:
        print(f"  row {row} from token {place}: gap {gap:.2g}, rounding {rounding:.2g}")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--format", choices=sorted(TYPES), default="bf16")
    chosen = parser.parse_args()
    model = Path(__file__).parent / "cache" / "model"
    if not model.exists():
        shape.make(model)
    starter = compare("starter", STARTER, chosen.format, chosen.rows, chosen.tokens)
    random = compare("benchmark's architecture", model, chosen.format, chosen.rows, chosen.tokens)
    return 0 if starter and random else 1


if __name__ == "__main__":
    sys.exit(main())
