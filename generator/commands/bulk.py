"""`prior-art bulk` and `prior-art fetch-bulk`: a publication as a few files, and a mirror made of them."""

import json
from typing import TYPE_CHECKING, Any

from generator.base import files
from generator.base.errors import ConfigError, PressError
from generator.base.fetch import fetch
from generator.base.publication import Outcome, Publication
from generator.base.settings import FILE, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.log.bulk import Manifest
    from generator.verify.audit import Step

SECONDS = 900.0  # for one file; a volume of 8,192 has some 40 MB


def bulk(publication: Publication) -> Outcome:
    from generator.publish.bulk import FOLDER, write

    settings = publication.settings
    mark = publication.root / settings.mark if settings.mark else None
    manifest = write(publication.output, settings, mark, publication.report)
    total = sum(part.bytes for part in manifest.files)
    folder = publication.output / FOLDER
    line = f"bulk: {len(manifest.files)} files, {total:,} bytes, in {folder}"
    return Outcome((line,), {"files": len(manifest.files), "bytes": total, "folder": str(folder)})


def fetch_bulk(publication: Publication, source: str, vkey: str | None, build: bool) -> Outcome:
    """Verify and restore; then `build`. Each step that holds is a line."""
    from generator.commands.nightly import build as build_site
    from generator.commands.verify import hold
    from generator.verify.bulk import restore
    from generator.verify.verify import pinned

    key = pinned(vkey or publication.settings.vkey)
    found: list[Manifest] = []

    def steps() -> "Iterator[Step]":
        found.append((yield from restore(source, publication.output, key, fetch=fetched, report=publication.report)))

    restored = hold(steps(), f"{source}: verified, and restored in {publication.output}")
    if not restored.ok:
        return restored
    settings = _settings(publication, found[0], key.text)
    if not build:
        return restored
    mirror = Publication(publication.root, settings, publication.report)
    built = build_site(mirror)
    return Outcome((*restored.lines, *built.lines), {**restored.figures, **built.figures})


def fetched(url: str, limit: int) -> bytes | None:
    """The body of at most `limit` bytes behind a URL; None where nothing is there."""
    return fetch(url, timeout_seconds=SECONDS, max_bytes=limit)


def _settings(publication: Publication, manifest: "Manifest", vkey: str) -> Settings:
    """The settings to build with: those of the manifest where the folder has none. They are checked like any others."""
    root, own = publication.root, publication.root / FILE
    text = _toml({**manifest.settings, "vkey": vkey})
    mark = publication.output / "mark.svg"
    if mark.is_file():
        text += f"mark = {json.dumps(f'{publication.settings.output}/mark.svg')}\n"
    if not own.exists():
        trial = publication.output / "work" / "settings"
        files.write(trial / FILE, text.encode())
        try:
            load_settings(trial, {})
        except ConfigError as error:
            raise PressError(
                f"the manifest's settings cannot be used: {error}", hint="Write prior-art.toml."
            ) from error
        files.write(own, text.encode())
        (trial / FILE).unlink()
        trial.rmdir()
        publication.report(f"fetch-bulk: {own} is written from the manifest")
    made = load_settings(root)
    for name, value in manifest.settings.items():
        if getattr(made, name) != value:
            publication.report(
                f"fetch-bulk: {name} is {getattr(made, name)!r} here, {value!r} there: pages will differ"
            )
    return made


def _toml(settings: dict[str, Any]) -> str:
    """Every JSON text is a basic string of TOML."""
    shown = {name: json.dumps(value, ensure_ascii=False) for name, value in settings.items()}
    return "".join(f"{name} = {value}\n" for name, value in shown.items())
