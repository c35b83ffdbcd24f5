"""The model on one node of a cluster: it takes briefs as they come and answers each with its draft."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from generator import __version__
from generator.base.errors import ModelError, PressError
from generator.model.interface import Brief, Draft, EngineChoice, LanguageModel, ModelIdentity, Watch
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling

IDLE_SECONDS = 0.5  # so long the engine waits for a brief before it completes the drafts that it is at
TICK_SECONDS = 1.0
Opener = Callable[..., LanguageModel]  # model.open_model
Asked = tuple[Brief, Sampling, Watch | None, Future[Any]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a worker says when its model is loaded. `told`: the lines that were reported meanwhile."""

    identity: ModelIdentity
    version: str
    account: dict[str, Any]
    told: tuple[str, ...]
    process: int


class Worker:
    """Its methods run on the event loop that Ray gives an actor, the engine on a thread of its own.

    Each answer is a draft, a PressError or nothing, then the tokens that were made since the last answer, then the
    number of the process, by which one hears that the worker was started again.
    """

    def __init__(self, profile: ModelProfile, choice: EngineChoice, opener: Opener) -> None:
        self._profile, self._choice, self._opener = profile, choice, opener
        self._told: list[str] = []
        self._waiting: SimpleQueue[Asked] = SimpleQueue()
        self._made = self._answered = 0  # tokens; each is written by one thread alone
        self._model: Future[LanguageModel] = Future()
        self._begun = False

    async def opened(self, formats: str) -> Opened | PressError:
        """`formats`: those that a ModelIdentity of another node names, or `auto`."""
        self._begin(formats)
        try:
            model = await asyncio.wrap_future(self._model)
        except PressError as error:
            return error
        return Opened(model.identity, __version__, dict(model.account), tuple(self._told), os.getpid())

    async def draft(
        self, brief: Brief, sampling: Sampling, formats: str, watch: Watch | None
    ) -> tuple[Draft | PressError, int, int]:
        self._begin(formats)  # when it was started again, nothing else tells it
        waiting: Future[Draft | PressError] = Future()
        self._waiting.put((brief, sampling, watch, waiting))
        return await asyncio.wrap_future(waiting), self._taken(), os.getpid()

    async def tokens(self) -> tuple[None, int, int]:
        """The tokens alone, after a second."""
        await asyncio.sleep(TICK_SECONDS)
        return None, self._taken(), os.getpid()

    async def account(self) -> dict[str, Any]:
        spent = {"cpu_milliseconds": round(time.process_time() * 1000)}
        return {**self._model.result().account, **spent} if self._model.done() else spent

    def _begin(self, formats: str) -> None:
        if not self._begun:
            self._begun, choice = True, self._choice.settled(formats)
            self._open = partial(self._opener, self._profile, choice, report=self._told.append)
            threading.Thread(target=self._work, daemon=True).start()

    def _taken(self) -> int:
        before, self._answered = self._answered, self._made
        return self._answered - before

    def _tick(self, tokens: int) -> None:
        self._made += tokens

    def _work(self) -> None:
        try:
            model = self._open()
        except Exception as error:
            self._model.set_exception(error)
            while True:  # a worker that was started again: its drafts wait for an answer
                _answer(self._waiting.get()[-1], error)
        self._model.set_result(model)
        while True:
            self._write(model, self._waiting.get())

    def _write(self, model: LanguageModel, first: Asked) -> None:
        """Write drafts until no brief has come for a while and all are complete."""
        answers = {first[0].index: first[-1]}

        def briefs() -> Iterator[Brief]:
            yield first[0]
            while True:
                try:
                    brief, *_, answer = self._waiting.get(timeout=IDLE_SECONDS)
                except Empty:
                    return
                answers[brief.index] = answer
                yield brief

        try:
            for draft in model.drafts(briefs(), first[1], tick=self._tick, watch=first[2]):
                answers.pop(draft.brief.index).set_result(draft)
            failure: Exception = ModelError("an engine ended without all of its drafts")
        except Exception as error:
            failure = error
        for answer in answers.values():
            _answer(answer, failure)


def _answer(answer: "Future[Any]", error: Exception) -> None:
    """A PressError is an answer, so that it comes out as it is; a bug reaches the caller with its traceback."""
    if isinstance(error, PressError):
        answer.set_result(error)
    else:
        answer.set_exception(error)
