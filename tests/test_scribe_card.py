"""The adapter in the package, its recipe, its curve, its card and the pages that speak of it say the same."""

import csv
import json
import re
from pathlib import Path

import pytest

from generator.model.profiles import load_profile
from generator.train.recipe import read_recipe, recipe_path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "generator" / "scribe"
CARD = " ".join((FOLDER / "README.md").read_text().split())
RECIPE = read_recipe(recipe_path("scribe", ROOT))
PHASE = RECIPE.finetune


def found(pattern: str, text: str = CARD) -> tuple[float, ...]:
    match = re.search(pattern, text)
    assert match, pattern
    return tuple(float(number.replace(",", "")) for number in match.groups())


def test_the_adapter_is_of_the_recipes_shape_and_base() -> None:
    config, base = (json.loads((FOLDER / name).read_text()) for name in ("adapter_config.json", "base.json"))
    rank = RECIPE.model.lora_rank
    assert (config["r"], config["lora_alpha"]) == (rank, 2 * rank) == found(r"rank (\d+), alpha (\d+)")
    size = sum(path.stat().st_size for path in FOLDER.glob("adapter_model-*.safetensors"))
    assert size <= 24 * 2**20
    assert found(r"bf16, ([\d.]+) MB") == (round(size / 1e6, 1),)
    profile = load_profile(RECIPE.model.base, ROOT)
    assert profile.adapter
    assert profile.adapter.resolve() == FOLDER
    assert base["model"].startswith(f"{profile.model} {profile.revision}, ")
    assert base["sha256"] == dict(profile.files)[base["model"].rsplit(", ")[-1]]


def test_the_curve_is_that_of_the_recipes_steps_and_rates() -> None:
    rows = list(csv.DictReader((FOLDER / "curve.csv").read_text().splitlines()))
    assert (int(rows[-1]["step"]), int(rows[-1]["tokens"])) == (PHASE.steps, PHASE.tokens)
    falling = round(PHASE.steps * PHASE.decay_share)
    for row in rows:
        step = int(row["step"])
        assert int(row["tokens"]) == step * PHASE.step_tokens
        share = min(1, step / PHASE.warmup_steps, (PHASE.steps - step + 1) / falling)
        assert float(row["rate"]) == pytest.approx(PHASE.adamw_rate * share, rel=0.01), step


def test_the_card_has_the_recipes_settings() -> None:
    steps, step_tokens, millions, row = found(r"(\d+) steps of ([\d,]+) tokens \(([\d.]+) million\), rows of (\d+)")
    assert (steps, step_tokens, row) == (PHASE.steps, PHASE.step_tokens, PHASE.context)
    assert millions == round(PHASE.tokens / 1e6, 2)
    top_down, bottom_up, specification, head = found(
        r"abstract, claims (\d+) %; claims first (\d+) %; .* after the claims (\d+) %; abstract, then title (\d+) %"
    )
    shares = {"top-down": top_down, "bottom-up": bottom_up, "specification": specification, "head": head}
    assert {name: 100 * share for name, share in PHASE.mix} == pytest.approx(shares)
    assert found(r"AdamW at ([\d.e-]+) \((\d+) steps of warming up\)") == (PHASE.adamw_rate, PHASE.warmup_steps)
    assert found(r"over the last (\d+) steps") == (round(PHASE.steps * PHASE.decay_share),)
    seen = found(r"seen ([\d.]+) times top-down, ([\d.]+) times bottom-up, ([\d.]+) times with their description")
    assert sum(seen) <= RECIPE.times_seen


def test_card_and_page_give_the_same_figures() -> None:
    card, page = (path.read_text() for path in (FOLDER / "README.md", ROOT / "docs" / "training.md"))
    page = page[page.index("**The adapter `scribe`.**") : page.index("**Preference tuning of `scribe`**")]
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 6
    assert rows == [line for line in card.splitlines() if line.startswith("|")]
    known = r"243 drafts .*? ([\d.]+) % \(([\d.]+) to ([\d.]+)\) of .{0,8}sequences of 13 words"
    assert found(known, " ".join(page.split())) == found(known)
