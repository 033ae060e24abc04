"""Recording devices is all or none, and says what stands in the way."""

import os
from dataclasses import replace

import pytest

from doorstep.errors import MisuseError
from doorstep.identity import ids
from doorstep.identity.ids import DeviceIdTaken
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.fleet.models import Device
from tests.server.making import MadeDevice, devices

pytestmark = pytest.mark.usefixtures("rolled_back")


def record(first: MadeDevice, *others: MadeDevice) -> None:
    batch = devices()[0].row.batch
    actions.record_batch(batch, [first, *others], actor="operator", now_us=now_us())


def another(device: MadeDevice) -> MadeDevice:
    return replace(device, device_id=ids.new_device_id(os.urandom), serial=f"SN-{os.urandom(6).hex()}")


def test_platform_asks_for_another_id_when_one_is_taken() -> None:
    (known,) = devices()
    with pytest.raises(DeviceIdTaken):
        record(another(known), replace(another(known), device_id=known.device_id))
    assert Device.objects.filter(device_id=known.device_id).get().serial == known.serial


def test_platform_names_the_serial_and_address_that_are_taken() -> None:
    (known,) = devices()
    addressed = replace(another(known), hardware_id="A0B1C2D3E4F5")
    record(addressed)
    again = replace(another(known), hardware_id="A0B1C2D3E4F5")
    fresh = another(known)
    with pytest.raises(MisuseError) as caught:
        record(fresh, replace(another(known), serial=known.serial), again)
    assert f"serial {known.serial}" in caught.value.message
    assert "hardware_id A0B1C2D3E4F5" in caught.value.message
    assert not Device.objects.filter(device_id=fresh.device_id).exists()
