"""The configurator's link over Bluetooth Low Energy, and the scan for devices that wait for their set-up.

Devices are found by service and name, endpoints by their user descriptions. Nothing is paired unless
the device asks for it, and nothing is remembered.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final
from uuid import UUID

from doorstep.errors import MalformedMessage, SettingsError, UnavailableError
from doorstep.onboarding.ble.exchange import LONG, MAX_BODY, SCAN_PAGE, goes_on_at, in_parts
from doorstep.onboarding.ble.layout import DEFAULT_SERVICE, LEGACY_SERVICE, Found, find_endpoints
from doorstep.provisioner.central import AttRefused, Central, Heard, Peripheral, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable, Link, SessionLost, reply_timeout
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["SCAN_SECONDS", "BleLink", "computer_radio", "connect", "connect_to", "scan"]

SCAN_SECONDS: Final = 8.0
"""Devices that save power say their name once in a second or two."""
FIND_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 30.0
"""Long: a computer that has not met the device asks it for everything it has, at its slowest."""
INSUFFICIENT_AUTHENTICATION: Final = 0x05
INSUFFICIENT_ENCRYPTION: Final = 0x0F


class BleLink(Link):
    """A connection to one device; a write asks, a read of the same characteristic fetches the reply."""

    scan_page = SCAN_PAGE

    def __init__(self, peripheral: Peripheral, service: UUID | None = None) -> None:
        """Find the endpoints, of ``service`` where one is given; raises `MalformedMessage` where none are."""
        self._peripheral = peripheral
        by_uuid = {(each.service, each.uuid): each for each in peripheral.characteristics}
        found = (Found(each.service, each.uuid, each.name) for each in peripheral.characteristics)
        self._endpoints: dict[str, RemoteCharacteristic] = {
            name: by_uuid[each.service, each.uuid] for name, each in find_endpoints(found, service).items()
        }

    async def close(self) -> None:
        """Hang up."""
        await self._peripheral.close()

    async def _ask(self, endpoint: str, body: bytes) -> bytes:
        if endpoint not in self._endpoints:
            raise SessionLost(
                f"The device has no endpoint {endpoint!r} over Bluetooth.",
                next_step="Set it up over its access point, or ask the maker for newer firmware.",
            )
        if len(body) > (MAX_MESSAGE if LONG in self._endpoints else MAX_BODY):
            raise SettingsError(
                f"A message of {len(body)} bytes is more than the device takes over Bluetooth.",
                next_step="Set the device up over its access point, or shorten the name or address in it.",
            )
        try:
            async with asyncio.timeout(reply_timeout(endpoint)):
                return await self._refused_unpaired(self._exchange(self._endpoints[endpoint], body))
        except TimeoutError:
            raise DeviceUnreachable(
                "The device does not answer over Bluetooth.", next_step="Move nearer and try again."
            ) from None

    async def _exchange(self, characteristic: RemoteCharacteristic, body: bytes) -> bytes:
        parts, last = in_parts(body)
        for part in parts:
            await self._peripheral.write(self._endpoints[LONG], part)
        await self._peripheral.write(characteristic, last)
        reply = piece = await self._peripheral.read(characteristic)
        while len(piece) == MAX_BODY and len(reply) <= MAX_MESSAGE and LONG in self._endpoints:
            await self._peripheral.write(self._endpoints[LONG], goes_on_at(len(reply)))
            piece = await self._peripheral.read(self._endpoints[LONG])
            reply += piece
        if len(reply) > MAX_MESSAGE:
            raise MalformedMessage(f"the device's reply has more than {MAX_MESSAGE} bytes")
        return reply

    @staticmethod
    async def _refused_unpaired(exchange: Awaitable[bytes]) -> bytes:
        try:
            return await exchange
        except AttRefused as refused:
            if refused.code in (INSUFFICIENT_AUTHENTICATION, INSUFFICIENT_ENCRYPTION):
                raise SessionLost(
                    "The device wants to be paired with this computer first.",
                    next_step="Pair it in this computer's Bluetooth settings, and try again.",
                ) from None
            raise


async def scan(
    seconds: float = SCAN_SECONDS, *, central: Central | None = None, service: UUID = DEFAULT_SERVICE
) -> list[Heard]:
    """Return the devices that wait for their set-up, nearest first."""
    heard = await (central or computer_radio()).scan(seconds)
    waiting = [each for each in heard if _waits(each, service)]
    return sorted(waiting, key=lambda each: each.rssi, reverse=True)


async def connect(
    name: str,
    *,
    central: Central | None = None,
    service: UUID = DEFAULT_SERVICE,
    seconds: float = FIND_SECONDS,
) -> BleLink:
    """Find a device by the name on its label and connect to it; raises `DeviceUnreachable`.

    A device with a service of the maker's own choice is found by its name alone.
    """
    radio = central or computer_radio()
    heard = await radio.find(lambda each: each.advertisement.name == name, seconds)
    if heard is None:
        raise DeviceUnreachable(
            f"No device called {name!r} is heard over Bluetooth.",
            next_step="Switch the device on, hold it near, and check that it waits for its set-up.",
        )
    return await connect_to(heard, central=radio, service=service if _waits(heard, service) else None)


async def connect_to(heard: Heard, *, central: Central | None = None, service: UUID | None = None) -> BleLink:
    """Connect to a device that a scan has found; raises `DeviceUnreachable`, `MalformedMessage`."""
    peripheral = await (central or computer_radio()).connect(heard.address, CONNECT_SECONDS)
    try:
        return BleLink(peripheral, service)
    except BaseException:
        await peripheral.close()
        raise


def computer_radio() -> Central:
    """Return this computer's Bluetooth; raises `UnavailableError` where its library is not installed."""
    try:
        from doorstep.provisioner.bleak_central import BleakCentral  # noqa: PLC0415 — an extra
    except ImportError:
        raise UnavailableError(
            "This installation cannot speak Bluetooth.",
            next_step="Install it with: pip install 'doorstep[ble]'",
        ) from None
    return BleakCentral()


def _waits(heard: Heard, service: UUID) -> bool:
    return not {service, LEGACY_SERVICE}.isdisjoint(heard.advertisement.services)
