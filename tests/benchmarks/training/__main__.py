"""What a step of training spends in its optimiser: this project's Muon in fp32 beside PyTorch's, in one run.

    python -m tests.benchmarks.training

The starter model's shape, 4,096 tokens a step. The two optimisers step in turn on the same gradients; the shortest and
the longest time of each are printed, with the time of the forward and backward pass in the format that training takes
on this machine.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from generator.model.loading import cpu_capability, native_bf16
from generator.train.loss import next_token_loss
from generator.train.models import new_model
from generator.train.optimiser import optimiser
from generator.train.recipe import read_recipe, recipe_path

TOKENS = 4096


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    recipe = read_recipe(recipe_path("starter", Path()))
    phase, numbers = recipe.phases["broad"], torch.bfloat16 if native_bf16() else torch.float32
    model = new_model(recipe, recipe.data.vocabulary, 0)
    ids = torch.randint(0, recipe.data.vocabulary, (TOKENS // phase.context, phase.context))

    def passes() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=native_bf16()):
            hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        matrix = model.get_output_embeddings().weight.to(numbers)
        next_token_loss(hidden.reshape(-1, hidden.shape[-1]).to(numbers), matrix, ids[:, 1:].reshape(-1)).backward()

    steps: dict[str, Callable[[], Any]] = {
        "forward and backward": passes,
        "PyTorch's Muon, bfloat16": optimiser(model, phase, half=True).step,
        "Muon in fp32": optimiser(model, phase, half=False).step,
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(asked.rounds + 1):
        model.zero_grad()
        for name, work in steps.items():
            spent = seconds(work)
            if turn:  # the first round warms up
                taken[name].append(spent)
    print(f"{cpu_capability()}, {asked.threads} threads, {TOKENS} tokens a step, {asked.rounds} rounds")
    for name, found in taken.items():
        print(f"{name:28} {min(found):8.3f} to {max(found):.3f} s a step")
    ratios = [peer / mine for peer, mine in zip(*list(taken.values())[1:], strict=True)]
    print(f"fp32 is {min(ratios):.2f} to {max(ratios):.2f} times as fast as PyTorch's bfloat16")


if __name__ == "__main__":
    main()
