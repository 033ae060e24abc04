"""HPKE, base mode, one message (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.

Put together here because the library's own draws its randomness itself, has no associated data in its public
interface, and wants the private key in memory, where a secure element only gives `Agree`.
"""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorstep.crypto import p256
from doorstep.crypto.hkdf import expand, extract
from doorstep.crypto.p256 import POINT_LENGTH, PublicKey
from doorstep.errors import MalformedMessage, VerificationFailed

__all__ = ["ENC_LENGTH", "TAG_LENGTH", "Agree", "open_sealed", "seal"]

ENC_LENGTH: Final = POINT_LENGTH
"""Bytes of the encapsulated key: an uncompressed point."""

TAG_LENGTH: Final = 16

Agree = Callable[[PublicKey], bytes]
"""ECDH with the recipient's private key: returns the shared x coordinate, 32 bytes."""

_KEM_ID: Final = b"KEM\x00\x10"
_SUITE_ID: Final = b"HPKE\x00\x10\x00\x01\x00\x01"
_MODE_BASE: Final = b"\x00"
_SECRET_LENGTH, _KEY_LENGTH, _NONCE_LENGTH = 32, 16, 12


def seal(
    recipient: PublicKey, info: bytes, aad: bytes, plaintext: bytes, *, rng: Callable[[int], bytes]
) -> tuple[bytes, bytes]:
    """Return the encapsulated key and the ciphertext with its tag."""
    ephemeral = p256.generate(rng)
    enc = ephemeral.public_key.point
    key, nonce = _schedule(_decapsulated(ephemeral.agree(recipient), enc, recipient), info)
    return enc, AESGCM(key).encrypt(nonce, plaintext, aad)


def open_sealed(  # noqa: PLR0913, PLR0917 - RFC 9180 section 6.1
    recipient: PublicKey, agree: Agree, info: bytes, aad: bytes, enc: bytes, ciphertext: bytes
) -> bytes:
    """Return the plain text that was sealed to ``recipient``, whose private key is behind ``agree``.

    Raises MalformedMessage for what is no point of the curve, VerificationFailed for anything not sealed so.
    """
    if len(enc) != ENC_LENGTH:
        raise MalformedMessage(f"an encapsulated key has {ENC_LENGTH} bytes, not {len(enc)}")
    shared = agree(PublicKey.from_point(enc))
    key, nonce = _schedule(_decapsulated(shared, enc, recipient), info)
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError):
        raise VerificationFailed("this was not sealed to this key, or was changed on the way") from None


def _decapsulated(shared: bytes, enc: bytes, recipient: PublicKey) -> bytes:
    """Derive the KEM's shared secret (section 4.1, ExtractAndExpand)."""
    prk = _extract(_KEM_ID, b"", b"eae_prk", shared)
    return _expand(_KEM_ID, prk, b"shared_secret", enc + recipient.point, _SECRET_LENGTH)


def _schedule(secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Return key and base nonce (section 5.1); the nonce of message 0 is the base nonce."""
    context = (
        _MODE_BASE
        + _extract(_SUITE_ID, b"", b"psk_id_hash", b"")
        + _extract(_SUITE_ID, b"", b"info_hash", info)
    )
    prk = _extract(_SUITE_ID, secret, b"secret", b"")
    key = _expand(_SUITE_ID, prk, b"key", context, _KEY_LENGTH)
    return key, _expand(_SUITE_ID, prk, b"base_nonce", context, _NONCE_LENGTH)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + suite + label + material)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)
