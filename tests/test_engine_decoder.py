"""A step of the decoder against transformers' own modules: logits, greedy tokens, and rows that do not touch."""

import copy
from dataclasses import replace

import numpy
import pytest
import torch
from tiny_decoders import PAGE, SAMPLE, SHAPES, Rows, decoder_model, whole_logits

from generator.base.errors import ModelError
from generator.model.engine import opening, products
from generator.model.engine.architecture import read_architecture
from generator.model.engine.opening import pack
from generator.model.engine.products import possible

FORMATS = [("fp32", "auto"), ("fp32", "int8"), ("bf16", "auto"), ("bf16", "int8"), ("int8", "auto")]
READ = [("llama", *f) for f in FORMATS]  # formats in all ways with one, architectures in one or two
READ += [(name, "fp32", "auto") for name in SHAPES if name != "llama"]
READ += [("gpt_neox", "bf16", "auto"), ("llama3", "bf16", "int8"), ("gpt_neox-sequential", "int8", "auto")]
# Of the norm of a position's logits, the mean and the worst over all positions. In 8 bits: what was read, times 1.5.
ALLOWED = {"fp32": (1e-6, 4e-6), "fp32 cache int8": (0.015, 0.055), "int8": (0.06, 0.12)}
LENGTH = PAGE + 37


@pytest.fixture(autouse=True)
def short_measurement(monkeypatch):
    monkeypatch.setattr(products, "PROBE_SECONDS", 0.0)


def packed(name, number_format, cache_format, seed=1):
    """The model in that format, and its decoder; or a skip, where the CPU does not multiply in it."""
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    model = decoder_model(name, seed=seed, dtype="bfloat16" if number_format == "bf16" else "float32")
    decoder, formats, _ = pack(model, number_format, cache_format, SAMPLE)
    return model, decoder, formats


def texts(rows, length, seed=0):
    return numpy.random.default_rng(seed).integers(1, 211, (rows, length))


def errors(found, exact):
    """Relative to what the logits tell apart, for each position."""
    size = numpy.linalg.norm(exact - exact.mean(axis=-1, keepdims=True), axis=-1)
    return numpy.linalg.norm(found - exact, axis=-1) / size


@pytest.mark.parametrize(("name", "number_format", "cache_format"), READ)
def test_logits_are_those_of_transformers(name, number_format, cache_format):
    """`exact` is the same weights in float32. In bf16 the engine must be no further from it than transformers is."""
    model, decoder, formats = packed(name, number_format, cache_format)
    assert formats == number_format + (" cache int8" if cache_format == "int8" else "")
    ids = texts(3, LENGTH)
    rows = Rows(decoder, 3)
    found = numpy.stack([rows.step(ids[:, at], [at] * 3) for at in range(LENGTH)], axis=1)
    exact = whole_logits(copy.deepcopy(model).float(), ids)
    error = errors(found, exact)
    if number_format == "bf16":
        theirs = errors(whole_logits(model, ids), exact)
        assert error.mean() <= theirs.mean() * (1.6 if cache_format == "int8" else 1.0)
        assert error.max() <= theirs.max() * 2
    else:
        mean, worst = ALLOWED[formats]
        assert error.mean() < mean
        assert error.max() < worst
    if formats == "fp32":
        assert (found.argmax(-1) == exact.argmax(-1)).all()


@pytest.mark.parametrize(("number_format", "cache_format"), FORMATS)
def test_a_row_gives_the_same_bytes_alone_among_others_and_elsewhere(number_format, cache_format):
    """Rows at different positions, in an order that changes with every step, some of them absent."""
    _, decoder, _ = packed("llama", number_format, cache_format)
    ids, chance = texts(7, LENGTH), numpy.random.default_rng(5)
    alone = Rows(decoder, 7)
    expected = [[alone.step(ids[r, at : at + 1], [at], [r])[0].tobytes() for at in range(LENGTH)] for r in range(7)]
    together, at = Rows(decoder, 7), numpy.zeros(7, dtype=int)
    while (at < LENGTH).any():
        there = chance.permutation(numpy.flatnonzero((at < LENGTH) & (chance.random(7) < 0.8)))
        if len(there):
            logits = together.step(ids[there, at[there]], at[there], there)
            for row, found in zip(there, logits, strict=True):
                assert found.tobytes() == expected[row][at[row]]
            at[there] += 1


def generated(model, ids, steps):
    """Greedy tokens of `model.generate`, and the logits that each was chosen by."""
    made = model.generate(
        input_ids=torch.tensor(ids), attention_mask=torch.ones_like(torch.tensor(ids)), do_sample=False,
        max_new_tokens=steps, eos_token_id=None, use_cache=True, output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    return made.sequences.numpy(), torch.stack(made.logits, dim=1).double().numpy()


def greedy(decoder, ids, steps):
    rows, tokens = Rows(decoder, len(ids)), numpy.zeros((len(ids), ids.shape[1] + steps), dtype=int)
    tokens[:, : ids.shape[1]] = ids
    for at in range(tokens.shape[1] - 1):
        logits = rows.step(tokens[:, at], [at] * len(ids))
        if at + 1 >= ids.shape[1]:
            tokens[:, at + 1] = logits.argmax(axis=1)
    return tokens


@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_greedy_tokens_are_those_of_generate(name):
    model, decoder, _ = packed(name, "fp32", "auto")
    ids = texts(8, 5)
    theirs, _ = generated(model, ids, 120)
    assert (greedy(decoder, ids, 120) == theirs).all()
    assert len({tuple(row) for row in theirs[:, 5:].tolist()}) == 8


@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_greedy_tokens_in_bf16_differ_only_where_the_format_cannot_tell(name):
    """At the first difference, transformers' two logits are closer than its own rounding of them.

    That rounding is measured, without the engine: how far transformers' logits in bf16 are from those of the same
    weights in float32, at the worst of this position. Two logits there and two here may each be off by as much.
    """
    model, decoder, _ = packed(name, "bf16", "auto")
    ids = texts(8, 5)
    theirs, logits = generated(model, ids, 120)
    ours, exact = greedy(decoder, ids, 120), copy.deepcopy(model).float()
    same = 0
    for row in range(len(ids)):
        different = numpy.flatnonzero(ours[row] != theirs[row])
        if not len(different):
            same += 1
            continue
        at = different[0]
        reference = logits[row, at - ids.shape[1]]
        gap = reference[theirs[row, at]] - reference[ours[row, at]]
        rounding = numpy.abs(reference - whole_logits(exact, theirs[row : row + 1, :at])[0, -1]).max()
        assert 0 <= gap <= 4 * rounding
        others = numpy.sort(reference)[::-1]
        assert gap <= others[0] - others[3]  # among the few that lead
        same += at / theirs.shape[1]
    assert same / len(ids) > 0.15  # of the texts, before the first difference


@pytest.mark.parametrize("number_format", ["fp32", "bf16"])
@pytest.mark.parametrize("change", [
    lambda a: replace(a, sine=-a.sine),
    lambda a: replace(a, parallel=not a.parallel),
    lambda a: replace(a, activation=3),
    lambda a: replace(a, layers=a.layers[::-1]),
    lambda a: replace(a, last=replace(a.last, centred=False)),
    lambda a: replace(a, factor=a.factor * 2),
], ids=["rotation", "residual", "activation", "layers", "norm", "factor"])  # fmt: skip
def test_a_model_that_is_misread_is_refused(monkeypatch, change, number_format):
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    monkeypatch.setattr(opening, "read_architecture", lambda *given: change(read_architecture(*given)))
    with pytest.raises(ModelError, match="logits of this model differ from transformers' by") as error:
        pack(decoder_model("gpt_neox"), number_format, "auto", SAMPLE)
    assert "--engine generate" in error.value.hint


@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
@pytest.mark.parametrize("part", ["layers.1.attention.query_key_value.bias", "final_layer_norm.weight",
                                  "embed_in.weight"])  # fmt: skip
def test_weights_that_are_not_finite_are_named(part, bad):
    """In 8 bits they would be rounded to something; every engine's loading asks."""
    from generator.model.loading import _check_finite

    model = decoder_model("gpt_neox")
    with torch.no_grad():
        model.get_parameter(f"gpt_neox.{part}").view(-1)[40] = bad
    with pytest.raises(ModelError, match=f"the weights gpt_neox.{part} are not all finite") as error:
        _check_finite(model)
    assert "damaged" in error.value.hint


@pytest.mark.parametrize("number_format", ["fp32", "bf16", "int8"])
def test_weights_that_are_too_large_to_multiply(number_format):
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    model = decoder_model("gpt_neox")
    with torch.no_grad():
        model.get_parameter("gpt_neox.layers.0.mlp.dense_h_to_4h.weight").fill_(3e38)
    with pytest.raises(ModelError, match="own logits are not all finite"):
        pack(model, number_format, "auto", SAMPLE)


def test_logits_of_the_engine_that_are_not_finite_are_no_agreement(monkeypatch):
    def broken(*given):
        shape = read_architecture(*given)
        return replace(shape, factor=float("nan"))

    monkeypatch.setattr(opening, "read_architecture", broken)
    with pytest.raises(ModelError, match="differ from transformers'"):
        pack(decoder_model("gpt_neox"), "fp32", "auto", SAMPLE)


def stretched(model, factor):
    """The model with some rows of its products many times as large: what rounding makes of the others is coarse."""
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight[:3] *= factor
            layer.self_attn.o_proj.weight[5] *= factor
    return model


@pytest.mark.parametrize("number_format", ["bf16", "int8"])
@pytest.mark.parametrize("seed", range(3))
def test_a_model_that_rounding_moves_far_is_no_misread_one(number_format, seed):
    """Beyond a fixed share of the logits, and yet the engine is as near to the model as the model's own modules are."""
    if not possible(number_format):
        pytest.skip(f"this CPU does not multiply in {number_format}")
    model = stretched(decoder_model("llama", seed=seed), 30)
    decoder, _, _ = pack(copy.deepcopy(model), number_format, "auto", SAMPLE)
    tried = SAMPLE[: opening.TRIED]
    exact = opening._logits(model, tried)
    kept = model.to(torch.bfloat16) if number_format == "bf16" else model
    own = opening._difference(opening._rounded(kept, tried, number_format == "int8"), exact)
    assert opening._difference(opening._stepped(decoder, tried), exact) <= opening.OWN * own + opening.EXACT


def test_a_model_that_a_format_makes_another_of_is_refused_and_a_wider_one_is_named(monkeypatch):
    monkeypatch.setattr(opening, "MOST", 0.05)
    if not possible("int8"):
        pytest.skip("this CPU does not multiply in int8")
    with pytest.raises(ModelError, match="by rounding alone") as error:
        pack(decoder_model("llama"), "int8", "auto", SAMPLE)
    assert "--format fp32" in error.value.hint


def test_the_check_reads_the_text_that_it_is_given(monkeypatch):
    seen = []
    monkeypatch.setattr(opening, "_agree", lambda _decoder, tried, *_: seen.append(tried))
    pack(decoder_model("llama"), "fp32", "auto", [9, 8, 7])
    assert seen == [[9, 8, 7]]
