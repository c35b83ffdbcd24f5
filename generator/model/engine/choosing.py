"""The kernel that chooses each row's next token: loop guard, temperature, min-p, top-p and the draw, in one pass."""

from typing import Any

import numpy

from generator.model.engine.arithmetic import exponential, float_of_bits, larger, number
from generator.model.engine.compiled import kernel

BLOCK = 512  # tokens whose weights are added up at a time
COARSE = 0.125  # the first steps towards the edge of top-p: each threshold is so many times the one before
ONE = 0x3F800000  # the bits of 1.0, the highest weight; weights compare as their bits do
LEAST = -87.0  # scaled logits so far below the highest weigh nothing


@kernel
def guard(history: Any, written: Any, runs: Any, values: Any) -> None:
    """Forbid (minus infinity in `values`) each token that would begin a phrase a third time in a row.

    `history` (new tokens so far), `runs` (longest phrase): for each phrase length p, how many tokens in a row equal the
    token p before. When that count reaches p, the last p tokens stand twice.
    """
    if written < 2:
        return
    last = history[written - 1]
    for length in range(1, min(written - 1, runs.shape[0]) + 1):
        runs[length - 1] = runs[length - 1] + 1 if last == history[written - 1 - length] else 0
        if runs[length - 1] >= length:
            values[history[written - length]] = -numpy.inf


@kernel
def _mass(weights: Any, least: Any) -> Any:
    """Sum of the weights that are at least `least`."""
    total = 0.0
    for start in range(0, weights.shape[0], BLOCK):
        part = numpy.float32(0.0)
        for i in range(start, min(start + BLOCK, weights.shape[0])):
            part += weights[i] if weights[i] >= least else numpy.float32(0.0)
        total += part
    return total


@kernel
def _keep(weights: Any, goal: Any) -> None:
    """Zero the weights (0 to 1) outside the smallest set of highest ones that sums to `goal`; of equal ones keep the
    first.
    """
    least: Any = numpy.float32(1.0)
    while least > numpy.float32(1e-37) and _mass(weights, least) < goal:
        least *= numpy.float32(COARSE)
    count = 0
    places = numpy.empty(weights.shape[0], dtype=numpy.int64)
    candidates = numpy.empty(weights.shape[0], dtype=numpy.float32)
    for i in range(weights.shape[0]):
        if weights[i] >= least:
            places[count], candidates[count] = i, weights[i]
            count += 1
        weights[i] = 0
    candidates = candidates[:count]
    low, high = 0, ONE + 1  # the edge: the highest threshold with at least `goal` at or above it
    while high - low > 1:
        middle = (low + high) // 2
        if _mass(candidates, float_of_bits(numpy.int32(middle))) >= goal:
            low = middle
        else:
            high = middle
    edge = float_of_bits(numpy.int32(low))
    before = _mass(candidates, float_of_bits(numpy.int32(low + 1)))
    for place in range(count):
        if candidates[place] > edge or (candidates[place] == edge and before < goal):
            weights[places[place]] = candidates[place]
            if candidates[place] == edge:
                before += edge


@kernel
def highest(values: Any) -> Any:
    """The first place of the highest of `values`; -1 where one is NaN or all are minus infinity."""
    top, bad = numpy.float32(-numpy.inf), numpy.int32(0)
    for i in range(values.shape[0]):
        bad += numpy.int32(1) if values[i] != values[i] else numpy.int32(0)
    if bad:
        return -1
    for i in range(values.shape[0]):
        top = larger(top, values[i])
    if top == -numpy.inf:
        return -1
    place = 0
    while values[place] != top:
        place += 1
    return place


@kernel
def draw(values: Any, uniform: Any, top_p: Any, log_min_p: Any) -> Any:
    """A token by inverting the distribution of scaled logits `values` (V) at `uniform` in [0, 1); -1: there is none."""
    first = highest(values)
    if first < 0:
        return -1
    top = values[first]
    least = max(numpy.float32(log_min_p), numpy.float32(LEAST))
    weights = numpy.empty(values.shape[0], dtype=numpy.float32)
    if top == numpy.inf:
        for i in range(values.shape[0]):
            weights[i] = numpy.float32(1.0) if values[i] == top else numpy.float32(0.0)
    else:
        for i in range(values.shape[0]):
            below = values[i] - top
            weight = exponential(below)
            weights[i] = weight if below >= least else numpy.float32(0.0)
    if top_p < 1 and top < numpy.inf:
        _keep(weights, _mass(weights, numpy.float32(0.0)) * top_p)
    blocks = (values.shape[0] + BLOCK - 1) // BLOCK
    sums = numpy.empty(blocks)
    total = 0.0
    for block in range(blocks):
        part = numpy.float32(0.0)
        for i in range(block * BLOCK, min((block + 1) * BLOCK, values.shape[0])):
            part += weights[i]
        sums[block] = part
        total += sums[block]
    goal, passed, found = uniform * total, 0.0, -1
    for block in range(blocks):
        if sums[block] == 0:
            continue
        if passed + sums[block] <= goal:
            passed += sums[block]
            continue
        for i in range(block * BLOCK, min((block + 1) * BLOCK, values.shape[0])):
            if weights[i] > 0:
                found = i
                passed += weights[i]
                if passed > goal:
                    return found
    if found < 0:  # rounding left the goal beyond the last weight
        for i in range(values.shape[0]):
            if weights[i] > 0:
                found = i
    return found


@kernel
def choose(
    numbers: Any, scales: Any, history: Any, written: Any, runs: Any, forced: Any, uniforms: Any,
    temperature: Any, top_p: Any, log_min_p: Any, tokens: Any,
) -> None:  # fmt: skip
    """tokens (R) from logits (R, V), a product's result. `temperature` 0 takes the highest, of equal ones the first.

    `history` (R, new tokens), `written` (R), `runs` (R, longest): see `guard`. `forced` (R): a token, or -1. `uniforms`
    (R, steps): of row r the number at `written[r]` is used. A row without a finite logit gets -1.
    """
    values = numpy.empty(numbers.shape[1], dtype=numpy.float32)
    for row in range(tokens.shape[0]):
        factor = numpy.float32(scales[row] / temperature) if temperature > 0 else numpy.float32(1.0)
        for i in range(values.shape[0]):
            values[i] = number(numbers[row, i]) * factor
        if runs.shape[1]:
            guard(history[row], written[row], runs[row], values)
        if forced[row] >= 0:
            tokens[row] = forced[row]
        elif temperature > 0:
            tokens[row] = draw(values, uniforms[row, written[row]], top_p, log_min_p)
        else:
            tokens[row] = highest(values)
