"""Real texts for the benchmark: patents as they are, and their descriptions cut into further documents."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.record.disclosure import Claim, Disclosure

PATENTS, DESCRIPTIONS = "patents.jsonl.zst", "descriptions.jsonl.zst"
WORDS = 418  # of a cut of a description: with these, the two files give some 100,000 documents
HELD_OUT = 9  # every ninth patent with claims is asked about and does not stand in the corpus


def rows(path: Path) -> Iterator[dict[str, Any]]:
    import zstandard

    with path.open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8"):
            yield json.loads(line)


def held_out(data: Path) -> list[dict[str, Any]]:
    """Patents with claims that the corpus of the benchmark leaves out."""
    return [row for row in rows(data / PATENTS) if row["claims"]][::HELD_OUT]


def disclosure(row: dict[str, Any]) -> Disclosure:
    claims = tuple(Claim(number, text) for number, text in enumerate(row["claims"], 1))
    return Disclosure(row["title"], row["abstract"], (), claims)


def write_documents(data: Path, path: Path, most: int) -> int:
    """JSON lines of at most `most` documents; how many there are."""
    left_out = {row["id"] for row in held_out(data)}
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in _lines(data, left_out):
            if count == most:
                break
            file.write(line + "\n")
            count += 1
    return count


def _lines(data: Path, left_out: set[str]) -> Iterator[str]:
    for row in rows(data / PATENTS):
        if row["id"] not in left_out:
            yield json.dumps({name: row[name] for name in ("id", "title", "abstract", "claims", "cpc", "date")})
    for row in rows(data / DESCRIPTIONS):
        if row["id"] in left_out:
            continue
        parts = row["text"].split(" ")
        for start in range(0, len(parts), WORDS):
            text = " ".join(parts[start : start + WORDS])
            yield json.dumps(
                {"id": f"{row['id']}-{start // WORDS}", "title": f"Description of {row['id']}", "text": text}
            )
