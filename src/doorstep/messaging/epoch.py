"""One sender in one epoch, seen from either end."""

from typing import Final

from doorstep.crypto.ccm import AesCcm
from doorstep.errors import MisuseError, VerificationFailed
from doorstep.messaging.envelope import (
    MAX_MESSAGE,
    MAX_PLAINTEXT,
    MAX_SEQUENCE,
    Envelope,
    aads,
    compact_frame,
)
from doorstep.messaging.errors import EpochExhausted, Forged, RejectReason, Replayed
from doorstep.messaging.keys import NONCE_LENGTH, SUITE, Suite, derive_sender_keys
from doorstep.messaging.replay import NOTHING_SEEN, WINDOW_WIDTH, mark, was_seen

__all__ = ["EpochReceiver", "EpochSender"]


class EpochSender:
    """Seals what ``sender_id`` says in ``epoch``; the caller never repeats a sequence number."""

    __slots__ = ("_aad", "_cipher", "_nonce", "epoch")

    def __init__(self, secret: bytes, epoch: int, sender_id: bytes, suite: Suite = SUITE) -> None:
        keys = derive_sender_keys(secret, epoch, sender_id, suite)
        self._aad = aads(suite)
        self.epoch: Final = epoch
        self._nonce = keys.nonce
        self._cipher = AesCcm(keys.key, suite.tag_length)

    def seal(self, sequence: int, channel: bytes, plaintext: bytes) -> Envelope:
        """Return message ``sequence``, without kid; raises EpochExhausted behind the last number."""
        if sequence > MAX_SEQUENCE:
            raise EpochExhausted(
                f"epoch {self.epoch} has no sequence number left",
                next_step="store the next epoch and start it",
            )
        if len(plaintext) > MAX_PLAINTEXT:
            raise MisuseError(f"one message carries at most {MAX_PLAINTEXT} bytes, not {len(plaintext)}")
        sealed = self._cipher.seal(self._nonce(sequence), plaintext, self._aad(channel))
        return Envelope(self.epoch, sequence, None, sealed)


class EpochReceiver:
    """Opens what ``sender_id`` says in ``epoch``, each message once (``high``, ``window``: see `replay`)."""

    __slots__ = (
        "_aad",
        "_after",
        "_base_iv",
        "_before",
        "_end",
        "_open",
        "_shortest",
        "epoch",
        "high",
        "secret",
        "window",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - whose, which epoch's, and how far it has come
        self,
        secret: bytes,
        epoch: int,
        sender_id: bytes,
        high: int = NOTHING_SEEN,
        window: int = 0,
        suite: Suite = SUITE,
    ) -> None:
        keys = derive_sender_keys(secret, epoch, sender_id, suite)
        self._aad = aads(suite)
        self.secret: Final = secret
        self.epoch: Final = epoch
        self.high = high
        self.window = window
        self._before, self._after = compact_frame(epoch)
        self._end = len(self._before) + 2 + len(self._after)
        self._shortest = self._end + suite.tag_length
        self._base_iv = keys.base_iv
        self._open = AesCcm(keys.key, suite.tag_length).open

    def open_usual(self, message: bytes, channel: bytes) -> tuple[int, int, bytes] | None:
        """Return epoch, sequence number and plaintext of a compact message of this epoch, without kid.

        None for what must go through `doorstep.messaging.envelope.parse`: nearly nothing that the platform
        gets, and comparing is several times cheaper than parsing. Raises as `open` does.
        """
        end = self._end
        if message[:2] != self._before or message[4:end] != self._after or message[2] == 0:
            return None
        if not self._shortest <= len(message) <= MAX_MESSAGE:
            return None
        sequence = message[2] << 8 | message[3]
        return self.epoch, sequence, self.open(sequence, message[end:], channel)

    def open(self, sequence: int, sealed: bytes, channel: bytes) -> bytes:
        """Return the plaintext and count it as seen; raises Replayed or Forged and changes nothing."""
        high = self.high
        if sequence <= high:
            self._refuse_seen(sequence)
        try:
            plaintext = self._open(
                (self._base_iv ^ sequence).to_bytes(NONCE_LENGTH, "big"), sealed, self._aad(channel)
            )
        except VerificationFailed:
            raise Forged(
                RejectReason.WRONG_TAG, f"the tag of message {sequence} in epoch {self.epoch} does not hold"
            ) from None
        self.high, self.window = mark(high, self.window, sequence)
        return plaintext

    def _refuse_seen(self, sequence: int) -> None:
        if sequence <= self.high - WINDOW_WIDTH:
            raise Replayed(
                RejectReason.TOO_OLD, f"message {sequence} is behind the window that ends at {self.high}"
            )
        if was_seen(self.high, self.window, sequence):
            raise Replayed(
                RejectReason.REPLAYED, f"message {sequence} of epoch {self.epoch} was opened before"
            )
