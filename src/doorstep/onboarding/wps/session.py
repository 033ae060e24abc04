"""One WPS session, of either side: opened by a button or a PIN, closed by success, failure or two minutes.

The exchange itself is the Wi-Fi driver's; this core reads what it says, and decides what it means.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import DoorstepError, MalformedMessage
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.transitions import follow
from doorstep.onboarding.wps.failures import Overlap, UnusableNetwork, WalkTimeOver, failure_of
from doorstep.wire.wpa_control import ControlEvent
from doorstep.wire.wps import Authentication, Credential, decode_credentials

__all__ = ["EVENTS", "WALK_TIME", "DeviceSession", "RouterSession", "State", "advance"]

WALK_TIME: Final = 120.0
"""Seconds from the first button to the second (specification §11.3)."""

NO_ERROR: Final = 0


class State(enum.Enum):
    """Where a session stands."""

    CLOSED = "closed"
    """Nobody pressed anything."""
    OPEN = "open"
    """The button was pressed, or the PIN is known; the other side is awaited."""
    GIVEN = "given"
    """The network's credentials were handed over; the exchange is ending."""
    DONE = "done"
    """It worked."""
    FAILED = "failed"
    """It did not."""


class Event(enum.Enum):
    """What moves it."""

    OPEN = "opening"
    GIVE = "credentials"
    FINISH = "success"
    FAIL = "failure"


TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.CLOSED: {Event.OPEN: State.OPEN},
    State.OPEN: {Event.GIVE: State.GIVEN, Event.FAIL: State.FAILED},
    State.GIVEN: {Event.GIVE: State.GIVEN, Event.FINISH: State.DONE, Event.FAIL: State.FAILED},
    State.DONE: {Event.OPEN: State.OPEN},
    State.FAILED: {Event.OPEN: State.OPEN},
}


def advance(state: State, event: Event) -> State:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


class Said(enum.Enum):
    """What the driver says that matters here, by its names."""

    OVERLAP = "WPS-OVERLAP-DETECTED"
    TIMEOUT = "WPS-TIMEOUT"
    FAIL = "WPS-FAIL"
    NOT_YET = "WPS-M2D"
    """A registrar answered that it is not ready, and why."""
    CREDENTIAL = "WPS-CRED-RECEIVED"
    SUCCESS = "WPS-SUCCESS"
    REGISTERED = "WPS-REG-SUCCESS"


EVENTS: Final = tuple(said.value for said in Said)
"""Names of the driver's events that a session has to hear."""


@dataclass(slots=True)
class _Session:
    """What both sides have in common; ``hear`` raises what ended the session."""

    state: State = State.CLOSED
    _until: float = 0.0

    def open(self, now: float) -> None:
        """Start the two minutes; ``now`` in seconds of any clock that does not jump."""
        self.state, self._until = advance(self.state, Event.OPEN), now + WALK_TIME

    def left(self, now: float) -> float:
        """Return the seconds that are left; raises `WalkTimeOver` when there are none."""
        if now >= self._until:
            raise self._fail(WalkTimeOver())
        return self._until - now

    def _hear_failure(self, event: ControlEvent) -> None:
        """Raise what the event says went wrong, if it does."""
        match Said(event.name):
            case Said.OVERLAP:
                raise self._fail(Overlap())
            case Said.TIMEOUT:
                raise self._fail(WalkTimeOver())
            case Said.FAIL | Said.NOT_YET if (code := _code(event)) != NO_ERROR:
                raise self._fail(failure_of(code))
            case _:
                return

    def _fail(self, failure: DoorstepError) -> DoorstepError:
        self.state = advance(self.state, Event.FAIL)
        return failure


@dataclass(slots=True)
class DeviceSession(_Session):
    """The device's side: it learns a network, to be tried, and stored only once that worked."""

    _network: NetworkCredentials | None = field(default=None, repr=False)

    def hear(self, event: ControlEvent) -> NetworkCredentials | None:
        """Take one of `EVENTS`; returns the network once the exchange has succeeded.

        Raises `Overlap`, `WalkTimeOver`, `WrongPin`, `SetupLocked`, `UnusableNetwork`, `WpsBroken`.
        """
        self._hear_failure(event)
        if event.name == Said.CREDENTIAL.value:
            self._network = self._chosen(event.text)
            self.state = advance(self.state, Event.GIVE)
        elif event.name == Said.SUCCESS.value and self.state is State.GIVEN:
            self.state = advance(self.state, Event.FINISH)
            return self._network
        return None

    def _chosen(self, text: str) -> NetworkCredentials:
        try:
            credentials = decode_credentials(bytes.fromhex(text))
        except (ValueError, MalformedMessage):
            raise self._fail(UnusableNetwork()) from None
        for credential in credentials:
            if (network := _usable(credential)) is not None:
                return network
        raise self._fail(UnusableNetwork())


@dataclass(slots=True)
class RouterSession(_Session):
    """The router's side: it gives its network to one device."""

    def hear(self, event: ControlEvent) -> bytes | None:
        """Take one of `EVENTS`; returns the hardware address of the device that got the network.

        Raises `Overlap`, `WalkTimeOver`, `WrongPin`, `SetupLocked`, `WpsBroken`.
        """
        self._hear_failure(event)
        if event.name != Said.REGISTERED.value:
            return None
        self.state = advance(advance(self.state, Event.GIVE), Event.FINISH)
        return _address(event.text)


def _usable(credential: Credential) -> NetworkCredentials | None:
    """Return the network, None for WEP, enterprise and what no network can have."""
    personal = Authentication.WPA_PERSONAL | Authentication.WPA2_PERSONAL
    if bool(credential.authentication & personal) != bool(credential.key):
        return None
    if not credential.key and credential.authentication is not Authentication.OPEN:
        return None
    try:
        return NetworkCredentials(credential.ssid, credential.key)
    except DoorstepError:
        return None


def _code(event: ControlEvent) -> int:
    text = event.fields.get("config_error", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else NO_ERROR  # noqa: PLR2004


def _address(text: str) -> bytes:
    try:
        return bytes.fromhex(text.partition(" ")[0].replace(":", ""))
    except ValueError:
        return b""
