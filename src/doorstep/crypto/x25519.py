"""X25519 key agreement (RFC 7748) on raw 32-byte values."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed

__all__ = ["KEY_SIZE", "agree", "public_of"]

KEY_SIZE: Final = 32


def public_of(private: bytes) -> bytes:
    """Return the public key of 32 random bytes."""
    return _private(private).public_key().public_bytes_raw()


def agree(private: bytes, peer_public: bytes) -> bytes:
    """Return the shared secret; raises `VerificationFailed` on a public key that makes it predictable."""
    if len(peer_public) != KEY_SIZE:
        raise MalformedMessage(f"a public key has {len(peer_public)} bytes, not {KEY_SIZE}")
    try:
        return _private(private).exchange(X25519PublicKey.from_public_bytes(peer_public))
    except ValueError:
        raise VerificationFailed("a public key has a small order") from None


def _private(private: bytes) -> X25519PrivateKey:
    if len(private) != KEY_SIZE:
        raise MisuseError(f"a private key has {KEY_SIZE} bytes")
    return X25519PrivateKey.from_private_bytes(private)
