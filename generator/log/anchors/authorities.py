"""Time-stamp authorities by name: an address, the root that is pinned for it, perhaps the policy of its tokens.

An authority is one of those in the package, or a TOML file of the publisher's own.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import ConfigError
from generator.base.values import Faults, read

BUILT_IN = Path(__file__).parent / "authorities"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
HINT = "docs/settings.md describes the file of an authority."
MAX_PEM = 1 << 16
_URL = re.compile(r"https?://[^\s/?#]+(/\S*)?")
_POLICY = re.compile(r"([0-2](\.(0|[1-9][0-9]*))+)?")


@dataclass(frozen=True, slots=True)
class Authority:
    """`root` is a PEM certificate. An empty `policy`: tokens of any policy of this authority are taken."""

    name: str
    url: str
    root: bytes
    policy: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    url: str
    root: str
    policy: str = ""


def built_in_authorities() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.toml")))


def load_authorities(setting: str, root: Path) -> tuple[Authority, ...]:
    """Those that a setting names: built-in names, or TOML files relative to `root`. Raises ConfigError."""
    found = tuple(load_authority(word, root) for word in setting.split())
    names = [authority.name for authority in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"authorities: {min(twice)} is named twice", hint="Give each authority a name of its own.")
    return found


def load_authority(name_or_path: str, root: Path) -> Authority:
    path = BUILT_IN / f"{name_or_path}.toml" if name_or_path in built_in_authorities() else root / name_or_path
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        known = ", ".join(built_in_authorities())
        hint = f"Built in are {known}; another one is a TOML file. {HINT}"
        raise ConfigError(
            f"authorities: {name_or_path}: {getattr(error, 'strerror', None) or error}", hint=hint
        ) from error
    try:
        made: _File = read(_File, values, "")
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=HINT) from error
    if not NAME.fullmatch(path.stem):
        raise ConfigError(f"{path}: its name is no name of an authority", hint="Small letters, digits, hyphens.")
    if not _URL.fullmatch(made.url) or not _POLICY.fullmatch(made.policy):
        raise ConfigError(f"{path}: url is no http address, or policy is no number such as 1.2.3.4", hint=HINT)
    return Authority(path.stem, made.url, certificate(path.parent / made.root), made.policy)


def certificate(path: Path) -> bytes:
    """The PEM file of one certificate. Raises ConfigError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    data = files.read_some(path, "the root certificate", MAX_PEM)
    try:
        (found,) = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError(f"{path}: it does not hold one certificate in PEM: {error}", hint=HINT) from error
    return found.public_bytes(Encoding.PEM)


def built_in_roots() -> dict[str, bytes]:
    """The pinned roots of the package, by the name of their authority."""
    return {name: load_authority(name, BUILT_IN).root for name in built_in_authorities()}
