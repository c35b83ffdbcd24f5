import contextlib

import pytest
from facts import ORIGIN, key
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import KeyUnusable, LogError
from generator.log.note import Checkpoint, SigningKey, VerificationKey, check_signature, new_key, split_note

# The example of golang.org/x/mod/sumdb/note, also in C2SP signed-note.
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"


def test_the_published_example() -> None:
    check_signature(NOTE, VerificationKey.parse(VKEY))
    signer = SigningKey.parse(SKEY)
    assert signer.verification_key.text == VKEY
    assert signer.text == SKEY
    assert signer.sign(split_note(NOTE)[0]) == NOTE


def test_keys_read_back_and_show_no_secret() -> None:
    signer = key()
    assert SigningKey.parse(signer.text) == signer
    assert VerificationKey.parse(signer.verification_key.text) == signer.verification_key
    assert signer.seed.hex() not in repr(signer)
    assert "seed" not in repr(signer)


@pytest.mark.parametrize(
    "text", ["", "x", VKEY[:-1], VKEY.replace("c74f", "c74e"), VKEY.replace("Peter", "Pieter"), "a b+00000000+AAAA"]
)
def test_a_malformed_verification_key_is_refused(text: str) -> None:
    with pytest.raises(KeyUnusable):
        VerificationKey.parse(text)


@pytest.mark.parametrize("text", ["", "x", SKEY[:-1], SKEY.replace("c74f", "c74e"), VKEY, "PRIVATE+KEY+a+b"])
def test_a_malformed_signing_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        SigningKey.parse(text)
    assert "AYEKFALVFGyNhPJ" not in str(caught.value) + caught.value.hint


def test_an_origin_must_be_one_word() -> None:
    for name in ("", "two words", "a+b"):
        with pytest.raises(KeyUnusable, match="origin"):
            new_key(name, bytes(32))
    with pytest.raises(KeyUnusable, match="32 bytes"):
        new_key("a", b"short")


@given(st.integers(1, 10**15 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert Checkpoint.parse(key().sign(checkpoint.body)) == checkpoint


@pytest.mark.parametrize(
    "change", [("5\n", "05\n"), ("5\n", "-5\n"), ("5\n", "0\n"), ("=\n", "\n"), ("example", "ex ample")]
)
def test_a_checkpoint_written_otherwise_is_refused(change: tuple[str, str]) -> None:
    note = key().sign(Checkpoint(ORIGIN, 5, bytes(32)).body.replace(*change, 1))
    with pytest.raises(LogError):
        Checkpoint.parse(note)


def test_other_signatures_do_not_count_and_do_not_disturb() -> None:
    note = key().sign(Checkpoint(ORIGIN, 5, bytes(32)).body)
    other = key("witness.example", 9).sign(split_note(note)[0]).partition("\n\n")[2]
    check_signature(note + other, key().verification_key)
    with pytest.raises(LogError, match="no signature of the pinned key"):
        check_signature(split_note(note)[0] + "\n" + other, key().verification_key)
    with pytest.raises(LogError, match="no signature of the pinned key"):
        check_signature(note, key(ORIGIN, 8).verification_key)
    with pytest.raises(LogError, match="does not fit"):
        check_signature(note.replace("\n5\n", "\n6\n"), key().verification_key)


@given(st.text(max_size=80))
def test_any_text_is_a_note_or_refused(text: str) -> None:
    with contextlib.suppress(LogError):
        split_note(text)
