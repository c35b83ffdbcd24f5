"""Running git: never asking for a password, in the C locale, with errors that say what git said."""

import os
import re
import subprocess
from pathlib import Path

from generator.base.errors import ToolError

# The user's own hooks judge the user's commits; what a program commits and pushes follows no convention of theirs.
HOOKS = ("-c", "core.hooksPath=/dev/null")
AUTHOR = ("-c", "user.name=prior-art", "-c", "user.email=prior-art@localhost", "-c", "commit.gpgsign=false", *HOOKS)
ATTACHED = ("-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false")  # nothing of git works on unseen
ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def run(folder: Path, *arguments: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """A git command in `folder`, whatever its exit status. Raises ToolError when git cannot be started."""
    try:
        return subprocess.run(
            ["git", *AUTHOR, *ATTACHED, *arguments],
            cwd=folder,
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            env={**os.environ, **ENVIRONMENT},
            check=False,
            close_fds=False,  # it holds the lock on the facts as long as it runs
        )
    except FileNotFoundError as error:
        raise ToolError("the program git was not found", hint="Install git.") from error


def git(folder: Path, *arguments: str, data: bytes | None = None, hint: str = "") -> bytes:
    """Standard output of a git command that must succeed. Raises ToolError."""
    done = run(folder, *arguments, data=data)
    if done.returncode:
        raise failure(done, arguments, hint)
    return done.stdout


def failure(done: subprocess.CompletedProcess[bytes], arguments: tuple[str, ...], hint: str = "") -> ToolError:
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    said = " / ".join(lines[-3:]) or f"exit status {done.returncode}"
    verb = next((a for a in arguments if not a.startswith("-")), "")
    return ToolError(f"git {verb}: {shown(said)}", hint=hint)


def remove_locks(repository: Path) -> None:
    """Remove the locks that a killed git left; for those who know that no git works there."""
    for path in (*repository.glob("*.lock"), *(repository / "refs").rglob("*.lock")):
        path.unlink(missing_ok=True)


def shown(text: str) -> str:
    """Text without the user name and password that a URL in it may carry."""
    return CREDENTIALS.sub("", text)


def remote_head(folder: Path, remote: str, branch: str) -> str:
    """The commit at the tip of a remote's branch; empty when the remote has no such branch. Raises ToolError."""
    listed = git(folder, "ls-remote", "--heads", remote, f"refs/heads/{branch}", hint=UNREACHABLE)
    return listed.decode().partition("\t")[0]


UNREACHABLE = "Check the address of the git remote, the network and your right to use it; nothing was changed there."
