"""Secrets at rest: AES-256-GCM under a 32-byte key, bound to what the secret is for."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorstep.errors import VerificationFailed

__all__ = ["KEY_BYTES", "NONCE_BYTES", "unwrap", "wrap"]

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = b"\x01"


def wrap(key: bytes, secret: bytes, *, context: bytes, nonce: bytes) -> bytes:
    """Return ``version ‖ nonce ‖ ciphertext ‖ tag``; ``nonce`` is 12 fresh random bytes."""
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, secret, _VERSION + context)


def unwrap(key: bytes, wrapped: bytes, *, context: bytes) -> bytes:
    """Return the secret, or raise VerificationFailed for a foreign key, context or altered bytes."""
    nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, wrapped[:1] + context)
    except (InvalidTag, ValueError) as error:
        raise VerificationFailed(
            "a stored secret does not open with this key file",
            next_step="Restore the key file that belongs to this state folder.",
        ) from error
