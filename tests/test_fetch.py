import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generator.base.errors import PressError
from generator.base.fetch import fetch


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in ("/cut", "/drip", "/ftp", "/garbage"):
            self.misbehave()
            return
        status = {"/there": 200, "/gone": 404, "/broken": 503}[self.path]
        body = b"x" * 1000
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self) -> None:
        if self.path == "/garbage":
            self.wfile.write(b"\x00\xff not HTTP\r\n\r\n")
            return
        self.send_response(302 if self.path == "/ftp" else 200)
        self.send_header("Location", "ftp://127.0.0.1/x")
        if self.path != "/drip":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1 if self.path == "/cut" else 60 if self.path == "/drip" else 0):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.1 if self.path == "/drip" else 0)

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


@pytest.mark.parametrize(
    ("path", "said"),
    [("/cut", "1 of 1000 bytes came"), ("/drip", "no whole answer|cannot be reached"), ("/ftp", "not followed"),
     ("/garbage", "cannot be reached")],
)  # fmt: skip
def test_a_server_that_misbehaves_is_no_answer(base: str, path: str, said: str) -> None:
    started = time.monotonic()
    with pytest.raises(PressError, match=said) as caught:
        fetch(base + path, timeout_seconds=2)
    assert caught.value.exit_code == 2
    assert time.monotonic() - started < 30
    with pytest.raises(PressError, match="cannot be reached"):
        fetch("http://[::1", timeout_seconds=2)
