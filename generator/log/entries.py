"""Log entries: what is hashed into the tree. ASCII lines, hashes only, so that a text can be withdrawn.

Every entry is `<kind>/v1`, then its lines, each ended by LF. Reading accepts exactly what writing produces.
"""

import re
from dataclasses import dataclass

from generator.base.errors import LogError
from generator.record.record import TIME, is_time

MAX_BYTES = 65_535  # the length prefix of an entry bundle has two bytes (C2SP tlog-tiles)
_SHA256 = r"sha256:([0-9a-f]{64})"
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # the name of a run
_NUMBER = "(0|[1-9][0-9]{0,14})"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A record enters the log; its leaf index is its serial number."""

    sha256: str
    size: int

    def __str__(self) -> str:
        return f"disclosure/v1\nrecord sha256:{self.sha256} {self.size}\n"


@dataclass(frozen=True, slots=True)
class Dated:
    """The deploy that began at `time` makes the disclosures in `leaves` (first and last of each range) public.

    `replaces` is the index of an earlier entry of this kind whose deploy never became public.
    """

    time: str
    leaves: tuple[tuple[int, int], ...]
    replaces: int | None = None

    def __str__(self) -> str:
        ranges = "".join(f"leaves {first}-{last}\n" for first, last in self.leaves)
        return f"published/v1\ntime {self.time}\n{ranges}" + (
            "" if self.replaces is None else f"replaces {self.replaces}\n"
        )


@dataclass(frozen=True, slots=True)
class Superseded:
    """The disclosure `leaf` is superseded by the disclosure `by`; both stay."""

    leaf: int
    by: int

    def __str__(self) -> str:
        return f"supersede/v1\nleaf {self.leaf}\nby {self.by}\n"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The text of `leaf` is served no longer, since `time` (empty in logs of no command).

    `notice` is the SHA-256 of the notice that asked for it.
    """

    leaf: int
    reason: str
    notice: str
    time: str = ""

    def __str__(self) -> str:
        since = f"time {self.time}\n" if self.time else ""
        return f"withdraw/v1\nleaf {self.leaf}\nreason {self.reason}\nnotice sha256:{self.notice}\n{since}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`count` records that a run accepted and that are not published; `root` is the Merkle root of their SHA-256s."""

    run: str
    count: int
    root: str

    def __str__(self) -> str:
        return f"left-out/v1\nrun {self.run}\nrecords {self.count} sha256:{self.root}\n"


@dataclass(frozen=True, slots=True)
class Anchored:
    """Evidence files about an earlier checkpoint: path below the log folder, SHA-256, size."""

    files: tuple[tuple[str, str, int], ...]

    def __str__(self) -> str:
        return "anchor/v1\n" + "".join(f"file {path} sha256:{digest} {size}\n" for path, digest, size in self.files)


@dataclass(frozen=True, slots=True)
class Closed:
    """Last entry of a log: where it goes on, and under which key."""

    origin: str
    vkey: str

    def __str__(self) -> str:
        return f"close/v1\nnext {self.origin} {self.vkey}\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """First entry of a log that goes on from another: that log's last checkpoint."""

    origin: str
    size: int
    root: str

    def __str__(self) -> str:
        return f"open/v1\nprevious {self.origin} {self.size} {self.root}\n"


Entry = Disclosed | Dated | Superseded | Withdrawn | LeftOut | Anchored | Closed | Opened

_FORMS = {
    "disclosure": re.compile(rf"disclosure/v1\nrecord {_SHA256} {_NUMBER}\n"),
    "published": re.compile(
        rf"published/v1\ntime ({TIME.pattern})\n((?:leaves {_NUMBER}-{_NUMBER}\n)+)(?:replaces {_NUMBER}\n)?"
    ),
    "supersede": re.compile(rf"supersede/v1\nleaf {_NUMBER}\nby {_NUMBER}\n"),
    "withdraw": re.compile(
        rf"withdraw/v1\nleaf {_NUMBER}\nreason ([a-z-]{{1,40}})\nnotice {_SHA256}\n(?:time ({TIME.pattern})\n)?"
    ),
    "left-out": re.compile(rf"left-out/v1\nrun ({RUN.pattern})\nrecords {_NUMBER} {_SHA256}\n"),
    "anchor": re.compile(rf"anchor/v1\n((?:file [A-Za-z0-9_./-]+ {_SHA256} {_NUMBER}\n)+)"),
    "close": re.compile(r"close/v1\nnext ([!-~]+) ([!-~]+)\n"),
    "open": re.compile(rf"open/v1\nprevious ([!-~]+) {_NUMBER} ([A-Za-z0-9+/]{{43}}=)\n"),
}


def parse_entry(data: bytes) -> Entry:
    """Raises LogError for bytes that no entry writes."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise LogError("the log entry is not ASCII") from error
    form = _FORMS.get(text.partition("/")[0])
    match = form.fullmatch(text) if form else None
    entry = _entry(text.partition("/")[0], match) if match else None
    if entry is None or str(entry) != text or not _dated(entry):
        raise LogError(f"not a log entry of any known kind: {text[:60]!r}")
    return entry


def _dated(entry: Entry) -> bool:
    """Whether the time in an entry, if there is one, is a day of the calendar."""
    time = entry.time if isinstance(entry, Dated | Withdrawn) else ""
    return not time or is_time(time)


def _entry(kind: str, match: re.Match[str]) -> Entry:
    groups = match.groups()
    if kind == "disclosure":
        return Disclosed(groups[0], int(groups[1]))
    if kind == "published":
        ranges = re.findall(r"leaves ([0-9]+)-([0-9]+)\n", match[0])
        replaces = re.search(r"\nreplaces ([0-9]+)\n\Z", match[0])
        return Dated(groups[0], tuple((int(a), int(b)) for a, b in ranges), int(replaces[1]) if replaces else None)
    if kind == "supersede":
        return Superseded(int(groups[0]), int(groups[1]))
    if kind == "withdraw":
        return Withdrawn(int(groups[0]), groups[1], groups[2], groups[3] or "")
    if kind == "left-out":
        return LeftOut(groups[0], int(groups[1]), groups[2])
    if kind == "anchor":
        files = re.findall(rf"file (\S+) {_SHA256} ([0-9]+)\n", match[0])
        return Anchored(tuple((path, digest, int(size)) for path, digest, size in files))
    if kind == "close":
        return Closed(groups[0], groups[1])
    return Opened(groups[0], int(groups[1]), groups[2])
