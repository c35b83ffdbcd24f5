"""A model that reads: the figures of its logits, the same in any batch; plausibility by a reader of known mind."""

import pytest
import torch
from real_patents import patents
from tiny_model import save_tiny

from generator.judge.plausibility import END, plausibility
from generator.model import reader as reading
from generator.model.reader import ModelReader, Surprise


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> ModelReader:
    return ModelReader.open("tiny", save_tiny(tmp_path_factory.mktemp("model")), threads=1)


ROWS = [["# Patent\n", "A lock comprising a shackle", ".\n\n"], ["", "A", ""], ["The field ", "of a field of a field"]]


def test_the_surprise_is_that_of_the_logits(reader: ModelReader) -> None:
    (found,) = reader.read([ROWS[0]])
    ids = [reader._ids(piece) for piece in ROWS[0]]
    row = torch.tensor([[token for piece in ids for token in piece]])
    with torch.inference_mode():
        told = torch.log_softmax(reader._model(row).logits[0].float(), -1)
    wanted = [0.0, *(-told[at - 1, row[0, at]].item() for at in range(1, row.shape[1]))]
    start = 0
    for surprise, piece in zip(found, ids, strict=True):
        assert surprise.tokens == len(piece)
        assert surprise.nats == pytest.approx(sum(wanted[start : start + len(piece)]), abs=1e-3)
        start += len(piece)


def test_the_batch_does_not_change_what_is_read(reader: ModelReader, monkeypatch: pytest.MonkeyPatch) -> None:
    together = reader.read(ROWS)
    monkeypatch.setattr(reading, "MOST_TOKENS", 1)
    for one, other in zip(together, reader.read(ROWS), strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.tokens == b.tokens
            assert a.nats == pytest.approx(b.nats, abs=1e-3)


class Knowing:
    """A reader that knows some words: the others cost ten nats each, and a stop after an unknown one five."""

    name = "knowing"

    def __init__(self, known: str) -> None:
        self.known = set(known.lower().split())

    def read(self, rows: list[list[str]]) -> list[list[Surprise]]:
        return [[self._one(piece, before) for before, piece in zip(["", *row], row, strict=False)] for row in rows]

    def _one(self, piece: str, before: str) -> Surprise:
        words = piece.split()
        unknown = sum(word.lower().strip(".,;") not in self.known for word in words)
        if piece == END:
            return Surprise(0.0 if before.split()[-1].lower().strip(".,;") in self.known else 5.0, 2)
        return Surprise(10.0 * unknown, len(words))


def test_the_figures_say_what_their_names_say() -> None:
    one = patents()[0]
    text = " ".join(claim.text for claim in one.claims)
    found = plausibility(one, Knowing(text.replace(".", " ")))
    assert found["end_worst"] == 0.0
    odd = plausibility(one, Knowing("nothing"))
    assert odd["surprise"] > found["surprise"]
    assert odd["end_worst"] == 5.0
