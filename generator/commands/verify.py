"""`prior-art verify`: the steps of verification as lines, and whether a text is written again."""

import functools
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ConfigError, PressError, VerificationError
from generator.base.publication import Outcome, Publication

if TYPE_CHECKING:
    from generator.verify.anchors import Trust
    from generator.verify.sources import Fetch

CONCLUSIONS: tuple[tuple[str, bool | None, str], ...] = (
    ("different", False, "but a text is not what its own generation data give here"),
    ("not_reproduced_here", None, "but not every text was reproduced here"),
    ("reproduced", True, "and the same text was written again"),
)


def verify(
    publication: Publication,
    target: str,
    vkey: str | None = None,
    old: Path | None = None,
    regenerate: bool = False,
    profile: str | None = None,
    threads: int = 0,
    memory: bool = True,
    trust: tuple[Path, ...] = (),
    observers: tuple[str, ...] = (),
    witnesses: tuple[str, ...] = (),
) -> Outcome:
    """Each step that holds, then the one that does not; with `regenerate`, then whether the text is written again.

    `memory`: compare with the newest checkpoint seen of this log, and remember the newest one.
    """
    from generator.base.fetch import fetch
    from generator.record.numbers import serial_of
    from generator.verify.verify import verify

    if (profile or threads) and not regenerate:
        raise ConfigError("--profile and --threads choose how a text is written again", hint="Give --regenerate too.")
    serial = serial_of(target, publication.settings.prefix, publication.settings.log_origin)
    if serial is not None and not Path(target).exists():
        target = str(serial)
    once = functools.cache(fetch)  # what is written again is what was verified, whatever a server sends next
    steps = verify(
        target,
        publication.output,
        vkey or publication.settings.vkey,
        fetch=once,
        old_checkpoint=old,
        memory=memory_folder() if memory else None,
        trust=pinned_trust(publication, trust, observers, witnesses),
    )
    try:
        verified = hold(steps, f"{target}: verified")
    except PressError:
        raise
    except Exception as error:  # a crash is no answer: exit code 1 would mean that it does not verify
        kind = type(error).__name__
        raise PressError(f"{target}: could not be checked: {kind}: {error}", hint="Please report this.") from error
    return (
        _written_again(publication, target, verified, once, profile, threads)
        if regenerate and verified.ok
        else verified
    )


def pinned_trust(
    publication: Publication,
    more: tuple[Path, ...] = (),
    keys: tuple[str, ...] = (),
    witness_keys: tuple[str, ...] = (),
) -> "Trust":
    """Roots of authorities: of the package, of the settings, and in the files `more`, by the names of these files.

    Keys of observers and witnesses: of the settings, and those in `keys` and `witness_keys`, by their own names.
    """
    from generator.log.anchors.authorities import built_in_roots, certificate, load_authorities
    from generator.log.anchors.cosignatures import CosignerKey, load_cosigners
    from generator.verify.anchors import Trust

    settings, root = publication.settings, publication.root
    own = {one.name: one.root for one in load_authorities(settings.authorities, root)}
    seen, witnessed = load_cosigners(settings, root)
    observers = {f"observer {one.name}": one.key for one in seen}
    witnesses = {f"witness {one.name}": one.key for one in witnessed}
    named = {f"observer {key.name}": key for key in map(CosignerKey.parse, keys)}
    as_witnesses = {f"witness {key.name}": key for key in map(CosignerKey.parse, witness_keys)}
    roots = {**built_in_roots(), **own, **{path.stem: certificate(path) for path in more}}
    return Trust(roots, {**observers, **named}, {**witnesses, **as_witnesses})


def memory_folder() -> Path:
    """Where the newest checkpoints seen are kept: state of the user, not of a publication."""
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "state"
    return Path(state) / "prior-art" / "checkpoints"


def _written_again(
    publication: Publication, target: str, verified: Outcome, fetch: "Fetch", profile: str | None, threads: int
) -> Outcome:
    """What `verified` says, and for each record whether its text was written again. One that differs makes it a no."""
    from generator.model.interface import EngineChoice
    from generator.model.profiles import built_in_profiles, load_profile
    from generator.run.regenerate import regenerate, sources

    names = dict.fromkeys((*([profile] if profile else []), publication.settings.profile, *built_in_profiles()))
    profiles = [load_profile(name, publication.root) for name in names]
    found = sources(target, publication.output, fetch)
    results = []
    for result in regenerate(found, profiles, EngineChoice(threads=threads), report=publication.report):
        results.append(result)
        if len(found) > 1 and result.result != "reproduced":
            publication.report(result.lines()[0])
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
            held.append((step.name, step.text, getattr(step, "holds", True)))
    except VerificationError as error:
        failure = str(error)
    lines = [f"{'ok   ' if holds else '--   '} {name}: {text}" for name, text, holds in held]
    lines.append(f"FAIL  {failure}" if failure else conclusion)
    figures: dict[str, Any] = {"steps": [{"name": name, "text": text, "holds": holds} for name, text, holds in held]}
    if failure:
        figures["failure"] = failure
    return Outcome(tuple(lines), figures, ok=not failure)
