"""A witness on this machine, as C2SP tlog-witness has it: it remembers a log, checks consistency, and cosigns."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from generator.base.errors import LogError
from generator.log import merkle
from generator.log.anchors.cosignatures import CosignerSecret
from generator.log.note import Checkpoint, VerificationKey, check_signature

Reply = tuple[int, bytes]


@dataclass
class Witness:
    """`change` is what a lying one makes of its answer; `slow` are the seconds before each."""

    secret: CosignerSecret
    log: str
    now: str = "2026-11-22T05:00:00Z"
    url: str = ""
    size: int = 0
    root: bytes = b""
    slow: float = 0.0
    change: Callable[[int, bytes], Reply] = lambda status, body: (status, body)
    asked: list[tuple[int, int]] = field(default_factory=list)  # old size, status

    def add_checkpoint(self, body: bytes) -> Reply:
        head, _, note = body.decode().partition("\n\n")
        old_line, *lines = head.split("\n")
        old = int(old_line.removeprefix("old "))
        status, answer = self._answer(old, [base64.b64decode(line) for line in lines], note)
        self.asked.append((old, status))
        return self.change(status, answer)

    def _answer(self, old: int, proof: list[bytes], note: str) -> Reply:
        key, checkpoint = VerificationKey.parse(self.log), Checkpoint.parse(note)
        if checkpoint.origin != key.name:
            return 404, b""
        try:
            check_signature(note, key)
        except LogError:
            return 403, b""
        if old > checkpoint.size:
            return 400, b""
        if old != self.size:
            return 409, f"{self.size}\n".encode()
        try:
            if old:
                merkle.check_consistency(old, checkpoint.size, self.root, checkpoint.root, tuple(proof))
            elif proof:
                return 400, b""
        except ValueError:
            return 422, b""
        self.size, self.root = checkpoint.size, checkpoint.root
        return 200, self.secret.cosign(checkpoint.body, self.now).encode()


@contextmanager
def witness(log: str, name: str = "witness.example/w", seed: int = 5) -> Iterator[Witness]:
    told = Witness(CosignerSecret(name, bytes([seed]) * 32), log)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(told.slow)
            assert self.path == "/add-checkpoint"
            status, body = told.add_checkpoint(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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
