import csv
import io
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import load_chain
from doorstep.factory.batch import MadeDevice, make_devices
from doorstep.factory.nvs import NAMESPACE, PARTITION_SIZE, nvs_image
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.provisioning import Provisioning
from tests.factory.making import authority, request
from tests.factory.nvs_reader import read_nvs


@cache
def made() -> MadeDevice:
    return next(make_devices(request(1), authority(), workers=1))[0]


def test_image_holds_what_the_provisioning_file_holds() -> None:
    image, device = made().nvs, Provisioning.from_json(made().provisioning)
    assert len(image) == PARTITION_SIZE
    values = read_nvs(image)[NAMESPACE]
    idevid, factory = load_chain(device.certificate_chain.encode())
    assert values == {
        "idevid_key": PrivateKey.from_pkcs8(device.private_key.encode()).to_pkcs8(),
        "idevid": idevid.der,
        "factory_ca": factory.der,
        "trust_anchor": authority().root.der,
        "root_key": device.root_key,
        "sec2_salt": device.setup.salt,
        "sec2_verifier": device.setup.verifier,
        "device_id": device.device_id,
        "serial": device.serial,
        "product": device.product,
        "service_name": device.setup.service_name,
        "sec2_username": device.setup.username,
        "device_api": device.servers.device_api,
        "mqtt_host": device.servers.mqtt_host,
        "onboarding": "protocomm-sec2 sealed-credentials",
        "sealed": "ratchet-8",
        "format": 1,
        "mqtt_tls_port": 8883,
        "mqtt_plain_port": 1883,
    }


def test_device_whose_identity_is_its_root_key_has_no_other() -> None:
    chip = replace(
        request(1), identity=IdentityMethod.SYMMETRIC_KEY, sealed="static-16", methods=("protocomm-sec2",)
    )
    one = next(make_devices(chip, authority(), workers=1))[0]
    device, values = Provisioning.from_json(one.provisioning), read_nvs(one.nvs)[NAMESPACE]
    assert (one.record.public_key, one.record.idevid, one.record.fingerprint) == (b"", b"", "")
    assert (device.identity, device.private_key, device.certificate_chain) == ("symmetric_key", "", "")
    assert values.keys().isdisjoint({"idevid_key", "idevid", "factory_ca"})
    assert (values["root_key"], values["sealed"]) == (one.record.root_key, "static-16")
    assert len(one.record.root_key) == 32


def test_keys_fit_what_a_chip_allows() -> None:
    assert all(len(key) <= 15 for key in read_nvs(made().nvs)[NAMESPACE])


def test_same_device_gives_the_same_image() -> None:
    assert nvs_image(Provisioning.from_json(made().provisioning)) == made().nvs


@pytest.mark.peer
def test_official_command_makes_the_same_image(tmp_path: Path) -> None:
    """Write the values to the official CSV form and let Espressif's command line build the partition."""
    rows = [(NAMESPACE, "namespace", "", "")]
    for key, value in read_nvs(made().nvs)[NAMESPACE].items():
        if isinstance(value, bytes):
            rows.append((key, "data", "hex2bin", value.hex()))
        else:
            rows.append((key, "data", "u16" if isinstance(value, int) else "string", str(value)))
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("key", "type", "encoding", "value"))
    writer.writerows(rows)
    (tmp_path / "nvs.csv").write_text(table.getvalue())
    command = [sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate", "nvs.csv", "nvs.bin"]
    subprocess.run([*command, hex(PARTITION_SIZE)], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (tmp_path / "nvs.bin").read_bytes() == made().nvs
