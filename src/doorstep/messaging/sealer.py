"""The device's end, and the platform's downlink: seals messages, and opens what comes down."""

from dataclasses import dataclass, field, replace

from doorstep.messaging.envelope import MAX_SEQUENCE, Envelope, build_compact, parse
from doorstep.messaging.epoch import EpochReceiver, EpochSender
from doorstep.messaging.errors import EpochExhausted, Forged, RejectReason, Replayed
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.keys import MAX_EPOCH, SERVER_ID, master_secret, next_root
from doorstep.messaging.state import SealedState
from doorstep.messaging.variant import RATCHET_8, Variant

__all__ = ["DeviceSealer", "DeviceState", "next_boot", "seal_downlink"]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a device keeps in flash: the epoch its next boot will use, and that epoch's root."""

    root: bytes = field(repr=False)
    epoch: int = 0


def next_boot(state: DeviceState) -> DeviceState:
    """Return the state to store before anything is sent in ``state.epoch``; it replaces ``state``.

    Raises EpochExhausted after the last epoch.
    """
    if state.epoch >= MAX_EPOCH:
        raise EpochExhausted("the device has used its last epoch", next_step="give the device a new root key")
    return DeviceState(next_root(state.root), state.epoch + 1)


class DeviceSealer:
    """Seals and opens in one epoch: ``state`` as it was loaded, after `next_boot` of it was stored."""

    __slots__ = ("_kid", "_receiver", "_sender", "_variant", "next_sequence")

    def __init__(self, kid: bytes, state: DeviceState, variant: Variant = RATCHET_8) -> None:
        self._begin(kid, master_secret(state.root), state.epoch, variant)

    def _begin(self, kid: bytes, secret: bytes, epoch: int, variant: Variant) -> None:
        self._kid = kid
        self._variant = variant
        self._sender = EpochSender(secret, epoch, kid, variant.suite)
        self._receiver = EpochReceiver(secret, epoch, SERVER_ID, suite=variant.suite)
        self.next_sequence = 0

    @property
    def exhausted(self) -> bool:
        """Every sequence number is used: the next epoch must be started, as by a boot."""
        return self.next_sequence > MAX_SEQUENCE

    def seal(self, channel: bytes, plaintext: bytes) -> bytes:
        """Return the compact encoding without kid; raises EpochExhausted when the epoch is used up."""
        return self.encode(self.seal_envelope(channel, plaintext))

    def encode(self, envelope: Envelope) -> bytes:
        """Return the compact encoding of a message of this boot."""
        return build_compact(envelope)

    def seal_envelope(self, channel: bytes, plaintext: bytes) -> Envelope:
        """Return the message, without kid, for a carrier that needs another encoding; see `seal`."""
        envelope = self._sender.seal(self.next_sequence, channel, plaintext)
        self.next_sequence += 1
        return envelope

    def ask(self, channel: bytes, plaintext: bytes) -> tuple[bytes, Exchange]:
        """Return a compact message that wants a reply, and what opens that; see `seal`."""
        sequence, secret = self.next_sequence, self._receiver.secret
        exchange = Exchange(secret, self._sender.epoch, sequence, self._kid, channel, self._variant.suite)
        return self.seal(channel, plaintext), exchange

    def open(self, message: bytes, channel: bytes) -> bytes:
        """Return the plaintext of a message from the platform; raises Rejected and changes nothing."""
        epoch, sequence, kid, sealed = parse(message, replace(self._variant, session_length=0))
        if kid:
            raise Forged(RejectReason.UNKNOWN_KID, "the message names a device as its sender")
        if epoch < self._receiver.epoch:
            raise Replayed(RejectReason.EPOCH_PAST, f"epoch {epoch} ended with an earlier boot")
        if epoch > self._receiver.epoch:
            raise Forged(RejectReason.EPOCH_TOO_FAR, f"epoch {epoch} has not begun")
        return self._receiver.open(sequence, sealed, channel)


def seal_downlink(state: SealedState, sequence: int, channel: bytes, plaintext: bytes) -> bytes:
    """Return a compact message to the device in its current epoch.

    The caller numbers the messages of an epoch from 0 and never repeats a number. Raises EpochExhausted.
    """
    sender = EpochSender(state.current.master, state.current.epoch, SERVER_ID, state.variant.suite)
    return build_compact(sender.seal(sequence, channel, plaintext))
