"""Where the signing key comes from, and the checks before it signs. It is never printed, and never under output/."""

import os
import re
from pathlib import Path

from generator.base import files
from generator.base.errors import ConfigError, KeyUnusable, LogError
from generator.base.publication import Publication
from generator.base.settings import FILE, KEY_VARIABLE, Settings, is_local
from generator.log.archive import current
from generator.log.note import SigningKey, VerificationKey, check_signature, new_key


def key_place(settings: Settings) -> Path:
    """Where `init` puts the key of a log, and where it is looked for when no other is given."""
    name = re.sub(r"[^A-Za-z0-9.-]", "_", settings.log_origin)
    return _home() / f"{name[:150]}.key"


def contributor_place() -> Path:
    """Where the key lies with which somebody signs what they contribute to the publications of others."""
    return _home() / "contributor.key"


def _home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "prior-art-press"


def write_new_key(path: Path, settings: Settings, output: Path, seed: bytes) -> VerificationKey:
    """Write a new signing key for the settings' log to `path`, readable by its owner only. Raises KeyUnusable."""
    if is_local(settings.log_origin) and not settings.demonstration:
        raise KeyUnusable(
            f"the settings name no public address: this would be a key for {settings.log_origin}, for ever",
            hint=f"Run this in the folder with {FILE}, or name it with --root, once site_url or origin is set there.",
        )
    if path.absolute().resolve().is_relative_to(output.absolute().resolve()):
        raise KeyUnusable(f"{path}: {output} is published, a key must not lie there", hint="Name a file elsewhere.")
    key = new_key(settings.log_origin, seed)
    write_key(path, key)
    return key.verification_key


def write_key(path: Path, key: SigningKey) -> None:
    """A new file for a key, readable by its owner only. Raises KeyUnusable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyUnusable(f"{path}: exists already, and a key is never overwritten", hint="Name a new file.") from error
    except OSError as error:
        raise KeyUnusable(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.text + "\n")
        file.flush()
        os.fsync(file.fileno())


def require_settled(settings: Settings) -> None:
    """Raises ConfigError for settings by which nothing may be signed: whatever is, lasts."""
    if is_local(settings.log_origin) and settings.facts_remote and not settings.demonstration:
        raise ConfigError(
            f"the log would be {settings.log_origin} for ever, and it would be pushed to a remote",
            hint="Set site_url or origin to the public address, and make a new key: prior-art key new FILE",
        )
    if not settings.vkey:
        raise ConfigError(
            "the settings pin no verification key (vkey), so that any key would sign",
            hint="Set vkey to the line that this prints: prior-art key show --key FILE",
        )


def signing_key(path: Path | None, secret: str, settings: Settings, output: Path) -> SigningKey:
    """The key in the file at `path`, or the text `secret`, or the one that `init` made, once it is known to fit."""
    if path is None and not secret and (made := key_place(settings)).exists():
        path = made
    if path is not None:
        text = files.read(path, "the signing key").decode("ascii", "replace")
    elif secret:
        text = secret
    else:
        raise KeyUnusable(
            "no signing key was given",
            hint=f"Give --key FILE, or put the key into {KEY_VARIABLE}. A new one: prior-art key new FILE",
        )
    key = SigningKey.parse(text)
    if key.name != settings.log_origin:
        raise KeyUnusable(
            f"the key signs for {key.name}, the log of this publication is {settings.log_origin}",
            hint="Use this publication's key, or set origin to the name in the key (see docs/settings.md).",
        )
    if settings.vkey and key.verification_key.text != settings.vkey:
        raise KeyUnusable(
            f"the key is {key.verification_key.text}, the settings pin {settings.vkey}",
            hint="Use the key whose verification key is pinned as vkey.",
        )
    if current(output) is not None:
        note = files.read(output / "log" / "checkpoint", "the checkpoint").decode("utf-8", "replace")
        try:
            check_signature(note, key.verification_key)
        except LogError as error:
            raise KeyUnusable(
                f"the key did not sign the newest checkpoint in {output}: {error}", hint="Use the key of this log."
            ) from error
    return key


def signing_key_of(publication: Publication, path: Path | None) -> SigningKey:
    """The key of a publication: from a file, or from the secret that it was given. Raises KeyUnusable."""
    return signing_key(path, publication.secret, publication.settings, publication.output)
