"""Ed25519 by the vectors of RFC 8032 section 7.1."""

import pytest

from doorstep.crypto.ed25519 import SigningKey, VerifyingKey
from doorstep.errors import MalformedMessage, VerificationFailed

_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_key_signs_as_the_standard_says() -> None:
    key = SigningKey.from_seed(_SEED)
    assert key.verifying_key.raw == _PUBLIC
    assert key.sign(b"\x72") == _SIGNATURE
    VerifyingKey.from_bytes(_PUBLIC).verify(_SIGNATURE, b"\x72")


def test_key_refuses_another_message() -> None:
    with pytest.raises(VerificationFailed):
        VerifyingKey.from_bytes(_PUBLIC).verify(_SIGNATURE, b"\x73")


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33)])
def test_malformed_key_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessage):
        VerifyingKey.from_bytes(raw)


def test_private_key_shows_nothing() -> None:
    assert _SEED.hex()[:8] not in repr(SigningKey.from_seed(_SEED))
