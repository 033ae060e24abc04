"""The platform's end: opens one device's messages, and follows its epochs."""

from typing import Final, NamedTuple, TypeAlias

from doorstep.messaging.ahead import MAX_AHEAD, Ways, open_ahead
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import Envelope, parse
from doorstep.messaging.epoch import EpochReceiver
from doorstep.messaging.errors import Forged, RejectReason, Replayed
from doorstep.messaging.replay import NOTHING_SEEN, signed_window
from doorstep.messaging.state import EpochState, SealedState
from doorstep.messaging.variant import Variant

__all__ = ["MAX_AHEAD", "PREVIOUS_EPOCH_US", "Opened", "Opener", "Progress"]

PREVIOUS_EPOCH_US: Final = 600_000_000  # the previous epoch opens late packets for ten minutes


Opened: TypeAlias = tuple[int, int, bytes]
"""Epoch, sequence number and plaintext of a genuine message; a device never uses the same two numbers twice.

A plain tuple, because one is made for every message.
"""


class Progress(NamedTuple):
    """All of a SealedState that moves while no epoch changes, as columns."""

    seq_high: int
    window_bits: int
    previous_seq_high: int
    previous_window_bits: int


class Opener:
    """Opens what the device ``kid`` sends. State moves only after a tag verified.

    ``epoch_changed`` says that the next write must store `snapshot`; else `progress` is enough.
    """

    __slots__ = (
        "_allowance",
        "_current",
        "_kid",
        "_previous",
        "_previous_until_us",
        "_root",
        "_staged",
        "_variant",
        "epoch_changed",
    )

    def __init__(self, kid: bytes, state: SealedState) -> None:
        self._kid = kid
        self._variant = state.variant
        self._allowance = Allowance()
        self._current = _receiver(kid, state.current, state.variant)
        self._root = state.root
        self._previous = None if state.previous is None else _receiver(kid, state.previous, state.variant)
        self._previous_until_us = state.previous_until_us or 0
        self._staged = state.staged
        self.epoch_changed = state.unsaved

    def open(self, message: bytes, channel: bytes, now_us: int) -> Opened:
        """Open ``message``, in either encoding, that came on ``channel`` at ``now_us`` (microseconds).

        Raises Rejected with its reason, and then nothing changed.
        """
        current = self._current
        if (usual := current.open_usual(message, channel)) is not None:
            return usual
        epoch, sequence, kid, sealed = parse(message, self._variant)
        if kid is not None and kid != self._kid:
            raise Forged(RejectReason.UNKNOWN_KID, "the message names another sender than its carrier")
        if epoch == current.epoch:
            return epoch, sequence, current.open(sequence, sealed, channel)
        if epoch < current.epoch:
            late = self._receiver_behind(epoch, now_us)
            return epoch, sequence, late.open(sequence, sealed, channel)
        ways = Ways(current.epoch, self._root, self._staged, self._allowance, self._variant.suite)
        ahead = open_ahead(self._kid, ways, Envelope(epoch, sequence, kid, sealed), channel, now_us)
        self._follow(ahead.receiver, ahead.root, now_us)
        self._staged = None if ahead.under_staged else self._staged
        return epoch, sequence, ahead.plaintext

    def _follow(self, receiver: EpochReceiver, root: bytes, now_us: int) -> None:
        """Make the epoch of ``receiver``, whose message was genuine, the current one."""
        self._previous, self._current, self._root = self._current, receiver, root
        self._previous_until_us = now_us + PREVIOUS_EPOCH_US
        self.epoch_changed = True

    @property
    def variant(self) -> Variant:
        """How the device seals."""
        return self._variant

    def expire(self, now_us: int) -> None:
        """Forget the previous epoch once its deadline has passed."""
        if self._previous is not None and now_us >= self._previous_until_us:
            self._previous = None
            self.epoch_changed = True

    def progress(self) -> Progress:
        """Return what has moved while ``epoch_changed`` is false."""
        high, bits = self._current.high, signed_window(self._current.window)
        if self._previous is None:
            return Progress(high, bits, NOTHING_SEEN, 0)
        return Progress(high, bits, self._previous.high, signed_window(self._previous.window))

    def snapshot(self) -> SealedState:
        """Return the whole state to store, and clear ``epoch_changed``."""
        self.epoch_changed = False
        current = _state(self._current)
        if self._previous is None:
            return SealedState(current, self._root, staged=self._staged, variant=self._variant)
        previous = _state(self._previous)
        return SealedState(
            current, self._root, previous, self._previous_until_us, self._staged, self._variant
        )

    def _receiver_behind(self, epoch: int, now_us: int) -> EpochReceiver:
        self.expire(now_us)
        if self._previous is None or epoch != self._previous.epoch:
            raise Replayed(
                RejectReason.EPOCH_PAST,
                f"epoch {epoch} is over: the device is in epoch {self._current.epoch}",
            )
        return self._previous


def _receiver(kid: bytes, state: EpochState, variant: Variant) -> EpochReceiver:
    return EpochReceiver(state.master, state.epoch, kid, state.high, state.window, variant.suite)


def _state(receiver: EpochReceiver) -> EpochState:
    return EpochState(receiver.epoch, receiver.secret, receiver.high, receiver.window)
