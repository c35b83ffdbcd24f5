import contextlib

import pytest
from facts import SHA, TIME
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import LogError
from generator.log.entries import (
    Anchored,
    Closed,
    Dated,
    Disclosed,
    Entry,
    LeftOut,
    Opened,
    Superseded,
    Withdrawn,
    parse_entry,
)
from generator.log.ledger import Ledger

LATER = "2026-11-23T03:17:00Z"
ENTRIES: list[Entry] = [
    Disclosed(SHA, 4321),
    Dated(TIME, ((0, 24), (26, 26))),
    Dated(TIME, ((0, 24),), 25),
    Superseded(3, 90),
    Withdrawn(3, "court-order", SHA),
    Withdrawn(3, "privacy", SHA, "2026-11-22T03:17:00Z"),
    LeftOut("2026-12-01-00000001", 53, SHA),
    Anchored((("anchors/25/tsa.tsr", SHA, 2048), ("anchors/25/tsb.tsr", SHA, 2049))),
    Closed("example.org/log2", "example.org/log2+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
    Opened("example.org/log", 77, "A" * 43 + "="),
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_reads_back(entry: Entry) -> None:
    assert parse_entry(str(entry).encode()) == entry


@given(st.sampled_from(ENTRIES), st.integers(0, 400), st.integers(0, 255))
def test_a_changed_entry_is_another_or_refused(entry: Entry, place: int, byte: int) -> None:
    data = bytearray(str(entry).encode())
    data[place % len(data)] = byte
    with contextlib.suppress(LogError):
        assert str(parse_entry(bytes(data))).encode() == data


@pytest.mark.parametrize(
    "text",
    ["", "disclosure/v2\n", "disclosure/v1\nrecord sha256:00 5\n", str(ENTRIES[0])[:-1], str(ENTRIES[0]) + "\n",
     str(ENTRIES[0]).replace("4321", "04321"), "published/v1\ntime 2026-11-22\nleaves 0-1\n", "é/v1\n",
     f"left-out/v1\nrun ../x\nrecords 1 sha256:{SHA}\n", f"left-out/v1\nrun a\nrecords 01 sha256:{SHA}\n",
     f"left-out/v1\nrun {'a' * 81}\nrecords 1 sha256:{SHA}\n", f"left-out/v1\nrun a b\nrecords 1 sha256:{SHA}\n"],
)  # fmt: skip
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(LogError):
        parse_entry(text.encode())


def test_a_publication_time_is_the_first_that_was_not_replaced() -> None:
    log: list[Entry] = [Disclosed(SHA, 1), Disclosed(SHA, 2), Dated(TIME, ((0, 1),)), Disclosed(SHA, 3)]
    assert Ledger(tuple(log)).dated == {0: TIME, 1: TIME}
    log.append(Dated(LATER, ((0, 3),)))
    assert Ledger(tuple(log)).dated == {0: TIME, 1: TIME, 3: LATER}
    log.append(Dated("2026-11-24T03:17:00Z", ((0, 1),), 2))
    assert Ledger(tuple(log)).dated == {0: LATER, 1: LATER, 3: LATER}


def test_an_entry_dates_only_disclosures_before_it() -> None:
    log: list[Entry] = [Disclosed(SHA, 1), Dated(TIME, ((0, 10**14),)), Disclosed(SHA, 2)]
    assert Ledger(tuple(log)).dated == {0: TIME}
