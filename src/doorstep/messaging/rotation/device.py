"""The device's end: stages what the platform offers, answers, and gives the old root up when told to.

The device keeps using its old root until the platform has shown that it stored the new one. What is staged is
not the new root but what makes it of the stored one; so a boot in between, which moves that root on, costs
another `Answer` and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from doorstep.errors import ProtocolViolation
from doorstep.identity.rotation import Proven, Stage, Staged, advance
from doorstep.messaging.rotation.keys import (
    SHARE_LENGTHS,
    Change,
    End,
    check_confirmation,
    confirmation,
    replacement,
)
from doorstep.messaging.rotation.messages import Answer, Commit, Done, Offer
from doorstep.messaging.sealer import DeviceState

__all__ = ["DeviceKeys", "Pending", "StaleRotation", "answer", "commit", "stage", "stage_exchanged"]


class StaleRotation(ProtocolViolation):
    """An offer or a commit belongs to a rotation that is over, or to none."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that the platform wants and has not committed."""

    number: int
    change: Change
    secret: bytes = field(repr=False)
    share: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """All that a device keeps in flash, replaced as a whole."""

    boot: DeviceState
    """The epoch of the next boot and its root: the one that works."""
    number: int = 0
    """Of the last rotation that was finished."""
    pending: Pending | None = None

    @property
    def stage(self) -> Stage:
        """Where this end stands."""
        return Stage.SETTLED if self.pending is None else Stage.STAGED


def stage(keys: DeviceKeys, offer: Offer, rng: Callable[[int], bytes]) -> DeviceKeys:
    """Return what to store before `answer` is sent. The same offer again changes nothing.

    Raises StaleRotation for an offer that a later one has overtaken.
    """
    if keys.pending is not None and keys.pending.number == offer.number:
        return keys
    return stage_exchanged(keys, offer.number, offer.change, offer.secret, rng(SHARE_LENGTHS[offer.change]))


def stage_exchanged(
    keys: DeviceKeys, number: int, change: Change, secret: bytes, share: bytes = b""
) -> DeviceKeys:
    """Return what to store once an exchange has given both ends ``secret``; see `stage`."""
    newest = keys.number if keys.pending is None else keys.pending.number
    if number <= newest:
        raise StaleRotation(f"rotation {number} was overtaken by {newest}")
    advance(keys.stage, Staged())
    return replace(keys, pending=Pending(number, change, secret, share))


def answer(keys: DeviceKeys) -> Answer | None:
    """Return what to send in the epoch before ``keys.boot``, in each epoch anew; None without a stage."""
    pending = keys.pending
    if pending is None:
        return None
    confirm = confirmation(_new_root(keys, pending), pending.number, End.DEVICE)
    return Answer(pending.number, keys.boot.epoch, pending.share, confirm)


def commit(keys: DeviceKeys, told: Commit) -> tuple[DeviceKeys, Done]:
    """Return what to store, and what to send afterwards in the first epoch of the new root.

    The same commit again changes nothing. Raises StaleRotation, or WrongConfirmation when the platform
    stored another root: then the old one goes on, and the next `answer` mends it.
    """
    pending = keys.pending
    if pending is None or pending.number != told.number:
        if told.number == keys.number:
            return keys, Done(told.number)
        raise StaleRotation(f"rotation {told.number} is not the one that is staged")
    root = _new_root(keys, pending)
    check_confirmation(root, told.number, End.PLATFORM, told.confirm)
    advance(keys.stage, Proven())
    return DeviceKeys(DeviceState(root, keys.boot.epoch), told.number), Done(told.number)


def _new_root(keys: DeviceKeys, pending: Pending) -> bytes:
    return replacement(keys.boot.root, pending.change, pending.secret, pending.share)
