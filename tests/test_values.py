"""The one reader of values from JSON and TOML: what it makes, and the place of each fault."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.values import Faults, member, read


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    count: int
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True)
class Whole:
    parts: tuple[Part, ...]
    pair: tuple[str, int]
    share: float
    by_name: dict[str, int]
    flag: bool = False
    note: str | None = None
    anything: Any = None
    objects: tuple[dict[str, int], ...] = ()
    even: int = member("an even number", lambda number: number % 2 == 0, default=0)


GOOD = {"parts": [{"name": "x", "count": 1}], "pair": ["y", 2], "share": 1, "by_name": {"z": 3}}


def test_a_value_is_made() -> None:
    made = read(Whole, GOOD)
    assert made == Whole((Part("x", 1),), ("y", 2), 1.0, {"z": 3})
    assert type(made.share) is float
    assert read(Whole, {**GOOD, "note": "n", "anything": [None], "flag": True}).note == "n"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"parts": [{"name": "x"}]}, "top.parts[0].count: missing"),
        ({"parts": [{"name": "x", "count": 1}, {"name": 5, "count": 1}]}, "top.parts[1].name: '5': text is expected"),
        ({"parts": [{"name": "x", "count": True}]}, "top.parts[0].count: 'True': a whole number is expected"),
        ({"parts": [{"name": "x", "count": 1.0}]}, "top.parts[0].count: '1.0': a whole number is expected"),
        ({"parts": [{"name": "x", "count": 1, "kind": "c"}]}, "top.parts[0].kind: 'c': 'a' or 'b' is expected"),
        ({"parts": {}}, "top.parts: '{}': an array is expected"),
        ({"objects": {}}, "top.objects: '{}': an array is expected"),
        ({"even": 3}, "top.even: '3': an even number is expected"),
        ({"parts": "ab"}, "top.parts: 'ab': an array is expected"),
        ({"parts": [7]}, "top.parts[0]: '7': an object is expected"),
        ({"pair": ["y"]}, "top.pair: 1 values, 2 are expected"),
        ({"pair": ["y", "z"]}, "top.pair[1]: 'z': a whole number is expected"),
        ({"share": 10**400}, f"top.share: '1{'0' * 59}': a number is expected"),
        ({"share": "1"}, "top.share: '1': a number is expected"),
        ({"share": True}, "top.share: 'True': a number is expected"),
        ({"by_name": {"z": "3"}}, "top.by_name.z: '3': a whole number is expected"),
        ({"by_name": []}, "top.by_name: '[]': an object is expected"),
        ({"flag": 1}, "top.flag: '1': true or false is expected"),
        ({"note": 1}, "top.note: '1': text is expected"),
        ({"other": 1}, "top.other: not known"),
    ],
)
def test_a_fault_is_told_with_its_place(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(Faults) as caught:
        read(Whole, {**GOOD, **change}, "top")
    (said,) = caught.value.faults
    assert said.startswith(fault)


def test_an_object_is_read_as_pairs() -> None:
    kind = tuple[tuple[str, float], ...]
    assert read(kind, {"b": 1, "a": 0.5}) == (("b", 1.0), ("a", 0.5))
    with pytest.raises(Faults, match=r"mix\.a: 'much': a number is expected"):
        read(kind, {"b": 1, "a": "much"}, "mix")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Faults) as caught:
        read(Whole, {"parts": [{"count": "1"}], "pair": [1, "2"], "by_name": {}, "odd": 0})
    places = [fault.partition(":")[0] for fault in caught.value.faults]
    assert sorted(places) == ["odd", "pair[0]", "pair[1]", "parts[0].count", "parts[0].name", "share"]


@pytest.mark.parametrize("value", [None, 3, "text", [], [1]])
def test_what_is_no_object_is_told(value: Any) -> None:
    with pytest.raises(Faults, match=r"the whole: .* an object is expected"):
        read(Part, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "name", "count"]), inner),
)


@given(JSON)
def test_any_value_is_read_or_refused(value: Any) -> None:
    try:
        made = read(Whole, value)
    except Faults:
        return  # no other exception
    assert isinstance(value, Mapping)
    assert isinstance(made, Whole)
