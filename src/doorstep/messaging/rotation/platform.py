"""The platform's end: the new root is stored beside the old, and both are taken until the new one is heard.

The opener (`doorstep.messaging.opener`) does the last step: the first message that holds under the staged
root makes it the current one, and the old root is erased in the same transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from doorstep.errors import ProtocolViolation
from doorstep.identity.rotation import Asked, Proven, Stage, Staged, advance
from doorstep.messaging.keys import MASTER_SECRET_LENGTH, owner_change, run_ahead
from doorstep.messaging.rotation.keys import (
    SECRET_LENGTHS,
    Change,
    End,
    check_confirmation,
    confirmation,
    replacement,
)
from doorstep.messaging.rotation.messages import Answer, Commit, Offer
from doorstep.messaging.state import EpochState, SealedState, StagedRoot

__all__ = ["AnswerTooLate", "NothingToAnswer", "Rotation", "accept", "ask", "commit_of", "mixed"]


class NothingToAnswer(ProtocolViolation):
    """The device answers an offer that does not stand."""


class AnswerTooLate(ProtocolViolation):
    """The device has begun another epoch since; it answers again in that one."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation of one device, as the platform stores it; ``secret`` is erased when it is over."""

    number: int
    change: Change
    secret: bytes = field(repr=False)
    stage: Stage = Stage.OFFERED

    def offer(self, exchange_key: bytes = b"") -> Offer:
        """Return what the device is told, as often as it takes; for an exchange with the platform's key."""
        return Offer(self.number, self.change, exchange_key or self.secret)

    def retired(self) -> Self:
        """Return the rotation after the first message under the new root; it keeps no secret."""
        return replace(self, secret=b"", stage=advance(self.stage, Proven()))


def ask(number: int, change: Change, rng: Callable[[int], bytes]) -> Rotation:
    """Begin a rotation; store it before the offer leaves. An exchange has no secret yet."""
    secret = b"" if change is Change.EXCHANGED else rng(SECRET_LENGTHS[change])
    return Rotation(number, change, secret, advance(Stage.SETTLED, Asked()))


def accept(rotation: Rotation, state: SealedState, answer: Answer) -> tuple[Rotation, SealedState]:
    """Return rotation and state to store together; then `commit_of` is what to send.

    ``answer`` came in a message that is counted in ``state``. Raises NothingToAnswer, AnswerTooLate,
    MalformedMessage or WrongConfirmation, and then nothing changes.
    """
    over = rotation.stage is Stage.SETTLED or (rotation.stage is Stage.STAGED and state.staged is None)
    if over or answer.number != rotation.number:
        raise NothingToAnswer(f"the device answers rotation {answer.number}, which is not open")
    if answer.first != state.current.epoch + 1:
        raise AnswerTooLate(
            f"the answer is for epoch {answer.first}, and the device is in {state.current.epoch}"
        )
    root = replacement(state.root, rotation.change, rotation.secret, answer.share)
    check_confirmation(root, rotation.number, End.DEVICE, answer.confirm)
    staged = replace(state, staged=StagedRoot(answer.first, root))
    return replace(rotation, stage=advance(rotation.stage, Staged())), staged


def commit_of(rotation: Rotation, staged: StagedRoot) -> Commit:
    """Return what to tell the device once ``staged`` is durable."""
    return Commit(rotation.number, confirmation(staged.root, rotation.number, End.PLATFORM))


def mixed(state: SealedState, epoch: int, nonce: bytes, rng: Callable[[int], bytes]) -> SealedState:
    """Return the state in which the device begins ``epoch`` with ``nonce`` mixed into its root.

    ``epoch`` comes after the current one, which ends with all before it. A staged root takes the nonce, too:
    the device may have given the old one up already.
    """

    def chain(root: bytes, first: int) -> bytes:
        return owner_change(run_ahead(root, epoch - first), nonce)

    nobodys = EpochState(epoch - 1, rng(MASTER_SECRET_LENGTH))
    staged = state.staged and StagedRoot(epoch, chain(state.staged.root, state.staged.epoch))
    return SealedState(
        nobodys, chain(state.root, state.current.epoch + 1), staged=staged, variant=state.variant
    )
