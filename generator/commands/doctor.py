"""`prior-art doctor`: what would stop a night, seen before the hours of writing; and what a night will make here."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from generator.base.errors import PressError
from generator.base.publication import Outcome, Publication
from generator.base.settings import Settings, is_local

FREE_DISK, FREE_MEMORY = 2 << 30, 3 << 30  # a night of the default model: weights 0.7 GB, engine some 2.5 GB
PAGES_BYTES = 1_000_000_000  # GitHub's limit of a site
LATE_HOURS = 48
MARKS = {"ok": "ok   ", "look": "?    ", "stop": "FAIL "}


@dataclass(frozen=True, slots=True)
class Finding:
    """`look`: worth a look, the night goes on; `stop`: a night would end there."""

    name: str
    state: Literal["ok", "look", "stop"]
    text: str
    hint: str = ""


def doctor(publication: Publication, key_file: Path | None) -> Outcome:
    """Every check, whatever the others found; the answer is no where one of them would stop a night."""
    found: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            found += check(publication, key_file)
        except PressError as error:
            found.append(Finding(name, "stop", str(error), error.hint))
    lines = [
        line
        for one in found
        for line in (f"{MARKS[one.state]} {one.name}: {one.text}", *([f"       {one.hint}"] if one.hint else []))
    ]
    stops = sum(one.state == "stop" for one in found)
    looks = sum(one.state == "look" for one in found)
    last = f"doctor: {stops} would stop a night, {looks} are worth a look, {len(found) - stops - looks} are well"
    return Outcome((*lines, last), {"checks": [asdict(one) for one in found]}, ok=not stops)


def _settings(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    settings = publication.settings
    if is_local(settings.site_url) and not settings.demonstration:
        yield Finding(
            "settings", "stop", f"site_url is {settings.site_url}, which nobody else can read", "Set site_url."
        )
    elif settings.site_url.startswith("http:") and not is_local(settings.site_url):
        yield Finding("settings", "look", "site_url is not https: readers cannot know whose pages they see")
    name = settings.vkey.partition("+")[0]
    if not name:
        yield Finding("settings", "stop", "vkey is not set, so any key would sign", "prior-art key show --key FILE")
    elif name != settings.log_origin:
        yield Finding("settings", "stop", f"vkey is of the log {name}, the settings' log is {settings.log_origin}")
    defaults = Settings()
    for one in ("title", "publisher"):
        if getattr(settings, one) == getattr(defaults, one):
            yield Finding("settings", "look", f"{one} is still {getattr(defaults, one)}")
    for one in ("contact", "imprint"):
        if not getattr(settings, one):
            yield Finding("settings", "look", f"{one} is not set; whoever wants a text gone must reach somebody")
    yield Finding("settings", "ok", f"read; the log is {settings.log_origin}")


def _key(publication: Publication, key_file: Path | None) -> Iterator[Finding]:
    from generator.publish.keyfile import signing_key_of

    key = signing_key_of(publication, key_file)
    yield Finding("key", "ok", f"signs as {key.verification_key.text}")


def _model(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    from generator.judge.calibration import load_calibration
    from generator.model.profiles import load_profile
    from generator.run.topics import load_topics

    settings = publication.settings
    profile = load_profile(settings.profile, publication.root)
    if not profile.folder and not re.fullmatch(r"[0-9a-f]{40}|\d.*", profile.revision):
        text = f"the profile {profile.name} takes the branch {profile.revision}, which may change from night to night"
        yield Finding("model", "look", text, 'Pin a commit: revision = "..." in a profile of your own.')
    else:
        yield Finding("model", "ok", f"{profile.name}: {profile.model} {profile.revision}".rstrip())
    load_calibration(publication.calibration)
    if settings.topics:
        yield Finding("model", "ok", f"{len(load_topics(publication.root / settings.topics))} topics")
    for name in ("corpus", "mark"):
        path = publication.root / getattr(settings, name)
        if getattr(settings, name) and not path.exists():
            yield Finding("model", "stop", f"{name} is {path}, and nothing is there")


def _repository(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    """No secret among the files of the repository; both pins of the workflow are one."""
    done = _git(publication.root, "grep", "--untracked", "-l", "-F", "PRIVATE+KEY+", "--", ".")
    if done is not None and (names := done.split()):
        said = f"{names[0]} holds a signing key, and this repository is pushed"
        yield Finding(
            "repository", "stop", said, "Take the file out, also of the history; make a new key if it was pushed."
        )
    path = publication.root / ".github" / "workflows" / "publish.yml"
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        called, given = re.search(r"uses: \S+@([0-9a-f]{40})", text), re.search(r"commit: (\w+)", text)
        if called and given and called[1] != given[1]:
            said = f"{path.name} calls the workflow of {called[1][:12]} and the program of {given[1][:12]}"
            yield Finding("repository", "stop", said, "Write the same commit in `uses` and in `commit`.")
        elif called:
            yield Finding("repository", "ok", f"the program is pinned at {called[1][:12]}")


def _branch(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    from generator.publish.git import remote_head, shown

    settings = publication.settings
    if not settings.facts_remote:
        yield Finding("branch", "look", "facts_remote is not set: the facts are on this machine alone")
        return
    head = remote_head(publication.root, settings.facts_remote, settings.facts_branch)
    said = f"{shown(settings.facts_remote)} answers, the branch {settings.facts_branch} is "
    yield Finding("branch", "ok", said + (f"at {head[:12]}" if head else "made by the first night"))
    protected = _protected(publication)
    if protected is False and head:
        hint = "Forbid force pushes and deletion: prior-art docs publishing"
        yield Finding("branch", "look", f"the branch {settings.facts_branch} is not protected", hint)


def _protected(publication: Publication) -> bool | None:
    """Whether the remote refuses force pushes of the facts' branch; None where it cannot be asked."""
    settings = publication.settings
    remote = settings.facts_remote
    if Path(remote).is_dir():
        said = _git(Path(remote), "config", "--get", "receive.denyNonFastForwards")
        return (said or "").strip() == "true"
    host = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    if not remote.startswith(f"{host}/"):
        return None
    api = "https://api.github.com" if host == "https://github.com" else f"{host}/api/v3"
    name = remote.removeprefix(f"{host}/").removesuffix(".git").rstrip("/")
    try:
        data = publication.fetch(f"{api}/repos/{name}/branches/{settings.facts_branch}")
        value = json.loads(data or b"{}").get("protected")
    except (PressError, ValueError, AttributeError):
        return None
    return value if isinstance(value, bool) else None


def _address(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    """The public log is ours, or there is none; and how old the newest disclosure is."""
    from generator.log.note import Checkpoint, VerificationKey, check_signature

    settings = publication.settings
    if is_local(settings.site_url):
        return
    note = publication.fetch(settings.site_url + "log/checkpoint")
    if note is None:
        yield Finding("address", "ok", f"{settings.site_url} answers, and nothing is published there yet")
        return
    text = note.decode("utf-8", "replace")
    checkpoint = Checkpoint.parse(text)
    if settings.vkey:
        check_signature(text, VerificationKey.parse(settings.vkey))
    yield Finding("address", "ok", f"{settings.site_url} serves this log, with {checkpoint.size} entries")
    newest = _newest(publication)
    hours = (datetime.fromisoformat(publication.now()) - newest).total_seconds() / 3600 if newest else 0
    if newest and hours > LATE_HOURS:
        said = f"the newest disclosure was published {hours:.0f} hours ago"
        hint = "GitHub stops the schedules of forks, and of public repositories after 60 days without activity."
        yield Finding("address", "look", said, hint)


def _newest(publication: Publication) -> datetime | None:
    try:
        items = json.loads(publication.fetch(publication.settings.site_url + "feed.json") or b"{}").get("items", [])
        return max((datetime.fromisoformat(item["date_published"]) for item in items), default=None)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _clock(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    from generator.publish.deploy import require_right

    now, other = publication.now(), publication.server_time(publication.settings.site_url)
    require_right(now, other, "the web server of the site")
    said = f"{now}, within a minute of the web server's" if other else f"{now}; no web server answered to compare with"
    yield Finding("clock", "ok" if other or is_local(publication.settings.site_url) else "look", said)


def _machine(publication: Publication, _key_file: Path | None) -> Iterator[Finding]:
    disk = shutil.disk_usage(publication.root).free
    state: Literal["ok", "look"] = "ok" if disk > FREE_DISK else "look"
    yield Finding("disk", state, f"{disk >> 30} GiB free", "" if state == "ok" else "Weights and site need some 2 GiB.")
    memory = _memory()
    if memory:
        state = "ok" if memory > FREE_MEMORY else "look"
        hint = "" if state == "ok" else "Give --memory, or --cache int8, if a night is refused for memory."
        yield Finding("memory", state, f"{memory / (1 << 30):.1f} GiB free", hint)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("cpu", "ok", f"{cores} cores, {_flags()}")
    yield Finding("night", "ok", _expected(publication))
    size = sum(path.stat().st_size for path in publication.site.rglob("*") if path.is_file())
    if size:
        full = size / PAGES_BYTES
        said = f"the built site has {size / 1e6:.0f} MB, {full:.0%} of what GitHub Pages holds"
        yield Finding("host", "ok" if full < 0.8 else "look", said)


def _memory() -> int:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return 0


def _flags() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "of a kind that this system does not tell"
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    able = [name for name in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni") if flags and name in flags[1].split()]
    return " ".join(able) or "without AVX2"


def _expected(publication: Publication) -> str:
    """From the newest run's report, where there is one."""
    reports = sorted((publication.output / "runs").glob("*.json"))
    if not reports:
        return "no run yet to judge by; to measure one: prior-art generate --drafts 50 --timings"
    value: dict[str, Any] = json.loads(reports[-1].read_bytes())
    hours = value["milliseconds"] / 3_600_000
    if not hours:
        return "the newest run took no time that could be measured"
    return (
        f"the newest run wrote {value['drafts'] / hours:.0f} drafts an hour, of which {value['accepted'] / hours:.0f} "
        f"were accepted; by that, 280 minutes make {value['accepted'] / hours * 280 / 60:.0f}"
    )


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


CHECKS: dict[str, Callable[[Publication, Path | None], Iterator[Finding]]] = {
    "settings": _settings,
    "key": _key,
    "model": _model,
    "repository": _repository,
    "branch": _branch,
    "address": _address,
    "clock": _clock,
    "machine": _machine,
}
