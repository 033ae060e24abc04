"""BlueZ on the kernel's own stack against virtual boards and phones: set-up over Bluetooth, both roles."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.bluez import BluezBoard
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.errors import VerificationFailed
from doorstep.onboarding.ble.pairing import (
    IoCapability,
    KeyQuality,
    Paired,
    PairingEvent,
    PairingKind,
    PairingPolicy,
    PairingTooWeak,
)
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.ble import BleLink, connect, scan
from doorstep.provisioner.bleak_central import BleakCentral
from doorstep.provisioner.central import AttRefused, Central
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.provisioner.provisioner import Provisioner
from doorstep.testing.bumble import (
    Air,
    BumbleBoard,
    BumbleCentral,
    BumblePeripheral,
    PhoneUser,
    kernel_adapter,
)
from doorstep.testing.wifi import SimulatedWifi
from tests.device.serving import NEIGHBOURS
from tests.onboarding.helpers import LABEL, PROFILE
from tests.radio.guest.lab import LOGS, LabError, sh, until

SECONDS: Final = 15.0
HOME: Final = NetworkCredentials(b"home", b"correct horse")
ORDER: Final = RegistrationOrder(b"token", "https://example.test", "lamp")
PASSKEY: Final = PairingPolicy(PairingKind.PASSKEY, IoCapability.DISPLAY)
NUMERIC: Final = PairingPolicy(PairingKind.NUMERIC_COMPARISON, IoCapability.DISPLAY_AND_BUTTON)
STRONG: Final = KeyQuality(authenticated=True, secure_connections=True)
BLUETOOTHD: Final = "/usr/libexec/bluetooth/bluetoothd"

_daemons: list["subprocess.Popen[bytes]"] = []


class Screen:
    """A board's screen that the phone's person reads; they always agree."""

    def __init__(self) -> None:
        self.digits: asyncio.Queue[int] = asyncio.Queue()

    def show(self, digits: str) -> None:
        self.digits.put_nowait(int(digits))

    def clear(self) -> None:
        pass

    async def agree(self) -> bool:
        return True


@asynccontextmanager
async def _bluez() -> AsyncIterator[Air]:
    """Give this machine's BlueZ an adapter on an air of its own."""
    if not _daemons:
        sh("modprobe hci_vhci; mkdir -p /run/dbus /var/run /var/lib/bluetooth")
        sh("ln -sfn /run/dbus /var/run/dbus")
        _start("dbus-daemon --system --nofork --nopidfile")
        until(Path("/run/dbus/system_bus_socket").exists, "system bus")
        _start(f"{BLUETOOTHD} -n")
    air = Air()
    async with kernel_adapter(air):
        await _until_powered()
        yield air


async def _until_powered() -> None:
    """Wait while this process also is the controller: nothing here may block."""
    for _ in range(60):
        if "Powered: yes" in await asyncio.to_thread(
            sh, "bluetoothctl power on; bluetoothctl show", check=False
        ):
            return
        await asyncio.sleep(0.3)
    raise LabError("BlueZ has no adapter")


def _start(command: str) -> None:
    LOGS.mkdir(exist_ok=True)
    with (LOGS / Path(command.split(maxsplit=1)[0]).name).open("wb") as log:
        _daemons.append(subprocess.Popen(command.split(), stdout=log, stderr=subprocess.STDOUT))


async def _onboard(link: BleLink, joiner: Joiner) -> None:
    async with Provisioner(link, LABEL, pause=0.1) as provisioner:
        await provisioner.secure()
        assert (await provisioner.networks())[0].ssid == b"home"
        assert await provisioner.deliver(ORDER) == "dev1"
        assert await provisioner.join(HOME) is Step.CONNECTED
    onboarded = await joiner.wait_connected()
    assert (onboarded.network, onboarded.order) == (HOME, ORDER)


async def proof_bleak_on_bluez_sets_up_a_virtual_board() -> None:
    joiner = Joiner(SimulatedWifi(NEIGHBOURS))
    async with (
        _bluez() as air,
        BumbleBoard(air) as board,
        BleDoor(PROFILE, joiner, board, BleName(LABEL.name)),
    ):
        radio: Central = BleakCentral()
        assert LABEL.name in [each.advertisement.name for each in await scan(2, central=radio)]
        await _onboard(await connect(LABEL.name, central=radio), joiner)
    await joiner.close()


@asynccontextmanager
async def _linux_board(pairing: BoardPairing) -> AsyncIterator[tuple[BumbleCentral, Joiner]]:
    joiner = Joiner(SimulatedWifi(NEIGHBOURS))
    async with (
        _bluez() as air,
        BluezBoard(pairing=pairing) as board,
        BleDoor(PROFILE, joiner, board, BleName(LABEL.name), security=pairing.security),
        BumbleCentral(air) as phone,
    ):
        yield phone, joiner
    await joiner.close()


async def _near(phone: BumbleCentral) -> BumblePeripheral:
    heard = await phone.find(lambda each: each.advertisement.name == LABEL.name, 20)
    assert heard is not None, "the phone hears no board"
    return await phone.connect(heard.address, 20)


async def proof_virtual_phone_sets_up_a_board_on_bluez() -> None:
    async with _linux_board(BoardPairing()) as (phone, joiner):
        await _onboard(BleLink(await _near(phone)), joiner)


async def proof_board_on_bluez_pairs_by_passkey() -> str:
    screen, events = Screen(), list[PairingEvent]()
    async with _linux_board(BoardPairing(PASSKEY, screen, events.append)) as (phone, joiner):
        device = await _near(phone)
        await device.pair(PhoneUser(types=screen.digits.get))
        await _onboard(BleLink(device), joiner)
    assert events == [Paired(STRONG)]
    return str(events)


async def proof_board_on_bluez_pairs_by_comparison() -> None:
    screen, events = Screen(), list[PairingEvent]()
    user = PhoneUser(IoCapability.DISPLAY_AND_BUTTON)
    async with _linux_board(BoardPairing(NUMERIC, screen, events.append)) as (phone, joiner):
        device = await _near(phone)
        await device.pair(user)
        await _onboard(BleLink(device), joiner)
    assert user.shown == [screen.digits.get_nowait()]
    assert events == [Paired(STRONG)]


async def _tries_without_passkey(user: PhoneUser) -> tuple[str, list[PairingEvent]]:
    """Pair as ``user``, then write; returns what the phone is told, and what the board tells."""
    events = list[PairingEvent]()
    async with _linux_board(BoardPairing(PASSKEY, Screen(), events.append)) as (phone, _joiner):
        device = await _near(phone)
        version = next(each for each in device.characteristics if each.name == "proto-ver")
        try:
            await device.pair(user)
            paired = "paired"
        except VerificationFailed as refused:
            paired = refused.message
        try:
            await device.write(version, b"---")
        except (AttRefused, DeviceUnreachable) as refused:
            return f"{paired}, then: {refused.message}", events
        raise AssertionError("a phone without a passkey was let in")


async def proof_board_on_bluez_refuses_just_works_where_passkey_is_demanded() -> str:
    told, events = await _tries_without_passkey(PhoneUser(IoCapability.NOTHING, protects=False))
    assert [type(event) for event in events] == [PairingTooWeak]
    return told


async def proof_kernel_refuses_phone_that_cannot_type_what_it_asks_for() -> str:
    told, events = await _tries_without_passkey(PhoneUser(IoCapability.NOTHING))
    assert events == []
    return told
