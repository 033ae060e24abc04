"""The lock of a device's set-up: the code dies at the first claim; reset and release together revive it."""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.errors import IllegalTransition, RefusedError

__all__ = ["TRANSITIONS", "LockEvent", "LockState", "SetupLocked", "advance", "is_open"]


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
    """The device belongs to somebody, who has not allowed to set it up again."""

    def __init__(self) -> None:
        super().__init__(
            "This device belongs to somebody already.",
            next_step="Its owner opens its page in the portal and chooses 'Allow set-up again'. Then hold "
            "the device's button for ten seconds and set it up.",
        )


def advance(state: LockState, event: LockEvent) -> LockState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"cannot {event.value} a lock that is {state}") from None


def is_open(state: LockState) -> bool:
    """Tell whether the device may be set up."""
    return state is LockState.OPEN
