"""Documents in JSON lines: one object a line, of the project's own data or a canonical record.

Members: `id` (needed), `title`, `abstract`, `claims` (array of texts), `text` (the description), `date`, `cpc` (array),
`family` (array), `tier`.
Others are passed over. A line with the schema of records is read as a record.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from generator.base.errors import RecordError
from generator.corpus.claim_texts import claim_texts
from generator.corpus.containers import Chunks
from generator.corpus.documents import Document, Skipped
from generator.corpus.formulas import unmarked
from generator.corpus.numbers import one_number
from generator.corpus.patent_text import clean, dated
from generator.record.record import SCHEMA, Record

MAX_LINE = 1 << 26


def read_json_lines(chunks: Iterator[bytes], start: int) -> Iterator[tuple[int, Document | Skipped]]:
    """The line that begins at byte `start`, and those after it, each with the byte at which the next one begins."""
    file = io.BufferedReader(Chunks(chunks), 1 << 18)
    position, number = 0, 0
    while position < start and (block := file.read(min(1 << 18, start - position))):
        position += len(block)
        number += block.count(b"\n")
    while line := file.readline(MAX_LINE):
        number += 1
        length = len(line)
        if length == MAX_LINE and not line.endswith(b"\n"):
            while not line.endswith(b"\n") and (line := file.readline(MAX_LINE)):
                length += len(line)
            yield position + length, Skipped(f"line {number}", f"longer than {MAX_LINE >> 20} MiB")
        elif line := line.strip().removeprefix(b"\xef\xbb\xbf"):
            yield position + length, document_of_line(line, f"line {number}")
        position += length


def document_of_line(line: bytes, place: str) -> Document | Skipped:
    try:
        value: Any = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return Skipped(place, f"not a JSON object in UTF-8: {error}")
    if not isinstance(value, dict):
        return Skipped(place, "not a JSON object")
    if value.get("schema") in SCHEMA.values():
        return document_of_record(line, place)
    return _document(value, place)


def document_of_record(data: bytes, place: str, number: str = "", date: str = "") -> Document | Skipped:
    """`number` is the record's SHA-256 where no log names it otherwise."""
    try:
        record = Record.from_bytes(data)
    except RecordError as error:
        return Skipped(place, f"not a canonical record: {error}")
    text = record.disclosure
    return Document(
        number or f"sha256:{record.sha256}",
        text.title,
        text.abstract,
        claim_texts(claim.text for claim in text.claims).texts,
        "\n".join(paragraph.text for paragraph in text.description),
        date,
    )


def _document(value: dict[str, Any], place: str) -> Document | Skipped:
    if type(value.get("date")) is int:
        value = {**value, "date": str(value["date"])}
    texts = {name: value.get(name) or "" for name in ("id", "title", "abstract", "text", "date", "tier")}
    lists = {name: value.get(name) or [] for name in ("claims", "cpc", "family")}
    for name, text in texts.items():
        if not isinstance(text, str):
            return Skipped(place, f"its member {name} is no text")
    for name, items in lists.items():
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            return Skipped(place, f"its member {name} is no array of texts")
    claims = claim_texts(filter(None, map(clean, lists["claims"])))
    date, unread = dated(texts["date"])
    document = Document(
        one_number(clean(texts["id"])),
        clean(texts["title"]),
        unmarked(clean(texts["abstract"])),
        claims.texts,
        "\n".join(filter(None, (unmarked(clean(line)) for line in texts["text"].split("\n")))),
        date,
        tuple(filter(None, ("".join(symbol.split()) for symbol in lists["cpc"]))),
        tuple(filter(None, map(clean, lists["family"]))),
        clean(texts["tier"]),
        left_out=tuple(sorted((Counter(dict(claims.left_out)) + Counter(unread)).items())),
        incomplete=claims.incomplete,
    )
    if not document.number:
        return Skipped(place, "it has no id")
    if not (document.title or document.abstract or document.claims or document.description):
        return Skipped(place, f"{document.number} has no text")
    return document
