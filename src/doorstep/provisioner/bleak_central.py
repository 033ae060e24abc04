"""This computer's Bluetooth as a `Central`, by bleak: BlueZ on Linux, and what Windows and macOS have."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import UUID

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakError, BleakGATTProtocolError

from doorstep.onboarding.ble.advertising import Advertisement, ManufacturerData
from doorstep.provisioner.central import AttRefused, Heard, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable

__all__ = ["BleakCentral", "BleakPeripheral"]

USER_DESCRIPTION: Final = "00002901-0000-1000-8000-00805f9b34fb"
FAILURES: Final = (BleakError, OSError, EOFError, TimeoutError)
"""What bleak and the bus below it raise; the bus ends with EOFError when bluetoothd stops."""


class BleakCentral:
    """The radio of this computer; devices are remembered for as long as this object lives."""

    def __init__(self) -> None:
        self._devices: dict[str, BLEDevice] = {}

    async def find(self, wanted: Callable[[Heard], bool], seconds: float) -> Heard | None:
        """Return the first device heard that is wanted, None after so many seconds."""
        found: list[Heard] = []

        def judge(device: BLEDevice, said: AdvertisementData) -> bool:
            heard = self._remember(device, said)
            if wanted(heard):
                found.append(heard)
            return bool(found)

        async with _speaking():
            await BleakScanner.find_device_by_filter(judge, timeout=seconds)
        return found[0] if found else None

    async def scan(self, seconds: float) -> Sequence[Heard]:
        """Return what is heard in so many seconds, each device once."""
        async with _speaking():
            heard = await BleakScanner.discover(timeout=seconds, return_adv=True)
        return [self._remember(device, said) for device, said in heard.values()]

    async def connect(self, address: str, seconds: float) -> "BleakPeripheral":
        """Connect and find out what the device offers."""
        client = BleakClient(self._devices.get(address, address), timeout=seconds)
        peripheral = BleakPeripheral(client)
        async with _speaking():
            await client.connect()
            try:
                await peripheral.discover()
            except BaseException:
                await client.disconnect()
                raise
        return peripheral

    def _remember(self, device: BLEDevice, said: AdvertisementData) -> Heard:
        self._devices[device.address] = device
        return Heard(device.address, said.rssi, _advertisement(device, said))


class BleakPeripheral:
    """A device that this computer is connected to."""

    def __init__(self, client: BleakClient) -> None:
        self.characteristics: Sequence[RemoteCharacteristic] = ()
        self._client = client
        self._theirs: dict[int, BleakGATTCharacteristic] = {}

    async def discover(self) -> None:
        """Read the user descriptions of everything that the device offers."""
        found = []
        for service in self._client.services:
            for each in service.characteristics:
                self._theirs[each.handle] = each
                name = await self._description(each)
                found.append(RemoteCharacteristic(UUID(service.uuid), UUID(each.uuid), name, each.handle))
        self.characteristics = tuple(found)

    async def read(self, characteristic: RemoteCharacteristic) -> bytes:
        """Return a whole value."""
        async with _speaking():
            return bytes(await self._client.read_gatt_char(self._theirs[characteristic.handle]))

    async def write(
        self, characteristic: RemoteCharacteristic, value: bytes, *, response: bool = True
    ) -> None:
        """Write a value; the system cuts a long one."""
        async with _speaking():
            await self._client.write_gatt_char(self._theirs[characteristic.handle], value, response=response)

    async def subscribe(self, characteristic: RemoteCharacteristic, heard: Callable[[bytes], None]) -> None:
        """Hear its notifications from now on."""

        def notified(_sender: BleakGATTCharacteristic, value: bytearray) -> None:
            heard(bytes(value))

        async with _speaking():
            await self._client.start_notify(self._theirs[characteristic.handle], notified)

    async def close(self) -> None:
        """Disconnect."""
        with suppress(*FAILURES):
            await self._client.disconnect()

    async def _description(self, characteristic: BleakGATTCharacteristic) -> str:
        for descriptor in characteristic.descriptors:
            if descriptor.uuid == USER_DESCRIPTION:
                return bytes(await self._client.read_gatt_descriptor(descriptor)).decode("utf-8", "replace")
        return ""


@asynccontextmanager
async def _speaking() -> AsyncIterator[None]:
    """Turn bleak's errors into the port's."""
    try:
        yield
    except BleakGATTProtocolError as error:
        raise AttRefused(int(error.code)) from None
    except BleakBluetoothNotAvailableError as error:
        raise DeviceUnreachable(
            f"This computer's Bluetooth cannot be used ({error.reason.name.lower().replace('_', ' ')}).",
            next_step="Switch Bluetooth on, or plug an adapter in, and allow this program to use it.",
        ) from None
    except FAILURES as error:
        raise DeviceUnreachable(
            f"The device does not answer over Bluetooth ({type(error).__name__}).",
            next_step="Move nearer, check that the device waits for its set-up, and that Bluetooth is on.",
        ) from None


def _advertisement(device: BLEDevice, said: AdvertisementData) -> Advertisement:
    manufacturers = [ManufacturerData(company, data) for company, data in said.manufacturer_data.items()]
    return Advertisement(
        tuple(UUID(uuid) for uuid in said.service_uuids),
        said.local_name or device.name or "",
        manufacturers[0] if manufacturers else None,
        tuple((UUID(uuid), data) for uuid, data in said.service_data.items()),
    )
