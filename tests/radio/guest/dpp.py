"""Wi-Fi Easy Connect over the air: the board's door with a phone's configurator, and ours through a relay."""

import asyncio
import os
import re
from typing import Final

from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.device.setup.dpp_air import CHANNEL, DppAirDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.dpp.configuration import Akm
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.network import NetworkCredentials
from doorstep.provisioner.dpp import configure
from tests.radio.guest.lab import PASSPHRASE, Lab, until, wpa2
from tests.radio.guest.wifi_station import at, station

SECONDS: Final = 15.0

RELAY: Final = f"dpp_controller=ipaddr=127.0.0.1 pkhash={'00' * 32}\ndpp_configurator_connectivity=1\n"
"""The hash would only choose among controllers for devices that ask for one by its code."""


def proof_board_takes_the_network_of_a_phone_that_read_its_label(lab: Lab) -> str:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    radio = station(lab.device)
    lab.phone.supplicant()
    key = generate(os.urandom)
    mac = bytes.fromhex(lab.device.mac.replace(":", ""))
    uri = BootstrapUri(key.public_key, mac, channels=((81, CHANNEL),)).encode()

    async def scan_label() -> Onboarded:
        joiner = Joiner(radio)
        async with DppAirDoor(lab.device.control, key, joiner):
            await asyncio.to_thread(_configure_by_phone, lab, uri)
            return await asyncio.wait_for(joiner.wait_connected(), 60)

    onboarded = at(lab.device, scan_label())
    assert (onboarded.network.ssid, onboarded.network.passphrase) == (b"home", PASSPHRASE.encode())
    assert lab.device.mac in lab.router.hostapd_cli("all_sta")
    return f"{len(uri)} characters; {onboarded.joined.ip4_addr}"


def _configure_by_phone(lab: Lab, uri: str) -> None:
    configurator = lab.phone.wpa_cli("dpp_configurator_add").splitlines()[-1]
    peer = lab.phone.wpa_cli(f"dpp_qr_code '{uri}'").splitlines()[-1]
    network = f"conf=sta-psk ssid={b'home'.hex()} pass={PASSPHRASE.encode().hex()}"
    answer = lab.phone.wpa_cli(f"dpp_auth_init peer={peer} configurator={configurator} {network}")
    assert answer.endswith("OK"), answer


def proof_our_configurator_reaches_a_board_through_a_relay(lab: Lab) -> str:
    """The board has no network: it cries over the air, and the access point brings its frames to us."""
    lab.router.serve("home", wpa2(), RELAY)
    lab.router.dhcp_server()
    radio = station(lab.device)
    key = generate(os.urandom)
    uri = BootstrapUri(key.public_key).encode()
    network = NetworkCredentials(b"home", PASSPHRASE.encode())

    async def wait_for_cries() -> str:
        return (await configure(uri, network, patience=60)).name

    async def cry() -> Onboarded:
        joiner = Joiner(radio)
        async with DppAirDoor(lab.device.control, key, joiner, chirp=True):
            return await asyncio.wait_for(joiner.wait_connected(), 80)

    async def both() -> tuple[str, Onboarded]:
        configurator = asyncio.to_thread(lab.router.inside, asyncio.run, wait_for_cries())
        return await asyncio.gather(configurator, cry())

    name, onboarded = at(lab.device, both())
    assert onboarded.network == network
    assert lab.device.mac in lab.router.hostapd_cli("all_sta")
    return f"{name!r} at {onboarded.joined.ip4_addr}"


def proof_board_joins_by_a_connector_that_our_configurator_signed(lab: Lab) -> str:
    """No password anywhere: access point and board hold connectors of one signing key."""
    signer, key = generate(os.urandom), generate(os.urandom)
    lab.router.serve("home", _connector_of_the_access_point(lab, signer), RELAY)
    lab.device.supplicant("dpp_config_processing=2\npmf=1\n")
    label = lab.device.wpa_cli(f"dpp_bootstrap_gen type=qrcode key={key.to_sec1().hex()}").splitlines()[-1]
    lab.device.wpa_cli(f"dpp_chirp own={label} iter=20")
    uri = BootstrapUri(key.public_key).encode()
    network = NetworkCredentials(b"home")
    lab.router.inside(asyncio.run, configure(uri, network, akm=Akm.DPP, signer=signer, patience=60))
    until(lambda: lab.device.status().get("wpa_state") == "COMPLETED", "board on the network")
    assert lab.device.status()["key_mgmt"] == "DPP"
    return "key management DPP"


def _connector_of_the_access_point(lab: Lab, signer: PrivateKey) -> str:
    """Have hostapd sign itself a connector with our key, and return the lines of its configuration."""
    lab.router.serve("home", wpa2())
    number = lab.router.hostapd_cli(f"raw DPP_CONFIGURATOR_ADD key={signer.to_sec1().hex()}").splitlines()[-1]
    order = f"DPP_CONFIGURATOR_SIGN  conf=ap-dpp configurator={number} ssid={b'home'.hex()}"
    assert lab.router.hostapd_cli(f"raw '{order}'").endswith("OK")
    said = lab.router.said("hostapd")
    lab.router.reset()
    found = {
        setting: re.findall(rf"{event} (\S+)", said)[-1]
        for setting, event in (
            ("dpp_connector", "DPP-CONNECTOR"),
            ("dpp_netaccesskey", "DPP-NET-ACCESS-KEY"),
            ("dpp_csign", "DPP-C-SIGN-KEY"),
        )
    }
    lines = "".join(f"{setting}={value}\n" for setting, value in found.items())
    return f"wpa=2\nwpa_key_mgmt=DPP\nieee80211w=2\nrsn_pairwise=CCMP\n{lines}"
