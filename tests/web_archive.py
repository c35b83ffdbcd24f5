"""A web archive on this machine, with the interface of Save Page Now: it fetches what it is asked to capture."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class WebArchive:
    """`says` changes the answer to a status request, `holds` the bytes of a capture."""

    url: str = ""
    stamp: str = "20261122051500"
    seconds: float = 0.0
    says: dict[str, Any] = field(default_factory=dict)
    holds: bytes | None = None
    body: bytes | None = None  # what to say instead of JSON
    captures: dict[str, bytes] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)

    def save(self, url: str) -> bytes:
        with urllib.request.urlopen(url) as reply:
            self.captures[url] = reply.read()
        self.jobs.append(url)
        return json.dumps({"url": url, "job_id": f"spn2-{len(self.jobs) - 1}"}).encode()

    def status(self, job: str) -> bytes:
        url = self.jobs[int(job.removeprefix("spn2-"))]
        value = {"status": "success", "timestamp": self.stamp, "original_url": url, "job_id": job}
        return json.dumps({**value, **self.says}).encode()


@contextmanager
def web_archive() -> Iterator[WebArchive]:
    told = WebArchive()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(told.body or told.save(asked["url"][0]))

        def do_GET(self) -> None:
            if self.path.startswith("/save/status/"):
                self.answer(told.body or told.status(self.path.rpartition("/")[2]))
            else:
                held = told.captures.get(self.path.removeprefix(f"/web/{told.stamp}id_/"))
                self.answer(held if told.holds is None else told.holds)

        def answer(self, body: bytes | None) -> None:
            time.sleep(told.seconds)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

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
