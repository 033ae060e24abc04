"""What a device says of itself on the air before anybody connects (Core Supplement, Part A).

31 bytes go out by themselves, 31 more are given to a scanner that asks.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.ble.uuids import from_short, to_short

__all__ = ["MAX_NAME", "MAX_PAYLOAD", "Advertisement", "ManufacturerData", "parse_advertisement"]

MAX_PAYLOAD: Final = 31
"""Bytes of a legacy advertisement, and again of its scan response."""
MAX_HEARD: Final = 1650
"""Bytes of the longest chain of extended advertisements (Core, Vol 4, Part E, §7.7.65.13)."""
MAX_NAME: Final = MAX_PAYLOAD - 2
MAX_FIELD: Final = 254
FLAGS: Final = b"\x06"
"""General discoverable, and no Bluetooth classic."""
MAX_COMPANY: Final = 0xFFFF
SHORT: Final = 2
LONG: Final = 16


class Kind(enum.IntEnum):
    """Types of the fields that we write or read."""

    FLAGS = 0x01
    SOME_SHORT = 0x02
    ALL_SHORT = 0x03
    SOME_LONG = 0x06
    ALL_LONG = 0x07
    CUT_NAME = 0x08
    NAME = 0x09
    SHORT_DATA = 0x16
    LONG_DATA = 0x21
    MANUFACTURER = 0xFF


SERVICE_LISTS: Final = {
    Kind.SOME_SHORT: SHORT,
    Kind.ALL_SHORT: SHORT,
    Kind.SOME_LONG: LONG,
    Kind.ALL_LONG: LONG,
}
SERVICE_DATA: Final = {Kind.SHORT_DATA: SHORT, Kind.LONG_DATA: LONG}


@dataclass(frozen=True, slots=True)
class ManufacturerData:
    """Bytes under the number that a maker has from the Bluetooth SIG; 0xFFFF is for tests."""

    company: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Advertisement:
    """Services and their data in the advertisement, name and manufacturer's data in the scan response."""

    services: tuple[UUID, ...] = ()
    name: str = ""
    manufacturer: ManufacturerData | None = None
    service_data: tuple[tuple[UUID, bytes], ...] = ()

    def payload(self) -> bytes:
        """Return what goes out by itself; raises `SettingsError` where it does not fit."""
        shorts = b"".join(_octets(uuid) for uuid in self.services if to_short(uuid) is not None)
        longs = b"".join(_octets(uuid) for uuid in self.services if to_short(uuid) is None)
        octets = _field(Kind.FLAGS, FLAGS) + _field(Kind.ALL_SHORT, shorts) + _field(Kind.ALL_LONG, longs)
        for uuid, data in self.service_data:
            kind = Kind.LONG_DATA if to_short(uuid) is None else Kind.SHORT_DATA
            octets += _field(kind, _octets(uuid) + data)
        return _fitting(octets, "services")

    def scan_response(self) -> bytes:
        """Return what a scanner gets that asks; raises `SettingsError` where it does not fit."""
        octets = _field(Kind.NAME, self.name.encode())
        if self.manufacturer is not None:
            if not 0 <= self.manufacturer.company <= MAX_COMPANY:
                raise SettingsError("A company's Bluetooth number has 16 bits.")
            company = self.manufacturer.company.to_bytes(2, "little")
            octets += _field(Kind.MANUFACTURER, company + self.manufacturer.data)
        return _fitting(octets, "name and manufacturer's data")

    def joined(self, later: "Advertisement") -> "Advertisement":
        """Return what both say of one device; where they differ the later one counts."""
        services = dict.fromkeys(self.services + later.services)
        data = dict(self.service_data) | dict(later.service_data)
        name, manufacturer = later.name or self.name, later.manufacturer or self.manufacturer
        return Advertisement(tuple(services), name, manufacturer, tuple(data.items()))


def parse_advertisement(octets: bytes) -> Advertisement:
    """Read an advertisement, or one with its scan response behind it; raises `MalformedMessage`.

    Fields that we do not know are passed over; of a repeated name or manufacturer the last counts.
    """
    if len(octets) > MAX_HEARD:
        raise MalformedMessage(f"an advertisement has {len(octets)} bytes, more than {MAX_HEARD}")
    services: list[UUID] = []
    service_data: list[tuple[UUID, bytes]] = []
    name, manufacturer = "", None
    for kind, value in _fields(octets):
        if kind in SERVICE_LISTS:
            services += _uuids(value, SERVICE_LISTS[Kind(kind)])
        elif kind in SERVICE_DATA:
            size = SERVICE_DATA[Kind(kind)]
            service_data += [(uuid, value[size:]) for uuid in _uuids(value[:size], size)]
        elif kind in (Kind.NAME, Kind.CUT_NAME):
            name = value.decode("utf-8", "replace")
        elif kind == Kind.MANUFACTURER:
            manufacturer = _manufacturer(value)
    return Advertisement(tuple(services), name, manufacturer, tuple(service_data))


def _fields(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut into type and value; a length of zero ends it early (Core, Vol 3, Part C, §11)."""
    at = 0
    while at < len(octets) and octets[at]:
        end = at + 1 + octets[at]
        if end > len(octets):
            raise MalformedMessage("a field of an advertisement is longer than what is left")
        yield octets[at + 1], octets[at + 2 : end]
        at = end


def _uuids(octets: bytes, size: int) -> list[UUID]:
    if len(octets) % size or not octets:
        raise MalformedMessage("a service's number in an advertisement is cut")
    return [_uuid(octets[at : at + size]) for at in range(0, len(octets), size)]


def _uuid(octets: bytes) -> UUID:
    if len(octets) == SHORT:
        return from_short(int.from_bytes(octets, "little"))
    return UUID(bytes=octets[::-1])


def _manufacturer(value: bytes) -> ManufacturerData:
    if len(value) < SHORT:
        raise MalformedMessage("the manufacturer's data in an advertisement is cut")
    return ManufacturerData(int.from_bytes(value[:2], "little"), value[2:])


def _octets(uuid: UUID) -> bytes:
    short = to_short(uuid)
    return uuid.bytes[::-1] if short is None else short.to_bytes(SHORT, "little")


def _field(kind: Kind, value: bytes) -> bytes:
    if len(value) > MAX_FIELD:
        raise SettingsError(f"A field of an advertisement has at most {MAX_FIELD} bytes.")
    return bytes([len(value) + 1, kind]) + value if value else b""


def _fitting(octets: bytes, what: str) -> bytes:
    if len(octets) > MAX_PAYLOAD:
        raise SettingsError(
            f"The advertised {what} take {len(octets)} bytes, more than the {MAX_PAYLOAD} there are.",
            next_step="Advertise a shorter name, fewer services, or less data.",
        )
    return octets
