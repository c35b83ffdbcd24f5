"""The one way to ask a URL: bounded in time as a whole and in size, http and https only."""

import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from generator.base.errors import PressError

TIMEOUT_SECONDS = 30.0
MAX_BYTES = 64 << 20
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class _SameKind(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to http or https only, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.startswith(("https://", "http://")) or (
            req.full_url.startswith("https:") > newurl.startswith("https:")
        ):
            fp.close()
            raise PressError(f"{req.full_url}: redirects to {newurl[:200]}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, max_bytes: int = MAX_BYTES) -> bytes | None:
    """The whole body behind a URL; None when the server has nothing there (404, 410). Raises PressError otherwise.

    A server that sends byte after byte is waited for as long as one that sends none.
    """
    reply = _answer(url, None, {}, timeout_seconds, max_bytes)
    if reply.status in (404, 410):
        return None
    return _body(url, reply)


def post(
    url: str,
    data: bytes,
    *,
    content_type: str = "application/octet-stream",
    headers: Mapping[str, str] = MappingProxyType({}),
    timeout_seconds: float = 10.0,
    max_bytes: int = 1 << 20,
) -> Reply:
    """What a server answers to `data`, whatever the status. Raises PressError where no whole answer came."""
    return _answer(url, data, {"Content-Type": content_type, **headers}, timeout_seconds, max_bytes)


def _body(url: str, reply: Reply) -> bytes:
    if reply.status != 200:
        raise PressError(f"{url}: the server answered {reply.status}", hint="Try again later.")
    return reply.body


def _answer(url: str, data: bytes | None, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> Reply:
    if not url.startswith(("https://", "http://")):
        raise PressError(f"{url[:200]}: only http and https addresses are read")
    answer: list[Reply | Exception] = []

    def ask() -> None:
        try:
            answer.append(_ask(url, data, headers, timeout_seconds, max_bytes))
        except Exception as error:  # raised again in the caller's thread
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    if not answer:
        raise PressError(f"{url}: no whole answer within {timeout_seconds:g} seconds", hint="Try again later.")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def _ask(url: str, data: bytes | None, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> Reply:
    import http.client
    import urllib.error

    until = time.monotonic() + timeout_seconds
    pieces = []
    size = 0
    try:
        request = urllib.request.Request(
            url, data, headers={"User-Agent": "prior-art", "Cache-Control": "no-cache", **headers}
        )
        try:
            opened = urllib.request.build_opener(_SameKind).open(request, timeout=timeout_seconds)
        except urllib.error.HTTPError as error:
            opened = error
        with opened as reply:
            while (piece := reply.read1(_PIECE)) and size <= max_bytes and time.monotonic() < until:
                pieces.append(piece)
                size += len(piece)
            promised, status = reply.headers.get("Content-Length"), reply.status
    except (OSError, ValueError, http.client.HTTPException) as error:
        said = str(getattr(error, "reason", None) or error)[:200]  # a server's own bytes may be in it
        reason = "".join(c if c.isprintable() else "?" for c in said)
        raise PressError(f"{url}: cannot be reached: {reason}", hint="Check the address and the network.") from error
    if size > max_bytes:
        raise PressError(f"{url}: larger than {max_bytes} bytes")
    if promised is not None and promised.isascii() and promised.isdigit() and int(promised) != size:
        raise PressError(f"{url}: {size} of {promised} bytes came", hint="Try again later.")
    return Reply(status, b"".join(pieces))
