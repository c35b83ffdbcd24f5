"""No two places of the package share more than six lines: what is written twice is mended once."""

from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "generator"
MOST = 6


def lines(path: Path) -> list[tuple[int, str]]:
    """Number and text of each line that says something: no blank, comment, import or lone punctuation."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        text = " ".join(line.split())
        if any(map(str.isalnum, text)) and not text.startswith(("#", "import ", "from ")):
            found.append((number, text))
    return found


def shared(paths: list[Path]) -> Iterator[str]:
    """Each run of MOST + 1 lines that stands in two places, overlapping ones of one file left out."""
    seen: dict[tuple[str, ...], tuple[Path, int]] = {}
    for path in paths:
        said = lines(path)
        for place in range(len(said) - MOST):
            run = tuple(text for _, text in said[place : place + MOST + 1])
            first = seen.setdefault(run, (path, place))
            if first[0] != path or place - first[1] > MOST:
                yield f"{first[0]}:{lines(first[0])[first[1]][0]} and {path}:{said[place][0]}"


def test_no_two_places_share_more_than_six_lines() -> None:
    assert list(shared(sorted(PACKAGE.rglob("*.py")))) == []


def test_a_copy_is_found(tmp_path: Path) -> None:
    body = "".join(f"    value_{n} = {n}\n\n    # a comment\n" for n in range(MOST + 1))
    for name in ("one.py", "other.py"):
        (tmp_path / name).write_text(f"import {name[:3]}\n\n\ndef {name[:3]}():\n{body}")
    (said,) = shared(sorted(tmp_path.glob("*.py")))
    assert "one.py:5" in said
    assert "other.py:5" in said
