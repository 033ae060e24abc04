from dataclasses import replace
from pathlib import Path

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.dpp import DppDoor
from doorstep.device.setup.dpp_air import DppAirDoor
from doorstep.device.setup.easy_connect import easy_connect_doors
from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.board import AccessPointMode, Backend, RadioSettings
from doorstep.factory.batch import make_devices
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.provisioner.dpp import configure
from tests.device.setup.looping import in_a_loop
from tests.device.setup.radio import HOME, Radio
from tests.factory.making import authority, request


def made(*methods: str) -> tuple[Provisioning, str]:
    """Return a device as it leaves the factory, and its Easy Connect code."""
    ((device,),) = make_devices(replace(request(1), methods=methods), authority(), workers=1)
    return Provisioning.from_json(device.provisioning), device.label.easy_connect


def test_product_without_the_method_opens_no_door() -> None:
    assert easy_connect_doors(made("protocomm-sec2")[0], Path("wlan0")) == ()


def test_board_with_a_radio_of_its_own_listens_over_the_air_too() -> None:
    device, joiner = made("dpp")[0], Joiner(Radio())
    doors = [make(joiner) for make in easy_connect_doors(device, Path("wlan0"))]
    assert [type(door) for door in doors] == [DppDoor, DppAirDoor]


def test_only_a_radio_that_is_no_access_point_listens_over_the_air() -> None:
    folder = Path("control")
    alone = RadioSettings(Backend.WPA_SUPPLICANT, "wlan0", control=folder)
    assert alone.own_radio == folder / "wlan0"
    shared = RadioSettings(Backend.WPA_SUPPLICANT, "wlan0", AccessPointMode.OPEN, folder)
    assert (shared.own_radio, RadioSettings().own_radio) == (None, None)


@in_a_loop
async def test_factory_made_device_takes_a_network_from_who_scans_its_label() -> None:
    device, code = made("dpp")
    joiner = Joiner(Radio())
    key = PrivateKey.from_pkcs8(device.private_key.encode())
    assert BootstrapUri.decode(code).key != key.public_key
    (door,) = (make(joiner) for make in easy_connect_doors(device))
    assert isinstance(door, DppDoor)
    door._address = "127.0.0.1", 0
    async with door:
        enrollee = await configure(code, HOME, address="127.0.0.1", port=door.port)
        assert (await joiner.wait_connected()).network == HOME
    assert enrollee.name == device.serial
