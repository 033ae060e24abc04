"""The app's side of BluFi: encrypts everything that may be, and knows that this authenticates nobody."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.blufi.frames import ErrorCode, FrameReader, FrameWriter, Kind, Message, Mode
from doorstep.onboarding.blufi.negotiation import Suite, offer
from doorstep.onboarding.blufi.reports import StatusReport, parse_networks
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.provisioning.delivery import DeliveryMessage, decode_delivery, encode_delivery
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["BlufiConfigurator", "BlufiEvent", "DeviceError", "KeyAgreed", "NetworksHeard", "VersionTold"]

STATION_MODE: Final = b"\x01"
PROTECTED: Final = Mode.CHECKED | Mode.ENCRYPTED


@dataclass(frozen=True, slots=True)
class VersionTold:
    """The device's BluFi version."""

    version: tuple[int, int]


@dataclass(frozen=True, slots=True)
class KeyAgreed:
    """Send ``frames`` next: they switch the device's protection on."""

    frames: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NetworksHeard:
    """What the device hears."""

    networks: tuple[ScanEntry, ...]


@dataclass(frozen=True, slots=True)
class DeviceError:
    """The device refused something."""

    code: ErrorCode


BlufiEvent = VersionTold | KeyAgreed | StatusReport | NetworksHeard | DeviceError | DeliveryMessage


class BlufiConfigurator:
    """One connection's core: methods return frames to write, `receive` what the device says."""

    def __init__(self, rng: Callable[[int], bytes], room: int) -> None:
        """``rng`` returns that many unpredictable bytes; ``room`` is how many a write may have."""
        self._rng = rng
        self._reader = FrameReader(from_device=True)
        self._writer = FrameWriter(from_device=False, room=room)
        self._suite: Suite | None = None
        self._private = b""

    @property
    def encrypted(self) -> bool:
        """Tell whether a key was agreed on; with whom, nobody knows."""
        return bool(self._writer.key)

    def ask_version(self) -> list[bytes]:
        """Ask for the version, which decides how a key is agreed on."""
        return self._writer.write(Kind.GET_VERSION)

    def negotiate(self, version: tuple[int, int]) -> list[bytes]:
        """Offer a key exchange as a device of this version knows it."""
        self._suite = Suite.of(version)
        self._private = self._rng(self._suite.group.size)
        announcement, parameters = offer(self._suite, self._private)
        return self._writer.write(Kind.NEGOTIATION, announcement, Mode(0)) + self._writer.write(
            Kind.NEGOTIATION, parameters, Mode(0)
        )

    def ask_networks(self) -> list[bytes]:
        """Ask what the device hears."""
        return self._writer.write(Kind.GET_NETWORKS)

    def ask_status(self) -> list[bytes]:
        """Ask how the network is."""
        return self._writer.write(Kind.GET_STATUS)

    def join(self, network: NetworkCredentials) -> list[bytes]:
        """Give the network and have it joined; raises `ProtocolViolation` before a key was agreed on."""
        network.check_plain("BluFi")
        self._demand_key()
        frames = self._writer.write(Kind.SET_MODE, STATION_MODE)
        for kind, content in (
            (Kind.SSID, network.ssid),
            (Kind.PASSWORD, network.passphrase),
            (Kind.BSSID, network.bssid),
        ):
            frames += self._writer.write(kind, content)
        return frames + self._writer.write(Kind.CONNECT)

    def deliver(self, message: DeliveryMessage) -> list[bytes]:
        """Send a delivery message as custom data; raises `ProtocolViolation` before a key was agreed on."""
        self._demand_key()
        return self._writer.write(Kind.CUSTOM, encode_delivery(message))

    def hang_up(self) -> list[bytes]:
        """Ask the device to disconnect."""
        return self._writer.write(Kind.HANG_UP)

    def receive(self, octets: bytes) -> BlufiEvent | None:
        """Take a notification; return what it says, `None` where that is nothing yet.

        Raises `FrameRefused` and `MalformedMessage`; the connection is of no use afterwards.
        """
        message = self._reader.take(octets)
        return None if message is None else self._event(message)

    def _event(self, message: Message) -> BlufiEvent | None:  # noqa: PLR0911 - one for each kind
        if (
            self.encrypted
            and message.kind.is_data
            and not message.protected
            and message.kind is not Kind.ERROR
        ):
            raise MalformedMessage("the device answered without the protection that was agreed on")
        match message.kind:
            case Kind.VERSION if len(message.content) == 2:  # noqa: PLR2004 - major and minor
                return VersionTold((message.content[0], message.content[1]))
            case Kind.NEGOTIATION:
                return self._agree(message.content)
            case Kind.STATUS:
                return StatusReport.decode(message.content)
            case Kind.NETWORKS:
                return NetworksHeard(parse_networks(message.content))
            case Kind.CUSTOM:
                return decode_delivery(message.content)
            case Kind.ERROR if message.content and message.content[0] in set(ErrorCode):
                return DeviceError(ErrorCode(message.content[0]))
            case Kind.ACK:
                return None
            case _:
                raise MalformedMessage("the device sent what no device sends")

    def _agree(self, public: bytes) -> KeyAgreed:
        if self._suite is None or self.encrypted:
            raise ProtocolViolation("the device sent a key that nobody asked for")
        key = self._suite.key(self._private, public)
        frames = self._writer.write(Kind.SET_SECURITY, bytes((PROTECTED,)), Mode.CHECKED)
        self._reader.key = self._writer.key = key
        self._writer.data_mode = PROTECTED
        self._private = b""
        return KeyAgreed(frames)

    def _demand_key(self) -> None:
        if not self.encrypted:
            raise ProtocolViolation(
                "no key was agreed on with the device",
                next_step="Negotiate first; never send a secret plain.",
            )
