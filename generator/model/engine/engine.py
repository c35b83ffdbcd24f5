"""The engine as a LanguageModel: a lane for each core, drafts to whichever has a free row."""

import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.model.engine.lane import AnyDecoder, Job, Lane, Written
from generator.model.engine.memory import Plan
from generator.model.interface import Brief, Draft, ModelIdentity, Tick, Watch
from generator.model.prompting import Prompting
from generator.model.sampling_settings import Sampling

ENGINE = "prior-art/1"  # changes whenever a kernel's rounding does: drafts name it
TICK_SECONDS = 0.25


class Engine:
    """One model in memory, on `plan.lanes` cores. One call of `drafts` at a time."""

    def __init__(self, prompting: Prompting, decoder: AnyDecoder, plan: Plan, measured: tuple[str, ...]) -> None:
        self._ask, self._decoder, self._plan, self._measured = prompting, decoder, plan, measured
        self._lanes = [Lane(decoder, plan, prompting) for _ in range(plan.lanes)]
        self._lanes[0].warm()
        self._busy = threading.Lock()

    @property
    def identity(self) -> ModelIdentity:
        return self._ask.identity

    @property
    def account(self) -> Mapping[str, Any]:
        seconds = {phase: sum(lane.phases[phase] for lane in self._lanes) for phase in self._lanes[0].phases}
        total = sum(seconds.values()) or 1.0
        return {
            "engine": self.identity.engine,
            "number_format": self._decoder.number_format,
            "cache_format": self._decoder.cache.number_format,
            "measured": list(self._measured),
            "cores": self._plan.lanes,
            "slots": self._plan.lanes * self._plan.rows,
            "pages": self._plan.lanes * self._plan.pages,
            "memory_bytes": self._plan.bytes,
            "restarts": sum(lane.waits for lane in self._lanes),
            "phases": [
                {"phase": phase, "milliseconds": round(s * 1000), "share_permille": round(s * 1000 / total)}
                for phase, s in seconds.items()
            ],
        }

    def drafts(
        self, briefs: Iterable[Brief], sampling: Sampling, *, tick: Tick | None = None, watch: Watch | None = None
    ) -> Iterator[Draft]:
        """Drafts as they end, in no fixed order. `watch`: see Lane.run; called on the lanes' threads."""
        run = _Run(self._lanes, self._ask, iter(briefs), sampling, watch)
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this engine is at drafts already; complete or close that iterator first")
        try:
            yield from run.drafts(tick or (lambda _: None))
        finally:
            run.stop()
            self._busy.release()


class _Run:
    """The threads of one call of `drafts`."""

    def __init__(
        self, lanes: list[Lane], ask: Prompting, briefs: Iterator[Brief], sampling: Sampling, watch: Any
    ) -> None:
        self._lanes, self._ask, self._briefs, self._sampling, self._watch = lanes, ask, briefs, sampling, watch
        self._back: deque[Job] = deque()
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._done: queue.SimpleQueue[Written | BaseException | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, args=(lane,), daemon=True) for lane in lanes]
        self._tokens = self._sum()

    def _sum(self) -> int:
        return sum(lane.tokens for lane in self._lanes)

    def drafts(self, tick: Tick) -> Iterator[Draft]:
        for thread in self._threads:
            thread.start()
        working = len(self._threads)
        while working:
            try:
                item = self._done.get(timeout=TICK_SECONDS)
            except queue.Empty:
                item = ...  # type: ignore[assignment]
            tokens, self._tokens = self._tokens, self._sum()
            tick(self._tokens - tokens)
            if isinstance(item, BaseException):
                raise item
            if item is None:
                working -= 1
            elif isinstance(item, Written):
                prompt = (item.job.text, list(item.job.prompt))
                seconds = item.seconds / len(self._lanes)
                yield self._ask.draft(item.job.brief, prompt, item.tokens, item.stop, self._sampling, seconds)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self, lane: Lane) -> None:
        import torch

        torch.set_num_threads(1)  # of this thread; each lane is one core
        try:
            with torch.inference_mode():
                lane.run(self._sampling, self._take, self._give_back, self._done.put, self._stopped.is_set, self._watch)
        except BaseException as error:  # raised again in the caller's thread
            self._done.put(error)
        else:
            self._done.put(None)

    def _take(self) -> Job | None:
        with self._lock:
            if self._back:
                return self._back.popleft()
            brief = next(self._briefs, None)
            if brief is None:
                return None
            text, ids = self._ask.prompt(brief)
            return Job(brief, text, tuple(ids))

    def _give_back(self, job: Job) -> None:
        with self._lock:
            self._back.appendleft(job)
