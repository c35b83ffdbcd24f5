import contextlib
import json
import unicodedata
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from generator.base import canonical
from generator.base.errors import RecordError

VECTORS = Path(__file__).parent / "cases" / "vectors" / "jcs"

text = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n")).map(
    lambda s: unicodedata.normalize("NFC", s)
)
text = text.filter(lambda s: not canonical.text_problem(s))
values = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_equals_rfc8785_and_reads_back(value: object) -> None:
    data = canonical.dumps(value)
    assert data == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert data.decode() == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert canonical.loads(data) == value


@given(st.binary(max_size=60) | text.map(str.encode))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    with contextlib.suppress(RecordError):
        assert canonical.dumps(canonical.loads(data)) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1.0}', "no integer"),
        (b'{"a":1e3}', "no integer"),
        (b'{"a":NaN}', "no integer"),
        (b'{"a":null}', "null"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"b":1,"a":2}', "not the canonical"),
        (b'{"a": 1}', "not the canonical"),
        (b'{"a":1}\n', "not the canonical"),
        (b'{"a":"\\u0041"}', "not the canonical"),
        (b'{"A":1}', "not of the form"),
        (b'{"a":9007199254740992}', "exceeds"),
        (b'{"a":"\\ud800"}', "lone surrogate"),
        ('{"a":"e\u0301"}'.encode(), "normalisation form C"),
        ('{"a":"\u202e"}'.encode(), "direction mark"),
        (b'{"a":"\\u0007"}', "control character"),
        (b'{"a":"\xff"}', "not JSON in UTF-8"),
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON|deep"),
        (b"[" * 20 + b"]" * 20, "deep"),
    ],
)
def test_what_the_subset_forbids(data: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        canonical.loads(data)


def test_jcs_vectors() -> None:
    """Those of the six within the subset give the published bytes; the others are refused for what they hold."""
    one_line = {}
    reasons = {}
    for path in sorted((VECTORS / "input").iterdir()):
        value = json.loads(path.read_text(encoding="utf-8"))
        expected = (VECTORS / "output" / path.name).read_bytes()
        assert expected.hex() == "".join((VECTORS / "outhex" / f"{path.stem}.txt").read_text().split())
        with pytest.raises(RecordError) as caught:
            canonical.dumps(value)
        reasons[path.stem] = str(caught.value)
        line = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        one_line[path.stem] = line.encode() == expected
    # Each of the six holds something that the subset forbids ...
    assert "null" in reasons["arrays"]
    for name in ("french", "structures", "unicode", "weird"):
        assert "is not of the form [a-z0-9_]+" in reasons[name]
    assert "float" in reasons["values"]
    # ... and the one-line form is RFC 8785 for all but whole floats (56.0) and keys beyond the basic plane.
    assert one_line == {
        "arrays": True, "french": True, "structures": False, "unicode": True, "values": True, "weird": False
    }  # fmt: skip


def test_numbers_within_the_subset_of_the_vectors() -> None:
    """What is left of structures.json and values.json once floats, null and other keys are taken out."""
    value = {"10": {}, "a": {}, "111": [{"e": "yes"}], "string": "€$", "literals": [True, False], "n": [-5, 56]}
    assert canonical.dumps(value) == rfc8785.dumps(value)
