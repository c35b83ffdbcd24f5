"""The main job in a scratch folder: own key, a small model, every stage, a site to look at. It goes on after Ctrl-C."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError, ModelError
from generator.base.publication import Outcome, Publication
from generator.base.settings import FILE, Settings, load_settings
from generator.commands import corpus, generate, nightly
from generator.commands.gates import selftest_if_due
from generator.commands.serve import serve as serve_site
from generator.measure.controls import SHIPPED
from generator.measure.report import report
from generator.model.profiles import ModelProfile, load_profile
from generator.model.weights import ADAPTER, model_folder, weight_files, weights_of

ORIGIN = "localhost/prior-art-demo/log"
SITE_URL = "http://localhost:{port}/prior-art/"
KEY = "press.key"
CORPUS = "known"
BETTER, SMALL = "scribe", "starter"
DRAWN = 8  # accepted disclosures of the better model for each that is published


def demo(publication: Publication, *, count: int, serve: bool, port: int, profile: str | None = None) -> Outcome:
    """`profile` writes in a new folder; without one the better model where it can be had.

    Generate, append, publish into <root>/public (which builds and checks), then serve."""
    started = time.monotonic()
    publication = _set_up(publication, port, profile)
    key = publication.root / KEY
    corpus.add(publication, None, (SHIPPED,), name="Real patents in the package")
    drafted = _told(publication, lambda: generate.generate(publication, **_plan(count, publication.settings.profile)))
    _told(publication, lambda: nightly.append(publication, key))
    selftest_if_due(publication)
    report(publication)
    published = _told(
        publication, lambda: nightly.publish(publication, to=f"folder:{publication.root / 'public'}", key_file=key)
    )
    if not published.ok:
        return published
    seconds = round(time.monotonic() - started)
    figures = {
        "published": drafted.figures.get("chosen", {}).get("published", drafted.figures["accepted"]),
        "drafts": drafted.figures["drafts"],
        "accepted": drafted.figures["accepted"],
        "tokens_per_second": drafted.figures["tokens_per_second"],
        "seconds": seconds,
        "site": str(publication.site),
    }
    lines = (
        f"{figures['published']} disclosures, of {figures['accepted']} accepted of {figures['drafts']} drafts, "
        f"written at {figures['tokens_per_second']} tokens/s, are logged, built, checked and verified; "
        f"this took {seconds} s.",
        f"Site: {publication.site}   Verify it: prior-art verify {publication.output} --root {publication.root}",
    )
    if serve:
        for line in lines:
            publication.report(line)
        serve_site(publication, port)
        return Outcome((), figures)
    return Outcome((*lines, f"Look at it: prior-art serve --root {publication.root}"), figures)


def _told(publication: Publication, stage: Callable[[], Outcome]) -> Outcome:
    outcome = stage()
    for line in outcome.lines if not outcome.ok else outcome.lines[:1]:
        publication.report(line)
    return outcome


def _plan(count: int, profile: str) -> dict[str, Any]:
    """One run for each count: the same command goes on, another count writes other drafts."""
    seed = int.from_bytes(hashlib.sha256(f"demo {count}".encode()).digest()[:8], "big")
    # More at a time would be no faster with so small a model, and the drafts begun last would be for nothing.
    plan = {"profile": profile, "count": count, "seed": seed, "batch": 32}
    return {**plan, "count": count * DRAWN, "publish": count} if profile == BETTER else plan


def writer(better: ModelProfile, report: Callable[[str], None]) -> str:
    """The better model's name where all of it can be had, else the small one's; says which and why."""
    try:
        if better.adapter:
            weight_files(better.adapter, ADAPTER)
        folder, _ = model_folder(better, report)
        weights_of(better, folder)
    except ModelError as error:
        report(f"demo: {SMALL} writes, the small model in the package, as {better.name} cannot be had: {error}")
        return SMALL
    report(f"demo: {better.name} writes, as its weights are here: {better.attribution}")
    return better.name


def _set_up(publication: Publication, port: int, profile: str | None) -> Publication:
    """The scratch folder with its key and settings, made if need be. Raises ConfigError for any other folder."""
    root = publication.root
    if not (root / FILE).exists():
        if root.is_dir() and any(p.name != KEY for p in root.iterdir()):
            raise ConfigError(
                f"{root}: this folder is not empty and holds no demonstration", hint="Name a new folder with --root."
            )
        profile = profile or writer(load_profile(BETTER, root), publication.report)
        _write_settings(root, _vkey(root / KEY), port, profile)
    settings = load_settings(root)
    if not settings.demonstration:
        raise ConfigError(
            f"{root}: the publication in this folder is no demonstration", hint="Name a new folder with --root."
        )
    return replace(publication, settings=replace(settings, facts_remote=""))


def _vkey(path: Path) -> str:
    """The verification key of the demonstration's own signing key, which is made when it is not there."""
    import secrets

    from generator.base import files
    from generator.log.note import SigningKey
    from generator.publish.keyfile import write_new_key

    if path.exists():
        return SigningKey.parse(files.read(path, "the signing key").decode("ascii", "replace")).verification_key.text
    settings = Settings(origin=ORIGIN, demonstration=True)
    return write_new_key(path, settings, path.parent / settings.output, secrets.token_bytes(32)).text


def _write_settings(root: Path, vkey: str, port: int, profile: str) -> None:
    from generator.base import files

    lines = (
        "# A demonstration: texts of a small model, a key of its own, dates that nobody else witnessed.",
        'title = "Prior Art Press (demonstration)"',
        'prefix = "DEMO"',
        'publisher = "Demonstration of Prior Art Press"',
        f'site_url = "{SITE_URL.format(port=port or 8000)}"',
        f'origin = "{ORIGIN}"',
        f'vkey = "{vkey}"',
        f'profile = "{profile}"',
        f'corpus = "{CORPUS}"',
        "demonstration = true",
    )
    files.write(root / FILE, "\n".join((*lines, "")).encode())
