"""Looking at the site: its own path, right types, its own page for what is not there, nothing outside the folder."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.base import files
from generator.base.errors import ConfigError
from generator.site.serve import serve, server

SITE = {
    "index.html": b"<p>home</p>",
    "404.html": b"<p>not here</p>",
    "d/0/7.json": b"{}",
    "d/0/7.md": b"# x",
    "d/0/7.proof": b"proof",
    "log/checkpoint": b"note",
    "log/tile/0/000": b"\x00",
    "pagefind/wasm.en.pagefind": b"\x1f\x8b",
    "feed.atom": b"<feed/>",
    "assets/press.css": b"p{}",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, data in SITE.items():
        files.write(tmp_path / "site" / name, data)
    files.write(tmp_path / "secret.txt", b"secret")
    return tmp_path / "site"


@pytest.fixture
def connection(site: Path) -> Iterator[http.client.HTTPConnection]:
    with server(site, "https://example.org/repo/", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        client = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=10)
        yield client
        client.close()
        running.shutdown()
        thread.join()


def get(client: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    client.request(method, path)
    answer = client.getresponse()
    return answer.status, answer.getheader("Content-Type", ""), answer.read()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("d/0/7.json", "application/json"),
        ("d/0/7.md", "text/markdown; charset=utf-8"),
        ("d/0/7.proof", "text/plain; charset=utf-8"),
        ("log/checkpoint", "text/plain; charset=utf-8"),
        ("log/tile/0/000", "application/octet-stream"),
        ("pagefind/wasm.en.pagefind", "application/octet-stream"),
        ("feed.atom", "application/atom+xml; charset=utf-8"),
        ("assets/press.css", "text/css; charset=utf-8"),
    ],
)
def test_types(connection: http.client.HTTPConnection, name: str, kind: str) -> None:
    assert get(connection, f"/repo/{name}?q=1") == (200, kind, SITE[name])


def test_the_site_is_under_its_path_only(connection: http.client.HTTPConnection) -> None:
    assert get(connection, "/repo/")[2] == SITE["index.html"]
    for path in ("/", "/repo"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.getheader("Location")) == (302, "/repo/")
    assert get(connection, "/index.html")[0] == 404
    assert get(connection, "/repository/index.html")[0] == 404


def test_what_is_not_there_gets_the_sites_own_page(connection: http.client.HTTPConnection) -> None:
    assert get(connection, "/repo/d/0/8.html") == (404, "text/html; charset=utf-8", SITE["404.html"])
    assert get(connection, "/repo/d/0/8.html", "HEAD")[2] == b""
    assert get(connection, "/repo/d/")[0] == 404, "folders are not listed"


@pytest.mark.parametrize("path", ["/repo/../secret.txt", "/repo/%2e%2e/secret.txt", "/repo//../../secret.txt"])
def test_nothing_outside_the_folder_is_served(connection: http.client.HTTPConnection, path: str) -> None:
    status, _, body = get(connection, path)
    assert status == 404
    assert b"secret" not in body


def test_a_site_at_the_root_of_a_domain(site: Path) -> None:
    with server(site, "https://example.org/", 0) as running:
        thread = threading.Thread(target=running.handle_request)
        thread.start()
        client = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=10)
        assert get(client, "/")[2] == SITE["index.html"]
        client.close()
        thread.join()


def test_a_port_in_use_is_told(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} is in use by another program") as caught:
            serve(site, "https://example.org/", port, lambda _: None)
    assert "--port" in caught.value.hint


def test_a_missing_site_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no built site lies here"):
        serve(tmp_path, "https://example.org/", 0, lambda _: None)


def test_ctrl_c_ends_it_with_its_address_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from http.server import ThreadingHTTPServer

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    told: list[str] = []
    serve(site, "https://example.org/repo/", 0, told.append)
    assert told[0].startswith("serve: http://localhost:")
    assert told[0].split()[1].endswith("/repo/")
    assert json.dumps(told[1]) == '"serve: ended"'
