"""Virtual Bluetooth: boards and phones with a real host stack on an air without a radio.

The only module that imports bumble, whose interface changes with every release. Pairing is computed
for real; the link layer encrypts nothing, so nothing here shows what an eavesdropper hears.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID

from bumble import core, gatt, hci, ll
from bumble.att import ATT_Error
from bumble.controller import Controller
from bumble.device import Advertisement as Report
from bumble.device import (
    AdvertisingEventProperties,
    AdvertisingParameters,
    AdvertisingSet,
    Connection,
    Device,
    DeviceConfiguration,
    Peer,
)
from bumble.gatt_client import CharacteristicProxy
from bumble.host import Host
from bumble.keys import PairingKeys
from bumble.link import LocalLink

from doorstep.device.setup.gatt import (
    Access,
    Characteristic,
    GattError,
    GattHandler,
    GattRefused,
    GattService,
    GattServing,
    Security,
)
from doorstep.errors import MalformedMessage
from doorstep.onboarding.ble.advertising import Advertisement, parse_advertisement
from doorstep.onboarding.ble.uuids import to_short
from doorstep.provisioner.central import AttRefused, Heard, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable

__all__ = ["Air", "BumbleBoard", "BumbleCentral", "BumblePeripheral"]

T = TypeVar("T")
INTERVAL_MS: Final = 20.0
MAX_MTU: Final = 517
DEFAULT_MTU: Final = 23
USER_DESCRIPTION: Final = gatt.GATT_CHARACTERISTIC_USER_DESCRIPTION_DESCRIPTOR
PROPERTIES: Final = {
    Access.READ: gatt.Characteristic.Properties.READ,
    Access.WRITE: gatt.Characteristic.Properties.WRITE,
    Access.WRITE_WITHOUT_RESPONSE: gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    Access.NOTIFY: gatt.Characteristic.Properties.NOTIFY,
}
SCAN_RESPONSE: Final = hci.HCI_LE_Extended_Advertising_Report_Event.EventType.SCAN_RESPONSE
PERMISSIONS: Final = gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE
"""Who may what is ours to say: the stack's own check takes any pairing for an authenticated one."""

log = logging.getLogger(__name__)


class Air(LocalLink):
    """What virtual radios hear each other on; nothing is lost on it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the stack's own has no annotation
        self._addresses = itertools.count(1)

    def address(self) -> str:
        """Return a random static address that no other radio here has."""
        return ":".join(f"{octet:02X}" for octet in b"\xf0" + next(self._addresses).to_bytes(5, "big"))


class _Controller(Controller):
    """Tells a scanner the scan response; the library's own tells it the advertisement once more."""

    _response = b""

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Hear an advertisement, and ask for the response to it at once."""
        self._response = self._ask(pdu)
        super().on_advertising_pdu(pdu)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Pass a report on to the host, with what was asked for in it."""
        if isinstance(packet, hci.HCI_LE_Extended_Advertising_Report_Event):
            for report in packet.reports:
                if report.event_type & SCAN_RESPONSE:
                    report.data = self._response
        super().send_hci_packet(packet)

    def _ask(self, pdu: ll.AdvInd | ll.AdvExtInd) -> bytes:
        """Return the scan response of the set whose advertisement this is."""
        for controller in self.link.controllers:
            for each in controller.advertising_sets.values():
                if each.address == pdu.advertiser_address and bytes(each.data) == pdu.data:
                    return bytes(each.scan_response_data)
        return b""


class _Radio:
    """One virtual controller with the host stack on it; on while entered."""

    def __init__(self, air: Air, name: str) -> None:
        self._air = air
        self._controller = _Controller(name, link=air)
        config = DeviceConfiguration(name=name, address=hci.Address(air.address()))
        self.device = Device(config=config, host=Host(self._controller, self._controller))

    async def __aenter__(self) -> Self:
        """Switch the radio on."""
        await self.device.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up on everybody and switch it off."""
        for connection in list(self.device.connections.values()):
            await _hang_up(connection)
        await self.device.power_off()
        self._air.remove_controller(self._controller)


class BumbleBoard(_Radio):
    """A board's radio: a `GattHost`. ``mtu`` is the most that it agrees to."""

    def __init__(self, air: Air, *, name: str = "board", mtu: int = MAX_MTU) -> None:
        super().__init__(air, name)
        self.device.gatt_server.max_mtu = mtu
        self._numbers = itertools.count(1)
        self._servings: list[_Serving] = []
        self._centrals: dict[int, Connection] = {}
        self._authenticated: dict[int, bool] = {}
        self._radio = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        self.device.on("connection", self._connected)

    @asynccontextmanager
    async def serve(
        self, service: GattService, handler: GattHandler, advertisement: Advertisement
    ) -> AsyncIterator[GattServing]:
        """Put a service up and advertise it while entered."""
        payloads = advertisement.payload(), advertisement.scan_response()
        serving = _Serving(self, service, handler, payloads)
        self._servings.append(serving)
        self._rebuild()
        try:
            await self.sound()
            yield serving
        finally:
            for connection in list(self._centrals.values()):
                await _hang_up(connection)
            self._servings.remove(serving)
            await self.hush(serving)
            self._rebuild()
            await asyncio.gather(*self._work, return_exceptions=True)

    def central(self, number: int) -> Connection | None:
        """Return a connection by our number for it, None where it has gone."""
        return self._centrals.get(number)

    def number(self, connection: Connection) -> int:
        """Return our number for a connection."""
        return next(number for number, each in self._centrals.items() if each is connection)

    def security(self, number: int) -> Security:
        """Return what a connection has, by the key that its pairing made."""
        if not self._centrals[number].is_encrypted:
            return Security.OPEN
        return Security.AUTHENTICATED if self._authenticated.get(number) else Security.ENCRYPTED

    async def sound(self) -> None:
        """Advertise every service, unless somebody is connected."""
        async with self._radio:
            for serving in self._servings:
                if not self._centrals:
                    await serving.air_time(self.device)

    async def hush(self, *servings: "_Serving") -> None:
        """Stop advertising these services."""
        async with self._radio:
            for serving in servings:
                await serving.silence()

    def _connected(self, connection: Connection) -> None:
        if self._centrals:  # it got in before the others' advertising stopped
            self._later(_hang_up(connection))
            return
        number = next(self._numbers)
        self._centrals[number] = connection
        connection.on("pairing", lambda keys: self._paired(number, keys))
        connection.on("disconnection", lambda _reason: self._disconnected(number))
        self._later(self.hush(*self._servings))
        for serving in self._servings:
            serving.handler.connected(number)

    def _paired(self, number: int, keys: PairingKeys) -> None:
        ltk = keys.ltk or keys.ltk_peripheral or keys.ltk_central
        self._authenticated[number] = ltk is not None and ltk.authenticated

    def _disconnected(self, number: int) -> None:
        del self._centrals[number]
        self._authenticated.pop(number, None)
        for serving in self._servings:
            serving.handler.disconnected(number)
        self._later(self.sound())

    def _later(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _rebuild(self) -> None:
        """Build the attributes anew: the stack knows no way to take a service down."""
        server = self.device.gatt_server
        server.services, server.attributes, server.attributes_by_handle = [], [], {}
        self.device.add_default_services(add_gap_service=True, add_gatt_service=True)
        for serving in self._servings:
            server.add_service(serving.attributes())


class _Serving:
    """One service on the air: a `GattServing`."""

    def __init__(
        self, board: BumbleBoard, service: GattService, handler: GattHandler, payloads: tuple[bytes, bytes]
    ) -> None:
        self.handler = handler
        self._board = board
        self._service = service
        self._payloads = payloads
        self._values: dict[UUID, gatt.Characteristic[bytes]] = {}
        self._set: AdvertisingSet | None = None

    async def notify(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Send a value where that central has subscribed."""
        central = self._board.central(connection)
        if central is not None:
            attribute = self._values[characteristic.uuid]
            await self._board.device.notify_subscriber(central, attribute, value)

    async def advertise(self, advertisement: Advertisement) -> None:
        """Say something else on the air from now on."""
        self._payloads = advertisement.payload(), advertisement.scan_response()
        await self._board.hush(self)
        await self._board.sound()

    async def hang_up(self, connection: int) -> None:
        """Disconnect a central."""
        central = self._board.central(connection)
        if central is not None:
            await _hang_up(central)

    def payload_size(self, connection: int) -> int:
        """Return the MTU less 3."""
        central = self._board.central(connection)
        return (DEFAULT_MTU if central is None else int(central.att_mtu)) - 3

    async def air_time(self, device: Device) -> None:
        """Advertise, unless it does."""
        if self._set is None:
            advertisement, response = self._payloads
            self._set = await device.create_advertising_set(
                advertising_parameters=AdvertisingParameters(
                    advertising_event_properties=AdvertisingEventProperties(
                        is_connectable=True, is_scannable=True, is_legacy=True
                    ),
                    primary_advertising_interval_min=INTERVAL_MS,
                    primary_advertising_interval_max=INTERVAL_MS,
                ),
                random_address=device.random_address,
                advertising_data=advertisement,
                scan_response_data=response,
            )

    async def silence(self) -> None:
        """Advertise no more."""
        advertising, self._set = self._set, None
        if advertising is not None:
            if advertising.enabled:
                await advertising.stop()
            await advertising.remove()

    def attributes(self) -> gatt.Service:
        """Return the service as the stack wants it."""
        self._values = {each.uuid: self._attribute(each) for each in self._service.characteristics}
        return gatt.Service(_theirs(self._service.uuid), list(self._values.values()))

    def _attribute(self, described: Characteristic) -> gatt.Characteristic[bytes]:
        async def read(connection: Connection) -> bytes:
            number = self._admit(connection, described, described.access & Access.READ)
            return await _answered(self.handler.read(number, described))

        async def write(connection: Connection, value: bytes) -> None:
            writing = described.access & (Access.WRITE | Access.WRITE_WITHOUT_RESPONSE)
            number = self._admit(connection, described, writing)
            await _answered(self.handler.write(number, described, bytes(value)))

        properties = gatt.Characteristic.Properties(0)
        for access in described.access:
            properties |= PROPERTIES[access]
        readable = gatt.Descriptor.READABLE
        name = (
            [gatt.Descriptor(USER_DESCRIPTION, readable, described.name.encode())] if described.name else []
        )
        value = gatt.CharacteristicValue(read=read, write=write)
        return gatt.Characteristic(_theirs(described.uuid), properties, PERMISSIONS, value, name)

    def _admit(self, connection: Connection, described: Characteristic, granted: Access) -> int:
        number = self._board.number(connection)
        if not granted:
            raise ATT_Error(GattError.NOT_SUPPORTED)
        if self._board.security(number) < described.security:
            raise ATT_Error(GattError.INSUFFICIENT_AUTHENTICATION)
        return number


class BumbleCentral(_Radio):
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
                        RemoteCharacteristic(_ours(service.uuid), _ours(proxy.uuid), name, proxy.handle)
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
        await _hang_up(self.connection)

    async def _description(self, proxy: CharacteristicProxy[bytes]) -> str:
        await proxy.discover_descriptors()
        descriptor = proxy.get_descriptor(USER_DESCRIPTION)
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


async def _answered(answer: Awaitable[T]) -> T:
    """Wait for a handler; every failure of it becomes an answer, or the central would wait for ever."""
    try:
        return await answer
    except GattRefused as refusal:
        raise ATT_Error(refusal.reason) from None
    except Exception:
        log.exception("a Bluetooth service failed")
        raise ATT_Error(GattError.UNLIKELY) from None


async def _hang_up(connection: Connection) -> None:
    with suppress(core.BaseBumbleError, hci.HCI_Error):
        await connection.disconnect()


def _theirs(uuid: UUID) -> core.UUID:
    short = to_short(uuid)
    return core.UUID(str(uuid)) if short is None else core.UUID.from_16_bits(short)


def _ours(uuid: core.UUID) -> UUID:
    return UUID(bytes=uuid.uuid_128_bytes[::-1])


def _unreachable(why: str) -> DeviceUnreachable:
    return DeviceUnreachable(
        f"The device does not answer over Bluetooth ({why}).",
        next_step="Move nearer, and check that the device is on and waits for its set-up.",
    )
