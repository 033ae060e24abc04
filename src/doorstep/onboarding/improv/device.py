"""The device's side of Improv, whichever line carries it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.errors import IllegalTransition, MalformedMessage, SettingsError
from doorstep.onboarding.improv.rpc import (
    MAX_BODY,
    Capability,
    Command,
    ErrorCode,
    ImprovState,
    Result,
    Rpc,
    read_strings,
)
from doorstep.onboarding.joining import Joining, JoinState
from doorstep.onboarding.network import Joined, JoinOutcome, NetworkCredentials
from doorstep.onboarding.transitions import follow
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry

__all__ = [
    "AUTHORIZED_S",
    "TRANSITIONS",
    "Answer",
    "IdentifyWanted",
    "ImprovDevice",
    "ImprovEvent",
    "ImprovProfile",
    "JoinWanted",
    "Line",
    "ScanWanted",
    "Update",
    "advance",
]

AUTHORIZED_S: Final = 60.0
"""Seconds that a press of the button lasts, and again after a network that did not work."""
MAX_URL: Final = 200
MAX_TEXT: Final = 32


class Line(enum.Enum):
    """What carries the messages; both number the commands a little differently."""

    BLUETOOTH = "bluetooth"
    SERIAL = "serial"


class ImprovEvent(enum.Enum):
    """What moves the state."""

    BUTTON = "be authorised"
    EXPIRE = "expire"
    SETTINGS = "take settings"
    SUCCEED = "succeed"
    FAIL = "fail"


TRANSITIONS: Final[Mapping[ImprovState, Mapping[ImprovEvent, ImprovState]]] = {
    ImprovState.AUTHORIZATION_REQUIRED: {ImprovEvent.BUTTON: ImprovState.AUTHORIZED},
    ImprovState.AUTHORIZED: {
        ImprovEvent.BUTTON: ImprovState.AUTHORIZED,
        ImprovEvent.EXPIRE: ImprovState.AUTHORIZATION_REQUIRED,
        ImprovEvent.SETTINGS: ImprovState.PROVISIONING,
    },
    ImprovState.PROVISIONING: {
        ImprovEvent.SUCCEED: ImprovState.PROVISIONED,
        ImprovEvent.FAIL: ImprovState.AUTHORIZED,
    },
    ImprovState.PROVISIONED: {ImprovEvent.BUTTON: ImprovState.AUTHORIZED},
}


def advance(state: ImprovState, event: ImprovEvent) -> ImprovState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


@dataclass(frozen=True, slots=True)
class ImprovProfile:
    """What the device says of itself; ``page`` is the portal's page for it, where its customer goes on.

    ``button`` is False only where the cable itself is the proof of presence.
    """

    firmware: str
    version: str
    chip: str
    name: str
    page: str
    button: bool = True

    def __post_init__(self) -> None:
        """Check that all of it fits into one answer."""
        texts = (self.firmware, self.version, self.chip, self.name)
        if any(len(text.encode()) > MAX_TEXT for text in texts) or len(self.page.encode()) > MAX_URL:
            raise SettingsError(f"Improv texts have at most {MAX_TEXT} bytes, the page's address {MAX_URL}.")

    @property
    def risk(self) -> str:
        """What an attacker can do, for a person to accept."""
        who = "for a minute after the button was pressed, anybody" if self.button else "anybody at the line"
        return f"Improv is in the open: whoever listens reads the Wi-Fi password, and {who} can send one."

    def info(self) -> tuple[bytes, ...]:
        """Return the answer to the question who this is."""
        return tuple(text.encode() for text in (self.firmware, self.version, self.chip, self.name))


@dataclass(frozen=True, slots=True)
class ScanWanted:
    """Scan, then call `scanned`."""


@dataclass(frozen=True, slots=True)
class JoinWanted:
    """Join, tell `Joining.finish`, then call `finished`."""

    network: NetworkCredentials


@dataclass(frozen=True, slots=True)
class IdentifyWanted:
    """Blink, beep, or shake."""


Wish = ScanWanted | JoinWanted | IdentifyWanted
Update = ImprovState | ErrorCode | Result


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell, in order, and what the shell is to do."""

    updates: tuple[Update, ...] = ()
    wishes: tuple[Wish, ...] = ()


class ImprovDevice:
    """One line's core; times are seconds of any steady clock."""

    def __init__(self, profile: ImprovProfile, joining: Joining, line: Line) -> None:
        self.state = ImprovState.AUTHORIZATION_REQUIRED if profile.button else ImprovState.AUTHORIZED
        self.error = ErrorCode.NONE
        self._profile, self._joining, self._line = profile, joining, line
        self._until = 0.0

    @property
    def capabilities(self) -> Capability:
        """What it can do."""
        return Capability.IDENTIFY | Capability.DEVICE_INFO | Capability.SCAN

    def told_state(self) -> ImprovState:
        """Return the state in the words of the line: a serial one knows no button."""
        if self._line is Line.SERIAL and self.state is ImprovState.AUTHORIZATION_REQUIRED:
            return ImprovState.STOPPED
        return self.state

    def press(self, now: float) -> tuple[Update, ...]:
        """Take a press of the button; nothing happens while an attempt runs."""
        if self.state is ImprovState.PROVISIONING:
            return ()
        if self._joining.state is JoinState.CONNECTED:
            self._joining.reprovision()
        self._until = now + AUTHORIZED_S
        return self._move(ImprovEvent.BUTTON)

    def tick(self, now: float) -> tuple[Update, ...]:
        """Let time pass."""
        if self._profile.button and self.state is ImprovState.AUTHORIZED and now >= self._until:
            return self._move(ImprovEvent.EXPIRE)
        return ()

    def broken(self) -> Answer:
        """Answer something that is no command."""
        return Answer(self._set_error(ErrorCode.INVALID_RPC))

    def receive(self, octets: bytes, now: float) -> Answer:
        """Take one command."""
        passed = self.tick(now)
        try:
            rpc = Rpc.decode(octets)
            cleared = self._set_error(ErrorCode.NONE)
            answer = self._handle(rpc)
        except MalformedMessage:
            answer, cleared = self.broken(), ()
        return Answer(passed + cleared + answer.updates, answer.wishes)

    def scanned(self, networks: Sequence[ScanEntry] | None, room: int = MAX_BODY) -> tuple[Update, ...]:
        """Tell what was heard, `None` for a failed scan; ``room`` is how many bytes one result may have."""
        if networks is None:
            return self._set_error(ErrorCode.UNKNOWN)
        triples = [_triple(entry, self._line) for entry in _strongest(networks)]
        if self._line is Line.SERIAL:
            return (*(Result(Command.SCAN, triple) for triple in triples), Result(Command.SCAN))
        strings: tuple[bytes, ...] = ()
        for triple in triples:
            if sum(len(each) + 1 for each in strings + triple) <= min(room, MAX_BODY):
                strings += triple
        return (Result(Command.SCAN, strings),)

    def finished(self, outcome: JoinOutcome, now: float) -> tuple[Update, ...]:
        """Tell how the attempt ended."""
        if isinstance(outcome, Joined):
            return (*self._move(ImprovEvent.SUCCEED), self._page(Command.SETTINGS))
        self._until = now + AUTHORIZED_S
        return (*self._set_error(ErrorCode.UNABLE_TO_CONNECT), *self._move(ImprovEvent.FAIL))

    def _handle(self, rpc: Rpc) -> Answer:
        match rpc.command:
            case Command.SETTINGS:
                return self._settings(rpc.body)
            case Command.IDENTIFY_OR_STATE if self._line is Line.SERIAL:
                page = (self._page(Command.IDENTIFY_OR_STATE),)
                return Answer((self.told_state(), *(page if self.state is ImprovState.PROVISIONED else ())))
            case Command.IDENTIFY_OR_STATE:
                return Answer(wishes=(IdentifyWanted(),))
            case Command.DEVICE_INFO:
                return Answer((Result(Command.DEVICE_INFO, self._profile.info()),))
            case Command.SCAN:
                return Answer(wishes=(ScanWanted(),))
            case _:
                return Answer(self._set_error(ErrorCode.UNKNOWN_COMMAND))

    def _settings(self, body: bytes) -> Answer:
        if self.state is not ImprovState.AUTHORIZED:
            return Answer(self._set_error(ErrorCode.NOT_AUTHORIZED))
        strings = read_strings(body)
        if len(strings) != 2:  # noqa: PLR2004 - name and password
            return self.broken()
        try:
            network = NetworkCredentials(*strings)
            self._joining.stage(network)
            self._joining.apply()
        except SettingsError:
            return Answer(self._set_error(ErrorCode.UNABLE_TO_CONNECT))
        except IllegalTransition:
            return Answer(self._set_error(ErrorCode.UNKNOWN))
        return Answer(self._move(ImprovEvent.SETTINGS), (JoinWanted(network),))

    def _page(self, command: int) -> Result:
        return Result(command, (self._profile.page.encode(),))

    def _move(self, event: ImprovEvent) -> tuple[Update, ...]:
        before, self.state = self.state, advance(self.state, event)
        return () if before is self.state else (self.told_state(),)

    def _set_error(self, error: ErrorCode) -> tuple[Update, ...]:
        before, self.error = self.error, error
        return () if before is error is ErrorCode.NONE else (error,)


def _strongest(networks: Sequence[ScanEntry]) -> list[ScanEntry]:
    """Return named networks, each name once, the strongest first."""
    best: dict[bytes, ScanEntry] = {}
    for entry in sorted(networks, key=lambda each: each.rssi, reverse=True):
        if entry.ssid:
            best.setdefault(entry.ssid, entry)
    return list(best.values())


def _triple(entry: ScanEntry, line: Line) -> tuple[bytes, bytes, bytes]:
    secured = b"YES" if line is Line.SERIAL else _WORDS.get(entry.auth, b"WPA2")
    return entry.ssid, str(entry.rssi).encode(), b"NO" if entry.auth is AuthMode.OPEN else secured


_WORDS: Final = {AuthMode.WEP: b"WEP", AuthMode.WPA: b"WPA"}
