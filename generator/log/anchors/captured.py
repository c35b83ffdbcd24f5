"""Receipts of captures by a web archive: the publisher's word that the archive served the published bytes.

Nothing in them is signed by the archive: whoever doubts one asks the archive itself, at the address that it names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generator.base import files
from generator.base.errors import LogError
from generator.log.anchors import folder
from generator.record.record import TIME, is_time

_HEAD = re.compile(r"archive (https?://[^\s/?#]+(?:/[^\s?#]*)?) site (https?://[^\s?#]+/)")
_LINE = re.compile(rf"(?P<time>{TIME.pattern}) sha256:(?P<hash>[0-9a-f]{{64}}) (?P<path>[A-Za-z0-9._/-]{{1,200}})")
_PAGE = re.compile(r"d/[0-9]{1,15}/(0|[1-9][0-9]{0,14})\.(?:html|json)")


@dataclass(frozen=True, slots=True)
class Capture:
    """At `time` the archive captured the file at `path` below the site, and its bytes had this SHA-256."""

    archive: str
    site: str
    size: int
    time: str
    sha256: str
    path: str

    @property
    def by(self) -> str:
        return urlsplit(self.archive).netloc.rpartition("@")[2]

    @property
    def address(self) -> str:
        return f"{self.archive}/web/{re.sub('[^0-9]', '', self.time)}/{self.site}{self.path}"

    @property
    def line(self) -> str:
        return f"{self.time} sha256:{self.sha256} {self.path}\n"

    @property
    def serial(self) -> int | None:
        """The disclosure whose page or record it is; None for another file."""
        match = _PAGE.fullmatch(self.path)
        return int(match[1]) if match else None


def write(captures: list[Capture]) -> str:
    """A file of receipts; all are by one archive, of one site."""
    first = captures[0]
    return f"archive {first.archive} site {first.site}\n" + "".join(one.line for one in captures)


def parse(data: bytes, size: int) -> tuple[Capture, ...]:
    """Raises LogError for what `write` does not write."""
    head, *lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    named, found = _HEAD.fullmatch(head), [_LINE.fullmatch(line) for line in lines]
    whole = [m for m in found if m and named and is_time(m["time"])]
    made = [Capture(named[1], named[2], size, m["time"], m["hash"], m["path"]) for m in whole if named]
    if not made or write(made).encode() != data:
        raise LogError(f"anchors/{size}: a file of captures is not written as docs/record-format.md has it")
    return tuple(made)


def captures(log: Path) -> Iterator[Capture]:
    """All below `log`, by the size of the checkpoint that was newest then. Raises LogError."""
    for size, names in folder.anchored(log).items():
        for name in names:
            if folder.CAPTURES.fullmatch(name):
                path = log / folder.anchor_path(size, name)
                yield from parse(files.read_some(path, "receipts of captures", folder.MAX_FILE), size)
