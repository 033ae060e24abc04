"""Ed25519 signatures (RFC 8032), for what speaks no other curve."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorstep.errors import VerificationFailed

__all__ = ["SEED_LENGTH", "SigningKey", "verify"]

SEED_LENGTH: Final = 32  # bytes of a private key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Return the key pair that 32 secret bytes are."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(message)


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    """Check a signature; raise VerificationFailed."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationFailed("the Ed25519 signature does not hold") from None
