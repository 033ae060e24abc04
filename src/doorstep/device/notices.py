"""What an agent tells whoever watches it: typed values, and for each a sentence for people."""

from dataclasses import dataclass
from typing import assert_never

from doorstep.device import life
from doorstep.device.life import LifeEvent, State

__all__ = [
    "AskedToShowItself",
    "ButtonPressed",
    "CameDown",
    "ClockCorrected",
    "DownlinkRefused",
    "Moved",
    "Notice",
    "ReadingsRefused",
    "ReadingsSent",
    "SensorFailed",
    "SetupOpened",
    "sentence",
]


@dataclass(frozen=True, slots=True)
class Moved:
    """The device's life went on."""

    before: State
    event: LifeEvent
    state: State


@dataclass(frozen=True, slots=True)
class SetupOpened:
    """The doors for the set-up are open; ``port`` is 0 where none of them speaks HTTP."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """Somebody pressed the button: for so many seconds the device may be set up without a code."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadingsSent:
    """The broker acknowledged a message; ``sent`` counts them, ``waiting`` those still in the outbox."""

    sent: int
    waiting: int
    epoch: int


@dataclass(frozen=True, slots=True)
class ReadingsRefused:
    """The outbox is full, so new readings are refused until the broker takes some; said once a streak."""

    reason: str


@dataclass(frozen=True, slots=True)
class SensorFailed:
    """The sensor gave no readings this time."""

    reason: str


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """The device's clock differs from the platform's; readings are stamped with the platform's."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AskedToShowItself:
    """The owner wants to know which device this is: blink, beep or move."""


@dataclass(frozen=True, slots=True)
class CameDown:
    """The platform sent a message; it was opened."""

    channel: str
    size: int
    """Bytes of its plaintext, which may be secret and is told to nobody."""


@dataclass(frozen=True, slots=True)
class DownlinkRefused:
    """Something came down that the platform did not seal for this device, epoch and channel."""

    channel: str
    reason: str


Notice = (
    Moved
    | SetupOpened
    | ButtonPressed
    | ReadingsSent
    | ReadingsRefused
    | SensorFailed
    | ClockCorrected
    | AskedToShowItself
    | CameDown
    | DownlinkRefused
)


def sentence(notice: Notice) -> str:  # noqa: C901, PLR0911 - one line for each notice
    """Say it in plain words, on one line, with the next step where there is one."""
    match notice:
        case Moved(event=event, state=state):
            why = _why(event)
            return f"{why} The device {state.value}." if why else f"The device {state.value}."
        case SetupOpened(host, port):
            where = f"listens on {host} port {port}" if port else "is open"
            return f"The set-up service {where}."
        case ButtonPressed(seconds):
            return f"Somebody pressed the button: set it up within {seconds / 60:.0f} minutes."
        case ReadingsSent(sent, waiting, epoch):
            return f"{sent} messages sent in epoch {epoch}, {waiting} waiting."
        case ReadingsRefused(reason):
            return f"New readings are refused: {_ended(reason)}"
        case SensorFailed(reason):
            return f"The sensor gave no readings: {_ended(reason)}"
        case ClockCorrected(seconds):
            return f"This clock differs from the platform's by {seconds:.0f} s. Next: set it (NTP)."
        case AskedToShowItself():
            return "Its owner asks which device this is: here it is."
        case CameDown(channel):
            return f"A message came down on channel {channel}."
        case DownlinkRefused(channel, reason):
            return f"A message on channel {channel} was refused: {_ended(reason)}"
        case _:
            assert_never(notice)


def _why(event: LifeEvent) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each event
    match event:
        case life.Identified(device) | life.NetworkKnown(device=device):
            return f"This is device {device}."
        case life.Joined(ssid, address):
            return f"Network {ssid!r} let it in with address {address}."
        case life.JoinFailed(ssid, reason):
            return f"Network {ssid!r} did not let it in: {_ended(reason)}"
        case life.TokenHeld():
            return "It carries a registration token."
        case life.TokenMissing():
            return "It belongs to nobody and has no registration token; somebody must set it up."
        case life.CertificateHeld():
            return "It holds a certificate."
        case life.Bound():
            return "The platform registered it."
        case life.RegistrationHeld(reason, disputed):
            kind = "disputes" if disputed else "holds"
            return f"The platform {kind} its registration: {_ended(reason)}"
        case life.ClaimSetAside(reason):
            return f"A new claim is held, and the device goes on for its owner: {_ended(reason)}"
        case life.RegistrationRefused(reason, next_step):
            return f"The platform refused its registration: {_ended(reason)}{_next(next_step)}"
        case life.Unknown(reason):
            return f"It is nobody's any more: {_ended(reason)}"
        case life.Blocked(reason):
            return f"The platform blocked it: {_ended(reason)}"
        case life.PlatformSilent(reason, next_step):
            return f"The device API gave no answer: {_ended(reason)}{_next(next_step)}"
        case life.SessionOpened(listener):
            return f"The broker took its {listener} session."
        case life.SessionFailed(reason) | life.SessionRefused(reason) | life.SessionLost(reason):
            return f"No session: {_ended(reason)}"
        case life.NetworkLost(reason):
            return f"The network seems gone: {_ended(reason)}"
        case life.RenewalDue():
            return "Its certificate is two thirds old."
        case life.Renewed():
            return "It has its next certificate."
        case life.WasReset():
            return "Somebody held its button: it forgot its network."
        case life.AskAgain() | life.Stopped():
            return ""
        case _:
            assert_never(event)


def _ended(reason: str) -> str:
    """Close a sentence of somebody else's with just one full stop."""
    return reason.rstrip(".") + "."


def _next(step: str) -> str:
    return f" Next: {_ended(step)}" if step else ""
