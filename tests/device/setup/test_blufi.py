import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest

from doorstep.device.setup.blufi import BlufiDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import ProtocolViolation
from doorstep.onboarding.blufi.device import BlufiProfile
from doorstep.onboarding.blufi.gatt import SERVICE, TO_DEVICE
from doorstep.onboarding.failures import RequestRefused
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner import blufi
from doorstep.provisioner.blufi import BlufiProvisioner
from doorstep.testing.bumble import MAX_MTU, Air, BumbleBoard, BumbleCentral, BumblePeripheral
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi

pytestmark = pytest.mark.roles

T = TypeVar("T")
HOME = SimulatedNetwork("café".encode(), b"correct horse")
QUIET = SimulatedNetwork(b"quiet", b"correct horse", rssi=-80, addresses=False)
NETWORK = NetworkCredentials(HOME.ssid, HOME.passphrase)
ORDER = RegistrationOrder(b"dst_k3j5", "https://maker.example")
NAME = "BLUFI_1"


@dataclass
class Room:
    """A board with a BluFi door, and a phone beside it."""

    board: BumbleBoard
    phone: BumbleCentral
    joiner: Joiner
    door: BlufiDoor

    async def near(self) -> BumblePeripheral:
        heard = await self.phone.find(lambda each: SERVICE in each.advertisement.services, 5)
        assert heard is not None
        return await self.phone.connect(heard.address, 5)


@asynccontextmanager
async def room(profile: BlufiProfile, mtu: int = MAX_MTU) -> AsyncIterator[Room]:
    air, joiner = Air(), Joiner(SimulatedWifi([HOME, QUIET]))
    async with BumbleBoard(air, mtu=mtu) as board, BumbleCentral(air) as phone:
        door = BlufiDoor(board, joiner, profile, name=NAME)
        async with door:
            yield Room(board, phone, joiner, door)
    await joiner.close()


def in_room(
    use: Callable[[Room], Coroutine[None, None, T]],
    profile: BlufiProfile = BlufiProfile("dev1"),  # noqa: B008 - a constant
    mtu: int = MAX_MTU,
) -> T:
    async def run() -> T:
        async with asyncio.timeout(20), room(profile, mtu) as shared:
            return await use(shared)

    return asyncio.run(run())


@pytest.mark.parametrize("mtu", [23, 185, MAX_MTU])
def test_app_sets_the_board_up(mtu: int) -> None:
    async def use(shared: Room) -> None:
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            assert [entry.ssid for entry in await app.networks()] == [HOME.ssid, QUIET.ssid]
            assert await app.deliver(ORDER) == "dev1"
            assert await app.join(NETWORK) is Step.CONNECTED
        onboarded = await shared.joiner.wait_connected()
        assert (onboarded.network, onboarded.order) == (NETWORK, ORDER)

    in_room(use, mtu=mtu)


OTHERS = {
    Step.WRONG_PASSWORD: NetworkCredentials(HOME.ssid, b"wrong horse"),
    Step.NO_SUCH_NETWORK: NetworkCredentials(b"nowhere", b"correct horse"),
    Step.NO_ADDRESS: NetworkCredentials(QUIET.ssid, QUIET.passphrase),
}


def test_app_hears_why_and_tries_again_in_the_same_session() -> None:
    async def use(shared: Room) -> None:
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            for step, network in OTHERS.items():
                assert await app.join(network) is step
            assert await app.join(NETWORK) is Step.CONNECTED
            assert await app.deliver(ORDER) == "dev1"
        assert (await shared.joiner.wait_connected()).order is None
        assert (await shared.joiner.wait_connected()).order == ORDER

    in_room(use)


def test_app_hears_of_a_radio_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError

    async def use(shared: Room) -> None:
        monkeypatch.setattr(SimulatedWifi, "scan", fail)
        monkeypatch.setattr(SimulatedWifi, "try_connect", fail)
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            with pytest.raises(RequestRefused):
                await app.networks()
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            assert await app.join(NETWORK) is Step.RADIO_FAILED

    in_room(use)


def test_app_is_refused_an_order_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shared: Room) -> None:
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            order = RegistrationOrder(b"x", "https://maker.example")
            object.__setattr__(order, "server", "maker")
            with pytest.raises(RequestRefused):
                await app.deliver(order)

    in_room(use)


def test_board_hangs_up_on_a_broken_frame_and_begins_anew() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        (into,) = (each for each in device.characteristics if each.uuid == TO_DEVICE)
        await device.write(into, b"\x1c\x00\x07\x00")
        await device.gone.wait()
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            assert await app.join(NETWORK) is Step.CONNECTED

    in_room(use)


def test_app_that_goes_away_leaves_the_attempt_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blufi, "JOIN_TIMEOUT", 0.0)

    async def use(shared: Room) -> None:
        async with BlufiProvisioner(await shared.near(), os.urandom) as app:
            assert await app.join(NETWORK) is Step.CHECKING
        assert (await shared.joiner.wait_connected()).network == NETWORK

    in_room(use)


def test_app_says_that_a_device_knows_no_blufi() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        device.characteristics = ()
        with pytest.raises(ProtocolViolation, match="no BluFi"):
            await BlufiProvisioner(device, os.urandom).__aenter__()
        await device.gone.wait()

    in_room(use)


def test_board_hangs_up_once_no_sequence_number_is_left() -> None:
    async def use(shared: Room) -> None:
        device = await shared.near()
        async with BlufiProvisioner(device, os.urandom) as app:
            (core,) = shared.door._cores.values()
            core._writer._count = 256
            await app._send(app._core.ask_networks())
            await device.gone.wait()

    in_room(use)
