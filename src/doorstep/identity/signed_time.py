"""The time for boards without a clock: the platform's word for one nonce of one board.

`docs/spec/rotation.md` §7 is normative.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage, ReplayRefused
from doorstep.identity import platform_word
from doorstep.wire import cbor

__all__ = ["NONCE_LENGTHS", "TIME_CAP", "TIME_CONTEXT", "SignedTime", "StaleTime", "verify"]

TIME_CONTEXT: Final = b"doorstep signed time 1"
"""External authenticated data."""

TIME_CAP: Final = 1_024
"""Bytes of a signed time, the certificate included."""

NONCE_LENGTHS: Final = range(16, 65)
"""Bytes of the board's nonce."""


class StaleTime(ReplayRefused):
    """A signed time answers another question, or is earlier than what the board knows to be past."""


@dataclass(frozen=True, slots=True)
class SignedTime:
    """``time`` is seconds since 1970."""

    nonce: bytes
    time: int

    def __post_init__(self) -> None:
        """Refuse what could not be read again."""
        if len(self.nonce) not in NONCE_LENGTHS or not 0 <= self.time <= platform_word.LAST_SECOND:
            raise MalformedMessage("a signed time has a nonce of 16 to 64 bytes and a second until 9999")

    def sign(self, operations: Issuer) -> bytes:
        """Return the signed bytes."""
        return platform_word.sign({"nonce": self.nonce, "time": self.time}, TIME_CONTEXT, operations)


def verify(data: bytes, roots: Sequence[Certificate], nonce: bytes, *, at_least: int) -> int:
    """Return the time in an answer to ``nonce``; ``at_least`` is a second that the board knows to be past.

    Checked in this order: form, certificate, signature, nonce, not before. Raises MalformedMessage,
    VerificationFailed or StaleTime.
    """
    word = platform_word.read(data, max_bytes=TIME_CAP)
    said = _said(word[0].payload)
    platform_word.verify(word, roots, TIME_CONTEXT, issued=said.time)
    if not hmac.compare_digest(said.nonce, nonce):
        raise StaleTime("this time was signed for another question", next_step="Ask again with a new nonce.")
    if said.time < at_least:
        raise StaleTime(
            f"the platform says second {said.time}, and second {at_least} is past",
            next_step="Set the platform's clock.",
        )
    return said.time


def _said(payload: bytes) -> SignedTime:
    match cbor.decode(payload, max_bytes=TIME_CAP):
        case {"nonce": bytes(nonce), "time": int(time), **rest} if not rest:
            return SignedTime(nonce, time)
        case _:
            raise MalformedMessage("a signed time has a nonce and a time, and nothing else")
