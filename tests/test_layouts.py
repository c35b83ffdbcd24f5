"""The one reader of layouts: sections and claims of whole texts, and of texts that are still being written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.judge.copying import _settled
from generator.judge.parsing import Parsed, parse
from generator.record.layouts import (
    CLAIMS,
    DIRECTIONS,
    HEAD,
    ORDER,
    Direction,
    before_claims,
    claims,
    newest,
    sections,
    write_layout,
)

LINE = st.text("ab 1.#\n\t", max_size=30)
PIECES = ("# Patent", "## Title", "## Claims", "\n", "\n\n", "\n \n", "1. ", "23. ", "ab c")
TEXT = st.lists(st.sampled_from(PIECES)).map("".join)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_the_layout_writes_is_read(direction: Direction) -> None:
    said = ["A valve.", "The valve of claim 1, which is 2. 5 mm wide.", "A third.\n\nOf two paragraphs."]
    text = write_layout(direction, "Valve", "An abstract.", said)
    read = {section.name: section for section in sections(text, whole=True)}
    assert tuple(read) == (HEAD, *ORDER[direction])
    assert all(section.whole for section in read.values())
    found = claims(text, read[CLAIMS])
    assert [(one.name, one.body(text).strip()) for one in found] == [(str(n), t) for n, t in enumerate(said, 1)]
    assert before_claims(text, read[CLAIMS]) == ""


@given(TEXT, TEXT)
def test_what_is_whole_stays_as_it_is_whatever_follows(begun: str, more: str) -> None:
    early, late = sections(begun, whole=False), sections(begun + more, whole=False)
    for one, same in zip(early, late, strict=False):
        assert (one.name, one.at, one.start) == (same.name, same.at, same.start)
        if one.whole:
            assert one == same
        for claim, again in zip(claims(begun, one), claims(begun + more, same), strict=False):
            assert claim.name == again.name
            if claim.whole:
                assert claim == again
    assert len(early) <= len(late)


@given(LINE)
def test_parts_lie_in_their_text_in_order(text: str) -> None:
    for section in sections(text, whole=True):
        assert text[section.at : section.start].rstrip() == section.name
        last = section.start
        for claim in claims(text, section):
            assert last <= claim.at < claim.start <= claim.end <= section.end
            assert text[claim.at : claim.start].strip() == f"{claim.name}."
            last = claim.end


STARTS = ["{}\n\n2. ", "{}\n \n2. ", "{}\n\t\n2. ", "{}\n\n\n2. ", "{}\n \n \n2. ", "{}\n\n \n\n2. "]


@pytest.mark.parametrize("start", STARTS)
def test_parser_copies_and_reader_see_the_same_claims(start: str) -> None:
    first = " ".join(f"word{n}" for n in range(30))
    body = start.format(f"1. {first}") + "The second one.\n\n"
    text = f"# Patent\n\n## Claims\n\n{body}## Abstract\nShort.\n\n## Title\nTitle"
    parsed = parse(text, "bottom-up", "end")
    assert isinstance(parsed, Parsed)
    assert [claim.text for claim in parsed.disclosure.claims] == [first, "The second one."]
    pieces = list(_settled(text))
    assert pieces[0] == first.split()


@pytest.mark.parametrize(
    "words", ["see\n2. that", "see 2. that", "see\n\n2.that", "see\n\n12345. that", "see\n\n 2. that"]
)
def test_other_numbers_begin_no_claim(words: str) -> None:
    text = f"# Patent\n\n## Claims\n\n1. A valve, {words}"
    assert [one.name for one in claims(text, sections(text, whole=True)[-1])] == ["1"]


def test_the_newest_patent_is_the_one_that_is_written() -> None:
    one = write_layout("top-down", "A", "B.", ["C."])
    assert newest(f"{one}\n\n{one}") == one
    assert newest("no head") == "no head"
    assert newest(f"{one}\n\n{HEAD}\n\n") == f"{HEAD}\n\n"


@pytest.mark.parametrize("piece", ["\n", " \n", "\n ", "#\n", "\n\n1. ", "1", "# Patent\n"])
def test_reading_takes_time_linear_in_the_text(piece: str) -> None:
    text = "## Claims\n" + piece * (400_000 // len(piece))
    began = time.process_time()
    for section in sections(text, whole=False)[:3]:
        claims(text, section)
    assert time.process_time() - began < 5
