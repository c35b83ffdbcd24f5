"""Time-stamp tokens of RFC 3161: the request, the reply, and what must hold before a reply says a time.

rfc3161-client verifies; below 1.0.9 it took tokens of an attacker whose root was embedded in them.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from generator.base.errors import LogError

MAX_REPLY = 1 << 16
SHA256_OID = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True)
class Token:
    """What a reply says. `time` is rounded up to a whole second: the bytes existed by then. `chain` is PEM."""

    time: str
    policy: str
    nonce: int | None
    chain: bytes

    @property
    def epoch(self) -> int:
        """For `openssl ts -verify -attime`."""
        return int(datetime.fromisoformat(self.time).timestamp())


def new_request(data: bytes) -> bytes:
    """A request (DER) for a token over SHA-256 of `data`, with a random nonce, and for the certificates."""
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    made: bytes = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()
    return made


def read_token(reply: bytes, request: bytes, data: bytes) -> Token:
    """The reply (DER) answers the request, and both are for `data`. Its signature is not looked at.

    Raises LogError.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from rfc3161_client import _rust

    try:
        asked: Any = _rust.parse_timestamp_request(request)
        answer = _parsed(reply)
        if answer.status != 0:
            raise LogError(f"the authority refused: status {answer.status} {' '.join(answer.status_string)[:80]}")
        said = answer.tst_info
        certificates = sorted(answer.signed_data.certificates)
        chain = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in certificates)
        imprint, wanted = said.message_imprint, hashlib.sha256(data).digest()
        own = (asked.message_imprint.hash_algorithm.dotted_string, bytes(asked.message_imprint.message))
        given = (imprint.hash_algorithm.dotted_string, bytes(imprint.message))
        policy, nonce, at = said.policy.dotted_string, said.nonce, said.gen_time
    except LogError:
        raise
    except Exception as error:  # what a parser says of bytes that somebody else wrote
        raise LogError(f"not a time-stamp: {type(error).__name__}: {str(error)[:100]}") from error
    if own != (SHA256_OID, wanted):
        raise LogError("the request is for other bytes")
    if given != (SHA256_OID, wanted):
        raise LogError("the token is for other bytes (wrong imprint)")
    if asked.nonce is None or nonce != asked.nonce:
        raise LogError("the token answers another request (wrong nonce)")
    return Token(_rounded_up(at), policy, nonce, chain)


def verify_token(reply: bytes, request: bytes, data: bytes, root: bytes, policy: str = "") -> Token:
    """As read_token, and signed under the pinned `root` (PEM) by a certificate for time-stamps, valid at that time.

    The certificates in the token lead to the root; none of them is trusted. Raises LogError.
    """
    from cryptography import x509
    from rfc3161_client import VerificationError, VerifierBuilder

    token = read_token(reply, request, data)
    if policy and token.policy != policy:
        raise LogError(f"the token is of policy {token.policy}, not {policy}")
    builder = VerifierBuilder(roots=[x509.load_pem_x509_certificate(root)], nonce=token.nonce)
    try:
        builder.build().verify_message(_parsed(reply), data)
    except VerificationError as error:
        raise LogError(f"the token is not signed under the pinned root: {str(error)[:160]}") from error
    except Exception as error:
        raise LogError(f"the token cannot be verified: {type(error).__name__}: {str(error)[:100]}") from error
    return token


def _parsed(reply: bytes) -> Any:
    """The reply, whose bytes are exactly those that its content writes."""
    from rfc3161_client import decode_timestamp_response

    if len(reply) > MAX_REPLY:
        raise LogError(f"the reply has more than {MAX_REPLY} bytes")
    answer: Any = decode_timestamp_response(reply)
    if answer.as_bytes() != reply:
        raise LogError("bytes stand after the reply, or it is not written as DER is")
    return answer


def _rounded_up(at: datetime) -> str:
    whole = at.astimezone(UTC)
    if whole.microsecond:
        whole = whole.replace(microsecond=0) + timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
