"""The Easy Connect door over the air, with a scripted driver."""

import asyncio
import os
from pathlib import Path

import pytest

from doorstep.crypto.p256 import generate
from doorstep.device.setup.dpp_air import DppAirDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import UnavailableError
from tests.device.setup.driver import scripted_driver
from tests.device.setup.looping import in_a_loop
from tests.device.setup.radio import HOME, Radio

KEY = generate(os.urandom)
LISTEN = "DPP_LISTEN 2437 role=enrollee"


def configuration(passphrase: bytes) -> list[str]:
    return [
        "<3>DPP-CONF-RECEIVED ",
        "<3>DPP-CONFOBJ-SSID home",
        f"<3>DPP-CONFOBJ-PASS {passphrase.hex()}",
    ]


@in_a_loop
async def test_configuration_goes_to_the_joiner_and_not_to_wpa_supplicant(tmp_path: Path) -> None:
    joiner = Joiner(Radio())
    heard = ["OK", *configuration(b"correct horse")]
    with scripted_driver(tmp_path, DPP_BOOTSTRAP_GEN=["1"], DPP_LISTEN=heard) as driver:
        async with DppAirDoor(driver.path, KEY, joiner):
            assert (await joiner.wait_connected()).network == HOME
            await asyncio.sleep(0.02)
        assert driver.asked[:2] == ["ATTACH", "SET dpp_config_processing 0"]
        assert driver.asked[2] == f"DPP_BOOTSTRAP_GEN type=qrcode chan=81/6 key={KEY.to_sec1().hex()}"
        assert driver.asked[3] == LISTEN


@in_a_loop
async def test_door_waits_again_after_a_network_that_does_not_work(tmp_path: Path) -> None:
    radio = Radio()
    heard = ["OK", *configuration(b"wrong horse")]
    with scripted_driver(tmp_path, DPP_BOOTSTRAP_GEN=["1"], DPP_LISTEN=heard) as driver:
        async with DppAirDoor(driver.path, KEY, Joiner(radio)):
            await asyncio.sleep(0.1)
        assert driver.asked.count(LISTEN) >= 2
    assert len(radio.tried) >= 2


@in_a_loop
async def test_connected_board_takes_no_other_network(tmp_path: Path) -> None:
    radio = Radio()
    joiner = Joiner(radio)
    heard = ["OK", *configuration(b"correct horse")]
    with scripted_driver(tmp_path, DPP_BOOTSTRAP_GEN=["1"], DPP_LISTEN=heard) as driver:
        async with DppAirDoor(driver.path, KEY, joiner):
            await asyncio.sleep(0.1)
        assert driver.asked.count(LISTEN) >= 2
    assert radio.tried == [HOME]


@in_a_loop
async def test_crying_board_names_its_channel(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, DPP_BOOTSTRAP_GEN=["7"]) as driver:
        async with DppAirDoor(driver.path, KEY, Joiner(Radio()), channel=11, chirp=True):
            await asyncio.sleep(0.02)
        assert driver.asked[3] == "DPP_CHIRP own=7 iter=20 listen=2462"
        assert driver.asked[-2:] == ["DPP_STOP_CHIRP", "DETACH"]


@in_a_loop
async def test_door_stays_closed_where_wpa_supplicant_has_no_easy_connect(tmp_path: Path) -> None:
    with scripted_driver(tmp_path, DPP_BOOTSTRAP_GEN=["UNKNOWN COMMAND"]) as driver:
        with pytest.raises(UnavailableError, match="no Easy Connect"):
            await DppAirDoor(driver.path, KEY, Joiner(Radio())).__aenter__()
        assert driver.asked[-1] == "DETACH"


@in_a_loop
async def test_door_stays_closed_without_wpa_supplicant(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        await DppAirDoor(tmp_path / "wlan0", KEY, Joiner(Radio())).__aenter__()
