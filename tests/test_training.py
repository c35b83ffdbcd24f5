import json
from pathlib import Path

import pytest
from test_training_text import full, write

from generator import training
from generator.errors import ConfigError, ModelError
from generator.recipe import END, Recipe, fit
from generator.training import train

SMALL = Recipe(
    vocabulary=400, hidden=32, layers=2, heads=2, intermediate=64, context=256, short_context=64, tokens_per_step=1024,
    description_tokens=4096, head_tokens=1024, full_tokens=8192, warmup_steps=2, hold_out_share=0.1, seed=3,
)  # fmt: skip
TODAY = "2026-11-22"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder, "patents.jsonl", [full(n) for n in range(60)] + [full(n, claims=[]) for n in range(100, 300)])
    text = " ".join(f"The arm number {n} of the bracket is bent." for n in range(80))
    write(folder, "descriptions.jsonl", [{"id": f"X{n}", "text": text} for n in range(40)])
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train(data, folder, SMALL, today=TODAY, threads=1, report=lambda _: None)
    return folder


def test_the_model_loads_with_the_auto_classes_and_has_learnt(trained: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(trained), AutoTokenizer.from_pretrained(trained)
    assert model.config.use_cache
    assert tokenizer.eos_token == END
    facts = json.loads((trained / "training.json").read_text())
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["steps"] == 13
    assert set(facts["held_out_loss"]) == {"top-down", "bottom-up"}
    assert max(facts["held_out_loss"].values()) < 5.6  # 6.0 is what an untrained model has: the logarithm of 400
    text = "# Patent\n\n## Title\nFolding bracket"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_card_says_what_was_done(trained: Path) -> None:
    card = (trained / "README.md").read_text()
    facts = json.loads((trained / "training.json").read_text())
    for piece in ("demonstration model", "CC BY 4.0", "Pap2Pat", "Open Government Licence", TODAY,
                  str(facts["held_out_loss"]["top-down"]), *facts["data_sha256"].values()):  # fmt: skip
        assert piece in card
    assert len((trained / "curve.csv").read_text().splitlines()) == 1


def test_a_killed_run_goes_on_to_the_same_model(data: Path, trained: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill_at(step: int):  # type: ignore[no-untyped-def]
        real = training._step

        def call(*arguments: object) -> float:
            if arguments[-1] == step:
                raise Killed
            return real(*arguments)  # type: ignore[arg-type]

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_step", kill_at(9))
        with pytest.raises(Killed):
            train(data, tmp_path, SMALL, today=TODAY, threads=1, checkpoint_seconds=0, report=lambda _: None)
    said: list[str] = []
    train(data, tmp_path, SMALL, today=TODAY, threads=1, report=said.append)
    assert any("going on at step 9 of 13" in line for line in said)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    assert (tmp_path / "curve.csv").read_text().split(",")[:3] == (trained / "curve.csv").read_text().split(",")[:3]


def test_another_recipe_in_the_same_folder_is_refused(data: Path, trained: Path) -> None:
    with pytest.raises(ConfigError, match="another recipe"):
        train(data, trained, Recipe(), today=TODAY, report=lambda _: None)


def test_too_few_data_for_the_recipe(data: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ConfigError, match="fewer tokens"):
        train(data, tmp_path, replace(SMALL, description_tokens=10**7), today=TODAY, report=lambda _: None)


def test_a_loss_that_is_no_number_stops(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_step", lambda *_: float("nan"))
    with pytest.raises(ModelError, match="the loss is nan") as caught:
        train(data, tmp_path, SMALL, today=TODAY, report=lambda _: None)
    assert "learning rates" in caught.value.hint


def test_missing_packages_are_named(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="torch, transformers, zstandard") as caught:
        train(data, tmp_path, SMALL, today=TODAY, report=lambda _: None)
    assert "prior-art-press[train]" in caught.value.hint


def test_a_long_claim_set_is_cut_at_a_whole_claim(trained: Path) -> None:
    from tokenizers import Tokenizer

    from generator.training_text import Patent

    tokenizer = Tokenizer.from_file(str(trained / "tokenizer.json"))
    end = tokenizer.token_to_id(END)
    patent = Patent("X", "Bracket", "A bracket.", tuple(f"The bracket of claim 1 with {n} arms." for n in range(90)))
    ids = fit(tokenizer, "top-down", patent, end, 256)
    assert 128 < len(ids) <= 256
    assert tokenizer.decode(ids).endswith("arms.")
    assert ids[-1] == end
    assert fit(tokenizer, "bottom-up", Patent("X", "B", "A.", ("long " * 500,)), end, 256) == []
