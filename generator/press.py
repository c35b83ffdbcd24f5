"""One publication on this machine, and what a command found. What belongs to no stage is here as well: keys, verify,
serve, train."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.config import Settings
from generator.errors import ConfigError, VerificationError

if TYPE_CHECKING:
    from generator.note import SigningKey
    from generator.publication import Branch
    from generator.verify import Fetch


def clock() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Press:
    """Where everything is: `root` holds the settings' file, `secret` a signing key's text or nothing."""

    root: Path
    settings: Settings
    report: Callable[[str], None]
    secret: str = field(default="", repr=False)
    now: Callable[[], str] = clock

    @property
    def output(self) -> Path:
        return self.root / self.settings.output

    @property
    def site(self) -> Path:
        return self.output / "site"

    @property
    def corpus(self) -> Path | None:
        """The folder of the reference corpus, where the settings name one."""
        return self.root / self.settings.corpus if self.settings.corpus else None

    @property
    def calibration(self) -> Path | None:
        """The calibration that the settings name; None: the shipped one."""
        return self.root / self.settings.calibration if self.settings.calibration else None

    @property
    def branch(self) -> "Branch | None":
        """The facts' branch; None when the settings name no remote for it."""
        from generator.publication import Branch

        remote = self.settings.facts_remote
        return Branch(self.output, remote, self.settings.facts_branch) if remote else None

    def signing_key(self, path: Path | None) -> "SigningKey":
        from generator.keyfile import signing_key

        return signing_key(path, self.secret, self.settings, self.output)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lines for people, figures for machines; `ok` is the answer of commands that ask something, None: no answer."""

    lines: tuple[str, ...]
    figures: dict[str, Any]
    ok: bool | None = True


def sources() -> tuple[Path, Path]:
    """Folders of the documents and of the site's templates: of the checkout, or inside the installed package."""
    here = Path(__file__).parent
    base = here if (here / "site_templates").is_dir() else here.parent
    return base / "docs", base / "site_templates"


CONCLUSIONS: tuple[tuple[str, bool | None, str], ...] = (
    ("different", False, "but a text is not what its own generation data give here"),
    ("not_reproduced_here", None, "but not every text was reproduced here"),
    ("reproduced", True, "and the same text was written again"),
)


def verify(
    press: Press,
    target: str,
    vkey: str | None = None,
    old: Path | None = None,
    regenerate: bool = False,
    profile: str | None = None,
    threads: int = 0,
) -> Outcome:
    """Each step that holds, then the one that does not; with `regenerate`, then whether the text is written again."""
    from generator.fetch import fetch
    from generator.verify import verify

    if (profile or threads) and not regenerate:
        raise ConfigError("--profile and --threads choose how a text is written again", hint="Give --regenerate too.")
    once = functools.cache(fetch)  # what is written again is what was verified, whatever a server sends next
    steps = verify(target, press.output, vkey or press.settings.vkey, fetch=once, old_checkpoint=old)
    verified = hold(steps, f"{target}: verified")
    return _written_again(press, target, verified, once, profile, threads) if regenerate and verified.ok else verified


def _written_again(
    press: Press, target: str, verified: Outcome, fetch: "Fetch", profile: str | None, threads: int
) -> Outcome:
    """What `verified` says, and for each record whether its text was written again. One that differs makes it a no."""
    from generator.brief import EngineChoice
    from generator.profiles import built_in_profiles, load_profile
    from generator.regenerate import regenerate, sources

    names = dict.fromkeys((*([profile] if profile else []), press.settings.profile, *built_in_profiles()))
    profiles = [load_profile(name, press.root) for name in names]
    found = sources(target, press.output, fetch)
    results = []
    for result in regenerate(found, profiles, EngineChoice(threads=threads), report=press.report):
        results.append(result)
        if len(found) > 1 and result.result != "reproduced":
            press.report(result.lines()[0])
    lines = [line for r in results if r.result != "reproduced" or len(found) == 1 for line in r.lines()]
    kinds = {result.result for result in results}
    ok, said = next((ok, said) for kind, ok, said in CONCLUSIONS if kind in kinds or kind == "reproduced")
    if len(found) > 1:
        same = sum(result.result == "reproduced" for result in results)
        said = f"{said}: {same} of {len(found)} reproduced"
    figures = {**verified.figures, "regenerated": [asdict(result) for result in results]}
    return Outcome((*verified.lines[:-1], *lines, f"{target}: verified, {said}"), figures, ok)


def hold(steps: Iterator[Any], conclusion: str) -> Outcome:
    """Run steps, each with a name and a text, up to the first that does not hold."""
    held = []
    failure = ""
    try:
        for step in steps:
            held.append((step.name, step.text))
    except VerificationError as error:
        failure = str(error)
    lines = [f"ok    {name}: {text}" for name, text in held]
    lines.append(f"FAIL  {failure}" if failure else conclusion)
    figures: dict[str, Any] = {"steps": [{"name": name, "text": text} for name, text in held]}
    if failure:
        figures["failure"] = failure
    return Outcome(tuple(lines), figures, ok=not failure)


def new_key(press: Press, path: Path) -> Outcome:
    import secrets

    from generator.keyfile import write_new_key

    vkey = write_new_key(path, press.settings, press.output, secrets.token_bytes(32)).text
    press.report(f"key: the signing key is in {path}; keep it secret, and keep a copy where it cannot be lost")
    press.report(f'key: pin its verification key in prior-art.toml:  vkey = "{vkey}"')
    return Outcome((vkey,), {"vkey": vkey, "file": str(path)})


def show_key(press: Press, key_file: Path | None) -> Outcome:
    vkey = press.signing_key(key_file).verification_key.text
    return Outcome((vkey,), {"vkey": vkey, "origin": press.settings.log_origin})


def serve(press: Press, port: int) -> Outcome:
    from generator.serve import serve

    serve(press.site, press.settings.site_url, port, press.report)
    return Outcome((), {"port": port})
