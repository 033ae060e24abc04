import pytest

from doorstep.crypto.unauthenticated import (
    cbc_blocks_open,
    cbc_blocks_seal,
    cbc_open,
    cbc_seal,
    cfb_open,
    cfb_seal,
)
from doorstep.errors import MisuseError, VerificationFailed

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
IV = bytes(range(16))
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
"""NIST SP 800-38A, appendix F."""


def test_cbc_gives_the_value_of_the_standard() -> None:
    assert cbc_seal(KEY, IV, PLAIN)[:16].hex() == "7649abac8119b246cee98e9b12e9197d"


def test_cbc_blocks_are_the_standards_and_open_again() -> None:
    sealed = cbc_blocks_seal(KEY, IV, PLAIN)
    assert sealed.hex() == "7649abac8119b246cee98e9b12e9197d"
    assert cbc_blocks_open(KEY, IV, sealed) == PLAIN


def test_cfb_gives_the_value_of_the_standard() -> None:
    assert cfb_seal(KEY, IV, PLAIN).hex() == "3b3fd92eb72dad20333449f8e83cfb4a"


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100])
def test_both_open_what_they_seal(size: int) -> None:
    assert cbc_open(KEY, IV, cbc_seal(KEY, IV, b"x" * size)) == b"x" * size
    assert cfb_open(KEY * 2, IV, cfb_seal(KEY * 2, IV, b"x" * size)) == b"x" * size


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(16)])
def test_cbc_refuses_what_has_no_padding(sealed: bytes) -> None:
    with pytest.raises(VerificationFailed):
        cbc_open(KEY, IV, sealed)


@pytest.mark.parametrize(("key", "iv"), [(KEY[:-1], IV), (KEY, IV[:-1])])
def test_misuse_is_refused(key: bytes, iv: bytes) -> None:
    with pytest.raises(MisuseError):
        cfb_seal(key, iv, b"")
