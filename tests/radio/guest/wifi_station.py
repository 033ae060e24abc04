"""The board's station on wpa_supplicant against real access points, in all the ways that joining can end."""

import asyncio
import hashlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar
from unittest.mock import patch

from doorstep.device.wifi import addressing
from doorstep.device.wifi.addressing import Addressing
from doorstep.device.wifi.wpa_supplicant import WpaSupplicantStation
from doorstep.onboarding.network import (
    EapMethod,
    Enterprise,
    Joined,
    JoinFailure,
    JoinOutcome,
    NetworkCredentials,
    StaticAddress,
)
from doorstep.wire.provisioning.scan import AuthMode, ScanStart
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, sh, wpa2

SECONDS: Final = 12.0

T = TypeVar("T")
KEY: Final = PASSPHRASE.encode()
HOME: Final = NetworkCredentials(b"home", KEY)


def station(board: Host) -> WpaSupplicantStation:
    """Start the board's wpa_supplicant and return our station on it."""
    board.supplicant()
    return WpaSupplicantStation(board.control, Addressing(board.interface))


def at(board: Host, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the board."""
    return board.inside(asyncio.run, work)


def join(board: Host, *networks: NetworkCredentials) -> list[JoinOutcome]:
    """Have the board try networks, one after the other."""
    radio = station(board)

    async def tries() -> list[JoinOutcome]:
        return [await radio.try_connect(network) for network in networks]

    return at(board, tries())


def proof_board_hears_networks_whatever_their_names(lab: Lab) -> str:
    odd = b'a"\\\xc3\xbc\xff \t'
    lab.router.serve(odd.decode(errors="surrogateescape"), wpa2())
    heard = at(lab.device, station(lab.device).scan(ScanStart()))
    entry = next(entry for entry in heard if entry.ssid == odd)
    assert (entry.channel, entry.auth) == (6, AuthMode.WPA2)
    assert entry.bssid.hex(":") == lab.router.mac
    return str(entry.rssi)


def proof_board_joins_after_a_wrong_password(lab: Lab) -> str:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    wrong, right, again = join(lab.device, NetworkCredentials(b"home", b"not the password"), HOME, HOME)
    assert wrong is JoinFailure.WRONG_PASSWORD
    assert isinstance(right, Joined)
    assert right.ip4_addr.startswith("10.1.0.1")
    assert (right.auth, right.channel, right.bssid.hex(":")) == (AuthMode.WPA2, 6, lab.router.mac)
    assert again == right
    assert " 0% packet loss" in lab.device.run("ping -c 1 -W 3 10.1.0.1")
    return right.ip4_addr


def proof_board_joins_hidden_network_with_odd_octets(lab: Lab) -> None:
    name, key = b"hid\xc3\xbcden \xfe", b"p\xc3\xa4ss \"wo'rd\\ \x7f\xff"
    lab.router.serve(
        name.decode(errors="surrogateescape"),
        f"wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_psk={_psk(name, key)}\n",
        "ignore_broadcast_ssid=1\n",
    )
    lab.router.dhcp_server()
    (outcome,) = join(lab.device, NetworkCredentials(name, key))
    assert isinstance(outcome, Joined), outcome


def proof_board_joins_by_64_hexadecimal_digits(lab: Lab) -> None:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    (outcome,) = join(lab.device, NetworkCredentials(b"home", _psk(b"home", KEY).encode()))
    assert isinstance(outcome, Joined), outcome


def proof_board_joins_open_network_with_a_fixed_address(lab: Lab) -> None:
    lab.router.serve("cafe")
    lab.router.address("10.1.0.1/24")
    static = StaticAddress("10.1.0.77/24", "10.1.0.1")
    (outcome,) = join(lab.device, NetworkCredentials(b"cafe", static=static))
    assert isinstance(outcome, Joined), outcome
    assert (outcome.ip4_addr, outcome.auth) == ("10.1.0.77", AuthMode.OPEN)
    assert "default via 10.1.0.1" in lab.device.run("ip route")
    assert " 0% packet loss" in lab.router.run("ping -c 1 -W 3 10.1.0.77")


def proof_board_says_that_network_gives_no_address(lab: Lab) -> None:
    lab.router.serve("home", wpa2())
    with patch.object(addressing, "ADDRESS_TIMEOUT", 5.0):  # patience costs the machine its time
        (outcome,) = join(lab.device, HOME)
    assert outcome is JoinFailure.NO_ADDRESS
    assert "wpa_state=COMPLETED" not in lab.device.wpa_cli("status")


def proof_board_says_that_network_is_not_there(lab: Lab) -> None:
    lab.router.serve("another", wpa2())
    assert join(lab.device, HOME, NetworkCredentials(b"")) == [JoinFailure.NO_SUCH_NETWORK] * 2


def proof_board_joins_wpa3_after_a_wrong_password(lab: Lab) -> None:
    lab.router.serve(
        "home", f"wpa=2\nwpa_key_mgmt=SAE\nieee80211w=2\nrsn_pairwise=CCMP\nsae_password={PASSPHRASE}\n"
    )
    lab.router.dhcp_server()
    wrong, right = join(lab.device, NetworkCredentials(b"home", b"not the password"), HOME)
    assert wrong is JoinFailure.WRONG_PASSWORD
    assert isinstance(right, Joined), right
    assert right.auth is AuthMode.WPA3


def proof_board_says_that_its_radio_fails_without_wpa_supplicant(lab: Lab) -> None:
    radio = WpaSupplicantStation(lab.device.control, Addressing(lab.device.interface))
    assert at(lab.device, radio.try_connect(HOME)) is JoinFailure.RADIO_FAILED


def proof_board_joins_enterprise_network_by_password_and_by_certificate(lab: Lab) -> str:
    pki = Path("/tmp/pki")
    make_pki(pki)
    serve_enterprise(lab.router, pki)
    lab.router.dhcp_server()
    ca = der(pki / "ca.pem", "x509")
    peap = Enterprise(EapMethod.PEAP, "lamp", ca, "radius.example", b"pass \xc3\xa4 word")
    wrong = Enterprise(EapMethod.PEAP, "lamp", ca, "radius.example", b"another")
    stranger = Enterprise(EapMethod.PEAP, "lamp", ca, "another.example", b"pass \xc3\xa4 word")
    tls = Enterprise(
        EapMethod.TLS,
        "lamp-7",
        ca,
        certificate=der(pki / "lamp.pem", "x509"),
        private_key=der(pki / "lamp.key", "pkey"),
    )
    ttls = Enterprise(EapMethod.TTLS, "plug", ca, password=b"plain")
    outcomes = join(
        lab.device,
        *(NetworkCredentials(b"office", enterprise=each) for each in (wrong, stranger, peap, tls, ttls)),
    )
    assert outcomes[:2] == [JoinFailure.WRONG_PASSWORD] * 2, outcomes
    assert all(isinstance(outcome, Joined) for outcome in outcomes[2:]), outcomes
    return str(outcomes[2])


def serve_enterprise(router: Host, pki: Path) -> None:
    """Be an access point whose own RADIUS knows two passwords and one authority."""
    users = router.log("users")
    users.write_text(
        '"lamp" PEAP\n"plug" TTLS\n"lamp-7" TLS\n'
        '"lamp" MSCHAPV2 "pass ä word" [2]\n"plug" TTLS-PAP "plain" [2]\n',
        encoding="utf-8",
    )
    router.serve(
        "office",
        "wpa=2\nwpa_key_mgmt=WPA-EAP\nrsn_pairwise=CCMP\nieee8021x=1\n",
        f"eap_server=1\neap_user_file={users}\nca_cert={pki}/ca.pem\nserver_cert={pki}/radius.pem\n"
        f"private_key={pki}/radius.key\n",
    )


def make_pki(pki: Path) -> None:
    """Make an authority, a RADIUS server's certificate, and a device's."""
    pki.mkdir(exist_ok=True)
    new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    sh(f"openssl req -x509 {new} -keyout {pki}/ca.key -out {pki}/ca.pem -subj /CN=office")
    for name, subject in (("radius", "radius.example"), ("lamp", "lamp-7")):
        by_ca = f"-CA {pki}/ca.pem -CAkey {pki}/ca.key -addext subjectAltName=DNS:{subject}"
        files = f"-keyout {pki}/{name}.key -out {pki}/{name}.pem"
        sh(f"openssl req -x509 {new} {files} -subj /CN={subject} {by_ca}")


def der(path: Path, kind: str) -> bytes:
    """Return a PEM file's octets."""
    out = path.with_suffix(f".{kind}.der")
    sh(f"openssl {kind} -in {path} -outform DER -out {out}")
    return out.read_bytes()


def _psk(name: bytes, key: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha1", key, name, 4096, 32).hex()
