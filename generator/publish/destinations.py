"""Where a site is made public: a git remote's Pages branch, a folder, what a command of the publisher's fills, or a
URL that somebody else deploys to."""

import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from generator.base.errors import ConfigError, ToolError
from generator.publish.git import UNREACHABLE, git, remote_head, remove_locks, run, shown

DOMAIN = "CNAME"  # where GitHub keeps the site's own domain
FORMS = "Give git:REMOTE, folder:PATH, run:COMMAND or the URL of the site."
SITE = "{site}"  # in a command, the folder with the site
COMMAND_SECONDS = 3600


class Destination(Protocol):
    """`read` gives a public file's bytes or None, and raises PressError when it cannot look; `deploy` replaces all."""

    @property
    def name(self) -> str: ...

    def read(self, path: str) -> bytes | None: ...

    def deploy(self, site: Path) -> None: ...


def destination(
    text: str, work: Path, pages_branch: str, fetch: Callable[[str], bytes | None], site_url: str = ""
) -> Destination:
    """From its text form; `work` is a folder for what git needs to keep, `site_url` where a command's work is read.

    Raises ConfigError.
    """
    kind, _, where = text.partition(":")
    if kind == "git" and where:
        return PagesBranch(where, pages_branch, work / "pages.git")
    if kind == "folder" and where:
        return Folder(Path(where).absolute())
    if kind == "run":
        return Command(_words(where), Url(site_url, fetch))
    if kind in ("http", "https") and where.startswith("//"):
        return Url(text if text.endswith("/") else text + "/", fetch)
    raise ConfigError(f"{text!r} is no destination", hint=FORMS)


@dataclass(frozen=True, slots=True)
class PagesBranch:
    """The branch that a git host serves. It keeps its history and is never pushed with force."""

    remote: str
    branch: str
    repository: Path

    @property
    def name(self) -> str:
        return f"git:{shown(self.remote)}#{self.branch}"

    def read(self, path: str) -> bytes | None:
        commit = self._fetch()
        done = run(self.repository, "cat-file", "blob", f"{commit}:{path}")
        return done.stdout if commit and done.returncode == 0 else None

    def deploy(self, site: Path) -> None:
        self._push(self._commit(site, parent=self._fetch()))

    def cut(self) -> bool:
        """Drop the history of the branch, so that what was deployed earlier goes; False where there is none."""
        old = self._fetch()
        if not old or len(git(self.repository, "rev-list", "--max-count=2", old).split()) + self._shallow() < 2:
            return False
        new = git(self.repository, "commit-tree", "-m", "Deploy", f"{old}^{{tree}}").decode().strip()
        lease = f"--force-with-lease=refs/heads/{self.branch}:{old}"
        self._push(new, lease)
        return True

    def _shallow(self) -> int:
        """1 where earlier commits are not here, but there."""
        answer = git(self.repository, "rev-parse", "--is-shallow-repository").strip()
        return int(answer == b"true")

    def _commit(self, site: Path, parent: str) -> str:
        """A commit with the files of the site, byte for byte, and nothing else but the domain that was set there."""
        paths = sorted(path for path in site.absolute().rglob("*") if path.is_file())
        listed = "".join(f"{path}\n" for path in paths).encode()
        blobs = git(self.repository, "hash-object", "-w", "--no-filters", "--stdin-paths", data=listed).decode().split()
        names = {path.relative_to(site.absolute()).as_posix(): blob for path, blob in zip(paths, blobs, strict=True)}
        empty = git(self.repository, "hash-object", "-w", "--stdin", data=b"").decode().strip()
        names.setdefault(".nojekyll", empty)  # GitHub Pages would leave out names that begin with an underscore
        domain = run(self.repository, "rev-parse", "--quiet", "--verify", f"{parent}:{DOMAIN}").stdout.decode().strip()
        if parent and domain:
            names.setdefault(DOMAIN, domain)
        entries = "".join(f"100644 {blob}\t{name}\0" for name, blob in names.items())
        git(self.repository, "read-tree", "--empty")
        git(self.repository, "update-index", "-z", "--index-info", data=entries.encode())
        tree = git(self.repository, "write-tree").decode().strip()
        parents = ("-p", parent) if parent else ()
        return git(self.repository, "commit-tree", *parents, "-m", "Deploy", tree).decode().strip()

    def _push(self, commit: str, *options: str) -> None:
        done = run(self.repository, "push", "--quiet", *options, "pages", f"{commit}:refs/heads/{self.branch}")
        if done.returncode:
            lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
            said = next(
                (line for line in lines if "rejected" in line or "fatal" in line), (lines or ["no message"])[-1]
            )
            raise ToolError(
                f"{self.name}: the push was not accepted: {shown(said.strip())}",
                hint="Nothing became public. Mend the cause, then publish again: the time is fixed anew.",
            )

    def _fetch(self) -> str:
        """The remote branch's commit, present in the repository; empty when there is no such branch."""
        if not (self.repository / "HEAD").exists():
            self.repository.mkdir(parents=True, exist_ok=True)
            git(self.repository, "init", "--quiet", "--bare", ".")
        remove_locks(self.repository)
        git(self.repository, "config", "remote.pages.url", self.remote)
        reference = f"refs/remotes/pages/{self.branch}"
        commit = remote_head(self.repository, "pages", self.branch)
        if not commit:
            run(self.repository, "update-ref", "-d", reference)
        elif run(self.repository, "rev-parse", "--quiet", "--verify", reference).stdout.decode().strip() != commit:
            head = f"+refs/heads/{self.branch}:{reference}"
            git(self.repository, "fetch", "--quiet", "--depth=1", "pages", head, hint=UNREACHABLE)
        return commit


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a web server serves. The new site is complete beside it before it takes its place."""

    path: Path

    @property
    def name(self) -> str:
        return "folder"

    def read(self, path: str) -> bytes | None:
        place = (self._old if not self.path.exists() and self._old.exists() else self.path) / PurePosixPath(path)
        return place.read_bytes() if place.is_file() else None

    def deploy(self, site: Path) -> None:
        new, old = self.path.with_name(self.path.name + ".new"), self._old
        if self.path.exists() and any(self.path.iterdir()) and not (self.path / "log" / "checkpoint").exists():
            raise ConfigError(
                f"{self.path}: this folder holds something else than a site", hint="Name an empty folder."
            )
        try:
            if old.exists() and not self.path.exists():  # killed between the two renames
                old.rename(self.path)
            for leftover in (new, old):
                shutil.rmtree(leftover, ignore_errors=True)
            shutil.copytree(site, new)
            if self.path.exists():
                self.path.rename(old)
            new.rename(self.path)
            shutil.rmtree(old, ignore_errors=True)
        except (OSError, shutil.Error) as error:
            raise ToolError(
                f"{self.path}: the site could not be put there: {error}",
                hint="The site that was there is unchanged. Free space or fix permissions, then publish again.",
            ) from error

    @property
    def _old(self) -> Path:
        return self.path.with_name(self.path.name + ".old")


@dataclass(frozen=True, slots=True)
class Url:
    """A site that is deployed by other means, such as GitHub's own action; it can only be read here."""

    url: str
    fetch: Callable[[str], bytes | None]

    @property
    def name(self) -> str:
        return self.url

    def read(self, path: str) -> bytes | None:
        return self.fetch(self.url + path)

    def deploy(self, site: Path) -> None:
        raise ConfigError(
            f"{site}: a site cannot be put to the URL {self.url}",
            hint="Deploy the folder by your host's own means, then: prior-art publish --confirm URL",
        )


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigError(f"run:{command}: not a command line: {error}", hint="Close the quotation marks.") from error
    if not any(SITE in word for word in words[1:]):
        raise ConfigError(
            f"run:{command}: the command does not name the site's folder",
            hint=f"Write {SITE} where it stands: run:rsync -a --delete {SITE}/ host:/srv/www/",
        )
    return words


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the publisher's own, such as rsync or rclone, that fills what `public` serves; no shell reads it."""

    words: tuple[str, ...]
    public: Url

    @property
    def name(self) -> str:
        return self.public.url

    def read(self, path: str) -> bytes | None:
        return self.public.read(path)

    def deploy(self, site: Path) -> None:
        words = [word.replace(SITE, str(site.absolute())) for word in self.words]
        hint = "What the host serves may be old, new or mixed. Mend the cause, then publish again."
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=COMMAND_SECONDS
            )
        except OSError as error:
            raise ToolError(f"{words[0]}: cannot be started: {error.strerror}", hint="Install it.") from error
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{words[0]}: not done after {COMMAND_SECONDS} seconds", hint=hint) from error
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).decode("utf-8", "replace").splitlines() if line]
            raise ToolError(f"{words[0]}: exit status {done.returncode}: {shown(' / '.join(said[-3:]))}", hint=hint)
