"""Raising a review: a new disclosure, joined to the old one in the log and on the pages; every step can be killed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from browsing import Links
from facts import archive, key, queue, record
from site_fixture import build_site

from generator.base import files
from generator.base.errors import ConfigError, LogError
from generator.log import append
from generator.log import archive as reading
from generator.log.entries import Disclosed, Superseded, Withdrawn
from generator.log.ledger import Ledger
from generator.log.superseding import SUFFIX, queue_review
from generator.publish import facts_branch
from generator.publish.facts_branch import Branch

BY = "Ada Example, mechanical engineer"


def check(output: Path) -> None:
    assert facts.audit(output)


def raised(output: Path) -> None:
    """Disclosure 1 is superseded by the last disclosure, once, and nothing waits."""
    check(output)
    entries = facts.entries(output)
    new = max(index for index, entry in entries if isinstance(entry, Disclosed))
    assert [entry for _, entry in entries if isinstance(entry, Superseded)] == [Superseded(1, new)]
    logged = {item.serial: item for item in facts.logged(output, 0)}
    assert logged[new].record == replace(logged[1].record, review=BY)
    assert (logged[1].superseded_by, logged[1].supersedes) == (new, None)
    assert (logged[new].superseded_by, logged[new].supersedes) == (None, 1)
    assert logged[new].findings == logged[1].findings
    assert not list((output / "queue").iterdir())


def test_both_enter_the_log_in_one_batch(tmp_path: Path) -> None:
    archive(tmp_path, 3)
    assert queue_review(tmp_path, 1, BY) == (tmp_path / "queue" / "review-000000001.json", None)
    queue(tmp_path, range(3, 5))
    facts.append(tmp_path)
    raised(tmp_path)
    assert [str(entry).split("/")[0] for _, entry in facts.entries(tmp_path)] == [*["disclosure"] * 6, "supersede"]
    assert queue_review(tmp_path, 1, BY) == (tmp_path / "queue" / "review-000000001.json", 5)
    assert not list((tmp_path / "queue").iterdir())


@pytest.mark.parametrize("persisted", [False, True])
def test_a_fault_at_any_write_is_recovered_by_the_same_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, persisted: bool
) -> None:
    """Every write and every unlink of both commands fails once: before it took effect, and after."""
    archive(tmp_path / "original", 3)
    real_write, real_unlink = files.write, Path.unlink
    for fault in range(1, 60):
        output = tmp_path / "copy"
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(tmp_path / "original", output)
        count = 0

        def broken(real: Callable[..., None], fault: int = fault) -> Callable[..., None]:
            def call(*args: object, **options: object) -> None:
                nonlocal count
                count += 1
                if count == fault and not persisted:
                    raise KeyboardInterrupt
                real(*args, **options)
                if count == fault:
                    raise KeyboardInterrupt

            return call

        monkeypatch.setattr(files, "write", broken(real_write))
        monkeypatch.setattr(Path, "unlink", broken(real_unlink))
        try:
            queue_review(output, 1, BY)
            facts.append(output)
            done = True
        except KeyboardInterrupt:
            done = False
        monkeypatch.undo()
        queue_review(output, 1, BY)
        facts.append(output)
        raised(output)
        if done:
            assert fault > 12
            return
    pytest.fail("the batch never came to its end")


def test_a_real_kill_while_the_batch_is_written(tmp_path: Path) -> None:
    archive(tmp_path, 3)
    queue_review(tmp_path, 1, BY)
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nimport facts\nfrom generator.base import files\n"
        "real, count = files.write, 0\n"
        "def write(path, data, **options):\n"
        "    global count\n    count += 1\n    real(path, data, **options)\n"
        "    if count == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write = write\nfacts.append(Path(sys.argv[1]))\n"
    )
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{here.parent}"}
    for count in (1, 4, 7):
        output = tmp_path / f"killed-{count}"
        shutil.copytree(tmp_path, output, ignore=shutil.ignore_patterns("killed-*"))
        done = subprocess.run([sys.executable, "-c", program, str(output), str(count)], env=environment)
        assert done.returncode == -signal.SIGKILL
        facts.append(output)
        raised(output)


def test_what_cannot_be_superseded_is_refused(tmp_path: Path) -> None:
    archive(tmp_path, 3)
    for serial in (3, 99):
        with pytest.raises(LogError, match=f"entry {serial} of the log is no disclosure"):
            queue_review(tmp_path, serial, BY)
    for name in ("", "two\nlines", "x" * 201, " space "):
        with pytest.raises(ConfigError, match=r"record\.review"):
            queue_review(tmp_path, 1, name)
    with pytest.raises(ConfigError, match="already says"):
        queue_review(tmp_path, 1, "machine-checked")
    queue_review(tmp_path, 1, BY)
    with pytest.raises(LogError, match="waits already"):
        queue_review(tmp_path, 1, "Somebody else")
    facts.append(tmp_path)
    with pytest.raises(LogError, match="superseded by disclosure 3 already") as caught:
        queue_review(tmp_path, 1, "Somebody else")
    assert "name disclosure 3" in caught.value.hint
    with pytest.raises(LogError, match="entry 4 of the log is no disclosure"):
        queue_review(tmp_path, 4, BY)
    queue_review(tmp_path, 3, "Somebody else")
    facts.append(tmp_path)
    assert reading.read_ledger(tmp_path).superseded == {1: 3, 3: 5}


def test_a_withdrawn_disclosure_is_not_raised(tmp_path: Path) -> None:
    archive(tmp_path, 3)
    facts.add(tmp_path, Withdrawn(1, "court-order", "0" * 64))
    with pytest.raises(LogError, match="disclosure 1 is withdrawn"):
        queue_review(tmp_path, 1, BY)


@pytest.mark.parametrize("named", [b'{"leaf":1}', b'{"leaf":-1}', b'{"leaf":3}', b"{}"])
def test_a_queued_record_that_supersedes_wrongly_is_set_aside(tmp_path: Path, named: bytes) -> None:
    archive(tmp_path, 3)
    queue_review(tmp_path, 1, BY)
    (tmp_path / f"queue/review-x{SUFFIX}").write_bytes(named)
    (tmp_path / "queue/review-x.json").write_bytes(replace(record(1), review="Another").to_bytes())
    facts.append(tmp_path)
    raised(tmp_path)
    assert {path.name for path in (tmp_path / "set-aside").iterdir()} == {
        f"review-x{ending}" for ending in (".json", SUFFIX, ".reason.txt")
    }


def test_entries_that_name_no_two_earlier_disclosures_do_not_count() -> None:
    entries = [
        Disclosed("0" * 64, 1),
        Disclosed("1" * 64, 1),
        Superseded(0, 3),
        Disclosed("2" * 64, 1),
        Superseded(1, 1),
    ]
    assert Ledger(tuple(entries)).superseded == {}
    entries += [Superseded(0, 1), Superseded(0, 3), Superseded(3, 5)]
    assert Ledger(tuple(entries)).superseded == {0: 1}


def test_both_pages_name_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "VOLUME", 4)
    output, docs = tmp_path / "output", tmp_path / "docs"
    docs.mkdir()
    (docs / "about.md").write_text("# How we publish\n")
    archive(output, 5, published="2026-11-22T03:17:00Z")
    assert build_site(output, docs=docs).rebuilt == (0, 1)
    queue_review(output, 1, BY)
    facts.append(output)
    assert build_site(output, docs=docs).rebuilt == (0, 1)
    site = output / "site"
    old, new = (site / "d/0/1.html").read_text(), (site / "d/1/6.html").read_text()
    assert "<strong>Superseded</strong> by" in old
    assert "../1/6.html" in Links(old).links
    assert "PAP-0000006" in old
    assert "This <strong>supersedes</strong>" in new
    assert "../0/1.html" in Links(new).links
    assert f'reviewed: <span data-fact="review">{BY}</span>' in new
    assert "press-supersede" not in (site / "d/0/2.html").read_text()
    assert "superseded_by:" in (site / "d/0/1.md").read_text()
    assert build_site(output, docs=docs).rebuilt == ()
    facts.add(output, Withdrawn(6, "court-order", "0" * 64))
    assert build_site(output, docs=docs).rebuilt == (0, 1)
    assert "press-supersede" not in (site / "d/0/1.html").read_text()


def test_two_publishers_raise_the_same_disclosure(tmp_path: Path) -> None:
    """The second of the same review is dropped, another review is refused: the log holds one succession."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)

    def land(name: str) -> None:
        output = tmp_path / name
        branch = Branch(output, str(remote), "publication")
        facts_branch.land(
            output,
            key(),
            lambda known: append.stage_queue(output, key().name, known, now=facts.LATE),
            branch=branch,
            report=lambda _: None,
        )

    queue(tmp_path / "a", range(3))
    for name in ("a", "b", "c"):
        land(name)
    for name, by in (("a", BY), ("b", BY), ("c", "Somebody else")):
        queue_review(tmp_path / name, 1, by)
    land("a")
    land("b")
    for name in ("a", "b"):
        raised(tmp_path / name)
    land("c")
    assert not list((tmp_path / "c" / "queue").iterdir())
    (reason,) = (tmp_path / "c" / "set-aside").glob("*.reason.txt")
    assert "superseded by disclosure 3 already" in reason.read_text()
