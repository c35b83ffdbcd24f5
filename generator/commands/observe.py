"""`prior-art observe`: anybody's own look at a publication, and a signed line that says so."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.commands.verify import hold

if TYPE_CHECKING:
    from generator.log.anchors.cosignatures import CosignerSecret

MEANING = (
    "At the time in its cosignature, the holder of this key had fetched every disclosure that the log dates up to\n"
    "this size from its public address; each page and record was what the log says, and the records were kept.\n"
)


def observe(publication: Publication, url: str, vkey: str | None, state: Path, key_file: Path, name: str) -> Outcome:
    """Look, and cosign what was public. Nothing is signed where anything is not as the log says."""
    from generator.base import files
    from generator.verify.observing import observe
    from generator.verify.verify import pinned

    base = url if url.endswith("/") else f"{url}/"
    log, secret = pinned(vkey or publication.settings.vkey), _secret(key_file, name)
    once = functools.cache(publication.fetch)  # what is cosigned is what was looked at
    done: list[Any] = []

    def steps() -> Any:
        done.append((yield from observe(base, state, log, fetch=once, now=publication.now)))

    outcome = hold(steps(), f"{url}: public, as the log says")
    if not outcome.ok:
        return outcome
    (seen,) = done
    path = state / "cosignatures" / str(seen.checkpoint.size)
    if not path.exists():
        files.write(state / "meaning.txt", MEANING.encode())
        files.write(state / "vkey", f"{secret.key.text}\n".encode())
        files.write(path, secret.cosign(seen.checkpoint.body, publication.now()).encode())
    lines = (*outcome.lines, f"cosignature: {path}, by {secret.key.text}")
    return Outcome(lines, {**outcome.figures, "vkey": secret.key.text, "size": seen.checkpoint.size})


def _secret(path: Path, name: str) -> "CosignerSecret":
    """The observer's key in the file; a new one where there is no file yet and `name` is given."""
    import os
    import secrets

    from generator.base import files
    from generator.log.anchors.cosignatures import CosignerSecret
    from generator.log.note import NAME

    if path.exists():
        return CosignerSecret.parse(files.read_some(path, "the observer's key", 1 << 12).decode("ascii", "replace"))
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{path}: there is no key, and --name {name!r} is no name for a new one",
            hint="Give --name with a URL without scheme that is yours, such as example.net/observer.",
        )
    made = CosignerSecret(name, secrets.token_bytes(32))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(made.text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return made
