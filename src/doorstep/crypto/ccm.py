"""AES-CCM (RFC 3610) with the nonce and tag lengths of COSE (RFC 9053 section 4.2)."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from doorstep.errors import VerificationFailed

__all__ = ["NONCE_LENGTH", "AesCcm"]

NONCE_LENGTH: Final = 13  # bytes: leaves two for the length, so 65,535 bytes a message


class AesCcm:
    """One key, made ready once; ``tag_length`` is in bytes."""

    __slots__ = ("_decrypt", "_encrypt")

    def __init__(self, key: bytes, tag_length: int) -> None:
        cipher = AESCCM(key, tag_length)
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Return ciphertext and tag. A nonce used twice with one key breaks both messages."""
        return self._encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Return the plaintext; raises VerificationFailed when the tag does not hold."""
        try:
            return self._decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise VerificationFailed("the AES-CCM tag does not hold") from None
