"""Figures that are kept beside a trained model, and the card that is made of them."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_model_card import FACTS, measured, taught

import generator
from generator.base.errors import ConfigError, PressError
from generator.model.weights import weights_sha256
from generator.train.card import model_card
from generator.train.measured import write_card

__all__ = ["measured", "taught"]  # fixtures


def model_folder(folder: Path, taught: Path) -> Path:
    """A folder as training leaves it, but for the weights."""
    folder.mkdir()
    (folder / "training.json").write_text(json.dumps(FACTS | {"weights_sha256": weights_sha256(taught)}))
    return folder


def kept(folder: Path, name: str, figures: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(figures))
    return path


def test_what_was_measured_stays_when_more_is(
    measured: tuple[dict[str, Any], dict[str, Any]], taught: Path, tmp_path: Path
) -> None:
    model = model_folder(tmp_path / "model", taught)
    digest, other = weights_sha256(taught), {"weights_sha256": "00" * 32}
    both = measured[0] | {"models": [*measured[0]["models"], measured[0]["models"][0] | other]}
    write_card(model, kept(tmp_path, "a.json", both))
    write_card(model, questions=[kept(tmp_path, "en-1.json", measured[1])])
    whole = model_card(FACTS | {"weights_sha256": digest}, measured[0], [measured[1]])
    assert (model / "README.md").read_text() == whole
    stored = json.loads((model / "measured" / "drafting.json").read_text())
    assert [one["weights_sha256"] for one in stored["models"]] == [digest]  # no figures of other models
    (model / "README.md").unlink()
    write_card(model)
    assert (model / "README.md").read_text() == whole
    fewer = copy.deepcopy(measured[1]) | {"questions_in_file": 7}
    write_card(model, questions=[kept(tmp_path, "en-1.json", fewer), kept(tmp_path, "zh-1.json", measured[1])])
    text = (model / "README.md").read_text()
    assert text.count("### en.json") == 2
    assert "The first 1 of 7 questions." in text
    write_card(model, questions=[kept(tmp_path, "without-an-ending", measured[1])])
    write_card(model)
    assert (model / "README.md").read_text().count("### en.json") == 3


def test_figures_that_are_refused_leave_all_as_it_was(
    measured: tuple[dict[str, Any], dict[str, Any]], taught: Path, tmp_path: Path
) -> None:
    model = model_folder(tmp_path / "model", taught)
    write_card(model, kept(tmp_path, "a.json", measured[0]))
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    foreign = measured[1] | {"models": [measured[1]["models"][0] | {"weights_sha256": "00" * 32}]}
    with pytest.raises(ConfigError, match="0 models in them"):
        write_card(model, questions=[kept(tmp_path, "zh.json", measured[1]), kept(tmp_path, "en.json", foreign)])
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before
    (tmp_path / "more").mkdir()
    same = [kept(folder, "en.json", measured[1]) for folder in (tmp_path, tmp_path / "more")]
    with pytest.raises(ConfigError, match=r"more/en\.json: figures of this name were given already"):
        write_card(model, questions=same)
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before
    (model / "measured" / "drafting.json").write_text("[]")
    with pytest.raises(PressError, match=r"drafting\.json: a JSON object is expected"):
        write_card(model)


def test_the_card_in_the_package_is_made_of_what_lies_beside_it(tmp_path: Path) -> None:
    shipped = Path(generator.__file__).parent / "starter"
    shutil.copytree(shipped, tmp_path / "starter", ignore=shutil.ignore_patterns("*.safetensors", "README.md"))
    write_card(tmp_path / "starter")
    assert (tmp_path / "starter" / "README.md").read_text() == (shipped / "README.md").read_text()
