"""What a batch puts into devices and onto labels for the methods with a page, a PIN or a certificate."""

from dataclasses import replace

from doorstep.factory.batch import MadeDevice, make_devices
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.access_point import access_point_key
from doorstep.onboarding.label import SetupLabel
from tests.factory.making import authority, request


def made(*methods: str) -> tuple[MadeDevice, Provisioning, SetupLabel]:
    wanted = replace(request(1), methods=methods)
    ((device,),) = make_devices(wanted, authority(), workers=1)
    return device, Provisioning.from_json(device.provisioning), SetupLabel.decode(device.label.setup_text)


def test_micro_access_point_has_one_key_on_device_and_label() -> None:
    device, file, label = made("micro-ap")
    assert label.password == device.label.wifi_key == access_point_key(file.setup.verifier)
    assert label.password not in {label.pop, repr(device)}
    assert label.encode_wifi() == f"WIFI:T:WPA;P:{label.password};S:{file.setup.service_name};;"
    assert made("micro-ap")[2].password != label.password


def test_pin_is_the_code_of_its_own_user() -> None:
    device, file, label = made("pin")
    assert (label.username, file.setup.username) == ("pin", "pin")
    assert device.label.setup_code == label.pop
    assert len(label.pop) == 8
    assert label.pop.isdecimal()


def test_label_pins_the_certificate_that_the_device_will_show() -> None:
    device, _, label = made("protocomm-sec2", "https-pinned")
    assert label.fingerprint == device.record.fingerprint


def test_other_products_have_none_of_that() -> None:
    device, _, label = made("protocomm-sec2")
    assert (label.password, label.fingerprint) == ("", "")
    assert (device.label.wifi_key, device.label.wifi_qr) == ("", None)
