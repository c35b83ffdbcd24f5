import contextlib
import hashlib
import json
import subprocess
import sys
import unicodedata
from dataclasses import fields
from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base import canonical
from generator.base.errors import RecordError
from generator.record.disclosure import Claim, Paragraph
from generator.record.record import MAX_BYTES, MAX_TEXT, Beacon, Generation, Record
from generator.record.unicode_version import unassigned

DOCS = Path(__file__).parents[1] / "docs" / "record-format.md"


def value_of(record: Record) -> dict:  # type: ignore[type-arg]
    return json.loads(record.to_bytes())  # type: ignore[no-any-return]


def test_written_and_read_back_are_the_same_bytes() -> None:
    record = facts.record(5)
    data = record.to_bytes()
    assert Record.from_bytes(data) == record
    assert Record.from_bytes(data).to_bytes() == data
    assert record.sha256 == hashlib.sha256(data).hexdigest()


def test_the_published_line_of_the_standard_library_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "5.json"
    path.write_bytes(facts.record(5).to_bytes())
    line = (
        "import json,sys; v=json.load(open(sys.argv[1],encoding='utf-8')); sys.stdout.buffer.write("
        'json.dumps(v, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())'
    )
    assert 'json.dumps(v, sort_keys=True, ensure_ascii=False, separators=(",", ":"))' in DOCS.read_text("utf-8")
    result = subprocess.run([sys.executable, "-c", line, path], capture_output=True, check=True)
    assert result.stdout == path.read_bytes()


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_any_changed_byte_changes_the_digest_or_is_refused(place: int, byte: int) -> None:
    data = bytearray(facts.record(1).to_bytes())
    place %= len(data)
    if data[place] == byte:
        return
    data[place] = byte
    with contextlib.suppress(RecordError):
        assert Record.from_bytes(bytes(data)).sha256 != facts.record(1).sha256


@pytest.mark.parametrize("place", ["", "generation", "claims.0", "description.0"])
def test_unknown_and_missing_members_are_refused(place: str) -> None:
    def at(value: dict, path: str) -> dict:  # type: ignore[type-arg]
        for part in filter(None, path.split(".")):
            value = value[int(part)] if part.isdecimal() else value[part]  # type: ignore[index]
        return value

    value = value_of(facts.record())
    at(value, place)["surprise"] = 1
    with pytest.raises(RecordError, match="unknown member surprise"):
        Record.from_bytes(canonical.dumps(value))
    for name in at(value_of(facts.record()), place):
        value = value_of(facts.record())
        del at(value, place)[name]
        with pytest.raises(RecordError, match=f"missing member {name}"):
            Record.from_bytes(canonical.dumps(value))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("schema", "prior-art-record/v3"),
        ("schema", "prior-art-record/v1 "),
        ("schema", 2),
        ("unicode", "15.0"),
        ("created_at", "2026-02-30T03:17:00Z"),
        ("created_at", "2025-02-29T03:17:00Z"),
        ("created_at", "0000-01-01T00:00:00Z"),
        ("created_at", "2026-11-22T03:17:60Z"),
        ("created_at", "\u0662\u0660\u0662\u0666-11-22T03:17:00Z"),
        ("title", "\u2003padded"),
        ("title", ""),
        ("title", "x" * 501),
        ("title", "two\nlines"),
        ("title", " padded"),
        ("abstract", "x" * (MAX_TEXT + 1)),
        ("claims", []),
        ("language", "English"),
        ("created_at", "2026-13-01T00:00:00Z"),
        ("created_at", "2026-11-22T03:17:00+01:00"),
        ("license", "MIT"),
        ("ai_generated", False),
        ("salt", "00"),
        ("publisher", 5),
        ("generation", []),
    ],
)
def test_malformed_members_are_refused(name: str, bad: object) -> None:
    value = value_of(facts.record())
    value[name] = bad
    with pytest.raises(RecordError, match=f"record.{name}"):
        Record.from_bytes(canonical.dumps(value))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("weights_sha256", "XYZ"),
        ("seed", "7"),
        ("direction", "sideways"),
        ("stop", "bored"),
        ("sampling", ["0.8"]),
        ("sampling", {"temperature": 8}),
        ("new_tokens", -1),
        ("new_tokens", True),
        ("removed_claims", [3, 2]),
        ("demonstration", 1),
        ("adapter_sha256", "00"),
        ("topic_symbols", "B62J"),
        ("topic_symbols", ["b62j"]),
        ("topic_symbols", ["Z99"]),
        ("topic_rule", "by chance"),
    ],
)
def test_malformed_members_of_generation_are_refused(name: str, bad: object) -> None:
    value = value_of(facts.record())
    value["generation"][name] = bad
    with pytest.raises(RecordError, match=f"record.generation.{name}"):
        Record.from_bytes(canonical.dumps(value))


@pytest.mark.parametrize(
    "claims",
    [
        (Claim(2, "A thing comprising a part."),),
        (Claim(1, "A thing comprising a part.", (1,)),),
        (Claim(1, "A thing comprising a part."), Claim(2, "The thing of claim 1.", (1, 1))),
        (Claim(1, "A thing comprising a part."), Claim(2, "The thing of claim 3.", (3,))),
    ],
)
def test_claims_are_numbered_and_depend_on_earlier_ones(claims: tuple[Claim, ...]) -> None:
    with pytest.raises(RecordError, match=r"record\.claims"):
        facts.record(disclosure=facts.disclosure(claims=claims)).to_bytes()


def test_text_that_could_mislead_a_reader_is_refused() -> None:
    for text, reason in (("left\u202eright", "direction mark"), ("bell\x07", "control"), ("a\ud800", "surrogate")):
        with pytest.raises(RecordError, match=reason):
            facts.record(disclosure=facts.disclosure(abstract=text)).to_bytes()


def test_version_1_is_read_and_written_as_before() -> None:
    old = facts.record(3, version=1)
    value = value_of(old)
    assert value["schema"] == "prior-art-record/v1"
    assert not {"unicode", "beacon", "contributor"} & value.keys()
    assert not {"adapter_sha256", "topic_symbols", "topic_rule"} & value["generation"].keys()
    assert Record.from_bytes(old.to_bytes()) == old
    for changes in (
        {"contributor": "A. Person"},
        {"beacon": Beacon("drand quicknet", 7, "ab")},
        {"generation": facts.generation(adapter_sha256=facts.SHA)},
        {"generation": facts.generation(topic_symbols=("B62J",))},
        {"generation": facts.generation(topic_rule="publisher-list")},
    ):
        with pytest.raises(RecordError, match="version 1 of the format has no"):
            facts.record(3, version=1, **changes).to_bytes()
    with pytest.raises(RecordError, match=r"record\.schema"):
        facts.record(3, version=3).to_bytes()
    value["unicode"] = "14.0"
    with pytest.raises(RecordError, match="unknown member unicode"):
        Record.from_bytes(canonical.dumps(value))


def test_what_version_2_adds_is_written_and_read() -> None:
    made = facts.generation(adapter_sha256=facts.SHA, topic_symbols=("B62J", "A47C1/00"), topic_rule="publisher-list")
    new = facts.record(3, beacon=Beacon("drand quicknet", 7, "ab"), contributor="A. Person", generation=made)
    assert Record.from_bytes(new.to_bytes()) == new
    assert value_of(new)["beacon"] == {"source": "drand quicknet", "round": 7, "value": "ab"}
    assert not {"beacon", "contributor"} & value_of(facts.record(3)).keys()


@pytest.mark.parametrize(
    ("name", "bad"),
    [("contributor", ""), ("contributor", "two\nlines"), ("beacon", []), ("beacon", {"source": "a", "round": 1})]
    + [("beacon", {"source": "a", "round": n, "value": v}) for n, v in ((-1, "ab"), (1, ""), (1, "AB"), ("1", "ab"))],
)
def test_malformed_optional_members_are_refused(name: str, bad: object) -> None:
    value = value_of(facts.record())
    value[name] = bad
    with pytest.raises(RecordError, match=rf"record\.{name}"):
        Record.from_bytes(canonical.dumps(value))


@pytest.mark.parametrize("character", ["\U0001fae8", "\u0cf3", "\U0001e4ec", "\U00031350", "\u0378", "\U000e0000"])
@pytest.mark.parametrize("place", ["title", "claims", "publisher", "prompt", "sampling"])
def test_what_unicode_14_does_not_assign_is_refused_everywhere(place: str, character: str) -> None:
    """Characters of Unicode 15, 15.1 and later, and some of none: the answer is that of every Python."""
    value = value_of(facts.record())
    text = f"hinge {character} bracket"
    if place == "claims":
        value["claims"][1]["text"] = text
    elif place in ("prompt", "sampling"):
        value["generation"][place] = text if place == "prompt" else {"note": text}
    else:
        value[place] = text
    with pytest.raises(RecordError, match=f"Unicode 14.0 does not assign U\\+{ord(character):04X}"):
        Record.from_bytes(canonical.dumps(value))


def test_the_table_is_that_of_unicode_14() -> None:
    """Against Python's own, which may be newer: what 14.0 assigns stays assigned, and only Python 3.11 has 14.0."""
    assigned = [n for n in range(0x110000) if unicodedata.category(chr(n)) != "Cn"]
    ours = [n for n in range(0x110000) if not 0xD800 <= n < 0xE000 and not unassigned(chr(n))]
    known = set(assigned)
    assert known.issuperset(ours)
    assert len(ours) == 144_697 + 137_468 + 65  # graphic and format characters; private use; control codes
    if unicodedata.unidata_version == "14.0.0":
        assert known - set(range(0xD800, 0xE000)) == set(ours)


def test_a_record_has_at_most_a_mebibyte() -> None:
    description = tuple(Paragraph("model", "x" * MAX_TEXT) for _ in range(60))
    with pytest.raises(RecordError, match=f"more than {MAX_BYTES}"):
        facts.record(disclosure=facts.disclosure(description=description)).to_bytes()


def test_the_document_names_every_member() -> None:
    text = DOCS.read_text("utf-8")
    names = [*value_of(facts.record()), *(field.name for field in fields(Generation)), "origin", "text", "depends_on"]
    assert [name for name in names if f"`{name}`" not in text] == []
