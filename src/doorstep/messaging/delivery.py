"""Where a command stands on its way to a device: the states, and every move between them."""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.errors import IllegalTransition
from doorstep.messaging.command import Outcome

__all__ = ["OPEN", "TRANSITIONS", "Delivery", "DeliveryEvent", "advance", "answered", "movable"]


class Delivery(enum.StrEnum):
    """State of one command."""

    QUEUED = "queued"  # waits until the device shows itself
    SENT = "sent"  # went out at least once; nobody knows whether it arrived
    ACKNOWLEDGED = "acknowledged"  # the device carried it out
    REFUSED = "refused"  # the device did not, and says why
    EXPIRED = "expired"  # its time was over first
    CANCELLED = "cancelled"  # withdrawn: by a person, a newer one, or because the device changed hands


class DeliveryEvent(enum.Enum):
    """What can happen to a command."""

    SENT = "sent"
    DONE = "done"
    NOT_DONE = "not done"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN: Final = (Delivery.QUEUED, Delivery.SENT)
"""States in which the platform still tries."""

TRANSITIONS: Final[Mapping[Delivery, Mapping[DeliveryEvent, Delivery]]] = {
    Delivery.QUEUED: {
        DeliveryEvent.SENT: Delivery.SENT,
        DeliveryEvent.EXPIRED: Delivery.EXPIRED,
        DeliveryEvent.CANCELLED: Delivery.CANCELLED,
    },
    Delivery.SENT: {
        DeliveryEvent.SENT: Delivery.SENT,
        DeliveryEvent.DONE: Delivery.ACKNOWLEDGED,
        DeliveryEvent.NOT_DONE: Delivery.REFUSED,
        DeliveryEvent.EXPIRED: Delivery.EXPIRED,
        DeliveryEvent.CANCELLED: Delivery.CANCELLED,
    },
    # A device that carried a command out and told it late is believed: it happened.
    Delivery.EXPIRED: {DeliveryEvent.DONE: Delivery.ACKNOWLEDGED, DeliveryEvent.NOT_DONE: Delivery.REFUSED},
    Delivery.CANCELLED: {DeliveryEvent.DONE: Delivery.ACKNOWLEDGED},
    Delivery.ACKNOWLEDGED: {},
    Delivery.REFUSED: {},
}
"""Every move there is. What a state does not list cannot happen in it."""

_ANSWERS: Final[Mapping[Outcome, DeliveryEvent]] = {
    Outcome.DONE: DeliveryEvent.DONE,
    Outcome.FAILED: DeliveryEvent.NOT_DONE,
    Outcome.REFUSED: DeliveryEvent.NOT_DONE,
    Outcome.EXPIRED: DeliveryEvent.EXPIRED,
}


def advance(state: Delivery, event: DeliveryEvent) -> Delivery:
    """Return the state after ``event``; raise IllegalTransition for a move the table does not have."""
    try:
        return TRANSITIONS[state][event]
    except KeyError as error:
        raise IllegalTransition(f"a command that is {state} can't become {event.value}") from error


def movable(event: DeliveryEvent) -> tuple[Delivery, ...]:
    """Return the states in which ``event`` can happen, for a store that moves many rows at once."""
    return tuple(state for state, moves in TRANSITIONS.items() if event in moves)


def answered(outcome: Outcome) -> DeliveryEvent:
    """Return what a device's word means for the command."""
    return _ANSWERS[outcome]
