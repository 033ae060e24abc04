"""A device changes hands because both sides want it: one enum of states, one of steps, one table, one raise.

A transfer goes from owner to owner, a return from the owner back to the maker. Until the other side accepts,
nothing changes.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import IllegalTransition, RefusedError
from doorstep.ownership.life import Life

__all__ = [
    "LASTS_US",
    "TRANSITIONS",
    "DataChoice",
    "HandoverRefused",
    "HandoverState",
    "HandoverStep",
    "Offered",
    "Way",
    "advance",
    "check_leaving",
    "check_offer",
    "mermaid",
]

_DAY_US: Final = 86_400 * 1_000_000


class HandoverRefused(RefusedError):
    """This device can't change hands now, or not this way."""


class Way(enum.StrEnum):
    """Where a device goes."""

    TRANSFER = "transfer"
    """To another owner."""
    RETURN = "return"
    """Back to its maker."""


LASTS_US: Final[Mapping[Way, int]] = {Way.TRANSFER: 14 * _DAY_US, Way.RETURN: 60 * _DAY_US}
"""How long an offer stands; a parcel takes its time."""


class DataChoice(enum.StrEnum):
    """What happens to the readings of the time that ends."""

    KEEP = "keep"
    """The former owner goes on reading them; nobody else ever does."""
    HAND_OVER = "hand_over"
    """They go along to the next owner."""
    ERASE = "erase"
    """They are erased, with a receipt."""
    EXPORT = "export"
    """The former owner gets them as a file, and then they are erased."""


class HandoverState(enum.StrEnum):
    """Where an offer stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    """The other side does not want it."""
    CANCELLED = "cancelled"
    """The owner thought better of it."""
    EXPIRED = "expired"
    """Nobody answered in time."""

    @property
    def is_open(self) -> bool:
        """Whether anything can follow."""
        return bool(TRANSITIONS[self])


class HandoverStep(enum.StrEnum):
    """What can happen to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"
    EXPIRE = "expire"


TRANSITIONS: Final[Mapping[HandoverState, Mapping[HandoverStep, HandoverState]]] = {
    HandoverState.OFFERED: {
        HandoverStep.ACCEPT: HandoverState.ACCEPTED,
        HandoverStep.DECLINE: HandoverState.DECLINED,
        HandoverStep.CANCEL: HandoverState.CANCELLED,
        HandoverStep.EXPIRE: HandoverState.EXPIRED,
    },
    HandoverState.ACCEPTED: {},
    HandoverState.DECLINED: {},
    HandoverState.CANCELLED: {},
    HandoverState.EXPIRED: {},
}
"""Every step there is. What a state does not list cannot happen in it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What is known of a device that is to change hands."""

    life: Life
    blocked: bool
    disputed: bool
    offered: bool
    """Another offer of it is open."""


def check_leaving(device: Offered) -> None:
    """Return when an owner may part with the device, raise HandoverRefused otherwise.

    Nobody parts with a device while there is a case about it: what was disputed would be gone.
    """
    if device.life is not Life.OWNED:
        raise HandoverRefused(f"this device is {device.life}: only an owned one can leave its owner")
    if device.disputed:
        raise HandoverRefused(
            "there is a case about this device", next_step="It can leave once the case is closed."
        )
    if device.offered:
        raise HandoverRefused(
            "this device is offered to somebody already", next_step="Cancel that offer first."
        )


def check_offer(device: Offered, way: Way, data: DataChoice) -> None:
    """Return when the device may be offered this way, raise HandoverRefused otherwise."""
    check_leaving(device)
    if way is Way.TRANSFER and device.blocked:
        raise HandoverRefused(
            "this device is shut out, and nobody could use it", next_step="Return it to its maker instead."
        )
    if way is Way.RETURN and data is DataChoice.HAND_OVER:
        raise HandoverRefused(
            "readings don't go back to the maker with a device",
            next_step="Keep them, or have them erased or exported.",
        )


def advance(state: HandoverState, step: HandoverStep) -> HandoverState:
    """Return the state after ``step``; raise IllegalTransition when the table does not have it."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalTransition(
            f"an offer that was {state} can't take the step {step!s}", next_step="Look at how it ended."
        ) from None


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {HandoverState.OFFERED}"]
    for before, steps in TRANSITIONS.items():
        lines += [f"    {before} --> {after}: {step}" for step, after in steps.items()]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in HandoverState if not state.is_open)])
