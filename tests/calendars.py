"""An OpenTimestamps calendar on this machine, and the blocks that it ends in: real bytes, made with little work."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EASY = 0x1F00FFFF
EASIEST = 0xFFFF << 8 * (0x1F - 3)  # the target that these bits name
TIME = 1_796_100_000  # 2026-12-01T03:20:00Z
BITCOIN = bytes.fromhex("0588960d73d71901")
PENDING = bytes.fromhex("83dfe30d2ef90c8e")


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def varbytes(data: bytes) -> bytes:
    return varint(len(data)) + data


def pending(url: str) -> bytes:
    return b"\x00" + PENDING + varbytes(varbytes(url.encode()))


def bitcoin(height: int) -> bytes:
    return b"\x00" + BITCOIN + varbytes(varint(height))


def double(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


@cache
def mined(root: bytes, at: int = TIME, bits: int = EASY) -> bytes:
    """A header over a Merkle root whose hash meets the target."""
    for nonce in range(1 << 21):
        header = b"".join((b"\x00\x00\x00\x20", bytes(32), root, *(n.to_bytes(4, "little") for n in (at, bits, nonce))))
        if int.from_bytes(double(header), "little") <= (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3):
            return header
    raise AssertionError("no such nonce")


@dataclass
class Calendar:
    url: str = ""
    height: int = 900_000
    ready: bool = False  # whether the block is there
    headers: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)  # what to say instead, by first word
    seconds: float = 0

    def digest(self, _: bytes) -> bytes:
        return b"\xf0" + varbytes(b"nonce") + b"\x08" + pending(self.url)

    def timestamp(self, message: bytes) -> bytes:
        """The path to a block of three transactions, beside another calendar's pending attestation."""
        root = double(double(message + b"other") + b"third")
        self.headers[str(self.height)] = mined(root)
        path = b"\xf0" + varbytes(b"other") + b"\x08\x08\xf0" + varbytes(b"third") + b"\x08\x08"
        return b"\xff" + pending("https://elsewhere.example/") + path + bitcoin(self.height)

    def answer(self, words: list[str], body: bytes) -> bytes | None:
        if words[0] in self.answers:
            return self.answers[words[0]](body)
        if words[0] == "digest":
            return self.digest(body)
        if words[0] == "timestamp":
            return self.timestamp(bytes.fromhex(words[1])) if self.ready else None
        if words[0] == "block-height":
            return double(self.headers[words[1]])[::-1].hex().encode() if words[1] in self.headers else None
        found = [h for h in self.headers.values() if double(h)[::-1].hex() == words[1]]
        return found[0].hex().encode() if found else None


@contextmanager
def calendar() -> Iterator[Calendar]:
    told = Calendar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(told.seconds)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            made = told.answer(self.path.strip("/").split("/"), body)
            self.send_response(404 if made is None else 200)
            self.send_header("Content-Length", str(len(made or b"")))
            self.end_headers()
            self.wfile.write(made or b"")

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
