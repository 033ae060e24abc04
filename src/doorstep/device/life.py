"""The life of the agent: its states, what may happen in each, and where that leads.

All that moves the agent is in ``TRANSITIONS``; ``advance`` is the only way to move and the only place that
refuses to. Conditions (is there a token, is the certificate old, how long to wait) are decided by
``online_event``, ``held_event`` and `doorstep.device.backoff` before anybody calls ``advance``, so that the
table is whole. `docs/explanation/device-life.md` is drawn from it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = [
    "TRANSITIONS",
    "AskAgain",
    "Blocked",
    "Bound",
    "CertificateHeld",
    "ClaimSetAside",
    "Holdings",
    "Identified",
    "JoinFailed",
    "Joined",
    "LifeEvent",
    "NetworkKnown",
    "NetworkLost",
    "PlatformSilent",
    "RegistrationHeld",
    "RegistrationRefused",
    "RenewalDue",
    "Renewed",
    "SessionFailed",
    "SessionLost",
    "SessionOpened",
    "SessionRefused",
    "State",
    "Stopped",
    "TokenHeld",
    "TokenMissing",
    "Unknown",
    "WasReset",
    "advance",
    "diagram",
    "held_event",
    "online_event",
]


class State(enum.Enum):
    """Where the agent stands; the value is what people read."""

    BLANK = "has no identity yet"
    """No factory provisioning file was imported."""
    WAITING = "waits for its Wi-Fi set-up"
    """The set-up service is open for whoever holds the label."""
    JOINING = "joins the network"
    """Tries the network that worked before, for ever."""
    ONLINE = "is on the network"
    """What comes next depends on what the device holds."""
    REGISTERING = "registers itself"
    """Shows its token and asks for a certificate; may be repeated without harm."""
    HELD = "waits for a decision about its registration"
    """The platform holds the registration for review or as a dispute; the device asks again."""
    CONNECTING = "connects to the broker"
    """Opens an MQTT session."""
    OPERATING = "sends readings"
    """The session stands."""
    RENEWING = "renews its certificate"
    """The session stands while the device asks for the next certificate."""
    ASKING = "asks why it was refused"
    """The broker refused the session; the device API says whether that can be mended."""
    BLOCKED = "is blocked by the platform"
    """Sends nothing; asks rarely whether the block was lifted."""
    STOPPED = "has stopped"
    """The agent was told to stop."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The device found its identity, and knows no network."""

    device: str


@dataclass(frozen=True, slots=True)
class NetworkKnown:
    """The device found its identity and a network that worked before."""

    device: str
    ssid: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The device is on the network."""

    ssid: str
    address: str


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """The known network did not let the device in this time."""

    ssid: str
    reason: str


@dataclass(frozen=True, slots=True)
class NetworkLost:
    """The network is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class TokenHeld:
    """The device carries a registration token that nobody answered yet."""


@dataclass(frozen=True, slots=True)
class TokenMissing:
    """The device belongs to nobody and carries no token; only a set-up can bring one."""


@dataclass(frozen=True, slots=True)
class CertificateHeld:
    """The device has an operational certificate."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The platform put the device into an account and gave it a certificate until ``not_after_us``."""

    not_after_us: int


@dataclass(frozen=True, slots=True)
class RegistrationHeld:
    """The platform holds the registration; ``disputed`` when another account has the device."""

    reason: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class ClaimSetAside:
    """A new claim is held or disputed, and the device goes on working for the owner it has."""

    reason: str


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """The token or the statement was refused for good; a new set-up is needed."""

    reason: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The platform no longer knows the device as anybody's: it was released or returned."""

    reason: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The platform revoked or blocked the device."""

    reason: str


@dataclass(frozen=True, slots=True)
class PlatformSilent:
    """The device API could not be reached or had no answer."""

    reason: str
    next_step: str = ""
    clock_wrong: bool = False


@dataclass(frozen=True, slots=True)
class AskAgain:
    """It is time to ask once more."""


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The broker took the session."""

    listener: str
    """``mTLS`` or ``plain``."""


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The broker could not be reached."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionRefused:
    """The broker was reached and did not want this device."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The session ended without our doing."""

    reason: str


@dataclass(frozen=True, slots=True)
class RenewalDue:
    """Two thirds of the certificate's lifetime are over."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The device has its next certificate, good until ``not_after_us``."""

    not_after_us: int


@dataclass(frozen=True, slots=True)
class WasReset:
    """Somebody held the button: the network is forgotten; identity, owner and a block are not."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody asked the agent to stop."""


LifeEvent = (
    Identified
    | NetworkKnown
    | Joined
    | JoinFailed
    | NetworkLost
    | TokenHeld
    | TokenMissing
    | CertificateHeld
    | Bound
    | RegistrationHeld
    | ClaimSetAside
    | RegistrationRefused
    | Unknown
    | Blocked
    | PlatformSilent
    | AskAgain
    | SessionOpened
    | SessionFailed
    | SessionRefused
    | SessionLost
    | RenewalDue
    | Renewed
    | WasReset
    | Stopped
)

TRANSITIONS: Final[Mapping[State, Mapping[type[LifeEvent], State]]] = {
    State.BLANK: {
        Identified: State.WAITING,
        NetworkKnown: State.JOINING,
        Stopped: State.STOPPED,
    },
    State.WAITING: {
        Joined: State.ONLINE,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.JOINING: {
        Joined: State.ONLINE,
        JoinFailed: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.ONLINE: {
        TokenHeld: State.REGISTERING,
        TokenMissing: State.WAITING,
        CertificateHeld: State.CONNECTING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.REGISTERING: {
        Bound: State.CONNECTING,
        RegistrationHeld: State.HELD,
        ClaimSetAside: State.ONLINE,
        RegistrationRefused: State.ONLINE,
        Blocked: State.BLOCKED,
        PlatformSilent: State.REGISTERING,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.HELD: {
        AskAgain: State.REGISTERING,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.CONNECTING: {
        SessionOpened: State.OPERATING,
        SessionFailed: State.CONNECTING,
        SessionRefused: State.ASKING,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.OPERATING: {
        Joined: State.ONLINE,
        RenewalDue: State.RENEWING,
        SessionLost: State.CONNECTING,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.RENEWING: {
        Renewed: State.CONNECTING,
        PlatformSilent: State.OPERATING,
        SessionLost: State.CONNECTING,
        Blocked: State.BLOCKED,
        Unknown: State.ONLINE,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.ASKING: {
        Renewed: State.CONNECTING,
        PlatformSilent: State.CONNECTING,
        Blocked: State.BLOCKED,
        Unknown: State.ONLINE,
        NetworkLost: State.JOINING,
        WasReset: State.WAITING,
        Stopped: State.STOPPED,
    },
    State.BLOCKED: {
        AskAgain: State.ASKING,
        NetworkLost: State.JOINING,
        Stopped: State.STOPPED,
    },
    State.STOPPED: {},
}
"""Every move there is. What a state does not list cannot happen in it."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the device holds that decides about its next move."""

    token: bool
    certificate: bool


def advance(state: State, event: LifeEvent) -> State:
    """Return the state after ``event``; raise IllegalTransition for a move the table does not have."""
    try:
        return TRANSITIONS[state][type(event)]
    except KeyError as error:
        raise IllegalTransition(
            f"a device that {state.value} cannot take the event {type(event).__name__}"
        ) from error


def online_event(holdings: Holdings) -> TokenHeld | TokenMissing | CertificateHeld:
    """Decide what a device on the network does next: a token is newer than any certificate."""
    if holdings.token:
        return TokenHeld()
    return CertificateHeld() if holdings.certificate else TokenMissing()


def held_event(reason: str, *, disputed: bool, certificate: bool) -> RegistrationHeld | ClaimSetAside:
    """Decide what a held claim means: a device that has an owner goes on for that owner."""
    return ClaimSetAside(reason) if certificate else RegistrationHeld(reason, disputed)


def diagram() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.BLANK.name.lower()}"]
    lines += [f"    {state.name.lower()}: {state.name.lower()}<br>{state.value}" for state in State]
    for state, moves in TRANSITIONS.items():
        for target in dict.fromkeys(moves.values()):
            names = ", ".join(event.__name__ for event, to in moves.items() if to is target)
            lines.append(f"    {state.name.lower()} --> {target.name.lower()}: {names}")
    return "\n".join([*lines, f"    {State.STOPPED.name.lower()} --> [*]"]) + "\n"
