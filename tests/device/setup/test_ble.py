import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import SettingsError, UnavailableError, VerificationFailed
from doorstep.onboarding.ble.oob import OobData, OobSecret
from doorstep.onboarding.ble.pairing import (
    IoCapability,
    KeyQuality,
    Paired,
    PairingEvent,
    PairingFailed,
    PairingKind,
    PairingPolicy,
    PairingTooWeak,
)
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.steps import Step
from doorstep.provisioner.ble import BleLink, connect
from doorstep.provisioner.central import AttRefused, RemoteCharacteristic
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.provisioner.provisioner import Provisioner
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral, BumblePeripheral, PhoneUser
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.onboarding.ble.radio import Room, room
from tests.onboarding.helpers import LABEL, PROFILE, counted_rng

T = TypeVar("T")
HOME = NetworkCredentials(b"home", b"correct horse")
SECRET = OobSecret.generate(counted_rng(b"oob"))
STRONG = KeyQuality(authenticated=True, secure_connections=True)


@dataclass
class Screen:
    """A screen whose digits the test can read, and a person who presses yes or does not."""

    agrees: bool = True
    digits: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    cleared: int = 0

    def show(self, digits: str) -> None:
        self.digits.put_nowait(digits)

    def clear(self) -> None:
        self.cleared += 1

    async def agree(self) -> bool:
        return self.agrees

    async def read(self) -> int:
        return int(await self.digits.get())

    async def misread(self) -> int:
        return await self.read() % 999_999 + 1


def _in_room(use: Callable[[Room], Coroutine[None, None, T]], **options: object) -> T:
    async def run() -> T:
        async with room(**options) as shared:  # type: ignore[arg-type]  # passed on as they came
            return await use(shared)

    return asyncio.run(run())


async def _near(shared: Room) -> BumblePeripheral:
    heard = await shared.phone.find(lambda each: each.advertisement.name == LABEL.name, 5)
    assert heard is not None
    return await shared.phone.connect(heard.address, 5)


def _endpoint(device: BumblePeripheral, name: str) -> RemoteCharacteristic:
    return next(each for each in device.characteristics if each.name == name)


def test_device_names_its_endpoints() -> None:
    async def use(shared: Room) -> dict[str, str]:
        device = await _near(shared)
        return {each.name: str(each.uuid) for each in device.characteristics if each.name}

    assert _in_room(use) == {
        "proto-ver": "1775ff53-6b43-439b-877c-060f2d9bed07",
        "prov-session": "1775ff51-6b43-439b-877c-060f2d9bed07",
        "prov-scan": "1775ff50-6b43-439b-877c-060f2d9bed07",
        "prov-config": "1775ff52-6b43-439b-877c-060f2d9bed07",
        "prov-ctrl": "1775ff4f-6b43-439b-877c-060f2d9bed07",
        "doorstep": "1775ff54-6b43-439b-877c-060f2d9bed07",
        "doorstep-long": "1775ff55-6b43-439b-877c-060f2d9bed07",
    }


def test_device_ignores_empty_write() -> None:
    async def use(shared: Room) -> bytes:
        device = await _near(shared)
        version = _endpoint(device, "proto-ver")
        assert await device.read(version) == b""
        await device.write(version, b"---")
        await device.write(version, b"")
        return await device.read(version)

    assert _in_room(use).startswith(b'{"prov"')


def test_device_answers_nonsense_with_att_error() -> None:
    async def use(shared: Room) -> None:
        device = await _near(shared)
        for name in ("prov-session", "prov-scan", "doorstep"):
            with pytest.raises(AttRefused) as refused:
                await device.write(_endpoint(device, name), b"\xff\xff")
            assert refused.value.code == 0x04
        with pytest.raises(AttRefused) as refused:
            await device.write(_endpoint(device, "prov-session"), bytes(513))
        assert refused.value.code == 0x0D

    _in_room(use)


def test_session_ends_with_its_connection() -> None:
    async def use(shared: Room) -> bool:
        link = await connect(LABEL.name, central=shared.phone)
        phone = Configurator(LABEL, counted_rng(b"phone"))
        await link.hold(phone.find())
        await link.hold(phone.secure())
        await link.close()
        again = await connect(LABEL.name, central=shared.phone)
        with pytest.raises(AttRefused):
            await again.hold(phone.progress())
        fresh = Configurator(LABEL, counted_rng(b"fresh"))
        await again.hold(fresh.find())
        await again.hold(fresh.secure())
        return fresh.secured

    assert _in_room(use)


def test_attempt_to_join_outlives_its_connection() -> None:
    async def use(shared: Room) -> Step:
        link = await connect(LABEL.name, central=shared.phone)
        phone = Configurator(LABEL, counted_rng(b"phone"))
        for conversation in (phone.find(), phone.secure(), phone.put_forward(HOME)):
            await link.hold(conversation)
        await link.close()
        again = await connect(LABEL.name, central=shared.phone)
        async with Provisioner(again, LABEL, pause=0.02) as provisioner:
            await provisioner.secure()
            return await provisioner.follow(Step.TRYING, patience=5)

    station = SimulatedWifi([SimulatedNetwork(HOME.ssid, HOME.passphrase)], delay=0.1)
    assert _in_room(use, station=station) is Step.REGISTERED


def test_endpoints_beside_the_session_are_served_whatever_their_length() -> None:
    async def mirror(body: bytes, session: bytes) -> bytes:
        assert len(session) == 32
        return body[::-1]

    async def use(shared: Room) -> None:
        link = await connect(LABEL.name, central=shared.phone)
        phone = Configurator(LABEL, counted_rng(b"phone"))
        await link.hold(phone.find())
        await link.hold(phone.secure())
        body = bytes(number % 251 for number in range(2048))
        assert await link._ask("doorstep-sealed", body) == body[::-1]
        await link.hold(phone.progress())

    _in_room(use, beside={"doorstep-sealed": mirror})


def test_failure_of_the_device_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [UnavailableError("the session ended during the scan"), RuntimeError("out of memory")]

    async def broken(*_arguments: object) -> bytes:
        raise failures.pop(0)

    async def use(shared: Room) -> None:
        device = await _near(shared)
        with pytest.raises(AttRefused) as refused:
            await device.write(_endpoint(device, "proto-ver"), b"---")
        assert refused.value.code == 0x0E

    monkeypatch.setattr(DeviceRunner, "ask", broken)
    while failures:
        _in_room(use)
    assert "could not answer over Bluetooth: the session ended" in caplog.text
    assert "out of memory" in caplog.text


def test_name_that_does_not_fit_is_refused_at_start() -> None:
    async def run() -> None:
        air = Air()
        async with BumbleBoard(air) as board:
            with pytest.raises(SettingsError, match="31"):
                async with BleDoor(PROFILE, Joiner(SimulatedWifi(())), board, BleName("n" * 30)):
                    pass

    asyncio.run(run())


def test_second_phone_waits_until_the_first_has_gone() -> None:
    async def use(shared: Room) -> None:
        device = await _near(shared)
        async with BumbleCentral(shared.air) as other:
            assert await other.find(lambda _each: True, 0.1) is None
            await device.close()
            assert await other.find(lambda _each: True, 1) is not None

    _in_room(use)


# Pairing


@dataclass
class Case:
    """A product's demand, and a phone with somebody who does what it asks."""

    policy: PairingPolicy
    user: Callable[[Screen], PhoneUser]
    event: PairingEvent
    board_agrees: bool = True


PASSKEY = PairingPolicy(PairingKind.PASSKEY, IoCapability.DISPLAY)
NUMERIC = PairingPolicy(PairingKind.NUMERIC_COMPARISON, IoCapability.DISPLAY_AND_BUTTON)
OOB = PairingPolicy(PairingKind.OUT_OF_BAND, oob=SECRET)
JUST_WORKS = PairingPolicy(PairingKind.JUST_WORKS)
WEAK = KeyQuality(authenticated=False, secure_connections=True)
OLD = KeyQuality(authenticated=True, secure_connections=False)
TAMPERED = OobData(bytes(16), SECRET.random)

GOOD = {
    "just works": Case(JUST_WORKS, lambda _: PhoneUser(IoCapability.NOTHING), Paired(WEAK)),
    "passkey": Case(PASSKEY, lambda screen: PhoneUser(types=screen.read), Paired(STRONG)),
    "numeric comparison": Case(NUMERIC, lambda _: PhoneUser(IoCapability.DISPLAY_AND_BUTTON), Paired(STRONG)),
    "out of band": Case(OOB, lambda _: PhoneUser(oob=SECRET.share()), Paired(STRONG)),
}
TOO_WEAK = {
    "just works where a passkey is demanded": Case(
        PASSKEY, lambda _: PhoneUser(IoCapability.NOTHING), PairingTooWeak(PairingKind.PASSKEY, WEAK)
    ),
    "just works that nobody wanted otherwise": Case(
        PASSKEY,
        lambda _: PhoneUser(IoCapability.NOTHING, protects=False),
        PairingTooWeak(PairingKind.PASSKEY, WEAK),
    ),
    "just works where a comparison is demanded": Case(
        NUMERIC,
        lambda _: PhoneUser(IoCapability.NOTHING),
        PairingTooWeak(PairingKind.NUMERIC_COMPARISON, WEAK),
    ),
    "just works where out-of-band data is demanded": Case(
        OOB, lambda _: PhoneUser(), PairingTooWeak(PairingKind.OUT_OF_BAND, WEAK)
    ),
    "a passkey of the older pairing": Case(
        PASSKEY,
        lambda screen: PhoneUser(types=screen.read, secure_connections=False),
        PairingTooWeak(PairingKind.PASSKEY, OLD),
    ),
}
FAILED = {
    "wrong digits": Case(
        PASSKEY, lambda screen: PhoneUser(types=screen.misread), PairingFailed(PairingKind.PASSKEY)
    ),
    "nobody types": Case(PASSKEY, lambda _: PhoneUser(), PairingFailed(PairingKind.PASSKEY)),
    "no on the phone": Case(
        NUMERIC,
        lambda _: PhoneUser(IoCapability.DISPLAY_AND_BUTTON, agrees=False),
        PairingFailed(PairingKind.NUMERIC_COMPARISON),
    ),
    "no on the board": Case(
        NUMERIC,
        lambda _: PhoneUser(IoCapability.DISPLAY_AND_BUTTON),
        PairingFailed(PairingKind.NUMERIC_COMPARISON),
        board_agrees=False,
    ),
    "another board's data": Case(
        OOB, lambda _: PhoneUser(oob=TAMPERED), PairingFailed(PairingKind.OUT_OF_BAND)
    ),
}


async def _paired(
    case: Case, use: Callable[[BumblePeripheral, PhoneUser], Coroutine[None, None, None]]
) -> None:
    events: list[PairingEvent] = []
    screen = Screen(case.board_agrees)
    pairing = BoardPairing(case.policy, screen, events.append)
    async with room(pairing=pairing) as shared:
        device = await _near(shared)
        with pytest.raises(AttRefused) as refused:
            await device.write(_endpoint(device, "proto-ver"), b"---")
        assert refused.value.code == 0x05
        await use(device, case.user(screen))
    assert events == [case.event]
    assert screen.cleared


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_phone_that_pairs_as_demanded_is_let_in(case: Case) -> None:
    async def use(device: BumblePeripheral, user: PhoneUser) -> None:
        await device.pair(user)
        async with Provisioner(BleLink(device), LABEL, pause=0.02) as provisioner:
            await provisioner.secure()
            assert await provisioner.join(HOME) in (Step.CONNECTED, Step.REGISTERED)

    asyncio.run(_paired(case, use))


@pytest.mark.parametrize("case", TOO_WEAK.values(), ids=TOO_WEAK)
def test_board_hangs_up_on_phone_that_pairs_with_less_than_demanded(case: Case) -> None:
    async def use(device: BumblePeripheral, user: PhoneUser) -> None:
        await device.pair(user)
        async with asyncio.timeout(5):
            await device.gone.wait()
        with pytest.raises(DeviceUnreachable):
            await device.write(_endpoint(device, "proto-ver"), b"---")

    asyncio.run(_paired(case, use))


@pytest.mark.parametrize("case", FAILED.values(), ids=FAILED)
def test_pairing_that_fails_leaves_the_door_shut(case: Case) -> None:
    async def use(device: BumblePeripheral, user: PhoneUser) -> None:
        with pytest.raises(VerificationFailed):
            await device.pair(user)
        with pytest.raises(AttRefused):
            await device.write(_endpoint(device, "proto-ver"), b"---")

    asyncio.run(_paired(case, use))


def test_both_screens_show_the_same_digits() -> None:
    screen, user = Screen(), PhoneUser(IoCapability.DISPLAY_AND_BUTTON)

    async def use(shared: Room) -> int:
        await (await _near(shared)).pair(user)
        return int(await screen.digits.get())

    assert [_in_room(use, pairing=BoardPairing(NUMERIC, screen))] == user.shown
