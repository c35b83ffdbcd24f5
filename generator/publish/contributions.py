"""Contributions on their way: from the contributor to a git remote, one branch each, and from there to the publisher.

A branch `contribution-<name>` has one commit with one file. The publisher's reader takes nothing else: no link, no
second file, no more bytes than a contribution may have.
"""

from collections.abc import Iterator
from pathlib import Path

from generator.base.errors import ContributionError, PressError
from generator.publish.git import UNREACHABLE, git, remote_head, shown

PREFIX = "contribution-"
FILE = "contribution"
MOST_BRANCHES = 1000


def send(remote: str, name: str, data: bytes, work: Path) -> str:
    """Push `data` to a branch of its own; the branch's name. What is there already is not sent again.

    `work` is a folder for git. Raises PressError.
    """
    repository, branch = _repository(work), f"{PREFIX}{name}"
    if remote_head(repository, remote, branch):
        if _fetched(repository, remote, branch, len(data)) != data:
            raise PressError(
                f"{shown(remote)}: the branch {branch} holds another contribution",
                hint="Nothing was overwritten. Ask the publisher, or begin a new folder with --root.",
            )
        return branch
    blob = git(repository, "hash-object", "-w", "--no-filters", "--stdin", data=data).decode().strip()
    tree = git(repository, "mktree", data=f"100644 blob {blob}\t{FILE}\n".encode()).decode().strip()
    commit = git(repository, "commit-tree", "-m", f"Contribution {name}", tree).decode().strip()
    git(repository, "push", "--quiet", remote, f"{commit}:refs/heads/{branch}", hint=UNREACHABLE)
    return branch


def receive(remote: str, work: Path, most_bytes: int) -> Iterator[tuple[str, bytes | ContributionError]]:
    """Each branch with a contribution, by name, and its bytes, or why it is none. Raises PressError."""
    repository = _repository(work)
    listed = git(repository, "ls-remote", "--heads", remote, f"refs/heads/{PREFIX}*", hint=UNREACHABLE).decode()
    branches = sorted(line.partition("\trefs/heads/")[2] for line in listed.splitlines())
    if len(branches) > MOST_BRANCHES:
        raise PressError(
            f"{shown(remote)}: {len(branches)} branches {PREFIX}*, and at most {MOST_BRANCHES} are looked at",
            hint="Delete those that were taken or refused.",
        )
    for branch in branches:
        try:
            yield branch, _fetched(repository, remote, branch, most_bytes)
        except ContributionError as error:
            yield branch, error


def _fetched(repository: Path, remote: str, branch: str, most_bytes: int) -> bytes:
    git(repository, "fetch", "--quiet", "--depth=1", remote, f"refs/heads/{branch}", hint=UNREACHABLE)
    listed = git(repository, "ls-tree", "-z", "-l", "FETCH_HEAD").decode("utf-8", "replace").split("\0")
    words = listed[0].split()
    if len(listed) != 2 or words[:2] != ["100644", "blob"] or words[4:] != [FILE]:
        raise ContributionError(f"the branch is not one regular file {FILE}")
    if int(words[3]) > most_bytes:
        raise ContributionError(f"more than {most_bytes:,} bytes")
    return git(repository, "cat-file", "blob", words[2])


def _repository(work: Path) -> Path:
    repository = work / "contributions.git"
    if not (repository / "HEAD").exists():
        repository.mkdir(parents=True, exist_ok=True)
        git(repository, "init", "--quiet", "--bare", ".")
    return repository
