"""The port of a Bluetooth radio on the configurator's side: this computer's, or a virtual one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.provisioner.link import SessionLost

__all__ = ["AttRefused", "Central", "Heard", "Peripheral", "RemoteCharacteristic"]


class AttRefused(SessionLost):
    """The device refused to read or write; ``code`` is its ATT error, 0 where the system hides it."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"The device refused a request over Bluetooth (error {code:#04x}).",
            next_step="Run the set-up again, nearer to the device.",
        )
        self.code = code


@dataclass(frozen=True, slots=True)
class Heard:
    """One device on the air; ``address`` is what `Central.connect` takes, not always a MAC."""

    address: str
    rssi: int
    advertisement: Advertisement

    def after(self, earlier: "Heard | None") -> "Heard":
        """Return this with what was heard of the same device before: a name comes in a packet of its own."""
        if earlier is None:
            return self
        return replace(self, advertisement=earlier.advertisement.joined(self.advertisement))


@dataclass(frozen=True, slots=True)
class RemoteCharacteristic:
    """A characteristic of a connected device; ``name`` is its user description, empty where it has none."""

    service: UUID
    uuid: UUID
    name: str
    handle: int


class Peripheral(Protocol):
    """A connected device. Everything raises `DeviceUnreachable` once it has gone."""

    @property
    def characteristics(self) -> Sequence[RemoteCharacteristic]:
        """What it offers, found when it was connected."""
        ...

    async def read(self, characteristic: RemoteCharacteristic) -> bytes:
        """Return a whole value; raises `AttRefused`."""
        ...

    async def write(
        self, characteristic: RemoteCharacteristic, value: bytes, *, response: bool = True
    ) -> None:
        """Write a value, a long one in parts; raises `AttRefused`, without ``response`` never."""
        ...

    async def subscribe(self, characteristic: RemoteCharacteristic, heard: Callable[[bytes], None]) -> None:
        """Hear its notifications from now on; raises `AttRefused`."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Central(Protocol):
    """A radio that finds and connects devices. Raises `DeviceUnreachable` where there is none."""

    async def find(self, wanted: Callable[[Heard], bool], seconds: float) -> Heard | None:
        """Return the first device heard that is wanted, None after so many seconds."""
        ...

    async def scan(self, seconds: float) -> Sequence[Heard]:
        """Return what is heard in so many seconds, each device once."""
        ...

    async def connect(self, address: str, seconds: float) -> Peripheral:
        """Connect and find out what it offers; raises `DeviceUnreachable` after so many seconds."""
        ...
