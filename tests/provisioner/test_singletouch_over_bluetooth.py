"""Sealed credentials and attestation over Bluetooth, between a board and a phone on a virtual radio."""

import asyncio
import os
from pathlib import Path

import pytest

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.presence import Presence
from doorstep.device.setup.singletouch import SingleTouch as TouchedBoard
from doorstep.device.store import Store
from doorstep.errors import DoorstepError
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.phone import attest
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.steps import Step
from doorstep.provisioner.ble import connect
from doorstep.provisioner.singletouch import KnownDevice, SingleTouch
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral
from doorstep.testing.wifi import SimulatedWifi
from tests.device.conftest import authority, made, make_device
from tests.device.serving import HOME
from tests.onboarding.helpers import PROFILE

__all__ = ["authority", "made", "make_device"]

ORDER = RegistrationOrder(b"token", "https://maker.example")


@pytest.mark.parametrize("mtu", [23, 517])
def test_board_is_touched_attested_and_set_up_over_bluetooth(
    made: Provisioning, tmp_path: Path, mtu: int
) -> None:
    async def run() -> None:
        store = Store.open(tmp_path / "d")
        store.adopt(made)
        joiner, air = Joiner(SimulatedWifi([HOME])), Air()
        touch = TouchedBoard(store, made, Presence(), os.urandom)
        touch.attach(joiner)
        key = PrivateKey.from_pkcs8(made.private_key.encode()).public_key
        known = KnownDevice(made.device_id, made.serial, may_set_up=True, sentence="Yours.", key=key)
        content = SealedContent((NetworkCredentials(HOME.ssid, HOME.passphrase),), ORDER)
        async with (
            asyncio.timeout(30),
            BumbleBoard(air, mtu=mtu) as board,
            BumbleCentral(air) as central,
            BleDoor(PROFILE, joiner, board, BleName("PROV_1")),
        ):
            link = await connect("PROV_1", central=central)
            async with SingleTouch(link, pause=0.02) as phone:
                assert not await phone.is_pairing()
                with pytest.raises(DoorstepError):
                    await phone.bring(known, content)
                touch.press()
                assert await phone.is_pairing()
                seen = await link.hold(attest(bytes(32), os.urandom))
                said = statement.verify(seen.statement, key, purpose=Purpose.ATTEST)
                assert (said.transcript, said.presence) == (seen.transcript, True)
                assert await phone.bring(known, content) is Step.CONNECTED
            onboarded = await joiner.wait_connected()
            assert (onboarded.network.ssid, onboarded.order) == (HOME.ssid, ORDER)
        await touch.close()
        await joiner.close()
        store.close()

    asyncio.run(run())
