"""The platform's key for EDHOC exchanges, in its signed word: a device believes it by the maker's root alone.

`docs/spec/rotation.md` §5 is normative.
"""

from collections.abc import Sequence
from typing import Final

from doorstep.crypto.p256 import PublicKey
from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage
from doorstep.identity import platform_word
from doorstep.wire import cbor

__all__ = ["EXCHANGE_CONTEXT", "EXCHANGE_KEY_CAP", "PLATFORM_NAME", "sign", "verify"]

EXCHANGE_CONTEXT: Final = b"doorstep exchange key 1"
"""External authenticated data."""

EXCHANGE_KEY_CAP: Final = 1_024
"""Bytes of the word, the certificate included."""

PLATFORM_NAME: Final = "platform"
"""The platform's name in an exchange; a device's is its id."""


def sign(key: PublicKey, operations: Issuer, *, issued: int) -> bytes:
    """Return the signed word; ``issued`` is seconds since 1970."""
    return platform_word.sign({"issued": issued, "key": key.compressed}, EXCHANGE_CONTEXT, operations)


def verify(data: bytes, roots: Sequence[Certificate]) -> PublicKey:
    """Return the platform's key; raise MalformedMessage or VerificationFailed."""
    word = platform_word.read(data, max_bytes=EXCHANGE_KEY_CAP)
    match cbor.decode(word[0].payload, max_bytes=EXCHANGE_KEY_CAP):
        case {"issued": int(issued), "key": bytes(point), **rest} if not rest:
            pass
        case _:
            raise MalformedMessage("an exchange key has a second of issue and a point, and nothing else")
    if not 0 <= issued <= platform_word.LAST_SECOND:
        raise MalformedMessage("an exchange key was issued in a second until 9999")
    platform_word.verify(word, roots, EXCHANGE_CONTEXT, issued=issued)
    return PublicKey.from_point(point)
