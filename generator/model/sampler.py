"""Choosing the next token of each row: the draw, and two guards that look at the row's own text alone.

Small models fall into loops, and a draft that holds one is refused by check C11; here the third time is never begun.
They also seldom know when they have claimed enough; here the claims end after a given number.
"""

from collections.abc import Callable
from typing import Any

from generator.model.prompting import Prompting
from generator.model.sampling_settings import Sampling, uniforms
from generator.record.layouts import CLAIMS, HEAD, ORDER, TITLE, Direction, claims, newest, sections


def due(text: str, direction: Direction, most: int, prompting: Prompting) -> tuple[int, ...]:
    """The tokens that must follow a text whose paragraph has just ended; none: the model goes on as it likes.

    After `most` claims (0: no limit) comes what follows the claims. After the title that ends a bottom-up text, and
    where another patent begins, comes the end: a model that knows the layout from examples alone never ends. The
    examples in the prompt, all that stands before the last head, do not count.
    """
    draft = newest(text)
    if len(draft) < len(text) and draft == f"{HEAD}\n\n":
        return prompting.end[:1]
    read = sections(draft, whole=False)
    if most and any(len(claims(draft, section)) >= most for section in read if section.name == CLAIMS):
        return prompting.after_claims(direction)
    titled = bool(read) and read[-1].name == TITLE and read[-1].body(draft).strip() != ""
    return prompting.end[:1] if ORDER[direction][-1] == TITLE and titled else ()


class LoopGuard:
    """For each row and each phrase length p up to `longest`: how many tokens in a row equal the token p before.

    When that count reaches p, the last p tokens are a phrase that stands twice in a row, and the token that would begin
    it a third time is forbidden. Time for a step: rows times `longest`.
    """

    def __init__(self, rows: int, longest: int) -> None:
        import torch

        self._lengths = torch.arange(1, longest + 1)
        self._runs = torch.zeros((rows, longest), dtype=torch.int64)

    def forbid(self, new_tokens: Any, scores: Any) -> Any:
        """`new_tokens` (rows, steps so far), `scores` (rows, vocabulary) -> scores, minus infinity where forbidden."""
        import torch

        written = new_tokens.shape[1]
        reach = min(written - 1, len(self._lengths))
        if reach < 1:
            return scores
        lengths = self._lengths[:reach]
        same = new_tokens[:, -1:] == new_tokens[:, written - 1 - lengths]
        self._runs[:, :reach] = torch.where(same, self._runs[:, :reach] + 1, 0)
        rows, places = torch.nonzero(self._runs[:, :reach] >= lengths, as_tuple=True)
        scores = scores.clone()
        scores[rows, new_tokens[rows, written - lengths[places]]] = float("-inf")
        return scores


class ClaimLimit:
    """Ends the claims of each row after `most` of them, and with such a limit each text where its layout ends.

    A claim ends with an empty line; where the next one would begin, the tokens that are `due` are forced, one a step.
    """

    def __init__(self, directions: list[Direction], most: int, prompting: Prompting) -> None:
        self._tokenizer, self._most, self._directions = prompting.tokenizer, most, directions
        self._prompting = prompting
        self._forced: list[list[int]] = [[] for _ in directions]
        self._done = [False] * len(directions)  # with the claims

    def force(self, tokens: Any, scores: Any) -> Any:
        """`tokens` (rows, prompt and text so far), `scores` (rows, vocabulary) -> scores, one choice where forced."""
        if self._most == 0:
            return scores
        tails = self._tokenizer.batch_decode(tokens[:, -2:], skip_special_tokens=True)
        for row, tail in enumerate(tails):
            if not self._forced[row] and tail.endswith("\n\n"):
                most = 0 if self._done[row] else self._most
                after = due(self._text(tokens[row]), self._directions[row], most, self._prompting)
                self._forced[row], self._done[row] = list(after), self._done[row] or bool(after)
            if self._forced[row]:
                token = self._forced[row].pop(0)
                scores[row] = float("-inf")
                scores[row, token] = 0.0
        return scores

    def _text(self, row: Any) -> str:
        return str(self._tokenizer.decode(row, skip_special_tokens=True))


class Sampler:
    """A logits processor that draws the next token of each row itself and leaves `generate` no choice.

    Row r takes its uniform numbers from Philox, a counter-based generator, keyed with the seed of draft r: the number
    for step t depends on seed and t alone. The token is where the cumulative probability passes that number.
    """

    def __init__(
        self,
        sampling: Sampling,
        seeds: list[int],
        steps: int,
        end: tuple[int, ...],
        limit: ClaimLimit,
        tick: Callable[[int], None],
    ) -> None:
        import torch

        self._temperature, self._top_p = float(sampling.temperature), float(sampling.top_p)
        self._min_p, self._tick, self._step = float(sampling.min_p), tick, 0
        self._uniform = torch.from_numpy(uniforms(seeds, steps))
        self._end, self._unfinished = torch.tensor(end), torch.ones(len(seeds), dtype=torch.bool)
        self._guard, self._width, self._limit = LoopGuard(len(seeds), int(sampling.loop_tokens)), 0, limit

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """`scores` (rows, vocabulary) -> the same shape, zero at the chosen token, minus infinity elsewhere."""
        import torch

        step, self._step = self._step, self._step + 1
        if step > 0:
            self._unfinished &= ~torch.isin(input_ids[:, -1], self._end)
        self._width = self._width or input_ids.shape[1]
        scores = self._limit.force(input_ids, self._guard.forbid(input_ids[:, self._width :], scores))
        self._tick(int(self._unfinished.sum()))
        if self._temperature == 0:
            return scores
        chosen = choose(scores, self._uniform[:, step], self._temperature, self._top_p, self._min_p)
        return torch.full_like(scores, float("-inf")).scatter_(1, chosen[:, None], 0.0)


def choose(scores: Any, uniform: Any, temperature: float, top_p: float, min_p: float) -> Any:
    """One token id for each row of `scores` (rows, vocabulary), by inverting the distribution at `uniform` (rows).

    Tokens below `min_p` times the highest probability go first, then those outside the smallest set that holds `top_p`.
    """
    import torch

    probability = torch.softmax(scores.double() / temperature, dim=-1)
    if min_p > 0:
        probability = probability.where(probability >= min_p * probability.amax(dim=-1, keepdim=True), 0.0)
    order = None
    if top_p < 1:
        probability, order = probability.sort(dim=-1, descending=True, stable=True)
        before = probability.cumsum(dim=-1) - probability
        total = probability.sum(dim=-1, keepdim=True)
        probability = probability.where(before < top_p * total, 0.0)
    cumulative = probability.cumsum(dim=-1)
    # The number stays below the sum, so the token found always has a probability above zero.
    goal = (uniform[:, None] * cumulative[:, -1:]).clamp(
        max=torch.nextafter(cumulative[:, -1:], torch.zeros(1).double())
    )
    place = torch.searchsorted(cumulative, goal, right=True)
    return place[:, 0] if order is None else order.gather(1, place)[:, 0]
