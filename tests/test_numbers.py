"""Numbers of disclosures: the command and the search page read the same forms."""

import pytest
from test_search_operators import ASSETS, node

from generator.record.numbers import serial_of

FORMS = {
    "PAP-0000003": 3, "pap-3": 3, " PAP-0000003 ": 3, "0000003": 3, "0000000": 0, "press.example/log#3": 3,
    "press.example/log#0": 0, "1234567": 1234567, "DEMO-0000003": None, "other.example/log#3": None, "PAP0000003": None,
    "PAP-": None, "PAP-3a": None, "press.example/log#03": None, "press.example/log#": None, "#3": None, "three": None,
    "٣": None, "PAP-٠٠٠٠٠٠٣": None, "-3": None, "3.5": None, "": None, "PAP-" + "9" * 16: None, "9" * 16: None,
    "3.json": None, "d/0/3.html": None,
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_a_number_in_each_form(text: str) -> None:
    assert serial_of(text, "PAP", "press.example/log") == FORMS[text]


def test_the_search_page_reads_the_same_forms() -> None:
    script = (
        f"import {{ numberOf }} from 'file://{ASSETS}/search-number.js';"
        "answer(input.map((text) => numberOf(text, 'PAP', 'press.example/log')));"
    )
    assert dict(zip(FORMS, node(script, list(FORMS)), strict=True)) == FORMS


def test_a_short_number_without_prefix_is_a_word_of_a_search() -> None:
    assert serial_of("3", "PAP", "press.example/log") == 3
    script = (
        f"import {{ numberOf, hashOf, symbolOf }} from 'file://{ASSETS}/search-number.js';"
        "answer([numberOf('3', 'PAP'), numberOf('802', 'PAP'), hashOf('deadbeef'), hashOf('12345678'),"
        "hashOf('a1b2c3d4'), hashOf('a1b2c3'), symbolOf('a61k'), symbolOf('A61K 31/00'),"
        "symbolOf('A61 31/00'), symbolOf('Z99'), symbolOf('A61')]);"
    )
    assert node(script, None) == [
        None, None, None, None, "a1b2c3d4", None, {"symbol": "A61K", "exact": True}, {"symbol": "A61K", "exact": False},
        None, None, {"symbol": "A61", "exact": True},
    ]  # fmt: skip
