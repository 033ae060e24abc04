"""AES-256-GCM for sessions: counted in lock-step as sec2 patch 1 does, and as patch 0 does, uncounted."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorstep.errors import MisuseError, ProtocolViolation, VerificationFailed

__all__ = ["KEY_SIZE", "NONCE_SIZE", "LockstepGcm", "UncountedGcm"]

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
PREFIX_SIZE: Final = 8
COUNTER_MAX: Final = 2**32 - 1


class LockstepGcm:
    """Seals and opens the messages of one session; each use moves the counter, also a failed one.

    The nonce is 8 bytes of prefix and a big-endian u32 counter. After a failure or the last counter
    value the cipher is spent: a nonce never comes twice.
    """

    def __init__(self, key: bytes, nonce: bytes) -> None:
        """Start at ``nonce``; its last four bytes are the counter of the first message."""
        if len(key) != KEY_SIZE or len(nonce) != NONCE_SIZE:
            raise MisuseError(f"a session cipher takes {KEY_SIZE} bytes of key and {NONCE_SIZE} of nonce")
        self._aead = AESGCM(key)
        self._prefix = nonce[:PREFIX_SIZE]
        self._counter = int.from_bytes(nonce[PREFIX_SIZE:])

    def seal(self, plain: bytes) -> bytes:
        """Return ciphertext and tag; raises `ProtocolViolation` when the cipher is spent."""
        return self._aead.encrypt(self._next_nonce(), plain, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the plain text; raises `VerificationFailed`, and is spent, on one that does not hold."""
        nonce = self._next_nonce()
        try:
            return self._aead.decrypt(nonce, sealed, None)
        except InvalidTag:
            self._counter = COUNTER_MAX + 1
            raise VerificationFailed("a session message was forged, replayed or out of order") from None

    def _next_nonce(self) -> bytes:
        if self._counter > COUNTER_MAX:
            raise ProtocolViolation(
                "the session has no message numbers left", next_step="Open a new session."
            )
        nonce = self._prefix + self._counter.to_bytes(4)
        self._counter += 1
        return nonce


class UncountedGcm:
    """Seals and opens every message of a session under one nonce, as sec2 patch 0 does.

    Two messages under one nonce give away their difference and the key that authenticates them: for old
    boards only, where a person accepted that.
    """

    def __init__(self, key: bytes, nonce: bytes) -> None:
        """Use ``nonce`` for each message."""
        if len(key) != KEY_SIZE or len(nonce) != NONCE_SIZE:
            raise MisuseError(f"a session cipher takes {KEY_SIZE} bytes of key and {NONCE_SIZE} of nonce")
        self._aead = AESGCM(key)
        self._nonce = nonce

    def seal(self, plain: bytes) -> bytes:
        """Return ciphertext and tag."""
        return self._aead.encrypt(self._nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the plain text; raises `VerificationFailed` on one that does not hold."""
        try:
            return self._aead.decrypt(self._nonce, sealed, None)
        except InvalidTag:
            raise VerificationFailed("a session message was forged") from None
