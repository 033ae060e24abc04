"""A sealed request and the one reply to it, under the request's nonce (RFC 8613 section 5.2).

The platform's own messages have nonces with an empty sender id, so a reply collides with none of them, and it
fits no other request. It needs no sequence number of its own; in return there is one reply at most.
"""

from dataclasses import dataclass, field

from doorstep.crypto.ccm import AesCcm
from doorstep.errors import VerificationFailed
from doorstep.messaging.envelope import aad
from doorstep.messaging.errors import Forged, RejectReason
from doorstep.messaging.keys import SERVER_ID, SUITE, Suite, derive_sender_keys

__all__ = ["Exchange"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What both ends know about one request."""

    secret: bytes = field(repr=False)
    """Master secret of its epoch."""
    epoch: int
    sequence: int
    kid: bytes
    channel: bytes
    suite: Suite = SUITE

    def seal_reply(self, plaintext: bytes) -> bytes:
        """Return ciphertext and tag; never call it twice for one request."""
        return self._cipher().seal(self._nonce(), plaintext, aad(self.channel, self.suite))

    def open_reply(self, sealed: bytes) -> bytes:
        """Return the plaintext; raise Forged for what is no reply to this request."""
        try:
            return self._cipher().open(self._nonce(), sealed, aad(self.channel, self.suite))
        except VerificationFailed:
            raise Forged(
                RejectReason.WRONG_TAG, f"this is not the platform's reply to request {self.sequence}"
            ) from None

    def _cipher(self) -> AesCcm:
        key = derive_sender_keys(self.secret, self.epoch, SERVER_ID, self.suite).key
        return AesCcm(key, self.suite.tag_length)

    def _nonce(self) -> bytes:
        return derive_sender_keys(self.secret, self.epoch, self.kid, self.suite).nonce(self.sequence)
