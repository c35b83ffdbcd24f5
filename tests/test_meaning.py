"""What a log says must be possible: times that grow, ranges that are there, nothing said twice."""

from pathlib import Path

import facts
import pytest

from generator.base.errors import VerificationError
from generator.log import append as log
from generator.log.entries import Anchored, Closed, Dated, Disclosed, Entry, LeftOut, Opened, Superseded, Withdrawn
from generator.log.ledger import Ledger
from generator.log.meaning import fault

T1, T2, T3 = (f"2026-11-2{n}T03:17:00Z" for n in (1, 2, 3))
D = tuple(Disclosed(f"{n:064x}", 1) for n in range(9))
GONE, SOME = "0" * 64, "1" * 64

GOOD: dict[str, tuple[Entry, ...]] = {
    "empty": (),
    "two nights": (D[0], D[1], Dated(T1, ((0, 1),)), D[2], Dated(T2, ((3, 3),))),
    "a failed deploy": (D[0], Dated(T1, ((0, 0),)), D[1], Dated(T1, ((0, 2),), 1)),
    "three failed deploys": (D[0], *(Dated(T1, ((0, 0),), n or None) for n in range(3))),
    "a range over other entries": (D[0], D[1], Superseded(0, 1), D[2], Dated(T1, ((0, 3),))),
    "a chain of reviews": (D[0], D[1], Superseded(0, 1), D[2], Superseded(1, 3)),
    "withdrawn": (D[0], D[1], Withdrawn(0, "court-order", GONE), Withdrawn(1, "error", GONE)),
    "opened and closed": (Opened("a/log", 3, "A" * 43 + "="), D[0], Closed("b/log", "b+0+A")),
    "anchored": (D[0], Anchored((("stamps/1.tsr", GONE, 7),))),
    "left out, and more of the same run": (D[0], LeftOut("a", 2, GONE), LeftOut("b", 1, GONE), LeftOut("a", 3, SOME)),
    "withdrawn, then dated": (D[0], Withdrawn(0, "error", GONE), Dated(T1, ((0, 0),))),
}
BAD: dict[str, tuple[str, tuple[Entry, ...]]] = {
    "nothing left out": ("no record", (D[0], LeftOut("a", 0, GONE))),
    "fewer left out than before": ("before", (LeftOut("a", 2, GONE), LeftOut("b", 9, GONE), LeftOut("a", 1, SOME))),
    "as many left out, others": ("before", (LeftOut("a", 2, GONE), LeftOut("a", 2, SOME))),
    "left out twice": ("already", (LeftOut("a", 2, GONE), LeftOut("a", 2, GONE))),
    "an earlier time": ("lies before", (D[0], Dated(T2, ((0, 0),)), D[1], Dated(T1, ((2, 2),)))),
    "backdated by replacing": ("lies before", (D[0], Dated(T2, ((0, 0),)), Dated(T1, ((0, 0),), 1))),
    "before a replaced time": (
        "lies before",
        (D[0], Dated(T1, ((0, 0),)), Dated(T3, ((0, 0),), 1), Dated(T2, ((0, 0),), 2)),
    ),
    "a range beyond the log": ("beyond", (D[0], Dated(T1, ((0, 7),)))),
    "a range to the entry itself": ("beyond", (D[0], Dated(T1, ((0, 1),)))),
    "a range to a later disclosure": ("beyond", (D[0], Dated(T1, ((0, 2),)), D[1])),
    "a reversed range": ("no range", (D[0], D[1], Dated(T1, ((1, 0),)))),
    "ranges in disorder": ("no range", (D[0], D[1], Dated(T1, ((1, 1), (0, 0))))),
    "a range twice": ("no range", (D[0], Dated(T1, ((0, 0), (0, 0))))),
    "a range of no disclosure": ("begin and end", (D[0], Withdrawn(0, "error", GONE), Dated(T1, ((1, 1),)))),
    "dated twice": ("by entry 1 already", (D[0], Dated(T1, ((0, 0),)), Dated(T2, ((0, 0),)))),
    "replaces itself": ("not the newest", (D[0], Dated(T1, ((0, 0),), 1))),
    "replaces a disclosure": ("not the newest", (D[0], Dated(T1, ((0, 0),)), Dated(T1, ((0, 0),), 0))),
    "replaces what is to come": ("not the newest", (D[0], Dated(T1, ((0, 0),), 2), Dated(T1, ((0, 0),)))),
    "replaces an older deploy": (
        "not the newest",
        (D[0], Dated(T1, ((0, 0),)), D[1], Dated(T1, ((2, 2),)), Dated(T1, ((0, 0),), 1)),
    ),
    "replaces one twice": (
        "not the newest",
        (D[0], Dated(T1, ((0, 0),)), Dated(T1, ((0, 0),), 1), Dated(T1, ((0, 0),), 1)),
    ),
    "supersedes itself": ("supersedes itself", (D[0], Superseded(0, 0))),
    "supersedes nothing": ("no disclosure", (D[0], Superseded(0, 5))),
    "supersedes by what is to come": ("no disclosure", (D[0], Superseded(0, 2), D[1])),
    "superseded twice": ("already", (D[0], D[1], Superseded(0, 1), Superseded(0, 1))),
    "superseded when withdrawn": ("already", (D[0], D[1], Withdrawn(0, "error", GONE), Superseded(0, 1))),
    "withdraws nothing": ("no disclosure", (D[0], Withdrawn(4, "error", GONE))),
    "withdraws itself": ("no disclosure", (Withdrawn(0, "error", GONE),)),
    "withdraws an entry": ("no disclosure", (D[0], Dated(T1, ((0, 0),)), Withdrawn(1, "error", GONE))),
    "withdrawn before it was published": (
        "lies before",
        (D[0], Dated(T1, ((0, 0),)), Withdrawn(0, "error", GONE, "2020-01-01T00:00:00Z")),
    ),
    "withdrawn twice": ("already", (D[0], Withdrawn(0, "error", GONE), Withdrawn(0, "error", GONE))),
    "goes on when closed": ("closed", (Closed("b/log", "b+0+A"), D[0])),
    "opened in the middle": ("first entry", (D[0], Opened("a/log", 3, "A" * 43 + "="))),
    "anchors above the log": ("below log/", (D[0], Anchored((("../key", GONE, 7),)))),
    "anchors by an absolute path": ("below log/", (D[0], Anchored((("/etc/passwd", GONE, 7),)))),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_true_is_no_fault(name: str) -> None:
    assert fault(Ledger(GOOD[name])) == ""


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_true_is_named(name: str) -> None:
    why, entries = BAD[name]
    assert why in fault(Ledger(entries))
    assert fault(Ledger(entries)).startswith("entry ")


def test_a_deploy_that_became_public_may_not_be_replaced() -> None:
    entries = Ledger((D[0], Dated(T1, ((0, 0),)), Dated(T2, ((0, 0),), 1)))
    assert fault(entries) == ""
    assert "whose deploy became public" in fault(entries, {1})


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Dated("2020-11-22T03:17:00Z", ((0, 0),), 3)], "lies before"),
        ([Withdrawn(9, "error", GONE)], "withdraws entry 9"),
        ([Superseded(0, 0)], "supersedes itself"),
        ([Closed("b/log", "b+0+A"), Withdrawn(0, "error", GONE)], "closed, and goes on"),
    ],
)
def test_the_audit_of_a_signed_log_names_it(tmp_path: Path, entries: list[Entry], why: str) -> None:
    """Signed by the right key, past the check that stands before the signing."""
    facts.archive(tmp_path, 3, published=T3)
    log._stage(tmp_path, facts.ORIGIN, entries, [])
    log.commit(tmp_path, facts.key())
    with pytest.raises(VerificationError, match=f"meaning: entry 4: .*{why}"):
        facts.audit(tmp_path)
