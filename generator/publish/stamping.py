"""Asking others about the newest checkpoint. Who is down, slow or lying stops nothing and is named.

What is asked for is the file log/checkpoints/<size>. A reply is verified before it is stored; what is there already is
not asked for again, so the same call goes on after a kill, and the next night's checkpoint covers what one missed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.base.fetch import Reply
from generator.log.anchors import folder
from generator.log.anchors.authorities import Authority
from generator.log.anchors.folder import Stamp
from generator.log.anchors.tokens import Token, new_request, verify_token
from generator.log.archive import current

TRIES = 3
WAIT_SECONDS = 5.0  # between two tries
SECONDS = 10.0  # for one reply
DIFFER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Network:
    """What a call needs of the world outside: sending, waiting, telling."""

    post: Callable[..., Reply]
    wait: Callable[[float], None]
    report: Callable[[str], None]


def stamp_newest(output: Path, authorities: tuple[Authority, ...], network: Network) -> dict[str, str]:
    """Have the newest checkpoint stamped by each authority that has not done so. The time by each that has.

    Raises LogError for a checkpoint that was not kept; never for what an authority does.
    """
    checkpoint, log = current(output), output / "log"
    if checkpoint is None:
        return {}
    folder.sweep(log)
    size = checkpoint.size
    data = files.read(log / "checkpoints" / str(size), "the newest checkpoint")
    names = folder.anchored(log).get(size, ())
    have = {one.name: one for one in folder.stamps(size, names, lambda path: (log / path).read_bytes())}
    times = {}
    for authority in authorities:
        try:
            if (known := have.get(authority.name)) is not None:
                token = verify_token(known.reply, known.request, data, authority.root, authority.policy)
            else:
                request, reply, token = ask(authority, data, network)
                made = Stamp(size, authority.name, request, reply)
                folder.write_stamp(log, made, token.chain, authority.root)
            times[authority.name] = token.time
        except LogError as error:
            network.report(f"stamp: {authority.name} gave no stamp of checkpoint {size}: {error}")
    if times and _apart(min(times.values()), max(times.values())) > DIFFER_SECONDS:
        told = ", ".join(f"{name} {time}" for name, time in sorted(times.items()))
        network.report(f"stamp: the authorities are more than {DIFFER_SECONDS} seconds apart: {told}")
    return times


def ask(authority: Authority, data: bytes, network: Network) -> tuple[bytes, bytes, Token]:
    """Request, reply and token, verified. Raises LogError after TRIES tries."""
    said = ""
    for attempt in range(TRIES):
        if attempt:
            network.wait(WAIT_SECONDS)
        request = new_request(data)
        try:
            reply = network.post(
                authority.url, request, content_type="application/timestamp-query", timeout_seconds=SECONDS
            )
            if reply.status != 200:
                raise LogError(f"the server answered {reply.status}")
            return request, reply.body, verify_token(reply.body, request, data, authority.root, authority.policy)
        except PressError as error:
            said = str(error)
    raise LogError(f"{TRIES} tries: {said}")


def authority_time(output: Path, authorities: tuple[Authority, ...], network: Network) -> tuple[str, datetime] | None:
    """A probe, before anything is dated: name and time of the first authority that answers. None without one."""
    checkpoint = current(output)
    data = checkpoint.body.encode() if checkpoint else b"What time is it?\n"
    once = Network(network.post, lambda _: None, network.report)
    for authority in authorities:
        try:
            return authority.name, datetime.fromisoformat(ask(authority, data, once)[2].time)
        except LogError as error:
            network.report(f"publish: {authority.name} did not tell the time: {error}")
    return None


def _apart(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
