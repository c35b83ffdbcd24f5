"""The main job in a scratch folder: own key, starter model, every stage, a site to look at. It goes on after Ctrl-C."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from generator import pipeline, reference, writing
from generator.assessing import selftest_if_due
from generator.config import FILE, Settings, load_settings
from generator.controls import SHIPPED
from generator.errors import ConfigError
from generator.press import Outcome, Press
from generator.press import serve as serve_site
from generator.quality import report

ORIGIN = "localhost/prior-art-demo/log"
SITE_URL = "http://localhost:{port}/prior-art/"
KEY = "press.key"
CORPUS = "known"


def demo(press: Press, *, count: int, serve: bool, port: int) -> Outcome:
    """Generate, append, publish into <root>/public (which builds and checks), then serve."""
    started = time.monotonic()
    press = _set_up(press, port)
    key = press.root / KEY
    reference.add(press, None, (SHIPPED,), name="Real patents in the package")
    drafted = _told(press, lambda: writing.generate(press, **_plan(count)))
    _told(press, lambda: pipeline.append(press, key))
    selftest_if_due(press)
    report(press)
    published = _told(press, lambda: pipeline.publish(press, to=f"folder:{press.root / 'public'}", key_file=key))
    if not published.ok:
        return published
    seconds = round(time.monotonic() - started)
    figures = {
        "drafts": drafted.figures["drafts"],
        "accepted": drafted.figures["accepted"],
        "tokens_per_second": drafted.figures["tokens_per_second"],
        "seconds": seconds,
        "site": str(press.site),
    }
    lines = (
        f"{figures['accepted']} disclosures of {figures['drafts']} drafts, written at "
        f"{figures['tokens_per_second']} tokens/s, are logged, built, checked and verified; this took {seconds} s.",
        f"Site: {press.site}   Verify it: prior-art verify {press.output} --root {press.root}",
    )
    if serve:
        for line in lines:
            press.report(line)
        serve_site(press, port)
        return Outcome((), figures)
    return Outcome((*lines, f"Look at it: prior-art serve --root {press.root}"), figures)


def _told(press: Press, stage: Callable[[], Outcome]) -> Outcome:
    outcome = stage()
    for line in outcome.lines if not outcome.ok else outcome.lines[:1]:
        press.report(line)
    return outcome


def _plan(count: int) -> dict[str, Any]:
    """One run for each count: the same command goes on, another count writes other drafts."""
    seed = int.from_bytes(hashlib.sha256(f"demo {count}".encode()).digest()[:8], "big")
    # More at a time would be no faster with so small a model, and the drafts begun last would be for nothing.
    return {"profile": "starter", "count": count, "seed": seed, "batch": 32}


def _set_up(press: Press, port: int) -> Press:
    """The scratch folder with its key and settings, made if need be. Raises ConfigError for any other folder."""
    root = press.root
    if not (root / FILE).exists():
        if root.is_dir() and any(p.name != KEY for p in root.iterdir()):
            raise ConfigError(
                f"{root}: this folder is not empty and holds no demonstration", hint="Name a new folder with --root."
            )
        _write_settings(root, _vkey(root / KEY), port)
    settings = load_settings(root)
    if not settings.demonstration:
        raise ConfigError(
            f"{root}: the publication in this folder is no demonstration", hint="Name a new folder with --root."
        )
    return replace(press, settings=replace(settings, facts_remote=""))


def _vkey(path: Path) -> str:
    """The verification key of the demonstration's own signing key, which is made when it is not there."""
    import secrets

    from generator import files
    from generator.keyfile import write_new_key
    from generator.note import SigningKey

    if path.exists():
        return SigningKey.parse(files.read(path, "the signing key").decode("ascii", "replace")).verification_key.text
    settings = Settings(origin=ORIGIN)
    return write_new_key(path, settings, path.parent / settings.output, secrets.token_bytes(32)).text


def _write_settings(root: Path, vkey: str, port: int) -> None:
    from generator import files

    lines = (
        "# A demonstration: texts of the small starter model, a key of its own, dates that nobody else witnessed.",
        'title = "Prior Art Press (demonstration)"',
        'prefix = "DEMO"',
        'publisher = "Demonstration of Prior Art Press"',
        f'site_url = "{SITE_URL.format(port=port or 8000)}"',
        f'origin = "{ORIGIN}"',
        f'vkey = "{vkey}"',
        'profile = "starter"',
        f'corpus = "{CORPUS}"',
        "demonstration = true",
    )
    files.write(root / FILE, "\n".join((*lines, "")).encode())
