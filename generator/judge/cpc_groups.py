"""Main groups of the Cooperative Patent Classification, and which subclasses real patents bear together.

The tables are made by `tests/benchmarks/cpc_groups.py`: CPC 2025.05 (EPO and USPTO, public), without the groups that
only index (from 2000 on), and the pairs of subclasses of 54,929 US patents.
"""

import lzma
import re
from functools import cache
from pathlib import Path

from generator.base.errors import CorpusError
from generator.judge.classification import SHIPPED, titles

GROUPS, PAIRS = SHIPPED / "groups.tsv.xz", SHIPPED / "pairs.tsv.xz"
_GROUP = re.compile(r"([A-HY][0-9]{2}[A-Z])([0-9]{1,4})/[0-9]{2,6}")


@cache
def groups() -> dict[str, str]:
    """The title of each main group by its symbol without `/00`: `B62H5`. Raises CorpusError."""
    return {symbol: title for symbol, title in _rows(GROUPS)}  # noqa: C416  # two cells a row, or it raises


@cache
def pairs() -> dict[tuple[str, str], int]:
    """How many real patents bear two subclasses, the first before the second. Raises CorpusError."""
    return {(one, other): int(count) for one, other, count in _rows(PAIRS)}


def exists(symbol: str) -> bool:
    """Whether a section, class, subclass or main group exists; of a subgroup, whether its main group does."""
    found = _GROUP.fullmatch(symbol)
    return (found[1] + found[2] in groups()) if found else symbol in titles()


def _rows(path: Path) -> list[list[str]]:
    try:
        return [line.split("\t") for line in lzma.decompress(path.read_bytes()).decode().splitlines()]
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise CorpusError(
            f"{path}: the groups of CPC cannot be read: {error}", hint="Install the program anew."
        ) from error
