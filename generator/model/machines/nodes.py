"""The nodes of a Ray cluster: reaching it, a worker on each node, and the proof that all have the same model."""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from generator import __version__
from generator.base.errors import ModelError, PressError
from generator.model.interface import EngineChoice, ModelIdentity
from generator.model.machines.worker import Opened, Opener, Worker
from generator.model.profiles import ModelProfile

RESTARTS = 3  # a worker that dies once more, for want of memory say, is given up
AHEAD = 2  # briefs at a worker for each of its slots: those at work, and as many waiting
SLOTS = 32  # of a worker whose engine does not say how many it has
PATIENCE_SECONDS = 30.0
STORE_BYTES = 100 << 20  # drafts are small
REACH_SECONDS = 10.0
ADDRESS_HINT = "Give HOST:PORT as `ray start --head` printed it, or no --address for a cluster of this machine alone."
Report = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Node:
    """A node with its worker: the worker's process, what its engine said last, and how many briefs it has."""

    name: str
    cores: int
    worker: Any
    process: int = 0
    account: Mapping[str, Any] = field(default_factory=dict)
    briefs: int = 0

    @property
    def slots(self) -> int:
        return int(self.account.get("slots") or SLOTS)

    @property
    def load(self) -> float:
        return self.briefs / (AHEAD * self.slots)


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes with the model loaded. `began`: the connection to the cluster is ours to end."""

    nodes: tuple[Node, ...]
    identity: ModelIdentity
    began: bool

    def close(self) -> None:
        """Ask for the last accounts, end the workers, and the cluster when it was begun here."""
        import ray

        asked = {node.worker.account.remote(): node for node in self.nodes}
        for answer in ray.wait(list(asked), num_returns=len(asked), timeout=5)[0]:
            try:
                asked[answer].account = ray.get(answer)
            except ray.exceptions.RayError:
                continue  # a lost node: what it said before stands
        _end(ray, self.nodes, self.began)


def open_nodes(profile: ModelProfile, choice: EngineChoice, opener: Opener, report: Report) -> Nodes:
    """A worker on every node that has a CPU, each with the model loaded. Raises PressError."""
    ray = _ray()
    began = _connected(ray, choice.address)
    nodes: list[Node] = []
    try:
        found = [item for item in ray.nodes() if item["Alive"] and int(item["Resources"].get("CPU", 0))]
        if not found:
            raise ModelError("no node of the Ray cluster has a CPU", hint="Add one with: ray start --address=...")
        for number, item in enumerate(found, 1):
            name = f"{number} of {len(found)} ({item['NodeManagerHostname']})"
            nodes.append(_started(ray, name, item, profile, choice, opener))
        hint = "The folder of a profile must be on every node, at the same path." if profile.folder else ""
        # The formats that the first node measures as the best hold for all.
        first = len(nodes) if choice.number_format != "auto" else 1
        opened = _opened(ray, nodes[:first], "auto", hint, report)
        opened += _opened(ray, nodes[first:], opened[0].identity.number_format, hint, report)
        for node, answer in zip(nodes, opened, strict=True):
            same_model(node.name, opened[0].identity, answer.identity, answer.version)
            node.account, node.process = answer.account, answer.process
            for line in answer.told:
                report(f"node {node.name}: {line}")
    except BaseException:
        _end(ray, nodes, began)
        raise
    return Nodes(tuple(nodes), opened[0].identity, began)


def same_model(name: str, expected: ModelIdentity, found: ModelIdentity, version: str) -> None:
    """Raise ModelError when node `name` has another model, program, library or CPU: its drafts would be others."""
    wanted, there = ({**asdict(expected), "program": __version__}, {**asdict(found), "program": version})
    for what, value in there.items():
        if value != wanted[what]:
            raise ModelError(
                f"node {name} would write other drafts: its {what} is {value}, elsewhere it is {wanted[what]}",
                hint="All nodes need the same files, versions and kind of CPU. Number formats: name one by --format.",
            )


def _ray() -> Any:
    # Read when Ray is imported or begins: no statistics sent home, nothing of Ray's own on stdout, where results are.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DEDUP_LOGS_SKIP_REGEX=".*")
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise ModelError(
            "The package ray is not installed, and --engine ray needs it",
            hint="Run: pip install 'prior-art-press[ray]'",
        ) from error
    return ray


def _connected(ray: Any, address: str) -> bool:
    """Connect to a cluster unless that is done; whether it was done here."""
    if ray.is_initialized():
        return False
    address = address or os.environ.get("RAY_ADDRESS", "") or "local"
    if address not in ("local", "auto"):
        _reach(address)
    local = {"include_dashboard": False, "object_store_memory": STORE_BYTES} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"no Ray cluster could be reached at {address!r}: {_line(error)}",
            hint=ADDRESS_HINT,
        ) from error
    return True


def _reach(address: str) -> None:
    """Raise ModelError at once where nobody listens: Ray itself tries for minutes and then ends the process."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ModelError(
            f"no Ray cluster could be reached at {address!r}: {_line(error)}", hint=ADDRESS_HINT
        ) from error


def _started(
    ray: Any, name: str, item: dict[str, Any], profile: ModelProfile, choice: EngineChoice, opener: Opener
) -> Node:
    cores = int(item["Resources"]["CPU"])
    own = replace(choice, engine="prior-art", address="", threads=choice.threads or cores)
    actor = ray.remote(Worker).options(
        num_cpus=cores,
        max_restarts=RESTARTS,
        max_task_retries=-1,
        max_concurrency=100_000,
        scheduling_strategy=ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(item["NodeID"], soft=False),
    )
    return Node(name, own.threads, actor.remote(profile, own, opener))


def _opened(ray: Any, nodes: list[Node], formats: str, hint: str, report: Report) -> list[Opened]:
    """What each worker says when its model is loaded. Raises what went wrong there."""
    asked = {node.worker.opened.remote(formats): node for node in nodes}
    waiting = list(asked)
    while waiting and (waiting := ray.wait(waiting, num_returns=len(waiting), timeout=PATIENCE_SECONDS)[1]):
        for answer in waiting:
            report(f"ray: node {asked[answer].name} is not ready: it loads the model, or its CPUs are taken")
    opened: list[Opened] = []
    for answer, node in asked.items():
        try:
            said = ray.get(answer)
        except ray.exceptions.RayError as error:
            raise ModelError(
                f"node {node.name}: the worker did not start: {_line(error)}",
                hint="Install the same prior-art-press[model,ray] on every node.",
            ) from error
        if isinstance(said, PressError):
            raise type(said)(f"node {node.name}: {said}", hint=f"{said.hint} {hint}".strip())
        opened.append(said)
    return opened


def _end(ray: Any, nodes: "tuple[Node, ...] | list[Node]", began: bool) -> None:
    for node in nodes:
        ray.kill(node.worker)
    if began:
        ray.shutdown()


def _line(error: BaseException) -> str:
    """The end of a message, which in Ray's is where the cause stands."""
    return " ".join(str(error).split())[-300:]
