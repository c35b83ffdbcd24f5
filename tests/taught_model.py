"""The tiny model, taught a few texts: what it writes varies with the seed, and most of it passes the checks."""

from pathlib import Path

from tiny_model import save_tiny

from generator.record.layouts import DIRECTIONS, write_layout

TOPIC = "Method for making"
STEPS = 80  # few enough that drafts vary


def _texts() -> list[str]:
    valves = [
        (f"Valve with a {part}", f"A valve has a body and a {part}.", [f"A valve, comprising a body and a {part}."])
        for part in ("spring", "seal", "pin", "plate")
    ]
    methods = [
        (
            f"{TOPIC} {thing}",
            f"A way to make {thing}.",
            [f"A method for making {thing}, comprising: heating water; and adding {thing}.", "The method of claim 1."],
        )
        for thing in ("tea", "soup", "paint", "glue")
    ]
    return [write_layout(direction, *parts) for direction in DIRECTIONS for parts in (*valves, *methods)]


def save_taught(folder: Path) -> Path:
    """The tiny model after a second or two of training."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    save_tiny(folder)
    torch.set_num_threads(1)  # two threads of such small products wait for one another
    torch.manual_seed(1)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    rows = [tokenizer(text)["input_ids"] + [0] for text in _texts()]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = torch.tensor([row + [-100] * (longest - len(row)) for row in rows])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels, use_cache=False).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder
