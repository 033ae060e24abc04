"""The real bleak library on a virtual air: a backend of its own port, for strangers' unchanged clients."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from bleak import BleakClient
from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

from doorstep.provisioner.link import DeviceUnreachable, SessionLost
from doorstep.testing.bumble import MAX_MTU, BumbleCentral, BumblePeripheral

if TYPE_CHECKING:
    from doorstep.provisioner.central import RemoteCharacteristic

__all__ = ["backend_on", "bleak_client"]

SECONDS = 5.0


def bleak_client(central: BumbleCentral) -> Callable[..., BleakClient]:
    """Return what to put where a stranger's module has ``BleakClient``."""
    return partial(BleakClient, backend=backend_on(central))


def backend_on(central: BumbleCentral) -> type[BaseBleakClient]:
    """Return a backend that connects through this phone."""
    return type("AirBackend", (_AirBackend,), {"central": central})


class _AirBackend(BaseBleakClient):
    central: BumbleCentral

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        chosen = {key: options[key] for key in ("disconnected_callback", "timeout")}
        super().__init__(address_or_ble_device, **chosen)
        self._device: BumblePeripheral | None = None
        self._by_handle: dict[int, RemoteCharacteristic] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return MAX_MTU

    @property
    def is_connected(self) -> bool:
        return self._device is not None and not self._device.gone.is_set()

    @property
    def _there(self) -> BumblePeripheral:
        if self._device is None:
            raise BleakError("not connected")
        return self._device

    async def connect(self, pair: bool, **_: Any) -> None:  # noqa: FBT001 - bleak's port
        assert not pair
        try:
            self._device = await self.central.connect(self.address, SECONDS)
        except DeviceUnreachable as error:
            raise BleakError(error.message) from error
        self._device.connection.on("disconnection", self._disconnected)
        self.services = self._collection(self._device)

    async def disconnect(self) -> None:
        await self._there.close()

    async def pair(self, *_: Any, **__: Any) -> None:
        raise BleakError("nobody asked for pairing")

    async def unpair(self) -> None:
        raise BleakError("nobody asked for pairing")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        assert not use_cached
        try:
            return bytearray(await self._there.read(self._by_handle[characteristic.handle]))
        except SessionLost as error:
            raise BleakError(error.message) from error

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        del descriptor, use_cached
        raise BleakError("descriptors are not read here")

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001 - bleak's port
    ) -> None:
        try:
            await self._there.write(self._by_handle[characteristic.handle], bytes(data), response=response)
        except SessionLost as error:
            raise BleakError(error.message) from error

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        del descriptor, data
        raise BleakError("descriptors are not written here")

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        await self._there.subscribe(
            self._by_handle[characteristic.handle], lambda value: callback(bytearray(value))
        )

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        del characteristic

    def _disconnected(self, _reason: object) -> None:
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _collection(self, device: BumblePeripheral) -> BleakGATTServiceCollection:
        collection, services = BleakGATTServiceCollection(), {}
        for each in device.characteristics:
            self._by_handle[each.handle] = each
            if each.service not in services:
                services[each.service] = BleakGATTService(None, each.handle - 1, str(each.service))
                collection.add_service(services[each.service])
            collection.add_characteristic(
                BleakGATTCharacteristic(
                    None, each.handle, str(each.uuid), ["read", "write", "notify"],
                    lambda: MAX_MTU - 3, services[each.service],
                )
            )  # fmt: skip
        return collection
