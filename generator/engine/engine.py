"""The engine as a LanguageModel: a lane for each core, drafts to whichever has a free row."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from generator.brief import Brief, Draft, EngineChoice, ModelIdentity
from generator.engine.architecture import layer_shapes, read_architecture
from generator.engine.compiled import compiled_before
from generator.engine.decoder import Decoder
from generator.engine.lane import Job, Lane, Written
from generator.engine.memory import ROWS, Plan, free_memory
from generator.engine.memory import plan as make_plan
from generator.engine.modules import ModulesDecoder
from generator.engine.products import BLOCK, choose_format, settle
from generator.errors import ModelError
from generator.prompting import Prompting
from generator.sampling import Sampling

ENGINE = "prior-art/1"  # changes whenever a kernel's rounding does: drafts name it
TICK_SECONDS = 0.25
TRIED = 9  # tokens of the text by which the engine's logits are compared with transformers'
TOLERANCE = {"fp32": 0.001, "bf16": 0.1, "int8": 0.3}  # of the norm of the logits


def open_engine(
    model: Any,
    choice: EngineChoice,
    cores: int,
    prompting: Callable[[str, str], Prompting],
    report: Callable[[str], None],
) -> "Engine":
    """Pack a transformers model in the format that fits the CPU, plan memory, compile the kernels. Raises PressError.

    `prompting` gets the engine's name and the formats as a record keeps them.
    """
    import torch

    torch.set_num_threads(1)
    positions = int(model.config.max_position_embeddings)
    number_format, measured = choose_format(choice.number_format, layer_shapes(model), ROWS)
    model = model.to(torch.bfloat16 if number_format == "bf16" else torch.float32)
    cache_format = number_format if choice.cache_format == "auto" else choice.cache_format
    formats = number_format if cache_format == number_format else f"{number_format} cache {cache_format}"
    ask = prompting(ENGINE, formats)
    if not compiled_before():
        report("engine: compiling its kernels for this CPU; this is done once and takes half a minute")
    reference = _logits(model)
    architecture = read_architecture(model, positions)
    decoder: Decoder | ModulesDecoder
    if architecture:
        decoder = Decoder(architecture, number_format, cache_format)
    else:
        decoder = ModulesDecoder(model, number_format, cache_format)
    if not settle(decoder.products, ROWS):
        measured = (*measured, f"in blocks of {BLOCK} rows")
    _agree(decoder, reference, formats)
    plan = make_plan(
        limit=choice.memory or free_memory() // 2,
        lanes=min(cores, choice.batch) if choice.batch else cores,
        batch=choice.batch,
        longest=ask.longest_prompt + ask.most_new,
        page_bytes=decoder.cache.page_bytes,
        weight_bytes=decoder.weight_bytes,
        row_bytes=decoder.row_bytes,
    )
    report(f"engine: {formats} ({', '.join(measured)}); {plan}")
    return Engine(ask, decoder, plan, measured)


def _logits(model: Any) -> Any:
    """The model's own logits (tokens, vocabulary) of a short text, before its modules are touched."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.arange(1, 1 + TRIED)[None], use_cache=False).logits[0].float().numpy()


def _agree(decoder: Any, reference: Any, formats: str) -> None:
    """Refuse a model whose logits come out other than transformers': an architecture that this engine misreads."""
    import numpy
    import torch

    rows, table = numpy.ones(2, dtype=numpy.int32), numpy.arange(2, dtype=numpy.int32)[:, None].copy()
    work, worst = decoder.workspace(2, 2), 0.0
    with torch.inference_mode():
        for place, expected in enumerate(reference):
            numbers, scales = work.step(rows * (1 + place), rows * place, table)
            found = numbers.astype(numpy.uint32) << 16 if numbers.dtype == numpy.uint16 else numbers
            found = (found.view(numpy.float32) if numbers.dtype == numpy.uint16 else found)[1] * scales[1]
            expected = expected - expected.mean()
            error = numpy.linalg.norm(found - found.mean() - expected) / max(1e-9, numpy.linalg.norm(expected))
            worst = max(worst, float(error))
    if not worst <= TOLERANCE["int8" if "int8" in formats else formats]:
        raise ModelError(
            f"the engine's logits of this model differ from transformers' by {worst:.1%} in {formats}",
            hint="Use: --engine generate. Please report the model, so that the engine learns its architecture.",
        )


class Engine:
    """One model in memory, on `plan.lanes` cores. One call of `drafts` at a time."""

    def __init__(self, prompting: Prompting, decoder: Decoder, plan: Plan, measured: tuple[str, ...]) -> None:
        self._ask, self._decoder, self._plan, self._measured = prompting, decoder, plan, measured
        self._lanes = [Lane(decoder, plan, prompting) for _ in range(plan.lanes)]
        self._busy = threading.Lock()

    @property
    def identity(self) -> ModelIdentity:
        return self._ask.identity

    @property
    def account(self) -> Mapping[str, Any]:
        seconds = {phase: sum(lane.phases[phase] for lane in self._lanes) for phase in self._lanes[0].phases}
        total = sum(seconds.values()) or 1.0
        return {
            "engine": ENGINE,
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
        self,
        briefs: Iterable[Brief],
        sampling: Sampling,
        *,
        tick: Callable[[int], None] | None = None,
        watch: Callable[[Brief, str], bool] | None = None,
    ) -> Iterator[Draft]:
        """Drafts as they end, in no fixed order. `watch`: see Lane.run; called on the lanes' threads."""
        with self._busy:
            run = _Run(self._lanes, self._ask, iter(briefs), sampling, watch)
            try:
                yield from run.drafts(tick or (lambda _: None))
            finally:
                run.stop()


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

    def drafts(self, tick: Callable[[int], None]) -> Iterator[Draft]:
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
                lane.run(
                    self._sampling, self._take, self._give_back, self._done.put, self._stopped.is_set, self._watch
                )
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
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
