"""The built site on this machine, under the path that it will have in public. For looking, not for publishing."""

import errno
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generator.base.errors import ConfigError

UTF8 = "; charset=utf-8"
TYPES = {
    "": "application/octet-stream",  # tiles
    ".atom": "application/atom+xml" + UTF8,
    ".css": "text/css" + UTF8,
    ".html": "text/html" + UTF8,
    ".js": "text/javascript" + UTF8,
    ".json": "application/json",
    ".md": "text/markdown" + UTF8,
    ".png": "image/png",
    ".proof": "text/plain" + UTF8,
    ".svg": "image/svg+xml",
    ".txt": "text/plain" + UTF8,
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".xml": "application/xml" + UTF8,
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Files of one folder under a base path; no listings; the site's own page for what is not there."""

    protocol_version = "HTTP/1.1"
    extensions_map = TYPES

    def __init__(self, *arguments: Any, base: str, **named: Any) -> None:
        self.base = base
        super().__init__(*arguments, **named)

    def send_head(self) -> Any:
        path = self.path.partition("?")[0].partition("#")[0]
        if path in ("/", self.base.rstrip("/")) and self.base != "/":
            return self._redirect(self.base)
        if not path.startswith(self.base):
            return self._not_found()
        self.path = "/" + path[len(self.base) :]
        if not Path(self.translate_path(self.path)).exists():
            return self._not_found()
        return super().send_head()

    def list_directory(self, path: Any) -> Any:  # noqa: ARG002 - the signature is the base class's
        return self._not_found()

    def guess_type(self, path: Any) -> str:
        name = Path(path).name
        return TYPES[".txt"] if name in ("checkpoint", "vkey") else super().guess_type(path)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass

    def _redirect(self, where: str) -> None:
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _not_found(self) -> None:
        page = Path(self.directory) / "404.html"
        body = page.read_bytes() if page.is_file() else b"Not found.\n"
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", TYPES[".html" if page.is_file() else ".txt"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def server(site: Path, site_url: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound but not yet running; port 0 takes a free one. Raises ConfigError."""
    if not (site / "index.html").is_file():
        raise ConfigError(f"{site}: no built site lies here", hint="Run: prior-art build")
    handler = partial(SiteHandler, directory=str(site), base=urlsplit(site_url).path or "/")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        reason = "is in use by another program" if error.errno == errno.EADDRINUSE else "may not be used by this user"
        raise ConfigError(f"port {port} {reason}", hint="Choose another one, for example: --port 8765") from error


def serve(site: Path, site_url: str, port: int, report: Callable[[str], None]) -> None:
    """Serve until interrupted."""
    with server(site, site_url, port) as running:
        report(f"serve: http://localhost:{running.server_address[1]}{urlsplit(site_url).path or '/'} (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            report("serve: ended")
