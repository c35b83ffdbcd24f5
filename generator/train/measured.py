"""What was measured of a trained model, kept beside it: its card is made of this and of training.json alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError
from generator.train.card import model_card
from generator.train.card_figures import of_model
from generator.train.finishing import read_facts

FOLDER, CARD = "measured", "README.md"
DRAFTING, QUESTIONS = "drafting.json", "questions"


def write_card(model: Path, drafting: Path | None = None, questions: Sequence[Path] = ()) -> Path:
    """Keep figures that `prior-art evaluate` wrote, and write the card anew of all that is kept; returns its path.

    `model`: a folder that `prior-art train` made. New drafting figures replace older ones, and so do figures of
    questions of the same file name. Nothing is written of figures that are not of this model. Raises PressError.
    """
    facts, folder = read_facts(model), model / FOLDER
    given = {} if drafting is None else {folder / DRAFTING: drafting}
    for path in questions:
        place = folder / QUESTIONS / f"{path.stem}.json"
        if place in given:
            raise ConfigError(f"{path}: figures of this name were given already", hint="Rename one of the two files.")
        given[place] = path
    new = {place: _figures(path) for place, path in given.items()}
    kept = dict(_kept(folder)) | new
    asked = [figures for path, figures in sorted(kept.items()) if path.parent.name == QUESTIONS]
    card = model_card(facts, kept.get(folder / DRAFTING), asked)
    for path, figures in new.items():
        own = of_model(figures, "", facts.get("weights_sha256"))
        files.write(path, _bytes({**figures, "models": [own]}))
    files.write(model / CARD, card.encode())
    return model / CARD


def _kept(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in (folder / DRAFTING, *sorted((folder / QUESTIONS).glob("*.json"))):
        if path.exists():
            yield path, files.read_object(path, hint="Delete it, and give its figures anew.")


def _figures(path: Path) -> dict[str, Any]:
    return files.read_object(path, hint="Give a .json file that `prior-art evaluate` wrote.")


def _bytes(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
