"""What a phase reads, and what it minimises: formats, rows, loss, optimiser, curve."""

import copy
import random
from dataclasses import replace
from pathlib import Path

import pytest
from training_runs import begun

from generator.base.errors import CorpusError, PressError
from generator.corpus.documents import Document
from generator.train.curve import HEADER, Curve, picture, read_curve, whole_curve
from generator.train.loss import next_token_loss
from generator.train.models import new_model, tokenizer_of
from generator.train.muon import single_muon
from generator.train.optimiser import optimiser
from generator.train.recipe import Phase
from generator.train.rows import token_rows
from generator.train.run import Run
from generator.train.texts import fit, head, pieces, specification

PHASE = Phase(tokens=8192, context=128, step_tokens=512, mix=(("head", 1.0),), adamw_rate=1e-3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return begun(tmp_path_factory.mktemp("run"))


def encode_of(run: Run):  # type: ignore[no-untyped-def]
    tokenizer = tokenizer_of(run)
    return lambda text: tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids


def rows(run: Run, **changes: object):  # type: ignore[no-untyped-def]
    phase = replace(PHASE, **changes)  # type: ignore[arg-type]
    return token_rows(run.stage("data").needed(), phase, "broad", 3, encode_of(run), 0)


def test_rows_have_the_shares_of_the_mix_and_begin_where_a_text_begins(run: Run) -> None:
    mix = (("description", 0.25), ("head", 0.25), ("top-down", 0.25), ("bottom-up", 0.25))
    made = rows(run, mix=mix)
    assert made.tokens.shape == (64, 128)
    tokenizer = tokenizer_of(run)
    texts = [tokenizer.decode(row) for row in made.tokens]
    openings = {"# Patent\n\n## Title": 16, "# Patent\n\n## Claims": 16, "## Abstract": 16}
    for opening, count in openings.items():
        assert sum(text.startswith(opening) for text in texts) == count
    assert texts != sorted(texts)
    assert set(made.epochs) == {layout for layout, _ in mix}
    assert made.epochs["top-down"] > 0.2


def test_texts_can_be_shorter_than_rows(run: Run) -> None:
    mix = (("top-down", 1.0),)
    whole, short = (rows(run, mix=mix, context=512, step_tokens=512, text_tokens=most) for most in (0, 80))
    decode = tokenizer_of(run).decode
    counts = [sum(decode(row).count("\n\n2. ") for row in made.tokens) for made in (whole, short)]
    assert counts[0] > counts[1] * 2
    assert all("<|end|>" in decode(row[:81]) for row in short.tokens)


def test_a_share_of_the_texts_is_short(run: Run) -> None:
    mix = (("top-down", 1.0),)
    decode = tokenizer_of(run).decode

    def claims(share: float) -> int:
        made = rows(run, mix=mix, context=512, step_tokens=512, text_tokens=80, short_share=share)
        return sum(decode(row).count("\n\n2. ") for row in made.tokens)

    none, half, every = map(claims, (0.0, 0.5, 1.0))
    assert none > half > every


def test_rows_are_decided_by_data_and_seed(run: Run) -> None:
    assert (rows(run).tokens == rows(run).tokens).all()
    other = token_rows(run.stage("data").needed(), PHASE, "broad", 4, encode_of(run), 0)
    assert (rows(run).tokens != other.tokens).any()


def test_data_without_a_format_are_refused(run: Run, tmp_path: Path) -> None:
    from training_runs import patent, write

    from generator.train.preparing import prepare

    other = Run(tmp_path, run.recipe, run.report)
    prepare(other, [write(tmp_path, "patents.jsonl", [patent(n) for n in range(60)])])
    with pytest.raises(CorpusError, match="no document for the format description") as caught:
        rows(other, mix=(("description", 1.0),))
    assert "mix" in caught.value.hint


def test_a_layout_keeps_whole_claims_and_ends_with_the_end_token(run: Run) -> None:
    encode, tokenizer = encode_of(run), tokenizer_of(run)
    claims = tuple(f"The bracket of claim 1 with {n} arms." for n in range(90))
    document = Document("X", "Bracket", "A bracket.", claims)
    ids = fit(encode, 0, "top-down", document, 256)
    assert 0.7 * 256 < len(ids) <= 256
    assert ids[-1] == 0
    assert tokenizer.decode(ids[:-1]).endswith(" arms.")
    assert fit(encode, 0, "top-down", document, 10) == []


def test_heads_pieces_and_specifications() -> None:
    assert head(Document("X", "A valve", "It opens.")) == "## Abstract\nIt opens.\n\n## Title\nA valve"
    assert head(Document("X", "", "It opens.")) == "## Abstract\nIt opens.\n\n"
    text = " ".join(f"Sentence number {n} tells something more." for n in range(30))
    found = list(pieces(text, chars=300))
    assert all(piece.startswith("Sentence") and piece.endswith(".") and len(piece) >= 299 for piece in found)
    assert " ".join(found) in text
    described = (
        "CROSS-REFERENCE to 60/1. BACKGROUND OF THE INVENTION Valves are known. SUMMARY A valve is shown. "
        "DETAILED DESCRIPTION OF THE EMBODIMENTS The valve 10 opens."
    )
    document = Document("X", "A valve", "It opens.", (), described)
    assert specification(document) == "## Background\nValves are known.\n\n## Description\nThe valve 10 opens."
    for text in ("", "The valve opens.", "DETAILED DESCRIPTION It opens. BACKGROUND None.", "BACKGROUND Only this."):
        assert specification(Document("X", "A valve", "It opens.", (), text)) == ""


def test_a_specification_follows_its_layout_after_the_end_token(run: Run) -> None:
    made = rows(run, mix=(("specification", 1.0),), context=512, step_tokens=512)
    text = tokenizer_of(run).decode(made.tokens[0])
    layout, rest = text.split("<|end|>", 1)
    assert layout.startswith("# Patent\n\n## Title\n")
    assert rest.startswith("## Background\nBrackets are known.\n\n## Description\n")


def test_the_loss_and_its_gradients_are_those_of_pytorch() -> None:
    import torch

    torch.manual_seed(0)
    hidden = torch.randn(1200, 8, requires_grad=True)  # more positions than are done at once
    matrix = torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(0, 50, (1200,))
    loss = next_token_loss(hidden, matrix, targets)
    (loss * 3).backward()
    mine = (hidden.grad, matrix.grad)
    hidden.grad = matrix.grad = None
    wanted = torch.nn.functional.cross_entropy(hidden @ matrix.T, targets)
    (wanted * 3).backward()
    assert torch.allclose(loss, wanted, atol=1e-5)
    assert torch.allclose(mine[0], hidden.grad, atol=1e-6)
    assert torch.allclose(mine[1], matrix.grad, atol=1e-5)


@pytest.mark.parametrize("half", [True, False])
def test_muon_has_the_matrices_of_layers_and_adamw_the_rest(run: Run, half: bool) -> None:
    import torch

    model = new_model(run.recipe, 400, 0)
    both = optimiser(model, replace(PHASE, muon_rate=0.02), half=half)
    muon, adamw, norms = both.param_groups
    assert {p.ndim for p in muon["params"]} == {2}
    assert len(muon["params"]) == 7 * 2  # four matrices of attention and three of the feed-forward part, in two layers
    assert model.get_input_embeddings().weight.shape in {p.shape for p in adamw["params"]}
    assert {p.ndim for p in norms["params"]} == {1}
    assert sum(len(group["params"]) for group in both.param_groups) == len(list(model.parameters()))
    assert (muon["lr"], adamw["lr"], norms["lr"]) == (0.02, 1e-3, 1e-3)
    assert isinstance(optimiser(model, PHASE, half=half), torch.optim.AdamW)


def test_muon_in_single_precision_is_that_of_pytorch_but_for_rounding() -> None:
    import torch

    torch.manual_seed(0)
    first = [torch.randn(shape) for shape in ((48, 16), (16, 48), (24, 24))]  # tall, wide and square
    one, two = ([torch.nn.Parameter(matrix.clone()) for matrix in first] for _ in range(2))
    peer = torch.optim.Muon(one, lr=0.02, weight_decay=0.1, adjust_lr_fn="original")
    mine = single_muon(two, lr=0.02, weight_decay=0.1)
    for step in range(6):
        for wanted, weight in zip(one, two, strict=True):
            wanted.grad = torch.randn(weight.shape)
            weight.grad = wanted.grad.clone()
        peer.step()
        mine.step()
        if step == 2:  # a run goes on with the other one: on another machine, say
            state = copy.deepcopy(peer.state_dict())
            peer.load_state_dict(copy.deepcopy(mine.state_dict()))
            mine.load_state_dict(state)
    for start, wanted, weight in zip(first, one, two, strict=True):
        moved, other = weight.detach() - start, wanted.detach() - start
        assert (moved - other).norm() < 0.02 * other.norm()  # bfloat16 has some three digits
        assert not torch.equal(moved, other)


def test_muon_in_single_precision_moves_as_far_in_all_directions() -> None:
    import torch

    weight = torch.nn.Parameter(torch.zeros(24, 24))
    weight.grad = torch.diag(torch.linspace(0.1, 1.0, 24))
    single_muon([weight], lr=1.0, weight_decay=0.0).step()
    sizes = torch.linalg.svdvals(weight.detach())
    assert 0.6 < sizes.min() < sizes.max() < 1.3


@pytest.mark.parametrize("half", [True, False])
def test_a_stored_state_of_the_optimiser_goes_on_the_same_way(run: Run, half: bool) -> None:
    import torch

    def steps(model: object, both: object, dice: random.Random, count: int) -> None:
        for _ in range(count):
            ids = torch.tensor([[dice.randrange(400) for _ in range(16)]])
            model(input_ids=ids, labels=ids).loss.backward()  # type: ignore[operator]
            both.step()  # type: ignore[attr-defined]
            both.zero_grad()  # type: ignore[attr-defined]

    phase = replace(PHASE, muon_rate=0.02)
    model = new_model(run.recipe, 400, 0)
    both = optimiser(model, phase, half=half)
    steps(model, both, random.Random(1), 2)
    other = new_model(run.recipe, 400, 0)
    other.load_state_dict(model.state_dict())
    resumed = optimiser(other, phase, half=half)
    resumed.load_state_dict(copy.deepcopy(both.state_dict()))
    for group in (*both.param_groups, *resumed.param_groups):
        group["lr"] *= 0.5  # as a schedule does, through the groups of the whole
    steps(model, both, random.Random(2), 2)
    steps(other, resumed, random.Random(2), 2)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_curve_goes_on_from_a_step(tmp_path: Path) -> None:
    folder = tmp_path / "broad.part"
    folder.mkdir()
    path = folder / "curve.csv"
    curve = Curve(path, keep=0)
    for step in (10, 20, 30):
        curve.add(step, step * 100, 4.0 - step / 100)
    with path.open("ab") as file:
        file.write(b"broad,40,40")  # torn by a kill
    Curve(path, keep=20).add(30, 3000, 3.5)
    assert [line[1:4] for line in read_curve(path)] == [
        ["10", "1000", "3.9000"], ["20", "2000", "3.8000"], ["30", "3000", "3.5000"],
    ]  # fmt: skip
    whole = whole_curve([path, path])
    assert whole.decode().splitlines()[0] == HEADER
    assert len(whole.splitlines()) == 7
    svg = picture(whole)
    assert svg.startswith(b"<?xml")
    assert b"million tokens" in svg
    assert svg == picture(whole)
    path.write_text("nonsense\n")
    with pytest.raises(PressError, match="no curve of training"):
        read_curve(path)


def test_seconds_go_on_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "broad"
    folder.mkdir()
    (folder / "curve.csv").write_text(f"{HEADER}\nbroad,10,100,3.0000,5000\n")
    assert Curve(folder / "curve.csv", keep=10).seconds >= 5000
    assert Curve(folder / "curve.csv", keep=0).seconds < 5000


def test_the_time_left_is_told_by_the_pace_since_the_stage_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "broad"
    folder.mkdir()
    (folder / "curve.csv").write_text(f"{HEADER}\nbroad,10,100,3.0000,5000\n")
    clock = iter([50.0, 60.0])
    monkeypatch.setattr("generator.train.curve.time.monotonic", lambda: next(clock))
    assert Curve(folder / "curve.csv", keep=10).pace(2_100, 62_100) == "200 tokens/s  5 min left"


@pytest.mark.parametrize("half", [True, False])
def test_weights_decay_and_norms_do_not(half: bool) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=40, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1)
    )
    for muon_rate in (0.0, 0.1):
        made = optimiser(model, replace(PHASE, muon_rate=muon_rate, adamw_rate=0.1, weight_decay=0.5), half=half)
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        for weight in model.parameters():
            weight.grad = torch.zeros_like(weight)  # so that all that changes is decay
        made.step()
        for name, weight in model.named_parameters():
            assert torch.allclose(weight.detach(), before[name] * (1.0 if "norm" in name else 0.95)), name


def test_the_loss_of_a_table_that_is_not_trained_is_the_same_and_the_table_gets_no_gradient():
    import torch

    torch.manual_seed(3)
    hidden, table = torch.randn(700, 12, requires_grad=True), torch.randn(40, 12)
    targets = torch.randint(0, 40, (700,))
    expected = torch.nn.functional.cross_entropy(hidden @ table.T, targets)
    (wanted,) = torch.autograd.grad(expected, hidden)
    loss = next_token_loss(hidden, table, targets)
    loss.backward()
    assert torch.allclose(loss, expected, atol=1e-6)
    assert torch.allclose(hidden.grad, wanted, atol=1e-7)
    assert table.grad is None
    learnt = table.clone().requires_grad_()
    next_token_loss(hidden, learnt, targets).backward()
    assert learnt.grad is not None
