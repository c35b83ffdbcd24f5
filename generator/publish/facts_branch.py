"""The facts of a publication on a git branch of their own, checked out at output/; it only ever moves forward.

The branch on the remote decides who appends next: a batch is staged, pushed without force, and signed only when that
push was accepted. A rejected push means that another publisher was first; the staged batch is discarded, unsigned.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.base.publication import Publication
from generator.log import append
from generator.log.append import Batch
from generator.log.archive import WAITING, confirmed, current, queued, read_ledger, record_path
from generator.log.entries import parse_entry
from generator.log.ledger import Ledger
from generator.log.meaning import fault
from generator.log.note import SigningKey
from generator.log.withdrawing import remove_texts
from generator.publish.git import UNREACHABLE, failure, git, remote_head, remove_locks, run, shown
from generator.publish.history import Copy, require_one_history

ATTEMPTS = 8
FACTS = "/*\n!/.gitattributes\n!/records/\n!/log/\n!/readings/\n!/runs/\n!/refused/\n/log/.lock\n/runs/*/\n.part-*\n"
ATTRIBUTES = b"* -text\n"  # a file is its bytes: no line ends are changed
LOCAL = ("--git-dir=.git", "--work-tree=.")


@dataclass(frozen=True, slots=True)
class Branch:
    """`output` is the work tree, `output/.git` the repository; queue, pages and site are ignored in it."""

    output: Path
    remote: str
    name: str

    def sync(self) -> None:
        """Bring the work tree to the remote's tip. What was pushed by nobody stays if it can, and is discarded if it
        was staged on a tip that is no longer the newest. Raises LogError where a signed checkpoint would be lost."""
        self._begin()
        pushed = self._known()
        theirs, ours = self._fetch(), self._head()
        if not theirs or theirs == ours or (ours and self._is_ancestor(theirs, ours)):
            return
        base = self._base(ours, theirs) if ours and pushed else ""
        if ours and not base:  # a first commit that nobody has seen
            git(self.output, *LOCAL, "update-ref", "-d", "HEAD")
            git(self.output, *LOCAL, "read-tree", "--empty")
        elif base:
            git(self.output, *LOCAL, "reset", "--quiet", "--mixed", base)
        if append.staged(self.output) is not None and not self._holds(base, f"log/{append.JOURNAL}"):
            append.discard(self.output)
        self._check_signed(theirs)
        self._forward(base, theirs)
        remove_texts(self.output, read_ledger(self.output))  # a clone of before a purge still has them

    def push(self, message: str) -> bool:
        """Commit every fact and push; False when another publisher was first. Raises ToolError otherwise."""
        git(self.output, *LOCAL, "add", "--all")
        if run(self.output, *LOCAL, "diff", "--cached", "--quiet").returncode:
            git(self.output, *LOCAL, "commit", "--quiet", "--message", message)
        ours = self._head()
        before = self._known()
        if not ours or ours == before:
            return True
        arguments = ("push", "--quiet", self.remote, f"HEAD:refs/heads/{self.name}")
        done = run(self.output, *LOCAL, *arguments)
        if done.returncode == 0:
            self._remember(ours)
            return True
        if remote_head(self.output, self.remote, self.name) not in ("", before):
            return False
        raise failure(done, arguments, "Nothing was signed or lost. Mend the cause, then run the same command again.")

    def save(self, message: str) -> None:
        """Commit and push facts that stand beside the log: run reports, deploy receipts."""
        for _ in range(ATTEMPTS):
            if self.push(message):
                return
            self.sync()
        raise LogError(f"{shown(self.remote)}: {ATTEMPTS} pushes were overtaken by others", hint="Run it again later.")

    def _begin(self) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        if not (self.output / ".git").is_dir():
            if current(self.output) is not None and remote_head(self.output, self.remote, self.name):
                raise LogError(
                    f"{self.output}: a log lies here that did not come from {shown(self.remote)}, which has one, too",
                    hint="Give the publication another output folder; two logs cannot be joined.",
                )
            git(self.output, "init", "--quiet", f"--initial-branch={self.name}", ".")
        remove_locks(self.output / ".git")
        files.write(self.output / ".git" / "info" / "exclude", FACTS.encode())
        files.write(self.output / ".git" / "info" / "attributes", ATTRIBUTES)
        attributes = self.output / ".gitattributes"  # the same for every clone, on Windows too
        if not attributes.exists() or attributes.read_bytes() != ATTRIBUTES:
            files.write(attributes, ATTRIBUTES)

    def _fetch(self) -> str:
        theirs = remote_head(self.output, self.remote, self.name)
        if theirs and not self._has(theirs):
            depth = () if self._head() else ("--depth=1",)
            arguments = ("fetch", "--quiet", *depth, self.remote, f"refs/heads/{self.name}")
            git(self.output, *LOCAL, *arguments, hint=UNREACHABLE)
        if theirs:
            self._remember(theirs)
        elif self._known():
            raise LogError(
                f"{shown(self.remote)}: the branch {self.name} is gone",
                hint="Restore it there; it must never be removed.",
            )
        return theirs

    def _base(self, ours: str, theirs: str) -> str:
        """The commit where the two histories part."""
        done = run(self.output, *LOCAL, "merge-base", ours, theirs)
        if done.returncode:
            raise LogError(
                f"{shown(self.remote)}: the branch {self.name} was rewritten: it does not continue {self.output}",
                hint="Facts are never rewritten, but by a purge of a withdrawn text. After one, move this folder away, "
                "and run: prior-art sync. Else find out who pushed with force, and restore the branch.",
            )
        return done.stdout.decode().strip()

    def _check_signed(self, theirs: str) -> None:
        """Our newest checkpoint must be one of theirs: never two signed trees of one size."""
        ours = current(self.output)
        if ours is None:
            return
        path = f"log/checkpoints/{ours.size}"
        done = run(self.output, *LOCAL, "show", f"{theirs}:{path}")
        if done.returncode or done.stdout != files.read(self.output / path, "a kept checkpoint"):
            raise LogError(
                f"{self.output}: the checkpoint of size {ours.size}, signed here, is not in the branch {self.name} of "
                f"{shown(self.remote)}",
                hint="Do not sign anything. Keep both copies and compare their logs.",
            )

    def _forward(self, base: str, theirs: str) -> None:
        """The work tree at `theirs`; files that are in neither commit stay as they are."""
        names = git(self.output, *LOCAL, "ls-files", "-z", "--modified", "--deleted")
        git(self.output, *LOCAL, "checkout-index", "--force", "--quiet", "-z", "--stdin", data=names)
        change = [base, theirs] if base else ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", theirs]  # the empty tree
        added = git(self.output, *LOCAL, "diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", *change)
        for name in filter(None, added.decode().split("\0")):
            (self.output / name).unlink(missing_ok=True)
        if base:
            git(self.output, *LOCAL, "merge", "--quiet", "--ff-only", theirs)
        else:
            git(self.output, *LOCAL, "reset", "--quiet", "--hard", theirs)

    def _head(self) -> str:
        return run(self.output, *LOCAL, "rev-parse", "--quiet", "--verify", "HEAD").stdout.decode().strip()

    def _known(self) -> str:
        name = f"refs/remotes/facts/{self.name}"
        return run(self.output, *LOCAL, "rev-parse", "--quiet", "--verify", name).stdout.decode().strip()

    def _remember(self, commit: str) -> None:
        git(self.output, *LOCAL, "update-ref", f"refs/remotes/facts/{self.name}", commit)

    def _has(self, commit: str) -> bool:
        return run(self.output, *LOCAL, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def _holds(self, commit: str, path: str) -> bool:
        return bool(commit) and run(self.output, *LOCAL, "cat-file", "-e", f"{commit}:{path}").returncode == 0

    def _is_ancestor(self, old: str, new: str) -> bool:
        return run(self.output, *LOCAL, "merge-base", "--is-ancestor", old, new).returncode == 0


def land(
    output: Path,
    key: SigningKey,
    stage: Callable[[Ledger], Batch | None],
    *,
    branch: Branch | None,
    report: Callable[[str], None],
    known: Ledger | None = None,
    copies: Callable[[], Iterable[Copy]] = tuple,
) -> Ledger:
    """Bring what `stage` stages into the log: staged, pushed, signed, pushed. Returns the newest ledger.

    `stage` is called anew after each sync, with the ledger as it is then. A batch that an earlier run left is
    finished first. `known` is the ledger as it was read before; only what follows it is read. Nothing is signed, and
    nothing pushed, unless the log continues each of the `copies` of its checkpoint, and its entries can be true.
    """
    with alone(output, report):
        for _ in range(ATTEMPTS):
            if branch:
                branch.sync()
            left = append.staged(output)
            known = read_ledger(output, known)
            remove_texts(output, known)
            if left is None:
                _drop_logged(output, known)
            batch = left or stage(known)
            if batch is None:
                if branch:
                    branch.save("Run reports")
                return read_ledger(output, known)
            try:
                require_one_history(output, key, copies())
                _require_true(output, known, batch)
            except PressError:
                if left is None:
                    append.discard(output)
                raise
            if branch and not branch.push(f"Stage leaves {batch.start} to {batch.size - 1}"):
                report("append: another publisher was first; staging again on the newest log")
                continue
            _restore_queue(output, batch)
            checkpoint = append.commit(output, key)
            if branch and not branch.push(f"Sign checkpoint {checkpoint.size}"):
                branch.sync()
            if left is None:
                return read_ledger(output, known)
    raise LogError(
        f"{output}: {ATTEMPTS} batches were overtaken by other publishers",
        hint="Nothing is lost: the records wait in the queue. Run the same command again.",
    )


def _require_true(output: Path, known: Ledger, batch: Batch) -> None:
    entries = (*known.entries[: batch.start], *(parse_entry(text.encode()) for text in batch.entries))
    if problem := fault(Ledger(entries), confirmed(output)):
        raise LogError(
            f"{output}: the log would say what cannot be: {problem}",
            hint="Nothing was signed. Set this machine's clock if a time is wrong; else report this, please.",
        )


def _restore_queue(output: Path, batch: Batch) -> None:
    """A batch that another machine staged and pushed: its records are facts already, its queue is not here."""
    for one in batch.queue:
        path = output / "queue" / one.name
        if not path.exists():
            files.write(path, files.read(record_path(output, one.serial), "a staged record"))


def _drop_logged(output: Path, ledger: Ledger) -> None:
    """Empty the queue of records that another machine has finished for this one after a kill here."""
    for path in queued(output):
        if hashlib.sha256(files.read(path, "a queued record")).hexdigest() in ledger.serials:
            for suffix in WAITING:
                path.with_suffix(suffix).unlink(missing_ok=True)
            path.unlink()


def alone(output: Path, report: Callable[[str], None], *, wait_seconds: float = 3600) -> AbstractContextManager[None]:
    """One process at a time changes the facts in `output`; a nightly run may hold it for long."""
    path, busy = output / ".facts.lock", "another process works in this folder"
    return files.lock(path, busy, report, wait_seconds=wait_seconds, inherited=True)


def branch_of(publication: Publication) -> Branch | None:
    """The facts' branch; None when the settings name no remote for it."""
    remote = publication.settings.facts_remote
    return Branch(publication.output, remote, publication.settings.facts_branch) if remote else None
