"""The transcript of an onboarding conversation, and the pattern of pulses that people compare.

Each side's nonce is fixed before it sees the other's (the phone commits to its own first), so nobody in
between can search for a transcript whose pattern fits; see docs/spec/onboarding-sealed.md, AT-3.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = [
    "COMMITMENT_LENGTH",
    "NONCE_LENGTH",
    "NO_SESSION",
    "PATTERNS",
    "Pattern",
    "commitment_of",
    "fits",
    "in_words",
    "pattern_of",
    "session_hash",
    "transcript_of",
]

NONCE_LENGTH: Final = 32
COMMITMENT_LENGTH: Final = 32
NO_SESSION: Final = bytes(32)
"""Stands for the session where there is none."""

_COUNTS: Final = 6
PATTERNS: Final = _COUNTS**3
"""Different patterns: 216, which is 7.7 bits."""

Pattern: TypeAlias = tuple[int, int, int]
"""Three counts of pulses, each from 1 to 6."""


def session_hash(messages: Iterable[bytes]) -> bytes:
    """Return the hash of a handshake's messages, in their order, as they were sent."""
    digest = hashlib.sha256()
    for message in messages:
        digest.update(len(message).to_bytes(2, "big") + message)
    return digest.digest()


def commitment_of(nonce: bytes) -> bytes:
    """Return what the phone sends before it shows its nonce."""
    return hashlib.sha256(b"doorstep commitment 1" + nonce).digest()


def fits(nonce: bytes, commitment: bytes) -> bool:
    """Tell whether a phone showed the nonce that it committed to."""
    return hmac.compare_digest(commitment_of(nonce), commitment)


def transcript_of(session: bytes, nonce: bytes, device_nonce: bytes) -> bytes:
    """Return the hash that the device signs; all three have 32 bytes."""
    return hashlib.sha256(b"doorstep transcript 1" + session + nonce + device_nonce).digest()


def pattern_of(transcript: bytes) -> Pattern:
    """Return the pulses that device and phone show alike for this transcript."""
    digest = hashlib.sha256(b"doorstep pattern 1" + transcript).digest()
    number = int.from_bytes(digest[:4], "big") % PATTERNS
    return number // _COUNTS**2 + 1, number // _COUNTS % _COUNTS + 1, number % _COUNTS + 1


def in_words(pattern: Pattern) -> str:
    """Say a pattern for a screen, a screen reader or a voice."""
    return ", then ".join(str(count) for count in pattern)
