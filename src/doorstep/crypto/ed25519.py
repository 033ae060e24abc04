"""Ed25519 (RFC 8032): the signatures under records that strangers verify, such as the custody ledger."""

from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorstep.errors import MalformedMessage, VerificationFailed

__all__ = ["SigningKey", "VerifyingKey"]


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key."""

    key: Ed25519PublicKey

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read the 32 raw bytes; raise MalformedMessage for anything else."""
        try:
            return cls(Ed25519PublicKey.from_public_bytes(raw))
        except ValueError as error:
            raise MalformedMessage(f"an Ed25519 public key has 32 bytes, not {len(raw)}") from error

    @property
    def raw(self) -> bytes:
        """The 32 bytes of RFC 8032."""
        return self.key.public_bytes_raw()

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return when the signature holds, raise VerificationFailed otherwise."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature as error:
            raise VerificationFailed("the signature does not belong to this key and message") from error


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key; its repr shows nothing."""

    key: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make the key that a 32-byte secret stands for."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifying_key(self) -> VerifyingKey:
        """The other half."""
        return VerifyingKey(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self.key.sign(message)
