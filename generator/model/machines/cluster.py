"""A LanguageModel on a Ray cluster: one worker a node, each with the whole model, all fed from one iterator of briefs.

Ray carries briefs and drafts, starts a lost worker again on its node, and runs the drafts that it was at again there;
when the node itself is lost, the others get them. As a draft depends on its brief alone, it is the same everywhere, and
as each brief has one answer, nothing appears twice. Nodes that join later are left to the next run.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from generator.base.errors import ModelError, PressError
from generator.model.interface import Brief, Draft, EngineChoice, LanguageModel, ModelIdentity, Tick, Watch
from generator.model.machines.nodes import Node, Nodes, Report, open_nodes, same_model
from generator.model.machines.worker import Opener
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling

WAIT_SECONDS = 1.0


def open_cluster(profile: ModelProfile, choice: EngineChoice, opener: Opener, *, report: Report) -> LanguageModel:
    """Open the model on every node by `opener`, a function that every node can import. Raises PressError.

    `choice.threads`, `choice.batch` and `choice.memory` are those of each node. Its address is that of a running
    cluster, or empty: then that in RAY_ADDRESS, or else a cluster of this machine alone, which ends with the drafts.
    """
    return ClusterModel(lambda: open_nodes(profile, choice, opener, report), report)


class ClusterModel:
    """The workers start when it is made. They end with the iterator of `drafts`, and start anew for another one."""

    def __init__(self, opened: Callable[[], Nodes], report: Report) -> None:
        self._open, self._report = opened, report
        self._nodes = opened()
        self._used = False

    @property
    def identity(self) -> ModelIdentity:
        return self._nodes.identity

    @property
    def account(self) -> dict[str, Any]:
        """Of all nodes together, as they last said; their own accounts are in `nodes`."""
        nodes = self._nodes.nodes
        spent: Counter[str] = Counter()
        for node in nodes:
            for phase in node.account.get("phases", ()):
                spent[phase["phase"]] += phase["milliseconds"]
        whole = max(1, spent.total())
        return {
            "engine": "ray",
            "slots": sum(node.slots for node in nodes),
            "cores": sum(node.cores for node in nodes),
            "phases": [{"phase": p, "milliseconds": n, "share_permille": n * 1000 // whole} for p, n in spent.items()],
            "nodes": [dict(node.account) for node in nodes],
        }

    def drafts(
        self, briefs: Iterable[Brief], sampling: Sampling, *, tick: Tick | None = None, watch: Watch | None = None
    ) -> Iterator[Draft]:
        """Drafts as the nodes complete them. `seconds` of a draft are its share of the time of all nodes together.

        `watch` travels to the workers, so it must be such as can be pickled.
        """
        if self._used:
            self._nodes = self._open()
        self._used = True
        try:
            yield from self._written(list(self._nodes.nodes), iter(briefs), sampling, watch, tick or (lambda _: None))
        finally:
            self._nodes.close()

    def _written(
        self,
        alive: list[Node],
        briefs: Iterator[Brief],
        sampling: Sampling,
        watch: Watch | None,
        tick: Tick,
    ) -> Iterator[Draft]:
        import ray

        lost: deque[Brief] = deque()
        asked: dict[Any, tuple[Node, Brief | None]] = {node.worker.tokens.remote(): (node, None) for node in alive}
        while True:
            while (node := min(alive, key=lambda node: node.load)).load < 1:
                brief = lost.popleft() if lost else next(briefs, None)
                if brief is None:
                    break
                asked[node.worker.draft.remote(brief, sampling, self.identity.number_format, watch)] = (node, brief)
                node.briefs += 1
            if not any(brief for _, brief in asked.values()):
                return
            for answer in ray.wait(list(asked), timeout=WAIT_SECONDS)[0]:
                node, brief = asked.pop(answer)
                node.briefs -= brief is not None
                try:
                    draft, tokens, process = ray.get(answer)
                except ray.exceptions.RayTaskError:
                    raise  # a bug, with its traceback
                except ray.exceptions.RayError as error:
                    lost.extend([brief] if brief else [])
                    self._lose(node, alive, error)
                    continue
                tick(tokens)
                self._hear(node, process)
                if brief is None:
                    asked[node.worker.tokens.remote()] = (node, None)
                else:
                    yield replace(self._checked(node, draft), seconds=draft.seconds / len(alive))

    def _lose(self, node: Node, alive: list[Node], error: Exception) -> None:
        """Go on without a node whose worker Ray cannot start again. Its briefs come back one by one."""
        if node not in alive:
            return
        alive.remove(node)
        self._report(f"ray: node {node.name} is lost ({type(error).__name__}); the others write its drafts")
        if not alive:
            raise ModelError(
                "every node of the Ray cluster was lost", hint="Run the same command again: what was judged is kept."
            )

    def _hear(self, node: Node, process: int) -> None:
        if process != node.process:
            self._report(f"ray: the worker of node {node.name} was lost and started again; it writes its drafts again")
            node.process = process

    def _checked(self, node: Node, draft: Draft | PressError) -> Draft:
        """A draft by the model that was opened: a worker that was started again could have found other weights."""
        if isinstance(draft, PressError):
            raise draft
        made = {item.name: getattr(draft.generation, item.name) for item in fields(ModelIdentity)}
        same_model(node.name, self.identity, ModelIdentity(**made), draft.generation.generator_version)
        return draft
