import asyncio

import pytest

from doorstep.device.setup.bluez import BluezBoard
from doorstep.device.setup.linux_ble import check_bluetooth
from doorstep.device.setup.pairing import BlankScreen, BoardPairing
from doorstep.errors import SettingsError, UnavailableError
from doorstep.onboarding.ble.oob import OobSecret
from doorstep.onboarding.ble.pairing import PairingKind, PairingPolicy
from tests.onboarding.helpers import counted_rng

# What BlueZ does is proven in the small machine: tests/radio/guest/blue.py.


def test_computer_without_a_system_bus_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system_bus_socket")
    with pytest.raises(UnavailableError, match="no system bus") as told:
        asyncio.run(check_bluetooth(BoardPairing()))
    assert "access point" in told.value.next_step


def test_out_of_band_pairing_is_refused_at_start() -> None:
    policy = PairingPolicy(PairingKind.OUT_OF_BAND, oob=OobSecret.generate(counted_rng(b"oob")))
    with pytest.raises(SettingsError, match="cannot pair out of band"):
        BluezBoard(pairing=BoardPairing(policy))


def test_board_without_a_screen_agrees_to_nothing() -> None:
    screen = BlankScreen()
    screen.show("123456")
    screen.clear()
    assert not asyncio.run(screen.agree())
