"""Matrix products in each number format that this CPU has, against float64; and the choice between them."""

import numpy
import pytest
import torch

from generator.base.errors import ConfigError
from generator.model.engine import products
from generator.model.engine.products import BLOCK, NUMBER_FORMATS, Operand, Product, choose_format, possible, settle

HERE = [name for name in NUMBER_FORMATS if possible(name)]
SHAPES = [(7, 16), (48, 96), (400, 32), (33, 129)]


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def operand(x, number_format):
    """`x` (R, K) as an operand, and the float64 that it stands for."""
    made = Operand(len(x), x.shape[1], number_format)
    if number_format == "int8":
        scales = x.abs().amax(dim=1) / 127
        made.tensor.copy_((x / scales[:, None]).round() + 128)
        made.scales[:] = scales.numpy()
        return made, (made.numbers.astype(numpy.float64) - 128) * made.scales[:, None].astype(numpy.float64)
    made.tensor.copy_(x)
    return made, made.tensor.double().numpy()


def kept(weight, number_format):
    """The float64 that a packed weight stands for."""
    if number_format == "int8":
        scales = weight.abs().amax(dim=1, keepdim=True) / 127
        return ((weight / scales).round() * scales).double().numpy()
    return weight.to(torch.bfloat16 if number_format == "bf16" else torch.float32).double().numpy()


def read(numbers):
    if numbers.dtype == numpy.uint16:
        return (numbers.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64)
    return numbers.astype(numpy.float64)


def test_this_machine_has_a_format():
    assert "fp32" in HERE


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("number_format", HERE)
def test_products(number_format, shape, wide):
    """Beyond rounding the operands, only the result's own rounding and float32's for each addition are allowed."""
    weight = random(*shape, seed=1)
    product = Product(weight, number_format, wide=wide)
    for rows in (1, 3, 64):
        x, meant = operand(random(rows, shape[1], seed=rows), number_format)
        numbers = product(x.tensor)
        assert numbers.dtype == (
            numpy.uint16 if number_format == "bf16" or (number_format == "int8" and not wide) else numpy.float32
        )
        terms = numpy.abs(meant) @ numpy.abs(kept(weight, number_format)).T
        expected = meant @ kept(weight, number_format).T
        bound = 2e-7 * (4 + shape[1] ** 0.5) * terms
        if numbers.dtype == numpy.uint16:
            bound = bound + 2.0**-8 * numpy.abs(expected)
        error = numpy.abs(read(numbers) * x.scales[:, None].astype(numpy.float64) - expected)
        assert (error <= bound + 1e-30).all(), (error / bound).max()


@pytest.mark.parametrize("number_format", HERE)
def test_a_row_does_not_depend_on_the_others_after_settling(number_format):
    """Bits, for every number of rows, alone or among others, at any place."""
    product = Product(random(96, 64), number_format)
    settle([product], 64)
    x = operand(random(64, 64, seed=2), number_format)[0].tensor
    whole = product(x)
    for rows in (*range(1, 64, 7), 63):
        assert product(x[:rows].contiguous()).tobytes() == whole[:rows].tobytes()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    assert product(x[order].contiguous()).tobytes() == whole[order.numpy()].tobytes()


class ByBatch(Product):
    """A real product whose rounding differs with the number of rows, as that of some libraries does."""

    def _multiply(self, rows):
        result = super()._multiply(rows)
        return result * (1 + 2**-7) if len(rows) % 2 else result


class ByPlace(Product):
    """One whose rounding differs between the first rows and the others."""

    def _multiply(self, rows):
        result = super()._multiply(rows)
        result[BLOCK:] *= 1 + 2**-7
        return result


class AlwaysTheSame(Product):
    pass


@pytest.mark.parametrize(("kind", "independent"), [(ByBatch, False), (ByPlace, False), (AlwaysTheSame, True)])
@pytest.mark.parametrize("number_format", HERE)
def test_products_that_depend_on_the_batch_work_in_blocks(kind, independent, number_format):
    one, other = kind(random(40, 32), number_format), kind(random(40, 32, seed=5), number_format)
    whole_before = one(operand(random(64, 32, seed=2), number_format)[0].tensor)
    if independent:  # what this CPU's own products do is for the test above
        assert settle([one, other], 64) == (one.block == other.block == 0)
        return
    assert settle([one, other], 64) is False
    assert one.block == other.block == BLOCK
    x = operand(random(64, 32, seed=2), number_format)[0].tensor
    whole = one(x)
    assert whole.shape == whole_before.shape
    for rows in (1, 2, 15, 16, 17, 31, 33, 48, 63):
        assert one(x[:rows].contiguous()).tobytes() == whole[:rows].tobytes()


def test_one_shape_that_depends_on_the_batch_leaves_the_others_alone():
    bad, good = ByBatch(random(40, 32), "fp32"), Product(random(24, 32), "fp32")
    fine = settle([good], 64)
    settle([bad, good], 64)
    assert bad.block == BLOCK
    assert (good.block == 0) == fine


@pytest.mark.parametrize("number_format", HERE)
def test_a_weight_of_zeros(number_format):
    product = Product(torch.zeros(8, 16), number_format)
    x, _ = operand(random(3, 16), number_format)
    assert (read(product(x.tensor)) == 0).all()


def test_8_bits_that_saturate_are_not_possible(monkeypatch):
    """What a CPU without VNNI does: pairs of products are added up in 16 bits."""

    class Saturating(Product):
        def _multiply(self, rows):
            return super()._multiply(rows).clamp(max=32767 / 5)

    if "int8" in HERE:
        monkeypatch.setattr(products, "Product", Saturating)
        assert possible("int8") is False
    assert possible("fp32") is True


def test_operators_that_this_torch_lacks_are_not_possible(monkeypatch):
    class Lacking(Product):
        def _multiply(self, rows):
            return torch.ops.mkldnn.no_such_operator(rows)

    monkeypatch.setattr(products, "Product", Lacking)
    assert not any(possible(name) for name in NUMBER_FORMATS)
    with pytest.raises(ConfigError, match="no oneDNN operators") as error:
        choose_format("auto", [(64, 64)], 8)
    assert "--engine generate" in error.value.hint


def measured(monkeypatch, speeds):
    """A CPU that is as fast as `speeds` say, and has no other formats."""
    monkeypatch.setattr(products, "possible", lambda name: name in speeds)
    monkeypatch.setattr(products, "speed", lambda name, *_: speeds[name])
    return choose_format("auto", [(64, 64)], 8)


@pytest.mark.parametrize(("speeds", "chosen"), [
    ({"bf16": 500.0, "int8": 900.0, "fp32": 200.0}, "bf16"),  # 8 bits only where there is no bf16, or by --format
    ({"int8": 900.0, "fp32": 200.0}, "int8"),
    ({"int8": 220.0, "fp32": 200.0}, "fp32"),  # what 8 bits lose must be worth it
    ({"int8": 1.0, "fp32": 200.0}, "fp32"),
    ({"fp32": 30.0}, "fp32"),
    ({"bf16": 90.0, "fp32": 250.0}, "fp32"),  # bf16 that the CPU emulates
    ({"bf16": 90.0, "int8": 400.0, "fp32": 250.0}, "int8"),
])  # fmt: skip
def test_the_format_that_is_chosen(monkeypatch, speeds, chosen):
    number_format, lines = measured(monkeypatch, speeds)
    assert number_format == chosen
    assert set(lines) == {f"{name} {value:.0f} GFLOP/s a core" for name, value in speeds.items()}


@pytest.mark.parametrize("wanted", HERE)
def test_a_forced_format_is_taken_and_measured(wanted):
    number_format, lines = choose_format(wanted, [(64, 64), (64, 64)], 8)
    assert number_format == wanted
    assert [line.split()[0] for line in lines] == HERE
    assert all(float(line.split()[1]) >= 0 for line in lines)


def test_a_forced_format_that_the_cpu_lacks(monkeypatch):
    monkeypatch.setattr(products, "possible", lambda name: name == "fp32")
    with pytest.raises(ConfigError, match="number format bf16: this CPU or this build of torch") as error:
        choose_format("bf16", [(64, 64)], 8)
    assert "Possible here: fp32" in error.value.hint
