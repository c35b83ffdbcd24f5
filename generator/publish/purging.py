"""Taking withdrawn texts out of the history of the facts' branch. The history of the log in it stays as it was.

Every commit is written anew without the files of these texts, and with judgements of others as they are now. Then the
trees below log/ are compared, commit by commit, before anything is pushed.
"""

import re
from collections.abc import Iterator

from generator.base.errors import LogError
from generator.log.archive import BESIDE, record_path
from generator.log.ledger import Ledger
from generator.publish.facts_branch import LOCAL, Branch
from generator.publish.git import failure, git, run

_DATA = re.compile(rb"data ([0-9]+)\n")
_FILE = re.compile(rb"M ([0-7]+) ([0-9a-f]+) (.+)\n")
_PURGED = "refs/heads/purged"
JUDGEMENT = re.compile(rb"records/[0-9]+/[0-9]+/[0-9]+\.judgement\.json")


def purge(branch: Branch, ledger: Ledger) -> int:
    """Rewrite and push the branch; the number of commits. 0 where its history holds none of the withdrawn texts.

    Raises ToolError where the remote does not accept it, LogError where the log's history would change.
    """
    output = branch.output
    gone = {
        record_path(output, leaf, suffix).relative_to(output).as_posix()
        for leaf in ledger.withdrawn
        for suffix in (".json", *BESIDE)
    }
    if run(output, *LOCAL, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        git(output, *LOCAL, "fetch", "--quiet", "--unshallow", branch.remote, f"refs/heads/{branch.name}")
    old = git(output, *LOCAL, "rev-parse", "HEAD").decode().strip()
    if not _stale(branch, old, gone):
        return 0
    exported = git(output, *LOCAL, "fast-export", "--no-data", "--reencode=no", "--signed-tags=strip", "HEAD")
    git(output, *LOCAL, "fast-import", "--quiet", "--force", data=b"".join(_without(exported, gone, _now(branch))))
    new = git(output, *LOCAL, "rev-parse", _PURGED).decode().strip()
    before, after = (_trees(branch, commit, "log") for commit in (old, new))
    if before != after or _trees(branch, old, "")[-1] != _trees(branch, new, "")[-1] or _stale(branch, new, gone):
        raise LogError(f"{output}: the history of the log would change", hint="Nothing was pushed. Report this.")
    arguments = ("push", "--quiet", f"--force-with-lease=refs/heads/{branch.name}:{old}", branch.remote)
    done = run(output, *LOCAL, *arguments, f"{new}:refs/heads/{branch.name}")
    if done.returncode:
        hint = "Allow a push with force to this branch for now, purge again, then forbid it again."
        raise failure(done, arguments, hint)
    git(output, *LOCAL, "update-ref", "HEAD", new)
    git(output, *LOCAL, "update-ref", f"refs/remotes/facts/{branch.name}", new)
    git(output, *LOCAL, "update-ref", "-d", _PURGED)
    git(output, *LOCAL, "reflog", "expire", "--expire=now", "--all")
    git(output, *LOCAL, "gc", "--quiet", "--prune=now")
    return len(after)


def _stale(branch: Branch, commit: str, gone: set[str]) -> bool:
    """Whether the history of a commit holds a file of a withdrawn text, or a judgement that is now another one."""
    listed = git(branch.output, *LOCAL, "log", "--format=", "--raw", "--no-abbrev", "--no-renames", "-z", commit)
    now = _now(branch)
    fields = listed.split(b"\0")
    for head, name in zip(fields[::2], fields[1::2], strict=False):
        blob = head.split()[3] if head.startswith(b":") else b""
        if blob.strip(b"0") and (name.decode() in gone or now.get(name, blob) != blob):
            return True
    return False


def _now(branch: Branch) -> dict[bytes, bytes]:
    """The blobs of the judgements at the tip, by their paths."""
    listed = git(branch.output, *LOCAL, "ls-tree", "-r", "-z", "HEAD", "records/")
    parts = (line.partition(b"\t") for line in listed.split(b"\0") if line)
    return {name: head.split()[2] for head, _, name in parts if JUDGEMENT.fullmatch(name)}


def _without(exported: bytes, gone: set[str], now: dict[bytes, bytes]) -> Iterator[bytes]:
    """The stream of git fast-export for the branch `purged`, without the files in `gone`, judgements as in `now`."""
    at = 0
    while at < len(exported):
        end = exported.index(b"\n", at) + 1
        line, at = exported[at:end], end
        if match := _DATA.fullmatch(line):
            at += int(match[1])
            yield exported[end - len(line) : at]
        elif line.startswith((b"commit ", b"reset ")):
            yield line.partition(b" ")[0] + f" {_PURGED}\n".encode()
        elif match := _FILE.fullmatch(line):
            if match[3].decode() not in gone:
                yield b"M %s %s %s\n" % (match[1], now.get(match[3], match[2]), match[3])
        elif not (line.startswith(b"D ") and line[2:-1].decode() in gone):
            yield line


def _trees(branch: Branch, commit: str, path: str) -> list[str]:
    """The tree below `path` in each commit up to `commit`, oldest first."""
    commits = git(branch.output, *LOCAL, "rev-list", "--reverse", "--first-parent", commit).decode().split()
    asked = "".join(f"{one}:{path}\n" for one in commits).encode()
    told = git(branch.output, *LOCAL, "cat-file", "--batch-check", data=asked).decode().splitlines()
    return ["" if line.endswith(" missing") else line for line in told]
