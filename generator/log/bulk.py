"""Bulk files: a whole publication in a few files, which verify against the key of its log.

One file holds the entries of a volume with their records, proofs, findings and judgements, a line for each entry; one
holds what stands beside them: checkpoints, receipts, reports of runs. The manifest names both kinds with their digests,
and carries the signed checkpoint, whose root the entries must give. Format: docs/record-format.md, section 9.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from generator.base import canonical, files
from generator.base.errors import PressError, RecordError
from generator.base.values import Faults, read
from generator.log import archive
from generator.log.anchors.folder import ROOT, is_anchor

SCHEMA = "prior-art-bulk/v1"
MANIFEST, SUMS, FACTS = "manifest.json", "SHA256SUMS", "facts.jsonl.zst"
LEVEL = 12
MAX_MANIFEST = 4 << 20
MAX_FILE = 1 << 30
MAX_LINE = 16 << 20  # a record, a proof, findings and a judgement; or the report of a run
VOLUME_FILE = re.compile(r"volume-(0|[1-9][0-9]{0,11})\.jsonl\.zst")
NUMBER = "(?:0|[1-9][0-9]{0,14})"
# The facts beside records and anchors, and the figures that the Quality page shows. No other path is ever written.
PATHS = re.compile(
    rf"log/checkpoints/{NUMBER}|log/deploys/{NUMBER}\.json|runs/[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}}\.json"
    r"|readings/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.json|report\.json|selftest\.json|mark\.svg"
)
ANCHORS = re.compile(r"log/anchors/[1-9][0-9]{0,14}")
ROOTS = re.compile(rf"log/roots/{ROOT.pattern}")
# The settings that pages show; a mirror is built with them. The setting `mark` is carried as the file mark.svg.
SETTINGS = (
    "title", "prefix", "publisher", "contact", "imprint", "license_line", "accent", "site_url", "origin", "vkey",
    "demonstration",
)  # fmt: skip
_FORMAT = re.compile(rb'"schema":"(prior-art-bulk/v[0-9]{1,4})"')


@dataclass(frozen=True, slots=True)
class Part:
    """A bulk file. `source` is a digest of what it is made of: an unchanged volume is not written again."""

    name: str
    bytes: int
    sha256: str
    lines: int
    source: str

    @property
    def volume(self) -> int | None:
        """The number of the volume; None for the facts beside them."""
        return int(found[1]) if (found := VOLUME_FILE.fullmatch(self.name)) else None

    @property
    def volume_start(self) -> int:
        """The first entry of the volume."""
        return (self.volume or 0) * archive.VOLUME


@dataclass(frozen=True, slots=True)
class Manifest:
    """`checkpoint` is the signed note of the log that the files hold; `settings` are those that pages show."""

    schema: str
    checkpoint: str
    settings: dict[str, Any]
    generator_version: str
    files: tuple[Part, ...]

    def to_bytes(self) -> bytes:
        return canonical.dumps(asdict(self)) + b"\n"

    @classmethod
    def parse(cls, data: bytes, where: str) -> "Manifest":
        """Raises PressError, which begins with `where`, for another format and for names that are none of ours."""
        if (found := _FORMAT.search(data)) and (named := found[1].decode()) != SCHEMA:
            raise PressError(
                f"{where}: its format is {named}, this version reads {SCHEMA}", hint="Install a newer version."
            )
        try:
            made: Manifest = read(cls, canonical.loads(data.removesuffix(b"\n")))
        except (RecordError, Faults) as error:
            raise PressError(f"{where}: not a manifest of bulk files: {error}") from error
        if made.schema != SCHEMA or data != made.to_bytes():
            raise PressError(f"{where}: not a manifest of bulk files: it is not written as this format writes it")
        names = [part.name for part in made.files]
        volumes = [part.volume for part in made.files[:-1]]
        if names[-1:] != [FACTS] or volumes != list(range(len(volumes))):
            listed = ", ".join(name[:60] for name in names[:5])
            raise PressError(f"{where}: it names the files {listed}; every volume from 0, then {FACTS}, is expected")
        for part in made.files:
            if not 0 < part.bytes <= MAX_FILE or not re.fullmatch("[0-9a-f]{64}", part.sha256) or part.lines < 0:
                raise PressError(f"{where}: {part.name}: size, digest or number of lines cannot be")
        if unknown := made.settings.keys() - set(SETTINGS):
            raise PressError(f"{where}: the setting {min(unknown)[:60]} has no place in a manifest")
        return made

    @property
    def sums(self) -> bytes:
        """SHA256SUMS, for `sha256sum -c`."""
        lines = [(part.sha256, part.name) for part in self.files]
        lines.append((hashlib.sha256(self.to_bytes()).hexdigest(), MANIFEST))
        return "".join(f"{digest}  {name}\n" for digest, name in lines).encode()


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the log and, of a disclosure whose text is served, its files as they lie beside the record."""

    index: int
    entry: str
    files: tuple[tuple[str, bytes], ...] = ()

    def to_line(self) -> bytes:
        """Record, findings and judgement are canonical JSON already, and stand in the line as they are."""
        value: dict[str, Any] = {"index": self.index, "entry": self.entry}
        for suffix, data in self.files:
            value[MEMBERS[suffix]] = data.decode() if suffix == ".proof" else json.loads(data)
        return plain(value)

    @classmethod
    def parse(cls, line: bytes) -> "Item":
        """Raises ValueError for a line that `to_line` would not have written."""
        value = json.loads(line)
        if not isinstance(value, dict) or plain(value) != line:
            raise ValueError("not canonical JSON")
        index, entry = value.pop("index", None), value.pop("entry", None)
        if type(index) is not int or index < 0 or not isinstance(entry, str) or not entry.isascii():
            raise ValueError("it has no index or no entry")
        found = []
        for suffix, name in MEMBERS.items():
            if name in value:
                item = value.pop(name)
                if (suffix == ".proof") != isinstance(item, str):
                    raise ValueError(f"its {name} is of a wrong kind")
                found.append((suffix, item.encode() if isinstance(item, str) else plain(item)))
        if value:
            raise ValueError(f"{min(value)[:60]} has no place in it")
        return cls(index, entry, tuple(found))


MEMBERS = {".json": "record", ".proof": "proof", ".findings.json": "findings", ".judgement.json": "judgement"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A file below output/ that stands beside the records; in a line as text, or as base64 where it is no UTF-8."""

    path: str
    data: bytes

    def to_line(self) -> bytes:
        try:
            return plain({"path": self.path, "text": self.data.decode()})
        except UnicodeDecodeError:
            return plain({"path": self.path, "base64": base64.b64encode(self.data).decode()})

    @classmethod
    def parse(cls, line: bytes) -> "Fact":
        """Raises ValueError for a line that `to_line` would not have written, and for a path that leads elsewhere."""
        value = json.loads(line)
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise ValueError("not an object of texts")
        coded = value.get("base64")
        data = value.get("text", "").encode() if coded is None else base64.b64decode(coded, validate=True)
        made = cls(value.get("path", ""), data)
        if made.to_line() != line:
            raise ValueError("not a path and a text, in canonical JSON")
        if not is_fact(made.path):
            raise ValueError(f"the path {made.path[:100]!r} has no place in a publication")
        return made


def is_fact(path: str) -> bool:
    """Whether a file of this path, below output/, stands in the facts of bulk files."""
    folder, _, name = path.rpartition("/")
    return bool(PATHS.fullmatch(path) or ROOTS.fullmatch(path)) or (bool(ANCHORS.fullmatch(folder)) and is_anchor(name))


def plain(value: Any) -> bytes:
    """Canonical JSON of a value that is checked elsewhere: a record when it is read, findings when they are shown."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def write_lines(path: Path, lines: Iterable[bytes], source: str) -> Part:
    """Compress lines into a file, in one step. The same lines give the same bytes with the same zstandard."""
    import zstandard

    held = bytearray()
    count = 0
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, threads=0).compressobj()
    for line in lines:
        held += packer.compress(line + b"\n")
        count += 1
    held += packer.flush()
    files.write(path, bytes(held))
    return Part(path.name, len(held), hashlib.sha256(held).hexdigest(), count, source)


def read_lines(file: IO[bytes], name: str, lines: int) -> Iterator[bytes]:
    """The lines of a bulk file, which must be so many. Raises PressError; never holds more than a line or two."""
    import zstandard

    rest, count = b"", 0
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file)
    while True:
        try:
            piece = reader.read(1 << 20)
        except zstandard.ZstdError as error:
            raise PressError(f"{name}: it is cut or damaged: {error}") from error
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            count += 1
            if count > lines:
                break
            yield line
        if count > lines or not piece or len(rest) > MAX_LINE:
            break
    if rest or count != lines:
        raise PressError(f"{name}: it has not the {lines} lines that the manifest names, or one is longer than allowed")
