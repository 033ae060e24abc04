"""A virtual board's radio: hosts GATT services, one central at a time."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from uuid import UUID

from bumble import gatt
from bumble.att import ATT_Error
from bumble.device import (
    AdvertisingEventProperties,
    AdvertisingParameters,
    AdvertisingSet,
    Connection,
    Device,
)
from bumble.keys import PairingKeys

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
from doorstep.device.setup.pairing import BoardPairing
from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.onboarding.ble.pairing import KeyQuality, Paired, PairingFailed, judge_pairing
from doorstep.testing.bumble.air import DEFAULT_MTU, MAX_MTU, Air, Radio, hang_up, theirs
from doorstep.testing.bumble.pairing import board_config, quality_of

__all__ = ["BumbleBoard"]

T = TypeVar("T")
USER_DESCRIPTION: Final = gatt.GATT_CHARACTERISTIC_USER_DESCRIPTION_DESCRIPTOR
INTERVAL_MS: Final = 20.0
PROPERTIES: Final = {
    Access.READ: gatt.Characteristic.Properties.READ,
    Access.WRITE: gatt.Characteristic.Properties.WRITE,
    Access.WRITE_WITHOUT_RESPONSE: gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    Access.NOTIFY: gatt.Characteristic.Properties.NOTIFY,
}
PERMISSIONS: Final = gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE
"""Who may what is ours to say: the stack's own check takes any pairing for an authenticated one."""

log = logging.getLogger(__name__)


class BumbleBoard(Radio):
    """A board's radio: a `GattHost`. ``mtu`` is the most that it agrees to."""

    def __init__(
        self, air: Air, *, name: str = "board", mtu: int = MAX_MTU, pairing: BoardPairing | None = None
    ) -> None:
        super().__init__(air, name)
        self.device.gatt_server.max_mtu = mtu
        self._pairing = pairing or BoardPairing()
        config = board_config(self._pairing)
        self.device.pairing_config_factory = lambda _connection: config
        self._numbers = itertools.count(1)
        self._servings: list[_Serving] = []
        self._centrals: dict[int, Connection] = {}
        self._keys: dict[int, KeyQuality] = {}
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
                await hang_up(connection)
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
        key = self._keys.get(number)
        good = key is not None and key.authenticated and key.secure_connections
        return Security.AUTHENTICATED if good else Security.ENCRYPTED

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
            self._later(hang_up(connection))
            return
        number = next(self._numbers)
        self._centrals[number] = connection
        connection.on("pairing", lambda keys: self._paired(number, keys))
        connection.on("pairing_failure", lambda _reason: self._unpaired())
        connection.on("disconnection", lambda _reason: self._disconnected(number))
        self._later(self.hush(*self._servings))
        for serving in self._servings:
            serving.handler.connected(number)

    def _paired(self, number: int, keys: PairingKeys) -> None:
        self._pairing.screen.clear()
        verdict = judge_pairing(self._pairing.policy, quality_of(keys))
        self._pairing.notify(verdict)
        if isinstance(verdict, Paired):
            self._keys[number] = verdict.quality
        elif number in self._centrals:
            self._later(hang_up(self._centrals[number]))

    def _unpaired(self) -> None:
        self._pairing.screen.clear()
        self._pairing.notify(PairingFailed(self._pairing.policy.kind))

    def _disconnected(self, number: int) -> None:
        del self._centrals[number]
        self._keys.pop(number, None)
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
        self._values = dict[UUID, gatt.Characteristic[bytes]]()
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
            await hang_up(central)

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
        return gatt.Service(theirs(self._service.uuid), list(self._values.values()))

    def _attribute(self, described: Characteristic) -> gatt.Characteristic[bytes]:
        async def read(connection: Connection) -> bytes:
            number = self._admit(connection, described, described.access & Access.READ)
            return await answered(self.handler.read(number, described))

        async def write(connection: Connection, value: bytes) -> None:
            writing = described.access & (Access.WRITE | Access.WRITE_WITHOUT_RESPONSE)
            number = self._admit(connection, described, writing)
            await answered(self.handler.write(number, described, bytes(value)))

        properties = gatt.Characteristic.Properties(0)
        for access in described.access:
            properties |= PROPERTIES[access]
        name = gatt.Descriptor(USER_DESCRIPTION, gatt.Descriptor.READABLE, described.name.encode())
        value = gatt.CharacteristicValue(read=read, write=write)
        uuid, names = theirs(described.uuid), [name] if described.name else []
        return gatt.Characteristic(uuid, properties, PERMISSIONS, value, names)

    def _admit(self, connection: Connection, described: Characteristic, granted: Access) -> int:
        number = self._board.number(connection)
        if not granted:
            raise ATT_Error(GattError.NOT_SUPPORTED)
        if self._board.security(number) < described.security:
            raise ATT_Error(GattError.INSUFFICIENT_AUTHENTICATION)
        return number


async def answered(answer: Awaitable[T]) -> T:
    """Wait for a handler; every failure of it becomes an answer, or the central would wait for ever."""
    try:
        return await answer
    except GattRefused as refusal:
        raise ATT_Error(refusal.reason) from None
    except Exception:
        log.exception("a Bluetooth service failed")
        raise ATT_Error(GattError.UNLIKELY) from None
