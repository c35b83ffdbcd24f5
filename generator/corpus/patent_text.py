"""Patent text as it is written and compared: one paragraph, titles in sentence case; and which of it is kept apart.

Used by all readers of known documents.
"""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from generator.base.errors import CorpusError


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a `.jsonl` or `.jsonl.zst` file. Raises CorpusError with the line's number."""
    import zstandard

    try:
        with (
            path.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else nullcontext(raw) as stream,
            io.TextIOWrapper(stream, encoding="utf-8") as lines,
        ):
            for number, line in enumerate(lines, 1):
                try:
                    value = json.loads(line)
                except ValueError as error:
                    raise CorpusError(f"{path}:{number}: not a JSON line: {error}") from error
                if not isinstance(value, dict):
                    raise CorpusError(f"{path}:{number}: a JSON object is expected")
                yield value
    except (OSError, UnicodeDecodeError, zstandard.ZstdError) as error:
        raise CorpusError(
            f"{path}: cannot be read: {error}", hint="Give --data a folder of .jsonl or .jsonl.zst files."
        ) from error


def clean(text: str) -> str:
    """One paragraph: NFC, runs of white space as one space, no control characters."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if text.isprintable() else "".join(c for c in text if unicodedata.category(c)[0] != "C")


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
