import asyncio
import logging
from pathlib import Path

import pytest

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.wps import PIN_RISK
from doorstep.device.setup.wps_button import WpsButton
from doorstep.errors import MisuseError
from tests.device.setup.driver import scripted_driver
from tests.device.setup.looping import in_a_loop
from tests.device.setup.radio import HOME, Radio
from tests.device.setup.test_easy_connect import made
from tests.device.setup.test_wps import GIVEN, OVERLAP


def test_only_a_product_with_the_method_and_a_radio_has_the_button(tmp_path: Path) -> None:
    product, other = made("wps-button", "protocomm-sec2")[0], made("protocomm-sec2")[0]
    assert WpsButton.of(product, tmp_path) is not None
    assert WpsButton.of(product, None) is None
    assert WpsButton.of(other, tmp_path) is None


@in_a_loop
async def test_press_of_the_boards_button_brings_the_network(tmp_path: Path) -> None:
    joiner = Joiner(Radio())
    with scripted_driver(tmp_path, WPS_PBC=["OK", *GIVEN]) as driver:
        button = WpsButton(driver.path)
        button.press()  # nothing is open
        async with button.door(joiner):
            assert "WPS_PBC" not in driver.asked
            button.press()
            assert (await joiner.wait_connected()).network == HOME


def test_only_a_product_that_accepts_its_risk_has_the_pin(tmp_path: Path) -> None:
    product, other = made("wps-pin", "protocomm-sec2")[0], made("wps-button")[0]
    assert WpsButton.of(product, tmp_path, print) is not None
    assert WpsButton.of(product, tmp_path) is None
    for device, control in ((other, tmp_path), (product, None)):
        with pytest.raises(MisuseError, match="no WPS by PIN"):
            WpsButton.of(device, control, print)


@in_a_loop
async def test_press_shows_a_pin_and_the_router_that_takes_it_brings_the_network(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []
    joiner = Joiner(Radio())
    with caplog.at_level(logging.WARNING), scripted_driver(tmp_path, WPS_PIN=["OK", *GIVEN]) as driver:
        button = WpsButton(driver.path, shown.append)
        async with button.door(joiner):
            pass
        async with button.door(joiner):
            button.press()
            assert (await joiner.wait_connected()).network == HOME
        assert f"WPS_PIN any {shown[0]}" in driver.asked
        assert "WPS_PBC" not in driver.asked
    assert caplog.text.count(PIN_RISK) == 1


@in_a_loop
async def test_failed_press_says_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), scripted_driver(tmp_path, WPS_PBC=["OK", OVERLAP]) as driver:
        button = WpsButton(driver.path)
        async with button.door(Joiner(Radio())):
            button.press()
            await asyncio.sleep(0.05)
    assert "Wait two minutes." in caplog.text
