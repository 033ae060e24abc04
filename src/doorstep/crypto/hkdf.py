"""HKDF with SHA-256 (RFC 5869)."""

import hmac
from typing import Final

from doorstep.errors import MisuseError

__all__ = ["HASH_LENGTH", "MAX_OUTPUT", "expand", "extract", "hkdf"]

HASH_LENGTH: Final = 32  # bytes of one SHA-256 output
MAX_OUTPUT: Final = 255 * HASH_LENGTH  # RFC 5869 section 2.3


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Extract with ``salt`` (may be empty), then expand to ``length`` bytes."""
    return expand(extract(salt, secret), info, length)


def extract(salt: bytes, secret: bytes) -> bytes:
    """Return the pseudo-random key of ``secret``; ``salt`` may be empty."""
    return hmac.digest(salt, secret, "sha256")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Expand the pseudo-random ``key`` of at least 32 bytes to ``length`` bytes bound to ``info``."""
    if len(key) < HASH_LENGTH or not 0 < length <= MAX_OUTPUT:
        raise MisuseError(f"HKDF-Expand makes 1 to {MAX_OUTPUT} bytes from a key of at least {HASH_LENGTH}")
    output = block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(key, block + info + bytes((counter,)), "sha256")
        output += block
    return output[:length]
