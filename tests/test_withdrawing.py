"""A text that is withdrawn: what stays, and that no file and no commit holds five words in a row of it."""

import gzip
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import facts
import judgements
import nights
import pytest

from generator.base import files
from generator.base.errors import ConfigError, LogError, PressError, VerificationError
from generator.base.publication import Outcome, Publication
from generator.commands.nightly import append, check, publish
from generator.commands.verify import verify
from generator.commands.withdraw import withdraw
from generator.log.archive import own, read_ledger, record_path, unnumbered
from generator.log.entries import Withdrawn
from generator.publish import facts_branch
from generator.publish.traces import holds, sequences
from generator.record.disclosure import Claim, Paragraph
from generator.record.judgement import Copying, Element, Neighbour
from generator.record.record import Record

NIGHT = 30
NOTICE = "Please remove my name.\n"
DIGEST = hashlib.sha256(NOTICE.encode()).hexdigest()
SECRET = facts.record(
    1,
    disclosure=facts.disclosure(
        1,
        title="Teapot warmer of Ottilie Quimby from Nether Wallop",
        abstract="Ottilie Quimby of seven Mill Lane warms a teapot by glowing beetles that sing quietly.",
        description=(
            Paragraph("model", "Glowing beetles sing under the teapot while Quimby counts forty turnips."),
            Paragraph("restated", "In one embodiment, the beetles are kept in a silver thimble (claim 1)."),
        ),
        claims=(Claim(1, "A teapot warmer comprising singing beetles that glow beneath a thimble of silver."),),
    ),
)
TEXTS = sequences(
    (SECRET.disclosure.title, SECRET.disclosure.abstract, *(part.text for part in SECRET.disclosure.description))
) | sequences(claim.text for claim in SECRET.disclosure.claims)


def telling(record: Record) -> bytes:
    """What gates said of another disclosure, with words of the secret one in each place that has words of others."""
    name = unnumbered(record.sha256)
    said = judgements.OBVIOUS
    assert said.chart is not None
    row = Element(said.chart.elements[0].text, name, record.disclosure.title, record.disclosure.abstract, 900, True)
    return replace(
        said,
        copying=Copying(13, record.disclosure.claims[0].text, name, 30, 40, name),
        neighbours=(Neighbour(name, record.disclosure.title, 300, ("beetles",)), said.neighbours[0]),
        chart=replace(said.chart, elements=(row, *said.chart.elements[1:])),
    ).to_bytes()


def queue(output: Path, records: dict[str, Record]) -> None:
    for name, record in records.items():
        if name not in "ab":
            files.write(output / "queue" / f"{name}.judgement.json", telling(SECRET))
        files.write(output / "queue" / f"{name}.json", record.to_bytes())


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three published disclosures on real branches; the second is the secret one, the others were compared with it."""
    root = tmp_path_factory.mktemp("published")
    settings, to = nights.publication(root)
    at = nights.at_night(root, replace(settings, destination=to), NIGHT, 0)
    for records in ({"a": facts.record(0)}, {"b": SECRET, "c": facts.record(2)}):
        queue(root / "output", records)
        append(at, None)
    publish(at)
    (root / "notice.txt").write_text(NOTICE)
    for name in ("facts.git", "pages.git"):
        git = ["git", "-C", str(root / name), "config", "receive.denyNonFastForwards", "false"]
        subprocess.run(git, check=True)
    return root


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Publication:
    """The same, sixty seconds later."""
    root = tmp_path / "world"
    shutil.copytree(published, root, symlinks=True)
    settings = replace(nights.SETTINGS, facts_remote=str(root / "facts.git"), destination=f"git:{root / 'pages.git'}")
    return nights.at_night(root, settings, NIGHT, 60, told=[])


@pytest.fixture
def siteless(world: Publication) -> Publication:
    """Without the built site, which is not built anew then."""
    shutil.rmtree(world.site)
    shutil.rmtree(world.output / "pages")
    return world


def gone(world: Publication, number: str = "1", reason: str = "privacy", purge: bool = False) -> Outcome:
    return withdraw(world, number, reason, world.root / "notice.txt", purge, None)


def objects(repository: Path) -> list[bytes]:
    """Everything that a git repository holds once it has thrown away what nothing names."""
    git = ["git", "-C", str(repository)]
    subprocess.run([*git, "reflog", "expire", "--expire=now", "--all"], check=True)
    subprocess.run([*git, "gc", "--quiet", "--prune=now"], check=True)
    listed = subprocess.run(
        [*git, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"], capture_output=True
    ).stdout.decode()
    names = [line.split()[0] for line in listed.splitlines() if line.endswith(" blob")]
    return [subprocess.run([*git, "cat-file", "blob", name], capture_output=True).stdout for name in names]


def log_trees(repository: Path) -> list[str]:
    git = ["git", "-C", str(repository)]
    commits = subprocess.run([*git, "rev-list", "--reverse", "publication"], capture_output=True).stdout.split()
    return [
        subprocess.run([*git, "rev-parse", f"{c.decode()}:log"], capture_output=True, text=True).stdout for c in commits
    ]


def test_a_withdrawn_text_stands_nowhere(world: Publication) -> None:
    kept = {suffix: record_path(world.output, 1, suffix).read_bytes() for suffix in (".json", ".proof")}
    assert any(holds(path.read_bytes(), TEXTS) for path in (world.output / "site").rglob("*") if path.is_file())
    outcome = gone(world, "PAP-0000001")
    assert outcome.ok, outcome.lines
    assert "no file in" in outcome.lines[-2]
    ledger = read_ledger(world.output)
    assert ledger.entries[ledger.withdrawn[1]] == Withdrawn(1, "privacy", DIGEST, world.now())
    assert check(world).ok, check(world).lines
    publish(world)
    again = gone(world, purge=True)
    assert again.ok, again.lines
    for path in world.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts and path.suffix != ".git":
            assert not holds(path.read_bytes(), TEXTS), path
    for name in ("facts.git", "pages.git"):
        assert not [data for data in objects(world.root / name) if holds(data, TEXTS)], name
    page = (world.output / "site/d/0/1.html").read_text()
    for shown in ("PAP-0000001 is withdrawn", facts_time(world), "privacy", DIGEST, SECRET.sha256, world.now()):
        assert shown in page
    copy_still_verifies(world, kept)


def facts_time(world: Publication) -> str:
    return read_ledger(world.output).dated[1]


def copy_still_verifies(world: Publication, kept: dict[str, bytes]) -> None:
    """Somebody kept record and proof, and fetches the evidence that stands beside the tombstone."""
    folder = world.root / "kept"
    for suffix, data in kept.items():
        files.write(folder / f"1{suffix}", data)
    files.write(folder / "1.evidence", (world.output / "site/d/0/1.evidence").read_bytes())
    lines = verify(world, str(folder / "1.json"), memory=False).lines
    said = f" on {world.now()}, reason privacy, by the publisher's clock (evidence)"
    assert any(line.startswith("ok    withdrawn: entry ") and line.endswith(said) for line in lines), lines


def test_the_purge_leaves_the_history_of_the_log(siteless: Publication) -> None:
    world = siteless
    assert gone(world).ok
    before = log_trees(world.root / "facts.git")
    outcome = gone(world, purge=True)
    assert any(line.startswith("purge: branch publication: ") and "written anew" in line for line in outcome.lines)
    assert any("still serves 1; publish, then" in line for line in outcome.lines)
    assert log_trees(world.root / "facts.git") == before
    assert len(before) > 3
    assert any("its history held no withdrawn text" in line for line in gone(world, purge=True).lines)
    queue(world.output, {"d": facts.record(3)})
    assert append(world, None).figures["added"] == 1  # the branch goes on


@pytest.mark.parametrize("whole", [True, False])
def test_another_machine_does_not_bring_it_back(whole: bool, siteless: Publication, tmp_path: Path) -> None:
    """One with the whole history goes on from where the two part; one that has the newest commit alone is told why."""
    other = replace(siteless, root=tmp_path / "other")
    branch = facts_branch.branch_of(other)
    assert branch
    branch.sync()
    if whole:
        fetch = ["git", "fetch", "--quiet", "--unshallow", branch.remote, "publication"]
        subprocess.run(fetch, cwd=other.output, check=True)
    assert record_path(other.output, 1).exists()
    gone(siteless, purge=True)
    if not whole:
        with pytest.raises(LogError, match="was rewritten") as told:
            branch.sync()
        assert "move this folder away, and run: prior-art sync." in told.value.hint
        other.output.rename(tmp_path / "away")
    branch.sync()
    assert not record_path(other.output, 1).exists()
    assert record_path(other.output, 2).exists()
    branch.save("Nothing new")
    assert not [data for data in objects(siteless.root / "facts.git") if holds(data, TEXTS)]


def test_a_kill_after_the_entry_is_mended_by_any_command(siteless: Publication) -> None:
    kept = record_path(siteless.output, 1).read_bytes()
    facts_branch.branch_of(siteless).sync()  # type: ignore[union-attr]
    facts.add(siteless.output, Withdrawn(1, "privacy", DIGEST, siteless.now()))
    assert record_path(siteless.output, 1).read_bytes() == kept
    with pytest.raises(VerificationError, match="its text is here"):
        facts.audit(siteless.output)
    append(siteless, None)
    assert not record_path(siteless.output, 1).exists()
    facts.audit(siteless.output)
    assert gone(siteless).ok


def test_a_file_that_still_holds_it_is_named(siteless: Publication) -> None:
    files.write(siteless.output / "runs/r/drafts.jsonl", gzip.compress(SECRET.to_bytes()))
    outcome = gone(siteless)
    assert outcome.ok is False
    assert any(line.startswith("withdraw: runs/r/drafts.jsonl still holds") for line in outcome.lines)


@pytest.mark.parametrize(("number", "said"), [("3", "is no disclosure"), ("77", "is no disclosure")])
def test_what_is_no_disclosure_cannot_be_withdrawn(number: str, said: str, siteless: Publication) -> None:
    before = read_ledger(siteless.output).size
    with pytest.raises(LogError, match=said):
        gone(siteless, number)
    assert read_ledger(siteless.output).size == before


def test_what_is_withdrawn_is_not_withdrawn_for_another_reason(siteless: Publication) -> None:
    gone(siteless)
    with pytest.raises(LogError, match="withdrawn already, by entry"):
        gone(siteless, reason="court")
    (siteless.root / "notice.txt").write_text("another notice")
    with pytest.raises(LogError, match="withdrawn already, by entry"):
        gone(siteless)


def test_what_cannot_be_read_withdraws_nothing(siteless: Publication) -> None:
    before = read_ledger(siteless.output).size
    with pytest.raises(PressError, match="notice"):
        withdraw(siteless, "1", "privacy", siteless.root / "none.txt", False, None)
    with pytest.raises(ConfigError, match="no number of a disclosure"):
        gone(siteless, "XX-1")
    with pytest.raises(ConfigError, match="settings name none"):
        gone(replace(siteless, settings=replace(siteless.settings, facts_remote="")), purge=True)
    assert read_ledger(siteless.output).size == before


@pytest.mark.slow
def test_a_text_that_is_not_yet_public_and_one_that_another_supersedes(world: Publication) -> None:
    queue(world.output, {"d": facts.record(3)})
    files.write(world.output / "queue/e.supersedes.json", b'{"leaf":2}')
    queue(world.output, {"e": facts.record(4)})
    append(world, None)
    ledger = read_ledger(world.output)
    (early, later) = ledger.undated
    assert any(f"disclosure {later} supersedes it and is still served" in line for line in gone(world, "2").lines)
    gone(world, str(early))
    publish(world)
    page = (world.output / f"site/d/0/{early}.html").read_text()
    assert re.search(r"<dt>Published</dt><dd>never</dd>", page)
    assert check(world).ok
    assert own(2) not in record_path(world.output, later, ".judgement.json").read_text()
