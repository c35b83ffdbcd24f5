"""Patent text for training: read, clean, split, lay out. Knows no model.

Input is JSON lines, plain or zstandard-compressed. A record with `title`, `abstract` and `claims` is a *full
record*; one with `title` and `abstract` is a *head*; one with `text` is a *description*. A `tier` other than
`clean` (a copyright notice, no licence, non-commercial terms) keeps a record out of the training data.
"""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import CorpusError

# What the public text of the shipped starter model comes from, with the attributions that the licences ask for.
SOURCES = (
    "Pap2Pat (boschresearch/Pap2Pat, commit 3bc8bd98), CC BY 4.0: titles, abstracts, claims and descriptions of US "
    "applications of 2001 to 2023; cleaned, split and laid out anew.",
    "pygrams (datasciencecampus/pygrams, commit af117574): contains public sector information licensed under the "
    "Open Government Licence v3.0.",
    "api-evangelist/patents-2005 to patents-2016, Apache-2.0: titles and abstracts of US grants.",
    "patentprocessor (funginstitute/patentprocessor, commit 416a40ce), BSD 2-clause style, The Regents of the "
    "University of California and the American Institutes for Research: US grants of 2004 to 2013.",
    "patent_client (parkerhancock/patent_client, commit 7b5e5569) and go-uspto (commit e6bcdf88), Apache-2.0.",
    "recurrent-neural-networks (WillKoehrsen/recurrent-neural-networks, commit 8da0e37a), MIT: titles and abstracts.",
    "PatentPublicData (USPTO/PatentPublicData, commit 82d6220d), CC0-1.0.",
)


@dataclass(frozen=True, slots=True)
class Patent:
    id: str
    title: str
    abstract: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    full: tuple[Patent, ...]
    held_out: tuple[Patent, ...]
    heads: tuple[Patent, ...]
    descriptions: tuple[Path, ...]


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


def read_corpus(folder: Path, *, hold_out_share: float) -> Corpus:
    """All `patents*` and `descriptions*` JSON-lines files of a folder, `clean` tier only."""
    patents = sorted(p for p in folder.glob("patents*.jsonl*"))
    if not patents:
        raise CorpusError(
            f"{folder}: no patents*.jsonl or patents*.jsonl.zst file",
            hint="docs/training.md describes the format; give the folder with --data.",
        )
    full, held, heads = [], [], []
    for path in patents:
        for line in read_lines(path):
            patent = _patent(line)
            if patent is None:
                continue
            if not patent.claims:
                heads.append(patent)
            elif held_out(patent.id, hold_out_share):
                held.append(patent)
            else:
                full.append(patent)
    if not full or not held:
        raise CorpusError(f"{folder}: {len(full)} full records to train on, {len(held)} held out: both are needed")
    return Corpus(tuple(full), tuple(held), tuple(heads), tuple(sorted(folder.glob("descriptions*.jsonl*"))))


def _patent(line: dict[str, Any]) -> Patent | None:
    if line.get("tier", "clean") != "clean" or not line.get("title") or not line.get("abstract"):
        return None
    claims = tuple(clean(claim) for claim in line.get("claims") or ())
    abstract = clean(line["abstract"])
    title = sentence_case(clean(line["title"]), " ".join((abstract, *claims)))
    return Patent(str(line.get("id") or title), title, abstract, claims)


def description_chunks(corpus: Corpus, *, chars: int) -> Iterator[str]:
    """Pieces of at least `chars` characters, cut at sentence ends, document after document."""
    kept_out = {patent.id for patent in corpus.held_out}
    for path in corpus.descriptions:
        for line in read_lines(path):
            if line.get("tier", "clean") != "clean" or str(line.get("id")) in kept_out:
                continue
            text, start = clean(str(line.get("text", ""))), 0
            for end in (match.end() for match in re.finditer(r"[.;:] (?=[A-Z])", text)):
                if end - start >= chars:
                    yield text[start:end].rstrip()
                    start = end
