"""Signed notes, checkpoints and their Ed25519 keys.

Sources: C2SP signed-note (text form of notes and keys), C2SP tlog-checkpoint, golang.org/x/mod/sumdb/note (text form
of the private key). A checkpoint is a note of three lines: origin, tree size, base64 of the root hash.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field

from generator.base.errors import KeyUnusable, LogError

ED25519 = b"\x01"
# No white space, no control character, no plus sign: written out, because Unicode's tables grow from year to year.
NAME = re.compile("[^\x00-\x20+\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+")
MARK = "— "  # em dash and space begin a signature line


@dataclass(frozen=True, slots=True)
class VerificationKey:
    name: str
    public: bytes

    @property
    def text(self) -> str:
        """`<name>+<key id in hex>+<base64>`, called vkey in the C2SP documents."""
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{encode_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerificationKey":
        name, _, rest = text.strip().partition("+")
        identifier, _, encoded = rest.partition("+")
        data = decode_base64(encoded)
        if data is None or len(data) != 33 or data[:1] != ED25519 or not name or not _name_ok(name):
            raise KeyUnusable(
                "the verification key is not of the form <origin>+<8 hex digits>+<base64 of an Ed25519 key>",
                hint="It is the line in log/vkey of the publication, and vkey in its settings.",
            )
        key = cls(name, data[1:])
        if key.text != text.strip():
            raise KeyUnusable(f"the verification key of {name} does not match its own key id {identifier[:8]!r}")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """From `PRIVATE+KEY+<name>+<key id in hex>+<base64>`. No message of this function repeats the key."""
        parts = text.strip().split("+", 4)
        data = decode_base64(parts[4]) if len(parts) == 5 and parts[:2] == ["PRIVATE", "KEY"] else None
        if data is None or len(data) != 33 or data[:1] != ED25519 or not _name_ok(parts[2]):
            raise KeyUnusable(
                "the signing key is not of the form PRIVATE+KEY+<origin>+<8 hex digits>+<base64>",
                hint="Make one with: prior-art key new FILE",
            )
        key = cls(parts[2], data[1:])
        if key.text != text.strip():
            raise KeyUnusable(f"the signing key of {key.name} does not match its own key id")
        return key

    @property
    def text(self) -> str:
        identifier = key_id(self.name, self.verification_key.public)
        return f"PRIVATE+KEY+{self.name}+{identifier.hex()}+{encode_base64(ED25519 + self.seed)}"

    @property
    def verification_key(self) -> VerificationKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return VerificationKey(
            self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        )

    def sign(self, body: str) -> str:
        """The whole signed note. Ed25519 is deterministic: the same body gives the same bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(body.encode())
        identifier = key_id(self.name, self.verification_key.public)
        return f"{body}\n{MARK}{self.name} {encode_base64(identifier + signature)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, note: str) -> "Checkpoint":
        """From a signed note, its signatures unread. Lines after the third are extensions. Raises LogError."""
        lines = split_note(note)[0].split("\n")[:-1]
        root = decode_base64(lines[2]) if len(lines) >= 3 else None
        if root is None or len(root) != 32 or not re.fullmatch(r"[1-9][0-9]{0,14}", lines[1]) or not _name_ok(lines[0]):
            raise LogError("the checkpoint is not origin, tree size, base64 of a 32-byte root")
        if not all(lines[3:]):
            raise LogError("an extension line of the checkpoint is empty")
        return cls(lines[0], int(lines[1]), root)


def new_key(name: str, seed: bytes) -> SigningKey:
    """A key from 32 random bytes, which the caller draws. `name` is the log's origin."""
    if not _name_ok(name):
        raise KeyUnusable(f"the origin {name!r} must have no white space and no plus sign")
    if len(seed) != 32:
        raise KeyUnusable("a seed of 32 bytes is expected")
    return SigningKey(name, seed)


def key_id(name: str, public: bytes) -> bytes:
    """C2SP signed-note: the first four bytes of SHA-256(name, LF, algorithm, public key)."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def split_note(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Body (with its final newline) and signatures (key name, key id and signature bytes). Raises LogError."""
    body, separator, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not separator or lines[-1] != "" or len(lines) < 2 or len(note) > 1_000_000:
        raise LogError("not a signed note: text, an empty line, signature lines")
    found = []
    for line in lines[:-1]:
        name, space, encoded = line.removeprefix(MARK).partition(" ")
        data = decode_base64(encoded)
        if not line.startswith(MARK) or not space or data is None or len(data) < 5 or not _name_ok(name):
            raise LogError("a signature line of the note is malformed")
        found.append((name, data))
    return body + "\n", tuple(found)


def check_signature(note: str, key: VerificationKey) -> None:
    """Raises LogError unless the note bears a valid signature of `key`; other keys' signatures are not looked at."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    body, signatures = split_note(note)
    wanted = key_id(key.name, key.public)
    mine = [data[4:] for name, data in signatures if name == key.name and data[:4] == wanted]
    if not mine:
        raise LogError(f"no signature of the pinned key {key.name}+{wanted.hex()} stands under the checkpoint")
    public = Ed25519PublicKey.from_public_bytes(key.public)
    for signature in mine:
        try:
            public.verify(signature, body.encode())
        except InvalidSignature as error:
            raise LogError(f"the signature of {key.name}+{wanted.hex()} does not fit the checkpoint") from error


def _name_ok(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes | None:
    """Strict base64: padded, and with zero bits where bits are left over. None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode_base64(data) == text else None
