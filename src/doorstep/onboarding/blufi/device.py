"""The device's side of BluFi, stricter than the stock one.

Name, password and registration order are taken only from frames that were encrypted and checked, in
order, and of lengths that can be; only the two known fields are negotiated in. What that cannot mend:
nobody proves anything, so whoever answers first, or sits in between, is as good as the owner.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from doorstep.errors import IllegalTransition, PeerError, SettingsError
from doorstep.onboarding.blufi.frames import (
    ErrorCode,
    FrameReader,
    FrameRefused,
    FrameWriter,
    Kind,
    Message,
    Mode,
    SessionSpent,
)
from doorstep.onboarding.blufi.negotiation import announced_length, answer, open_offer
from doorstep.onboarding.blufi.reports import VERSION, StatusReport, put_networks
from doorstep.onboarding.delivery import answer_delivery
from doorstep.onboarding.joining import Joining, Onboarded
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.transitions import follow
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID, ScanEntry

__all__ = [
    "TRANSITIONS",
    "Answer",
    "BlufiDevice",
    "BlufiProfile",
    "HangUp",
    "JoinWanted",
    "KeyEvent",
    "KeyState",
    "ScanWanted",
    "advance",
]

STATION_MODE: Final = b"\x01"
MOST: Final = {Kind.SSID: MAX_SSID, Kind.PASSWORD: 64, Kind.BSSID: BSSID_SIZE}
"""Bytes of the parts of a network."""
CONTROL_SHIFT: Final = 4
MODES: Final = 0x03
SECRETS: Final = frozenset({*MOST, Kind.CUSTOM})
"""What is taken only encrypted and checked, unless the product says otherwise."""


class KeyState(enum.Enum):
    """How far the two sides agreed on a key."""

    NONE = "without a key"
    ANNOUNCED = "told to expect parameters"
    AGREED = "agreed on a key"


class KeyEvent(enum.Enum):
    """What moves it."""

    LENGTH = "take a length"
    PARAMETERS = "take parameters"
    PROTECT = "switch protection on"


TRANSITIONS: Final[Mapping[KeyState, Mapping[KeyEvent, KeyState]]] = {
    KeyState.NONE: {KeyEvent.LENGTH: KeyState.ANNOUNCED},
    KeyState.ANNOUNCED: {KeyEvent.LENGTH: KeyState.ANNOUNCED, KeyEvent.PARAMETERS: KeyState.AGREED},
    KeyState.AGREED: {KeyEvent.PROTECT: KeyState.AGREED},
}
"""One key for each connection: a second negotiation would begin its sequence numbers within another's."""


def advance(state: KeyState, event: KeyEvent) -> KeyState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


@dataclass(frozen=True, slots=True)
class BlufiProfile:
    """``allow_plain`` takes a network without any encryption, for apps that know none."""

    device_id: str
    allow_plain: bool = False

    @property
    def risk(self) -> str:
        """What an attacker can do, for a person to accept."""
        who = "anybody in reach" if self.allow_plain else "whoever sits between phone and device"
        return (
            f"BluFi authenticates nobody: {who} reads the Wi-Fi password, and anybody in reach can set the "
            "device up."
        )


@dataclass(frozen=True, slots=True)
class ScanWanted:
    """Scan, then call `scanned`."""


@dataclass(frozen=True, slots=True)
class JoinWanted:
    """Join, tell `Joining.finish`, then call `status`."""

    network: NetworkCredentials


@dataclass(frozen=True, slots=True)
class HangUp:
    """Disconnect."""


Wish = ScanWanted | JoinWanted | HangUp | Onboarded


@dataclass(frozen=True, slots=True)
class Answer:
    """Frames to notify, in order, and what the shell is to do."""

    frames: list[bytes] = field(default_factory=list)
    wishes: tuple[Wish, ...] = ()


class BlufiDevice:
    """One connection's core; the shell makes a new one for each."""

    def __init__(self, profile: BlufiProfile, joining: Joining, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self.state = KeyState.NONE
        self._profile, self._joining, self._rng = profile, joining, rng
        self._reader = FrameReader(from_device=False)
        self._writer = FrameWriter(from_device=True)
        self._expected = 0
        self._parts = dict.fromkeys(MOST, b"")
        self._handlers: Mapping[Kind, Callable[[bytes], Answer]] = {
            Kind.ACK: self._acknowledged,
            Kind.NEGOTIATION: self._negotiate,
            Kind.SET_SECURITY: self._protect,
            Kind.SET_MODE: self._set_mode,
            Kind.CONNECT: self._connect,
            Kind.GET_STATUS: self._tell_status,
            Kind.GET_VERSION: self._tell_version,
            Kind.GET_NETWORKS: self._scan,
            Kind.CUSTOM: self._deliver,
            Kind.HANG_UP: self._hang_up,
        } | {kind: partial(self._keep, kind) for kind in MOST}

    def room(self, size: int) -> None:
        """Learn how many bytes one notification may have."""
        self._writer.room = size

    def receive(self, octets: bytes) -> Answer:
        """Take one written value; a broken frame is answered with its error and ends the connection."""
        try:
            return self._receive(octets)
        except SessionSpent:
            return Answer(wishes=(HangUp(),))

    def _receive(self, octets: bytes) -> Answer:
        try:
            message = self._reader.take(octets)
        except FrameRefused as refusal:
            return Answer(self._error(refusal.code), (HangUp(),))
        if message is None:
            return Answer()
        try:
            answer = self._handle(message)
        except FrameRefused as refusal:
            answer = Answer(self._error(refusal.code))
        acks = [frame for number in message.acks for frame in self._write(Kind.ACK, bytes((number,)))]
        return Answer(acks + answer.frames, answer.wishes)

    def scanned(self, networks: Sequence[ScanEntry] | None) -> list[bytes]:
        """Return the frames that tell what was heard, `None` for a failed scan; raises `SessionSpent`."""
        if networks is None:
            return self._error(ErrorCode.SCAN)
        return self._write(Kind.NETWORKS, put_networks(networks))

    def status(self) -> list[bytes]:
        """Return the frames that tell how the network is; raises `SessionSpent`."""
        return self._write(Kind.STATUS, StatusReport.of(self._joining).octets())

    def _handle(self, message: Message) -> Answer:
        if message.kind in SECRETS and not (message.protected or self._profile.allow_plain):
            raise FrameRefused(ErrorCode.NOT_READY, "a secret came without encryption or checksum")
        handler = self._handlers.get(message.kind)
        if handler is None:
            raise FrameRefused(ErrorCode.FORMAT, "this device does not do that")
        return handler(message.content)

    def _acknowledged(self, _: bytes) -> Answer:
        return Answer()

    def _set_mode(self, content: bytes) -> Answer:
        if content != STATION_MODE:
            raise FrameRefused(ErrorCode.FORMAT, "this device is a station and nothing else")
        return Answer()

    def _tell_version(self, _: bytes) -> Answer:
        return Answer(self._write(Kind.VERSION, bytes(VERSION)))

    def _tell_status(self, _: bytes) -> Answer:
        return Answer(self.status())

    def _scan(self, _: bytes) -> Answer:
        return Answer(wishes=(ScanWanted(),))

    def _hang_up(self, _: bytes) -> Answer:
        return Answer(wishes=(HangUp(),))

    def _negotiate(self, content: bytes) -> Answer:
        length = announced_length(content)
        try:
            if length is not None:
                self.state = advance(self.state, KeyEvent.LENGTH)
                self._expected = length
                return Answer()
            state = advance(self.state, KeyEvent.PARAMETERS)
        except IllegalTransition as error:
            raise FrameRefused(ErrorCode.STATE, error.message) from None
        suite, public = open_offer(content, self._expected)
        ours, key = answer(suite, self._rng(suite.group.size), public)
        frames = self._write(Kind.NEGOTIATION, ours)
        self.state = state
        self._reader.key = self._writer.key = key
        return Answer(frames)

    def _protect(self, content: bytes) -> Answer:
        if len(content) != 1 or content[0] & ~(MODES | MODES << CONTROL_SHIFT):
            raise FrameRefused(ErrorCode.FORMAT, "there is no such security mode")
        data, control = Mode(content[0] & MODES), Mode(content[0] >> CONTROL_SHIFT)
        if (data | control) & Mode.ENCRYPTED:
            try:
                self.state = advance(self.state, KeyEvent.PROTECT)
            except IllegalTransition as error:
                raise FrameRefused(ErrorCode.NOT_READY, error.message) from None
        self._writer.data_mode, self._writer.control_mode = data, control & ~Mode.ENCRYPTED
        return Answer()

    def _keep(self, kind: Kind, content: bytes) -> Answer:
        if len(content) > MOST[kind]:
            raise FrameRefused(ErrorCode.FORMAT, f"a {kind.name} has at most {MOST[kind]} bytes")
        self._parts[kind] = content
        return Answer()

    def _connect(self, _: bytes) -> Answer:
        try:
            network = NetworkCredentials(
                self._parts[Kind.SSID], self._parts[Kind.PASSWORD], self._parts[Kind.BSSID]
            )
            self._joining.stage(network)
            self._joining.apply()
        except SettingsError as error:
            raise FrameRefused(ErrorCode.FORMAT, error.message) from None
        except IllegalTransition as error:
            raise FrameRefused(ErrorCode.STATE, error.message) from None
        return Answer(wishes=(JoinWanted(network),))

    def _deliver(self, content: bytes) -> Answer:
        try:
            reply, onboarded = answer_delivery(content, self._profile.device_id, self._joining)
        except PeerError as error:
            raise FrameRefused(ErrorCode.FORMAT, error.message) from None
        return Answer(self._write(Kind.CUSTOM, reply), onboarded)

    def _error(self, code: ErrorCode) -> list[bytes]:
        return self._write(Kind.ERROR, bytes((code,)), Mode(0))

    def _write(self, kind: Kind, content: bytes, mode: Mode | None = None) -> list[bytes]:
        if kind is Kind.NEGOTIATION:
            mode = Mode(0)
        return self._writer.write(kind, content, mode)
