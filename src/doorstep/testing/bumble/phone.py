"""A virtual phone's radio: finds boards, talks to them, pairs with them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from bumble import core, gatt, hci
from bumble.att import ATT_Error
from bumble.device import Advertisement as Report
from bumble.device import Connection, Peer
from bumble.gatt_client import CharacteristicProxy

from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.onboarding.ble.advertising import parse_advertisement
from doorstep.onboarding.ble.pairing import KeyQuality
from doorstep.provisioner.central import AttRefused, Heard, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.testing.bumble.air import DEFAULT_MTU, MAX_MTU, Air, Radio, hang_up, ours
from doorstep.testing.bumble.pairing import PhoneUser, phone_config, quality_of

__all__ = ["BumbleCentral", "BumblePeripheral"]


class BumbleCentral(Radio):
    """A phone's radio: a `Central`. ``mtu`` is what it asks for, the smallest asks for nothing."""

    def __init__(self, air: Air, *, name: str = "phone", mtu: int = MAX_MTU) -> None:
        super().__init__(air, name)
        self._mtu = mtu

    async def find(self, wanted: Callable[[Heard], bool], seconds: float) -> Heard | None:
        """Return the first device heard that is wanted, None after so many seconds."""
        async with self._scanning() as reports:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while True:
                        heard = await reports.get()
                        if wanted(heard):
                            return heard
        return None

    async def scan(self, seconds: float) -> Sequence[Heard]:
        """Return what is heard in so many seconds, each device once."""
        async with self._scanning() as reports:
            await asyncio.sleep(seconds)
        latest: dict[str, Heard] = {}
        while not reports.empty():
            heard = reports.get_nowait()
            latest[heard.address] = heard.after(latest.get(heard.address))
        return list(latest.values())

    async def connect(self, address: str, seconds: float) -> "BumblePeripheral":
        """Connect and find out what the device offers."""
        try:
            connection = await self.device.connect_le(hci.Address(address), timeout=seconds)
        except (core.BaseBumbleError, hci.HCI_Error, TimeoutError) as error:
            raise _unreachable(type(error).__name__) from None
        peripheral = BumblePeripheral(connection)
        await peripheral.discover(self._mtu)
        return peripheral

    @asynccontextmanager
    async def _scanning(self) -> AsyncIterator[asyncio.Queue[Heard]]:
        reports: asyncio.Queue[Heard] = asyncio.Queue()

        def hear(report: Report) -> None:
            with suppress(MalformedMessage):
                advertisement = parse_advertisement(bytes(report.data))
                reports.put_nowait(Heard(str(report.address), report.rssi, advertisement))

        self.device.on("advertisement", hear)
        await self.device.start_scanning()
        try:
            yield reports
        finally:
            self.device.remove_listener("advertisement", hear)
            await self.device.stop_scanning()


class BumblePeripheral:
    """A device that a virtual phone is connected to: a `Peripheral`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.characteristics: Sequence[RemoteCharacteristic] = ()
        self.gone = asyncio.Event()
        """Set once the device has gone, whoever hung up."""
        self._peer = Peer(connection)
        self._proxies: dict[int, CharacteristicProxy[bytes]] = {}
        connection.on("disconnection", lambda _reason: self.gone.set())

    async def discover(self, mtu: int) -> None:
        """Agree on an MTU and find out what the device offers, with its user descriptions."""
        async with self._talking():
            if mtu > DEFAULT_MTU:
                await self._peer.request_mtu(mtu)
            await self._peer.discover_services()
            await self._peer.discover_characteristics()
            found = []
            for service in self._peer.services:
                for proxy in service.characteristics:
                    self._proxies[proxy.handle] = proxy
                    name = await self._description(proxy)
                    found.append(
                        RemoteCharacteristic(ours(service.uuid), ours(proxy.uuid), name, proxy.handle)
                    )
        self.characteristics = tuple(found)

    async def read(self, characteristic: RemoteCharacteristic) -> bytes:
        """Return a whole value."""
        async with self._talking():
            return bytes(await self._proxies[characteristic.handle].read_value())

    async def write(
        self, characteristic: RemoteCharacteristic, value: bytes, *, response: bool = True
    ) -> None:
        """Write a value, a long one in parts."""
        async with self._talking():
            await self._proxies[characteristic.handle].write_value(value, with_response=response)

    async def subscribe(self, characteristic: RemoteCharacteristic, heard: Callable[[bytes], None]) -> None:
        """Hear its notifications from now on."""
        async with self._talking():
            await self._proxies[characteristic.handle].subscribe(lambda value: heard(bytes(value)))

    async def close(self) -> None:
        """Disconnect."""
        await hang_up(self.connection)

    async def pair(self, user: PhoneUser | None = None) -> KeyQuality:
        """Pair as ``user`` does; raises `VerificationFailed` where either side says no."""
        config = phone_config(user or PhoneUser())
        self.connection.device.pairing_config_factory = lambda _connection: config
        made: list[KeyQuality] = []
        self.connection.on("pairing", lambda keys: made.append(quality_of(keys)))
        async with self._talking():
            try:
                await self.connection.pair()
            except core.ProtocolError as error:
                raise VerificationFailed(f"the pairing failed: {error.error_name}") from None
        return made[0]

    async def _description(self, proxy: CharacteristicProxy[bytes]) -> str:
        await proxy.discover_descriptors()
        descriptor = proxy.get_descriptor(gatt.GATT_CHARACTERISTIC_USER_DESCRIPTION_DESCRIPTOR)
        return "" if descriptor is None else bytes(await descriptor.read_value()).decode("utf-8", "replace")

    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[None]:
        """Turn the stack's errors into the port's; it cancels whoever waits when the device goes."""
        if self.gone.is_set():
            raise _unreachable("it has disconnected")
        try:
            yield
        except ATT_Error as error:
            raise AttRefused(int(error.error_code)) from None
        except (core.BaseBumbleError, hci.HCI_Error, TimeoutError) as error:
            raise _unreachable(type(error).__name__) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.gone.is_set() and task is not None and not task.cancelling():
                raise _unreachable("it has disconnected") from None
            raise


def _unreachable(why: str) -> DeviceUnreachable:
    return DeviceUnreachable(
        f"The device does not answer over Bluetooth ({why}).",
        next_step="Move nearer, and check that the device is on and waits for its set-up.",
    )
