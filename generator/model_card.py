"""The model card of a model that `train` made: README.md beside the weights, from training.json."""

from pathlib import Path
from typing import Any

from generator.training_text import SOURCES

TEMPLATE = Path(__file__).with_name("model_card.md")


def model_card(facts: dict[str, Any]) -> str:
    """`facts` is the content of training.json."""
    recipe = facts["recipe"]
    losses = facts["held_out_loss"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **recipe,
        millions=facts["parameters"] / 1e6,
        tokens=facts["tokens"],
        steps=facts["steps"],
        full_records=facts["full_records"],
        held_out_records=facts["held_out_records"],
        epochs=facts["epochs"],
        minutes=round(facts["seconds"] / 60),
        threads=facts["threads"],
        date=facts["date"],
        top_down=losses["top-down"],
        bottom_up=losses["bottom-up"],
        data="\n".join(f"- `{name}` {digest}" for name, digest in facts["data_sha256"].items()),
        attributions="\n".join(f"- {source}" for source in SOURCES),
    )
