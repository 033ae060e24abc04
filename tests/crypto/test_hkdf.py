import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.hkdf import MAX_OUTPUT, expand, hkdf
from doorstep.errors import MisuseError


def test_hkdf_agrees_with_rfc_5869_test_case_1() -> None:
    made = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert made.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_hkdf_agrees_with_rfc_5869_test_case_3() -> None:
    made = hkdf(b"\x0b" * 22, b"", b"", 42)
    assert made.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64), st.integers(1, 200))
def test_hkdf_agrees_with_cryptography(secret: bytes, salt: bytes, info: bytes, length: int) -> None:
    assert hkdf(secret, salt, info, length) == HKDF(SHA256(), length, salt, info).derive(secret)


@pytest.mark.parametrize(("key", "length"), [(bytes(31), 16), (bytes(32), 0), (bytes(32), MAX_OUTPUT + 1)])
def test_expand_refuses_lengths_outside_rfc_5869(key: bytes, length: int) -> None:
    assert len(expand(bytes(32), b"", MAX_OUTPUT)) == MAX_OUTPUT
    with pytest.raises(MisuseError):
        expand(key, b"", length)
