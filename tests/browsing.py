"""A server that serves a site as GitHub Pages does, Chromium, and readers of pages, for tests of the site."""

import functools
import hashlib
import html.parser
import http.server
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUB_PATH = "/repo/"


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class Links(html.parser.HTMLParser):
    """Identifiers, links and loaded addresses of a page, and its JSON-LD and meta tags."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.meta: list[tuple[str, str]] = []
        self.work = ""
        self._in_work = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert not [name for name in values if name.startswith("on")]
        self.ids |= {values["id"]} if "id" in values else set()
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in {"script", "img", "iframe", "source", "video"} and "src" in values:
            self.loaded.append(values["src"])
        if tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload", "preconnect", "modulepreload"}:
            self.loaded.append(values["href"])
        if tag == "meta" and "name" in values:
            self.meta.append((values["name"], values["content"]))
        self._in_work = tag == "script" and values.get("type") == "application/ld+json"
        assert tag != "script" or "src" in values or self._in_work, "an inline script"

    def handle_data(self, data: str) -> None:
        if self._in_work:
            self.work += data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    url: str
    paths: list[str] = field(default_factory=list)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder under SUB_PATH, and 404.html with status 404 for what is not there, as GitHub Pages does."""

    def __init__(self, *args: Any, seen: list[str], **kwargs: Any) -> None:
        self.seen = seen
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        self.seen.append(self.path)
        path = self.path.partition("?")[0]
        if not path.startswith(SUB_PATH):
            self.send_error(404)
            return
        self.path = "/" + path[len(SUB_PATH) :]
        local = Path(self.translate_path(self.path))
        if not local.is_file() and not (local / "index.html").is_file():
            body = (Path(self.directory) / "404.html").read_bytes()
            self.send_response(404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[Server]:
    """Serve `folder` under /repo/ on 127.0.0.1; `paths` of the result lists what was asked for."""
    seen: list[str] = []
    handler = functools.partial(_Handler, seen=seen, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}{SUB_PATH}", seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


BROWSER_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's Chromium through Playwright. Raises where there is none: a browser test that cannot run has failed."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise RuntimeError("the browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        try:
            yield running
        finally:
            running.close()


class Visit:
    """A page in a context of its own; what it asked for and what went wrong in it is kept."""

    def __init__(self, chromium: Any, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def open(self, address: str) -> Any:
        self.page.goto(address, wait_until="load")
        return self.page

    def state(self) -> str:
        """What the box says: a good result is a state of its element and stands nowhere in the page's tree."""
        found = """() => {
            const verdict = document.querySelector("press-verdict");
            const good = ["verified", "saved"].find((state) => verdict.matches(`:state(${state})`));
            return good || document.querySelector(".press-verify").dataset.state;
        }"""
        return str(self.page.wait_for_function(found, timeout=20_000).json_value())

    def status(self) -> str:
        """The words of the result, which a good one takes from the style sheet."""
        good = self.page.evaluate("getComputedStyle(document.querySelector('press-verdict'), '::after').content")
        return str(self.page.text_content(".press-status") if good in ("none", "normal") else good.strip('"'))
