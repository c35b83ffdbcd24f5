from pathlib import Path

import pytest

from generator.base.errors import CorpusError
from generator.corpus.patent_text import clean, read_lines, sentence_case


@pytest.mark.parametrize(
    ("title", "context", "expected"),
    [
        ("METHOD FOR DNA TESTING", "The DNA is tested.", "Method for DNA testing"),
        ("Method for testing", "", "Method for testing"),
        ("A 5G-BASED LTE ROUTER", "The LTE router and the 5G router", "A 5g-based LTE router"),
    ],
)
def test_titles_in_capitals(title: str, context: str, expected: str) -> None:
    assert sentence_case(title, context) == expected


def test_clean_text_has_no_control_characters() -> None:
    assert clean(" a\u0000b \n c\u0301\u202e ") == "ab ć"


def test_bad_files_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "patents.jsonl").write_text('{"id": 1}\nnonsense\n')
    with pytest.raises(CorpusError, match=r"patents\.jsonl:2: not a JSON line"):
        list(read_lines(tmp_path / "patents.jsonl"))
    (tmp_path / "patents.jsonl").write_text("[]\n")
    with pytest.raises(CorpusError, match="a JSON object is expected"):
        list(read_lines(tmp_path / "patents.jsonl"))
    (tmp_path / "patents.jsonl.zst").write_bytes(b"not zstandard")
    with pytest.raises(CorpusError, match=r"patents\.jsonl\.zst:1: not a JSON line"):
        list(read_lines(tmp_path / "patents.jsonl.zst"))
    with pytest.raises(CorpusError, match="cannot be read"):
        list(read_lines(tmp_path / "nowhere.jsonl"))
