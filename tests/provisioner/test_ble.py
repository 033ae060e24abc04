import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import pytest

from doorstep.device.setup.ble import BleName
from doorstep.device.setup.gatt import Access, Characteristic, GattService
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import MalformedMessage, SettingsError
from doorstep.onboarding.ble.advertising import Advertisement, ManufacturerData
from doorstep.onboarding.ble.layout import DEFAULT_SERVICE
from doorstep.onboarding.ble.pairing import IoCapability, PairingKind, PairingPolicy
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner import ble
from doorstep.provisioner.ble import BleLink, connect, connect_to, scan
from doorstep.provisioner.central import AttRefused
from doorstep.provisioner.link import DeviceUnreachable, SessionLost
from doorstep.provisioner.provisioner import Outcome, Provisioner
from doorstep.testing.bumble import BumbleBoard, BumbleCentral
from tests.device.serving import NEIGHBOURS
from tests.onboarding.ble.radio import Room, room
from tests.onboarding.helpers import LABEL

T = TypeVar("T")
HOME = NetworkCredentials(b"home", b"correct horse")
ORDER = RegistrationOrder(b"token", "https://example.test", "lamp")
PAUSE = 0.02
SCAN_S = 0.1


async def _saw_it() -> bool:
    return True


async def _onboard(shared: Room, heard: list[Step]) -> Outcome:
    link = await connect(LABEL.name, central=shared.phone)
    async with Provisioner(link, LABEL, tell=heard.append, pause=PAUSE) as provisioner:
        await provisioner.secure()
        assert (await provisioner.networks())[0].ssid == b"home"
        assert await provisioner.deliver(ORDER) == "dev1"
        assert await provisioner.join(replace(HOME, passphrase=b"wrong password")) is Step.WRONG_PASSWORD
        return await provisioner.confirm(await provisioner.join(HOME), _saw_it)


@pytest.mark.parametrize("mtu", [23, 64, 517])
def test_provisioner_onboards_device_over_bluetooth(mtu: int) -> None:
    """The first message of security 2 has 406 bytes: with an MTU of 23 it takes 23 packets."""

    async def run() -> None:
        heard: list[Step] = []
        async with room(mtu=mtu) as shared:
            outcome = await _onboard(shared, heard)
            (onboarded,) = shared.outcomes
        assert outcome == Outcome(Step.REGISTERED, device_said_connected=True, platform_saw_it=True)
        assert (onboarded.network, onboarded.order) == (HOME, ORDER)
        assert heard[:4] == [Step.FOUND, Step.SECURED, Step.NETWORKS, Step.DELIVERED]

    asyncio.run(run())


def _in_room(use: Callable[[Room], Coroutine[None, None, T]], **options: object) -> T:
    async def run() -> T:
        async with room(**options) as shared:  # type: ignore[arg-type]  # passed on as they came
            return await use(shared)

    return asyncio.run(run())


def test_provisioner_hears_every_network_in_small_pages() -> None:
    async def use(shared: Room) -> list[bytes]:
        link = await connect(LABEL.name, central=shared.phone)
        async with Provisioner(link, LABEL) as provisioner:
            await provisioner.secure()
            return [entry.ssid for entry in await provisioner.networks()]

    assert len(_in_room(use)) == len(NEIGHBOURS) > BleLink.scan_page


def test_device_refuses_wrong_code_over_bluetooth() -> None:
    async def use(shared: Room) -> None:
        link = await connect(LABEL.name, central=shared.phone)
        async with Provisioner(link, replace(LABEL, pop="another-code")) as provisioner:
            with pytest.raises(WrongCode):
                await provisioner.secure()

    _in_room(use)


def test_scan_lists_devices_that_wait() -> None:
    async def use(shared: Room) -> list[Advertisement]:
        return [each.advertisement for each in await scan(SCAN_S, central=shared.phone)]

    manufacturer = ManufacturerData(0xFFFF, b"\x07")
    (said,) = _in_room(use, name=BleName("PROV_7", manufacturer=manufacturer))
    assert said == Advertisement((DEFAULT_SERVICE,), "PROV_7", manufacturer)


class _Deaf:
    def connected(self, connection: int) -> None:
        del connection

    def disconnected(self, connection: int) -> None:
        del connection

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        del connection, characteristic
        return b""

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        del connection, characteristic, value
        await asyncio.Event().wait()


OTHER = UUID("0000aaaa-1111-4222-8333-444455556666")


def test_scan_leaves_out_devices_of_another_kind() -> None:
    async def use(shared: Room) -> int:
        service = GattService(OTHER, (Characteristic(OTHER, Access.READ),))
        async with (
            BumbleBoard(shared.air) as other,
            other.serve(service, _Deaf(), Advertisement((OTHER,), "lamp")),
        ):
            assert len(await shared.phone.scan(SCAN_S)) == 2
            return len(await scan(SCAN_S, central=shared.phone))

    assert _in_room(use) == 1


def test_device_with_a_service_of_its_makers_own_is_found_by_name() -> None:
    async def use(shared: Room) -> Outcome:
        assert await scan(SCAN_S, central=shared.phone) == []
        return await _onboard(shared, [])

    assert _in_room(use, name=BleName("PROV_1", service=OTHER)).succeeded


def test_device_of_another_name_is_not_connected() -> None:
    async def use(shared: Room) -> None:
        with pytest.raises(DeviceUnreachable, match="'PROV_2'"):
            await connect("PROV_2", central=shared.phone, seconds=SCAN_S)

    _in_room(use)


def test_device_without_setup_is_hung_up_on() -> None:
    async def use(shared: Room) -> None:
        gone: list[int] = []

        class Watched(_Deaf):
            def disconnected(self, connection: int) -> None:
                gone.append(connection)

        service = GattService(OTHER, (Characteristic(OTHER, Access.READ, "lamp"),))
        async with (
            BumbleBoard(shared.air) as other,
            other.serve(service, Watched(), Advertisement((OTHER,), "lamp")),
        ):
            heard = await shared.phone.find(lambda each: each.advertisement.name == "lamp", 1)
            assert heard is not None
            with pytest.raises(MalformedMessage, match="no set-up"):
                await connect_to(heard, central=shared.phone)
            await asyncio.sleep(0.02)
            assert gone == [1]

    _in_room(use)


def _ask(link: BleLink, endpoint: str, body: bytes) -> Coroutine[None, None, bytes]:
    return link._ask(endpoint, body)


def test_request_that_cannot_be_sent_is_told() -> None:
    async def use(shared: Room) -> None:
        link = await connect(LABEL.name, central=shared.phone)
        with pytest.raises(SessionLost, match="no endpoint 'custom-data'"):
            await _ask(link, "custom-data", b"x")
        with pytest.raises(SettingsError, match="4097 bytes"):
            await _ask(link, "prov-scan", bytes(4097))
        with pytest.raises(AttRefused):
            await _ask(link, "prov-scan", b"x")
        await link.close()
        with pytest.raises(DeviceUnreachable):
            await _ask(link, "prov-scan", b"x")

    _in_room(use)


def test_long_messages_go_in_parts_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mirror(_runner: DeviceRunner, _endpoint: str, body: bytes) -> bytes:
        return body[::-1]

    async def use(shared: Room) -> None:
        link = await connect(LABEL.name, central=shared.phone)
        for size in (1, 512, 513, 1024, 4096):
            body = bytes(number % 251 for number in range(size))
            assert await _ask(link, "doorstep", body) == body[::-1]

    monkeypatch.setattr(DeviceRunner, "ask", mirror)
    _in_room(use, mtu=247)


def test_silent_device_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shared: Room) -> None:
        service = GattService(
            OTHER,
            tuple(
                Characteristic(UUID(int=number), Access.READ | Access.WRITE, name)
                for number, name in enumerate(("proto-ver", "prov-session"))
            ),
        )
        async with (
            BumbleBoard(shared.air) as other,
            other.serve(service, _Deaf(), Advertisement((OTHER,), "lamp")),
        ):
            link = await connect("lamp", central=shared.phone)
            monkeypatch.setattr(ble, "reply_timeout", lambda _endpoint: 0.05)
            with pytest.raises(DeviceUnreachable, match="does not answer"):
                await _ask(link, "proto-ver", b"---")

    _in_room(use)


def test_unpaired_computer_is_told_to_pair() -> None:
    async def use(shared: Room) -> None:
        link = await connect(LABEL.name, central=shared.phone)
        with pytest.raises(SessionLost, match="paired"):
            await _ask(link, "proto-ver", b"---")

    _in_room(use, pairing=BoardPairing(PairingPolicy(PairingKind.PASSKEY, IoCapability.DISPLAY)))


def test_board_that_is_off_cannot_be_connected() -> None:
    async def run() -> None:
        async with room() as shared, BumbleCentral(shared.air) as other:
            heard = await other.find(lambda _each: True, 1)
            assert heard is not None
            link = await connect_to(heard, central=shared.phone)
            with pytest.raises(DeviceUnreachable):
                await other.connect(heard.address, 0.1)
            await link.close()

    asyncio.run(run())
