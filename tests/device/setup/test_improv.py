import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import pytest

from doorstep.device.setup import improv as runner
from doorstep.device.setup.improv_ble import ImprovBleDoor
from doorstep.device.setup.improv_serial import ImprovSerialDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.improv import gatt
from doorstep.onboarding.improv.configurator import DeviceInfo, ImprovRefused, settings
from doorstep.onboarding.improv.device import ImprovProfile
from doorstep.onboarding.improv.rpc import Command, ErrorCode, ImprovState, Rpc, checked
from doorstep.onboarding.improv.serial import Packet, PacketKind
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.steps import Step
from doorstep.provisioner import improv
from doorstep.provisioner.improv import ImprovBle, ImprovSerial
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.testing.bumble import MAX_MTU, Air, BumbleBoard, BumbleCentral, BumblePeripheral
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire.provisioning.scan import AuthMode
from tests.onboarding.improv.test_device import CABLE, PAGE, PROFILE

T = TypeVar("T")
HOME = SimulatedNetwork("café".encode(), b"correct horse")
OPEN = SimulatedNetwork(b"open", rssi=-80)
NETWORK = NetworkCredentials(HOME.ssid, HOME.passphrase)
WRONG = NetworkCredentials(HOME.ssid, b"wrong horse")


@dataclass
class Shown:
    """What a person sees of a board that identifies itself."""

    times: list[int] = field(default_factory=list)

    async def identify(self) -> None:
        self.times.append(1)


@dataclass
class Room:
    """A board with an Improv door, and a phone beside it."""

    door: ImprovBleDoor
    phone: BumbleCentral
    joiner: Joiner
    shown: Shown

    async def near(self) -> BumblePeripheral:
        heard = await self.phone.find(lambda each: gatt.SERVICE in each.advertisement.services, 5)
        assert heard is not None
        return await self.phone.connect(heard.address, 5)


@asynccontextmanager
async def room(profile: ImprovProfile, mtu: int, clock: Callable[[], float] | None) -> AsyncIterator[Room]:
    air, joiner, shown = Air(), Joiner(SimulatedWifi([HOME, OPEN])), Shown()
    async with BumbleBoard(air, mtu=mtu) as board, BumbleCentral(air) as phone:
        options = {} if clock is None else {"clock": clock}
        async with ImprovBleDoor(board, joiner, profile, shown.identify, **options) as door:
            yield Room(door, phone, joiner, shown)
    await joiner.close()


def in_room(
    use: Callable[[Room], Coroutine[None, None, T]],
    profile: ImprovProfile = PROFILE,
    *,
    mtu: int = MAX_MTU,
    clock: Callable[[], float] | None = None,
) -> T:
    async def run() -> T:
        async with asyncio.timeout(20), room(profile, mtu, clock) as shared:
            return await use(shared)

    return asyncio.run(run())


def test_phone_sets_the_board_up_after_a_press_of_its_button() -> None:
    async def use(shared: Room) -> None:
        async with ImprovBle(await shared.near()) as phone:
            assert await phone.info() == DeviceInfo("Doorstep", "1.0", "ESP32-C3", "lamp")
            heard = {entry.ssid: entry.auth for entry in await phone.networks()}
            assert heard == {HOME.ssid: AuthMode.WPA2, OPEN.ssid: AuthMode.OPEN}
            await phone.identify()
            assert await phone.state() is ImprovState.AUTHORIZATION_REQUIRED
            with pytest.raises(ImprovRefused, match="touched"):
                await phone.join(NETWORK)
            pressing = asyncio.create_task(shared.door.press())
            await phone.wait_authorized()
            await pressing
            assert await phone.join(WRONG) is Step.WRONG_PASSWORD
            assert await phone.join(NETWORK) is Step.CONNECTED
            assert phone.page == PAGE
            assert await phone.state() is ImprovState.PROVISIONED
        assert (await shared.joiner.wait_connected()).network == NETWORK
        assert shared.shown.times == [1]

    in_room(use)


def test_phone_with_small_packets_gets_the_networks_that_fit() -> None:
    async def use(shared: Room) -> None:
        async with ImprovBle(await shared.near()) as phone:
            assert [entry.ssid for entry in await phone.networks()] == [HOME.ssid]

    in_room(use, mtu=30)


def test_board_takes_a_command_in_parts_as_old_clients_send_it() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        (command,) = (each for each in device.characteristics if each.uuid == gatt.COMMAND)
        octets = checked(settings(NETWORK).octets())
        for at in range(0, len(octets), 20):
            await device.write(command, octets[at : at + 20])
        assert (await shared.joiner.wait_connected()).network == NETWORK
        await device.close()

    in_room(use, CABLE)


def test_board_refuses_a_command_with_a_wrong_sum_and_takes_the_next() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        (command,) = (each for each in device.characteristics if each.uuid == gatt.COMMAND)
        (error,) = (each for each in device.characteristics if each.uuid == gatt.ERROR)
        await device.write(command, b"\3\0\0")
        assert await device.read(error) == bytes((ErrorCode.INVALID_RPC,))
        async with ImprovBle(device) as phone:
            assert (await phone.info()).name == "lamp"

    in_room(use)


def test_board_advertises_its_state_and_what_it_can() -> None:
    async def use(shared: Room) -> None:
        def state(wanted: ImprovState) -> Callable[[object], bool]:
            data = gatt.put_service_data(wanted, shared.door.core.capabilities)
            return lambda each: (gatt.SERVICE_DATA, data) in each.advertisement.service_data  # type: ignore[attr-defined]

        assert await shared.phone.find(state(ImprovState.AUTHORIZATION_REQUIRED), 5)
        await shared.door.press()
        assert await shared.phone.find(state(ImprovState.AUTHORIZED), 5)

    in_room(use)


def test_press_expires_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TICK", 0.01)
    seconds = count(0, 20)

    async def use(shared: Room) -> None:
        await shared.door.press()
        while shared.door.core.state is ImprovState.AUTHORIZED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    in_room(use, clock=lambda: float(next(seconds)))


def test_phone_says_that_a_device_knows_no_improv() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        device.characteristics = ()
        with pytest.raises(ProtocolViolation, match="no Improv"):
            await ImprovBle(device).__aenter__()
        await device.close()

    in_room(use)


def test_phone_hears_silence_as_checking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improv, "JOIN_TIMEOUT", 0.0)

    async def use(shared: Room) -> None:
        async with ImprovBle(await shared.near()) as phone:
            assert await phone.join(NETWORK) is Step.CHECKING
        await shared.joiner.wait_connected()

    in_room(use, CABLE)


def test_phone_takes_rubbish_for_an_error() -> None:
    async def use(shared: Room) -> None:
        async with ImprovBle(await shared.near()) as phone:
            phone._hear_result(b"rubbish")
            phone._hear_error(b"")
            with pytest.raises(ImprovRefused):
                await phone._result(Command.SCAN, 5)

    in_room(use)


def test_board_whose_lamp_fails_tells_its_log(caplog: pytest.LogCaptureFixture) -> None:
    async def use(shared: Room) -> None:
        async def fail() -> None:
            raise OSError

        shared.door._identify = fail
        async with ImprovBle(await shared.near()) as phone:
            await phone.identify()
            while "an Improv door failed" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    with caplog.at_level(logging.ERROR):
        in_room(use)


# The serial line.


@dataclass
class Desk:
    """A board on a cable."""

    door: ImprovSerialDoor
    client: ImprovSerial
    joiner: Joiner
    device_writer: asyncio.StreamWriter
    client_writer: asyncio.StreamWriter


def on_desk(use: Callable[[Desk], Coroutine[None, None, T]], profile: ImprovProfile = CABLE) -> T:
    async def run() -> T:
        ends: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        server = await asyncio.start_server(lambda *end: ends.put_nowait(end), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        device_reader, device_writer = await ends.get()
        joiner = Joiner(SimulatedWifi([HOME, OPEN]))
        door = ImprovSerialDoor(device_reader, device_writer, joiner, profile, Shown().identify)
        async with asyncio.timeout(20), server, door, ImprovSerial(reader, writer) as client:
            result = await use(Desk(door, client, joiner, device_writer, writer))
            writer.close()
            device_writer.close()
        await joiner.close()
        return result

    return asyncio.run(run())


def test_computer_sets_the_board_up_over_its_cable() -> None:
    async def use(desk: Desk) -> None:
        desk.device_writer.write(b"I (312) wifi: ready\nIMPROV is here\n")
        assert (await desk.client.info()).name == "lamp"
        assert await desk.client.state() is ImprovState.AUTHORIZED
        assert {entry.ssid for entry in await desk.client.networks()} == {HOME.ssid, OPEN.ssid}
        assert await desk.client.join(WRONG) is Step.WRONG_PASSWORD
        assert await desk.client.join(NETWORK) is Step.CONNECTED
        assert desk.client.page == PAGE
        assert await desk.client.state() is ImprovState.PROVISIONED
        assert (await desk.joiner.wait_connected()).network == NETWORK

    on_desk(use)


def test_computer_waits_for_the_button_where_there_is_one() -> None:
    async def use(desk: Desk) -> None:
        assert await desk.client.state() is ImprovState.STOPPED
        await desk.door.press()
        await desk.client.wait_authorized()
        assert await desk.client.join(NETWORK) is Step.CONNECTED

    on_desk(use, PROFILE)


def test_board_refuses_a_broken_packet_and_passes_over_what_only_devices_say() -> None:
    async def use(desk: Desk) -> None:
        desk.client_writer.write(Packet(PacketKind.STATE, b"\2").octets())
        desk.client_writer.write(
            Packet(PacketKind.COMMAND, Rpc(Command.SCAN).octets()).octets()[:-2] + b"\0\n"
        )
        with pytest.raises(ImprovRefused):
            await desk.client._result(Command.SCAN, 5)

    on_desk(use)


def test_computer_passes_over_rubbish(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(desk: Desk) -> None:
        desk.device_writer.write(Packet(PacketKind.COMMAND, b"\2\0").octets() + b"IMPROV\x01\x04\0\0\n")
        desk.device_writer.write(Packet(PacketKind.STATE, b"\x77").octets())
        with pytest.raises(ImprovRefused):
            await desk.client._result(Command.SCAN, 5)
        monkeypatch.setattr(improv, "REPLY_TIMEOUT", 0.05)
        await desk.door.stop()
        with pytest.raises(DeviceUnreachable):
            await desk.client.state()

    on_desk(use)


def test_state_that_there_is_not_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        improv._state(b"")
