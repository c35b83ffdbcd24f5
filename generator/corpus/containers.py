"""Files as streams of bytes: plain, gzip, Zstandard, or the members of a zip, told apart by their first bytes."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO

from generator.base.errors import CorpusError

CHUNK = 1 << 18
HEAD = 1 << 16  # bytes by which a format is known
# One block of 128 KiB may take four bytes in a Zstandard file, so what is read at a time bounds the memory: 32 MiB.
_ZSTD_INPUT = 1 << 10
_TAR = (257, b"ustar")


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a member of an archive. `start` and `end` are where its bytes stand among those of all members, one
    member after another; a file has no name and end 0. `head` are its first bytes, `chunks` all of them, once.
    """

    name: str
    start: int
    end: int
    head: bytes
    chunks: Iterator[bytes]


def open_parts(path: Path, start: int = 0) -> Iterator[Part]:
    """The parts of a file that hold or follow byte `start`, in order; each must be read before the next is asked for.

    What goes wrong while they are read is told by `complete`.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _members(file, start)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as stream:
                yield _part("", 0, 0, _blocks(stream))
        else:
            yield _part("", 0, 0, _zstd(file) if magic == b"\x28\xb5\x2f\xfd" else _blocks(file))


def is_tar(head: bytes) -> bool:
    return head[_TAR[0] : _TAR[0] + len(_TAR[1])] == _TAR[1]


@contextmanager
def complete(path: Path) -> Iterator[None]:
    """Raises CorpusError where a file that is read inside cannot be read, is damaged or ends early."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"{path}: the file is damaged or ends early: {error}", hint="Fetch it again, then run the same command."
        ) from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error}", hint="Give files that can be opened.") from error


def _members(file: BinaryIO, start: int) -> Iterator[Part]:
    with zipfile.ZipFile(file) as archive:
        position = 0
        for info in archive.infolist():
            end = position + info.file_size
            if end > start and not info.is_dir():
                try:
                    stream = archive.open(info)
                except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in an unknown way
                    raise OSError(f"{info.filename}: {error}") from error
                with stream:
                    yield _part(info.filename, position, end, _blocks(stream))
            position = end


def _part(name: str, start: int, end: int, chunks: Iterator[bytes]) -> Part:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    return Part(name, start, end, head[:HEAD], chain([head], chunks))


def _blocks(stream: BinaryIO | gzip.GzipFile | IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    """All frames. Raises EOFError where the last one is not complete, which the library's own reader passes over."""
    try:
        import zstandard
    except ImportError as error:
        raise CorpusError("the package zstandard is missing", hint="pip install 'prior-art-press[judge]'") from error
    frame, data = None, b""
    while data or (data := file.read(_ZSTD_INPUT)):
        frame = frame or zstandard.ZstdDecompressor().decompressobj()
        try:
            chunk = frame.decompress(data)
        except zstandard.ZstdError as error:
            raise EOFError(str(error)) from error
        if chunk:
            yield chunk
        data = frame.unused_data if frame.eof else b""
        frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError("its last Zstandard frame is not complete")
