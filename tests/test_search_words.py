"""The search page reads words by the program's own rules: both are asked about the same texts, in a real Chromium."""

import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import serve

from generator.base.words import FOLDS, fold, folds_script, words

ASSETS = Path(__file__).parent.parent / "site_templates" / "assets"
TEXTS = (
    "The user’s hand-grip; the users' lid, don't: O'Brien's 'quoted' word's",
    "5 µm, 5 μm, H₂O, CO₂, x², ﬁber, ﬂow, non‑slip, snap–fit, Straße, Øre, ½ inch, 10,000, 802.11ac, AT&T, C++",
    "İstanbul ΟΔΟΣ Ǆ ﬃ ℃ Ⅷ ㎏ 基板 が 각 किताब Kevlar™ soft\u00adhyphen zero\u200bwidth e\u0301tude",
    "",
    " \u2028\ufeff- ' `",
)


def assigned() -> list[str]:
    """Every character that this Python's Unicode knows, but surrogates and private ones."""
    return [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) not in {"Cn", "Cs", "Co"}]


def composed(seed: int) -> Iterator[str]:
    """Texts of characters drawn from everywhere, with letters, marks and apostrophes between them."""
    draw = random.Random(seed)
    pool = assigned()
    common = "abcXYZ019 -'’s‑µ²₂ﬁ\u0301\u00ad"
    for _ in range(2000):
        yield "".join(draw.choice(pool if draw.random() < 0.3 else common) for _ in range(draw.randrange(1, 30)))


@pytest.fixture(scope="module")
def reader(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("words")
    for name in ("search-words.js", "search-folds.js"):
        (folder / name).write_bytes((ASSETS / name).read_bytes())
    (folder / "index.html").write_text("<!doctype html><title>words</title>")
    with serve(folder) as server:
        opened = chromium.new_page()
        opened.goto(server.url + "index.html")
        yield opened
        opened.close()


def asked(reader: Any, name: str, texts: list[str]) -> list[Any]:
    program = "async ([name, texts]) => { const m = await import('./search-words.js'); return texts.map(m[name]); }"
    found: list[Any] = reader.evaluate(program, [name, texts])
    return found


def test_the_table_is_the_one_that_the_program_writes() -> None:
    assert (ASSETS / "search-folds.js").read_text(encoding="utf-8") == folds_script()
    assert FOLDS["‑"] == "-"
    assert FOLDS["ß"] == "ss"


def test_every_character_folds_to_the_same(reader: Any) -> None:
    characters = assigned()
    theirs = asked(reader, "foldSigns", characters)
    assert [(hex(ord(one)), fold(one), b) for one, b in zip(characters, theirs, strict=True) if fold(one) != b] == []


def test_every_text_has_the_same_words(reader: Any) -> None:
    texts = [*TEXTS, *composed(17)]
    theirs = asked(reader, "wordsIn", texts)
    assert [(text, words(text), b) for text, b in zip(texts, theirs, strict=True) if words(text) != b] == []


def test_what_a_reader_takes_for_the_same_word_is_one(reader: Any) -> None:
    same = "μm=µm H2O=H₂O fiber=ﬁber non-slip=non‑slip Strasse=Straße Ore=Øre bracket-tongue=bracket/tongue"
    pairs = [*(pair.split("=") for pair in same.split()), ("snap fit", "snap-fit"), ("I O port", "I/O port")]
    for one, other in pairs:
        assert asked(reader, "wordsIn", [one]) == asked(reader, "wordsIn", [other]) == [words(one)]
