"""Messages of a later epoch: the ratchet is run on a copy, and nothing moves before the tag held.

While a rotation is staged there are two ways ahead: the staged root's and the present chain's.
"""

from typing import Final, NamedTuple

from doorstep.messaging.allowance import NEAR, Allowance
from doorstep.messaging.envelope import Envelope
from doorstep.messaging.epoch import EpochReceiver
from doorstep.messaging.errors import Forged, RejectReason, Replayed
from doorstep.messaging.keys import SUITE, Suite, master_secret, next_root, run_ahead
from doorstep.messaging.state import SealedState, StagedRoot

__all__ = ["MAX_AHEAD", "Reached", "Ways", "open_ahead", "open_aside"]

MAX_AHEAD: Final = 1_000  # epochs the ratchet is run for a message whose tag is not yet known to hold


class Ways(NamedTuple):
    """Where the ratchet stands for a device: its epoch, the root after it, and what this minute allows."""

    epoch: int
    root: bytes
    staged: StagedRoot | None
    allowance: Allowance
    suite: Suite = SUITE

    def __repr__(self) -> str:
        return f"Ways(epoch={self.epoch})"


class Reached(NamedTuple):
    """A genuine message of a later epoch, the receiver of that epoch, and the root after it."""

    plaintext: bytes
    receiver: EpochReceiver
    root: bytes
    under_staged: bool
    """It came under the staged root: the present chain is over."""

    def __repr__(self) -> str:
        return f"Reached(epoch={self.receiver.epoch}, under_staged={self.under_staged})"


def open_ahead(kid: bytes, ways: Ways, envelope: Envelope, channel: bytes, now_us: int) -> Reached:
    """Open a message of an epoch after that of ``ways``.

    Raises Forged when the tag does not hold, or the epoch is more than MAX_AHEAD ahead or further than the
    allowance reaches.
    """
    epoch = envelope.epoch
    _check_reach(ways, epoch, now_us)
    if ways.staged is not None and epoch >= ways.staged.epoch:
        try:
            return _opened(
                kid,
                run_ahead(ways.staged.root, epoch - ways.staged.epoch),
                envelope,
                channel,
                ways.suite,
                under_staged=True,
            )
        except Forged:
            pass  # the device has not got so far
    return _opened(
        kid, run_ahead(ways.root, epoch - ways.epoch - 1), envelope, channel, ways.suite, under_staged=False
    )


def open_aside(  # noqa: PLR0913, PLR0917 - who, what it holds, what came, where and when
    kid: bytes, state: SealedState, allowance: Allowance, envelope: Envelope, channel: bytes, now_us: int
) -> tuple[bytes, bytes]:
    """Return plaintext and master secret of a message that no window counts; the state stays.

    The caller sees to repeats. Raises Rejected; the previous epoch is over here.
    """
    current = state.current
    if envelope.kid is not None and envelope.kid != kid:
        raise Forged(RejectReason.UNKNOWN_KID, "the message names another sender than its carrier")
    if envelope.epoch < current.epoch:
        raise Replayed(
            RejectReason.EPOCH_PAST, f"epoch {envelope.epoch} is over: the device is in epoch {current.epoch}"
        )
    if envelope.epoch == current.epoch:
        receiver = EpochReceiver(current.master, current.epoch, kid, suite=state.variant.suite)
        return receiver.open(envelope.sequence, envelope.ciphertext, channel), receiver.secret
    ways = Ways(current.epoch, state.root, state.staged, allowance, state.variant.suite)
    reached = open_ahead(kid, ways, envelope, channel, now_us)
    return reached.plaintext, reached.receiver.secret


def _opened(  # noqa: PLR0913 - who, what it holds, what came and under which root
    kid: bytes, root: bytes, envelope: Envelope, channel: bytes, suite: Suite, *, under_staged: bool
) -> Reached:
    receiver = EpochReceiver(master_secret(root), envelope.epoch, kid, suite=suite)
    plaintext = receiver.open(envelope.sequence, envelope.ciphertext, channel)
    return Reached(plaintext, receiver, next_root(root), under_staged)


def _check_reach(ways: Ways, epoch: int, now_us: int) -> None:
    steps = epoch - ways.epoch
    if steps > MAX_AHEAD:
        raise Forged(
            RejectReason.EPOCH_TOO_FAR,
            f"epoch {epoch} is more than {MAX_AHEAD} ahead of the device's {ways.epoch}",
        )
    if not ways.allowance.spend(steps, now_us):
        raise Forged(
            RejectReason.EPOCH_TOO_FAR,
            f"epoch {epoch} is more than {NEAR} ahead, and this minute's allowance for such is spent",
        )
