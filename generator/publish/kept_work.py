"""Unfinished work on a branch beside the facts, so that a lost runner loses no more than the last minutes.

The branch has one commit without history, pushed with force: work, no facts. It holds what is in the folders of
unfinished runs and in the queue, and the reports of runs whose records still wait there. It is written every few
minutes while a run goes on, read where neither is here, and gone once nothing is left to do.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from generator.base import files
from generator.base.errors import PressError
from generator.base.publication import Publication
from generator.publish.git import UNREACHABLE, git, remote_head, remove_locks, shown

SECONDS = 60.0
SUFFIX = "-work"
REPORTS = "runs/*.json"
KEPT = ("runs/*/*", "runs/*/ready/*", "queue/*")
EXPECTED = re.compile(r"(runs/[^/]+(/ready)?|queue)/[^/]+|runs/[^/]+\.json")


@dataclass
class KeptWork:
    """`saved` is the time of the newest save by `clock`, and `tree` what it held.

    `blobs`: inode, size and time of each file that was saved, and git's digest of it: it is not read again.
    """

    output: Path
    remote: str
    branch: str
    report: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    saved: float = field(default=float("-inf"))
    tree: str = ""
    blobs: dict[Path, tuple[tuple[int, int, int], str]] = field(default_factory=dict)

    @property
    def _repository(self) -> Path:
        return self.output / "work" / "kept.git"

    def restore(self) -> bool:
        """Write what the branch holds, where no work is here; whether it did. Raises PressError."""
        if any(self._here()):
            return False
        self._open()
        commit = remote_head(self._repository, self.remote, self.branch)
        if not commit:
            return False
        git(self._repository, "fetch", "--quiet", "--depth=1", self.remote, commit, hint=UNREACHABLE)
        listed = git(self._repository, "ls-tree", "-r", "-z", commit).decode().split("\0")
        entries = [(*line.partition("\t")[0].split(), line.partition("\t")[2]) for line in listed if line]
        if any(mode != "100644" or not _expected(name) for mode, _, _, name in entries):
            raise PressError(
                f"{shown(self.remote)}: the branch {self.branch} holds something else than unfinished work",
                hint="Delete that branch: nothing on it is a fact.",
            )
        for _, _, blob, name in entries:
            files.write(self.output / name, git(self._repository, "cat-file", "blob", blob), durable=False)
        self.report(f"generate: {len(entries)} files of unfinished work are back, from the branch {self.branch}")
        return bool(entries)

    def save(self, *, now: bool = False) -> None:
        """Push what is unfinished, when the last push is some minutes ago or `now`; a failure is said, no more."""
        if not now and self.clock() - self.saved < SECONDS:
            return
        self.saved = self.clock()
        try:
            self._save()
        except PressError as error:
            self.report(f"generate: unfinished work could not be kept at {shown(self.remote)}: {error}")

    def _save(self) -> None:
        self._open()
        read = self._blobs()
        if not read:
            if remote_head(self._repository, self.remote, self.branch):
                git(self._repository, "push", "--quiet", self.remote, f":refs/heads/{self.branch}", hint=UNREACHABLE)
            self.tree = ""
            return
        git(self._repository, "read-tree", "--empty")
        entries = "".join(f"100644 {blob}\t{name}\0" for name, blob in read.items())
        git(self._repository, "update-index", "-z", "--index-info", data=entries.encode())
        tree = git(self._repository, "write-tree").decode().strip()
        if tree != self.tree:
            commit = git(self._repository, "commit-tree", "-m", "Unfinished work", tree).decode().strip()
            head = f"+{commit}:refs/heads/{self.branch}"
            git(self._repository, "push", "--quiet", self.remote, head, hint=UNREACHABLE)
            self.tree = tree

    def _blobs(self) -> dict[str, str]:
        """Name and git's digest of each file; one that moves into the queue meanwhile is read where it is then."""
        found: dict[str, str] = {}
        here = self._here()
        for path in (*here, *self._reports(here)):
            try:
                known = path.stat()
                state = (known.st_ino, known.st_size, known.st_mtime_ns)
                if (before := self.blobs.get(path)) and before[0] == state:
                    blob = before[1]
                else:
                    data = path.read_bytes()
                    blob = git(self._repository, "hash-object", "-w", "--no-filters", "--stdin", data=data).decode()
            except FileNotFoundError:
                continue
            self.blobs[path] = state, blob.strip()
            found[path.relative_to(self.output).as_posix()] = blob.strip()
        return found

    def _here(self) -> list[Path]:
        """Unfinished work: the runs first, the queue last, so that a record on its way between them is in one."""
        found = [path for pattern in KEPT for path in sorted(self.output.glob(pattern))]
        return [p for p in found if p.is_file() and p.name != "lock" and not p.name.startswith(files.TEMPORARY)]

    def _reports(self, waiting: list[Path]) -> list[Path]:
        """Reports of finished runs whose records wait: without them, a night that is done would be written again."""
        named = [path.name for path in waiting if path.parent.name == "queue"]
        reports = sorted(self.output.glob(REPORTS))
        return [path for path in reports if any(name.startswith(f"{path.stem}-") for name in named)]

    def _open(self) -> None:
        if not (self._repository / "HEAD").exists():
            self._repository.mkdir(parents=True, exist_ok=True)
            git(self._repository, "init", "--quiet", "--bare", ".")
        remove_locks(self._repository)


def _expected(name: str) -> bool:
    return EXPECTED.fullmatch(name) is not None and not {".", ".."} & set(name.split("/"))


def kept_work(publication: Publication) -> KeptWork | None:
    """Where unfinished work is kept; None when the settings name no remote for the facts."""
    settings = publication.settings
    if not settings.facts_remote:
        return None
    name = settings.facts_branch + SUFFIX
    return KeptWork(publication.output.absolute(), settings.facts_remote, name, publication.report)
