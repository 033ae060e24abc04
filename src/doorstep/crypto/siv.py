"""AES-SIV with a 256-bit key (RFC 5297): encryption that needs no nonce, over any number of bound parts."""

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from doorstep.errors import MisuseError, VerificationFailed

__all__ = ["KEY_SIZE", "TAG_SIZE", "open_siv", "seal_siv"]

KEY_SIZE: Final = 32
TAG_SIZE: Final = 16


def seal_siv(key: bytes, plain: bytes, bound: Sequence[bytes] = ()) -> bytes:
    """Return tag and ciphertext; ``bound`` parts are authenticated, an empty one counts as a part."""
    return _cipher(key).encrypt(plain, list(bound))


def open_siv(key: bytes, sealed: bytes, bound: Sequence[bytes] = ()) -> bytes:
    """Return the plain text; raises `VerificationFailed` on one that does not hold."""
    try:
        return _cipher(key).decrypt(sealed, list(bound))
    except InvalidTag:
        raise VerificationFailed("wrapped data was forged, or is not for this session") from None


def _cipher(key: bytes) -> AESSIV:
    if len(key) != KEY_SIZE:
        raise MisuseError(f"AES-SIV takes {KEY_SIZE} bytes of key here")
    return AESSIV(key)
