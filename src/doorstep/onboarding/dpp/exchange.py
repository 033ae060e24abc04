"""The steps of one exchange, as each role walks them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import DoorstepError
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.transitions import follow
from doorstep.wire.dpp import Message

__all__ = [
    "CONFIGURATOR",
    "ENROLLEE",
    "FIRST_VERSION_WITH_RESULT",
    "STATION",
    "VERSION",
    "Answer",
    "Event",
    "State",
    "advance",
]

VERSION: Final = 2
FIRST_VERSION_WITH_RESULT: Final = 2
"""From this version of the peer on, the device answers the configuration."""
ENROLLEE: Final = 1
CONFIGURATOR: Final = 2
"""Bits of the capabilities (§8.1.1.8)."""
STATION: Final = "sta"
"""The role in a network that we configure."""


class State(enum.Enum):
    """Where an exchange stands; both roles know the same states."""

    IDLE = "idle"
    """Nothing was sent or heard."""
    AUTHENTICATING = "authenticating"
    """A request was answered or awaits its answer."""
    AUTHENTICATED = "authenticated"
    """The configurator knows the device; the request for a configuration comes next."""
    CONFIGURING = "configuring"
    """The configuration was sent or awaits its answer."""
    DONE = "done"
    """The device has its configuration."""
    FAILED = "failed"
    """It ended otherwise; there is no way on."""


class Event(enum.Enum):
    """What moves it."""

    REQUEST = "authentication request"
    CONFIRM = "authentication confirmed"
    ASK = "configuration request"
    FINISH = "configuration result"
    FAIL = "failure"


TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.IDLE: {Event.REQUEST: State.AUTHENTICATING, Event.FAIL: State.FAILED},
    State.AUTHENTICATING: {Event.CONFIRM: State.AUTHENTICATED, Event.FAIL: State.FAILED},
    State.AUTHENTICATED: {Event.ASK: State.CONFIGURING, Event.FAIL: State.FAILED},
    State.CONFIGURING: {Event.FINISH: State.DONE, Event.FAIL: State.FAILED},
    State.DONE: {},
    State.FAILED: {Event.FAIL: State.FAILED},
}


def advance(state: State, event: Event) -> State:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send, in order; then, where there is a failure, it ends the exchange and is raised."""

    frames: tuple[Message, ...] = ()
    failure: DoorstepError | None = None
    network: NetworkCredentials | None = None
    """What the device has learnt; to be tried, and stored only once it worked."""
    order: RegistrationOrder | None = None
    """What the device registers with afterwards, where the configurator sent it."""
