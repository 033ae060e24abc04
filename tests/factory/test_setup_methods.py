"""What a batch puts into devices and onto labels for the methods with a page, a PIN or a certificate."""

import json
from dataclasses import replace

from doorstep.factory.batch import MadeDevice, make_devices
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.label import SetupLabel
from tests.factory.making import authority, request
from tests.factory.nvs_reader import read_nvs


def made(*methods: str) -> tuple[MadeDevice, Provisioning, SetupLabel]:
    wanted = replace(request(1), methods=methods)
    ((device,),) = make_devices(wanted, authority(), workers=1)
    return device, Provisioning.from_json(device.provisioning), SetupLabel.decode(device.label.setup_text)


def test_micro_access_point_has_one_key_on_device_image_and_label() -> None:
    device, file, label = made("micro-ap")
    assert file.setup.access_key == label.password == device.label.wifi_key
    assert len(label.password) == 13
    assert label.password not in {label.pop, repr(device)}
    assert read_nvs(device.nvs)["doorstep"]["access_key"] == label.password
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
    device, file, label = made("protocomm-sec2")
    assert (label.password, label.fingerprint, file.setup.access_key) == ("", "", None)
    assert (device.label.wifi_key, device.label.wifi_qr) == ("", None)
    assert "access_key" not in read_nvs(device.nvs)["doorstep"]
    assert "access_key" in json.loads(device.provisioning)["setup"]
