import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorstep.crypto import p256
from doorstep.errors import MalformedMessage
from doorstep.identity.provisioning import Provisioning, Servers, SetupVerifier
from tests.identity.making import DEVICE_ID, make_pki

PKI = make_pki()
FILE = Provisioning(
    device_id=DEVICE_ID,
    serial="SN-1",
    product="greenhouse",
    hardware_id="A0B1C2D3E4F5",
    private_key=PKI.device_key.to_pem().decode(),
    certificate_chain=(PKI.idevid.pem + PKI.factory.certificate.pem).decode(),
    trust_anchor=PKI.root.certificate.pem.decode(),
    root_key=bytes(range(32)),
    setup=SetupVerifier("PROV_abcdefgh", "doorstep", b"\1" * 16, b"\2" * 384),
    servers=Servers("https://localhost:8443", "localhost", 8883, 1883),
)


@pytest.mark.parametrize("hardware_id", ["A0B1C2D3E4F5", None])
def test_device_reads_what_factory_writes(hardware_id: str | None) -> None:
    written = replace(FILE, hardware_id=hardware_id)
    assert Provisioning.from_json(written.to_json()) == written


CHIP = replace(FILE, private_key="", certificate_chain="", identity="symmetric_key", sealed="static-16")


def test_device_without_a_factory_key_reads_its_file() -> None:
    assert Provisioning.from_json(CHIP.to_json()) == CHIP


@pytest.mark.parametrize("part", ["private_key", "certificate_chain"])
def test_device_without_a_factory_key_refuses_a_file_with_one(part: str) -> None:
    with pytest.raises(MalformedMessage, match="no factory key"):
        Provisioning.from_json(replace(CHIP, **{part: getattr(FILE, part)}).to_json())


ELEMENT = replace(FILE, private_key="", hardware_id="0123000000000001EE", identity="secure_element")


def test_device_with_a_secure_element_reads_its_file() -> None:
    assert Provisioning.from_json(ELEMENT.to_json()) == ELEMENT


@pytest.mark.parametrize(
    "changes",
    [{"private_key": FILE.private_key}, {"hardware_id": None}],
    ids=["a key in flash", "no serial number"],
)
def test_device_with_a_secure_element_refuses_another_devices_file(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage, match="secure element"):
        Provisioning.from_json(replace(ELEMENT, **changes).to_json())


@pytest.mark.parametrize("part", ["device_id", "certificate_chain"])
def test_device_with_a_secure_element_needs_its_certificate(part: str) -> None:
    content = json.loads(ELEMENT.to_json()) | {part: {"device_id": "hgfedcba"}.get(part, "")}
    with pytest.raises(MalformedMessage):
        Provisioning.from_json(json.dumps(content).encode())


def test_secrets_never_show_in_repr() -> None:
    shown = repr(FILE)
    assert "PRIVATE" not in shown
    assert repr(FILE.root_key) not in shown
    assert repr(FILE.setup.verifier) not in shown


def test_file_of_before_onboarding_was_chosen_means_the_secure_methods() -> None:
    def older(content: dict[str, Any]) -> None:
        del content["onboarding"], content["setup"]["code"], content["identity"], content["sealed"]

    assert Provisioning.from_json(changed(older)) == FILE
    assert FILE.onboarding == ("protocomm-sec2", "sealed-credentials")


Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> bytes:
    content = json.loads(FILE.to_json())
    change(content)
    return json.dumps(content).encode()


MALFORMED: dict[str, Change] = {
    "unknown field": lambda c: c.update(more=1),
    "unknown field inside": lambda c: c["servers"].update(more=1),
    "missing field": lambda c: c.pop("serial"),
    "other version": lambda c: c.update(version=2),
    "serial is a number": lambda c: c.update(serial=1),
    "port is text": lambda c: c["servers"].update(mqtt_tls_port="8883"),
    "setup is a list": lambda c: c.update(setup=[]),
    "malformed device id": lambda c: c.update(device_id="ABC"),
    "malformed serial": lambda c: c.update(serial="a b"),
    "malformed product": lambda c: c.update(product="A"),
    "malformed hardware id": lambda c: c.update(hardware_id="00:00:00:00:00:00"),
    "root key is no base64": lambda c: c.update(root_key="*"),
    "root key too short": lambda c: c.update(root_key="AAAA"),
    "no private key": lambda c: c.update(private_key="x"),
    "other identity": lambda c: c.update(identity="hardware_id"),
    "other variant": lambda c: c.update(sealed="ratchet-4"),
    "key left out": lambda c: c.update(private_key="", certificate_chain=""),
    "no certificate": lambda c: c.update(certificate_chain="x"),
    "no trust anchor": lambda c: c.update(trust_anchor="x"),
    "no onboarding method": lambda c: c.update(onboarding=[]),
    "onboarding method twice": lambda c: c.update(onboarding=["dpp", "dpp"]),
    "onboarding method with blanks": lambda c: c.update(onboarding=["dpp pin"]),
    "too many onboarding methods": lambda c: c.update(onboarding=[f"m{n}" for n in range(65)]),
    "unknown field in setup": lambda c: c["setup"].update(more=1),
    "another device's id": lambda c: c.update(device_id="hgfedcba"),
    "another device's key": lambda c: c.update(private_key=PKI.root.key.to_pem().decode()),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_device_refuses_malformed_file(name: str) -> None:
    with pytest.raises(MalformedMessage):
        Provisioning.from_json(changed(MALFORMED[name]))


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b" " * 20_000])
def test_device_refuses_what_is_no_file(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Provisioning.from_json(data)


def test_refusal_never_repeats_a_secret() -> None:
    key = p256.generate(lambda count: b"\x55" * count).to_pem().decode()
    with pytest.raises(MalformedMessage) as caught:
        Provisioning.from_json(changed(lambda c: c.update(private_key=key)))
    assert key.splitlines()[1] not in str(caught.value)
