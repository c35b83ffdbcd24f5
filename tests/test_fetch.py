import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generator.base.errors import PressError
from generator.base.fetch import fetch


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = {"/there": 200, "/gone": 404, "/broken": 503}[self.path]
        body = b"x" * 1000
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def base() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_there_gone_and_broken(base: str) -> None:
    assert fetch(f"{base}/there") == b"x" * 1000
    assert fetch(f"{base}/gone") is None
    with pytest.raises(PressError, match="answered 503"):
        fetch(f"{base}/broken")
    with pytest.raises(PressError, match="larger than 10 bytes"):
        fetch(f"{base}/there", max_bytes=10)


def test_what_cannot_be_reached_is_said_with_a_hint() -> None:
    with pytest.raises(PressError, match="cannot be reached") as caught:
        fetch("http://127.0.0.1:9/", timeout_seconds=2)
    assert "network" in caught.value.hint
    for url in ("file:///etc/passwd", "ftp://example.org/x", "x"):
        with pytest.raises(PressError, match="only http and https"):
            fetch(url)
