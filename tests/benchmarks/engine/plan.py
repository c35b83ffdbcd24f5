"""Which configuration of an engine is measured at which length, and in which order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.benchmarks.engine import shape
from tests.benchmarks.engine.jobs import Failure, Measurement
from tests.benchmarks.engine.peers import Peer

FIXED_BYTES = 2_500_000_000  # weights in 32 bits, packed copies, libraries
SLACK = 1.25  # of a cache: scales, blocks that are not full


@dataclass(frozen=True, slots=True)
class Configuration:
    engine: str
    format: str
    batch: int


def candidates(peer: Peer, batches: tuple[int, ...]) -> list[Configuration]:
    """All that are tried at the first length; `batches` replaces the engine's own batch sizes."""
    given = batches if not peer.fixed_batch else ()
    return [Configuration(peer.name, form, batch) for form, own in peer.formats.items() for batch in given or own]


def needed_bytes(batch: int, new_tokens: int, value_bytes: int) -> int:
    """Memory of an engine with the caches of a whole batch."""
    cache = batch * (shape.PROMPT_TOKENS + new_tokens) * shape.CACHE_VALUES * value_bytes
    return FIXED_BYTES + int(cache * SLACK)


def batch_for(best: int, new_tokens: int, value_bytes: int, memory: int, most_tokens: int) -> int:
    """The best batch, halved until its caches fit `memory` and it writes at most `most_tokens`; 0: not even one row."""
    batch = best
    while batch and (needed_bytes(batch, new_tokens, value_bytes) > memory or batch * new_tokens > most_tokens):
        batch //= 2
    return batch


def winners(peer: Peer, tried: Iterable[Measurement | Failure]) -> list[Configuration]:
    """The fastest candidate of the engine, or of each of its formats. A failed candidate wins nothing."""
    best: dict[str, Measurement] = {}
    for item in tried:
        if isinstance(item, Measurement) and item.engine == peer.name:
            group = item.format if peer.each_format else ""
            if group not in best or item.rate > best[group].rate:
                best[group] = item
    return [Configuration(item.engine, item.format, item.batch) for item in best.values()]


def in_turn(configurations: list[Configuration], repeats: int) -> Iterator[tuple[int, Configuration]]:
    """(round, configuration): each once a round, and each round begins one further, so that no two always follow."""
    for number in range(repeats):
        first = number % len(configurations) if configurations else 0
        for configuration in (*configurations[first:], *configurations[:first]):
            yield number, configuration
