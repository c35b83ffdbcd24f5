"""Make the table of CPC main groups in the package: `python -m tests.benchmarks.cpc_groups TITLES PATENTS`.

TITLES: symbol, level and title of each entry of the scheme, a line each, packed or not (EPO and USPTO, public).
PATENTS: JSON lines with the member `cpc`. Written: each main group with its title, its notes in brackets left out, and
each pair of subclasses that one patent bears, with the number of those patents.
"""

import lzma
import re
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

from generator.corpus.containers import open_parts
from generator.corpus.patent_text import read_lines
from generator.judge.cpc_groups import GROUPS, PAIRS

INDEXING = 2000  # groups from this number on only index what other groups classify


def main(titles: Path, patents: Path) -> None:
    rows = [line.split("\t") for line in _text(titles).splitlines()]
    groups = [(symbol.removesuffix("/00"), _plain(title)) for symbol, level, title in rows if level == "0"]
    kept = [(symbol, title) for symbol, title in groups if int(symbol[4:]) < INDEXING and title]
    _write(GROUPS, kept)
    known = {symbol[:4] for symbol, _ in kept}
    pairs: Counter[tuple[str, str]] = Counter()
    for patent in read_lines(patents):
        pairs.update(combinations(sorted({symbol[:4] for symbol in patent.get("cpc") or ()} & known), 2))
    _write(PAIRS, [(one, other, str(n)) for (one, other), n in sorted(pairs.items())])


def _text(path: Path) -> str:
    return b"".join(chunk for part in open_parts(path) for chunk in part.chunks).decode()


def _plain(title: str) -> str:
    before = ""
    while before != title:
        before, title = title, re.sub(r"\([^()]*\)", "", title)
    title = " ".join(title.replace("{", "").replace("}", "").split())
    return re.sub(r"\s+([,;.])", r"\1", title).strip(" ;,")


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    path.write_bytes(
        lzma.compress("".join("\t".join(row) + "\n" for row in rows).encode(), preset=9 | lzma.PRESET_EXTREME)
    )
    print(f"{path.name}: {len(rows)} lines, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
