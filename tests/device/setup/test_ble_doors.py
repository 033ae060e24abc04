"""The Bluetooth doors of one product beside each other on one virtual radio."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from doorstep.device.setup.ble_doors import BluetoothDoors
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.errors import MisuseError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.blufi.gatt import SERVICE as BLUFI
from doorstep.onboarding.improv.gatt import SERVICE as IMPROV
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.steps import Step
from doorstep.provisioner.blufi import BlufiProvisioner
from doorstep.provisioner.improv import ImprovBle
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral, BumblePeripheral
from doorstep.testing.wifi import SimulatedWifi
from tests.device.serving import NEIGHBOURS

pytestmark = pytest.mark.roles

HOME = NetworkCredentials(b"home", b"correct horse")
ALL = ("protocomm-sec2-ble", "blufi", "improv-ble")


@dataclass
class Shared:
    """A board with its doors, and a phone beside it."""

    doors: BluetoothDoors
    phone: BumbleCentral
    joiner: Joiner

    async def near(self, service: object) -> BumblePeripheral:
        heard = await self.phone.find(lambda each: service in each.advertisement.services, 5)
        assert heard is not None
        return await self.phone.connect(heard.address, 5)


async def nothing() -> None:
    """Identify nothing."""


@asynccontextmanager
async def board(made: Provisioning) -> AsyncIterator[Shared]:
    air, joiner = Air(), Joiner(SimulatedWifi(NEIGHBOURS))
    doors = BluetoothDoors(made, BoardPairing(), nothing, "1.0")
    async with BumbleBoard(air) as radio, BumbleCentral(air) as phone, doors.on(radio, joiner):
        yield Shared(doors, phone, joiner)
    await joiner.close()


def test_product_opens_each_of_its_bluetooth_methods(made: Provisioning) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), board(replace(made, onboarding=ALL)) as shared:
            there = await shared.near(BLUFI)
            assert {"proto-ver", "prov-session"} <= {each.name for each in there.characteristics}
            async with BlufiProvisioner(there, os.urandom) as app:
                assert await app.join(HOME) is Step.CONNECTED
            assert (await shared.joiner.wait_connected()).network == HOME

    asyncio.run(run())


def test_press_of_the_boards_button_authorises_improv(made: Provisioning) -> None:
    async def run() -> None:
        async with (
            asyncio.timeout(30),
            board(replace(made, onboarding=ALL)) as shared,
            ImprovBle(await shared.near(IMPROV)) as phone,
        ):
            shared.doors.press()
            await phone.wait_authorized()
            assert await phone.join(HOME) is Step.CONNECTED
        shared.doors.press()  # nothing is open

    asyncio.run(run())


def test_product_opens_no_other_method(made: Provisioning) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), board(replace(made, onboarding=("improv-ble",))) as shared:
            there = await shared.near(IMPROV)
            assert BLUFI not in {each.service for each in there.characteristics}
            assert "proto-ver" not in {each.name for each in there.characteristics}

    asyncio.run(run())


def test_product_without_bluetooth_is_refused(made: Provisioning) -> None:
    with pytest.raises(MisuseError, match="no set-up over Bluetooth"):
        BluetoothDoors(replace(made, onboarding=("protocomm-sec2",)), BoardPairing(), nothing, "1.0")
