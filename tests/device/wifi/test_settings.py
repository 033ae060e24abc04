"""What wpa_supplicant and NetworkManager are told about a network: every octet, no key in the wrong place."""

import asyncio
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.device.wifi.access_point import AccessPointPlan
from doorstep.device.wifi.control_socket import ControlSocket
from doorstep.device.wifi.nm_settings import access_point_settings, heard_network, station_settings
from doorstep.device.wifi.wpa_supplicant import network_settings
from doorstep.onboarding.network import EapMethod, Enterprise, NetworkCredentials, StaticAddress
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry

HOME = NetworkCredentials(b"home", b"correct horse")
HEX_KEY = NetworkCredentials(b"home", b"0f" * 32)
PEAP = Enterprise(EapMethod.PEAP, "lämp", b"\x30CA", "radius.example", b"p\xff")
TLS = Enterprise(EapMethod.TLS, "lamp", b"\x30CA", certificate=b"\x30own", private_key=b"\x30key")
WPA3_POINT = {"RsnFlags": 0x400, "Ssid": b"home"}


def plain(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {group: {name: value.value for name, value in each.items()} for group, each in settings.items()}


@given(st.binary(min_size=1, max_size=32), st.binary(min_size=8, max_size=63))
def test_wpa_supplicant_gets_every_octet_without_a_quote(ssid: bytes, passphrase: bytes) -> None:
    settings = network_settings(NetworkCredentials(ssid, passphrase))
    assert bytes.fromhex(settings["ssid"]) == ssid
    assert bytes.fromhex(settings["sae_password"]) == passphrase
    assert settings["psk"] == hashlib.pbkdf2_hmac("sha1", passphrase, ssid, 4096, 32).hex()


def test_wpa_supplicant_gets_open_network_and_key_as_they_are() -> None:
    assert network_settings(NetworkCredentials(b"cafe"))["key_mgmt"] == "NONE"
    settings = network_settings(HEX_KEY)
    assert settings["psk"] == "0f" * 32
    assert "sae_password" not in settings


def test_wpa_supplicant_checks_the_enterprise_network_before_it_proves_anything() -> None:
    for network in (PEAP, TLS):
        settings = network_settings(NetworkCredentials(b"office", enterprise=network))
        assert settings["ca_cert"] == '"blob://doorstep-ca"'
    peap = network_settings(NetworkCredentials(b"office", enterprise=PEAP))
    assert bytes.fromhex(peap["domain_suffix_match"]) == b"radius.example"
    assert (bytes.fromhex(peap["password"]), peap["phase2"]) == (b"p\xff", '"auth=MSCHAPV2"')


@pytest.mark.peer
@pytest.mark.parametrize(
    "network",
    [
        HOME,
        HEX_KEY,
        NetworkCredentials(b"x" * 32, b'\x00\n"\\' * 4),
        NetworkCredentials(b"office", enterprise=PEAP),
        NetworkCredentials(b"office", enterprise=TLS),
    ],
)
def test_wpa_supplicant_takes_what_it_is_told(supplicant: Path, network: NetworkCredentials) -> None:
    async def tell() -> str:
        async with ControlSocket(supplicant) as control:
            number = await control.ask("ADD_NETWORK")
            for name, value in network_settings(network).items():
                await control.order(f"SET_NETWORK {number} {name} {value}")
            return await control.ask(f"GET_NETWORK {number} ssid")

    assert asyncio.run(tell()) in {network.ssid.hex(), f'"{network.ssid.decode()}"'}


def test_wpa_passphrase_derives_the_key_that_we_do() -> None:
    program = shutil.which("wpa_passphrase")
    if program is None:
        pytest.skip("wpa_passphrase is not installed")
    told = subprocess.run(
        [program, "home", "correct horse"], capture_output=True, text=True, check=True
    ).stdout
    assert f"psk={network_settings(HOME)['psk']}\n" in told


def test_networkmanager_keeps_the_passphrase_for_wpa3_and_gets_a_key_for_odd_octets() -> None:
    only_wpa3 = plain(station_settings(HOME, "wlan0", [WPA3_POINT]))["802-11-wireless-security"]
    assert only_wpa3 == {"key-mgmt": "sae", "psk": "correct horse"}
    both = plain(station_settings(HOME, "wlan0", [WPA3_POINT, {"RsnFlags": 0x500}]))
    assert both["802-11-wireless-security"]["key-mgmt"] == "wpa-psk"
    odd = plain(station_settings(NetworkCredentials(b"home", b"\xff" * 8), "wlan0", []))
    assert (
        odd["802-11-wireless-security"]["psk"]
        == network_settings(NetworkCredentials(b"home", b"\xff" * 8))["psk"]
    )


def test_networkmanager_asks_by_name_only_for_what_it_does_not_hear() -> None:
    assert plain(station_settings(HOME, "wlan0", []))["802-11-wireless"]["hidden"] is True
    assert "hidden" not in plain(station_settings(HOME, "wlan0", [WPA3_POINT]))["802-11-wireless"]


def test_networkmanager_gets_fixed_address_and_enterprise_credentials() -> None:
    static = StaticAddress("192.168.1.20/24", "192.168.1.1", ("1.2.3.4",))
    told = plain(station_settings(NetworkCredentials(b"o", enterprise=TLS, static=static), "wlan0", []))
    assert told["ipv4"]["method"] == "manual"
    assert told["ipv4"]["gateway"] == "192.168.1.1"
    assert int(told["ipv4"]["dns"][0]).to_bytes(4, "little") == bytes((1, 2, 3, 4))
    assert told["802-1x"]["client-cert"] == TLS.certificate
    assert told["802-1x"]["private-key"] == TLS.private_key
    peap = plain(station_settings(NetworkCredentials(b"o", enterprise=PEAP), "wlan0", []))["802-1x"]
    assert (peap["password-raw"], peap["domain-suffix-match"]) == (b"p\xff", "radius.example")
    assert plain(station_settings(NetworkCredentials(b"o"), "wlan0", []))["ipv4"]["method"] == "auto"


def test_networkmanager_opens_the_access_point_of_the_plan() -> None:
    told = plain(access_point_settings(AccessPointPlan(b"PROV_x", b"a key of its own"), "wlan0"))
    assert told["802-11-wireless"] == {"ssid": b"PROV_x", "mode": "ap", "band": "bg", "channel": 1}
    assert told["802-11-wireless-security"]["proto"] == ["rsn"]
    assert "802-11-wireless-security" not in plain(access_point_settings(AccessPointPlan(b"PROV_x"), "wlan0"))


@pytest.mark.parametrize(
    ("point", "auth"),
    [
        ({}, AuthMode.OPEN),
        ({"Flags": 1}, AuthMode.WEP),
        ({"WpaFlags": 0x100}, AuthMode.WPA),
        ({"RsnFlags": 0x100}, AuthMode.WPA2),
        ({"WpaFlags": 0x100, "RsnFlags": 0x100}, AuthMode.WPA_WPA2),
        ({"RsnFlags": 0x200}, AuthMode.WPA2_ENTERPRISE),
        ({"RsnFlags": 0x400}, AuthMode.WPA3),
        ({"RsnFlags": 0x500}, AuthMode.WPA2_WPA3),
    ],
)
def test_networkmanager_describes_how_a_network_authenticates(point: dict[str, int], auth: AuthMode) -> None:
    assert heard_network(point).auth is auth


def test_networkmanager_describes_where_a_network_is() -> None:
    point = {"Ssid": b"home", "Frequency": 2437, "Strength": 80, "HwAddress": "02:00:00:00:00:01"}
    assert heard_network(point) == ScanEntry(b"home", 6, -60, b"\x02\0\0\0\0\x01", AuthMode.OPEN)
