import json
from pathlib import Path

import pytest
import zstandard

from generator.errors import CorpusError
from generator.training_text import clean, description_chunks, held_out, read_corpus, read_lines, sentence_case


def full(number: int, **changes: object) -> dict[str, object]:
    value: dict[str, object] = {
        "id": f"US{number}",
        "title": "FOLDING BRACKET WITH USB HINGE",
        "abstract": "A bracket\nfolds. It has a USB port.",
        "claims": [f"A bracket  comprising {number} arms.", "The bracket of claim 1, wherein an arm folds."],
        "tier": "clean",
    }
    return value | changes


def write(folder: Path, name: str, lines: list[object]) -> None:
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (folder / name).write_bytes(zstandard.compress(data) if name.endswith(".zst") else data)


def test_full_records_heads_and_held_out(tmp_path: Path) -> None:
    heads = [full(n, claims=[]) for n in range(1000, 1003)]
    bad = [full(1, tier="notice"), full(2, tier="nc"), full(3, title=""), full(4, abstract=None)]
    write(tmp_path, "patents-a.jsonl.zst", [full(n) for n in range(200)])
    write(tmp_path, "patents-b.jsonl", [*heads, *bad])
    corpus = read_corpus(tmp_path, hold_out_share=0.1)
    assert len(corpus.full) + len(corpus.held_out) == 200
    assert 5 < len(corpus.held_out) < 40
    assert {patent.id for patent in corpus.held_out} == {f"US{n}" for n in range(200) if held_out(f"US{n}", 0.1)}
    assert len(corpus.heads) == 3
    assert corpus.full[0].title == "Folding bracket with USB hinge"
    assert corpus.full[0].abstract == "A bracket folds. It has a USB port."
    assert "  " not in corpus.full[0].claims[0]


def test_descriptions_are_cut_at_sentences_and_without_what_is_held_out(tmp_path: Path) -> None:
    write(tmp_path, "patents.jsonl", [full(n) for n in range(100)])
    text = " ".join(f"Sentence number {n} tells something more." for n in range(30))
    write(tmp_path, "descriptions.jsonl.zst", [{"id": f"US{n}", "text": text} for n in range(100)])
    corpus = read_corpus(tmp_path, hold_out_share=0.2)
    chunks = list(description_chunks(corpus, chars=300))
    assert len(chunks) % len(corpus.full) == 0
    assert len(chunks) < 100 * 5
    assert all(chunk.startswith("Sentence") and chunk.endswith(".") and len(chunk) >= 299 for chunk in chunks)


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
    with pytest.raises(CorpusError, match=r"no patents\*\.jsonl") as caught:
        read_corpus(tmp_path, hold_out_share=0.1)
    assert "docs/training.md" in caught.value.hint
    (tmp_path / "patents.jsonl").write_text('{"id": 1}\nnonsense\n')
    with pytest.raises(CorpusError, match=r"patents\.jsonl:2: not a JSON line"):
        list(read_lines(tmp_path / "patents.jsonl"))
    (tmp_path / "patents.jsonl").write_text("[]\n")
    with pytest.raises(CorpusError, match="a JSON object is expected"):
        list(read_lines(tmp_path / "patents.jsonl"))
    (tmp_path / "patents.jsonl.zst").write_bytes(b"not zstandard")
    with pytest.raises(CorpusError, match="cannot be read"):
        list(read_lines(tmp_path / "patents.jsonl.zst"))
    write(tmp_path, "patents.jsonl", [full(1)])
    (tmp_path / "patents.jsonl.zst").unlink()
    with pytest.raises(CorpusError, match="both are needed"):
        read_corpus(tmp_path, hold_out_share=0.0)
