"""The picture of coverage: well-formed, every disclosure counted in its month and section, nothing where nothing is."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from generator.site.coverage import MONTHS, SECTIONS, picture

COUNTS = st.lists(
    st.tuples(
        st.builds("{:04d}-{:02d}".format, st.integers(2024, 2031), st.integers(1, 12)),
        st.sampled_from([*SECTIONS, "Q"]),
        st.integers(1, 8192),
    ),
    min_size=1,
    max_size=40,
)


def test_without_a_publication_there_is_no_picture() -> None:
    assert picture([]) == ""


@given(COUNTS)
def test_the_sums_are_those_of_the_last_twelve_months(counts: list[tuple[str, str, int]]) -> None:
    root = ElementTree.fromstring(picture(counts))
    last = max(month for month, _, _ in counts)
    number = int(last[:4]) * 12 + int(last[5:])
    shown = sum(n for month, _, n in counts if int(month[:4]) * 12 + int(month[5:]) > number - MONTHS)
    sums = [text.text or "" for text in root.iter("text") if text.get("text-anchor") == "end"]
    assert sum(int(text.replace(",", "")) for text in sums) == shown
    titles = [circle.findtext("title", "") for circle in root.iter("circle")]
    assert len(titles) == len(set(titles))
    assert all(0 < float(circle.get("r", "0")) <= 12 for circle in root.iter("circle"))


def test_a_year_turns() -> None:
    root = ElementTree.fromstring(picture([("2027-01", "A", 3), ("2026-12", "", 1)]))
    names = [text.text for text in root.iter("text") if text.get("text-anchor") == "middle"]
    assert (names[0], names[-2:]) == ("Feb 26", ["Dec", "Jan 27"])
    assert [circle.findtext("title") for circle in root.iter("circle")] == [
        "A Human necessities, 2027-01: 3 disclosures",
        "Unclassified, 2026-12: 1 disclosure",
    ]
