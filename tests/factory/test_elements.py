"""Devices whose key is in a secure element: certified for it, and made without ever seeing it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from doorstep.crypto.p256 import MalformedKey
from doorstep.crypto.x509 import Certificate
from doorstep.errors import UnavailableError
from doorstep.factory.batch import BatchRequest, DeviceRecord, make_devices
from doorstep.factory.nvs import NAMESPACE
from doorstep.factory.orders import read_elements
from doorstep.factory.run import BatchStopped, run_batch
from doorstep.identity import certificates
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.ids import DeviceIdTaken
from doorstep.identity.provisioning import Provisioning
from tests.factory.making import NOW, authority, request
from tests.factory.nvs_reader import read_nvs
from tests.identity.manifests import ChipMaker, manifest_of

MAKER = ChipMaker()
CHIPS = [MAKER.chip(number) for number in range(1, 61)]
MANIFEST = manifest_of(map(MAKER.entry, CHIPS))


def asked() -> BatchRequest:
    devices = read_elements(MANIFEST, MAKER.bundle, "SE-").devices
    return replace(request(1), devices=devices, identity=IdentityMethod.SECURE_ELEMENT)


def test_factory_certifies_the_key_in_the_element() -> None:
    made = [device for chunk in make_devices(asked(), authority(), workers=2) for device in chunk]
    factory = authority().factory.certificate
    for chip, device in zip(CHIPS, made, strict=True):
        record, idevid = device.record, Certificate(device.record.idevid)
        assert certificates.verify_idevid(idevid, factory, now=NOW) == record.device_id
        assert record.public_key == idevid.public_key.spki == chip.key.public_key.spki
        assert (record.hardware_id, record.oob_code) == (chip.unique_id.upper(), "")


def test_file_and_image_hold_certificates_and_no_key() -> None:
    device = next(make_devices(asked(), authority(), workers=1))[0]
    file, image = Provisioning.from_json(device.provisioning), read_nvs(device.nvs)[NAMESPACE]
    assert (file.identity, file.private_key, file.hardware_id) == ("secure_element", "", "0123000000000001EE")
    assert (
        Certificate.from_pem(
            file.certificate_chain.encode().partition(b"-----END")[0] + b"-----END CERTIFICATE-----\n"
        ).der
        == device.record.idevid
    )
    assert image["idevid"] == device.record.idevid
    assert image["factory_ca"] == authority().factory.certificate.der
    assert "idevid_key" not in image
    assert (device.label.easy_connect, device.label.setup_text != "") == ("", True)


def test_device_with_a_taken_id_is_made_again_for_its_own_element(tmp_path: Path) -> None:
    recorded: list[DeviceRecord] = []
    refusals = iter([DeviceIdTaken("taken")])

    def record(devices: Sequence[DeviceRecord]) -> None:
        for refusal in refusals:
            raise refusal
        recorded.extend(devices)

    run_batch(asked(), authority(), tmp_path / "out", record, lambda _: None, workers=1)
    assert [one.public_key for one in recorded] == [chip.key.public_key.spki for chip in CHIPS]


def test_operator_whose_batch_stopped_gives_the_same_manifest_again(tmp_path: Path) -> None:
    recorded: list[DeviceRecord] = []

    def record(devices: Sequence[DeviceRecord]) -> None:
        if recorded:
            raise UnavailableError("the database is gone")
        recorded.extend(devices)

    with pytest.raises(BatchStopped) as caught:
        run_batch(asked(), authority(), tmp_path / "out", record, lambda _: None, workers=1)
    assert "the same manifest" in caught.value.next_step
    known = {one.hardware_id or "" for one in recorded}
    rest = read_elements(MANIFEST, MAKER.bundle, "SE-").without(known)
    assert tuple(order.serial for order in rest.devices) == caught.value.remaining


def test_factory_makes_no_key_in_place_of_an_elements() -> None:
    bare = replace(request(1), identity=IdentityMethod.SECURE_ELEMENT)
    with pytest.raises(MalformedKey):
        next(make_devices(bare, authority(), workers=1))
