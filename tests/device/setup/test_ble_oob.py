"""Out-of-band pairing from the factory to the phone: by the label, or by what the platform tells."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.joiner import Beside
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.secret import setup_secret
from doorstep.factory.batch import BatchRequest, DeviceOrder, MadeDevice, make_devices
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning, Servers
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.device import Attestor
from doorstep.onboarding.attestation.phone import attest
from doorstep.onboarding.ble.oob import OobData, OobSecret
from doorstep.onboarding.ble.pairing import IoCapability, PairingKind, policy_of
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.steps import Step
from doorstep.provisioner.ble import BleLink
from doorstep.provisioner.central import AttRefused
from doorstep.provisioner.link import SessionLost
from doorstep.provisioner.provisioner import Provisioner
from doorstep.runtime.authority import Authority
from doorstep.testing.bumble import BumblePeripheral, PhoneUser
from tests.onboarding.ble.radio import NAME, Room, room

HOME = NetworkCredentials(b"home", b"correct horse")
METHODS = ("ble-oob", "protocomm-sec2-ble", "sealed-credentials")


@pytest.fixture(scope="module")
def device(authority: Authority) -> MadeDevice:
    """One device from the factory, with the label that goes on its box."""
    request = BatchRequest(
        "B1",
        "lamp",
        "Lamp",
        (DeviceOrder("LAMP-1"),),
        Servers("https://localhost:8443", "localhost", 8883, 1883),
        bytes(32),
        datetime.now(UTC),
        METHODS,
    )
    ((made,),) = make_devices(request, authority, workers=1)
    return made


class Board:
    """What a board does with its provisioning file."""

    def __init__(self, made: MadeDevice) -> None:
        self.made = Provisioning.from_json(made.provisioning)
        key = PrivateKey.from_pkcs8(self.made.private_key.encode())
        policy = policy_of(self.made.onboarding, IoCapability.NOTHING, OobSecret.of(key))
        assert policy.kind is PairingKind.OUT_OF_BAND
        self.pairing = BoardPairing(policy)
        self.profile = DeviceProfile(self.made.device_id, setup_secret(self.made))
        self._attestor = Attestor(self.made.device_id, key.sign, os.urandom)

    @property
    def beside(self) -> Mapping[str, Beside]:
        async def answer(body: bytes, session: bytes) -> bytes:
            return self._attestor.answer(body, session=session, window=1, now=0).reply

        return {"doorstep-attest": answer}


async def near(shared: Room) -> BumblePeripheral:
    heard = await shared.phone.find(lambda each: each.advertisement.name == NAME.name, 5)
    assert heard is not None
    return await shared.phone.connect(heard.address, 5)


async def set_up(there: BumblePeripheral, oob: OobData, label: SetupLabel) -> Step:
    await there.pair(PhoneUser(IoCapability.NOTHING, oob=oob))
    async with Provisioner(BleLink(there), label, pause=0.02) as provisioner:
        await provisioner.secure()
        return await provisioner.join(HOME)


def test_phone_pairs_by_the_data_on_the_label(device: MadeDevice) -> None:
    board, label = Board(device), SetupLabel.decode(device.label.setup_text)

    async def run() -> Step:
        async with room(profile=board.profile, pairing=board.pairing) as shared:
            return await set_up(await near(shared), OobData.parse(label.oob), label)

    assert asyncio.run(run()) in {Step.CONNECTED, Step.REGISTERED}


def test_phone_pairs_by_what_the_platform_tells_after_the_device_attested_itself(device: MadeDevice) -> None:
    """The platform is what the factory told it; its own part has tests beside its REST API."""
    board, label = Board(device), SetupLabel.decode(device.label.setup_text)
    challenge = os.urandom(32)

    async def run() -> Step:
        async with room(profile=board.profile, pairing=board.pairing, beside=board.beside) as shared:
            there = await near(shared)
            made = await BleLink(there).hold(attest(challenge, os.urandom))
            key = PrivateKey.from_pkcs8(board.made.private_key.encode()).public_key
            said = statement.verify(made.statement, key, purpose=Purpose.ATTEST)
            assert (said.device, said.nonce) == (device.record.device_id, challenge)
            return await set_up(there, OobData.parse(device.record.oob_code), label)

    assert asyncio.run(run()) in {Step.CONNECTED, Step.REGISTERED}


def test_nothing_but_the_attestation_is_answered_before(device: MadeDevice) -> None:
    board = Board(device)

    async def run() -> None:
        async with room(profile=board.profile, pairing=board.pairing, beside=board.beside) as shared:
            there = await near(shared)
            named = {each.name: each for each in there.characteristics if each.name}
            await there.write(named.pop("doorstep-attest"), b"\x01" + bytes(32))
            assert {"proto-ver", "prov-session", "prov-config", "doorstep", "doorstep-long"} <= named.keys()
            for each in named.values():
                with pytest.raises(AttRefused) as refused:
                    await there.write(each, b"---")
                assert refused.value.code == 0x05
            with pytest.raises(SessionLost):
                await Provisioner(BleLink(there), SetupLabel.decode(device.label.setup_text)).secure()

    asyncio.run(run())


def test_product_without_out_of_band_pairing_prints_and_keeps_no_data(authority: Authority) -> None:
    request = BatchRequest(
        "B2",
        "lamp",
        "Lamp",
        (DeviceOrder("LAMP-2"),),
        Servers("https://localhost:8443", "localhost", 8883, 1883),
        bytes(32),
        datetime.now(UTC),
    )
    ((made,),) = make_devices(request, authority, workers=1)
    assert made.record.oob_code == ""
    assert SetupLabel.decode(made.label.setup_text).oob == ""
