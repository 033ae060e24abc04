"""The port of a GATT server: what a door puts up on the air, and the radio that hosts it.

A door describes a `GattService` and answers as its `GattHandler`; BlueZ or a virtual radio hosts it as
a `GattHost`. Values are whole: the host puts long writes together and cuts long reads.
"""

import enum
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from doorstep.errors import SettingsError
from doorstep.onboarding.ble.advertising import Advertisement

__all__ = [
    "MAX_VALUE",
    "Access",
    "Characteristic",
    "GattError",
    "GattHandler",
    "GattHost",
    "GattRefused",
    "GattService",
    "GattServing",
    "Security",
]

MAX_VALUE: Final = 512
"""Bytes of a characteristic's value (Core, Vol 3, Part F, §3.2.9); the host refuses a longer write."""
MAX_NAME: Final = 64


class Access(enum.Flag):
    """What a central may do with a characteristic."""

    READ = enum.auto()
    WRITE = enum.auto()
    """With response; this one may be long."""
    WRITE_WITHOUT_RESPONSE = enum.auto()
    NOTIFY = enum.auto()


class Security(enum.IntEnum):
    """What the connection must have before a central gets at a characteristic."""

    OPEN = 0
    ENCRYPTED = 1
    """Any pairing."""
    AUTHENTICATED = 2
    """A pairing whose resulting key says that nobody stood in between."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One value; ``name`` is its user description (0x2901), left out where empty."""

    uuid: UUID
    access: Access
    name: str = ""
    security: Security = Security.OPEN

    def __post_init__(self) -> None:
        """Refuse what no client could use."""
        if not self.access or len(self.name.encode()) > MAX_NAME:
            raise SettingsError(f"A characteristic has an access and a name of at most {MAX_NAME} bytes.")


@dataclass(frozen=True, slots=True)
class GattService:
    """One primary service; no two characteristics of it have the same UUID."""

    uuid: UUID
    characteristics: tuple[Characteristic, ...]

    def __post_init__(self) -> None:
        """Refuse two characteristics that nobody could tell apart."""
        if len({each.uuid for each in self.characteristics}) < len(self.characteristics):
            raise SettingsError("Two characteristics of a service have the same UUID.")


class GattError(enum.IntEnum):
    """Why a request is refused, as a central sees it (Core, Vol 3, Part F, §3.4.1.1).

    BlueZ can say only some of these; what it cannot comes out as `UNLIKELY`.
    """

    READ_NOT_PERMITTED = 0x02
    WRITE_NOT_PERMITTED = 0x03
    INVALID_PDU = 0x04
    INSUFFICIENT_AUTHENTICATION = 0x05
    NOT_SUPPORTED = 0x06
    INSUFFICIENT_AUTHORIZATION = 0x08
    INVALID_LENGTH = 0x0D
    UNLIKELY = 0x0E
    INSUFFICIENT_ENCRYPTION = 0x0F


class GattRefused(Exception):
    """Raised by a handler: the central gets this error instead of an answer."""

    def __init__(self, reason: GattError = GattError.UNLIKELY) -> None:
        super().__init__(reason.name)
        self.reason = reason


class GattHandler(Protocol):
    """A door's side. ``connection`` is a number that the host never gives twice.

    An access or a security that the description does not grant never arrives here. What `read` and
    `write` raise beside `GattRefused` is logged and answered with `GattError.UNLIKELY`.
    """

    def connected(self, connection: int) -> None:
        """Learn that a central has connected, to whichever service of the board."""

    def disconnected(self, connection: int) -> None:
        """Learn that it has gone, or was hung up on."""

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        """Return the whole value, at most `MAX_VALUE` bytes."""
        ...

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Take a whole value; with a response, the central waits until this returns."""
        ...


class GattServing(Protocol):
    """A service that is on the air."""

    async def notify(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Send a value where that central has subscribed; cut to what fits into one packet (MTU less 3)."""
        ...

    async def advertise(self, advertisement: Advertisement) -> None:
        """Say something else on the air from now on."""
        ...

    async def hang_up(self, connection: int) -> None:
        """Disconnect a central; nothing happens where it has gone."""
        ...

    def payload_size(self, connection: int) -> int:
        """Return how many bytes fit into one notification now: the MTU less 3."""
        ...


class GattHost(Protocol):
    """A board's Bluetooth radio. It serves one central at a time and is silent meanwhile."""

    def serve(
        self, service: GattService, handler: GattHandler, advertisement: Advertisement
    ) -> AbstractAsyncContextManager[GattServing]:
        """Put a service up and advertise it while entered; several may be up side by side.

        Entering raises `UnavailableError` where there is no radio. Leaving hangs up.
        """
        ...
