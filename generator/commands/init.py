"""`prior-art init`: a new publication, a small folder of its own that calls this program at a pinned version."""

import json
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from generator import __version__
from generator.base import files
from generator.base.errors import ConfigError, ToolError
from generator.base.publication import Outcome, Publication
from generator.base.settings import FILE, Settings
from generator.commands.answers import Answers, Ask, answered

SCAFFOLD = Path(__file__).parent / "scaffold"
WORKFLOWS: dict[str, tuple[tuple[str, str], ...]] = {
    "github": (("github.yml", ".github/workflows/publish.yml"),),
    "gitlab": (("gitlab.yml", ".gitlab-ci.yml"),),
    "own": (),
}
SCHEMA, TOPICS = "prior-art.schema.json", "topics.txt"
_PROGRAM = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+@[0-9a-f]{40}")


def init(publication: Publication, answers: Answers, ask: Ask | None, key_file: Path | None, seed: bytes) -> Outcome:
    """Write the folder of a new publication and its signing key. `ask` is None where nobody can be asked.

    Raises ConfigError for answers that are missing or wrong and for a folder that has such files: nothing is written.
    """
    from generator.commands.settings_docs import commented, schema
    from generator.publish.keyfile import key_place

    folder = publication.root
    _require_git(folder)
    said = answered(answers, ask, folder)
    program = _program(said)
    settings = Settings(site_url=said.address, demonstration=said.trial)
    place = (key_file or key_place(settings)).absolute()
    if place.resolve().is_relative_to(folder.absolute().resolve()):
        raise ConfigError(
            f"{place}: the folder is to be public, a key must not lie there", hint="Name a file elsewhere."
        )
    topics = _topics(said.fields)
    texts = {".gitignore": (SCAFFOLD / "gitignore").read_text(), SCHEMA: json.dumps(schema(), indent=2) + "\n"}
    if topics:
        texts[TOPICS] = topics
    for source, target in WORKFLOWS[said.host]:
        texts[target] = (SCAFFOLD / source).read_text(encoding="utf-8")
    _require_free(folder, [*texts, FILE, "README.md"])
    vkey = _key(place, settings, folder, seed)
    chosen: dict[str, str | bool] = {
        "title": said.title,
        "prefix": said.prefix,
        "publisher": said.publisher,
        "site_url": said.address,
        "vkey": vkey,
        "profile": said.profile,
        **({"topics": TOPICS} if topics else {}),
        **({"facts_remote": said.remote} if said.remote else {}),
        **({"destination": said.to} if said.to else {}),
        "count": "20" if said.trial else "100",
    }
    if said.trial:
        chosen["demonstration"] = True
    texts |= {"README.md": (SCAFFOLD / "README.md").read_text(encoding="utf-8"), FILE: commented(chosen)}
    values = {
        "TITLE": said.title,
        "PUBLISHER": said.publisher,
        "ADDRESS": said.address,
        "VKEY": vkey,
        "PROGRAM": program.partition("@")[0],
        "COMMIT": program.partition("@")[2],
        "SOURCE": f"git+https://github.com/{program}",
        "VERSION": __version__,
    }
    for name, text in texts.items():
        for word, value in values.items() if name not in (FILE, SCHEMA) else ():
            text = text.replace(f"@{word}@", value)
        files.write(folder / name, text.encode())
    if not (folder / ".git").exists():
        _git(folder, "init", "--quiet", "--initial-branch=main")
    lines = (f"{folder}: the publication {said.title}, {len(texts)} files", f"the signing key is in {place}")
    figures = {"folder": str(folder), "key": str(place), "vkey": vkey, "files": sorted(texts)}
    return Outcome((*lines, "", "Left to do by hand:", *_left(said, folder, place, vkey)), figures)


def _key(place: Path, settings: Settings, folder: Path, seed: bytes) -> str:
    """The verification key of the new signing key, or of the one that an `init` made which did not end."""
    from generator.log.note import SigningKey
    from generator.publish.keyfile import write_new_key

    if place.exists():
        key = SigningKey.parse(files.read(place, "the signing key").decode("ascii", "replace"))
        if key.name == settings.log_origin:
            return key.verification_key.text
    return write_new_key(place, settings, folder / settings.output, seed).text


def _require_git(folder: Path) -> None:
    try:
        subprocess.run(["git", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolError(
            "the program git was not found", hint=f"Install git; nothing was written to {folder}."
        ) from error


def _git(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise ToolError(
            f"git {words[0]}: {done.stderr.decode('utf-8', 'replace').strip()}", hint="The files are there."
        )


def _require_free(folder: Path, names: list[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: not a folder", hint="Name a new folder.")
    if there := [name for name in names if (folder / name).exists()]:
        raise ConfigError(
            f"{folder}: {', '.join(there)} exists already, and nothing is overwritten",
            hint="Name a new folder, or move these files away. Nothing was written.",
        )


def _topics(fields: str) -> str:
    """Topics of CPC subclasses, as `load_topics` reads them: the first words of the scheme's title begin the title."""
    from generator.judge.classification import titles

    if not fields:
        return ""
    known = titles()
    lines = [
        f"{symbol}\t{known[symbol].split(';')[0].split(',')[0].strip().capitalize()}" for symbol in fields.split(",")
    ]
    return "\n".join(["# A CPC symbol, a tab, and how a title begins. Add lines as you like.", *lines, ""])


def _program(said: Answers) -> str:
    """OWNER/NAME@COMMIT of this program: what a host is to run. Empty where the publisher's own machine runs it."""
    if not WORKFLOWS[said.host]:
        return ""
    program = said.program or installed_from()
    if not _PROGRAM.fullmatch(program):
        raise ConfigError(
            f"--program: {json.dumps(program)}: OWNER/NAME@COMMIT is expected, the commit in 40 hex digits",
            hint="It is where the workflow takes this program from: a repository at GitHub, and its commit. "
            "A program that pip installed from there is found by itself.",
        )
    return program


def installed_from() -> str:
    """OWNER/NAME@COMMIT that pip installed this program from, by PEP 610; empty where it came from elsewhere."""
    try:
        origin = json.loads(distribution("prior-art-press").read_text("direct_url.json") or "{}")
        found = re.search(r"github\.com[/:]([^/]+/[^/]+?)(?:\.git)?$", origin.get("url", ""))
        commit = origin.get("vcs_info", {}).get("commit_id", "")
    except (PackageNotFoundError, ValueError, AttributeError):
        return ""
    return f"{found[1]}@{commit}" if found and commit else ""


def _left(said: Answers, folder: Path, key: Path, vkey: str) -> tuple[str, ...]:
    keep = f"Copy the key to a place where it cannot be lost, and announce the line elsewhere, too: {vkey}"
    if said.host == "github":
        return (
            f"1. In {folder}: git add . && git commit -m 'A new publication'",
            "   gh repo create --public --source . --push",
            "   Then Settings, Pages: Source = GitHub Actions.",
            "2. In Settings, Environments: make the environment publication, for the branch main alone.",
            f"   gh secret set PRIOR_ART_KEY --env publication < {key}",
            "   gh variable set PUBLISH --body yes, and a rule against force pushes on the branch publication.",
            f"3. {keep}",
        )
    if said.host == "gitlab":
        return (
            f"1. In {folder}: git add . && git commit -m 'A new publication', and push it to a new project.",
            "2. In Settings, CI/CD, Variables (masked, protected): PRIOR_ART_KEY and FACTS_TOKEN.",
            "   In Build, Pipeline schedules: one every night.",
            f"3. {keep}",
        )
    remote = "" if said.remote else "Set facts_remote to a git remote, so that the facts are kept twice. "
    return (
        f"1. {remote}Run it every night, by cron: 17 1 * * * prior-art --root {folder.absolute()} nightly",
        f"2. Let a web server show the site at {said.address}",
        f"3. {keep}",
    )
