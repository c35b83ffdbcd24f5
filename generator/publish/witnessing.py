"""Handing the newest checkpoint to witnesses (C2SP tlog-witness, add-checkpoint), and keeping their cosignatures.

A witness remembers the largest tree that it saw of a log, and cosigns only what continues it: so nobody, we included,
can show two histories to two readers who ask for its line.
"""

import re
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.log import merkle
from generator.log.anchors import folder
from generator.log.anchors.cosignatures import Observer, cosigned_at, said_time, within
from generator.log.archive import current, tiles
from generator.log.note import MARK, Checkpoint, encode_base64
from generator.log.tiles import Tiles
from generator.publish.stamping import SECONDS, Network

TRIES = 3  # what a witness says of its own size is followed so often
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,14})\n?")
REFUSED = {
    400: "the request was not understood",
    403: "it does not know the key of this log",
    404: "it does not know this log",
    422: "the consistency proof was refused: it has seen another history",
    429: "it was asked too often",
}


def submit(output: Path, witnesses: tuple[Observer, ...], network: Network, now: str) -> dict[str, str]:
    """The time at which each witness cosigned the newest checkpoint. Who did not is named, and stops nothing."""
    checkpoint, log = current(output), output / "log"
    if checkpoint is None or not witnesses:
        return {}
    size = checkpoint.size
    note, tree = files.read(log / "checkpoints" / str(size), "the newest checkpoint").decode(), tiles(output, size)
    found = {}
    for witness in witnesses:
        path = log / folder.anchor_path(size, f"{witness.name}.witness")
        try:
            if path.exists():
                found[witness.name] = said_time(files.read(path, "a cosignature"))
                continue
            line = _ask(witness, note, tree, _seen(log, witness.name, size), network)
            found[witness.name] = within(cosigned_at(line, witness.key, Checkpoint.parse(note).body), now)
            files.write(path, line)
        except PressError as error:
            found.pop(witness.name, None)
            network.report(f"stamp: witness {witness.name} did not cosign checkpoint {size}: {error}")
    return found


def _seen(log: Path, name: str, size: int) -> int:
    """The largest tree that the witness has cosigned, as far as is known here."""
    sizes = (one for one, names in folder.anchored(log).items() if f"{name}.witness" in names)
    return max((one for one in sizes if one < size), default=0)


def _ask(witness: Observer, note: str, tree: Tiles, old: int, network: Network) -> bytes:
    """The witness's line for the checkpoint `note`. Raises LogError."""
    for _ in range(TRIES):
        proof = merkle.consistency_proof(tree.nodes, old, tree.size) if old else ()
        request = f"old {old}\n" + "".join(f"{encode_base64(item)}\n" for item in proof) + f"\n{note}"
        reply = network.post(f"{witness.url}/add-checkpoint", request.encode(), timeout_seconds=SECONDS)
        if reply.status == 200:
            return _line(reply.body, witness)
        told = _SIZE.fullmatch(reply.body) if reply.status == 409 else None
        if told is None:
            raise LogError(REFUSED.get(reply.status, f"the server answered {reply.status}"))
        old = int(told[1])
        if old > tree.size:
            raise LogError(f"it says that it has seen {old} entries; this log has {tree.size}")
    raise LogError(f"it named another size {TRIES} times")


def _line(body: bytes, witness: Observer) -> bytes:
    """Of the lines in an answer, the one by the witness's name."""
    lines = [line for line in body.splitlines(keepends=True) if line.startswith(f"{MARK}{witness.key.name} ".encode())]
    if len(lines) != 1:
        raise LogError(f"{len(lines)} lines of its answer are by {witness.key.name}; one was expected")
    return lines[0]
