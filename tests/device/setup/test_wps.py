"""The WPS doors, of board and router, with a scripted driver."""

import asyncio
import logging
from pathlib import Path

import pytest

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.wps import WpsDoor
from doorstep.device.wifi.control_socket import CommandRefused
from doorstep.device.wifi.registrar import MAX_WRONG_PINS, WpsRegistrar
from doorstep.errors import RefusedError, SettingsError
from doorstep.onboarding.network import Joined
from doorstep.onboarding.wps.failures import Overlap, PinIsOff, SetupLocked, WalkTimeOver, WrongPin
from doorstep.onboarding.wps.pin import check_pin
from tests.device.setup.driver import ScriptedDriver, scripted_driver
from tests.device.setup.looping import in_a_loop
from tests.device.setup.radio import HOME, Radio
from tests.wire.test_wps import KEY, KIND, SSID, attribute

CREDENTIAL = f"<3>WPS-CRED-RECEIVED {attribute(0x100E, SSID + KIND + KEY).hex()}"
GIVEN = [CREDENTIAL, "<3>WPS-SUCCESS "]
OVERLAP = "<3>WPS-OVERLAP-DETECTED "
REGISTERED = "<3>WPS-REG-SUCCESS 02:00:00:00:01:00 12345678-9abc-def0-1234-56789abcdef0"
WRONG = "<3>WPS-FAIL msg=8 config_error=18"


def door(driver: ScriptedDriver, radio: Radio, *, pin_allowed: bool = False) -> WpsDoor:
    return WpsDoor(driver.path, Joiner(radio), pin_allowed=pin_allowed)


@in_a_loop
async def test_button_brings_the_network_to_the_joiner(tmp_path: Path) -> None:
    radio = Radio()
    joiner = Joiner(radio)
    with scripted_driver(tmp_path, WPS_PBC=["OK", *GIVEN]) as driver:
        async with WpsDoor(driver.path, joiner) as opened:
            assert isinstance(await opened.press(), Joined)
        assert (await joiner.wait_connected()).network == HOME
        assert driver.asked == ["ATTACH", "SET wps_cred_processing 1", "WPS_PBC", "WPS_CANCEL", "DETACH"]
    assert radio.tried == [HOME]


@in_a_loop
async def test_overlap_brings_nothing_and_the_button_may_be_pressed_again(tmp_path: Path) -> None:
    radio = Radio()
    with scripted_driver(tmp_path, WPS_PBC=["OK", OVERLAP]) as driver:
        async with door(driver, radio) as opened:
            for _ in range(2):
                with pytest.raises(Overlap):
                    await opened.press()
    assert radio.tried == []


@in_a_loop
async def test_second_press_changes_nothing(tmp_path: Path) -> None:
    with scripted_driver(tmp_path) as driver:
        async with door(driver, Radio()) as opened:
            first = asyncio.create_task(opened.press())
            await asyncio.sleep(0.05)
            with pytest.raises(RefusedError, match="runs already"):
                await opened.press()
            assert driver.asked.count("WPS_PBC") == 1
        with pytest.raises(asyncio.CancelledError):
            await first
        assert driver.asked[-2:] == ["WPS_CANCEL", "DETACH"]


@in_a_loop
async def test_window_closes_after_two_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.onboarding.wps.session.WALK_TIME", 0.05)
    with scripted_driver(tmp_path) as driver:
        async with door(driver, Radio()) as opened:
            with pytest.raises(WalkTimeOver):
                await opened.press()


@in_a_loop
async def test_pin_is_off_by_default(tmp_path: Path) -> None:
    with scripted_driver(tmp_path) as driver:
        async with door(driver, Radio()) as opened:
            with pytest.raises(PinIsOff):
                await opened.type_pin(lambda _pin: None)
        async with WpsRegistrar(driver.path) as router:
            with pytest.raises(PinIsOff):
                await router.take_pin("12345670")
        assert not [command for command in driver.asked if command.startswith("WPS_PIN")]


@in_a_loop
async def test_allowed_pin_is_shown_and_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []
    with caplog.at_level(logging.DEBUG), scripted_driver(tmp_path, WPS_PIN=["1", *GIVEN]) as driver:
        async with door(driver, Radio(), pin_allowed=True) as opened:
            assert isinstance(await opened.type_pin(shown.append), Joined)
        (pin,) = shown
        assert f"WPS_PIN any {check_pin(pin)}" in driver.asked
    assert pin not in caplog.text


@in_a_loop
async def test_router_says_which_device_pressed(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, WPS_PBC=["OK", REGISTERED]) as driver:
        async with WpsRegistrar(driver.path) as router:
            assert (await router.press()).hex(":") == "02:00:00:00:01:00"


@in_a_loop
async def test_router_tells_an_overlap_from_another_refusal(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, WPS_PBC=["FAIL", OVERLAP]) as driver:
        async with WpsRegistrar(driver.path) as router:
            with pytest.raises(Overlap):
                await router.press()
    (tmp_path / "other").mkdir()
    with scripted_driver(tmp_path / "other", WPS_PBC=["FAIL"]) as driver:
        async with WpsRegistrar(driver.path) as router:
            with pytest.raises(CommandRefused):
                await router.press()


@in_a_loop
async def test_router_has_one_session_at_a_time(tmp_path: Path) -> None:
    with scripted_driver(tmp_path) as driver:
        async with WpsRegistrar(driver.path) as router:
            first = asyncio.create_task(router.press())
            await asyncio.sleep(0.02)
            with pytest.raises(RefusedError, match="runs already"):
                await router.press()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


@in_a_loop
async def test_router_locks_after_wrong_pins_until_a_person_unlocks_it(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, WPS_PIN=["12345670", WRONG]) as driver:
        async with WpsRegistrar(driver.path, pin_allowed=True) as router:
            for _ in range(MAX_WRONG_PINS):
                with pytest.raises(WrongPin):
                    await router.take_pin("1234 5670")
            with pytest.raises(SetupLocked):
                await router.take_pin("12345670")
            assert driver.asked.count("WPS_PIN any 12345670 120") == MAX_WRONG_PINS
            router.unlock()
            with pytest.raises(WrongPin):
                await router.take_pin("12345670")


@in_a_loop
async def test_router_forgives_mistyped_pins_and_counts_anew_after_a_right_one(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, WPS_PIN=["12345670", REGISTERED]) as driver:
        async with WpsRegistrar(driver.path, pin_allowed=True) as router:
            with pytest.raises(SettingsError, match="mistyped"):
                await router.take_pin("12345678")
            assert await router.take_pin("12345670")
