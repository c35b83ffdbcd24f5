"""One core's rows: drafts enter when a row is free, take a step a token together, and leave when they end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generator.base.errors import ModelError
from generator.model.engine.choosing import choose
from generator.model.engine.decoder import Decoder
from generator.model.engine.kernels import PAGE
from generator.model.engine.memory import Plan
from generator.model.engine.modules import ModulesDecoder
from generator.model.interface import Brief, Watch
from generator.model.prompting import Prompting
from generator.model.sampler import due
from generator.model.sampling_settings import Sampling, uniforms

AnyDecoder = Decoder | ModulesDecoder
WATCHED = 64  # tokens after which a watcher sees a draft again


@dataclass(frozen=True, slots=True)
class Job:
    brief: Brief
    text: str
    prompt: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """New tokens up to and with the end token; why they end (`end`, `limit`, or a watcher's reason); the draft's share
    of the core's time.
    """

    job: Job
    tokens: list[int]
    stop: str
    seconds: float


class Lane:
    """Rows 0 to `active` - 1 are at work, in no order. `tokens` counts new tokens since the lane was made."""

    def __init__(self, decoder: AnyDecoder, plan: Plan, prompting: Prompting) -> None:
        import numpy

        self._plan, self._ask = plan, prompting
        self._work = decoder.workspace(plan.rows, plan.pages)
        rows, self._longest = plan.rows, prompting.longest_prompt
        whole = numpy.int32
        self._tokens, self._positions = numpy.zeros(rows, whole), numpy.zeros(rows, whole)
        self._prompted, self._written = numpy.zeros(rows, whole), numpy.zeros(rows, whole)
        self._forced, self._chosen = numpy.full(rows, -1, whole), numpy.zeros(rows, whole)
        self._table, self._held = numpy.zeros((rows, plan.row_pages), whole), numpy.zeros(rows, whole)
        self._prompts = numpy.zeros((rows, self._longest), whole)
        self._history = numpy.zeros((rows, prompting.most_new), whole)
        self._uniforms = numpy.zeros((rows, prompting.most_new))
        self._seconds = numpy.zeros(rows)
        self._ends = numpy.asarray(prompting.end, dtype=whole)
        self.tokens, self.waits = 0, 0
        self._choosing = 0.0

    @property
    def phases(self) -> dict[str, float]:
        """Seconds of this core in each phase."""
        work = self._work.seconds
        return {"matrix products": work["products"], "attention": work["attention"], "sampling": self._choosing,
                "rest": work["rest"]}  # fmt: skip

    def warm(self) -> None:
        """One step of one row, so that all kernels are compiled before the first draft."""
        import numpy
        import torch

        with torch.inference_mode():
            numbers, scales = self._work.step(self._tokens[:1], self._positions[:1], self._table[:1])
        runs = numpy.zeros((self._plan.rows, 1), numpy.int32)
        choose(
            numbers, scales, self._history, self._written, runs, self._forced, self._uniforms,
            1.0, 0.5, -numpy.inf, self._chosen[:1],
        )  # fmt: skip
        self._work.seconds.update(dict.fromkeys(self._work.seconds, 0.0))

    def run(
        self,
        sampling: Sampling,
        take: Callable[[], Job | None],
        give_back: Callable[[Job], None],
        give: Callable[[Written], None],
        stopped: Callable[[], bool],
        watch: Watch | None = None,
    ) -> None:
        """Write the drafts of all jobs that `take` gives, until it gives None and no row is at work.

        `watch` sees brief and text of each draft at every 64th new token, and ends a hopeless one by a reason.
        """
        import numpy

        self._free = list(range(self._plan.pages))
        self._jobs: list[Job] = []
        self._ending: list[list[int]] = []  # tokens that a row must still write, of the claim limit
        self._limited: list[bool] = []  # its claims are ended
        self._runs = numpy.zeros((self._plan.rows, int(sampling.loop_tokens)), numpy.int32)
        self._most, self._watch = int(sampling.most_claims), watch
        if self._most:
            self._breaks = self._ask.line_breaks
        temperature, top_p = float(sampling.temperature), float(sampling.top_p)
        least = float(numpy.log(float(sampling.min_p))) if float(sampling.min_p) > 0 else -numpy.inf
        while not stopped():
            self._admit(take)
            if not self._jobs:
                return
            self._turn_pages(give_back)
            started, n = time.perf_counter(), len(self._jobs)
            numbers, scales = self._work.step(self._tokens[:n], self._positions[:n], self._table[:n])
            decoded = time.perf_counter()
            choose(
                numbers, scales, self._history, self._written, self._runs, self._forced, self._uniforms,
                temperature, top_p, least, self._chosen[:n],
            )  # fmt: skip
            self._choosing += time.perf_counter() - decoded
            self._advance(n)
            self._seconds[:n] += (time.perf_counter() - started) / n
            self._settle(n, give)

    def _admit(self, take: Callable[[], Job | None]) -> None:
        """Fill free rows, as long as pages are left for those at work to grow into."""
        import numpy

        while len(self._jobs) < self._plan.rows:
            reserve = len(self._jobs) // 4 if self._jobs else 0
            if len(self._free) < -(-self._longest // PAGE) + reserve or (job := take()) is None:
                return
            row = len(self._jobs)
            self._jobs.append(job)
            self._ending.append([])
            self._limited.append(False)
            self._prompts[row, : len(job.prompt)] = job.prompt
            self._prompted[row], self._tokens[row] = len(job.prompt), job.prompt[0]
            self._positions[row] = self._written[row] = self._seconds[row] = self._held[row] = 0
            self._forced[row], self._runs[row] = -1, 0
            self._uniforms[row] = uniforms([job.brief.seed], numpy.shape(self._uniforms)[1])[0]

    def _turn_pages(self, give_back: Callable[[Job], None]) -> None:
        """A page for each row that begins one; if none is left, the newest draft goes back and is written later."""
        import numpy

        while True:
            n = len(self._jobs)
            lacking = numpy.flatnonzero(self._held[:n] * PAGE <= self._positions[:n])
            for row in lacking[: len(self._free)]:
                self._table[row, self._held[row]] = self._free.pop()
                self._held[row] += 1
            if len(lacking) == 0 or self._held[lacking[-1]] * PAGE > self._positions[lacking[-1]]:
                return
            newest = max(range(n), key=lambda row: self._jobs[row].brief.index)
            self.waits += 1
            self.tokens -= int(self._written[newest])
            give_back(self._jobs[newest])
            self._leave(newest)

    def _advance(self, n: int) -> None:
        """Positions, and the tokens that the next step reads: of the prompt while there are some, else the chosen."""
        import numpy

        positions = self._positions[:n]
        positions += 1
        writing = positions >= self._prompted[:n]
        rows = numpy.flatnonzero(writing)
        reading = numpy.flatnonzero(~writing)
        self._tokens[reading] = self._prompts[reading, positions[reading]]
        self._tokens[rows] = self._chosen[rows]
        self._history[rows, self._written[rows]] = self._chosen[rows]
        self._written[rows] += 1
        self.tokens += len(rows)

    def _settle(self, n: int, give: Callable[[Written], None]) -> None:
        """What the rows' new tokens mean: an end, the limit, claims that are enough, a watcher's word."""
        import numpy

        fresh = self._positions[:n] >= self._prompted[:n]
        token, written = self._tokens[:n], self._written[:n]
        if (token[fresh] < 0).any():
            raise ModelError(
                "the model gives no finite logits", hint="Its weights are damaged, or the number format is too narrow."
            )
        ended, full = numpy.isin(token, self._ends) & fresh, (written == self._history.shape[1]) & fresh
        if self._most:
            for row in numpy.flatnonzero(self._forced[:n] >= 0).tolist():
                self._forced[row] = self._ending[row].pop(0) if self._ending[row] else -1
            for row in numpy.flatnonzero(numpy.isin(token, self._breaks) & fresh & ~ended & ~full).tolist():
                self._limit(row)
        leaving = {int(row): "end" for row in numpy.flatnonzero(ended)}
        leaving |= {int(row): "limit" for row in numpy.flatnonzero(full & ~ended)}
        if self._watch:
            for row in numpy.flatnonzero(fresh & ~ended & ~full & (written % WATCHED == 0)).tolist():
                job, new = self._jobs[row], self._history[row, : written[row]].tolist()
                if reason := self._watch(job.brief, self._ask.so_far(job.prompt, new)):
                    leaving[row] = reason
        for row in sorted(leaving, reverse=True):
            tokens = self._history[row, : self._written[row]].tolist()
            give(Written(self._jobs[row], tokens, leaving[row], float(self._seconds[row])))
            self._leave(row)

    def _limit(self, row: int) -> None:
        """Where a paragraph of a row has just ended: begin what follows the claims, if they are enough, or end."""
        if self._forced[row] >= 0:
            return
        count = int(self._written[row])
        tail = self._ask.decoded(self._history[row, max(0, count - 2) : count].tolist())
        if not tail.endswith("\n\n"):
            return
        most = 0 if self._limited[row] else self._most
        if after := due(self._text(row), self._jobs[row].brief.direction, most, self._ask):
            self._limited[row] = True
            first, *rest = after
            self._forced[row], self._ending[row] = first, rest

    def _text(self, row: int) -> str:
        return self._ask.decoded([*self._jobs[row].prompt, *self._history[row, : self._written[row]].tolist()])

    def _leave(self, row: int) -> None:
        """Free a row and its pages; the last row takes its place."""
        self._free += self._table[row, : self._held[row]].tolist()
        last = len(self._jobs) - 1
        several: tuple[list[Any], ...] = (self._jobs, self._ending, self._limited)
        for values in several:
            values[row] = values[last]
            values.pop()
        if row != last:
            for array in (
                self._tokens, self._positions, self._prompted, self._written, self._forced, self._chosen, self._table,
                self._held, self._prompts, self._history, self._uniforms, self._seconds, self._runs,
            ):  # fmt: skip
                array[row] = array[last]
