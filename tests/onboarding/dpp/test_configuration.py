import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.p256 import PublicKey, generate
from doorstep.errors import DoorstepError, MalformedMessage, SettingsError
from doorstep.onboarding.dpp.configuration import (
    Akm,
    Configuration,
    EnrolleeRequest,
    _psk,
    decode_network,
    decode_order,
)
from doorstep.onboarding.network import NetworkCredentials, StaticAddress
from doorstep.onboarding.order import RegistrationOrder
from tests.onboarding.helpers import counted_rng

HOLDER = generate(counted_rng(b"holder")).public_key
SIGNER = generate(counted_rng(b"signer"))
HOME = NetworkCredentials(b"home", b"correct horse")


OBJECT: dict[str, Any] = {
    "wi-fi_tech": "infra",
    "discovery": {"ssid": "home"},
    "cred": {"akm": "psk", "pass": "correct horse"},
}


def object_of(configuration: Configuration) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(configuration.encode(HOLDER))
    return values


def test_configuration_carries_a_password() -> None:
    assert object_of(Configuration(HOME)) == {
        "wi-fi_tech": "infra",
        "discovery": {"ssid": "home"},
        "cred": {"akm": "psk+sae", "pass": "correct horse"},
    }


def test_configuration_carries_octets_that_are_no_text() -> None:
    found = object_of(Configuration(NetworkCredentials(b"\xff\x00", b"\xff" * 8)))
    assert found["discovery"] == {"ssid64": "_wA"}
    assert found["cred"]["akm"] == "psk"
    assert len(found["cred"]["psk_hex"]) == 64


def test_configuration_makes_the_key_of_the_wifi_standard() -> None:
    key = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"  # 802.11 annex J.4.2
    assert _psk(NetworkCredentials(b"IEEE", b"password")).hex() == key
    network = NetworkCredentials(b"IEEE", key.encode())
    assert object_of(Configuration(network))["cred"] == {"akm": "psk", "psk_hex": key}


def test_configuration_carries_a_connector_that_its_signer_signed() -> None:
    cred = object_of(Configuration(NetworkCredentials(b"home"), Akm.DPP, SIGNER))["cred"]
    header, card, signature = cred["signedConnector"].split(".")
    SIGNER.public_key.verify(_unpadded(signature), f"{header}.{card}".encode())
    assert json.loads(_unpadded(header)) == {"typ": "dppCon", "kid": cred["csign"]["kid"], "alg": "ES256"}
    holder = json.loads(_unpadded(card))["netAccessKey"]
    assert PublicKey.from_point(b"\4" + _unpadded(holder["x"]) + _unpadded(holder["y"])) == HOLDER
    assert json.loads(_unpadded(card))["groups"] == [{"groupId": "*", "netRole": "sta"}]


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    ("network", "akm", "signed", "says"),
    [
        (NetworkCredentials(b"", b"correct horse"), Akm.PSK, False, "empty name"),
        (HOME, Akm.DPP, False, "need each other"),
        (HOME, Akm.PSK, True, "need each other"),
        (NetworkCredentials(b"home"), Akm.PSK, False, "no open network"),
        (
            NetworkCredentials(b"home", b"correct horse", static=StaticAddress("192.0.2.7/24", "192.0.2.1")),
            Akm.PSK,
            False,
            "no fixed address",
        ),
        (NetworkCredentials(b"home", b"a" * 64), Akm.SAE, False, "password itself"),
    ],
    ids=["hidden name", "no signer", "signer", "open", "fixed address", "key for WPA3"],
)
def test_configuration_refuses(network: NetworkCredentials, akm: Akm, *, signed: bool, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Configuration(network, akm, SIGNER if signed else None)


@given(
    st.binary(min_size=1, max_size=32),
    st.one_of(st.binary(min_size=8, max_size=63), st.just(b"0a" * 32)),
    st.sampled_from([Akm.PSK, Akm.PSK_SAE]),
)
def test_device_reads_the_network_that_was_configured(ssid: bytes, passphrase: bytes, akm: Akm) -> None:
    network = decode_network(Configuration(NetworkCredentials(ssid, passphrase), akm).encode(HOLDER))
    assert network.ssid == ssid
    assert network.passphrase == passphrase or len(network.passphrase) == 64


def test_device_reads_the_order_that_was_sent() -> None:
    order = RegistrationOrder(b"\xfftoken", "https://example.org", "kettle")
    sent = Configuration(HOME, order=order).encode(HOLDER)
    assert (decode_network(sent), decode_order(sent)) == (HOME, order)
    assert decode_order(Configuration(HOME).encode(HOLDER)) is None
    assert "token" not in repr(Configuration(HOME, order=order))


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ([], "broken registration order"),
        ({}, "'token'"),
        ({"token": "$", "server": "https://example.org", "alias": ""}, "broken"),
        ({"token": "AA", "server": "ftp://example.org", "alias": ""}, "https://name"),
    ],
    ids=["list", "nothing", "token", "server"],
)
def test_device_refuses_order(order: object, says: str) -> None:
    with pytest.raises((MalformedMessage, SettingsError), match=says):
        decode_order(json.dumps(OBJECT | {"doorstep": order}).encode())


@given(st.binary(max_size=200))
def test_device_answers_any_object_with_a_network_or_a_documented_error(text: bytes) -> None:
    with pytest.raises(DoorstepError):
        decode_network(text)


def test_request_survives_its_text() -> None:
    request = EnrolleeRequest("kettle", "ap")
    assert EnrolleeRequest.decode(request.encode()) == request


def test_request_is_cleaned_for_screens() -> None:
    long = EnrolleeRequest("\x1b[2J" + "x" * 100).encode()
    assert EnrolleeRequest.decode(long).name == " [2J" + "x" * 60


@given(st.binary(max_size=200))
def test_configurator_answers_any_request_with_a_documented_error(text: bytes) -> None:
    with pytest.raises(MalformedMessage):
        EnrolleeRequest.decode(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wi-fi_tech": "map"}, "lacks its network"),
        ({"discovery": "home"}, "lacks its network"),
        ({"cred": None}, "lacks its network"),
        ({"cred": {"akm": "dot1x"}}, "way of joining"),
        ({"cred": {"akm": "dpp"}}, "way of joining"),
        ({"cred": {"akm": "psk"}}, "psk_hex"),
        ({"cred": {"akm": "psk", "pass": 12345678}}, "'pass'"),
        ({"cred": {"akm": "psk", "pass": "short"}}, "8 to 63"),
        ({"cred": {"akm": "psk", "pass": "\ud800 and more"}}, "surrogate"),
        ({"discovery": {"ssid64": "$"}}, "broken network name"),
        ({"discovery": {"ssid64": "A"}}, "broken network name"),
        ({"discovery": {"ssid": "x" * 33}}, "33 bytes"),
        ({"more": "x" * 4096}, "more than 4096"),
    ],
)
def test_device_refuses_configuration(change: dict[str, Any], says: str) -> None:
    with pytest.raises((MalformedMessage, SettingsError), match=says):
        decode_network(json.dumps(OBJECT | change).encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 2000, "object"),
        (b"[]", "object"),
        (b'{"name":"x","wi-fi_tech":"map","netRole":"sta"}', "another kind"),
        (b'{"name":"x","wi-fi_tech":"infra"}', "'netRole'"),
    ],
    ids=["deep", "list", "technology", "no role"],
)
def test_configurator_refuses_request(text: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        EnrolleeRequest.decode(text)
