"""The ESP32 NVS image of one device: namespace ``doorstep`` in a 24 KiB partition, not encrypted.

The format and its writer are Espressif's; `docs/spec/identity.md` lists the keys.
"""

import io
from typing import Final

from esp_idf_nvs_partition_gen import nvs_partition_gen as espressif

from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.identity.provisioning import Provisioning

__all__ = ["NAMESPACE", "PARTITION_SIZE", "nvs_image"]

NAMESPACE: Final = "doorstep"

PARTITION_SIZE: Final = 0x6000
"""Bytes; the size of ``nvs`` in ESP-IDF's default partition table."""

_PAGE: Final = 0x1000
"""Espressif's writer adds one reserved page to the size that it is asked for."""


def nvs_image(device: Provisioning) -> bytes:
    """Return the partition image that holds everything in the provisioning file."""
    image = io.BytesIO()
    with espressif.nvs_open(image, PARTITION_SIZE - _PAGE, espressif.Page.VERSION2) as nvs:
        espressif.write_entry(nvs, NAMESPACE, "namespace", "", "")
        for key, blob in _blobs(device).items():
            espressif.write_entry(nvs, key, "data", "hex2bin", blob.hex())
        for key, text in _texts(device).items():
            espressif.write_entry(nvs, key, "data", "string", text)
        for key, number in _numbers(device).items():
            espressif.write_entry(nvs, key, "data", "u16", str(number))
    return image.getvalue()


def _blobs(device: Provisioning) -> dict[str, bytes]:
    return _key_blobs(device) | {
        "trust_anchor": Certificate.from_pem(device.trust_anchor.encode("ascii")).der,
        "root_key": device.root_key,
        "sec2_salt": device.setup.salt,
        "sec2_verifier": device.setup.verifier,
    }


def _key_blobs(device: Provisioning) -> dict[str, bytes]:
    if not device.certificate_chain:
        return {}
    idevid, factory = load_chain(device.certificate_chain.encode("ascii"))
    certified = {"idevid": idevid.der, "factory_ca": factory.der}
    if not device.private_key:
        return certified
    return {"idevid_key": PrivateKey.from_pkcs8(device.private_key.encode("ascii")).to_pkcs8()} | certified


def _texts(device: Provisioning) -> dict[str, str]:
    return {
        "device_id": device.device_id,
        "serial": device.serial,
        "product": device.product,
        "service_name": device.setup.service_name,
        "sec2_username": device.setup.username,
        "device_api": device.servers.device_api,
        "mqtt_host": device.servers.mqtt_host,
        "onboarding": " ".join(device.onboarding),
        "sealed": device.sealed,
    } | ({} if device.setup.code is None else {"sec1_code": device.setup.code})


def _numbers(device: Provisioning) -> dict[str, int]:
    return {
        "format": device.version,
        "mqtt_tls_port": device.servers.mqtt_tls_port,
        "mqtt_plain_port": device.servers.mqtt_plain_port,
    }
