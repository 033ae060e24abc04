"""Secrets at rest open under their own key and context only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.wrapping import KEY_BYTES, NONCE_BYTES, unwrap, wrap
from doorstep.errors import VerificationFailed

KEY, NONCE = b"k" * KEY_BYTES, b"n" * NONCE_BYTES


@given(
    st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES),
    st.binary(max_size=200),
    st.binary(max_size=50),
    st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES),
)
def test_key_opens_what_it_wrapped(key: bytes, secret: bytes, context: bytes, nonce: bytes) -> None:
    wrapped = wrap(key, secret, context=context, nonce=nonce)
    assert unwrap(key, wrapped, context=context) == secret
    assert len(wrapped) == 1 + NONCE_BYTES + len(secret) + 16
    assert wrapped[:1] == b"\x01"


@given(st.integers(0, 1 + NONCE_BYTES + 6 + 16 - 1), st.integers(1, 255))
def test_altered_byte_is_refused(place: int, change: int) -> None:
    wrapped = bytearray(wrap(KEY, b"secret", context=b"use", nonce=NONCE))
    wrapped[place] ^= change
    with pytest.raises(VerificationFailed):
        unwrap(KEY, bytes(wrapped), context=b"use")


WRAPPED = wrap(KEY, b"secret", context=b"use", nonce=NONCE)
REFUSED = {
    "foreign key": (b"f" * KEY_BYTES, WRAPPED, b"use"),
    "foreign context": (KEY, WRAPPED, b"other use"),
    "nothing": (KEY, b"", b"use"),
    "only a version": (KEY, b"\x01", b"use"),
    "cut nonce": (KEY, WRAPPED[:7], b"use"),
    "cut tag": (KEY, WRAPPED[:-1], b"use"),
    "trailing byte": (KEY, WRAPPED + b"\x00", b"use"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_belong_is_refused(name: str) -> None:
    key, wrapped, context = REFUSED[name]
    with pytest.raises(VerificationFailed, match="does not open") as refused:
        unwrap(key, wrapped, context=context)
    assert "key file" in refused.value.next_step


def test_later_version_is_refused() -> None:
    with pytest.raises(VerificationFailed):
        unwrap(KEY, b"\x02" + WRAPPED[1:], context=b"use")
