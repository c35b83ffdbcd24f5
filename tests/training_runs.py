"""A small world for tests of training: patents as JSON lines, a recipe of a few steps, and runs with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from generator.train.preparing import prepare
from generator.train.recipe import read_recipe
from generator.train.run import Run

RECIPE = """
name = "small"
seed = 3
license = "CC0-1.0"
attribution = "Nobody"
attributions = ["The town archive, CC0"]
[data]
held_out = 0.1
vocabulary = 400
[model]
context = 256
hidden = 32
layers = 2
heads = 2
kv_heads = 1
intermediate = 64
[broad]
tokens = 20_480
context = 64
step_tokens = 512
row_tokens = 256
mix = { description = 0.5, head = 0.5 }
muon_rate = 0.02
adamw_rate = 3e-3
warmup_steps = 2
[balanced]
tokens = 10_240
context = 128
step_tokens = 512
mix = { description = 0.4, head = 0.2, top-down = 0.2, bottom-up = 0.2 }
muon_rate = 0.02
adamw_rate = 3e-3
warmup_steps = 2
[finetune]
tokens = 20_480
context = 256
step_tokens = 1024
mix = { top-down = 0.5, bottom-up = 0.5 }
adamw_rate = 3e-3
warmup_steps = 2
decay_share = 1.0
"""
THINGS = ("bracket", "valve", "lamp", "pump", "hinge", "drum", "relay", "mirror", "wheel", "sieve", "rope", "plough")
PARTS = ("arm", "spring", "housing", "plate", "screw", "ring", "seal", "lever", "handle", "pipe", "sensor", "switch")
DEEDS = ("folds", "turns", "slides", "heats", "cools", "bends", "locks", "vibrates", "rises", "closes", "rolls")


def patent(number: int, **changes: object) -> dict[str, object]:
    """A patent that is no near duplicate of another one's."""
    thing, part, other = THINGS[number % 12], PARTS[number // 12 % 12], PARTS[(number * 7 + number // 144 + 3) % 12]
    deed = DEEDS[number * 5 % 11]
    value: dict[str, object] = {
        "id": f"US{number}",
        "title": f"{thing} with {part} and {other} number {number}".upper(),
        "abstract": f"A {thing} of kind {number} has a {part} that {deed} and a {other}. The {other} holds the {part}.",
        "claims": [
            f"A {thing} of kind {number}, comprising a {part} that {deed} and a {other} on the {part}.",
            f"The {thing} of claim 1, wherein the {other} {DEEDS[(number + 3) % 11]} {number} times.",
        ],
        "tier": "clean",
    }
    return value | changes


def write(folder: Path, name: str, lines: list[Any]) -> Path:
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path = folder / name
    path.write_bytes(zstandard.compress(data) if name.endswith(".zst") else data)
    return path


def sources(folder: Path) -> list[Path]:
    """Whole patents, heads and descriptions."""
    text = " ".join(f"The arm number {n} of the bracket is bent." for n in range(80))
    opening = "BACKGROUND OF THE INVENTION Brackets are known. SUMMARY One is shown. DETAILED DESCRIPTION "
    return [
        write(
            folder, "patents.jsonl", [patent(n) for n in range(60)] + [patent(n, claims=[]) for n in range(100, 200)]
        ),
        write(
            folder,
            "descriptions.jsonl.zst",
            [{"id": f"US{n}", "text": opening + f"This is number {n}. " + text} for n in range(40)],
        ),
    ]


def silent(_: str) -> None:
    pass


def begun(folder: Path, recipe: str = RECIPE, report: Callable[[str], None] = silent, every: float = 180.0) -> Run:
    """A run in `folder` with its data prepared."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe)
    run = Run(folder, read_recipe(folder / "recipe.toml"), report, threads=1, every=every)
    if not run.stage("data").finished:
        prepare(run, sources(folder))
    return run
