import asyncio

import pytest

from doorstep.provisioner import bleak_central
from doorstep.provisioner.ble import computer_radio, scan
from doorstep.provisioner.bleak_central import BleakCentral
from doorstep.provisioner.link import DeviceUnreachable

# What it does with BlueZ is proven in the small machine: tests/radio/guest/blue.py.


def test_computer_without_bluetooth_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system_bus_socket")
    radio = computer_radio()
    assert isinstance(radio, BleakCentral)
    with pytest.raises(DeviceUnreachable, match="Bluetooth"):
        asyncio.run(scan(0.1, central=radio))
    assert bleak_central.__all__ == ["BleakCentral", "BleakPeripheral"]
