"""A Linux board's own Bluetooth as a `GattHost`: BlueZ on the system bus.

BlueZ tells no server that somebody has connected, only who asks. A connection therefore begins here
with its first request, and ends when BlueZ says that the device has gone.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from dbus_fast import BusType, DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from doorstep.device.setup.bluez_objects import (
    AdvertisementObject,
    AgentObject,
    CharacteristicObject,
    DescriptionObject,
    Peer,
    ServiceObject,
)
from doorstep.device.setup.gatt import (
    MAX_VALUE,
    Characteristic,
    GattError,
    GattHandler,
    GattRefused,
    GattService,
    GattServing,
)
from doorstep.device.setup.pairing import BoardPairing
from doorstep.errors import SettingsError, UnavailableError
from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.onboarding.ble.pairing import (
    KeyQuality,
    Paired,
    PairingFailed,
    PairingKind,
    PairingTooWeak,
)

__all__ = ["BluezBoard"]

T = TypeVar("T")
BLUEZ: Final = "org.bluez"
MANAGER: Final = "/org/bluez"
OURS: Final = "/org/doorstep"
GATT: Final = "org.bluez.GattManager1"
ADVERTISING: Final = "org.bluez.LEAdvertisingManager1"
CHANGES: Final = "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.Properties'"
NOTIFICATION_HEAD: Final = 3
CALL_SECONDS: Final = 20.0
START_IT: Final = "Start Bluetooth (systemctl start bluetooth), or set the device up over its access point."

log = logging.getLogger(__name__)


class BluezBoard:
    """This computer's adapter as a board's radio, claimed while entered.

    Raises `SettingsError` on out-of-band pairing: BlueZ has no way to be given the board's secret.
    """

    def __init__(self, *, adapter: str = "", pairing: BoardPairing | None = None) -> None:
        """``adapter`` is as ``hci0``; the first one that can serve where it is empty."""
        self._pairing = pairing or BoardPairing()
        if self._pairing.policy.kind is PairingKind.OUT_OF_BAND:
            raise SettingsError(
                "BlueZ cannot pair out of band with a secret of the board's own.",
                next_step="Demand a passkey or numeric comparison, or let security 2 protect the set-up.",
            )
        self._wanted = adapter
        self._adapter = ""
        self._bus: MessageBus | None = None
        self._agent = AgentObject(f"{OURS}/agent", _Agent(self._pairing))
        self._numbers = itertools.count(1)
        self._places = itertools.count(1)
        self._servings: list[_Serving] = []
        self._central = ""
        self._connection = 0
        self._mtu = 0
        self._work: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Find the adapter and switch it on; raises `UnavailableError` where there is none."""
        try:
            self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        except (OSError, EOFError, DBusError) as error:
            raise UnavailableError(
                f"There is no system bus to reach Bluetooth by ({type(error).__name__}).", next_step=START_IT
            ) from None
        try:
            await self._claim()
        except BaseException:
            self._bus.disconnect()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the adapter back, as it is."""
        with suppress(UnavailableError):
            await self._call(MANAGER, "org.bluez.AgentManager1", "UnregisterAgent", "o", [self._agent.path])
        await asyncio.gather(*self._work, return_exceptions=True)
        self.bus.disconnect()

    @property
    def bus(self) -> MessageBus:
        """The system bus; raises `UnavailableError` where the board is not entered."""
        if self._bus is None:
            raise UnavailableError("the board's Bluetooth is not open")
        return self._bus

    @asynccontextmanager
    async def serve(
        self, service: GattService, handler: GattHandler, advertisement: Advertisement
    ) -> AsyncIterator[GattServing]:
        """Put a service up and advertise it while entered."""
        advertisement.payload(), advertisement.scan_response()  # refused here, not by a silent controller
        serving = _Serving(self, f"{OURS}/service{next(self._places)}", service, handler)
        try:
            await serving.open(advertisement)
            self._servings.append(serving)
            yield serving
        finally:
            await self.hang_up(self._connection)
            self._gone(self._central)
            if serving in self._servings:
                self._servings.remove(serving)
            await serving.close()

    def admit(self, peer: Peer) -> int:
        """Return the number of the connection that asks; raises `GattRefused` beside another's."""
        if self._central and peer.device != self._central:
            self._later(self._disconnect(peer.device))
            raise GattRefused(GattError.INSUFFICIENT_AUTHORIZATION)
        if not self._central:
            self._central, self._connection = peer.device, next(self._numbers)
            self._tell_paired()
            for serving in self._servings:
                serving.handler.connected(self._connection)
        self._mtu = peer.mtu
        return self._connection

    def payload_size(self) -> int:
        """Return how many bytes fit into one notification now."""
        return self._mtu - NOTIFICATION_HEAD

    async def hang_up(self, connection: int) -> None:
        """Disconnect a central, if it is still there."""
        if self._central and connection == self._connection:
            await self._disconnect(self._central)

    async def export(self, interface: str, member: str, path: str) -> None:
        """Register an object with the adapter's manager."""
        await self._call(self._adapter, interface, member, "oa{sv}", [path, {}])

    async def withdraw(self, interface: str, member: str, path: str) -> None:
        """Take it back; nothing happens where BlueZ has dropped it."""
        with suppress(UnavailableError):
            await self._call(self._adapter, interface, member, "o", [path])

    async def _claim(self) -> None:
        objects = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        able = sorted(path for path, offered in objects.items() if {GATT, ADVERTISING} <= offered.keys())
        named = [path for path in able if path.endswith(f"/{self._wanted}") or not self._wanted]
        if not named:
            raise UnavailableError(
                f"This computer has no Bluetooth adapter {self._wanted} that can be a device.".replace(
                    "  ", " "
                ),
                next_step="Plug one in, or set the device up over its access point.",
            )
        self._adapter = named[0]
        await self._set("Powered", value=True)
        self.bus.add_message_handler(self._hear)
        await self._to_bus("AddMatch", f"{CHANGES},path_namespace='{self._adapter}'")
        capability = self._pairing.policy.shown_as.value
        self.bus.export(self._agent.path, self._agent)
        agents = "org.bluez.AgentManager1"
        await self._call(MANAGER, agents, "RegisterAgent", "os", [self._agent.path, capability])
        await self._call(MANAGER, agents, "RequestDefaultAgent", "o", [self._agent.path])
        await self._set("Pairable", value=True)

    async def _set(self, name: str, *, value: bool) -> None:
        body = ["org.bluez.Adapter1", name, Variant("b", value)]
        await self._call(self._adapter, "org.freedesktop.DBus.Properties", "Set", "ssv", body)

    async def _disconnect(self, device: str) -> None:
        with suppress(UnavailableError):
            await self._call(device, "org.bluez.Device1", "Disconnect")

    async def _call(
        self, path: str, interface: str, member: str, signature: str = "", body: list[Any] | None = None
    ) -> Any:
        message = Message(BLUEZ, path, interface, member, signature=signature, body=body or [])
        return await _reply(self.bus, message)

    async def _to_bus(self, member: str, rule: str) -> None:
        bus = "org.freedesktop.DBus"
        await _reply(self.bus, Message(bus, "/org/freedesktop/DBus", bus, member, signature="s", body=[rule]))

    def _hear(self, message: Message) -> None:
        """Notice that the central has gone, from the change of its ``Connected``."""
        if message.message_type is not MessageType.SIGNAL or message.path != self._central:
            return
        if message.member == "PropertiesChanged" and message.body[0] == "org.bluez.Device1":
            connected = message.body[1].get("Connected")
            if connected is not None and not connected.value:
                self._gone(self._central)

    def _gone(self, central: str) -> None:
        if central and central == self._central:
            self._central = ""
            for serving in self._servings:
                serving.handler.disconnected(self._connection)

    def _tell_paired(self) -> None:
        """Tell of a phone that got this far: the kernel has looked at its key before."""
        policy = self._pairing.policy
        if policy.demands_key:
            strong = policy.demands_authenticated_key
            self._pairing.screen.clear()
            self._pairing.notify(Paired(KeyQuality(authenticated=strong, secure_connections=strong)))

    def _later(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


class _Serving:
    """One service on the air: a `GattServing`."""

    def __init__(self, board: BluezBoard, path: str, service: GattService, handler: GattHandler) -> None:
        self.handler = handler
        self._board = board
        self._path = path
        self._service = ServiceObject(f"{path}/gatt", service)
        self._characteristics = {
            each.uuid: CharacteristicObject(self._service, number, each, self._read, self._write)
            for number, each in enumerate(service.characteristics)
        }
        names = [DescriptionObject(each) for each in self._characteristics.values() if each.described.name]
        self._objects: list[ServiceObject | CharacteristicObject | DescriptionObject] = [
            self._service,
            *self._characteristics.values(),
            *names,
        ]
        self._advertisement: AdvertisementObject | None = None
        self._versions = itertools.count(1)

    async def open(self, advertisement: Advertisement) -> None:
        """Have BlueZ serve and advertise."""
        for each in self._objects:
            self._board.bus.export(each.path, each)
        await self._board.export(GATT, "RegisterApplication", self._path)
        await self.advertise(advertisement)

    async def close(self) -> None:
        """Have BlueZ do neither any more."""
        await self._silence()
        await self._board.withdraw(GATT, "UnregisterApplication", self._path)
        for each in self._objects:
            self._board.bus.unexport(each.path)

    async def notify(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Send a value to the one central that there is, where it has subscribed."""
        del connection
        notified = self._characteristics[characteristic.uuid]
        if notified.notifying:
            notified.notify(value[: self._board.payload_size()])

    async def advertise(self, advertisement: Advertisement) -> None:
        """Say something else on the air from now on."""
        await self._silence()
        said = AdvertisementObject(f"{self._path}/said{next(self._versions)}", advertisement)
        self._board.bus.export(said.path, said)
        self._advertisement = said
        await self._board.export(ADVERTISING, "RegisterAdvertisement", said.path)

    async def hang_up(self, connection: int) -> None:
        """Disconnect a central."""
        await self._board.hang_up(connection)

    def payload_size(self, connection: int) -> int:
        """Return the MTU less 3."""
        del connection
        return self._board.payload_size()

    async def _silence(self) -> None:
        said, self._advertisement = self._advertisement, None
        if said is not None:
            await self._board.withdraw(ADVERTISING, "UnregisterAdvertisement", said.path)
            self._board.bus.unexport(said.path)

    async def _read(self, peer: Peer, described: Characteristic) -> bytes:
        return await _answered(self.handler.read(self._board.admit(peer), described))

    async def _write(self, peer: Peer, described: Characteristic, value: bytes) -> None:
        if len(value) > MAX_VALUE:
            raise GattRefused(GattError.INVALID_LENGTH)
        await _answered(self.handler.write(self._board.admit(peer), described, value))


class _Agent:
    """Answers BlueZ's questions with the product's policy and the board's screen."""

    def __init__(self, pairing: BoardPairing) -> None:
        self._pairing = pairing

    def show(self, passkey: int) -> None:
        """Show a passkey."""
        self._pairing.screen.show(f"{passkey:06}")

    async def compare(self, number: int) -> bool:
        """Show a number, and wait for the person."""
        self._pairing.screen.show(f"{number:06}")
        agreed = await self._pairing.screen.agree()
        if not agreed:
            self.ended()
        return agreed

    def accept_just_works(self) -> bool:
        """Refuse where the product demands more, and say so."""
        if not self._pairing.policy.demands_authenticated_key:
            return True
        weak = KeyQuality(authenticated=False, secure_connections=False)
        self._pairing.notify(PairingTooWeak(self._pairing.policy.kind, weak))
        return False

    def ended(self) -> None:
        """Forget the digits, and tell that nothing came of them."""
        self._pairing.screen.clear()
        self._pairing.notify(PairingFailed(self._pairing.policy.kind))


async def _answered(answer: Awaitable[T]) -> T:
    """Wait for a handler; what it fails with is logged and becomes an answer."""
    try:
        return await answer
    except GattRefused:
        raise
    except Exception:
        log.exception("a Bluetooth service failed")
        raise GattRefused(GattError.UNLIKELY) from None


async def _reply(bus: MessageBus, message: Message) -> Any:
    """Return the first value of a reply; raises `UnavailableError` on an error or silence."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            reply = await bus.call(message)
    except (TimeoutError, EOFError, OSError) as error:
        raise UnavailableError(
            f"Bluetooth does not answer ({type(error).__name__}).", next_step=START_IT
        ) from None
    if reply.message_type is MessageType.ERROR:
        why = reply.error_name
        raise UnavailableError(f"Bluetooth refused {message.member} ({why}).", next_step=START_IT)
    return reply.body[0] if reply.body else None
