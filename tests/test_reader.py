"""A model that reads: the figures of its logits, the same in any batch; plausibility by a reader of known mind."""

import pytest
import torch
from real_patents import patents
from tiny_model import save_tiny

from generator.judge.plausibility import END, plausibility
from generator.model import reader as reading
from generator.model.reader import ModelReader, Surprise
from generator.record.disclosure import Disclosure


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


def figures(disclosure: Disclosure, reader: Knowing) -> dict[str, float]:
    return {name: value for step in plausibility(disclosure, reader) for name, value in step.items()}


def test_the_figures_say_what_their_names_say() -> None:
    one = patents()[0]
    text = " ".join(claim.text for claim in one.claims)
    found = figures(one, Knowing(text.replace(".", " ")))
    assert found["end_worst"] == 0.0
    odd = figures(one, Knowing("nothing"))
    assert odd["surprise"] > found["surprise"]
    assert odd["end_worst"] == 5.0


def test_what_rows_share_is_read_once_and_reads_the_same(reader: ModelReader, monkeypatch: pytest.MonkeyPatch) -> None:
    head = (
        "# Patent\n\n## Claims\n1. A lock that has a shackle, a body, a bolt and a key that turns the bolt in the body"
    )
    rows = [[head, ", wherein the body is of steel", END], [head, " of the shackle", END], [head, "", END]]
    apart = reader.read(rows)
    seen: list[int] = []
    batch = ModelReader._batch

    def counted(self: ModelReader, rows: dict[int, list[int]], before: object = None) -> dict[int, list[float]]:
        seen.append(sum(map(len, rows.values())))
        return batch(self, rows, before)

    monkeypatch.setattr(ModelReader, "_batch", counted)
    assert len(reader._ids(head)) > reading.SHARED
    trunk = reader.read([[head, " of brass", END]])
    after = reader.read(rows)
    assert trunk[0][0].nats == pytest.approx(after[0][0].nats, abs=1e-3)
    for one, other in zip(apart, after, strict=True):
        assert [a.tokens for a in one] == [b.tokens for b in other]
        assert [a.nats for a in one] == pytest.approx([b.nats for b in other], abs=1e-3)
    assert seen[1] < sum(one.tokens for row in after for one in row) * 0.4
    again = reader.read([["# Patent\n", "A lock"], ["# Patent\n"]])  # shares too little: nothing that was kept is used
    assert again[0][0].nats == pytest.approx(again[1][0].nats, abs=1e-3)
