"""A zip of small files in which each byte counts: the same files give the same names, dates and order.

The archive's comment is the SHA-256 of everything before it, and SHA256SUMS inside is what `sha256sum -c` reads. Both
find damage; neither says who made the archive.
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping

from generator.base.errors import VerificationError

SUMS = "SHA256SUMS"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
MAX_FILES = 200
MAX_BYTES = 8 << 20  # of all files together, unpacked
MAX_ZIP = 4 << 20
_MARK = b"sha256:"
_COMMENT = len(_MARK) + 64
_END = 22  # bytes of the record that ends a zip, without its comment
_WHEN = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes]) -> bytes:
    """`files` by name, without SHA256SUMS, which is added."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in [*sorted(files.items()), (SUMS, sums.encode())]:
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, data)
        archive.comment = b"0" * _COMMENT
    head = held.getvalue()[:-_COMMENT]
    return head + _MARK + hashlib.sha256(head).hexdigest().encode()


def unpack(data: bytes, name: str) -> dict[str, bytes]:
    """The files of an archive that `pack` made, SHA256SUMS left out. Raises VerificationError."""
    head, comment = data[:-_COMMENT], data[-_COMMENT:]
    if len(data) > MAX_ZIP or len(data) < _COMMENT + _END or not comment.startswith(_MARK):
        raise VerificationError(f"{name}: it is no evidence pack, or not the whole of one")
    if comment != _MARK + hashlib.sha256(head).hexdigest().encode():
        raise VerificationError(f"{name}: its bytes are not those that were packed")
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise VerificationError(f"{name}: it holds too much for an evidence pack")
            for entry in entries:
                if not NAME.fullmatch(entry.filename) or entry.filename in found:
                    raise VerificationError(f"{name}: a file in it is called {entry.filename[:80]!r}, or twice")
                found[entry.filename] = archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise VerificationError(f"{name}: it is no zip: {error}") from error
    sums = "".join(f"{hashlib.sha256(found[one]).hexdigest()}  {one}\n" for one in sorted(found) if one != SUMS)
    if found.pop(SUMS, None) != sums.encode() or not found:
        raise VerificationError(f"{name}: {SUMS} does not name the files that are in it")
    return found
