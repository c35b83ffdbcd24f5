"""Recipes: what is read, what is refused, and that the shipped one explains every member."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from training_runs import RECIPE

from generator.base.errors import ConfigError
from generator.train.recipe import (
    BUILT_IN,
    FORMATS,
    Data,
    Phase,
    Preference,
    Shape,
    built_in_recipes,
    read_recipe,
    recipe_path,
)


def read(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "recipe.toml").write_text(text)
    return read_recipe(folder / "recipe.toml")


def test_the_built_in_recipes_can_be_read() -> None:
    assert built_in_recipes() == ("continue", "scribe", "starter", "tenth")
    for name in built_in_recipes():
        recipe = read_recipe(recipe_path(name, Path.cwd()))
        assert recipe.phases["finetune"].steps > 1
        assert bool(recipe.model.base) == (name in ("continue", "scribe"))


def test_the_starter_recipe_explains_every_member() -> None:
    """By a comment on the line where a member stands first, or on the line above it."""
    lines = (BUILT_IN / "starter.toml").read_text().splitlines()
    above = dict(zip(lines[1:], lines, strict=False))
    names = [item.name for kind in (Data, Shape, Phase, Preference) for item in fields(kind)]
    for name in [*names, "seed", "license", "attribution", "attributions"]:
        first = next((line for line in lines if re.match(rf"(?:#\s+)?{name} = ", line)), "")
        assert re.search(r" # ?\w", first) or above.get(first, "").startswith("#"), name
    described = "\n".join(line for line in lines if line.startswith("#"))
    for name in FORMATS:
        assert re.search(rf"\b{name}[ ,;:]", described)


def test_a_recipe_is_what_its_file_says(tmp_path: Path) -> None:
    recipe = read(tmp_path, RECIPE)
    assert recipe.name == "small"
    assert recipe.attributions == ("The town archive, CC0",)
    assert recipe.data.tiers == ("clean",)
    assert recipe.broad.mix == (("description", 0.5), ("head", 0.5))
    assert recipe.broad.steps == 40
    assert recipe.broad.step_rows == 8
    assert recipe.broad.memory_rows == 4
    assert recipe.finetune.memory_rows == 4
    assert recipe.prefer is None
    assert recipe.as_json()["model"]["kv_heads"] == 1


def test_rows_in_memory_divide_the_rows_of_a_step(tmp_path: Path) -> None:
    recipe = read(tmp_path, RECIPE.replace("row_tokens = 256", "row_tokens = 200"))
    assert recipe.broad.memory_rows == 2  # 3 would fit, and 8 is no multiple of 3
    recipe = read(tmp_path, RECIPE.replace("row_tokens = 256", "row_tokens = 1"))
    assert recipe.broad.memory_rows == 1


@pytest.mark.parametrize(
    ("change", "into", "said"),
    [
        ("seed = 3", 'seed = "3"', "seed: '3': a whole number is expected"),
        ("seed = 3", "seed = true", "seed: 'True': a whole number is expected"),
        ('name = "small"', "", "name: missing"),
        ("[broad]", "[brod]", "brod: not known; known are name, seed"),
        ("held_out = 0.1", "held_out = 2", "held_out and near_duplicate"),
        ("held_out = 0.1", "held = 0.1", "data.held: not known; known are held_out"),
        ("hidden = 32", "hidden = 33", "heads must divide hidden"),
        ("hidden = 32", "", "a new model needs"),
        ("hidden = 32", 'hidden = 32\nbase = "a/b"', "has its shape"),
        ("hidden = 32", "hidden = 32\nlora_rank = 4", "no LoRA"),
        ("vocabulary = 400", "vocabulary = 70000", "300 to 65535"),
        ("step_tokens = 512\nrow_tokens", "step_tokens = 500\nrow_tokens", "a multiple of context"),
        (
            "tokens = 20_480\ncontext = 64",
            "tokens = 20_480\ncontext = 512",
            r"\[broad\] context: 16 to the model's 256",
        ),
        ("tokens = 20_480\ncontext = 64", "context = 64", "broad.tokens: missing"),
        ("description = 0.5, head = 0.5", "description = 0.5, head = 0.4", "add up to 1"),
        ("description = 0.5, head = 0.5", "essay = 1", "add up to 1"),
        ("description = 0.5, head = 0.5", "head = 1.5, description = -0.5", "add up to 1"),
        ("decay_share = 1.0", "decay_share = 1.1", "decay_share is at most 1"),
        ("decay_share = 1.0", "short_share = 1.1", "short_share: a share"),
        ("adamw_rate = 3e-3\nwarmup_steps = 2\ndecay", "adamw_rate = 0\nwarmup_steps = 2\ndecay", "rates are above 0"),
        ('license = "CC0-1.0"', "license = 0", "license: '0': text is expected"),
        ('["The town archive, CC0"]', '"The town archive"', "attributions: 'The town archive': an array is expected"),
        ("[data]", "data = 3\n[date]", "data: '3': an object is expected"),
        ("[data]", "[data", "recipe.toml"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, change: str, into: str, said: str) -> None:
    assert change in RECIPE
    with pytest.raises(ConfigError, match=said) as caught:
        read(tmp_path, RECIPE.replace(change, into, 1))
    assert "recipe.toml" in str(caught.value)
    assert caught.value.hint


def test_all_members_of_a_wrong_kind_are_told_at_once(tmp_path: Path) -> None:
    wrong = (
        RECIPE.replace("seed = 3", 'seed = "3"').replace("hidden = 32", "hidden = 3.5").replace("[finetune]", "[fine]")
    )
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, wrong)
    said = [line.partition("recipe.toml: ")[2].partition(":")[0] for line in str(caught.value).split("\n")]
    assert sorted(said) == ["fine", "finetune", "model.hidden", "seed"]


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a built-in recipe nor a TOML file") as caught:
        recipe_path("strater", tmp_path)
    assert "starter" in caught.value.hint
