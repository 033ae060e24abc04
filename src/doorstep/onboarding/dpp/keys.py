"""Keys and tags of Easy Connect's authentication (specification §6.3), for P-256 and SHA-256."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.hkdf import expand, hkdf
from doorstep.crypto.p256 import PublicKey

__all__ = [
    "NONCE_SIZE",
    "TAG_SIZE",
    "Transcript",
    "first_key",
    "protocol_key",
    "protocol_point",
    "second_key",
]

NONCE_SIZE: Final = 16
TAG_SIZE: Final = 32
KEY_SIZE: Final = 32
COORDINATE: Final = 32
UNCOMPRESSED: Final = b"\x04"


def first_key(secret: bytes) -> bytes:
    """Return k1 of M.x, which wraps the request."""
    return hkdf(secret, b"", b"first intermediate key", KEY_SIZE)


def second_key(secret: bytes) -> bytes:
    """Return k2 of N.x, which wraps the response."""
    return hkdf(secret, b"", b"second intermediate key", KEY_SIZE)


def protocol_point(key: PublicKey) -> bytes:
    """Return a protocol key as frames carry it: x and y, 64 bytes."""
    return key.point[1:]


def protocol_key(point: bytes) -> PublicKey:
    """Read a protocol key; raises `MalformedKey` where it is not on the curve."""
    return PublicKey.from_point(UNCOMPRESSED + point)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What both sides have exchanged and agreed on; the initiator's label is not part of it."""

    initiator_nonce: bytes
    responder_nonce: bytes
    initiator_key: PublicKey
    responder_key: PublicKey
    label: PublicKey
    """The responder's bootstrapping key."""
    secrets: bytes = field(repr=False)
    """M.x and N.x."""

    @property
    def session_key(self) -> bytes:
        """Ke, which wraps everything after the authentication."""
        nonces = self.initiator_nonce + self.responder_nonce
        return expand(hmac.digest(nonces, self.secrets, "sha256"), b"DPP Key", KEY_SIZE)

    @property
    def responder_tag(self) -> bytes:
        """The responder's proof that it holds the label's private key."""
        keys = (self.initiator_key, self.responder_key, self.label)
        return _tag(self.initiator_nonce + self.responder_nonce, keys, 0)

    @property
    def initiator_tag(self) -> bytes:
        """The initiator's proof that it has read the label."""
        keys = (self.responder_key, self.initiator_key, self.label)
        return _tag(self.responder_nonce + self.initiator_nonce, keys, 1)


def _tag(nonces: bytes, keys: tuple[PublicKey, ...], side: int) -> bytes:
    points = b"".join(protocol_point(key)[:COORDINATE] for key in keys)
    return hashlib.sha256(nonces + points + bytes((side,))).digest()
