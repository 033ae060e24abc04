import datetime as dt
from dataclasses import replace

import pytest

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.crypto.srp6a import make_verifier
from doorstep.crypto.x509 import Certificate
from doorstep.factory.batch import MadeDevice, make_devices
from doorstep.factory.nvs import NAMESPACE
from doorstep.identity import certificates, claim_code
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.dpp.label_key import label_key
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.label import SEC1, SEC2, SetupLabel, Transport
from tests.factory.making import NOW, PEPPER, authority, request
from tests.factory.nvs_reader import read_nvs


@pytest.fixture(scope="module")
def devices() -> list[MadeDevice]:
    return [device for chunk in make_devices(request(70), authority(), workers=2) for device in chunk]


def test_devices_come_in_the_order_asked_for(devices: list[MadeDevice]) -> None:
    assert [device.record.serial for device in devices] == [f"SN-{n:05d}" for n in range(1, 71)]


def test_no_two_devices_share_anything(devices: list[MadeDevice]) -> None:
    for part in ("device_id", "public_key", "claim_code_hash", "root_key", "fingerprint"):
        assert len({getattr(device.record, part) for device in devices}) == len(devices)
    assert len({device.label.setup_code for device in devices}) == len(devices)
    assert len({Certificate(device.record.idevid).serial for device in devices}) == len(devices)


def test_record_label_and_file_speak_of_one_device(devices: list[MadeDevice]) -> None:
    for device in devices[::20]:
        record, file = device.record, Provisioning.from_json(device.provisioning)
        idevid = Certificate(record.idevid)
        factory = authority().factory.certificate
        assert certificates.verify_idevid(idevid, factory, now=NOW + dt.timedelta(days=1)) == record.device_id
        assert record.fingerprint == idevid.fingerprint
        assert PublicKey.from_spki(record.public_key).spki == idevid.public_key.spki
        assert file.root_key == record.root_key
        assert (file.device_id, file.serial) == (record.device_id, record.serial)
        assert claim_code.parse(device.label.claim_code).hash(PEPPER) == record.claim_code_hash
        setup = file.setup
        assert setup.verifier == make_verifier(
            setup.username.encode(), device.label.setup_code.encode(), setup.salt
        )


def test_platform_never_gets_what_only_the_device_may_have(devices: list[MadeDevice]) -> None:
    for device in devices[::20]:
        shown = repr(device)
        file = Provisioning.from_json(device.provisioning)
        for secret in (
            device.label.setup_code,
            device.label.claim_code,
            file.private_key,
            repr(file.root_key),
        ):
            assert secret not in shown
        kept = {bytes(value) for value in _values(device) if isinstance(value, bytes)}
        assert file.setup.verifier not in kept


def _values(device: MadeDevice) -> list[object]:
    return [getattr(device.record, name) for name in device.record.__slots__]


def test_hardware_id_reaches_record_and_file() -> None:
    asked = request(1)
    order = replace(asked.devices[0], hardware_id="A0B1C2D3E4F5")
    (chunk,) = make_devices(replace(asked, devices=(order,)), authority(), workers=1)
    assert chunk[0].record.hardware_id == "A0B1C2D3E4F5"
    assert Provisioning.from_json(chunk[0].provisioning).hardware_id == "A0B1C2D3E4F5"


LABELS = {
    "default": (("protocomm-sec2", "sealed-credentials"), SEC2, Transport.SOFTAP),
    "both radios": (("protocomm-sec2", "protocomm-sec2-ble"), SEC2, Transport.SOFTAP),
    "Bluetooth alone": (("protocomm-sec2-ble",), SEC2, Transport.BLE),
    "old board": (("protocomm-sec1",), SEC1, Transport.SOFTAP),
}


@pytest.mark.parametrize(("methods", "security", "transport"), LABELS.values(), ids=LABELS)
def test_file_and_label_follow_the_products_methods(
    methods: tuple[str, ...], security: int, transport: Transport
) -> None:
    (chunk,) = make_devices(replace(request(1), methods=methods), authority(), workers=1)
    file, label = Provisioning.from_json(chunk[0].provisioning), SetupLabel.decode(chunk[0].label.setup_text)
    assert file.onboarding == methods
    assert (label.security, label.transport) == (security, transport)
    assert file.setup.code == (label.pop if security == SEC1 else None)
    assert read_nvs(chunk[0].nvs)[NAMESPACE].get("sec1_code") == file.setup.code


@pytest.mark.parametrize("methods", [("dpp",), ("dpp", "protocomm-sec2")], ids=["alone", "beside another"])
def test_label_of_easy_connect_is_the_devices(methods: tuple[str, ...]) -> None:
    (chunk,) = make_devices(replace(request(1), methods=methods), authority(), workers=1)
    file, label = Provisioning.from_json(chunk[0].provisioning), chunk[0].label
    uri = BootstrapUri.decode(label.easy_connect)
    assert uri.key == label_key(PrivateKey.from_pkcs8(file.private_key.encode())).public_key
    assert uri.info == file.serial
    alone = len(methods) == 1
    assert (label.setup_text == label.easy_connect) is alone
    assert (label.easy_connect_qr is None) is alone


def test_label_names_the_claim_page_of_a_portal_that_phones_reach() -> None:
    [[one]] = make_devices(request(1, portal="https://devices.example.com"), authority(), workers=1)
    assert one.label.claim_url == f"https://devices.example.com/claim/#{one.record.serial}"
    assert one.label.claim_qr is not None


def test_label_without_easy_connect_has_one_code() -> None:
    (chunk,) = make_devices(request(1), authority(), workers=1)
    assert (chunk[0].label.easy_connect, chunk[0].label.easy_connect_qr) == ("", None)
    assert (chunk[0].label.claim_url, chunk[0].label.claim_qr) == ("", None)


def test_consumer_may_stop_early() -> None:
    making = make_devices(request(160), authority(), workers=2)
    assert len(next(making)) == 50
    making.close()
