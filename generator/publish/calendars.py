"""OpenTimestamps calendars: submitting the newest checkpoint, and asking on later nights for the Bitcoin block.

A calendar is asked at the address in the settings, never at one that its own answer names. A header is believed for
its work alone, so it may come from anywhere.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generator.base import files
from generator.base.errors import ConfigError, LogError, PressError
from generator.log.anchors import folder, opentimestamps
from generator.log.archive import current
from generator.publish.stamping import SECONDS, Network

NIGHTS = 30  # so many of the newest stamped checkpoints are asked about again
HEX_HEADER = re.compile(rb"\s*[0-9a-f]{160}\s*")
HEX_HASH = re.compile(rb"\s*[0-9a-f]{64}\s*")


@dataclass(frozen=True, slots=True)
class Calendar:
    name: str
    url: str


def calendars_of(setting: str) -> tuple[Calendar, ...]:
    """Addresses with blanks between them. Raises ConfigError."""
    found = []
    for url in setting.split():
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"calendars: {url[:100]}: not an http address", hint="docs/settings.md has examples.")
        name = re.sub("[^a-z0-9]+", "-", parts.netloc.rpartition("@")[2].lower()).strip("-")[:31].strip("-")
        found.append(Calendar(name, url.rstrip("/")))
    if len({one.name for one in found}) < len(found):
        raise ConfigError("calendars: two of them have one name", hint="Name each host once.")
    return tuple(found)


def submit(output: Path, calendars: tuple[Calendar, ...], network: Network) -> tuple[str, ...]:
    """Have each calendar take in the newest checkpoint; the names of those that have. Who did not is named."""
    checkpoint, log = current(output), output / "log"
    if checkpoint is None:
        return ()
    digest = hashlib.sha256(_note(log, checkpoint.size)).digest()
    taken = []
    for calendar in calendars:
        path = log / folder.anchor_path(checkpoint.size, f"{calendar.name}.ots")
        try:
            if not path.exists():
                reply = network.post(f"{calendar.url}/digest", digest, timeout_seconds=SECONDS)
                if reply.status != 200:
                    raise LogError(f"the server answered {reply.status}")
                opentimestamps.parse_timestamp(reply.body, digest)
                files.write(path, opentimestamps.detached(digest, reply.body))
            taken.append(calendar.name)
        except PressError as error:
            network.report(f"stamp: calendar {calendar.name} took in no checkpoint {checkpoint.size}: {error}")
    return tuple(taken)


def upgrade(
    output: Path,
    calendars: tuple[Calendar, ...],
    headers_url: str,
    fetch: Callable[[str], bytes | None],
    report: Callable[[str], None],
) -> dict[int, str]:
    """Complete what calendars had taken in and Bitcoin has confirmed since. The day of each size that is complete now.

    Raises nothing for what calendars and the source of headers do; who gave nothing usable is named.
    """
    log, done = output / "log", {}
    waiting = [item for item in folder.anchored(log).items() if not any(n.endswith(".bitcoin.ots") for n in item[1])]
    for size, names in waiting[-NIGHTS:]:
        for calendar in calendars:
            if f"{calendar.name}.ots" not in names:
                continue
            try:
                day = _complete(log, size, calendar, headers_url, fetch)
            except PressError as error:
                report(f"stamp: calendar {calendar.name} did not complete checkpoint {size}: {error}")
                continue
            if day:
                done[size] = day
                break
    return done


def _complete(log: Path, size: int, calendar: Calendar, headers_url: str, fetch: Callable[[str], bytes | None]) -> str:
    """The day, once the calendar knows the block; an empty string before. Raises LogError, PressError."""
    digest = hashlib.sha256(_note(log, size)).digest()
    pending = files.read_some(log / folder.anchor_path(size, f"{calendar.name}.ots"), "a proof", folder.MAX_FILE)
    for one in opentimestamps.parse(pending, digest):
        if one.kind != opentimestamps.PENDING:
            continue
        answer = fetch(f"{calendar.url}/timestamp/{one.message.hex()}")
        if answer is None:
            continue
        proof = opentimestamps.joined(digest, one, answer)
        attestations = opentimestamps.parse(proof, digest)
        for height in sorted(at.height for at in attestations if at.height is not None):
            header = _header(headers_url, height, fetch)
            found = opentimestamps.confirmed(attestations, {height: header})
            if found:
                files.write(log / folder.anchor_path(size, f"header-{height}.bin"), header)
                files.write(log / folder.anchor_path(size, f"{calendar.name}.bitcoin.ots"), proof)
                return found[1]
    return ""


def _header(url: str, height: int, fetch: Callable[[str], bytes | None]) -> bytes:
    """The 80 bytes of a block's header, from a server with the interface of Esplora. Raises LogError."""
    block = fetch(f"{url}/block-height/{height}") or b""
    if not HEX_HASH.fullmatch(block):
        raise LogError(f"{url} names no block of height {height}")
    header = fetch(f"{url}/block/{block.strip().decode()}/header") or b""
    if not HEX_HEADER.fullmatch(header):
        raise LogError(f"{url} has no header of block {height}")
    return bytes.fromhex(header.strip().decode())


def _note(log: Path, size: int) -> bytes:
    return files.read(log / "checkpoints" / str(size), "a kept checkpoint")
