"""Sets a device up by Improv, over Bluetooth LE or a serial line. Nothing of it is encrypted."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.improv import gatt
from doorstep.onboarding.improv.configurator import (
    DeviceInfo,
    ImprovRefused,
    read_info,
    read_networks,
    read_page,
    settings,
    step_of,
)
from doorstep.onboarding.improv.rpc import (
    Command,
    ErrorCode,
    ImprovState,
    Result,
    Rpc,
    checked,
    unchecked,
)
from doorstep.onboarding.improv.serial import Broken, Packet, PacketKind, PacketReader
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.steps import Step
from doorstep.provisioner.central import Peripheral, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["ImprovBle", "ImprovClient", "ImprovSerial"]

REPLY_TIMEOUT: Final = 10.0
SCAN_TIMEOUT: Final = 40.0
JOIN_TIMEOUT: Final = 130.0
BUTTON_TIMEOUT: Final = 120.0
CHUNK: Final = 4096
Heard = ImprovState | ErrorCode | Result


class ImprovClient(ABC):
    """One device; ``page`` is where its customer goes on once it has joined."""

    def __init__(self) -> None:
        self.page = ""
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def info(self) -> DeviceInfo:
        """Return what the device says of itself; raises `ImprovRefused`."""
        return read_info(await self._ask(Rpc(Command.DEVICE_INFO), REPLY_TIMEOUT))

    @abstractmethod
    async def state(self) -> ImprovState:
        """Return the device's state."""

    @abstractmethod
    async def networks(self) -> Sequence[ScanEntry]:
        """Return what the device hears; raises `ImprovRefused`."""

    async def wait_authorized(self) -> None:
        """Wait until the device's button was pressed; raises `DeviceUnreachable` after two minutes."""
        async with _patience(BUTTON_TIMEOUT):
            while await self.state() is not ImprovState.AUTHORIZED:  # noqa: ASYNC110 - the device is asked
                await asyncio.sleep(0.2)

    async def join(self, network: NetworkCredentials) -> Step:
        """Have the device join; return how that ended, `CHECKING` where it fell silent.

        Raises `ImprovRefused` where the button was not pressed.
        """
        try:
            self.page = read_page(await self._ask(settings(network), JOIN_TIMEOUT))
        except ImprovRefused as refusal:
            return step_of(refusal.code)
        except DeviceUnreachable:
            return Step.CHECKING
        return Step.CONNECTED

    async def _ask(self, rpc: Rpc, seconds: float) -> Result:
        """Return the result of a command; raises `ImprovRefused` and `DeviceUnreachable`."""
        self._forget()
        await self._send(rpc)
        return await self._result(rpc.command, seconds)

    async def _result(self, command: int, seconds: float) -> Result:
        async with _patience(seconds):
            while True:
                match await self._heard.get():
                    case Result() as result if result.command == command:
                        return result
                    case ErrorCode() as code if code is not ErrorCode.NONE:
                        raise ImprovRefused(code)

    def _forget(self) -> None:
        while not self._heard.empty():
            self._heard.get_nowait()

    @abstractmethod
    async def _send(self, rpc: Rpc) -> None:
        """Send a command."""


class ImprovBle(ImprovClient):
    """Over a connected `Peripheral`; closes it when left."""

    def __init__(self, peripheral: Peripheral) -> None:
        super().__init__()
        self._peripheral = peripheral

    async def __aenter__(self) -> Self:
        """Subscribe; raises `ProtocolViolation` where the device knows no Improv."""
        await self._peripheral.subscribe(self._find(gatt.ERROR), self._hear_error)
        await self._peripheral.subscribe(self._find(gatt.RESULT), self._hear_result)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._peripheral.close()

    async def identify(self) -> None:
        """Have the device show itself."""
        await self._send(Rpc(Command.IDENTIFY_OR_STATE))

    async def state(self) -> ImprovState:
        """Return the device's state."""
        return _state(await self._peripheral.read(self._find(gatt.STATE)))

    async def networks(self) -> Sequence[ScanEntry]:
        """Return what the device hears; raises `ImprovRefused`."""
        return read_networks((await self._ask(Rpc(Command.SCAN), SCAN_TIMEOUT)).strings)

    async def _send(self, rpc: Rpc) -> None:
        await self._peripheral.write(self._find(gatt.COMMAND), checked(rpc.octets()))

    def _hear_error(self, value: bytes) -> None:
        self._heard.put_nowait(_error(value))

    def _hear_result(self, value: bytes) -> None:
        try:
            self._heard.put_nowait(Result.decode(unchecked(value)))
        except MalformedMessage:
            self._heard.put_nowait(ErrorCode.UNKNOWN)

    def _find(self, uuid: UUID) -> RemoteCharacteristic:
        for each in self._peripheral.characteristics:
            if (each.service, each.uuid) == (gatt.SERVICE, uuid):
                return each
        raise ProtocolViolation(
            "The device has no Improv service.", next_step="Choose another way to set it up."
        )


class ImprovSerial(ImprovClient):
    """Over a line; leaves it open when left."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self._reader, self._writer = reader, writer
        self._states: asyncio.Queue[ImprovState] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        self._reading = asyncio.get_running_loop().create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def state(self) -> ImprovState:
        """Return the device's state; raises `DeviceUnreachable`."""
        while not self._states.empty():
            self._states.get_nowait()
        await self._send(Rpc(Command.IDENTIFY_OR_STATE))
        async with _patience(REPLY_TIMEOUT):
            return await self._states.get()

    async def networks(self) -> Sequence[ScanEntry]:
        """Return what the device hears; raises `ImprovRefused`."""
        result = await self._ask(Rpc(Command.SCAN), SCAN_TIMEOUT)
        strings: tuple[bytes, ...] = ()
        while result.strings:
            strings += result.strings
            result = await self._result(Command.SCAN, SCAN_TIMEOUT)
        return read_networks(strings)

    async def _send(self, rpc: Rpc) -> None:
        self._writer.write(Packet(PacketKind.COMMAND, rpc.octets()).octets())
        await self._writer.drain()

    async def _read(self) -> None:
        packets = PacketReader()
        while octets := await self._reader.read(CHUNK):
            for packet in packets.feed(octets):
                if not isinstance(packet, Broken):
                    self._take(packet)

    def _take(self, packet: Packet) -> None:
        try:
            match packet.kind:
                case PacketKind.STATE:
                    self._states.put_nowait(_state(packet.data))
                case PacketKind.ERROR:
                    self._heard.put_nowait(_error(packet.data))
                case PacketKind.RESULT:
                    self._heard.put_nowait(Result.decode(packet.data))
                case PacketKind.COMMAND:
                    pass
        except MalformedMessage:
            self._heard.put_nowait(ErrorCode.UNKNOWN)


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """Limit a wait; its end is a device that does not answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeviceUnreachable(
            "The device does not answer.", next_step="Check that it is on, and within reach or plugged in."
        ) from None


def _state(octets: bytes) -> ImprovState:
    if len(octets) != 1 or octets[0] not in set(ImprovState):
        raise MalformedMessage("the device tells a state that there is not")
    return ImprovState(octets[0])


def _error(octets: bytes) -> ErrorCode:
    known = len(octets) == 1 and octets[0] in set(ErrorCode)
    return ErrorCode(octets[0]) if known else ErrorCode.UNKNOWN
