"""The lock of a device's set-up: the code dies at the first claim; reset and release together revive it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from doorstep.errors import RefusedError
from doorstep.onboarding.transitions import follow

__all__ = ["TRANSITIONS", "LockEvent", "LockState", "SetupLock", "SetupLocked", "advance", "check_open"]


class LockState(enum.StrEnum):
    """Where the lock stands; the value is what the device stores."""

    OPEN = "open"
    """Nobody's, or reset with its owner's consent: the code works."""
    CLAIMED = "claimed"
    """Somebody's: nothing sets it up."""
    RESET = "reset"
    """Somebody's, and reset by a hand on the device: waits for the owner's release."""
    RELEASED = "released"
    """Its owner agreed: waits for a hand on the device."""


class LockEvent(enum.Enum):
    """What moves it."""

    CLAIM = "claim"
    """The platform said that the device has an owner."""
    RESET = "reset"
    """Somebody held the button, or the operator of the board told it to forget its network."""
    RELEASE = "release"
    """The owner agreed, by a signed release or by giving the device up."""


TRANSITIONS: Final[Mapping[LockState, Mapping[LockEvent, LockState]]] = {
    LockState.OPEN: {
        LockEvent.CLAIM: LockState.CLAIMED,
        LockEvent.RESET: LockState.OPEN,
        LockEvent.RELEASE: LockState.OPEN,
    },
    LockState.CLAIMED: {
        LockEvent.CLAIM: LockState.CLAIMED,
        LockEvent.RESET: LockState.RESET,
        LockEvent.RELEASE: LockState.RELEASED,
    },
    LockState.RESET: {
        LockEvent.CLAIM: LockState.CLAIMED,
        LockEvent.RESET: LockState.RESET,
        LockEvent.RELEASE: LockState.OPEN,
    },
    LockState.RELEASED: {
        LockEvent.CLAIM: LockState.CLAIMED,
        LockEvent.RESET: LockState.OPEN,
        LockEvent.RELEASE: LockState.RELEASED,
    },
}


class SetupLocked(RefusedError):
    """The device belongs to somebody, or nobody's hand has reset it yet."""

    def __init__(self, state: LockState) -> None:
        hand = "hold the device's button for ten seconds and set it up."
        if state is LockState.RELEASED:
            super().__init__("This device waits for a hand.", next_step=f"Now {hand}")
            return
        super().__init__(
            "This device belongs to somebody already.",
            next_step=f"Its owner opens its page in the portal and chooses 'Allow set-up again'. Then {hand}",
        )


def advance(state: LockState, event: LockEvent) -> LockState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


def check_open(state: LockState) -> None:
    """Raise SetupLocked unless the device may be set up."""
    if state is not LockState.OPEN:
        raise SetupLocked(state)


@dataclass(frozen=True, slots=True)
class SetupLock:
    """The lock with the moment, in seconds since 1970 by the platform's clock, of the last claim."""

    state: LockState = LockState.OPEN
    claimed_at: int = 0

    def after(self, event: LockEvent) -> "SetupLock":
        """Return the lock after a reset or a release."""
        return replace(self, state=advance(self.state, event))

    def claimed(self, at: int) -> "SetupLock":
        """Return the lock after the platform said that the device has an owner."""
        return SetupLock(advance(self.state, LockEvent.CLAIM), at)
