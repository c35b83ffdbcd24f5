"""The static files of a log and how they are read: C2SP tlog-tiles, SHA-256, height 8."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from generator.base.errors import LogError
from generator.log import merkle

HEIGHT = 8
WIDTH = 1 << HEIGHT
Read = Callable[[str], bytes | None]


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """`tile/<level>/x001/x234/067`, with `.p/<width>` for a partial tile; level `entries` for entry bundles."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < WIDTH else "")


def bundle_bytes(entries: list[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes) -> list[bytes]:
    entries, position = [], 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 2], "big")
        entry = data[position + 2 : position + 2 + length]
        if len(entry) != length or position + 2 > len(data):
            raise LogError("an entry bundle ends in the middle of an entry")
        entries.append(entry)
        position += 2 + length
    return entries


@dataclass(frozen=True)
class Tiles:
    """The tree of `size` leaves, read through `read(path)`, which gives None for a file that is not there."""

    read: Read
    size: int
    _hashes: dict[tuple[int, int], list[bytes]] = field(default_factory=dict, repr=False)
    _bundles: dict[int, list[bytes]] = field(default_factory=dict, repr=False)

    def nodes(self, level: int, index: int) -> bytes:
        """The merkle.Nodes of this tree."""
        span = 1 << level % HEIGHT
        first = index * span
        hashes = self.hashes(level // HEIGHT, first // WIDTH)[first % WIDTH : first % WIDTH + span]
        if len(hashes) != span:
            raise LogError(f"the tree of {self.size} has no node {index} at level {level}")
        return merkle.pair_up(hashes)

    def width(self, level: int, number: int) -> int:
        """How many hashes tile `number` of a tile level has in this tree."""
        return max(0, min(WIDTH, (self.size >> HEIGHT * level) - number * WIDTH))

    def hashes(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        if key not in self._hashes:
            width = self.width(level, number)
            data = self._file(level, number, width)
            if len(data) < width * 32 or len(data) % 32:
                raise LogError(f"{tile_path(level, number, width)}: {len(data)} bytes; {width} hashes are expected")
            self._hashes[key] = [data[i : i + 32] for i in range(0, width * 32, 32)]
        return self._hashes[key]

    def bundle(self, number: int) -> list[bytes]:
        if number not in self._bundles:
            width = self.width(0, number)
            entries = parse_bundle(self._file("entries", number, width))
            if len(entries) < width:
                raise LogError(f"{tile_path('entries', number, width)}: {len(entries)} entries; {width} are expected")
            self._bundles[number] = entries[:width]
        return self._bundles[number]

    def entry(self, index: int) -> bytes:
        if not 0 <= index < self.size:
            raise LogError(f"the log has no entry {index}: it has {self.size}")
        return self.bundle(index // WIDTH)[index % WIDTH]

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        for index in range(start, self.size):
            yield index, self.entry(index)

    def _file(self, level: int | str, number: int, width: int) -> bytes:
        """A partial tile may be gone once the full one exists (tlog-tiles, "Partial Tiles")."""
        if width <= 0:
            return b""
        path = tile_path(level, number, width)
        data = self.read(path)
        if data is None and width < WIDTH:
            data = self.read(tile_path(level, number))
        if data is None:
            raise LogError(f"log/{path}: this part of the log is missing")
        return data


def new_tiles(old: Tiles, entries: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every tile and entry bundle that `entries` add to a tree, level by level: path below log/ and bytes."""
    size = old.size + len(entries)
    first = old.size // WIDTH
    held = [*(old.bundle(first) if old.size % WIDTH else []), *entries]
    for number in range(first, -(-size // WIDTH)):
        part = held[(number - first) * WIDTH : (number - first + 1) * WIDTH]
        yield tile_path("entries", number, len(part)), bundle_bytes(part)
    level, start, new = 0, old.size, [merkle.leaf_hash(entry) for entry in entries]
    while new:
        first = start // WIDTH
        row = [*(old.hashes(level, first) if start % WIDTH else []), *new]
        parts = [row[i : i + WIDTH] for i in range(0, len(row), WIDTH)]
        for number, part in enumerate(parts, first):
            yield tile_path(level, number, len(part)), b"".join(part)
        new = [merkle.pair_up(part) for part in parts if len(part) == WIDTH]
        level, start = level + 1, first
