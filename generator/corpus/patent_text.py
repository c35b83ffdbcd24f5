"""Patent text as it is written and compared: one paragraph, titles in sentence case; and which of it is kept apart.

Used by all readers of known documents.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from generator.base.errors import CorpusError

LOST = "\ufffc"  # OBJECT REPLACEMENT CHARACTER: here stood a formula or an image that no text gives
_CONTROLS = re.compile("[\x80-\x9f]")
_WINDOWS = {
    code: bytes([code]).decode("windows-1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)  # free there, too
}


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file of one a line, packed or not. Raises CorpusError with the line's number."""
    return (value for _, value in read_placed(path))


def read_placed(path: Path, *, hint: str = "Give a file of JSON lines, packed or not.") -> Iterator[tuple[str, Any]]:
    """The JSON objects of a file, each with its place (`file:line`); an order mark and empty lines are passed over."""
    from generator.corpus.containers import complete, open_parts

    with complete(path):
        for part in open_parts(path):
            for number, line in enumerate(_lines(part.chunks), 1):
                place = f"{path}:{f'{part.name}:' if part.name else ''}{number}"
                if text := line.removeprefix(b"\xef\xbb\xbf").strip():
                    yield place, _object(text, place, hint)


def _object(text: bytes, place: str, hint: str) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{place}: not a JSON line in UTF-8: {error}", hint=hint) from error
    if not isinstance(value, dict):
        raise CorpusError(f"{place}: a JSON object is expected", hint=hint)
    return value


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    yield rest


def clean(text: str) -> str:
    """One paragraph: NFC, runs of white space as one space, no control characters.

    Codes 128 to 159 are what Windows-1252 has there ("&#151;" is a dash): no text means the controls of ISO 8859-1.
    """
    if _CONTROLS.search(text):
        text = text.translate(_WINDOWS)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if text.isprintable() else "".join(c for c in text if unicodedata.category(c)[0] != "C")


_DATE = re.compile(r"(\d{4})([-/.]?)(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?:[T ].*)?")
UNREAD_DATE = "a date that is not read"


def dated(text: str) -> tuple[str, tuple[str, ...]]:
    """YYYY-MM-DD of that form, of YYYYMMDD, or with slashes or a time behind it; and what is to be said of another."""
    found = _DATE.fullmatch(text.strip())
    if not found or (not found[2] and len(found[3] + found[4]) != 4):
        return "", (UNREAD_DATE,) if text.strip() else ()
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).isoformat(), ()
    except ValueError:  # the 31st of June
        return "", (UNREAD_DATE,)


def sentence_case(title: str, context: str) -> str:
    """A title in CAPITALS in sentence case; a word that `context` also writes in capitals stays (DNA, LTE)."""
    if sum(c.islower() for c in title) > sum(c.isupper() for c in title):
        return title
    known = set(re.findall(r"\b[A-Z][A-Z0-9]+\b", context))
    words = [re.sub(r"[A-Z0-9]+", lambda m: m[0] if m[0] in known else m[0].lower(), word) for word in title.split(" ")]
    lowered = " ".join(words)
    return lowered[:1].upper() + lowered[1:]


def held_out(identifier: str, share: float) -> bool:
    """Whether a record is kept for evaluation: a property of its identifier, not of the file's order."""
    digest = hashlib.sha256(identifier.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share
