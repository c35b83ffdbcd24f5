"""Cosignatures of a checkpoint (C2SP tlog-cosignature, Ed25519): who saw it, and when.

A key has one published meaning. An observer's: at this time I fetched every disclosure that the log dates up to this
size from its public address, and each was what the log says. A witness's: at this time the checkpoint was the largest
that I had seen of this log, and continued all before it.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from generator.base import files
from generator.base.errors import ConfigError, KeyUnusable, LogError
from generator.base.settings import Settings
from generator.base.values import Faults, read
from generator.log.anchors.authorities import NAME
from generator.log.note import MARK, decode_base64, encode_base64
from generator.log.note import NAME as KEY_NAME

COSIGNATURE = b"\x04"
MAX_LINE = 1000
HINT = "docs/observing.md describes the file of an observer."
_LINE = re.compile(rf"{MARK}(\S+) ([A-Za-z0-9+/]+=*)\n")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """`text` is `<name>+<key id in hex>+<base64>`, as C2SP has it."""

    name: str
    public: bytes

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode_base64(COSIGNATURE + self.public)}"

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> "CosignerKey":
        name, _, rest = text.strip().partition("+")
        data = decode_base64(rest.partition("+")[2])
        if data is None or len(data) != 33 or data[:1] != COSIGNATURE or not KEY_NAME.fullmatch(name):
            raise KeyUnusable(
                "the observer's key is not of the form <name>+<8 hex digits>+<base64 of a cosigner's Ed25519 key>",
                hint="It is the line that `prior-art observe` prints.",
            )
        key = cls(name, data[1:])
        if key.text != text.strip():
            raise KeyUnusable(f"the observer's key of {name} does not match its own key id")
        return key


@dataclass(frozen=True, slots=True)
class CosignerSecret:
    name: str
    seed: bytes = field(repr=False)

    @property
    def key(self) -> CosignerKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return CosignerKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        return f"PRIVATE+KEY+{self.name}+{self.key.id.hex()}+{encode_base64(COSIGNATURE + self.seed)}"

    @classmethod
    def parse(cls, text: str) -> "CosignerSecret":
        """No message of this function repeats the key."""
        parts = text.strip().split("+", 4)
        data = decode_base64(parts[4]) if len(parts) == 5 and parts[:2] == ["PRIVATE", "KEY"] else None
        if data is None or len(data) != 33 or data[:1] != COSIGNATURE or not KEY_NAME.fullmatch(parts[2]):
            raise KeyUnusable("the file does not hold an observer's key", hint="Name a new file: observe makes one.")
        secret = cls(parts[2], data[1:])
        if secret.text != text.strip():
            raise KeyUnusable("the observer's key does not match its own key id")
        return secret

    def cosign(self, body: str, time: str) -> str:
        """The signature line for the body of a checkpoint, seen at `time`."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        seconds = int(datetime.fromisoformat(time).timestamp())
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(body, seconds))
        return f"{MARK}{self.name} {encode_base64(self.key.id + seconds.to_bytes(8, 'big') + signature)}\n"


def cosigned_at(line: bytes, key: CosignerKey, body: str) -> str:
    """When `key` cosigned the checkpoint with this body. Raises LogError for every other line."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, data = _parts(line)
    if name != key.name or data[:4] != key.id:
        raise LogError(f"the cosignature is not by {key.name}+{key.id.hex()}")
    try:
        message = _message(body, int.from_bytes(data[4:12], "big"))
        Ed25519PublicKey.from_public_bytes(key.public).verify(data[12:], message)
    except InvalidSignature as error:
        raise LogError("the cosignature is not for this checkpoint: another origin, size, root or time") from error
    return said_time(line)


def signer(line: bytes) -> tuple[str, bytes]:
    """Name and identifier of the key that a cosignature says it is by. Raises LogError."""
    name, data = _parts(line)
    return name, data[:4]


def said_time(line: bytes) -> str:
    """The time in a cosignature, whose signature is not looked at. Raises LogError."""
    try:
        seconds = int.from_bytes(_parts(line)[1][4:12], "big")
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError) as error:
        raise LogError("the time of the cosignature is no time") from error


def _parts(line: bytes) -> tuple[str, bytes]:
    """The name of the key, and key id, time and signature."""
    match = _LINE.fullmatch(line.decode("utf-8", "replace")) if len(line) <= MAX_LINE else None
    data = decode_base64(match[2]) if match else None
    if match is None or data is None or len(data) != 76:
        raise LogError("not one line with a cosignature")
    return match[1], data


def _message(body: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


AHEAD_SECONDS = 60


def within(time: str, now: str) -> str:
    """`time`, unless it lies in the future. Raises LogError."""
    if (datetime.fromisoformat(time) - datetime.fromisoformat(now)).total_seconds() > AHEAD_SECONDS:
        raise LogError(f"the time of the cosignature, {time}, lies in the future")
    return time


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who cosigns. An observer's lines are at `<url>/cosignatures/<size>`, a witness is asked at
    `<url>/add-checkpoint`.
    """

    name: str
    url: str
    key: CosignerKey


@dataclass(frozen=True, slots=True)
class _File:
    url: str
    vkey: str


def load_observers(setting: str, root: Path) -> tuple[Observer, ...]:
    """Those in the TOML files that a setting names, relative to `root`. Raises ConfigError, KeyUnusable."""
    return tuple(_load(root / word) for word in setting.split())


def load_cosigners(settings: Settings, root: Path) -> tuple[tuple[Observer, ...], tuple[Observer, ...]]:
    """Observers and witnesses. Raises ConfigError where one name or one key stands for two."""
    observers, witnesses = load_observers(settings.observers, root), load_observers(settings.witnesses, root)
    both = (*observers, *witnesses)
    if len({one.name for one in both}) < len(both) or len({one.key.public for one in both}) < len(both):
        raise ConfigError("observers, witnesses: two of them have one name or one key", hint=HINT)
    return observers, witnesses


def _load(path: Path) -> Observer:
    try:
        made: _File = read(_File, tomllib.loads(files.read_some(path, "an observer", 1 << 16).decode()), "")
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=HINT) from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", hint=HINT) from error
    if not NAME.fullmatch(path.stem) or not _URL.fullmatch(made.url):
        raise ConfigError(f"{path}: its name is no name of an observer, or url no http address", hint=HINT)
    return Observer(path.stem, made.url.rstrip("/"), CosignerKey.parse(made.vkey))
